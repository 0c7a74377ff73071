"""Which execution providers a model's own configuration asks for."""

import json
from pathlib import Path

import pytest

from foundry_tui.demo import demo_registration
from foundry_tui.domain.models import ProviderEvidence
from foundry_tui.engines.runtime.provider_options import configured_providers, providers_of

CUDA = [{"cuda": {"enable_cuda_graph": "0"}}]
CONFIGURED, DECLARED = ProviderEvidence.CONFIGURED, ProviderEvidence.DECLARED


def write(folder: Path, model: object) -> Path:
    (folder / "genai_config.json").write_text(json.dumps({"model": model}))
    return folder


def with_options(options: object) -> dict[str, object]:
    return {"decoder": {"session_options": {"provider_options": options}}}


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (with_options([]), ()),
        (with_options(CUDA), ("CUDAExecutionProvider",)),
        (with_options([{"WebGPU": {}}, {"cuda": {}}]), ("WebGpuExecutionProvider", "CUDAExecutionProvider")),
        (with_options([{"somethingNew": {}}]), ("somethingNew",)),
        (
            {"decoder": {"pipeline": [{"stage": {"session_options": {"provider_options": [{"qnn": {}}]}}}]}},
            ("QNNExecutionProvider",),
        ),
        (
            {"vision": {"session_options": {"provider_options": CUDA}}, "decoder": {}},
            ("CUDAExecutionProvider",),
        ),
        (with_options("cuda"), ()),
        (with_options([7, None, {"": {}}, {"x" * 61: {}}]), ()),
        (with_options([{f"p{n}": {}} for n in range(99)]), tuple(f"p{n}" for n in range(8))),
        ("nothing", ()),
    ],
)
def test_the_names_in_every_part_of_the_model(tmp_path: Path, model: object, names: tuple[str, ...]) -> None:
    assert configured_providers(write(tmp_path, model)) == names


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_a_configuration_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "genai_config.json").write_text(text)

    assert configured_providers(tmp_path) is None


def test_the_bundled_model_runs_on_the_processor() -> None:
    folder = Path(demo_registration().path)

    assert providers_of(folder, "CPUExecutionProvider") == (("CPUExecutionProvider",), CONFIGURED)


def test_what_is_configured_stands_above_what_is_declared(tmp_path: Path) -> None:
    folder = write(tmp_path, with_options(CUDA))

    assert providers_of(folder, "WebGpuExecutionProvider") == (("CUDAExecutionProvider",), CONFIGURED)


def test_a_declaration_that_the_configuration_does_not_confirm_is_marked_as_one(tmp_path: Path) -> None:
    folder = write(tmp_path, with_options([]))

    assert providers_of(folder, "CUDAExecutionProvider") == (("CUDAExecutionProvider",), DECLARED)
    assert providers_of(None, "CUDAExecutionProvider") == (("CUDAExecutionProvider",), DECLARED)


def test_nothing_said_is_nothing_known() -> None:
    assert providers_of(None, None) == ((), None)
