"""What the benchmark page says of numbers: honest of few, n/a of none, harmless of names."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import Phase, PrecisionRule, RunLimits
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.measures import Measure
from foundry_tui.metrics.spread import spread
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.paint_budget import PaintBudget
from foundry_tui.tui.screens.bench.names import short_names
from foundry_tui.tui.screens.bench.rows import (
    COLUMNS,
    TIGHT_COLUMNS,
    blank_words,
    columns_for,
    detail_lines,
    lag_words,
    rows_of,
    spread_cell,
    state_words,
    under_way_words,
)
from foundry_tui.tui.screens.bench.tally import RunTally
from foundry_tui.tui.terminal_title import bench_title
from foundry_tui.tui.widgets.table_parts import Emphasis, place
from tests.support.hostile import CORPUS, Payload, harm_in
from tests.support.timed import request, trace
from tests.tui.benched import QWEN, SMOLLM, answers, ended, in_flight, running


def cells(state: BenchState, model: str = QWEN, *, width: int = 140) -> dict[str, str]:
    tally = RunTally()
    tally.take(state)
    rows = rows_of(state, tally, width=width)
    row = next(row for row in rows if row.key == model)
    return dict(zip((column.key for column in COLUMNS), row.cells, strict=True))


def test_of_fewer_than_six_readings_the_worst_is_told_with_their_number() -> None:
    assert spread_cell(spread([1.0, 2.31, 1.5]), Measure.LATENCY) == "max 2.31 (n=3)"
    assert spread_cell(spread([41.0, 38.2, 40.0]), Measure.DECODE_RATE) == "min 38.2 (n=3)"
    assert spread_cell(spread([812.4]), Measure.DECODE_RATE, mark="~") == "~min 812 (n=1)"
    assert spread_cell(spread([41.0, 38.2]), Measure.DECODE_RATE, is_tight=True) == "min 38.2 n=2"


def test_from_six_readings_on_it_is_the_median_and_half_of_its_interval() -> None:
    # Of six the interval goes from end to end: 1.00 to 1.30, so half of it is 0.15; the median is 1.15.
    found = spread([1.0, 1.1, 1.1, 1.2, 1.2, 1.3])

    assert spread_cell(found, Measure.LATENCY) == "1.15 ± 0.15"
    assert spread_cell(found, Measure.TTFT, scale=1000) == "1150 ± 150"
    assert spread_cell(found, Measure.LATENCY, is_tight=True) == "1.15 ±0.15"


def test_a_narrow_interval_gets_the_digits_that_it_needs() -> None:
    assert spread_cell(spread([1.0, 1.002, 1.002, 1.004, 1.004, 1.006]), Measure.LATENCY) == "1.003 ± 0.003"


def test_an_interval_of_less_than_the_last_digit_is_not_said_to_have_no_width() -> None:
    found = spread([0.7, 0.7, 0.7001, 0.7001, 0.7002, 0.7002])

    assert spread_cell(found, Measure.LATENCY) == "0.700 ± <0.001"
    assert spread_cell(found, Measure.LATENCY, is_tight=True) == "0.70 ±<0.01"
    assert spread_cell(spread([1.0] * 6), Measure.LATENCY) == "1.000 ± 0.000"


def test_without_a_reading_it_is_not_available_and_never_nought() -> None:
    state = running(request(1, trace(outcome=Outcome.TIMEOUT), model=QWEN))

    row = cells(state)
    assert (row["ttft"], row["rate"], row["latency"], row["memory"]) == ("n/a",) * 4


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


def test_the_time_that_a_model_needs_is_what_its_requests_took_for_those_that_are_left() -> None:
    # 9 gaps of 10 ms after 100 ms: 190 ms each; 12 planned, 2 done, so ten times that.
    state = running(request(1, model=QWEN, round_=1), request(2, model=QWEN, round_=1))

    assert cells(state)["left"] == "2 s"
    assert cells(state, SMOLLM)["left"] == "n/a"


def test_each_model_says_what_is_done_with_it() -> None:
    state = running(*answers(QWEN, 2), under_way=(in_flight(QWEN, [10], phase=Phase.WARMUP),))
    loading = replace(state, step=Step.LOADING, model=SMOLLM, under_way=())

    assert cells(state)["state"] == "warm-up"
    assert cells(state, SMOLLM)["state"] == "0/12 waits"
    assert cells(loading, SMOLLM)["state"] == "0/12 loading"
    assert cells(replace(state, skipped=frozenset({SMOLLM})), SMOLLM)["state"] == "skipped"


def test_a_model_that_was_left_out_says_why() -> None:
    state = running()
    broken = replace(state.run.models[0], outcome=Outcome.OUT_OF_MEMORY, reason="it needs 9 GiB")
    state = replace(state, run=replace(state.run, models=(broken, state.run.models[1])))
    tally = RunTally()

    row = rows_of(state, tally, width=140)[0]
    lines = detail_lines(state, broken, tally.of(QWEN), cells=80)
    assert (row.cells[1], row.emphasis) == ("no memory", Emphasis.PROBLEM)
    assert lines[1] == "out of memory after 0 of its requests: it needs 9 GiB"


def test_answers_with_hidden_tokens_show_both_of_their_speeds_until_others_replace_them() -> None:
    # 40 of 440 tokens are shown, 10 ms apart, after 4 s of hidden ones.
    thought = trace((10.0,) * 39, ttft_ms=4050, role_ms=50, completion=440, reasoning=400)
    first = request(1, thought, model=QWEN, round_=1)
    tally = RunTally()
    state = running(first)
    tally.take(state)

    assert detail_lines(state, state.run.models[0], tally.of(QWEN), cells=120)[1] == (
        "no rate where tokens are hidden (1): 100 tok/s shown after 4.00 s of hidden tokens,"
        " 100 tok/s with them"
    )

    again = replace(request(2, trace(completion=10), model=QWEN, round_=1), attempt=2)
    state = running(first, again)
    tally.take(state)

    assert "hidden" not in detail_lines(state, state.run.models[0], tally.of(QWEN), cells=120)[1]


def test_where_there_is_little_room_counts_stay_and_words_go() -> None:
    state = running(*answers(QWEN, 60), rounds=60, under_way=(in_flight(QWEN, [10]),))

    assert cells(state)["state"] == "60/120 asking"
    assert cells(state, width=75)["state"] == "60/120 …"
    assert cells(replace(state, under_way=()), width=75)["state"] == "60/120"


def test_eighty_cells_hold_the_three_measures_and_a_name_that_tells_the_models_apart() -> None:
    # 80 less two borders, two of padding and the scrollbar.
    shown = [one.column.key for one in place(columns_for(75), 75)]

    assert shown == ["model", "state", "ttft", "rate", "latency"]
    assert columns_for(75) is TIGHT_COLUMNS
    assert cells(running(), width=75)["model"] == "qwen2.5-0.5b-cpu:4"
    assert cells(running(), SMOLLM, width=75)["model"] == "smollm2-360m-cpu:1"


def test_names_that_would_be_alike_without_a_part_keep_it() -> None:
    assert short_names(["a-instruct-cpu:1", "a-cpu:1", "b-generic-cpu:1"]) == [
        "a-instruct-cpu:1",
        "a-cpu:1",
        "b-cpu:1",
    ]


def test_the_state_says_how_far_it_is_and_what_it_will_do() -> None:
    state = running(*answers(QWEN, 2), precision=PrecisionRule(half_width_share=0.05))

    assert state_words(state) == "Measuring · 2 of 24 timed · about 2 min left · until within ±5 %"
    assert "pauses after this request" in state_words(replace(state, pauses=True))
    assert "ends after this request" in state_words(replace(state, stops=True))
    assert state_words(replace(state, pauses=True, step=Step.PAUSED)).startswith("Paused: p goes on")


def test_the_heat_and_the_limits_are_told_with_what_happens_then() -> None:
    limits = RunLimits(max_s=28_800, min_free_disk_bytes=5 << 30, max_temperature_c=85)
    state = running(eta_s=None)
    state = replace(state, run=replace(state.run, plan=replace(state.run.plan, limits=limits)))
    hot = replace(state, step=Step.PAUSED, hold="CPU has 91 °C: waits for 80 °C")

    assert state_words(state) == (
        "Measuring · 0 of 24 timed · ends after 8 h · ends below 5.00 GiB free · waits above 85 °C"
    )
    assert state_words(hot).startswith("Waits: CPU has 91 °C: waits for 80 °C · 0 of 24 timed")


def test_the_screen_says_how_late_it_is() -> None:
    budget = PaintBudget()
    unknown = lag_words(budget)
    budget.slept(0.25, 0.253)
    usual = lag_words(budget)
    budget.slept(0.25, 0.3)

    assert (unknown, usual) == ("", "this screen is 3 ms late")
    assert lag_words(budget) == "this screen is 50 ms late and draws half as often"


def test_a_blank_screen_says_what_goes_on_and_what_brings_the_rest_back() -> None:
    state = running()

    assert blank_words(state) == "Nothing is painted: o paints again · the benchmark of 2 models goes on"
    assert blank_words(replace(state, stops=True)).endswith("goes on to the end of this request")
    assert blank_words(replace(state, pauses=True)).endswith("the benchmark is paused: p goes on")


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
        *detail_lines(state, model, RunTally().of(name), cells=80),
        *detail_lines(state, replace(model, reason=None), RunTally().of(name), cells=80),
        under_way_words(one, 0, 0),
        state_words(replace(state, step=Step.LOADING, model=name)),
        state_words(replace(state, step=Step.PAUSED, hold=text or "x")),
    ]
    assert [harm for words in said for harm in harm_in(words)] == []
