"""What several suites over real processes are run on."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.web_server import Web, fake_app, serving


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    """A web server with the app that does what is typed."""
    async with serving(fake_app()) as opened:
        yield opened
