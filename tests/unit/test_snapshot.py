"""The runtime's lists on disk, as the real one writes them, and in every shape that they should not have."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from foundry_tui.domain.models import CatalogKind, Device, ModelVariant, SnapshotOrigin
from foundry_tui.engines.catalog.snapshot import device_of, read_snapshot

# As captured from runtime 2.2.1, shortened.
RECORD: dict[str, object] = {
    "alias": "tiny-a",
    "createdAt": 1_780_383_781,
    "displayName": "Tiny-A",
    "fileSizeMb": 64,
    "id": "tiny-a-generic-cpu:1",
    "intProperties": {"context_length": 2048, "max_output_tokens": 512},
    "license": "MIT",
    "licenseDescription": "Free to use.",
    "maxOutputTokens": 512,
    "minFLVersion": "0.1.0",
    "modelType": "ONNX",
    "name": "tiny-a-generic-cpu",
    "publisher": "Test Pub",
    "runtime": {"deviceType": "CPU", "executionProvider": "CPUExecutionProvider"},
    "stringProperties": {"capabilities": "tool-calling,reasoning", "quantization": "RTN"},
    "task": "chat-completion",
    "uri": "azureml://registries/azureml/models/tiny-a-generic-cpu/versions/1",
    "version": 1,
}
LOCAL_RECORD: dict[str, object] = {
    "alias": "mine",
    "displayName": "Mine",
    "id": "mine:3",
    "intProperties": {"context_length": 512},
    "name": "mine",
    "runtime": {"deviceType": "", "executionProvider": ""},
    "stringProperties": {"task": "chat-completion"},
    "task": "chat-completion",
    "version": 3,
}


def write_public(cache: Path, *records: object, saved: object = 1_780_400_000) -> None:
    content = {"models": records, "savedAtUnix": saved, "version": 1}
    (cache / "foundry.modelinfo.json").write_text(json.dumps(content))


def write_local(cache: Path, *records: object) -> None:
    content = {"catalog_name": "local", "models": records, "version": 2}
    (cache / "foundry.local.modelinfo.json").write_text(json.dumps(content))


def changed(**fields: object) -> dict[str, object]:
    return RECORD | fields


def make_model(folder: Path, context: int = 4096) -> Path:
    folder.mkdir(parents=True)
    (folder / "genai_config.json").write_text(json.dumps({"model": {"context_length": context}}))
    return folder


def only_model(cache: Path) -> ModelVariant:
    (model,) = read_snapshot(cache).models
    return model


def test_a_captured_record_is_read_in_full(tmp_path: Path) -> None:
    write_public(tmp_path, RECORD)

    snapshot = read_snapshot(tmp_path)

    assert snapshot.origin is SnapshotOrigin.FILE
    assert snapshot.saved_at_unix == 1_780_400_000
    assert snapshot.notice is None
    assert snapshot.models == (
        ModelVariant(
            id="tiny-a-generic-cpu:1",
            alias="tiny-a",
            catalog=CatalogKind.PUBLIC,
            display_name="Tiny-A",
            publisher="Test Pub",
            license="MIT",
            license_text="Free to use.",
            task="chat-completion",
            device=Device.CPU,
            execution_provider="CPUExecutionProvider",
            quantization="RTN",
            size_bytes=67_108_864,
            context_tokens=2048,
            advertised_context_tokens=2048,
            max_output_tokens=512,
            capabilities=("tool-calling", "reasoning"),
            is_cached=False,
            is_loaded=False,
        ),
    )


def test_a_downloaded_model_is_cached_and_its_own_context_holds(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "Test Pub" / "tiny-a-generic-cpu-1")
    (folder / "model.onnx").write_bytes(b"x" * 5000)
    write_public(tmp_path, RECORD)

    model = only_model(tmp_path)

    assert (model.is_cached, model.path) == (True, str(folder))
    assert (model.context_tokens, model.advertised_context_tokens) == (4096, 2048)
    assert model.disk_bytes is not None
    assert model.disk_bytes >= 5000


@pytest.mark.parametrize("left_over", ["download.tmp", None])
def test_a_partial_download_is_not_cached(tmp_path: Path, left_over: str | None) -> None:
    folder = make_model(tmp_path / "Test Pub" / "tiny-a-generic-cpu-1")
    if left_over is None:
        (folder / "genai_config.json").unlink()
    else:
        (folder / left_over).touch()
    write_public(tmp_path, RECORD)

    model = only_model(tmp_path)

    assert (model.is_cached, model.disk_bytes, model.context_tokens) == (False, None, 2048)


def test_a_registered_folder_is_a_local_model_and_comes_first(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "elsewhere")
    write_public(tmp_path, RECORD)
    write_local(tmp_path, {"model_info": LOCAL_RECORD, "model_path": str(folder)})

    first, second = read_snapshot(tmp_path).models

    assert (first.id, first.alias, first.catalog) == ("mine:3", "mine", CatalogKind.LOCAL)
    assert (first.is_cached, first.path, first.context_tokens) == (True, str(folder), 4096)
    assert (first.device, first.execution_provider, first.problem) == (None, None, None)
    assert second.id == "tiny-a-generic-cpu:1"


def test_a_registration_whose_folder_is_gone_says_so(tmp_path: Path) -> None:
    write_local(tmp_path, {"model_info": LOCAL_RECORD, "model_path": str(tmp_path / "gone")})

    model = only_model(tmp_path)

    assert (model.is_cached, model.problem) == (False, "its folder is gone or incomplete")


def test_without_files_there_is_nothing(tmp_path: Path) -> None:
    assert read_snapshot(tmp_path).models == ()
    assert read_snapshot(tmp_path / "nowhere").models == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf{}",
        b"null",
        b"[]",
        b'"models"',
        b"{}",
        b'{"models": {}}',
        b'{"models": null}',
        b'{"models": "abc"}',
        b'{"models": [1, null, "x", [], true, 1e999]}',
        b'{"models": [{}]}',
        b'{"models": [{"id": 5}]}',
        b'{"models": [{"id": ""}]}',
        b'{"models": [{"id": ["a"]}]}',
        b'{"models": ' + b"9" * 5000 + b"}",
        b'{"models": [{"model_info": 5, "model_path": 6}]}',
        b'{"models": [{"model_info": {}, "model_path": "/"}]}',
    ],
)
def test_files_that_are_no_list_of_models_are_empty(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "foundry.modelinfo.json").write_bytes(content)
    (tmp_path / "foundry.local.modelinfo.json").write_bytes(content)

    assert read_snapshot(tmp_path).models == ()


def test_a_folder_in_place_of_the_file_is_empty(tmp_path: Path) -> None:
    (tmp_path / "foundry.modelinfo.json").mkdir()

    assert read_snapshot(tmp_path).models == ()


@pytest.mark.parametrize("wrong", [None, 5, -5, 1.5, True, "text", [], ["a"], {}, {"a": 1}, 10**400])
def test_a_field_of_a_wrong_type_costs_that_field_and_not_the_model(tmp_path: Path, wrong: object) -> None:
    for field in RECORD:
        write_public(tmp_path, changed(**{field: wrong}), changed(id="other:1"), saved=wrong)

        models = read_snapshot(tmp_path).models

        assert models[-1].id == "other:1", field
        for model in models:
            assert_is_well_typed(model)


@pytest.mark.parametrize("wrong", [None, 5, -5, 1.5, True, [], {"a": 1}])
@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("runtime", "deviceType"),
        ("runtime", "executionProvider"),
        ("stringProperties", "capabilities"),
        ("stringProperties", "quantization"),
        ("intProperties", "context_length"),
    ],
)
def test_a_property_of_a_wrong_type_costs_that_property_alone(
    tmp_path: Path, table: str, key: str, wrong: object
) -> None:
    inner = RECORD[table]
    assert isinstance(inner, Mapping)
    write_public(tmp_path, changed(**{table: {**inner, key: wrong}}))

    model = only_model(tmp_path)

    assert model.id == "tiny-a-generic-cpu:1"
    assert_is_well_typed(model)


def assert_is_well_typed(model: ModelVariant) -> None:
    for text in (model.display_name, model.publisher, model.license, model.license_text, model.task):
        assert text is None or type(text) is str
    for count in (model.size_bytes, model.context_tokens, model.max_output_tokens):
        assert count is None or (type(count) is int and count >= 0)
    assert all(type(capability) is str and capability for capability in model.capabilities)


def test_a_huge_number_is_kept_as_it_is(tmp_path: Path) -> None:
    write_public(tmp_path, changed(fileSizeMb=10**30, maxOutputTokens=10**30))

    model = only_model(tmp_path)

    assert model.size_bytes == 10**30 * 1_048_576
    assert model.max_output_tokens == 10**30


@pytest.mark.parametrize(
    ("publisher", "model_id"),
    [
        ("..", "outside:1"),
        (".", "outside:1"),
        ("../..", "outside:1"),
        ("..\\..", "outside:1"),
        ("a/../..", "outside:1"),
        ("/", "outside:1"),
        ("Test Pub", "../../outside:1"),
        ("Test Pub", "..\\outside:1"),
        ("Test Pub", "/outside:1"),
        ("Test Pub", ".."),
        ("Test Pub", "a\0b:1"),
        ("\0", "outside:1"),
    ],
)
def test_a_name_from_the_network_does_not_lead_out_of_the_cache(
    tmp_path: Path, publisher: str, model_id: str
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "Test Pub").mkdir()
    for folder in (tmp_path / "outside-1", cache / "outside-1"):
        make_model(folder)
    write_public(cache, changed(publisher=publisher, id=model_id))

    model = only_model(cache)

    assert (model.id, model.path, model.is_cached) == (model_id, None, False)


def test_an_absolute_name_does_not_replace_the_cache(tmp_path: Path) -> None:
    outside = make_model(tmp_path / "outside-1")
    write_public(tmp_path, changed(publisher=str(outside.parent), id="outside:1"))

    assert only_model(tmp_path).path is None


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800", "relative/none", 5, None, ["/"]])
def test_a_registration_with_a_path_that_cannot_be_is_listed_with_its_problem(
    tmp_path: Path, path: object
) -> None:
    write_local(tmp_path, {"model_info": LOCAL_RECORD, "model_path": path})

    model = only_model(tmp_path)

    assert (model.id, model.is_cached, model.problem) == ("mine:3", False, "its folder is gone or incomplete")


def test_hostile_text_is_kept_as_data(tmp_path: Path) -> None:
    write_public(tmp_path, changed(displayName="\x1b]0;pwned\x07\u202e", id="a\x1b[2J:1"))

    model = only_model(tmp_path)

    assert (model.id, model.display_name) == ("a\x1b[2J:1", "\x1b]0;pwned\x07\u202e")


def test_an_alias_that_is_not_said_is_the_id_without_its_version(tmp_path: Path) -> None:
    write_public(tmp_path, {"id": "lonely-generic-cpu:12"})

    assert only_model(tmp_path).alias == "lonely-generic-cpu"


@pytest.mark.parametrize(
    ("provider", "said", "name", "device"),
    [
        ("CUDAExecutionProvider", "GPU", "m-cuda-gpu:1", Device.GPU),
        ("QNNExecutionProvider", "NPU", "m:1", Device.NPU),
        (None, None, "m-qnn-npu:2", Device.NPU),
        (None, "", "M-Generic-GPU:2", Device.GPU),
        (None, "TPU", "m-generic-cpu:1", Device.CPU),
        ("CPUExecutionProvider", None, "m:1", Device.CPU),
        ("CUDAExecutionProvider", None, "m:1", None),
        (None, None, "m:1-cpu", None),
        (None, None, "", None),
    ],
)
def test_the_device_is_as_said_else_as_the_name_ends(
    provider: str | None, said: str | None, name: str, device: Device | None
) -> None:
    assert device_of(provider, said, name) is device


def test_a_file_of_too_many_brackets_is_empty(tmp_path: Path) -> None:
    (tmp_path / "foundry.modelinfo.json").write_text("[" * 100_000)

    assert read_snapshot(tmp_path).models == ()


def test_a_name_too_long_for_a_file_system_leaves_the_other_models(tmp_path: Path) -> None:
    write_public(tmp_path, changed(publisher="p" * 300), changed(id="other:1"))
    write_local(tmp_path, {"model_info": LOCAL_RECORD, "model_path": "/" + "p" * 300})

    assert [model.id for model in read_snapshot(tmp_path).models][-1] == "other:1"
