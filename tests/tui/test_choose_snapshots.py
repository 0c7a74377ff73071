"""The page on which one chooses, in each of its states, at the sizes that matter.

``pytest --snapshot-update`` writes what is shown now; look at each file that it changes.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.tui.screens.choose.screen import ChooseScreen
from tests.tui.benched import still
from tests.tui.choosing import MODELS, Kept, Measured, kept
from tests.tui.frames import FrameExtension
from tests.tui.harness import HUGE
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE, HUGE], ids=["80x24", "120x40", "200x60"])
HOSTILE = replace(
    MODELS[2], name=f"模型-七-[red]\x1b[31m-{'very-long-name-' * 8}cuda-gpu:12", license="[b]own\x1b[2J words"
)
FIELDS: dict[str, Sequence[Measured]] = {
    "five": MODELS,
    "one": MODELS[:1],
    "unscored": [replace(model, values=()) for model in MODELS[:2]],
    "hostile": [MODELS[0], HOSTILE],
    "dozen": [
        replace(MODELS[place % 4], name=f"model-{place}-instruct-generic-cpu:{place}", gap_ms=10 + 9 * place)
        for place in range(12)
    ],
}


@pytest.fixture
def frames(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(FrameExtension)


async def settled(user: Opened[None]) -> None:
    """Wait until all is reckoned."""
    screen = user.screen
    assert isinstance(screen, ChooseScreen)
    await user.until(lambda: screen.found is not None and not user.shows("Drawing"))


@SIZES
@pytest.mark.parametrize("models", FIELDS.values(), ids=FIELDS.keys())
async def test_the_page(frames: SnapshotAssertion, size: tuple[int, int], models: Sequence[Measured]) -> None:
    place = await kept(models)
    async with opened(place.screen(), size=size) as user:
        await settled(user)

        assert await still(user) == frames


@SIZES
async def test_the_page_with_limits_and_weights(frames: SnapshotAssertion, size: tuple[int, int]) -> None:
    place = await kept()
    async with opened(place.screen(), size=size) as user:
        await settled(user)
        await user.pilot.press("down", "g", "l")
        user.screen.query_one("#choose-limits", Input).value = "latency<=3s memory<=6gb quality>=3.8"
        await user.pilot.press("enter")
        await user.until(lambda: user.shows("of 5 models fit · "))
        await settled(user)

        assert await still(user) == frames


@pytest.mark.parametrize("is_plain", [False, True], ids=["drawn", "plain"])
async def test_the_chart_where_there_is_room_for_one_of_both(
    frames: SnapshotAssertion, is_plain: bool
) -> None:
    place = await kept()
    async with opened(place.screen(is_plain=is_plain), size=NARROW) as user:
        await settled(user)
        await user.pilot.press("w")

        assert await still(user) == frames


@pytest.mark.parametrize("state", ["nothing", "unreadable", "refused"])
async def test_the_page_without_a_choice(frames: SnapshotAssertion, state: str) -> None:
    place = await kept() if state != "nothing" else Kept()
    if state == "unreadable":
        place.runs.unreadable = StorageProblem("the database is locked", remedy="end the other program")
    async with opened(place.screen(), size=NARROW) as user:
        if state == "refused":
            await settled(user)
            await user.pilot.press("l", "s", "o", "enter")
        else:
            await user.until(lambda: user.shows("There is no run") or user.shows("is locked"))

        assert await still(user) == frames
