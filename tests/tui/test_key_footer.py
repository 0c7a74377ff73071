"""The line of keys: it lets go of what it showed before."""

import gc

from textual.widgets._footer import FooterKey

from tests.tui.harness import driven


def keys_alive() -> int:
    gc.collect()
    return sum(1 for thing in gc.get_objects() if isinstance(thing, FooterKey))


async def test_keys_that_were_shown_before_are_let_go() -> None:
    async with driven() as user:
        await user.up()
        await user.pilot.press("alt+1", "alt+3", "alt+1")
        await user.pilot.pause()  # the footer follows the focus with the next refresh
        before = keys_alive()

        for _ in range(5):
            await user.pilot.press("alt+3", "alt+1")
        await user.pilot.pause()

        assert keys_alive() <= before + 20
