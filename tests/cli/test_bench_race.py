"""``foundry-tui bench --race``: all variants of a model that can run, and what had been predicted of them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import foundry_tui
from foundry_tui.config.schema import json_schema
from tests.cli.program import Ended, one_process, run

TINY = Path(foundry_tui.__file__).parent / "demo" / "tiny"
CPU, GPU = "racer-generic-cpu:1", "racer-generic-gpu:1"
"""The runtime takes both for variants of ``racer``; the second is built for the processor all the same."""


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> list[Ended]:
    """The bundled model twice on the real runtime, once as if it were built for a GPU."""
    folder = tmp_path_factory.mktemp("race")
    lines = (
        *(("models", "register", str(TINY), "--id", model_id) for model_id in (GPU, CPU)),
        ("bench", "--race", "racer", "--dry-run", "--json"),
        ("bench", "--race", GPU, "--rounds", "6", "--max-tokens", "8"),
        ("bench", "--race", "racer", "--rounds", "1", "--max-tokens", "8", "--json"),
        ("bench", "--race", "nobody"),
        ("report", "last", "--format", "md"),
    )
    return one_process([(*line, "--offline") for line in lines], data_dir=folder / "data")


def whole(end: Ended, schema: str | None = None) -> dict[str, Any]:
    content = json.loads(end.out)
    if schema is not None:
        jsonschema.validate(content, json_schema(schema))
    assert isinstance(content, dict)
    return content


@pytest.mark.native
def test_the_plan_has_all_variants_the_processors_first_and_enough_rounds(raced: list[Ended]) -> None:
    plan = whole(raced[2])

    assert raced[2].code == 0
    assert plan["plan"]["models"] == [CPU, GPU]
    assert (plan["plan"]["rounds"], plan["timed_requests"]) == (6, 12)
    assert set(plan["predictions"]) == {CPU, GPU}
    assert plan["predictions"][CPU]["no_decode_rate"] == "too_small"
    assert plan["predictions"][CPU]["load_memory"]["kind"] == "ram"
    assert plan["predictions"][GPU]["load_memory"]["kind"] == "gpu"


@pytest.mark.native
def test_what_ran_on_the_processor_is_not_called_a_gpu(raced: list[Ended]) -> None:
    out = raced[3].out

    assert raced[3].code == 0
    assert f"racer: {GPU} on the processor" in out
    assert f"racer: {GPU} is built for the GPU, but no GPU worked for it" in out
    assert "racer: GPU" not in out


@pytest.mark.native
def test_the_next_run_has_the_predictions_that_the_first_one_made_possible(raced: list[Ended]) -> None:
    results = whole(raced[4], "results")

    for model in results["run"]["models"]:
        made = model["prediction"]
        assert made["model_id"] == model["model_id"]
        assert made["made_unix_ms"] <= min(request["at_unix_ms"] for request in results["requests"])
        speed = made["decode_tokens_per_s"]
        # Answers may come in one piece, and have no rate then.
        assert speed is None or speed["basis"] == "same_variant"
    assert [set(one["prediction_error"]) for one in results["summary"]] == [
        {"decode_tokens_per_s", "load_memory"}
    ] * 2
    assert "What had been predicted" in raced[6].out


@pytest.mark.native
def test_what_nothing_is_called_by_is_wrong_usage(raced: list[Ended]) -> None:
    assert (raced[5].code, raced[5].out) == (2, "")
    assert "no model is called 'nobody'" in raced[5].err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--models", "a"), "--race and --models exclude each other"),
        (("--resume", "last"), "which --race cannot change"),
    ],
)
def test_a_race_names_its_models_itself(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    end = run("bench", "--race", "phi", *arguments, data_dir=tmp_path / "data")

    assert (end.code, end.out) == (2, "")
    assert words in end.err
