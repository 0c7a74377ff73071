from dataclasses import replace

import pytest

from foundry_tui.domain.bench import GoodputLimits, ModelRun, Phase, RequestRun, Run, RunLimits, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.quantities import span_in_words
from foundry_tui.metrics.estimate import Estimate
from foundry_tui.metrics.goodput import LIMITS
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_reading import read_run
from foundry_tui.reports.run_results import model_results
from foundry_tui.reports.run_summary_words import (
    estimate_words,
    goodput_lines,
    limits_lines,
    morning_lines,
    summary_lines,
)
from tests.support.runs import MODELS, a_request, a_run

HOUR_MS = 3_600_000


def ended(run: Run, *outcomes: Outcome | None) -> Run:
    """``run``, nearly eight hours after it began, with what became of each of its models."""
    models = tuple(
        ModelRun(model=model, outcome=outcome) for model, outcome in zip(MODELS, outcomes, strict=True)
    )
    return replace(run, ended_unix_ms=run.started_unix_ms + 8 * HOUR_MS - 60_000, models=models)


def every(model: str, *, but: int = 0) -> list[RequestRun]:
    """All twelve that the plan asks for of ``model`` less the last few, with numbers of their own."""
    first = MODELS.index(model) * 100 + 1
    slots = [(prompt, number) for number in (1, 2, 3) for prompt in ("p1", "p2")]
    return [
        replace(a_request(first + place, model=model), prompt_id=prompt, round=number)
        for place, (prompt, number) in enumerate(slots[: len(slots) - but])
    ]


def failed(request: RequestRun, outcome: Outcome) -> RequestRun:
    return replace(request, trace=replace(request.trace, outcome=outcome, error="it did"))


def lines(run: Run, requests: list[RequestRun], **more: object) -> tuple[str, ...]:
    return summary_lines(run, model_results(run, requests), **more)  # type: ignore[arg-type]  # as named


def test_a_run_in_which_all_went_well_says_so_in_two_lines() -> None:
    run = replace(ended(a_run(), Outcome.COMPLETED, Outcome.COMPLETED), status=RunStatus.COMPLETED)

    assert lines(run, every("alpha") + every("beta")) == (
        "completed 7 h 59 min after it began",
        "12 of 12 timed requests made",
    )


def test_a_night_that_a_limit_ended_tells_what_was_done_and_what_was_not() -> None:
    run = replace(
        ended(a_run(), Outcome.OUT_OF_MEMORY, None),
        status=RunStatus.INTERRUPTED,
        reason="the limit of time is reached: 8 h\x1b[31m",
    )
    first, *rest = every("alpha", but=5) + every("beta", but=2)
    probe = replace(a_request(300), phase=Phase.PROBE)
    requests = [failed(first, Outcome.OUT_OF_MEMORY), failed(rest[0], Outcome.TIMEOUT), *rest[1:], probe]

    found = lines(run, requests, paused_s=760.0, notes=("no temperature can be read here",))

    assert found == (
        "interrupted 7 h 59 min after it began: the limit of time is reached: 8 h\N{SYMBOL FOR ESCAPE}[31m",
        "5 of 12 timed requests made, 2 failed (1 out of memory, 1 timeout), 7 left out",
        "0 of 2 models did all of it well; not alpha (out of memory), beta (timeout)",
        "nothing was asked for 13 min: paused, or too hot",
        "no temperature can be read here",
    )


def test_a_run_whose_process_died_is_not_called_ended() -> None:
    assert lines(a_run(), [])[0] == "not ended: its process died, or it is under way"


def test_rounds_that_a_precision_added_are_planned_ones() -> None:
    run = replace(ended(a_run(), Outcome.COMPLETED, Outcome.COMPLETED), status=RunStatus.COMPLETED)
    further = replace(every("alpha")[0], number=99, round=4)

    assert lines(run, [*every("alpha"), further, *every("beta")])[1] == "13 of 13 timed requests made"


def test_a_request_that_was_stopped_in_the_middle_was_not_made() -> None:
    stopped = failed(every("alpha")[0], Outcome.CANCELLED)

    assert lines(a_run(), [stopped])[1] == "0 of 12 timed requests made, 12 left out"


def test_goodput_names_its_limits_and_how_sure_it_is() -> None:
    """Each answer takes 50 ms to its first token, and 10 ms for the one after it."""
    run = a_run()
    requests = every("alpha") + every("beta")
    requests[0] = failed(requests[0], Outcome.TIMEOUT)

    def told(limits: GoodputLimits) -> list[str]:
        judged = replace(run, plan=replace(run.plan, goodput=limits))
        return goodput_lines(model_results(judged, requests))

    chat = told(LIMITS["chat"])
    assert chat[0].startswith(
        "alpha: 5 of 6 answers (83 % [44, 97]) within chat (TTFT ≤ 2.00 s, ≤ 200 ms for each further token)"
    )
    assert chat[1].startswith("beta: 6 of 6 answers (100 % [61, 100]) within chat")
    slow = told(GoodputLimits(name="mine\x07", ttft_s=0.04, per_token_s=None))
    assert slow[1].startswith(
        "beta: 0 of 6 answers (0 % [0, 39]) within mine\N{SYMBOL FOR BELL} (TTFT ≤ 40.0 ms)"
    )
    assert "batch (all that end well)" in told(LIMITS["batch"])[0]
    assert goodput_lines(model_results(run, requests)) == []


def test_the_morning_has_what_the_numbers_say_too() -> None:
    run = ended(a_run(), Outcome.COMPLETED, Outcome.COMPLETED)
    results = model_results(run, every("alpha") + every("beta"))

    found = morning_lines(run, results)

    assert found[: len(summary_lines(run, results))] == summary_lines(run, results)
    assert any("median" in line for line in found)


def test_limits_and_goodput_come_back_from_a_results_file() -> None:
    run = a_run()
    plan = replace(
        run.plan,
        goodput=LIMITS["chat"],
        limits=RunLimits(max_s=60.0, min_free_disk_bytes=5, max_temperature_c=80.0),
        stops_repetition=False,
    )
    run = replace(ended(run, None, None), plan=plan, status=RunStatus.INTERRUPTED, reason="too hot")
    requests = every("alpha")
    content = results_object(run, requests)

    again = read_run(results_json(content), "f.json", now_unix_ms=0).run

    assert (again.reason, again.plan.goodput) == ("too hot", plan.goodput)
    assert (again.plan.limits, again.plan.stops_repetition) == (plan.limits, False)
    summary = content["summary"]
    assert isinstance(summary, list)
    assert summary[0]["goodput"]["limits"] == {"name": "chat", "ttft_s": 2.0, "per_token_s": 0.2}
    assert (summary[0]["goodput"]["good"], summary[1]["goodput"]["share"]) == (6, None)


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (None, "unknown until the first answers: none of these models was measured here before"),
        (
            Estimate(seconds=740, requests=12, run_ids=("3f2a91c0ab",)),
            "about 12 min, from 12 requests of run 3f2a91c0",
        ),
        (
            Estimate(seconds=0.2, requests=1, run_ids=("a", "b"), unknown=("phi",)),
            "at least about 1 s, from 1 request of runs a, b; never measured here: phi",
        ),
        (
            Estimate(seconds=60, requests=2, run_ids=("a",), is_least=True),
            "at least about 1 min, from 2 requests of run a",
        ),
    ],
)
def test_an_estimate_names_what_it_rests_on(estimate: Estimate | None, words: str) -> None:
    assert estimate_words(estimate) == words


def test_limits_are_told_one_by_one() -> None:
    limits = RunLimits(max_s=28_800, min_free_disk_bytes=5 << 30, max_temperature_c=85)

    assert limits_lines(RunLimits()) == ()
    assert limits_lines(limits) == (
        "no request later than 8 h after it began",
        "none with less than 5.00 GiB free on the disk",
        "none while the machine is hotter than 85 °C",
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "n/a"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3540, "59 min"),
        (3599, "1 h"),
        (28_740, "7 h 59 min"),
        (172_799, "2 d"),
        (180_000, "2 d 2 h"),
    ],
)
def test_spans_are_told_as_one_speaks_of_them(seconds: float | None, words: str) -> None:
    assert span_in_words(seconds) == words
