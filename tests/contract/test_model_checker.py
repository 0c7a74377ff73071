"""What every checker of models promises: damage that the runtime does not look for is found and named."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from foundry_tui.demo import demo_registration
from foundry_tui.domain.health import HealthState, ModelHealth
from foundry_tui.engines.model_files.check import FileModelChecker
from foundry_tui.ports.downloads import ModelChecker
from foundry_tui.services.cache.health import WatchfulChecker
from tests.support.onnx_file import external_tensor, field, onnx_file

MODEL = "Ein Modell/../mit: seltsamem Namen:1"
NOW_MS = 1_700_000_000_123


@pytest.fixture(params=["files"])
def checker(request: pytest.FixtureRequest, tmp_path: Path) -> WatchfulChecker:
    return FileModelChecker(tmp_path / "manifests", now_unix_ms=lambda: NOW_MS)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the bundled model, as if it had been downloaded."""
    return Path(shutil.copytree(demo_registration().path, tmp_path / "cache" / "Loopback" / "tiny-1"))


@pytest.fixture
def split_model(model: Path) -> Path:
    """One whose weights lie in a file of their own."""
    graph = field(5, external_tensor("model.onnx.data", offset=4_096, length=100_000))
    (model / "model.onnx").write_bytes(onnx_file(graph))
    (model / "model.onnx.data").write_bytes(bytes(8_192) + os.urandom(95_904))
    return model


def found(health: ModelHealth) -> dict[str, str]:
    return {problem.file: problem.what for problem in health.problems}


def edited(model: Path, change: Callable[[dict[str, dict[str, object]]], None]) -> None:
    path = model / "genai_config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def cut(path: Path, by: int) -> None:
    path.write_bytes(path.read_bytes()[:-by])


@pytest.mark.parametrize("is_deep", [False, True])
def test_a_sound_model_is_sound(checker: ModelChecker, model: Path, is_deep: bool) -> None:
    health = checker.check(MODEL, model, is_deep=is_deep)

    assert health == ModelHealth(
        model_id=MODEL, state=HealthState.SOUND, checked_unix_ms=NOW_MS, is_deep=is_deep, files=7
    )


def test_weights_that_begin_with_zeros_are_sound(checker: ModelChecker, split_model: Path) -> None:
    assert checker.check(MODEL, split_model, is_deep=False).state is HealthState.SOUND


@pytest.mark.parametrize("is_deep", [False, True])
@pytest.mark.parametrize(
    "name", ["genai_config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json"]
)
@pytest.mark.parametrize(
    "damage", [Path.unlink, zeroed, lambda path: cut(path, 5), lambda path: cut(path, path.stat().st_size)]
)
def test_a_needed_file_that_is_missing_zeroed_cut_or_empty_is_named(
    checker: ModelChecker, model: Path, name: str, damage: Callable[[Path], None], is_deep: bool
) -> None:
    damage(model / name)

    health = checker.check(MODEL, model, is_deep=is_deep)

    assert health.state is HealthState.DAMAGED
    assert list(found(health)) == [name]


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (Path.unlink, "is missing"),
        (lambda path: cut(path, 1), "is cut off: it has 104,095 bytes of at least 104,096"),
        (zeroed, "holds nothing but zeros"),
        (lambda path: path.write_bytes(b""), "is empty"),
    ],
)
def test_weights_of_their_own_are_looked_at(
    checker: ModelChecker, split_model: Path, damage: Callable[[Path], None], what: str
) -> None:
    damage(split_model / "model.onnx.data")

    assert found(checker.check(MODEL, split_model, is_deep=False)) == {"model.onnx.data": what}


def test_an_empty_container_counts_as_damaged(checker: ModelChecker, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "inference_model.json").write_text("{}")  # all that the runtime leaves then

    health = checker.check(MODEL, tmp_path / "model", is_deep=True)

    assert health.state is HealthState.DAMAGED
    assert found(health)["genai_config.json"] == "is missing"


def test_a_folder_that_is_gone_is_damaged(checker: ModelChecker, tmp_path: Path) -> None:
    assert found(checker.check(MODEL, tmp_path / "none", is_deep=True)) == {".": "is missing"}


def test_an_unfinished_download_is_named_and_nothing_else(checker: ModelChecker, model: Path) -> None:
    (model / "download.tmp").touch()
    (model / "model.onnx").unlink()

    assert list(found(checker.check(MODEL, model, is_deep=True))) == ["download.tmp"]


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/passwd", "a/../../x.onnx", "C:\\model.onnx", "\0"])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    checker: ModelChecker, model: Path, name: str
) -> None:
    edited(model, lambda config: config["model"].update(decoder={"filename": name}))

    assert found(checker.check(MODEL, model, is_deep=False)) == {
        "genai_config.json": "names a file outside the model's folder"
    }


def test_weights_outside_the_folder_are_refused(checker: ModelChecker, model: Path) -> None:
    graph = field(5, external_tensor("../../secret", offset=0, length=1))
    (model / "model.onnx").write_bytes(onnx_file(graph))

    assert "model.onnx" in found(checker.check(MODEL, model, is_deep=False))


def test_every_part_of_a_pipeline_is_looked_for(checker: ModelChecker, model: Path) -> None:
    stages = [{"embed": {"filename": "embed.onnx"}}, {"head": {"filename": "parts/head.onnx"}}]
    edited(model, lambda config: config["model"].update(decoder={"pipeline": stages}))

    assert found(checker.check(MODEL, model, is_deep=False)) == {
        "embed.onnx": "is missing",
        "parts/head.onnx": "is missing",
    }


def test_a_configuration_that_names_no_file_is_damaged(checker: ModelChecker, model: Path) -> None:
    (model / "genai_config.json").write_text("{}")

    assert found(checker.check(MODEL, model, is_deep=False)) == {"genai_config.json": "names no model file"}


def test_one_flipped_byte_is_found_by_a_deep_check_and_named(
    checker: ModelChecker, split_model: Path
) -> None:
    checker.check(MODEL, split_model, is_deep=True)
    path = split_model / "model.onnx.data"
    times = path.stat()
    weights = bytearray(path.read_bytes())
    weights[70_000] ^= 1
    path.write_bytes(weights)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as a failing disk would do it

    quick = checker.check(MODEL, split_model, is_deep=False)
    deep = checker.check(MODEL, split_model, is_deep=True)

    assert quick.state is HealthState.SOUND
    assert found(deep) == {"model.onnx.data": "has other contents than when it was first checked"}


def test_what_a_deep_check_found_is_not_forgotten_by_a_quick_one(
    checker: ModelChecker, split_model: Path
) -> None:
    checker.check(MODEL, split_model, is_deep=True)
    (split_model / "tokenizer.json").write_text('{"other": 1}' + " " * 21_912)  # as long as it was
    deep = checker.check(MODEL, split_model, is_deep=True)

    quick = checker.check(MODEL, split_model, is_deep=False)

    assert deep.state is HealthState.DAMAGED
    assert quick == deep


def test_mended_files_are_sound_again(checker: ModelChecker, model: Path) -> None:
    checker.check(MODEL, model, is_deep=True)
    path = model / "model.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] + b"x" * 9)
    assert checker.check(MODEL, model, is_deep=True).state is HealthState.DAMAGED

    path.write_bytes(whole)

    assert checker.check(MODEL, model, is_deep=False).state is HealthState.SOUND
    assert checker.check(MODEL, model, is_deep=True).state is HealthState.SOUND


def test_another_size_than_was_kept_is_found_without_reading(checker: ModelChecker, model: Path) -> None:
    checker.check(MODEL, model, is_deep=True)
    (model / "chat_template.jinja").write_text("{{ messages }}")

    assert found(checker.check(MODEL, model, is_deep=False)) == {"chat_template.jinja": "has 14 bytes of 196"}


def test_a_damaged_model_keeps_no_hashes(checker: ModelChecker, model: Path) -> None:
    whole = (model / "model.onnx").read_bytes()
    (model / "model.onnx").write_bytes(whole[:5_000])
    checker.check(MODEL, model, is_deep=True)

    (model / "model.onnx").write_bytes(whole)

    assert checker.check(MODEL, model, is_deep=True).state is HealthState.SOUND


def test_a_file_that_came_later_is_none_of_its_business(checker: ModelChecker, model: Path) -> None:
    checker.check(MODEL, model, is_deep=True)
    (model / "notes.txt").write_text("mine")

    assert checker.check(MODEL, model, is_deep=True).state is HealthState.SOUND


def test_the_last_result_is_there_without_the_model(checker: ModelChecker, model: Path) -> None:
    (model / "tokenizer.json").unlink()
    health = checker.check(MODEL, model, is_deep=True)
    shutil.rmtree(model)

    assert checker.last(MODEL) == health
    assert checker.last("another:1") == ModelHealth(model_id="another:1", state=HealthState.UNKNOWN)


def test_a_write_to_any_file_is_noticed(checker: WatchfulChecker, model: Path) -> None:
    assert not checker.is_unchanged(MODEL, model)
    checker.check(MODEL, model, is_deep=False)
    assert checker.is_unchanged(MODEL, model)

    os.utime(model / "LICENSE", ns=(1, 1))

    assert not checker.is_unchanged(MODEL, model)


def test_a_forgotten_model_was_never_checked(checker: WatchfulChecker, model: Path) -> None:
    checker.check(MODEL, model, is_deep=True)
    (model / "LICENSE").write_text("x" * 1080)  # as long as it was

    checker.forget(MODEL)

    assert checker.last(MODEL).state is HealthState.UNKNOWN
    assert checker.check(MODEL, model, is_deep=True).state is HealthState.SOUND


def test_an_error_of_who_is_told_ends_the_check_without_a_result(
    checker: WatchfulChecker, model: Path
) -> None:
    def stop(done_bytes: int, total_bytes: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        checker.check(MODEL, model, is_deep=True, progress=stop)

    assert checker.last(MODEL).state is HealthState.UNKNOWN


def test_progress_counts_up_to_all_bytes(checker: WatchfulChecker, model: Path) -> None:
    told: list[tuple[int, int]] = []

    checker.check(MODEL, model, is_deep=True, progress=lambda done, total: told.append((done, total)))

    size = sum(path.stat().st_size for path in model.iterdir())
    assert told == sorted(told)
    assert told[-1] == (size, size)


def test_the_id_is_never_the_name_of_a_file(checker: ModelChecker, model: Path, tmp_path: Path) -> None:
    checker.check(MODEL, model, is_deep=True)

    names = [path.name for path in (tmp_path / "manifests").iterdir()]
    assert len(names) == 2
    assert all(name.partition(".")[0].isalnum() and name.isascii() for name in names)


@pytest.mark.parametrize("content", [b"", b"[]", b"{broken", b'{"schema": "other@1"}', b"[" * 99_999])
def test_kept_files_that_are_broken_count_as_not_there(
    checker: WatchfulChecker, model: Path, tmp_path: Path, content: bytes
) -> None:
    checker.check(MODEL, model, is_deep=True)
    for path in (tmp_path / "manifests").iterdir():
        path.write_bytes(content)

    assert checker.last(MODEL).state is HealthState.UNKNOWN
    assert not checker.is_unchanged(MODEL, model)
    assert checker.check(MODEL, model, is_deep=True).state is HealthState.SOUND


def test_results_that_cannot_be_kept_are_given_all_the_same(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    checker = FileModelChecker(tmp_path / "file" / "manifests")

    assert checker.check(MODEL, model, is_deep=True).state is HealthState.SOUND


def test_a_pipe_in_the_place_of_a_file_does_not_hold_the_check(checker: ModelChecker, model: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this platform has no pipes with names")
    (model / "tokenizer.json").unlink()
    os.mkfifo(model / "tokenizer.json")

    assert found(checker.check(MODEL, model, is_deep=True)) == {"tokenizer.json": "is no file"}
