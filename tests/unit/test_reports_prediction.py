"""What is said of a prediction before a run and after it, and what files keep of it."""

import json
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import ModelRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.loads import MemoryPlace
from foundry_tui.domain.predictions import (
    MemoryPrediction,
    ModelPrediction,
    NoSpeed,
    SpeedBasis,
    SpeedPrediction,
)
from foundry_tui.reports.prediction_lines import prediction_lines
from foundry_tui.reports.prediction_words import error_words, memory_words, rate_cell, speed_words
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_reading import read_run
from foundry_tui.reports.run_results import model_results
from foundry_tui.storage.predictions import packed_prediction, unpacked_prediction
from tests.support.hostile import CORPUS, harm_in
from tests.support.runs import a_run
from tests.support.timed import request, trace

MIB = 1 << 20
SPEED = SpeedPrediction(
    tokens_per_s=108.0,
    low=95.0,
    high=120.0,
    basis=SpeedBasis.BANDWIDTH,
    models=3,
    runs=4,
    answers=81,
    newest_unix_ms=1_780_000_000_000,
    provider="CPUExecutionProvider",
)
MEMORY = MemoryPrediction(
    kind=MemoryPlace.RAM, load_bytes=570 * MIB, loads=2, worst_error_share=0.131, checked_loads=5
)
MADE = ModelPrediction(
    model_id="tiny-generic-cpu:1",
    made_unix_ms=1_780_000_000_001,
    speed=SPEED,
    speed_error_share=0.123,
    checked_speeds=5,
    memory=MEMORY,
)
UNKNOWN = ModelPrediction(model_id="tiny-generic-cpu:1", made_unix_ms=0, no_speed=NoSpeed.NOTHING_MEASURED)


def measured(prediction: ModelPrediction | None, **known: object) -> Run:
    """A run of one model that decodes 100 tok/s and whose load took 600 MiB."""
    model = ModelRun(
        model="tiny",
        model_id="tiny-generic-cpu:1",
        rss_before_bytes=100 * MIB,
        rss_loaded_bytes=700 * MIB,
        prediction=prediction,
    )
    run = a_run(models=(replace(model, **known),))  # type: ignore[arg-type]  # each by its name
    return replace(run, plan=replace(run.plan, models=("tiny",)), name="tiny")


ANSWERS = [request(1, trace(completion=10))]


def said(run: Run) -> list[str]:
    return prediction_lines(model_results(run, ANSWERS))


def test_a_prediction_is_told_with_its_interval_its_basis_and_how_far_earlier_ones_were_off() -> None:
    assert speed_words(MADE) == (
        "108 tok/s [95, 120], by 3 other models here with CPUExecutionProvider (81 answers);"
        " earlier predictions of this kind were off by 12 % (median of 5)"
    )
    assert rate_cell(MADE) == "108 tok/s"


def test_what_the_same_variant_did_here_is_told_with_the_day() -> None:
    same = replace(SPEED, basis=SpeedBasis.SAME_VARIANT, models=1, runs=1, tokens_per_s=98.04, answers=1)
    words = speed_words(replace(MADE, speed=same, speed_error_share=0.5, checked_speeds=1))

    assert words == (
        "98.0 tok/s [95.0, 120.0], as measured of this variant here in 1 run (1 answer, last on 2026-05-28);"
        " one earlier prediction of this kind was off by 50 %"
    )


def test_what_was_different_then_is_told() -> None:
    odd = replace(SPEED, models=1, is_same_runtime=False, is_fallback=True, is_estimate=True)

    words = speed_words(replace(MADE, speed=odd, speed_error_share=None, checked_speeds=0))

    assert words == (
        "~108 tok/s [95, 120], by one other model here with CPUExecutionProvider (81 answers; how far models"
        " differ is not known), when what it is built for did not work for it, with another version of the"
        " runtime"
    )


@pytest.mark.parametrize("why", list(NoSpeed))
def test_where_there_is_no_prediction_there_is_a_reason(why: NoSpeed) -> None:
    none = replace(UNKNOWN, no_speed=why)

    assert speed_words(none).startswith("n/a: ")
    assert rate_cell(none) == "n/a"


def test_memory_is_told_with_what_it_rests_on() -> None:
    assert memory_words(MEMORY) == (
        "570 MiB of RAM, median of its 2 loads here; the estimate of what a load takes was within 14 % at the"
        " last 5 loads here"
    )
    worked_out = MemoryPrediction(kind=MemoryPlace.GPU, load_bytes=570 * MIB, is_assumed=True)
    assert memory_words(worked_out) == "~570 MiB of GPU memory, worked out from its size"
    assert memory_words(None) == "n/a: nobody tells how big it is"


def test_afterwards_the_measured_stands_beside_it_with_the_error_in_percent() -> None:
    assert said(measured(MADE)) == [
        "tiny: decode 100 tok/s, predicted 108 tok/s [95, 120]: 8 % too high, by 3 other models here with"
        " CPUExecutionProvider (81 answers); the load took 600 MiB of RAM, predicted 570 MiB: 5 % too low"
    ]


def test_what_fell_outside_of_the_interval_is_told() -> None:
    narrow = replace(MADE, speed=replace(SPEED, low=105.0), memory=None)

    (line,) = said(measured(narrow))

    assert "108 tok/s [105, 120]: 8 % too high, outside of the interval, by 3" in line


def test_what_was_not_measured_or_not_predicted_is_no_number() -> None:
    assert said(measured(None)) == []
    (unpredicted,) = said(measured(UNKNOWN))
    assert unpredicted == "tiny: decode 100 tok/s, none predicted: nothing was measured on this machine yet"
    (unread,) = said(measured(MADE, rss_loaded_bytes=None))
    assert unread.endswith("; the load's RAM n/a, predicted 570 MiB")
    assert prediction_lines(model_results(measured(MADE), []))[0].startswith(
        "tiny: decode n/a tok/s, predicted"
    )


def test_a_prediction_of_another_variant_than_was_measured_is_held_against_nothing() -> None:
    (line,) = said(measured(MADE, model_id="tiny-cuda-gpu:1"))

    assert line.startswith("tiny: decode n/a tok/s, predicted 108 tok/s [95, 120], by 3 other models")
    assert line.endswith("the load's RAM n/a, predicted 570 MiB")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.08, "8 % too high"), (-0.5, "50 % too low"), (0.004, "right to 1 %"), (-0.009, "right to 1 %")],
)
def test_an_error_in_words(share: float, words: str) -> None:
    assert error_words(share) == words


def test_the_report_has_it() -> None:
    report = run_markdown(measured(MADE), ANSWERS)

    assert "## What had been predicted" in report
    assert "8 % too high" in report
    assert "## What had been predicted" not in run_markdown(measured(None), ANSWERS)


def test_hostile_names_of_providers_are_harmless() -> None:
    for payload in CORPUS[::40]:
        words = speed_words(replace(MADE, speed=replace(SPEED, provider=payload.text)))
        assert harm_in(words) == set()


# --- kept


@pytest.mark.parametrize(
    "prediction",
    [
        None,
        MADE,
        UNKNOWN,
        replace(MADE, model_id=None, speed=replace(SPEED, provider="\ud83d \x00 '", is_fallback=True)),
        replace(UNKNOWN, memory=replace(MEMORY, kind=MemoryPlace.GPU, worst_error_share=None)),
    ],
)
def test_results_and_database_give_back_what_was_predicted(prediction: ModelPrediction | None) -> None:
    run = replace(measured(prediction), ended_unix_ms=2_000)
    text = results_json(results_object(run, ANSWERS))

    again = read_run(text, "results.json", now_unix_ms=0)

    assert again.run.models[0].prediction == prediction
    assert unpacked_prediction(packed_prediction(prediction)) == prediction


def test_the_summary_of_results_has_the_errors() -> None:
    (summary,) = json.loads(results_json(results_object(measured(MADE), ANSWERS)))["summary"]
    assert summary["prediction_error"] == {
        "decode_tokens_per_s": pytest.approx(0.08),
        "load_memory": pytest.approx(-0.05),
    }
    (other,) = json.loads(results_json(results_object(measured(None), ANSWERS)))["summary"]
    assert other["prediction_error"] == {"decode_tokens_per_s": None, "load_memory": None}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("interval", [1.0]),
        ("interval", [200.0, 300.0]),
        ("basis", "a guess"),
        ("predicted", None),
        ("answers", 0),
        ("fallback", "no"),
    ],
)
def test_a_prediction_that_is_none_is_refused_by_its_place(place: str, value: object) -> None:
    content = json.loads(results_json(results_object(replace(measured(MADE), ended_unix_ms=2_000), ANSWERS)))
    content["run"]["models"][0]["prediction"]["decode_tokens_per_s"][place] = value

    with pytest.raises(BadInput, match="/run/models/0/prediction"):
        read_run(json.dumps(content), "results.json", now_unix_ms=0)


def test_results_of_a_version_without_predictions_are_read() -> None:
    content = json.loads(results_json(results_object(replace(measured(MADE), ended_unix_ms=2_000), ANSWERS)))
    del content["run"]["models"][0]["prediction"]

    assert read_run(json.dumps(content), "results.json", now_unix_ms=0).run.models[0].prediction is None
