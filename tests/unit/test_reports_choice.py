"""A choice as rows, sentences, JSON and a decision record: with reasons, and harmless."""

import json
from dataclasses import replace

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import ModelRun, Order, Phase, RequestRun, Run
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.candidate import Candidate, Dimension, Figure, Latency, Memory, Throughput, Unknown
from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.selection import Fit, Limits
from foundry_tui.reports.candidates import candidates_of, unlike_lines
from foundry_tui.reports.choice import Choice, choice
from foundry_tui.reports.choice_json import choice_object
from foundry_tui.reports.choice_tables import (
    VALUES_HEADER,
    WHO_HEADER,
    cut_lines,
    letters,
    values_rows,
    who_rows,
)
from foundry_tui.reports.choice_words import choice_rows, front_lines, limit_lines, weights_line, why_lines
from foundry_tui.reports.decision import decision_markdown
from tests.support.choices import a_candidate, a_run_quality, all_scored, samples, scores_of
from tests.support.hostile import CORPUS, Payload, harm_in
from tests.support.runs import a_request, a_run

FACTS = (("device", "cpu"), ("license", "MIT"), ("disk_bytes", "1048576"))
FAST = a_candidate("fast", latency=1.0, quality=3.0, drawn=samples((1.0,) * 6))
GOOD = a_candidate("good", drawn=samples((2.0,) * 6))
BLANK = a_candidate("blank", latency=3.0, quality=None, drawn=samples((3.0,) * 6))


def measured(*, order: Order = Order.BLOCKED, facts: tuple[tuple[str, str], ...] = FACTS) -> Run:
    """Two models of one run."""
    run = a_run(models=tuple(ModelRun(model=name, model_id=f"{name}-cpu:1", facts=facts) for name in "ab"))
    return replace(run, plan=replace(run.plan, models=("a", "b"), order=order))


def requests(model: str, count: int = 6, *, rss: int | None = 1 << 20) -> list[RequestRun]:
    """Answers of 60 ms, that come in two pieces 10 ms apart."""
    return [replace(a_request(n, model=model), round=n, peak_rss_bytes=rss) for n in range(1, count + 1)]


def record(found: Choice, *runs: Run) -> str:
    return decision_markdown(found, runs or (measured(),), made_unix_ms=0)


def test_a_candidate_has_what_the_record_has() -> None:
    made = [*requests("a"), *(replace(each, number=each.number + 6) for each in requests("b"))]
    scored = a_run_quality(measured(), made, all_scored(made[:4], 5))

    a, b = candidates_of(measured(), made, scored)

    assert not isinstance(a.latency, Unknown)
    assert not isinstance(a.throughput, Unknown)
    assert (a.model_id, a.answers, a.latency.e2e_s.value, a.latency.e2e_s.n) == ("a-cpu:1", 6, 0.06, 6)
    assert a.latency.p95_s is None
    assert isinstance(a.throughput.characters_per_s, Figure)
    assert a.throughput.characters_per_s.value == 400.0
    assert (a.memory, a.quality) == (Memory(rss_bytes=1 << 20, vram_bytes=None), Figure(value=5.0, n=4))
    # All four are good: what one waits for an answer is what one waits for a good one.
    assert a.time_to_good == Figure(value=0.06, n=4)
    assert (b.quality, b.time_to_good) == (Unknown("not scored"), Unknown("not scored"))
    assert [(one.prompt_id, one.total, one.answers) for one in a.scores] == [(made[0].prompt_id, 20.0, 4)]
    assert (a.footprint_bytes, a.license, len(a.samples)) == (1 << 20, "MIT", 6)


@pytest.mark.parametrize(
    ("run", "rss", "why"),
    [
        (measured(), None, "was not read"),
        (measured(order=Order.INTERLEAVED), 5, "other models were in the engine's process"),
        (measured(facts=(("device", "gpu"),)), 5, "GPU memory was not read"),
        (measured(facts=()), 5, "GPU memory was not read"),
    ],
)
def test_memory_that_is_not_the_models_own_is_unknown(run: Run, rss: int | None, why: str) -> None:
    (a, _) = candidates_of(run, [*requests("a", rss=rss), *requests("b", rss=rss)])

    assert isinstance(a.memory, Unknown)
    assert why in a.memory.why


@pytest.mark.parametrize("told", ["1e9", "-5", "9" * 30, "٣", ""])
def test_a_size_that_is_no_number_is_unknown(told: str) -> None:
    a, _ = candidates_of(measured(facts=(("disk_bytes", told),)), requests("a"))

    assert isinstance(a.footprint_bytes, Unknown)
    assert a.license == Unknown("the record has no licence of it")


def test_a_model_that_failed_has_reasons_and_is_not_known_to_fit() -> None:
    failed = replace(
        a_request(1, model="b"), trace=replace(a_request().trace, outcome=Outcome.HTTP_ERROR, error="oom")
    )
    found = choice(candidates_of(measured(), [*requests("a"), failed]), Limits())

    assert [each.fit for each in found.judged] == [Fit.FITS, Fit.NOT_KNOWN]
    assert found.judged[1].candidate.latency == Unknown("no request of it ended well: oom")
    assert why_lines(found) == ["b-cpu:1 is not known to fit: none of its answers counts"]


def test_what_is_not_timed_is_in_no_sample() -> None:
    warm = replace(a_request(9, model="a"), phase=Phase.WARMUP)

    a, _ = candidates_of(measured(), [warm, *requests("a")])

    assert len(a.samples) == 6


def test_runs_that_were_not_measured_alike_and_answers_of_other_lengths_are_told() -> None:
    other = replace(measured(), id="b2", plan=replace(measured().plan, max_tokens=7))
    short, long = replace(FAST, answer_tokens=10.0), replace(GOOD, answer_tokens=20.0)

    assert unlike_lines([measured(), other], []) == [
        "runs a1 and b2 were not measured alike: max_tokens 120 ≠ 7"
    ]
    assert "10 to 20 tokens" in unlike_lines([measured()], [short, long])[0]
    assert unlike_lines([measured()], [short, replace(GOOD, answer_tokens=10.5)]) == []


def test_failing_cells_say_why_and_unknown_ones_that_they_were_asked_for() -> None:
    found = choice([FAST, GOOD, BLANK], Limits(min_quality=4.0, max_latency_s=2.9))

    fast, good, blank = choice_rows(found)
    assert (fast[1], good[1], blank[1]) == ("no", "yes", "no")
    assert fast[6] == "3.00 (fails: under 4)"
    assert (good[3], good[6], good[8]) == ("2.00 s", "4.00", "MIT")
    assert blank[6] == "n/a (asked for)"
    assert why_lines(found) == [
        "fast-cpu:1 does not fit: quality 3 is under 4",
        "blank-cpu:1 does not fit: latency 3 s is over 2.9 s",
        "blank-cpu:1, besides: quality: nobody looked",
    ]


def test_a_model_without_a_good_answer_has_no_time_to_one() -> None:
    made = requests("a")

    a, _ = candidates_of(measured(), made, a_run_quality(measured(), made, all_scored(made, 3)))

    assert (a.quality, a.time_to_good) == (
        Figure(value=3.0, n=6),
        Unknown("none of its 6 scored answers is good"),
    )


def widths(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> int:
    columns = zip(header, *rows, strict=True)
    return sum(max(map(len, column)) for column in columns) + 2 * (len(header) - 1)


LONG = replace(
    a_candidate(f"model-{'very-' * 20}long", declared="a licence of many words, and then some"),
    latency=Latency(
        e2e_s=Figure(value=125.0, interval=Interval(121.0, 3700.0), n=120),
        ttft_s=Figure(value=1.0),
        p95_s=3600.0,
    ),
    throughput=Throughput(
        tokens_per_s=Figure(value=11234.5, interval=Interval(10000.0, 12000.0), n=120, is_estimate=True),
        characters_per_s=Figure(value=123456.0),
    ),
    memory=Memory(rss_bytes=1_000 << 20, vram_bytes=1_000 << 30),
    quality=Figure(value=3.25, interval=Interval(3.0, 3.5), n=12),
    time_to_good=Figure(value=200.0, interval=Interval(150.0, 4000.0), n=12),
)


def test_the_tables_fit_into_80_columns_and_lose_nothing() -> None:
    found = choice([LONG, GOOD, BLANK], Limits(max_latency_s=2.5, min_quality=3.5, licenses=("MIT",)))

    who, values = who_rows(found), values_rows(found)

    assert (widths(WHO_HEADER, who) <= 80, widths(VALUES_HEADER, values) <= 80) == (True, True)
    assert who[1] == ("B", "good-cpu:1", "yes", "6/6", "500 B", "MIT")
    assert (who[0][2], who[2][2]) == ("no", "no")
    assert cut_lines(found) == [f"A: {LONG.model_id}; license ! a licence of many words, and then some"]
    shown = {cell.strip() for row in values for cell in row}
    assert {"! 2 min 05 s", "[2 min 01 s,", "61 min 40 s]", "n=120", "p95 60 min 00 s"} <= shown
    assert {
        "~11,234 tok/s",
        "[10,000.0,",
        "123,456 char/s",
        "+ VRAM",
        "1000 GiB",
        "! 3.25",
        "3 min 20 s",
    } <= shown
    assert "? n/a" in {row[4] for row in values}


def test_candidates_have_letters_and_after_z_two() -> None:
    assert [letters(28)[place] for place in (0, 25, 26, 27)] == ["A", "Z", "AA", "AB"]


def test_quality_that_is_not_drawn_is_said_to_be_so() -> None:
    many = replace(FAST, scores=scores_of(3, 3, 3, 3, 3, 3))

    said = front_lines(choice([many, GOOD], Limits()))

    why = "fewer than 6 of its prompts are scored"
    assert f"quality stays as it is in the resamples: good-cpu:1 ({why})" in said


def test_what_breaks_a_limit_by_a_hair_does_not_look_as_if_it_kept_to_it() -> None:
    found = choice([a_candidate(latency=2.000001)], Limits(max_latency_s=2.0))

    assert why_lines(found) == ["alpha-cpu:1 does not fit: latency 2.000001 is over 2.0"]


def test_the_pareto_list_has_shares_and_what_was_not_compared() -> None:
    found = choice([FAST, GOOD, BLANK], Limits())

    lines = front_lines(found)

    assert lines[0].startswith(
        "fast-cpu:1: on the Pareto front; of 1,000 resamples it is on the front in 100 %"
    )
    assert lines[2].startswith(
        "blank-cpu:1: fast-cpu:1 is better in latency and worse in nothing (not compared: quality); good"
    )
    assert lines[-1] == "not compared in quality: blank-cpu:1 (nobody looked)"


def test_a_cell_tells_the_limit_that_it_breaks_and_the_value_that_it_does_not_show() -> None:
    limits = Limits(max_latency_s=1.5, max_ttft_s=0.1, max_memory_bytes=999, licenses=("a", "b"))

    (row,) = choice_rows(choice([GOOD], limits))

    assert row[3] == "2.00 s (fails: over 1.5 s; TTFT 0.2 s is over 0.1 s)"
    assert row[5] == "1000 B (fails: over 999 B)"
    assert row[8] == "MIT (fails: not among a, b)"


def test_weights_give_an_order_beside_and_name_who_is_left_out() -> None:
    found = choice([FAST, GOOD, BLANK], Limits(), weights={Dimension.QUALITY: 2, Dimension.LATENCY: 1})

    assert weights_line(found) == (
        "by the weights quality=2, latency=1 (ranks, no distances): 1. good-cpu:1, 2. fast-cpu:1;"
        " blank-cpu:1 is left out, quality unknown"
    )
    assert weights_line(choice([FAST], Limits())) is None


def test_the_choice_flips_with_the_quality_that_is_asked_for() -> None:
    both = [a_candidate("hasty", latency=1.0, quality=3.2), a_candidate("careful", quality=4.4, characters=9)]

    assert [each.model for each in choice(both, Limits()).front] == ["hasty", "careful"]
    assert [each.model for each in choice(both, Limits(min_quality=4)).front] == ["careful"]
    text = record(choice(both, Limits(min_quality=4)))
    assert "**careful-cpu:1**: the only one that fits." in text


def test_the_json_is_what_its_schema_promises() -> None:
    limits = Limits(max_latency_s=2.5, min_quality=4.0, licenses=("mit",))
    found = choice([FAST, GOOD, BLANK], limits, weights={Dimension.LATENCY: 1})

    told = json.loads(json.dumps(choice_object(found)))

    jsonschema.validate(told, json_schema("choice"))
    assert told["limits"] == {"max_latency_s": 2.5, "min_quality": 4.0, "licenses": ["mit"]}
    assert [each["fit"] for each in told["candidates"]] == ["does-not-fit", "fits", "does-not-fit"]
    assert (told["front"], told["weighted"]["places"]) == ([1], [[1]])
    assert told["candidates"][2]["quality"]["unknown"] == "nobody looked"
    assert told["stability"]["candidates"][1]["fits"] == 1.0
    assert told["stability"]["candidates"][1]["drawn"] == ["latency", "throughput"]
    assert told["candidates"][0]["time_to_good"] == {"unknown": "nobody looked", "seconds": None}


def test_the_same_choice_is_written_the_same() -> None:
    once, again = (record(choice([FAST, GOOD], Limits())) for _ in range(2))

    assert once == again


def test_a_decision_record_has_all_that_it_rests_on() -> None:
    run = replace(measured(), environment=(("cpu", "Known 9"),))
    found = choice([FAST, GOOD, BLANK], Limits(min_quality=4.0))

    text = record(found, run)

    for part in (
        "## Question",
        "- quality at least 4",
        "|good-cpu:1|yes|6/6|2.00 s|",
        "  - latency: 2.00 s",
        "  - quality, 1 to 5: not known, nobody looked",
        "- fast-cpu:1 does not fit: quality 3 is under 4",
        "**good-cpu:1**: the only one that fits.",
        "- fast-cpu:1 would fit if quality at least 3 were enough",
        "- blank-cpu:1 would fit if its quality turned out at least 4",
        "- id: a1",
        "- cpu: Known 9",
    ):
        assert part in text, part


def test_with_several_on_the_front_the_record_leaves_it_open_and_says_who_is_first_in_what() -> None:
    text = record(choice([FAST, GOOD], Limits()))

    assert "Open between **fast-cpu:1**, **good-cpu:1**" in text
    assert "- latency: fast-cpu:1\n" in text
    assert "- quality: good-cpu:1\n" in text


def test_with_nobody_who_fits_the_record_says_what_would_have_to_change() -> None:
    text = record(choice([FAST, GOOD], Limits(max_latency_s=0.5)))

    assert "None: no candidate is known to fit." in text
    assert "- good-cpu:1 would fit if latency at most 2 s were enough" in text


@pytest.mark.parametrize("live", ["<img src=x>", "[a](javascript:b)", "**bold**", "`code`", "a|b"])
def test_markdown_in_names_licences_and_reasons_is_plain_words_in_the_record(live: str) -> None:
    named = replace(GOOD, model_id=live, license=live, quality=Unknown(live), footprint_bytes=Unknown(live))
    run = replace(measured(facts=((live, live),)), name=live, id=live, environment=((live, live),))

    text = decision_markdown(
        choice([named, FAST], Limits(min_quality=4.0, licenses=(live,))), [run], made_unix_ms=0, question=live
    )

    assert live not in text


@pytest.mark.parametrize("payload", CORPUS[::20], ids=lambda payload: payload.name)
def test_hostile_names_licences_and_reasons_are_harmless(payload: Payload) -> None:
    bad, unsampled = payload.text, replace(GOOD, samples=())
    hostile = replace(unsampled, model=bad, model_id=bad or None, license=bad or "x", quality=Unknown(bad))
    failing: Candidate = replace(hostile, run_id=bad or "x", latency=Unknown(bad), throughput=Unknown(bad))
    run = replace(measured(facts=(("license", bad or "x"), (bad or "x", bad))), name=bad)
    limits = Limits(max_latency_s=9.0, licenses=(bad if bad.strip() else "mit",))
    found = choice([hostile, failing], limits, weights={Dimension.LATENCY: 1})

    lines = [*why_lines(found), *front_lines(found), *limit_lines(limits), weights_line(found) or ""]
    lines += [part for row in choice_rows(found) for part in row]
    text = record(found, run)

    assert all("\n" not in line for line in lines)
    assert harm_in("".join([*lines, *text.split("\n")])) == set()
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len(headings) == len({line for line in headings if line.startswith(("# Which", "## "))})
