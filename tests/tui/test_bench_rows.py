"""What the benchmark page says of numbers: honest of few, n/a of none, harmless of names."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import Phase, PrecisionRule
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.measures import Measure
from foundry_tui.metrics.spread import spread
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.presenters import left_in_words
from foundry_tui.tui.screens.bench_rows import (
    COLUMNS,
    detail_lines,
    histogram,
    rows_of,
    spread_cell,
    state_words,
    under_way_words,
)
from foundry_tui.tui.screens.bench_tally import RunTally
from foundry_tui.tui.terminal_title import bench_title
from foundry_tui.tui.widgets.table_parts import Emphasis
from tests.support.hostile import CORPUS, Payload, harm_in
from tests.support.timed import request, trace
from tests.tui.benched import QWEN, SMOLLM, answers, ended, in_flight, running


def cells(state: BenchState, model: str = QWEN) -> dict[str, str]:
    tally = RunTally()
    tally.take(state)
    rows = rows_of(state, tally, name_cells=40, is_plain=False)
    row = next(row for row in rows if row.key == model)
    return dict(zip((column.key for column in COLUMNS), row.cells, strict=True))


def test_of_fewer_than_six_readings_the_worst_is_told_with_their_number() -> None:
    assert spread_cell(spread([1.0, 2.31, 1.5]), Measure.LATENCY) == "max 2.31 (n=3)"
    assert spread_cell(spread([41.0, 38.2, 40.0]), Measure.DECODE_RATE) == "min 38.2 (n=3)"
    assert spread_cell(spread([812.4]), Measure.DECODE_RATE, mark="~") == "~min 812 (n=1)"


def test_from_six_readings_on_it_is_the_median_and_half_of_its_interval() -> None:
    # Of six the interval goes from end to end: 1.00 to 1.30, so half of it is 0.15; the median is 1.15.
    found = spread([1.0, 1.1, 1.1, 1.2, 1.2, 1.3])

    assert spread_cell(found, Measure.LATENCY) == "1.15 ± 0.15"
    assert spread_cell(found, Measure.TTFT, scale=1000) == "1150 ± 150"


def test_a_narrow_interval_gets_the_digits_that_it_needs() -> None:
    assert spread_cell(spread([1.0, 1.002, 1.002, 1.004, 1.004, 1.006]), Measure.LATENCY) == "1.003 ± 0.003"


def test_without_a_reading_it_is_not_available_and_never_nought() -> None:
    state = running(request(1, trace(outcome=Outcome.TIMEOUT), model=QWEN))

    row = cells(state)
    assert (row["ttft"], row["rate"], row["latency"], row["memory"]) == ("n/a",) * 4
    assert row["spread"] == ""


def test_an_estimated_rate_carries_its_mark() -> None:
    state = running(request(1, trace([10.0] * 9), model=QWEN))

    assert cells(state)["rate"] == "~min 100 (n=1)"


def test_warm_up_enters_no_number_and_a_cancelled_request_is_not_done() -> None:
    state = running(
        request(1, model=QWEN, phase=Phase.WARMUP),
        request(2, trace(outcome=Outcome.CANCELLED), model=QWEN),
        request(3, trace(completion=10), model=QWEN, round_=1),
    )

    row = cells(state)
    assert row["state"].startswith("1/12 ")
    assert row["latency"].endswith("(n=1)")


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([2.0, 2.0, 2.0], "█"),
        # Four cells from 1 to 2: three in the first, one in the third, and the greatest in the last.
        ([1.0, 1.1, 1.2, 1.6, 2.0], "█ ▃▃"),
    ],
)
def test_a_histogram_has_a_cell_for_each_part_of_the_way(values: list[float], bars: str) -> None:
    assert histogram(values, 4) == bars


def test_a_plain_histogram_is_made_of_digits() -> None:
    assert histogram([1.0, 1.1, 1.2, 1.6, 2.0], 4, is_plain=True) == "9 33"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "n/a"), (0.4, "0 s"), (59, "59 s"), (90, "2 min"), (3600, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_what_is_left_is_told_in_one_rounded_unit(seconds: float | None, words: str) -> None:
    assert left_in_words(seconds) == words


def test_the_time_that_a_model_needs_is_what_its_requests_took_for_those_that_are_left() -> None:
    # 9 gaps of 10 ms after 100 ms: 190 ms each; 12 planned, 2 done, so ten times that.
    state = running(request(1, model=QWEN, round_=1), request(2, model=QWEN, round_=1))

    assert cells(state)["left"] == "2 s"
    assert cells(state, SMOLLM)["left"] == "n/a"


def test_each_model_says_what_is_done_with_it() -> None:
    state = running(*answers(QWEN, 2), under_way=(in_flight(QWEN, [10], phase=Phase.WARMUP),))
    loading = replace(state, step=Step.LOADING, model=SMOLLM, under_way=())

    assert cells(state)["state"] == "2/12 warm-up"
    assert cells(state, SMOLLM)["state"] == "0/12 waits"
    assert cells(loading, SMOLLM)["state"] == "0/12 loading"
    assert cells(replace(state, skipped=frozenset({SMOLLM})), SMOLLM)["state"] == "0/12 skipped"


def test_a_model_that_was_left_out_says_why() -> None:
    state = running()
    broken = replace(state.run.models[0], outcome=Outcome.OUT_OF_MEMORY, reason="it needs 9 GiB")
    state = replace(state, run=replace(state.run, models=(broken, state.run.models[1])))
    tally = RunTally()

    row = rows_of(state, tally, name_cells=40, is_plain=False)[0]
    lines = detail_lines(state, broken, tally.of(QWEN), cells=80, is_plain=False)
    assert (row.cells[1], row.emphasis) == ("no memory", Emphasis.PROBLEM)
    assert lines[2] == "out of memory after 0 of its requests: it needs 9 GiB"


def test_the_spread_of_the_latencies_is_told_with_its_ends() -> None:
    state = running(*answers(QWEN, 6))
    tally = RunTally()
    tally.take(state)

    line = detail_lines(state, state.run.models[0], tally.of(QWEN), cells=80, is_plain=False)[1]
    assert line.startswith("latency 480 ms █")
    assert line.endswith("970 ms · median 560 ms (n=6)")


def test_the_state_says_how_far_it_is_and_what_it_will_do() -> None:
    state = running(*answers(QWEN, 2), precision=PrecisionRule(half_width_share=0.05))

    assert state_words(state) == "Measuring · 2 of 24 timed · about 2 min left · until within ±5 %"
    assert "pauses after this request" in state_words(replace(state, pauses=True))
    assert "ends after this request" in state_words(replace(state, stops=True))
    assert state_words(replace(state, pauses=True, step=Step.PAUSED)).startswith("Paused: p goes on")


def test_the_request_in_flight_names_the_source_of_its_rate() -> None:
    one = in_flight(QWEN, [20.0] * 9)

    words = under_way_words(one, 3, 0)
    assert words == f"TTFT 100 ms · ~50.0 tok/s (chunks) · prompt rag, round 3 · 3 more at once · {QWEN}"
    assert under_way_words(in_flight(QWEN, []), 0, None).startswith("… tok/s")


def test_the_title_of_the_terminal_says_how_far_a_run_is_and_nothing_when_it_is_over() -> None:
    state = running(*answers(QWEN, 2))

    assert bench_title(state) == "benchmark 2 of 24, about 2 min left"
    assert bench_title(running(eta_s=None)) == "benchmark 0 of 24"
    assert bench_title(ended(state)) is None
    assert bench_title(None) is None


def test_a_request_is_taken_once_however_often_the_state_comes() -> None:
    tally = RunTally()
    first = running(*answers(QWEN, 2))
    tally.take(first)
    tally.take(first)
    tally.take(running(*answers(QWEN, 3)))

    assert tally.of(QWEN).done == 3


def test_another_run_begins_anew() -> None:
    tally = RunTally()
    state = running(*answers(QWEN, 3))
    tally.take(state)
    tally.take(replace(state, run=replace(state.run, id="other"), requests=state.requests[:1]))

    assert tally.of(QWEN).done == 1


@pytest.mark.parametrize("payload", CORPUS[::20], ids=lambda payload: payload.name)
def test_what_a_name_or_a_reason_says_is_harmless(payload: Payload) -> None:
    text = payload.text
    name = text or "x"
    state = running(models=(name,))
    model = replace(state.run.models[0], outcome=Outcome.NOT_LOADED, reason=text, warnings=(text,))
    state = replace(state, run=replace(state.run, name=text, models=(model,)))
    one = replace(in_flight(name, [1]), prompt_id=text)

    said = [
        *detail_lines(state, model, RunTally().of(name), cells=80, is_plain=False),
        *detail_lines(state, replace(model, reason=None), RunTally().of(name), cells=80, is_plain=False),
        under_way_words(one, 0, 0),
        state_words(replace(state, step=Step.LOADING, model=name)),
    ]
    assert [harm for words in said for harm in harm_in(words)] == []
