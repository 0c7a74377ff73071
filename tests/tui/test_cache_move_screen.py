"""Moving all models from the cache pane: the folder, how far it is, stopping it, and what was left."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from foundry_tui.domain.cache import MovePhase, MoveProgress
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.tui.screens.cache_move import FolderScreen, InterruptedMove, Moving, MovingScreen, WholeMove
from tests.support.caches import contents, is_there
from tests.tui.cached import GIB, NARROW, Cached, Rig, cached, lying

BIG = "big-generic-cpu:1"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(folder=tmp_path)
    rig.models.append(lying(rig.cache_dir, "big-generic-cpu", 5000))
    return rig


async def typed(user: Cached, path: Path | str) -> None:
    """Open the question for the folder and write ``path``."""
    await user.press("m")
    await user.until(lambda: isinstance(user.app.screen, FolderScreen))
    screen = user.app.screen
    assert isinstance(screen, FolderScreen)
    screen.field.value = str(path)


def offers(user: Cached, kind: type[Moving]) -> bool:
    return isinstance(user.app.screen, MovingScreen) and isinstance(user.app.screen.moving, kind)


async def planned(user: Cached, target: Path) -> None:
    """Write the folder and go on to what is about to be done."""
    await typed(user, target)
    await user.press("enter")
    await user.until(lambda: offers(user, WholeMove))
    await user.until(lambda: user.shows("are free there"))


async def test_all_models_are_in_the_new_folder_and_the_program_uses_it(rig: Rig, tmp_path: Path) -> None:
    before = contents(rig.cache_dir)
    async with cached(rig, size=NARROW) as user:
        await planned(user, tmp_path / "new")
        assert user.shows("1 model: ")
        assert rig.switched == []

        await user.pilot.click("#move")
        await user.until(lambda: user.says(f"The models are in {tmp_path / 'new'} now"))
        await user.closed()

        assert rig.switched == [tmp_path / "new"]
        assert contents(tmp_path / "new") == before
        assert contents(rig.cache_dir) == {}


async def test_the_harmless_answer_has_the_focus_and_leads_back_to_the_folder(
    rig: Rig, tmp_path: Path
) -> None:
    async with cached(rig) as user:
        await planned(user, tmp_path / "new")

        await user.press("enter")
        await user.until(lambda: isinstance(user.app.screen, FolderScreen))
        screen = user.app.screen
        assert isinstance(screen, FolderScreen)
        assert screen.field.value == str(tmp_path / "new")
        await user.press("escape")
        await user.closed()

        assert not is_there(tmp_path / "new")


async def test_a_file_is_no_folder_and_only_folders_are_offered(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("x")
    async with cached(rig) as user:
        await typed(user, tmp_path / "notes.md")
        await user.until(lambda: user.shows("this is no folder"))
        await user.press("enter")
        await user.until(lambda: user.shows("Not yet: this is no folder"))

        screen = user.app.screen
        assert isinstance(screen, FolderScreen)
        screen.field.value = f"{tmp_path}{os.sep}"
        await user.until(lambda: user.shows(f"cache{os.sep}"))
        assert not user.shows("notes.md")
        screen.field.value = f"{tmp_path}/not/there"
        await user.until(lambda: user.shows("those above it that are missing"))


async def test_a_folder_that_cannot_be_used_is_refused_with_the_reason_and_nothing_moves(
    rig: Rig, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis").write_text("mine")
    before = contents(rig.cache_dir)
    async with cached(rig) as user:
        await planned(user, tmp_path / "full")

        await user.pilot.click("#move")
        await user.until(lambda: user.shows("Problem"))

        screen = user.app.screen
        assert isinstance(screen, MovingScreen)
        assert "full is not empty" in screen.sheet.paragraphs[0].text
        assert contents(rig.cache_dir) == before
        assert contents(tmp_path / "full") == {"thesis": b"mine"}
        assert rig.switched == []


async def test_too_little_room_is_marked_before_anything_begins(rig: Rig, tmp_path: Path) -> None:
    rig.disk.free_bytes = 1000
    rig.disk.sizes = {"cache": 4 * GIB}
    async with cached(rig) as user:
        await planned(user, tmp_path / "new")

        screen = user.app.screen
        assert isinstance(screen, MovingScreen)
        tones = {one.label: one.tone for one in screen.sheet.paragraphs}
        assert tones["Room"] == "warning"


async def test_a_switch_that_fails_leaves_the_old_folder_in_force(rig: Rig, tmp_path: Path) -> None:
    before = contents(rig.cache_dir)
    rig.switch_fails = StorageProblem("settings.toml cannot be written", remedy="free some space")
    async with cached(rig) as user:
        await planned(user, tmp_path / "new")

        await user.pilot.click("#move")
        await user.until(lambda: user.shows("settings.toml cannot be written"))

        assert contents(rig.cache_dir) == before


async def test_esc_in_the_switch_waits_for_its_end(rig: Rig, tmp_path: Path) -> None:
    rig.switch_gate = asyncio.Event()
    async with cached(rig) as user:
        await planned(user, tmp_path / "new")
        await user.pilot.click("#move")
        await user.until(lambda: rig.switched)
        await user.until(lambda: user.shows("the engine starts anew on the new folder"))

        await user.press("escape")
        assert isinstance(user.app.screen, MovingScreen)
        rig.switch_gate.set()

        await user.until(lambda: user.says("The models are in"))


async def test_esc_while_it_copies_asks_and_takes_back_what_was_copied(rig: Rig, tmp_path: Path) -> None:
    before = contents(rig.cache_dir)
    async with cached(rig) as user:
        await planned(user, tmp_path / "new")
        # The switch stands still; only what is shown says that it copies, so that there is time to stop it.
        rig.switch_gate = asyncio.Event()
        await user.pilot.click("#move")
        await user.until(lambda: rig.switched)
        user.cache.progress.publish(MoveProgress(phase=MovePhase.COPYING, done_bytes=42, total_bytes=100))
        await user.until(lambda: user.shows("Copying  ━━━━━━━━────────────  42 %"))

        await user.press("escape")
        await user.asked("Stop the move?")
        await user.press("enter")
        await user.until(lambda: offers(user, WholeMove))
        await user.press("escape")
        await user.asked("Stop the move?")
        await user.pilot.click("#yes")

        await user.until(lambda: isinstance(user.app.screen, FolderScreen))
        assert contents(rig.cache_dir) == before


async def test_models_in_memory_are_unloaded_first_if_that_is_wanted(rig: Rig) -> None:
    async with cached(rig) as user:
        await user.client.load(BIG)
        await user.press("m")
        await user.asked("only while none is in memory")
        await user.pilot.click("#yes")
        await user.until(lambda: isinstance(user.app.screen, FolderScreen))

        found = user.client.catalog.value.find(BIG)
        assert found is not None
        assert found.is_loaded is False


def interrupted(rig: Rig, target: Path) -> None:
    """What a program that was killed while it copied has left."""
    (rig.folder / "data").mkdir()
    journal = {"source": str(rig.cache_dir), "target": str(target)}
    (rig.folder / "data" / "cache-move.json").write_text(json.dumps(journal))
    target.mkdir()
    (target / ".foundry-tui-move.json").write_text(json.dumps({"source": str(rig.cache_dir)}))
    (target / "Loopback Inc" / "big-generic-cpu-1").mkdir(parents=True)
    (target / "Loopback Inc" / "big-generic-cpu-1" / "model.onnx.data").write_bytes(b"half")


async def test_a_move_that_was_interrupted_is_told_at_the_start_and_gone_on_with(
    rig: Rig, tmp_path: Path
) -> None:
    before = contents(rig.cache_dir)
    interrupted(rig, tmp_path / "new")
    async with cached(rig) as user:
        await user.until(lambda: user.says("was interrupted"))
        await user.until(lambda: user.shows("a move is unfinished: m"))

        await user.press("m")
        await user.until(lambda: offers(user, InterruptedMove))
        await user.pilot.click("#resume")
        await user.until(lambda: user.says("The models are in"))

        assert contents(tmp_path / "new") == before
        await user.until(lambda: not user.shows("a move is unfinished"))


async def test_a_move_that_was_interrupted_can_be_taken_back(rig: Rig, tmp_path: Path) -> None:
    before = contents(rig.cache_dir)
    interrupted(rig, tmp_path / "new")
    async with cached(rig, size=NARROW) as user:
        await user.until(lambda: user.shows("a move is unfinished: m"))
        await user.press("m")
        await user.until(lambda: offers(user, InterruptedMove))
        await user.pilot.click("#abandon")
        await user.until(lambda: user.says("was taken back"))

        assert contents(rig.cache_dir) == before
        assert contents(tmp_path / "new") == {}
        assert rig.switched == []


async def test_after_the_switch_only_the_old_files_are_left_to_remove(rig: Rig, tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / "Loopback Inc" / "big-generic-cpu-1").mkdir(parents=True)
    name = Path("Loopback Inc") / "big-generic-cpu-1" / "model.onnx.data"
    (old / name).write_bytes((rig.cache_dir / name).read_bytes())
    (rig.folder / "data").mkdir()
    journal = {"source": str(old), "target": str(rig.cache_dir)}
    (rig.folder / "data" / "cache-move.json").write_text(json.dumps(journal))
    async with cached(rig) as user:
        await user.until(lambda: user.shows("a move is unfinished: m"))
        await user.press("m")
        await user.until(lambda: user.shows("are still there"))
        await user.pilot.click("#finish")
        await user.until(lambda: user.says("The models are in"))

        assert contents(old) == {}
        assert len(contents(rig.cache_dir)) == 1
