"""The cache pane: what takes room, removing it, checking and repairing it, its folder."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.domain.health import FileProblem
from foundry_tui.domain.models import CatalogKind, ModelVariant
from tests.support.caches import is_there
from tests.tui.cached import GIB, NARROW, NOW, Cached, DeletingEngine, Rig, cached, lying, partial
from tests.tui.queued import Queued, queued

BIG, SMALL = "big-generic-cpu:1", "small-generic-cpu:1"
BROKEN = (
    FileProblem("model.onnx.data", "has other contents than when it was downloaded"),
    FileProblem("tokenizer.json", "is missing"),
)
COMING = "coming-generic-cpu:1"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """Two models, of 2 GiB and 512 MiB as far as anybody can tell."""
    rig = Rig(folder=tmp_path)
    rig.models += [
        lying(rig.cache_dir, "small-generic-cpu", 500),
        lying(rig.cache_dir, "big-generic-cpu", 2000),
    ]
    rig.disk.sizes = {"big-generic-cpu-1": 2 * GIB, "small-generic-cpu-1": GIB // 2, "cache": 4 * GIB}
    return rig


def folder(rig: Rig, name: str) -> Path:
    return rig.cache_dir / "Loopback Inc" / f"{name}-1"


def not_here(**known: object) -> ModelVariant:
    base = ModelVariant(
        id=COMING, alias="coming", catalog=CatalogKind.PUBLIC, is_cached=False, is_loaded=False
    )
    return replace(base, **known)  # type: ignore[arg-type] # each by its name, as the tests give them


# --- what is shown


async def test_models_stand_the_largest_first_with_what_they_take_and_their_share(rig: Rig) -> None:
    async with cached(rig) as user:
        keys = [row.key for row in user.pane.table.rows]

        assert keys[:2] == [BIG, SMALL]
        assert user.cells(BIG)[1:3] == ("○ on disk", "2.00 GiB")
        assert user.cells(BIG)[5] == "50 % ━━━───"
        assert user.shows("4.00 GiB in all · 88.0 GiB free")


async def test_the_last_use_is_told_and_one_that_is_not_on_record_is_not_made_up(rig: Rig) -> None:
    async def prepare(user: Cached) -> None:
        user.setting.used.touch(BIG)

    async with cached(rig, prepare=prepare) as user:
        user.pane.look()
        await user.until(lambda: user.cells(BIG)[3])

        assert user.cells(BIG)[3] == f"{round((NOW - 1_700_000_000) / 86_400)} d ago"
        assert user.cells(SMALL)[3] == ""
        await user.on(SMALL)
        assert user.shows("no use of it is on record")


async def test_a_loaded_model_says_so_and_that_its_memory_was_not_measured(rig: Rig) -> None:
    async with cached(rig) as user:
        await user.client.load(BIG)
        await user.on(BIG)

        await user.until(lambda: user.cells(BIG)[1] == "● loaded")
        assert user.cells(BIG)[4] == "n/a"
        assert user.shows("was not measured")
        assert user.shows("1 loaded")


async def test_partials_have_rows_of_their_own_with_how_much_of_the_whole_is_here(rig: Rig) -> None:
    rig.models.append(not_here(size_bytes=2 * GIB))
    rig.partials = [
        partial(COMING, "/c/coming", GIB // 2),
        partial(None, "/c/who\x1b knows", 1000, is_locked=True),
    ]
    async with cached(rig) as user:
        await user.on(COMING)

        assert user.cells(COMING)[1:3] == ("partial 25 %", "512 MiB")
        assert user.cells("/c/who\x1b knows")[1] == "in use"
        assert user.shows("partial, 25 % of 2.00 GiB, last written 2 h ago")
        assert user.shows("2 partials 512 MiB")


async def test_what_is_being_downloaded_stands_first_with_how_far_it_is(rig: Rig) -> None:
    rig.models.append(not_here(size_bytes=GIB))
    entry = Download(id="d", model_id=COMING, added_unix_ms=NOW * 1000, place=0, size_bytes=GIB)

    def prepare(queue: Queued) -> None:
        queue.models.append(not_here(size_bytes=GIB))

    async with queued(entry, prepare=prepare) as queue:
        rig.downloads = queue.downloads
        async with cached(rig) as user:
            await user.until(lambda: queue.runner.begun)
            queue.runner.begun[-1].flow(GIB // 4)
            await user.until(lambda: user.cells(COMING)[1:2] == ("↓ 25 %",))

            assert user.pane.table.rows[0].key == COMING
            assert user.cells(COMING)[2] == "256 MiB"

            await user.on(COMING)
            await user.press("delete")
            await user.asked("Cancel this download")
            await user.pilot.click("#yes")
            await user.until(lambda: user.says("The download was cancelled"))
            assert queue.state_of("d") is DownloadState.CANCELLED


async def test_without_services_the_list_is_there_and_each_key_says_why_it_does_nothing(rig: Rig) -> None:
    rig.is_elsewhere = True
    async with cached(rig, size=NARROW) as user:
        await user.on(BIG)

        for key in ("delete", "v", "V", "R", "m"):
            told = len(user.told)
            await user.press(key)
            await user.until(lambda told=told: len(user.told) > told)  # type: ignore[misc]
            assert "server's own disk" in user.told[-1]
        assert is_there(folder(rig, "big-generic-cpu"))


async def test_an_empty_cache_says_how_it_is_filled(tmp_path: Path) -> None:
    async with cached(Rig(folder=tmp_path), engine=DeletingEngine(models=[])) as user:
        for model in user.client.catalog.value.models:
            await user.client.unregister(model.id)
        await user.until(lambda: not user.pane.table.rows)

        assert user.shows("Nothing on this disk yet.")
        assert user.shows("0 here")


async def test_a_model_of_which_a_part_is_here_cannot_be_talked_to(rig: Rig) -> None:
    rig.partials = [partial(None, "/c/unknown", 1000)]
    async with cached(rig) as user:
        await user.on("/c/unknown")

        await user.press("enter", "v")
        await user.until(lambda: len(user.told) == 2)

        assert "cannot be talked to" in user.told[0]
        assert "nothing to check" in user.told[1]


async def test_a_disk_that_is_nearly_full_is_told_in_the_last_line(rig: Rig) -> None:
    rig.disk.free_bytes = GIB // 2
    async with cached(rig) as user:
        await user.until(lambda: user.shows("512 MiB free, which is little"))

        assert user.pane.query_one("#cache-line").has_class("-warning")


# --- removing


async def test_delete_names_what_becomes_free_and_removes_only_on_a_clear_yes(rig: Rig) -> None:
    async with cached(rig) as user:
        await user.on(BIG)
        await user.press("delete")
        await user.asked("2.00 GiB become free")
        await user.press("enter")  # the harmless answer has the focus
        await user.closed()
        assert is_there(folder(rig, "big-generic-cpu"))

        await user.press("x")
        await user.asked("2.00 GiB become free")
        await user.pilot.click("#yes")
        await user.until(lambda: user.says("was removed: 2.00 GiB became free"))

        assert not is_there(folder(rig, "big-generic-cpu"))
        assert is_there(folder(rig, "small-generic-cpu"))
        await user.until(lambda: not user.cells(BIG))


async def test_a_loaded_model_is_unloaded_first_if_that_is_wanted(rig: Rig) -> None:
    async with cached(rig) as user:
        await user.client.load(BIG)
        await user.on(BIG)

        await user.press("delete")
        await user.asked("is in memory. Unload it and remove it")
        await user.pilot.click("#yes")
        await user.until(lambda: user.says("was removed"))

        assert not is_there(folder(rig, "big-generic-cpu"))


async def test_what_the_engine_does_not_know_is_removed_all_the_same(rig: Rig) -> None:
    async with cached(rig) as user:
        await user.on(BIG)
        await user.engine.stop()

        await user.press("delete")
        await user.asked("become free")
        await user.pilot.click("#yes")
        await user.until(lambda: user.says("was removed"))

        assert not is_there(folder(rig, "big-generic-cpu"))


async def test_a_folder_of_ones_own_is_only_taken_off_the_list(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    rig.models.append(
        ModelVariant(
            id="mine:1",
            alias="mine",
            catalog=CatalogKind.LOCAL,
            is_cached=True,
            is_loaded=False,
            path=str(tmp_path / "mine"),
        )
    )
    async with cached(rig) as user:
        await user.on("mine:1")
        await user.press("delete")
        await user.asked("Its files stay where they are")
        await user.pilot.click("#yes")
        await user.until(lambda: user.says("was taken off the list"))

        assert is_there(tmp_path / "mine")
        await user.until(lambda: not user.cells("mine:1"))


async def test_a_partial_is_removed_after_a_question_unless_somebody_is_at_work_on_it(rig: Rig) -> None:
    rig.partials = [partial("a:1", "/c/a", GIB), partial("b:1", "/c/b", 1000, is_locked=True)]
    async with cached(rig) as user:
        await user.on("b:1")
        await user.press("delete")
        await user.until(lambda: user.says("another process is at work on it"))

        await user.on("a:1")
        await user.press("delete")
        await user.asked("1.00 GiB become free")
        await user.pilot.click("#yes")

        await user.until(lambda: rig.removed_partials == ["/c/a"])
        await user.until(lambda: not user.cells("a:1"))


# --- checking


async def test_v_reads_all_of_one_model_and_says_what_was_found(rig: Rig) -> None:
    async with cached(rig) as user:
        await user.on(BIG)
        await user.press("v")
        await user.until(lambda: user.says(f"{BIG} is sound, 12 files read"))

        assert rig.checks.asked == [(BIG, True)]
        assert user.shows("sound: all of 12 files read 3 d ago")


async def test_damage_is_marked_in_the_row_and_told_below_it(rig: Rig) -> None:
    rig.checks.damaged = {SMALL: BROKEN}
    async with cached(rig) as user:
        await user.on(SMALL)
        await user.press("V")
        await user.until(lambda: user.says("2 models checked: 1 sound, 1 damaged"))

        await user.until(lambda: user.cells(SMALL)[1] == "× damaged")
        row = next(row for row in user.pane.table.rows if row.key == SMALL)
        assert row.emphasis == "problem"
        assert user.shows("damaged: model.onnx.data has other contents")  # a notice covers the rest
        assert user.shows("1 damaged")


async def test_what_an_earlier_life_found_is_marked_at_once(rig: Rig) -> None:
    rig.checks.damaged = {SMALL: BROKEN}
    rig.checks.before = {SMALL: rig.checks.found(SMALL)}
    async with cached(rig) as user:
        await user.until(lambda: user.cells(SMALL)[1] == "× damaged")

        assert rig.checks.asked == []


async def test_esc_stops_a_check_and_a_second_one_has_to_wait(rig: Rig) -> None:
    rig.checks.gate = threading.Event()
    async with cached(rig) as user:
        await user.on(BIG)
        await user.press("V")
        await user.until(lambda: user.shows("42 % · Esc stops"))
        assert user.shows("checking 1 of 2")
        assert user.shows("checking 42 %")
        await user.press("v")
        await user.until(lambda: user.says("A check is under way"))

        await user.press("escape")
        await user.until(lambda: not user.pane.is_checking and user.health.progress.value is None)

        assert user.says("The check was stopped")
        assert BIG not in user.health.results.value
        await user.until(lambda: user.shows("in all"))


# --- repairing


async def test_a_damaged_model_is_repaired_after_a_question(rig: Rig) -> None:
    rig.checks.damaged = {BIG: BROKEN}
    async with cached(rig) as user:
        await user.health.check(BIG)
        await user.client.load(BIG)
        await user.on(BIG)

        await user.press("R")
        await user.asked("Unload and repair this model?")
        await user.pilot.click("#yes")
        await user.until(lambda: rig.repaired == [BIG])

        found = user.client.catalog.value.find(BIG)
        assert found is not None
        assert found.is_loaded is False


async def test_a_model_that_is_not_known_to_be_damaged_is_not_downloaded_again(rig: Rig) -> None:
    async with cached(rig) as user:
        await user.on(BIG)
        await user.press("R")

        await user.until(lambda: user.says("no damage of"))
        assert rig.repaired == []


async def test_a_folder_of_ones_own_is_taken_as_it_is_instead(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    rig.models.append(
        ModelVariant(
            id="mine:1", alias="mine", catalog=CatalogKind.LOCAL, is_cached=True, path=str(tmp_path / "mine")
        )
    )
    rig.checks.damaged = {"mine:1": BROKEN}
    async with cached(rig) as user:
        await user.health.check("mine:1")
        rig.checks.damaged = {}
        await user.on("mine:1")
        await user.press("R")
        await user.asked("If you changed it on purpose")
        await user.pilot.click("#yes")

        await user.until(lambda: user.says("mine:1 is sound"))
        assert rig.checks.forgotten == ["mine:1"]


# --- its folder


async def test_f_shows_the_folder_or_copies_its_path_where_there_is_no_window(rig: Rig) -> None:
    path = str(folder(rig, "big-generic-cpu"))
    async with cached(rig) as user:
        await user.on(BIG)
        await user.press("f")
        await user.until(lambda: user.says("The path was copied"))
        assert user.app.clipboard == path

        rig.opens = True
        await user.press("f")
        await user.until(lambda: user.says("was opened"))
        assert rig.shown == [path, path]


async def test_a_path_that_a_shell_would_obey_is_shown_and_not_copied(rig: Rig) -> None:
    rig.partials = [partial(None, "/c/x\nrm -rf ~", 1000)]
    async with cached(rig) as user:
        await user.on("/c/x\nrm -rf ~")
        await user.press("f")
        await user.until(lambda: user.says("The folder is"))

        assert user.app.clipboard == ""
