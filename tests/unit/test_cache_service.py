"""What the models on this disk take, and removing one."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.errors import ModelNotFound, ModelRefused
from foundry_tui.domain.health import HealthState
from foundry_tui.domain.models import CatalogKind, ModelVariant
from tests.support.caches import CacheSetting, contents, downloaded, filled, is_there

MODEL = "model-0-generic-cpu:1"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return filled(tmp_path / "cache")


@pytest.fixture
def setting(cache: Path, tmp_path: Path) -> CacheSetting:
    models = [downloaded(cache, f"model-{number}-generic-cpu") for number in range(2)]
    return CacheSetting(cache, tmp_path / "data", models)


async def test_the_report_says_what_each_model_takes_and_what_is_free(
    setting: CacheSetting, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    own = ModelVariant(id="mine:1", alias="mine", catalog=CatalogKind.LOCAL, path=str(tmp_path / "mine"))
    elsewhere = ModelVariant(id="elsewhere:1", alias="elsewhere", catalog=CatalogKind.PUBLIC)
    partial = Partial(model_id="half:1", path="/x", disk_bytes=5, touched_unix=1.0, is_locked=False)
    setting.models = [replace(setting.models[0], is_loaded=True), setting.models[1], own, elsewhere]
    setting.partials = [partial]
    (Path(setting.models[1].path or "") / "more").write_bytes(os.urandom(800_000))
    service = setting.service()
    service.touch(MODEL)

    report = await service.report()

    await setting.used.aclose()
    assert [row.model_id for row in report.models] == ["model-1-generic-cpu:1", MODEL, "mine:1"]
    largest, first, mine = report.models
    assert (largest.disk_bytes or 0) - (first.disk_bytes or 0) >= 800_000
    assert (first.is_loaded, first.last_used_unix, first.is_own) == (True, 1_700_000_000, False)
    assert (mine.is_loaded, mine.last_used_unix, mine.is_own) == (False, None, True)
    assert first.health.state is HealthState.UNKNOWN
    assert report.partials == (partial,)
    assert (report.total_bytes or 0) >= (largest.disk_bytes or 0) + (first.disk_bytes or 0)
    assert report.space is not None
    assert report.folder == str(cache)


async def test_a_removed_model_is_gone_and_the_others_are_not(setting: CacheSetting, cache: Path) -> None:
    others = {name: data for name, data in contents(cache).items() if "model-0" not in name}
    service = setting.service()
    promised = await service.frees(MODEL)

    freed = await service.remove(MODEL)

    await setting.used.aclose()
    assert freed == promised
    assert freed >= 400_000
    assert contents(cache) == others
    assert not is_there(cache / "Loopback Inc" / "model-0-generic-cpu-1")


async def test_the_last_model_of_a_publisher_takes_its_folder_along(
    setting: CacheSetting, cache: Path
) -> None:
    setting.models = [downloaded(cache, f"model-{number}-generic-cpu") for number in range(3)]
    service = setting.service()

    for model in setting.models:
        await service.remove(model.id)

    await setting.used.aclose()
    assert not is_there(cache / "Loopback Inc")
    assert is_there(cache)


async def test_what_is_known_of_a_removed_model_is_forgotten(setting: CacheSetting) -> None:
    await setting.health.check(MODEL)
    service = setting.service()
    service.touch(MODEL)

    await service.remove(MODEL)

    await setting.used.aclose()
    assert setting.health.problem_of(MODEL) is None
    assert setting.used.times == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"is_loaded": True}, "is in memory"),
        ({"catalog": CatalogKind.LOCAL}, "is a folder of your own"),
        ({"catalog": CatalogKind.ENDPOINT}, "is not on this disk"),
        ({"path": None}, "is not on this disk"),
        ({"path": "{outside}"}, "is not a folder of the cache"),
        ({"path": "{cache}"}, "is not a folder of the cache"),
        ({"path": "{cache}/Loopback Inc"}, "is not a folder of the cache"),
        ({"path": "{cache}/Loopback Inc/../../outside"}, "is not a folder of the cache"),
        ({"path": "{cache}/Loopback Inc/link"}, "is not a folder of the cache"),
        ({"path": "{cache}/linked/model"}, "is not a folder of the cache"),
    ],
)
async def test_what_must_stay_is_refused_with_the_reason(
    setting: CacheSetting, cache: Path, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    outside = tmp_path / "outside"
    (outside / "model").mkdir(parents=True)
    (cache / "Loopback Inc" / "link").symlink_to(outside)
    (cache / "linked").symlink_to(outside)
    if isinstance(path := change.get("path"), str):
        change = {"path": path.format(cache=cache, outside=outside)}
    setting.models = [replace(setting.models[0], **change), setting.models[1]]  # type: ignore[arg-type]  # by name
    before = contents(cache)

    with pytest.raises(ModelRefused, match=words):
        await setting.service().remove(MODEL)

    assert contents(cache) == before
    assert (outside / "model").is_dir()


async def test_a_folder_of_the_users_own_within_a_model_is_never_removed_with_it(
    setting: CacheSetting, cache: Path
) -> None:
    inner = str(cache / "Loopback Inc" / "model-0-generic-cpu-1" / "parts")
    own = ModelVariant(id="mine:1", alias="mine", catalog=CatalogKind.LOCAL, path=inner)
    setting.models = [*setting.models, own]

    with pytest.raises(ModelRefused, match="holds mine:1 too"):
        await setting.service().remove(MODEL)


async def test_a_model_that_is_being_downloaded_is_refused(setting: CacheSetting) -> None:
    setting.downloading = {MODEL}

    with pytest.raises(ModelRefused, match="is being downloaded"):
        await setting.service().remove(MODEL)


async def test_an_unfinished_download_is_not_removed_as_a_model(setting: CacheSetting, cache: Path) -> None:
    (cache / "Loopback Inc" / "model-0-generic-cpu-1" / "download.tmp").touch()

    with pytest.raises(ModelRefused, match="is an unfinished download"):
        await setting.service().remove(MODEL)


async def test_a_model_that_nobody_knows_is_not_found(setting: CacheSetting) -> None:
    with pytest.raises(ModelNotFound, match="no model 'nope:1'"):
        await setting.service().remove("nope:1")


async def test_what_an_interrupted_removal_put_aside_is_deleted_later(
    setting: CacheSetting, cache: Path
) -> None:
    before = contents(cache)
    (cache / ".removed-0123").mkdir()
    (cache / ".removed-0123" / "weights").write_bytes(os.urandom(300_000))

    freed = await setting.service().tidy()

    assert freed >= 300_000
    assert contents(cache) == before
