"""A move of the cache directory that is killed at any moment: one whole copy is always in force."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from foundry_tui.services.cache.move import MARKER
from tests.support.caches import CacheSetting, contents, filled, is_there

MOVER = Path(__file__).with_name("mover_of_a_cache.py")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")


def said(setting: Path) -> str:
    return setting.read_text()


@pytest.mark.parametrize(
    "death",
    [
        "copying:1", "copying:4", "copying:12", "comparing:1", "comparing:9", "before-switch", "after-switch",
        "removing:1", "removing:5", "removing:11",
    ],
)  # fmt: skip
async def test_killed_anywhere_nothing_is_lost_and_it_can_be_completed(tmp_path: Path, death: str) -> None:
    cache, target, setting = filled(tmp_path / "cache"), tmp_path / "target", tmp_path / "data" / "setting"
    setting.parent.mkdir()
    setting.write_text(str(cache))
    before = contents(cache)
    command = [sys.executable, str(MOVER), str(cache), str(target), str(setting), death]
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == -signal.SIGKILL

    in_force = Path(said(setting))
    assert {name: data for name, data in contents(in_force).items() if name != MARKER} == before
    service = CacheSetting(in_force, setting.parent).service()
    unfinished = await service.unfinished_move()
    assert unfinished is not None

    async def switch(folder: Path) -> None:
        setting.write_text(str(folder))

    if unfinished.is_switched:
        await service.finish_move()
    else:
        await service.move(Path(unfinished.target), switch)

    assert contents(target) == before
    assert said(setting) == str(target)
    assert not is_there(cache)
    assert await service.unfinished_move() is None
