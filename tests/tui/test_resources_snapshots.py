"""The resources as they look.

``pytest --snapshot-update`` writes what is shown now; look at each file that it changes.
"""

from collections.abc import Sequence

import pytest
from syrupy.assertion import SnapshotAssertion

from foundry_tui.domain.engine import EngineIdle
from tests.support.machine import a_sample
from tests.tui.benched import still
from tests.tui.frames import FrameExtension
from tests.tui.machine_screens import BEGIN_S, Machine, busy_session
from tests.tui.overlay_host import opened

SIZES = pytest.mark.parametrize(
    "size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}"
)


@pytest.fixture
def frames(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(FrameExtension)


@SIZES
@pytest.mark.parametrize("has_gpu", [True, False], ids=["gpu", "no-gpu"])
async def test_a_busy_minute(frames: SnapshotAssertion, size: tuple[int, int], has_gpu: bool) -> None:
    machine = Machine()
    await busy_session(machine, has_gpu=has_gpu)
    async with opened(machine.screen(), size=size) as user:
        assert await still(user) == frames


@SIZES
@pytest.mark.parametrize("keys", [["v"], ["minus", "N", "N"], ["plus", *["left"] * 5]], ids="-".join)
async def test_looked_at(frames: SnapshotAssertion, size: tuple[int, int], keys: Sequence[str]) -> None:
    machine = Machine()
    await busy_session(machine)
    async with opened(machine.screen(), size=size) as user:
        await user.pilot.press(*keys)

        assert await still(user) == frames


@SIZES
async def test_taken_back(frames: SnapshotAssertion, size: tuple[int, int]) -> None:
    machine = Machine()
    await busy_session(machine)
    async with opened(machine.screen(), size=size) as user:
        await user.pilot.press("r")
        await user.until(lambda: user.shows("147 MiB back"))

        assert await still(user) == frames


@SIZES
async def test_nothing_so_far(frames: SnapshotAssertion, size: tuple[int, int]) -> None:
    machine = Machine(state=EngineIdle())
    machine.read(a_sample(BEGIN_S, cpu=None))
    async with opened(machine.screen(), size=size) as user:
        assert await still(user) == frames


async def test_without_colours_and_dots(frames: SnapshotAssertion) -> None:
    machine = Machine()
    await busy_session(machine)
    async with opened(machine.screen(is_plain=True), size=(80, 24)) as user:
        assert await still(user) == frames
