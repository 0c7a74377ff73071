"""A run as results: what is promised of each number, and that it comes back as it went out."""

import csv
import io
import json
from dataclasses import replace
from itertools import count

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import ModelRun, Order, Phase, PrecisionRule, RequestRun, Run, RunStatus
from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_csv import models_csv, requests_csv
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_reading import read_run
from foundry_tui.reports.run_results import model_results
from foundry_tui.reports.run_words import highlights, left_out_lines, memory_lines, model_row, worst_words
from tests.support.runs import a_request, a_run
from tests.support.timed import SENT_MS
from tests.support.timed import trace as timed
from tests.support.traces import random_trace

MS = 1_000_000


def trace(
    *stamps_ms: float,
    tokens: int | None = None,
    prompt_tokens: int | None = 10,
    outcome: Outcome = Outcome.COMPLETED,
    text: str = "word ",
) -> GenerationTrace:
    """Sent at 0, a chunk at each stamp."""
    chunks = tuple(
        ChunkReceived(at_ns=round(at * MS), text=text, read=number + 1) for number, at in enumerate(stamps_ms)
    )
    return GenerationTrace(
        call_ns=0,
        sent_ns=0,
        headers_ns=0,
        role_ns=0,
        chunks=chunks,
        end_ns=chunks[-1].at_ns if chunks else 0,
        usage=TokenUsage(prompt_tokens=prompt_tokens, completion_tokens=tokens) if tokens else None,
        outcome=outcome,
        error=None if outcome.is_timed else "it broke",
    )


def request(
    number: int, made: GenerationTrace, *, model: str = "alpha", phase: Phase = Phase.TIMED
) -> RequestRun:
    return replace(a_request(number, model=model), trace=made, phase=phase, round=number)


def ended(**models: Outcome | None) -> Run:
    """A completed run of alpha and beta, whose models were decided so."""
    outcomes = {"alpha": Outcome.COMPLETED, "beta": Outcome.COMPLETED} | models
    return replace(
        a_run(models=tuple(ModelRun(model=name, outcome=outcome) for name, outcome in outcomes.items())),
        status=RunStatus.COMPLETED,
        ended_unix_ms=9_000,
    )


def as_words(made: GenerationTrace) -> GenerationTrace:
    """With the server's words as JSON has them, which joins halves of a character; only answers keep them."""
    return replace(
        made,
        error=json.loads(json.dumps(made.error)),
        response_id=json.loads(json.dumps(made.response_id)),
        finish_reason=json.loads(json.dumps(made.finish_reason)),
        warnings=tuple(json.loads(json.dumps(made.warnings))),
    )


def summary_of(requests: list[RequestRun], run: Run | None = None, model: str = "alpha") -> dict[str, object]:
    """The summary of one model, the whole of it checked against the schema."""
    content = json.loads(results_json(results_object(run or ended(), requests)))
    jsonschema.validate(content, json_schema("results"))
    found: dict[str, object] = next(entry for entry in content["summary"] if entry["model"] == model)
    return found


def test_timed_requests_that_ended_well_are_pooled_and_the_others_are_counted_apart() -> None:
    requests = [
        request(1, trace(100, 200, tokens=2)),
        request(2, trace(300, 400, tokens=2, outcome=Outcome.TRUNCATED)),
        request(3, trace(900, outcome=Outcome.EARLY_END)),
        request(4, trace(5, 6, tokens=2), phase=Phase.WARMUP),
        request(5, trace(7, 8, tokens=2), phase=Phase.PROBE),
    ]

    summary = summary_of(requests)

    assert (summary["rounds_ok"], summary["tried"]) == (2, 3)
    assert summary["ttft_s"] == {
        "n": 2,
        "mean": 0.2,
        "median": 0.2,
        "p95": pytest.approx(0.29),
        "p95_supported": False,
        "min": 0.1,
        "max": 0.3,
        "stdev": pytest.approx(0.1414213562),
        "mean_interval": pytest.approx([-1.0706204737, 1.4706204737]),
        "median_interval": None,
    }
    assert summary["left_out"] == {"early_end": 1}
    assert summary["other_phases"] == {"probe": 1, "warmup": 1}
    # (2 − 1)/0.1 s for both; (10 + 2)/0.2 s and (10 + 2)/0.4 s.
    decode = summary["decode_tokens_per_s"]
    assert isinstance(decode, dict)
    assert (decode["min"], decode["max"]) == pytest.approx((10, 10))
    assert summary["legacy_tokens_per_s"] == pytest.approx((60 + 30) / 2)


def test_what_is_undefined_is_null_and_never_nought() -> None:
    summary = summary_of([request(1, trace(50))])

    nothing = {**dict.fromkeys(("mean", "median", "p95", "min", "max"), None), "n": 0, "p95_supported": False}
    for name in ("decode_tokens_per_s", "prompt_tokens"):
        found = summary[name]
        assert isinstance(found, dict)
        assert {key: found[key] for key in nothing} == nothing
    assert summary["gap_s"] == {"kind": "chunk", **nothing}
    assert [summary[name] for name in ("load_s", "peak_rss_bytes", "legacy_tokens_per_s", "quality")] == [
        None
    ] * 4


@pytest.mark.parametrize(
    ("rounds", "is_supported", "words"), [(58, False, "max 158 ms (n=58)"), (59, True, "156 ms")]
)
def test_p95_is_told_from_59_requests_on(rounds: int, is_supported: bool, words: str) -> None:
    requests = [request(n, trace(50, 100 + n, tokens=2)) for n in range(1, rounds + 1)]
    (result, _) = model_results(ended(), requests)

    summary = summary_of(requests)

    latency = summary["latency_s"]
    assert isinstance(latency, dict)
    assert latency["p95_supported"] is is_supported
    assert worst_words(result.summary.latency_s) == words


@pytest.mark.parametrize(("tokens", "kind"), [(4, "token"), (8, "chunk"), (None, "chunk")])
def test_gaps_are_of_tokens_only_where_a_chunk_is_one(tokens: int | None, kind: str) -> None:
    gaps = summary_of([request(1, trace(10, 20, 40, 50, tokens=tokens))])["gap_s"]

    assert isinstance(gaps, dict)
    assert gaps["kind"] == kind
    assert (gaps["n"], gaps["median"], gaps["max"]) == (3, 0.01, 0.02)


@pytest.mark.parametrize(
    ("decided", "made", "status"),
    [
        (Outcome.COMPLETED, [Outcome.COMPLETED, Outcome.TRUNCATED], "completed"),
        (Outcome.COMPLETED, [Outcome.COMPLETED, Outcome.HTTP_ERROR, Outcome.MALFORMED], "http_error"),
        (Outcome.NOT_LOADED, [], "not_loaded"),
        (None, [Outcome.COMPLETED], "cancelled"),
        (None, [Outcome.COMPLETED, Outcome.STALLED], "stalled"),
    ],
)
def test_a_model_is_completed_only_if_all_of_it_ended_well(
    decided: Outcome | None, made: list[Outcome], status: str
) -> None:
    requests = [
        request(number, trace(10, outcome=outcome)) for number, outcome in zip(count(1), made, strict=False)
    ]

    assert summary_of(requests, ended(alpha=decided))["status"] == status


def test_what_fails_before_timing_fails_no_model_and_its_memory_is_no_peak() -> None:
    requests = [
        replace(request(1, trace(5, outcome=Outcome.STALLED), phase=Phase.WARMUP), peak_rss_bytes=900),
        replace(request(2, trace(10, 20, tokens=2)), peak_rss_bytes=300),
        replace(request(3, trace(10, 20, tokens=2)), peak_rss_bytes=400),
    ]

    summary = summary_of(requests)

    assert (summary["status"], summary["rounds_ok"], summary["peak_rss_bytes"]) == ("completed", 2, 400)


def test_a_failed_model_is_named_with_its_reason_and_the_good_ones_stay() -> None:
    run = ended(beta=Outcome.OUT_OF_MEMORY)
    run = replace(run, models=(run.models[0], replace(run.models[1], reason="\x1b[31mno room")))
    requests = [request(1, trace(10, 20, tokens=2))]

    results = model_results(run, requests)

    assert left_out_lines(results) == ["beta: out of memory: ␛[31mno room"]
    assert model_row(results[1], rounds=6)[:3] == ("beta", "out of memory", "0/6")
    assert "beta: out of memory" in run_markdown(run, requests)


def test_answers_with_hidden_tokens_have_two_speeds_in_every_report_and_no_inflated_one() -> None:
    # 40 of 440 tokens are shown, 10 ms apart, after 4 s: over the time they were shown in, 1,100 tok/s.
    made = [
        timed((10.0,) * 39, ttft_ms=4050, role_ms=50 + shift, completion=440, reasoning=400, sent_ms=SENT_MS)
        for shift in (0, 100, -100)
    ]
    requests = [request(number, one) for number, one in enumerate(made, start=1)]

    summary = summary_of(requests)
    hidden = summary["hidden"]
    assert isinstance(hidden, dict)
    rate = summary["decode_tokens_per_s"]
    assert isinstance(rate, dict)
    assert (summary["hidden_token_answers"], rate["n"]) == (3, 0)
    assert (hidden["answers"], hidden["is_estimate"]) == (3, False)
    assert hidden["thinking_s"]["median"] == 4.0
    assert hidden["visible_tokens_per_s"]["median"] == pytest.approx(100)
    assert hidden["overall_tokens_per_s"]["median"] == pytest.approx(440 / 4.39)
    assert (
        "alpha: no decode rate for 3 answers, whose count holds hidden tokens: 100 tok/s shown after 4.00 s"
        " of hidden tokens, 100 tok/s with them (medians)"
    ) in left_out_lines(model_results(ended(), requests))


def test_highlights_claim_no_more_than_the_pairs_show() -> None:
    few = [
        replace(
            request(number, trace(10, 20 + 10 * (number % 2), tokens=2), model=model),
            round=(number + 1) // 2,
        )
        for number, model in enumerate(("alpha", "beta") * 2, start=1)
    ]
    many = [
        replace(
            request(2 * number + place, trace(10 * (place + 1), 30 * (place + 1), tokens=2), model=model),
            round=number,
        )
        for number in range(1, 9)
        for place, model in enumerate(("alpha", "beta"))
    ]

    assert any("too few rounds" in line for line in highlights(model_results(ended(), few)))
    (faster, *_) = highlights(model_results(ended(), many))
    assert "alpha is faster than beta by 100.0 %" in faster


@pytest.mark.parametrize(("order", "is_shared"), [(Order.INTERLEAVED, True), (Order.BLOCKED, False)])
def test_memory_of_a_process_that_holds_several_models_is_claimed_for_none(
    order: Order, is_shared: bool
) -> None:
    run = ended()
    run = replace(run, plan=replace(run.plan, order=order))
    requests = [
        replace(request(1, trace(10, 20, tokens=2)), peak_rss_bytes=400),
        replace(request(2, trace(10, 20, tokens=2), model="beta"), peak_rss_bytes=400),
    ]

    said = memory_lines(run, model_results(run, requests))

    assert bool(said) is is_shared
    assert all(line in run_markdown(run, requests) for line in said)
    assert not any("peak" in line for line in highlights(model_results(run, requests)))


def test_a_run_that_has_not_ended_is_interrupted() -> None:
    content = results_object(a_run(), [])

    run = content["run"]
    assert isinstance(run, dict)
    assert run["status"] == "interrupted"


@pytest.mark.parametrize("seed", range(20))
def test_a_run_comes_back_as_it_went_out(seed: int) -> None:
    plan = replace(a_run().plan, precision=PrecisionRule(), is_deterministic=bool(seed % 2), temperature=None)
    run = replace(
        ended(),
        plan=replace(plan, name="a name"),
        name="a name",
        environment=(("cpu", "ü\x7f"),),
        tags=("x",),
    )
    requests = tuple(replace(a_request(n), trace=as_words(random_trace(seed * 10 + n))) for n in range(1, 4))

    text = results_json(results_object(run, requests))
    back = read_run(text, "run.json", now_unix_ms=0)

    assert text.isascii()
    assert "\x7f" not in text
    assert (back.run, back.requests) == (run, requests)


def test_halves_of_a_character_that_came_apart_come_back_apart() -> None:
    made = replace(
        trace(1, 2, tokens=2),
        chunks=(
            ChunkReceived(at_ns=1, text="\ud83d", read=1),
            ChunkReceived(at_ns=2, text="\ude00", read=2),
            ChunkReceived(at_ns=3, text="hm", kind=ChunkKind.REASONING, read=3),
        ),
        end_ns=4,
    )
    run, requests = ended(), (request(1, made),)

    back = read_run(results_json(results_object(run, requests)), "run.json", now_unix_ms=0)

    assert back.requests == requests


def test_no_cell_of_a_table_is_a_formula() -> None:
    hostile = ("=1+1", "+1", "-1", "@x", "\t=1", " =1", "＝1")
    requests = [
        replace(request(number, trace(10, 20, tokens=2)), prompt_id=text)
        for number, text in enumerate(hostile, 1)
    ]

    rows = list(csv.reader(io.StringIO(requests_csv(ended(), requests))))
    models = list(csv.reader(io.StringIO(models_csv(ended(), requests))))

    place = rows[0].index("prompt_id")
    assert [row[place] for row in rows[1:]] == [f"'{text}" for text in hostile]
    assert [len(row) for row in models] == [len(models[0])] * 3
    assert dict(zip(*models[:2], strict=True))["rounds_ok"] == "7"
