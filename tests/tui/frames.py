"""Whole screens as text: one readable file for each state and size, without what no two runs have alike."""

import asyncio
import re

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.types import PropertyFilter, PropertyMatcher, SerializableData
from textual.widgets import Footer

from tests.tui.harness import Driven

__all__ = ["FrameExtension", "frame", "resized", "steady"]

_STILL = 4
"""How many looks in a row have to show the same, until nothing is taken to be under way any more."""
_VARYING = (
    # When something was logged.
    re.compile(r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b"),
    # For how long something is being loaded, cut or not.
    re.compile(r"(?<=loading )[\d.]+"),
    # Which process this is.
    re.compile(r"(?<=Process )\s+\d+"),
    # Where the test's own folder is.
    re.compile(r"(?<=saved to ).*(?=│$)"),
)
# The ends of a scrollbar's thumb: they tell of text that was not measured yet when one looked.
# Text may stand right beside it, but no ribbon of gaps, which is made of the same signs.
_THUMB_END = re.compile(r"(?<=[^▁▂▃▄▅▆▇█╳])[▁▂▃▄▅▆▇]{1,2}(?=[ │]*$)")


class FrameExtension(SingleFileSnapshotExtension):
    """Keeps a screen as the text that it is."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    def serialize(
        self,
        data: SerializableData,
        *,
        exclude: PropertyFilter | None = None,
        include: PropertyFilter | None = None,
        matcher: PropertyMatcher | None = None,
    ) -> str:
        return str(data)


async def resized(user: Driven, size: tuple[int, int]) -> None:
    """Give the terminal another size, and wait until the screen has taken it."""
    if user.app.size != size:
        await user.pilot.resize_terminal(*size)
        # A resize waits a moment for those that follow at once.
        await user.until(lambda: len(_seen(user).splitlines()) == size[1])


def shows_keys(user: Driven) -> bool:
    """Whether the footer has anything to show; in a field that takes all letters it may not."""
    return any(active.binding.show for active in user.app.screen.active_bindings.values())


async def frame(user: Driven) -> str:
    """The screen as soon as it stands still, with fixed words where no two runs have the same."""
    await user.until(
        lambda: all(footer.children or not shows_keys(user) for footer in user.app.screen.query(Footer))
    )
    seen: list[str] = []
    while len(seen) < _STILL or len(set(seen[-_STILL:])) > 1:
        await _turn(user)
        seen.append(_seen(user))
    return seen[-1]


async def _turn(user: Driven) -> None:
    """A turn for all that is under way, below an overlay too, where the pilot does not look."""
    for screen in user.app.screen_stack[:-1]:
        done = asyncio.Event()
        screen.call_after_refresh(done.set)
        await done.wait()
    user.app.screen.refresh()  # what lies below may have been drawn by another look at the screen
    await user.pilot.pause()


def _seen(user: Driven) -> str:
    return steady(user.lines())


def steady(lines: list[str]) -> str:
    """The lines as one text; what depends on the day or the machine is covered, in the same width."""
    return "".join(f"{_fixed(line).rstrip()}\n" for line in lines)


def _fixed(line: str) -> str:
    for varying in _VARYING:
        line = varying.sub(lambda found: "~" * len(found[0]), line)
    return _THUMB_END.sub(" ", line)
