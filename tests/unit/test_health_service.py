"""Checking models, remembering what was found and saying it."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from foundry_tui.demo import demo_registration
from foundry_tui.domain.errors import ModelNotFound, ModelRefused
from foundry_tui.domain.health import FileProblem, HealthState, ModelHealth
from foundry_tui.engines.model_files.check import FileModelChecker
from foundry_tui.services.cache.health import HealthProgress, HealthService, damage_in_words

SOUND, DAMAGED, ELSEWHERE = "sound:1", "damaged:1", "elsewhere:1"


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    found = {
        model_id: Path(shutil.copytree(demo_registration().path, tmp_path / model_id.partition(":")[0]))
        for model_id in (SOUND, DAMAGED)
    }
    (found[DAMAGED] / "tokenizer.json").unlink()
    return found


@pytest.fixture
def make(tmp_path: Path, folders: dict[str, Path]) -> Callable[[], HealthService]:
    """A service as it is after a start of the program; all share what is on disk."""
    return lambda: HealthService(FileModelChecker(tmp_path / "manifests"), folders.get)


@pytest.fixture
def service(make: Callable[[], HealthService]) -> HealthService:
    return make()


async def test_a_check_is_published_and_said(service: HealthService) -> None:
    health = await service.check(DAMAGED)

    assert health.state is HealthState.DAMAGED
    assert service.results.value == {DAMAGED: health}
    assert service.problem_of(DAMAGED) == "damaged: tokenizer.json is missing"
    assert service.problem_of(SOUND) is None


async def test_a_model_that_is_not_here_cannot_be_checked(service: HealthService) -> None:
    with pytest.raises(ModelNotFound, match="not on this machine"):
        await service.check(ELSEWHERE)


async def test_many_are_checked_one_after_the_other_and_the_absent_left_out(service: HealthService) -> None:
    seen: list[HealthProgress | None] = []

    async def watch() -> None:
        async with aclosing(service.progress.watch()) as feed:
            async for progress in feed:
                seen.append(progress)

    watching = asyncio.ensure_future(watch())
    found = await service.check_all([SOUND, ELSEWHERE, DAMAGED], is_deep=True)
    watching.cancel()

    assert [(health.model_id, health.state) for health in found] == [
        (SOUND, HealthState.SOUND),
        (DAMAGED, HealthState.DAMAGED),
    ]
    told = [(one.model_id, one.place, one.count) for one in seen if one is not None]
    assert list(dict.fromkeys(told)) == [(SOUND, 1, 2), (DAMAGED, 2, 2)]
    assert service.progress.value is None


async def test_cancelling_ends_a_check_and_keeps_what_was_found(
    service: HealthService, folders: dict[str, Path]
) -> None:
    with (folders[DAMAGED] / "padding.bin").open("wb") as file:
        file.truncate(40_000_000_000)  # only reserved: hashing it would take half a minute
    work = asyncio.ensure_future(service.check_all([SOUND, DAMAGED], is_deep=True))
    async with aclosing(service.progress.watch()) as feed:
        async for progress in feed:
            if progress is not None and progress.model_id == DAMAGED and progress.done_bytes > 0:
                break

    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    assert set(service.results.value) == {SOUND}
    assert service.progress.value is None
    assert (await service.check(DAMAGED)).state is HealthState.DAMAGED  # the turn is free again


async def test_a_damaged_model_is_refused_with_the_reason(service: HealthService) -> None:
    with pytest.raises(ModelRefused, match=r"damaged:1 is not loaded: damaged: tokenizer\.json is missing"):
        await service.require_sound(DAMAGED)


async def test_a_folder_of_the_users_own_is_refused_with_another_remedy(service: HealthService) -> None:
    with pytest.raises(ModelRefused) as caught:
        await service.require_sound(DAMAGED, is_own=True)

    assert "on purpose" in (caught.value.remedy or "")


async def test_a_sound_one_and_one_that_is_elsewhere_pass(service: HealthService) -> None:
    await service.require_sound(SOUND)
    await service.require_sound(ELSEWHERE)

    assert service.results.value[SOUND].state is HealthState.SOUND


async def test_a_model_written_to_since_is_looked_at_again(
    service: HealthService, folders: dict[str, Path]
) -> None:
    await service.require_sound(SOUND)
    (folders[SOUND] / "model.onnx").write_bytes(b"")

    with pytest.raises(ModelRefused, match=r"model\.onnx is empty"):
        await service.require_sound(SOUND)


async def test_a_model_that_was_repaired_passes(service: HealthService, folders: dict[str, Path]) -> None:
    await service.check(DAMAGED)
    shutil.copy(Path(demo_registration().path) / "tokenizer.json", folders[DAMAGED])

    await service.require_sound(DAMAGED)

    assert service.problem_of(DAMAGED) is None


async def test_after_a_start_what_still_counts_is_recalled(
    make: Callable[[], HealthService], folders: dict[str, Path]
) -> None:
    await make().check_all([SOUND, DAMAGED])
    (folders[SOUND] / "LICENSE").write_text("other")
    later = make()

    await later.recall([SOUND, DAMAGED, ELSEWHERE])

    assert set(later.results.value) == {DAMAGED}
    assert later.problem_of(DAMAGED) == "damaged: tokenizer.json is missing"


async def test_files_changed_on_purpose_can_be_trusted(
    service: HealthService, folders: dict[str, Path]
) -> None:
    await service.check(SOUND, is_deep=True)
    (folders[SOUND] / "chat_template.jinja").write_text("mine")
    assert (await service.check(SOUND, is_deep=True)).state is HealthState.DAMAGED

    health = await service.trust(SOUND)

    assert health.state is HealthState.SOUND
    assert service.problem_of(SOUND) is None


async def test_a_forgotten_model_is_not_known(service: HealthService) -> None:
    await service.check(DAMAGED)

    await service.forget(DAMAGED)

    assert service.results.value == {}


def damaged(*problems: FileProblem) -> ModelHealth:
    return ModelHealth(model_id="m:1", state=HealthState.DAMAGED, problems=problems)


def test_several_problems_are_counted_and_hostile_names_made_harmless() -> None:
    health = damaged(
        FileProblem("a\x1b]0;x\x07\n.onnx", "is missing"),
        FileProblem("b", "is empty"),
        FileProblem("c", "is empty"),
    )

    assert damage_in_words(health) == "damaged: a␛]0;x␇ .onnx is missing, and 2 more"


def test_a_missing_folder_reads_as_one() -> None:
    assert damage_in_words(damaged(FileProblem(".", "is missing"))) == "damaged: its folder is missing"
