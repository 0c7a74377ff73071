"""``foundry-tui compare``: what can be said, what is refused, and when a limit is broken."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import ModelRun, RequestRun, Run, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.reports.results import results_json, results_object
from tests.cli.program import Ended, one_process
from tests.support.runs import a_request, a_run

# Of one shape, but no two alike, so that every round is a reading of its own.
NOISE = (0.0, 0.011, -0.013, 0.007, -0.004, 0.016, -0.009, 0.003)
FACTS = (("alias", "alpha"), ("device", "cpu"), ("execution_provider", "CPUExecutionProvider"))
ENVIRONMENT = (("engine", "managed"), ("onnxruntime", "1.31"), ("cpu", "fast"), ("threads", "8"))


def a_measurement(
    run_id: str,
    factor: float = 1.0,
    *,
    rounds: int = 8,
    environment: tuple[tuple[str, str], ...] = ENVIRONMENT,
) -> tuple[Run, list[RequestRun]]:
    """Alpha, and beta of half its speed; everything takes ``factor`` times as long."""
    models = tuple(
        ModelRun(model=name, model_id=f"{name}-cpu:1", outcome=Outcome.COMPLETED, facts=facts)
        for name, facts in (("alpha", FACTS), ("beta", (("alias", "beta"), *FACTS[1:])))
    )
    run = replace(a_run(run_id, models=models), status=RunStatus.COMPLETED, environment=environment)
    numbers = count(1)
    requests = [
        _stretched(
            replace(a_request(next(numbers), model=model), round=number),
            factor * share * (1 + NOISE[(number * (1 + 2 * place) + ord(run_id[0])) % len(NOISE)]),
        )
        for number in range(1, rounds + 1)
        for place, (model, share) in enumerate((("alpha", 1), ("beta", 2)))
    ]
    return run, requests


def _stretched(request: RequestRun, factor: float) -> RequestRun:
    """The same answer, with every reading after the sending ``factor`` times as late."""
    trace = request.trace
    assert trace.sent_ns is not None
    assert trace.end_ns is not None
    sent_ns = trace.sent_ns

    def late(at_ns: int) -> int:
        return sent_ns + round((at_ns - sent_ns) * factor)

    return replace(
        request,
        trace=replace(
            trace,
            headers_ns=None,
            role_ns=None,
            chunks=tuple(replace(chunk, at_ns=late(chunk.at_ns)) for chunk in trace.chunks),
            end_ns=late(trace.end_ns),
        ),
    )


def compared(
    folder: Path, *commands: tuple[str, ...], runs: tuple[tuple[Run, list[RequestRun]], ...]
) -> list[Ended]:
    """How each ``compare`` with these arguments ended, of runs that were taken in before."""
    for run, requests in runs:
        (folder / f"{run.id}.json").write_text(results_json(results_object(run, requests)))
    files = tuple(str(folder / f"{run.id}.json") for run, _ in runs)
    lines = [("runs", "import", *files), *(("compare", *command) for command in commands)]
    taken, *ends = one_process(lines, data_dir=folder / "data")
    assert taken.code == 0, taken.err
    return ends


def only(end: Ended) -> dict[str, Any]:
    content = json.loads(end.out)
    jsonschema.validate(content, json_schema("comparison"))
    (found,) = content["comparisons"]
    assert isinstance(found, dict)
    return found


def test_two_models_of_a_run_are_compared_and_the_sentence_claims_what_was_shown(tmp_path: Path) -> None:
    words, values = compared(
        tmp_path, ("aaaa", "aaaa"), ("aaaa/alpha", "aaaa/beta", "--json"), runs=(a_measurement("aaaa"),)
    )

    latency = only(values)["measures"]["latency_s"]
    assert (words.code, values.code) == (0, 0)
    assert "beta is slower than alpha by " in words.out
    assert (latency["verdict"], latency["pairs"]) == ("slower", 8)
    assert latency["interval"][0] < 2 < latency["interval"][1]
    assert 1.98 < latency["ratio"] < 2.02
    assert only(values)["measures"]["decode_tokens_per_s"]["verdict"] == "slower"


def test_a_limit_is_broken_only_by_the_whole_interval(tmp_path: Path) -> None:
    runs = (a_measurement("aaaa"), a_measurement("bbbb", 1.2))
    a, b = "aaaa/alpha", "bbbb/alpha"

    broken, kept, unclear, faster, by_rate = compared(
        tmp_path,
        (a, b, "--fail-if-slower", "10%"),
        (a, b, "--fail-if-slower", "30"),
        (a, b, "--fail-if-slower", "20", "--json"),
        (b, a, "--fail-if-slower", "0"),
        (a, b, "--fail-if-slower", "10", "--measure", "decode_tokens_per_s"),
        runs=runs,
    )

    assert (broken.code, "beyond the limit of 10 %" in broken.err) == (4, True)
    assert (kept.code, kept.err) == (0, "")
    assert (unclear.code, "cannot be told" in unclear.err) == (0, True)
    low, high = only(unclear)["slower_share"]
    assert low < 0.2 < high
    assert only(unclear)["limit_broken"] is False
    assert faster.code == 0
    assert by_rate.code == 4


def test_too_few_rounds_are_no_verdict_and_say_how_many_more(tmp_path: Path) -> None:
    runs = (a_measurement("aaaa", rounds=2), a_measurement("bbbb", 9, rounds=2))

    (end,) = compared(tmp_path, ("aaaa/alpha", "bbbb/alpha", "--fail-if-slower", "10"), runs=runs)

    assert end.code == 0
    assert "too few rounds" in end.out
    assert "4 more" in end.out
    assert "too few rounds to tell whether the limit" in end.err


def test_what_differs_besides_is_refused_with_the_field_named(tmp_path: Path) -> None:
    other = tuple((name, "slow" if name == "cpu" else value) for name, value in ENVIRONMENT)
    newer = tuple((name, "1.32" if name == "onnxruntime" else value) for name, value in ENVIRONMENT)
    run, requests = a_measurement("dddd")
    longer = replace(run, plan=replace(run.plan, max_tokens=7)), requests
    runs = (
        a_measurement("aaaa"),
        a_measurement("bbbb", environment=other),
        a_measurement("cccc", environment=newer),
        longer,
    )

    machine, version, meant, plan, model, unknown = compared(
        tmp_path,
        ("aaaa", "bbbb"),
        ("aaaa", "cccc"),
        ("aaaa", "cccc", "--across", "version"),
        ("aaaa", "dddd"),
        ("aaaa/alpha", "cccc/beta", "--across", "model"),
        ("aaaa/gamma", "bbbb"),
        runs=runs,
    )

    assert (machine.code, machine.out) == (2, "")
    assert "not comparable: cpu fast ≠ slow\n" in machine.err
    assert (version.code, "version of onnxruntime 1.31 ≠ 1.32" in version.err) == (2, True)
    assert meant.code == 0
    assert len(meant.out.splitlines()) == 10  # of each model four measures and its answers
    assert (plan.code, "max_tokens 120 ≠ 7" in plan.err) == (2, True)
    assert (model.code, "version of onnxruntime" in model.err) == (2, True)
    assert (unknown.code, "no model 'gamma'" in unknown.err) == (2, True)


def test_two_runs_tell_how_many_answers_are_the_same_and_two_models_do_not(tmp_path: Path) -> None:
    before, (run, requests) = a_measurement("aaaa"), a_measurement("bbbb")
    changed = [
        replace(one, trace=replace(one.trace, chunks=one.trace.chunks[:1])) if one.number < 5 else one
        for one in requests
    ]

    words, values, models = compared(
        tmp_path,
        ("aaaa/alpha", "bbbb/alpha"),
        ("aaaa/alpha", "bbbb/alpha", "--json"),
        ("bbbb/alpha", "bbbb/beta", "--json"),
        runs=(before, (run, changed)),
    )

    assert "6 of 8 answers of alpha unchanged\n" in words.out
    assert only(values)["answers"] == {"unchanged": 6, "compared": 8, "left_out": 0}
    assert only(models)["answers"] is None


def test_a_limit_is_not_broken_by_what_was_not_shown(tmp_path: Path) -> None:
    run, requests = a_measurement("aaaa", rounds=6)
    # Five of six pairs slower: the interval lies above 1 %, but signs like these come by chance too often.
    later = [_stretched(one, 0.999 if one.round == 6 else 1.1 + one.round / 100) for one in requests]

    words, values = compared(
        tmp_path,
        ("aaaa/alpha", "bbbb/alpha", "--fail-if-slower", "1"),
        ("aaaa/alpha", "bbbb/alpha", "--fail-if-slower", "1", "--json"),
        runs=((run, requests), (replace(run, id="bbbb"), later)),
    )

    found = only(values)
    assert found["slower_share"][0] > 0.01
    assert found["measures"]["latency_s"]["verdict"] == "no-difference-shown"
    assert (words.code, "cannot be told" in words.err) == (0, True)
    assert found["limit_broken"] is False


def test_a_model_is_found_by_its_alias_too_if_only_one_has_it(tmp_path: Path) -> None:
    run, requests = a_measurement("aaaa")
    both = tuple(replace(model, facts=(("alias", "both"),)) for model in run.models)

    fine, unclear = compared(
        tmp_path,
        ("aaaa/alpha-cpu", "aaaa/beta-cpu:1"),
        ("aaaa/both", "aaaa/beta"),
        runs=((replace(run, models=both), requests),),
    )

    assert (fine.code, "beta is slower than alpha" in fine.out) == (0, True)
    assert (unclear.code, "several models 'both'" in unclear.err) == (2, True)
