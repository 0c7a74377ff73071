"""Moving the cache directory: whole, or not at all."""

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from foundry_tui.domain.cache import DiskSpace, MovePhase, MoveProgress, UnfinishedMove
from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.errors import BadInput, ModelRefused, StorageProblem
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.resources.disk import allocated_bytes, disk_space
from foundry_tui.services.cache.move import MARKER, CacheMove
from foundry_tui.services.cache.service import CacheService
from tests.support.caches import CacheSetting, contents, downloaded, filled, is_there


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return filled(tmp_path / "cache")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "models"


@pytest.fixture
def setting(cache: Path, tmp_path: Path) -> CacheSetting:
    return CacheSetting(cache, tmp_path / "data")


def other_disk(cache: Path, target: Path, step: Callable[[MoveProgress], None] = lambda _: None) -> CacheMove:
    """A move that may not link, as if the target lay on another disk."""
    return CacheMove(cache, target, space=disk_space, step=step, may_link=False)


class Switch:
    """Makes a folder the one in force, and keeps what was in both when it was told to."""

    def __init__(self, old: Path) -> None:
        self.in_force = old
        self._old = old
        self.seen: list[tuple[dict[str, bytes], dict[str, bytes]]] = []

    async def __call__(self, new: Path) -> None:
        self.seen.append((contents(self._old), contents(new)))
        self.in_force = new


async def test_everything_is_in_the_new_folder_and_the_old_one_is_gone(
    setting: CacheSetting, cache: Path, target: Path
) -> None:
    before = contents(cache)
    switch = Switch(cache)
    service = setting.service()

    outcome = await service.move(target, switch)

    assert contents(target) == before
    assert is_there(target / "empty")
    assert not is_there(cache)
    assert (service.folder, switch.in_force) == (target, target)
    assert outcome.left == ()
    assert outcome.moved_bytes == sum(len(data) for data in before.values())
    assert await service.unfinished_move() is None


async def test_the_switch_comes_when_both_are_equal_and_the_old_one_is_whole(
    setting: CacheSetting, cache: Path, target: Path
) -> None:
    before = contents(cache)
    switch = Switch(cache)

    await setting.service().move(target, switch)

    old, new = switch.seen[0]
    assert old == before
    assert {name: data for name, data in new.items() if name != MARKER} == before


def test_on_another_disk_contents_times_links_and_holes_are_copied(cache: Path, target: Path) -> None:
    folder = cache / "Loopback Inc" / "model-0-generic-cpu-1"
    os.utime(folder / "genai_config.json", ns=(1_600_000_000_000_000_000, 1_600_000_000_000_000_000))
    (folder / "inside").symlink_to("model.onnx.data")
    (folder / "twice").hardlink_to(folder / "model.onnx.data")
    (cache.parent / "outside").write_bytes(b"outside")
    (folder / "outside").symlink_to("../../../outside")
    before, taken = contents(cache), allocated_bytes(cache)
    move = other_disk(cache, target)

    move.bring_over()
    left = move.remove_source()

    assert left == ()
    assert contents(target) == before
    assert not cache.exists()
    copy = target / "Loopback Inc" / "model-0-generic-cpu-1"
    assert (copy / "genai_config.json").stat().st_mtime_ns == 1_600_000_000_000_000_000
    assert str((copy / "inside").readlink()) == "model.onnx.data"
    assert (copy / "outside").read_bytes() == b"outside"
    assert (copy / "twice").samefile(copy / "model.onnx.data")
    assert (allocated_bytes(target) or 0) <= (taken or 0) + 200_000


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_between_two_file_systems_everything_arrives(cache: Path) -> None:
    with TemporaryDirectory(dir="/dev/shm") as folder:
        target = Path(folder, "models")
        before = contents(cache)
        move = CacheMove(cache, target, space=disk_space, step=lambda _: None)

        move.bring_over()
        left = move.remove_source()

        assert (contents(target), left) == (before, ())
        assert not cache.exists()


def test_progress_names_the_phases_in_order(cache: Path, target: Path) -> None:
    told: list[MoveProgress] = []
    move = other_disk(cache, target, told.append)

    move.bring_over()
    move.remove_source()

    phases = list(dict.fromkeys(progress.phase for progress in told))
    assert phases == [MovePhase.COPYING, MovePhase.COMPARING, MovePhase.REMOVING]
    for phase in phases:
        done = [progress.done_bytes for progress in told if progress.phase is phase]
        assert done == sorted(done)
        assert done[-1] == next(progress.total_bytes for progress in told)


def test_what_comes_while_it_is_copied_is_copied_too(cache: Path, target: Path) -> None:
    late = cache / "Loopback Inc" / "late.bin"

    def write_late(progress: MoveProgress) -> None:
        if progress.phase is MovePhase.COMPARING and not late.exists():
            late.write_bytes(b"late")

    other_disk(cache, target, write_late).bring_over()

    assert (target / "Loopback Inc" / "late.bin").read_bytes() == b"late"


def test_what_changes_after_the_switch_is_left_where_it_is(cache: Path, target: Path) -> None:
    move = other_disk(cache, target)
    move.bring_over()
    (cache / "foundry.modelinfo.json").write_text("changed since")
    (cache / "new.bin").write_bytes(b"of another program")

    left = move.remove_source()

    assert sorted(left) == ["foundry.modelinfo.json", "new.bin"]
    assert contents(cache) == {"foundry.modelinfo.json": b"changed since", "new.bin": b"of another program"}


def test_a_copy_that_is_not_equal_is_found_before_the_switch(cache: Path, target: Path) -> None:
    def spoil(progress: MoveProgress) -> None:
        if progress.phase is MovePhase.COPYING and progress.done_bytes == progress.total_bytes:
            path = target / "Loopback Inc" / "model-1-generic-cpu-1" / "model.onnx.data"
            path.write_bytes(path.read_bytes()[:-4] + b"oops")

    with pytest.raises(StorageProblem, match=r"model\.onnx\.data is not like it"):
        other_disk(cache, target, spoil).bring_over()


def test_too_little_room_is_told_with_the_numbers_before_anything_is_written(
    cache: Path, target: Path
) -> None:
    space = DiskSpace(total_bytes=10**9, free_bytes=1_048_576)
    move = CacheMove(cache, target, space=lambda _: space, step=lambda _: None, may_link=False)

    with pytest.raises(StorageProblem, match=r"1\.00 MiB free, \d+(\.\d+)? MiB are needed"):
        move.bring_over()

    assert not target.exists()


@pytest.mark.parametrize("where", ["cache", "cache/inside", ".", "file", "full"])
async def test_a_target_that_cannot_be_used_is_refused_and_nothing_is_touched(
    setting: CacheSetting, cache: Path, tmp_path: Path, where: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_bytes(b"mine")
    before = contents(cache)
    switch = Switch(cache)

    with pytest.raises(BadInput):
        await setting.service().move(tmp_path / where, switch)

    assert contents(cache) == before
    assert contents(tmp_path / "full") == {"mine": b"mine"}
    assert switch.in_force == cache
    assert await setting.service().unfinished_move() is None


async def test_nothing_is_moved_while_a_model_is_used_or_fetched(
    setting: CacheSetting, cache: Path, target: Path
) -> None:
    setting.models = [downloaded(cache, is_loaded=True)]
    with pytest.raises(ModelRefused, match="is in memory"):
        await setting.service().move(target, Switch(cache))

    setting.models, setting.downloading = [], {"late:1"}
    with pytest.raises(ModelRefused, match="is being downloaded"):
        await setting.service().move(target, Switch(cache))

    setting.downloading = ()
    setting.partials = [Partial(model_id="its:1", path="/x", disk_bytes=1, touched_unix=1.0, is_locked=True)]
    with pytest.raises(ModelRefused, match="another program downloads its:1"):
        await setting.service().move(target, Switch(cache))


async def test_a_folder_of_the_users_own_below_the_cache_is_not_moved(
    setting: CacheSetting, cache: Path, target: Path
) -> None:
    own = str(cache / "Loopback Inc" / "model-2-generic-cpu-1")
    setting.models = [ModelVariant(id="mine:1", alias="mine", catalog=CatalogKind.LOCAL, path=own)]

    with pytest.raises(BadInput, match="mine:1 is a folder of your own"):
        await setting.service().move(target, Switch(cache))


async def cancelled(service: CacheService, target: Path, switch: Switch) -> None:
    """A move whose task is cancelled as soon as something was copied."""
    work = asyncio.ensure_future(service.move(target, switch))
    async with aclosing(service.progress.watch()) as feed:
        async for progress in feed:
            if progress is not None or work.done():
                break
    work.cancel()
    await asyncio.wait([work])
    assert work.cancelled()


async def test_cancelling_takes_back_what_was_copied(
    setting: CacheSetting, cache: Path, target: Path
) -> None:
    for number in range(800):
        (cache / f"file-{number}").write_bytes(b"x")
    before = contents(cache)
    switch = Switch(cache)
    service = setting.service()

    await cancelled(service, target, switch)

    assert contents(cache) == before
    assert not is_there(target)
    assert switch.in_force == cache
    assert service.folder == cache
    assert service.progress.value is None
    assert await service.unfinished_move() is None


async def test_where_the_switch_fails_both_folders_stay_whole(
    setting: CacheSetting, cache: Path, target: Path
) -> None:
    before = contents(cache)
    service = setting.service()

    async def fail(_: Path) -> None:
        raise StorageProblem("settings.toml cannot be written")

    with pytest.raises(StorageProblem, match="settings"):
        await service.move(target, fail)

    assert contents(cache) == before
    assert {name: data for name, data in contents(target).items() if name != MARKER} == before
    found = UnfinishedMove(source=str(cache), target=str(target), is_switched=False)
    assert await service.unfinished_move() == found


async def test_an_interrupted_move_can_be_taken_back(
    setting: CacheSetting, cache: Path, target: Path
) -> None:
    before = contents(cache)
    other_disk(cache, target).bring_over()
    (target / "mine").write_bytes(b"put there since")
    (setting.data / "cache-move.json").write_text(f'{{"source": "{cache}", "target": "{target}"}}')

    await setting.service().abandon_move()

    assert contents(target) == {"mine": b"put there since"}
    assert contents(cache) == before
    assert await setting.service().unfinished_move() is None


def test_a_folder_without_our_mark_is_never_emptied(cache: Path, target: Path) -> None:
    shutil.copytree(cache, target)
    before = contents(target)

    other_disk(cache, target).undo()

    assert contents(target) == before


async def test_an_interrupted_removal_is_finished_and_compares_again(
    setting: CacheSetting, cache: Path, target: Path
) -> None:
    other_disk(cache, target).bring_over()
    (setting.data / "cache-move.json").write_text(f'{{"source": "{cache}", "target": "{target}"}}')
    damaged = target / "Loopback Inc" / "model-1-generic-cpu-1" / "model.onnx.data"
    damaged.write_bytes(os.urandom(400_000))
    setting.cache = target  # as the setting says since the switch
    service = setting.service()
    assert await service.unfinished_move() == UnfinishedMove(
        source=str(cache), target=str(target), is_switched=True
    )
    with pytest.raises(BadInput, match="not removed yet"):
        await service.move(target.parent / "third", Switch(target))

    outcome = await service.finish_move()

    assert outcome is not None
    assert outcome.left == (str(damaged.relative_to(target)),)
    assert list(contents(cache)) == [str(damaged.relative_to(target))]
    assert await service.unfinished_move() is None
    assert not is_there(target / MARKER)
