"""One model over its runs: found in the store, compared run by run, drawn."""

import json
from dataclasses import replace

import jsonschema

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import ModelRun, Phase, RequestRun, Run
from foundry_tui.domain.bench_history import MeasuredModel
from foundry_tui.metrics.comparison import Verdict
from foundry_tui.metrics.measures import Measure
from foundry_tui.reports.run_history import (
    HistoryPoint,
    chart_lines,
    history,
    history_object,
    history_rows,
    since_lines,
)
from foundry_tui.services.bench.history import model_history
from tests.support.memory_runs import MemoryRuns
from tests.support.runs import a_run
from tests.support.timed import request, trace

NOISE = (0.0, 0.011, -0.013, 0.007, -0.004, 0.016, -0.009, 0.003)
FACTS = (("alias", "phi"), ("device", "cpu"), ("execution_provider", "CPU"))
PHI = ModelRun(model="phi", model_id="phi-cpu:1", facts=FACTS)
HERE = (("onnxruntime", "1.22"), ("cpu", "fast"))


def measured(
    run_id: str,
    ttft_ms: float = 100,
    *,
    n: int = 8,
    environment: tuple[tuple[str, str], ...] = HERE,
    model: ModelRun = PHI,
    at_ms: int = 0,
    completion: int | None = 10,
) -> MeasuredModel:
    run = replace(
        a_run(run_id, started_unix_ms=at_ms, models=(model,)), environment=environment, name=f"named {run_id}"
    )
    shift = ord(run_id[-1])
    requests = tuple(
        request(
            number,
            trace(
                (),
                ttft_ms=ttft_ms * (1 + NOISE[(number * 3 + shift) % len(NOISE)]),
                completion=completion,
            ),
            model=model.model,
        )
        for number in range(1, n + 1)
    )
    return MeasuredModel(run=run, model=model, requests=requests)


def points(*given: MeasuredModel, measure: Measure = Measure.TTFT) -> tuple[HistoryPoint, ...]:
    return history(given, measure)


def test_a_newer_runtime_that_is_slower_is_named_with_what_changed() -> None:
    newer = (("onnxruntime", "1.23"), ("cpu", "fast"))

    first, second = points(measured("aaaa"), measured("bbbb", 120, environment=newer))
    (line,) = since_lines([first, second])

    assert (first.before, first.comparison) == (None, None)
    assert second.comparison is not None
    assert second.comparison.verdict is Verdict.SLOWER
    assert line.startswith("aaaa → bbbb: version of onnxruntime 1.22 → 1.23; bbbb is slower than aaaa by 20.")
    assert "in time to first token (8 pairs, p = 0.008)" in line


def test_the_same_again_shows_no_difference_and_says_that_nothing_changed() -> None:
    _, second = points(measured("aaaa"), measured("bbbb"))

    assert since_lines([second])[0].startswith(
        "aaaa → bbbb: nothing changed that is known; no difference shown between aaaa and bbbb"
    )


def test_too_few_rounds_are_no_verdict() -> None:
    _, second = points(measured("aaaa", n=2), measured("bbbb", 900, n=2))

    assert since_lines([second])[0].endswith(
        "too few rounds to compare bbbb with aaaa in time to first token: 4 more"
    )
    assert history_rows([second])[0][-2:] == ("needs 4 more", "2")


def test_another_machine_or_plan_is_named_and_not_compared() -> None:
    there = measured("bbbb", 500, environment=(("onnxruntime", "1.22"), ("cpu", "slow")))
    longer = measured("cccc", 500, environment=there.run.environment)
    longer = replace(longer, run=replace(longer.run, plan=replace(longer.run.plan, max_tokens=7)))

    _, second, third = points(measured("aaaa"), there, longer)

    assert (second.comparison, third.comparison) == (None, None)
    assert since_lines([second, third]) == [
        "aaaa → bbbb: cpu fast → slow; not comparable: cpu fast ≠ slow",
        "bbbb → cccc: max_tokens 120 → 7; not comparable: max_tokens 120 ≠ 7",
    ]


def test_another_kernel_driver_or_provider_is_a_change_and_compared() -> None:
    before = measured("aaaa", environment=(("os", "Linux 6.1"), ("gpu_driver", "550")))
    after = measured(
        "bbbb",
        environment=(("os", "Linux 6.2"), ("gpu_driver", "560")),
        model=replace(PHI, facts=(*FACTS[:2], ("execution_provider", "CUDA"))),
    )

    _, second = points(before, after)

    assert [change.field for change in second.changes] == [
        *("os", "version of gpu_driver", "execution_provider")
    ]
    assert "EP CPU → CUDA" in since_lines([second])[0]
    assert second.comparison is not None
    assert history_rows([second])[0][4:7] == ("560", "CUDA", "cpu")


def test_of_two_variants_in_a_run_each_is_held_against_itself() -> None:
    gpu = replace(PHI, model="phi-gpu", model_id="phi-gpu:1")

    found = points(
        measured("aaaa"), measured("aaaa", model=gpu), measured("bbbb", model=gpu), measured("bbbb")
    )

    befores = [None if point.before is None else point.before.model.model for point in found]
    assert befores == [None, None, "phi-gpu", "phi"]
    assert since_lines(found)[0].startswith("aaaa phi-gpu → bbbb phi-gpu: ")


def test_answers_of_other_lengths_are_told_of_where_their_times_are_compared() -> None:
    found = points(measured("aaaa"), measured("bbbb", completion=20), measure=Measure.LATENCY)

    assert since_lines(found)[0].endswith(
        "; the answers of bbbb are 2.00 times as long, so only rates compare"
    )


def test_the_chart_has_one_scale_and_tells_an_interval_from_a_range() -> None:
    even = measured("aaaa", 100)
    few = measured("bbbb", 108, n=2)
    none = replace(few, run=replace(few.run, id="cccc"), requests=())

    lines = chart_lines(points(even, few, none), cells=40)

    assert lines[0].startswith("aaaa  ├──")
    assert "●" in lines[0]
    assert "·" in lines[1]
    assert "─" not in lines[1]
    assert lines[2] == "cccc"
    assert lines[3].split("ms")[0].split() == ["98.7"]
    assert all(len(line) <= 40 for line in lines)


def test_equal_values_and_no_values_are_drawn_too() -> None:
    one = measured("aaaa", n=1)

    assert chart_lines(points(one), cells=20) == ["aaaa  ●", "      99.6 ms"]
    assert chart_lines(points(replace(one, requests=())), cells=20) == []
    assert chart_lines([], cells=20) == []


def test_names_from_elsewhere_are_harmless() -> None:
    bad = replace(PHI, model="\x1b[31m", model_id="x\x1b]8;;y\x07:1", facts=(("device", "\x1b[0m"),))

    found = points(measured("aa\x1b"), measured("bbbb", model=bad))
    told = [
        *since_lines(found),
        *chart_lines(found, cells=60),
        *(cell for row in history_rows(found) for cell in row),
    ]

    assert not any(sign in line for line in told for sign in "\x1b\x07\n")


def test_the_object_keeps_to_its_schema() -> None:
    given = (measured("aaaa"), measured("bbbb", n=2), replace(measured("cccc"), requests=()))

    content = json.loads(json.dumps(history_object("phi", Measure.TTFT, points(*given))))

    jsonschema.validate(content, json_schema("run-history"))
    assert [one["n"] for one in content["runs"]] == [8, 2, 0]
    assert [one["since"] and one["since"]["verdict"] for one in content["runs"]] == [
        *(None, "too-few", "too-few")
    ]


async def test_the_newest_runs_of_a_model_come_oldest_first_with_its_timed_requests_alone() -> None:
    store = MemoryRuns()
    for at_ms, run_id in enumerate(("aaaa", "bbbb", "cccc")):
        one = measured(run_id, at_ms=at_ms, n=2)
        both = replace(one.run, models=(PHI, ModelRun(model="other")))
        foreign: list[RequestRun] = [
            request(8, trace(()), model="other"),
            replace(request(9, trace(()), model="phi"), phase=Phase.WARMUP),
        ]
        await store.import_run(both, [*one.requests, *foreign])

    found = await model_history(store, "phi-cpu", limit=2)

    assert [one.run.id for one in found] == ["bbbb", "cccc"]
    assert [[asked.number for asked in one.requests] for one in found] == [[1, 2], [1, 2]]
    assert await model_history(store, "none", limit=2) == ()


def test_the_run_itself_is_kept_for_whoever_shows_it() -> None:
    run: Run = measured("aaaa").run

    (point,) = points(measured("aaaa"))

    assert point.side.run == run
