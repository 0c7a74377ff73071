"""What the app tidies now and then, while it opens, works and is taken down."""

import pytest

from tests.tui.harness import driven


async def test_tidying_needs_no_pane_of_a_workspace_that_opens_or_is_taken_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # All the time, for once: every two seconds it meets such a moment in one start or end of a hundred.
    monkeypatch.setattr("foundry_tui.tui.app._TIDY_S", 0.001)

    async with driven() as user:
        await user.up()

    assert not user.app.is_running
