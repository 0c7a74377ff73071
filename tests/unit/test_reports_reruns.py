"""Reports of a run with rounds that were measured again: no superseded request is in any figure of them."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import BenchPlan, RequestRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.leak import MemoryKind
from foundry_tui.metrics.measures import Measure
from foundry_tui.reports.page.gaps import gap_charts
from foundry_tui.reports.page.spreads import drift_chart, spread_charts
from foundry_tui.reports.page.tables import answers, summary_table
from foundry_tui.reports.reruns import again_lines, marked_words
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_costs import model_costs
from foundry_tui.reports.run_csv import models_csv, requests_csv
from foundry_tui.reports.run_history import history, history_object
from foundry_tui.reports.run_html import run_html
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_reading import read_run
from foundry_tui.reports.run_results import model_results
from foundry_tui.reports.run_summary_words import morning_lines
from foundry_tui.reports.sweep_words import sweep_rows
from foundry_tui.services.bench.answered_before import answered_before
from foundry_tui.services.bench.estimate import estimated_s
from foundry_tui.services.bench.history import model_history
from foundry_tui.services.bench.state import BenchState
from foundry_tui.tui.screens.bench.tally import SHOWN, RunTally
from tests.support.memory_runs import MemoryRuns
from tests.support.reruns import MODELS, SECOND_BEGINS, again_run, first_made, second_made

EVERY = (*first_made(), *second_made())
STANDING = standing(EVERY)
MIB = 1 << 20
AT_ONCE = replace(again_run(), plan=replace(again_run().plan, concurrency=2))


def without_again(markdown: str) -> str:
    """The report but for the section that tells of both measurements."""
    before, _, rest = markdown.partition("## Rounds measured again")
    return before + rest[rest.index("\n## ") + 1 :]


def summary(run: Run, requests: Sequence[RequestRun]) -> object:
    content = results_object(run, requests)
    entries, of_run = content["summary"], content["run"]
    assert isinstance(entries, list)
    assert isinstance(of_run, dict)
    return [{k: v for k, v in entry.items() if k != "measured_again"} for entry in entries], of_run["clock"]


def tallied(run: Run, requests: Sequence[RequestRun]) -> object:
    tally = RunTally()
    for count in range(0, len(requests) + 1, 7):  # as they come
        tally.take(BenchState(run=run, requests=tuple(requests[:count])))
    tally.take(BenchState(run=run, requests=tuple(requests)))
    return [
        (
            *(tally.of(model).spread(measure) for measure in SHOWN),
            *(sorted(tally.of(model).readings[measure]) for measure in SHOWN),
            (tally.of(model).done, tally.of(model).failed, tally.of(model).spans, tally.of(model).hidden),
            (tally.of(model).peak_rss_bytes, tally.of(model).peak_vram_bytes, tally.of(model).highest_round),
        )
        for model in MODELS
    ]


FIGURES: dict[str, Callable[[Run, Sequence[RequestRun]], object]] = {
    "JSON": summary,
    "Markdown": lambda run, requests: without_again(run_markdown(run, requests)),
    "CSV": models_csv,
    "words": lambda run, requests: [
        line
        for line in morning_lines(run, model_results(run, requests))
        if line not in again_lines(model_results(run, requests))
    ],
    "sweep": lambda run, requests: sweep_rows([(run, requests)]),
    "HTML summary": lambda run, requests: summary_table(run, model_results(run, requests)),
    "HTML spreads": lambda run, requests: spread_charts("r1", model_results(run, requests)),
    "HTML drift": lambda run, requests: drift_chart("r1", model_results(run, requests)),
    "HTML gaps": lambda run, requests: gap_charts("r1", model_results(run, requests)),
    "HTML answers": lambda run, requests: answers(model_results(run, requests)),
    "pane": tallied,
}


@pytest.mark.parametrize("figures", FIGURES.values(), ids=FIGURES)
def test_a_superseded_request_changes_no_figure(
    figures: Callable[[Run, Sequence[RequestRun]], object],
) -> None:
    assert len(STANDING) == len(EVERY) - 10

    assert figures(again_run(), EVERY) == figures(again_run(), STANDING)


def test_nor_those_of_several_requests_at_once() -> None:
    assert summary(AT_ONCE, EVERY) == summary(AT_ONCE, STANDING)


def test_what_was_measured_first_made_other_figures() -> None:
    assert summary(again_run(), EVERY) != summary(again_run(), first_made())


async def stored(requests: Sequence[RequestRun], later: Run) -> MemoryRuns:
    store = MemoryRuns()
    await store.import_run(again_run(), requests)
    await store.import_run(later, [replace(one, attempt=1) for one in STANDING])
    return store


async def test_nor_does_it_change_what_is_said_of_later_runs_and_plans() -> None:
    later = again_run(id="b" * 32, started_unix_ms=again_run().started_unix_ms + 10**7, reruns=())
    seen = []
    for requests in (EVERY, STANDING):
        store = await stored(requests, later)
        measured = await model_history(store, MODELS[0], limit=5)
        points = history(measured, Measure.DECODE_RATE)
        model = replace_id(later.plan)
        seen.append(
            (
                history_object(MODELS[0], Measure.DECODE_RATE, points),
                await answered_before(store, later, [replace(one, attempt=1) for one in STANDING]),
                await estimated_s(await stored_alone(requests), later.plan, model),
            )
        )

    assert seen[0] == seen[1]
    assert seen[0][1]
    assert seen[0][2] is not None


async def stored_alone(requests: Sequence[RequestRun]) -> MemoryRuns:
    store = MemoryRuns()
    await store.import_run(again_run(), requests)
    return store


def replace_id(plan: BenchPlan) -> "list[Any]":
    from tests.support.catalogs import offered

    return [replace(offered(model), id=f"{model}-cpu:1") for model in plan.models]


def test_every_request_is_in_the_table_and_says_which_one_stands_for_it() -> None:
    rows = list(csv.DictReader(io.StringIO(requests_csv(again_run(), EVERY))))

    assert len(rows) == len(EVERY)
    left = [row for row in rows if row["superseded_by"]]
    assert {(row["model"], row["attempt"], row["counted"]) for row in left} == {(MODELS[0], "1", "false")}
    assert len(left) == 10
    by_number = {row["number"]: row for row in rows}
    for row in left:
        other = by_number[row["superseded_by"]]
        assert (other["prompt_id"], other["round"], other["attempt"]) == (row["prompt_id"], row["round"], "2")
        assert other["counted"] == "true"


def test_json_has_both_with_their_attempt_and_says_what_was_measured_again() -> None:
    content: Any = json.loads(results_json(results_object(again_run(), EVERY)))

    jsonschema.validate(content, json_schema("results"))
    assert [one["attempt"] for one in content["requests"]] == [one.attempt for one in EVERY]
    counted = [one["number"] for one in content["requests"] if one["counted"]]
    assert sum(one["superseded"] for one in content["requests"]) == 10
    assert not {one["number"] for one in content["requests"] if one["superseded"]} & set(counted)
    (rerun,) = content["run"]["reruns"]
    assert rerun["rounds"][0] == {"model": MODELS[0], "round": 6, "reasons": ["throttled"]}
    (of_alpha,) = content["summary"][0]["measured_again"]
    assert (of_alpha["attempt"], of_alpha["rounds"], of_alpha["made"]) == (2, [6, 7, 8, 9, 10], 10)
    assert of_alpha["before_median"] < of_alpha["after_median"]
    assert content["summary"][1]["measured_again"] == []


def test_a_file_comes_back_to_the_last_byte() -> None:
    text = results_json(results_object(again_run(), EVERY))

    imported = read_run(text, "run.json", now_unix_ms=0)

    assert imported.run == replace(again_run(), plan=replace(again_run().plan, name="throttled"))
    assert imported.requests == EVERY
    assert results_json(results_object(imported.run, imported.requests)) == text


def test_a_file_of_an_earlier_version_has_first_attempts_only() -> None:
    content: Any = results_object(replace(again_run(), reruns=()), first_made())
    del content["run"]["reruns"]
    for one in content["requests"]:
        del one["attempt"], one["superseded"]

    imported = read_run(json.dumps(content), "old.json", now_unix_ms=0)

    assert imported.run.reruns == ()
    assert {one.attempt for one in imported.requests} == {1}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"attempt": 1}, "attempt"),
        ({"rounds": []}, "reruns"),
        ({"rounds": [{"model": "alpha", "round": 1, "reasons": []}]}, "reruns"),
    ],
)
def test_what_cannot_have_been_measured_again_is_refused_by_its_place(
    change: dict[str, object], place: str
) -> None:
    content: Any = results_object(again_run(), EVERY)
    content["run"]["reruns"][0] |= change

    with pytest.raises(BadInput, match=place):
        read_run(json.dumps(content), "run.json", now_unix_ms=0)


def test_words_say_which_rounds_why_and_both_medians() -> None:
    results = model_results(again_run(), EVERY)

    first, *more = again_lines(results)

    assert first.startswith("alpha: rounds 6 to 10 (a GPU was held back): ")
    assert "tok/s; measured again: " in first
    assert first.endswith("the numbers use the second of these, and both are kept")
    assert more == [
        "alpha: 2 of these had not ended well before, and count as answered now",
        "not every model was measured again in these rounds: there a comparison pairs answers of different"
        " times",
    ]
    assert f"- {first}" in run_markdown(again_run(), EVERY)
    assert "Rounds measured again" in run_html([(again_run(), EVERY, ())])


def test_a_choice_made_on_results_is_called_one() -> None:
    run = again_run()
    (rerun,) = run.reruns
    by_result = replace(rerun, rounds=tuple(replace(one, reasons=("slower",)) for one in rerun.rounds))

    lines = again_lines(model_results(replace(run, reruns=(by_result,)), EVERY))

    assert any("that choice was made on results" in line for line in lines)
    assert "choice was made on results" not in run_markdown(run, EVERY)


def test_where_only_some_was_answered_again_the_rest_is_said_to_stand() -> None:
    some = [*first_made(), *second_made()[:4]]

    lines = again_lines(model_results(again_run(), some))

    assert any("of 10 requests of these rounds 3 were answered again" in line for line in lines)


def test_hostile_names_and_reasons_come_out_harmless() -> None:
    run = again_run()
    (rerun,) = run.reruns
    odd = replace(rerun, rounds=(replace(rerun.rounds[0], reasons=("\x1b[31mred",)),))

    assert "\x1b" not in marked_words(odd.rounds)
    assert "\x1b" not in run_markdown(replace(run, reruns=(odd,)), EVERY)


def test_the_page_marks_each_in_its_table_and_draws_all_over_time() -> None:
    page = run_html([(again_run(), EVERY, ())])

    assert page.count("in no figure: request ") == 10
    assert f"in no figure: request {SECOND_BEGINS + 1} stands for this round" in page
    assert "10 measured again" in page


def test_memory_is_told_of_one_stay_of_the_model_and_around_its_first_load() -> None:
    """It grows by 5 MiB with each request; loaded anew for the last two rounds it has less, then more."""
    run = again_run(plan=replace(again_run().plan, models=MODELS[:1]), models=again_run().models[:1])
    first = [
        replace(one, peak_rss_bytes=(500 + 5 * number) * MIB)
        for number, one in enumerate(one for one in first_made() if one.model == MODELS[0])
    ]
    again = [
        replace(one, peak_rss_bytes=(450 + 900 * (number % 2)) * MIB)
        for number, one in enumerate(one for one in second_made() if one.round > 8)
    ]

    (costs,) = model_costs(run, model_results(run, [*first, *again]))

    (growth,) = (each for each in costs.growth if each.kind is MemoryKind.RSS)
    assert growth.requests == 16
    assert growth.bytes_per_request == pytest.approx(5 * MIB)
    (residual,) = (each for each in costs.residuals if each.kind is MemoryKind.RSS)
    assert residual.peak_bytes == (500 + 5 * 16) * MIB
