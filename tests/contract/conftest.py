"""What the suites of several ports are run over."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from foundry_tui.ports.storage import ConversationStore
from tests.contract.conversation_stores import Stores, opened_stores


@pytest.fixture(params=["memory", "database"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Stores, None]:
    """The stores of conversations, prompts and inputs, of each kind."""
    async with opened_stores(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def store(stores: Stores) -> ConversationStore:
    """The store of conversations alone."""
    return stores.conversations
