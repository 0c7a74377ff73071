"""What is said at the edge of the screen, and what of it stays in the log."""

import logging

import pytest
from textual.app import App

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.tui.notices import complain, tell

LOGGER = "foundry_tui.tui.notices"


async def test_a_complaint_is_logged_as_a_warning_with_its_remedy_and_harmless(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = App[None]()

    async with app.run_test():
        complain(app.screen, StorageProblem("no \x1b[31m room", remedy="free\nsome"))

    assert caplog.record_tuples == [(LOGGER, logging.WARNING, "no ␛[31m room → free some")]


@pytest.mark.parametrize(("is_warning", "level"), [(True, logging.WARNING), (False, logging.INFO)])
async def test_a_notice_is_logged_at_the_level_it_is_said_with(
    caplog: pytest.LogCaptureFixture, is_warning: bool, level: int
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    app = App[None]()

    async with app.run_test():
        tell(app.screen, "done", is_warning=is_warning)

    assert caplog.record_tuples == [(LOGGER, level, "done")]
