"""Energy of requests that were under way at once, against sums made by hand."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.bench_conditions import EnergyScope, RequestConditions, SharedEnergy
from foundry_tui.domain.chat import ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.resources import GpuSamples, HostSample, Missing, ResourceSample
from foundry_tui.domain.tariff import Tariff
from foundry_tui.metrics.energy import EnergyLedger, energy_ledger
from foundry_tui.metrics.energy_meter import EnergyMeter
from foundry_tui.metrics.request_conditions import request_conditions
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_cost_words import energy_words
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_reading import read_run
from tests.support.machine import a_gpu
from tests.support.runs import a_request, a_run

S = 1_000_000_000
HOST = HostSample(cpu_share=0.5, ram_total_bytes=1000, ram_used_bytes=300, process_rss_bytes=7)
IDLE = {EnergyScope.GPU: 20.0}


def board(at_s: float, *, watts: float = 100.0, joules: float | None = None) -> ResourceSample:
    """A card that draws 100 W, and whose counter rises by as much."""
    gpu = replace(a_gpu(power=watts), energy_j=5_000.0 + 100 * at_s if joules is None else joules)
    return ResourceSample(at_ns=round(at_s * S), late_ns=0, host=HOST, gpu=GpuSamples(gpus=(gpu,)))


def ticks(end_s: float = 20.0) -> list[ResourceSample]:
    return [board(tick / 10) for tick in range(int(end_s * 10) + 1)]


def told(
    number: int,
    begin_s: float,
    end_s: float,
    tokens: int,
    *,
    samples: Sequence[ResourceSample] | None = None,
    outcome: Outcome = Outcome.COMPLETED,
) -> RequestRun:
    """A request that shared the machine, with what a meter that took the samples says of it."""
    begin_ns, end_ns = round(begin_s * S), round(end_s * S)
    meter, taken = EnergyMeter(), ticks() if samples is None else samples
    for sample in taken:
        meter.take(sample, since_ns=begin_ns)
    request = a_request(number)
    trace = replace(
        request.trace,
        call_ns=begin_ns,
        sent_ns=begin_ns,
        headers_ns=begin_ns,
        role_ns=begin_ns,
        chunks=(
            ChunkReceived(at_ns=end_ns - 1, text="a", read=1),
            ChunkReceived(at_ns=end_ns, text="b", read=2),
        ),
        end_ns=end_ns,
        usage=TokenUsage(prompt_tokens=1, completion_tokens=tokens),
        outcome=outcome,
    )
    conditions = request_conditions(
        taken, begin_ns=begin_ns, end_ns=end_ns, idle=IDLE, is_alone=False, meter=meter
    )
    return replace(request, at_unix_ms=round(begin_s * 1000), trace=trace, conditions=conditions)


def ledger_of(*requests: RequestRun) -> EnergyLedger:
    (found,) = energy_ledger(requests)
    return found


# --- the union of the windows


@pytest.mark.parametrize(
    "windows",
    [
        ((0, 6), (4, 10)),
        ((0, 10), (3, 5)),
        ((0, 10), (0, 10)),
        ((3, 5), (0, 10)),
        ((0, 10), (2, 4), (6, 8)),
        ((0, 4), (3, 7), (6, 10)),
    ],
    ids=["overlapping", "nested", "the same", "the inner one first", "two in one", "a chain"],
)
def test_100_w_over_20_w_for_10_s_and_400_tokens_in_all_are_2_j_a_token_net_and_2_5_gross(
    windows: Sequence[tuple[float, float]],
) -> None:
    tokens = [400 - 100 * (len(windows) - 1), *[100] * (len(windows) - 1)]

    found = ledger_of(*(told(n + 1, *window, tokens[n]) for n, window in enumerate(windows)))

    assert (found.window_s, found.tokens, found.answers) == (10.0, 400, len(windows))
    assert found.gross_j == pytest.approx(1000.0)
    assert found.net_j == pytest.approx(800.0)
    assert found.net_j_per_token == pytest.approx(2.0)
    assert found.gross_j_per_token == pytest.approx(2.5)
    assert found.counter_share == pytest.approx(1.0)
    assert found.is_shared
    assert found.further_requests == 0


def test_windows_that_touch_share_no_time_so_that_each_has_its_own() -> None:
    found = ledger_of(told(1, 0, 5, 200), told(2, 5, 10, 200))

    assert (found.window_s, found.is_shared) == (10.0, False)
    assert found.net_j_per_token == pytest.approx(2.0)
    assert found.gross_j == pytest.approx(1000.0)


def test_a_gap_between_windows_is_no_ones() -> None:
    found = ledger_of(told(1, 0, 4, 100), told(2, 3, 5, 100), told(3, 10, 15, 200))

    # Ten seconds of fifteen; the five in between are in nothing.
    assert found.window_s == 10.0
    assert found.gross_j == pytest.approx(1000.0)
    assert found.net_j_per_token == pytest.approx(2.0)


def test_a_request_that_does_not_count_gives_no_tokens_and_is_told_of() -> None:
    failed = told(3, 2, 8, 50, outcome=Outcome.TIMEOUT)

    found = ledger_of(told(1, 0, 6, 200), told(2, 4, 10, 200), failed)

    assert (found.tokens, found.answers, found.further_requests) == (400, 2, 1)
    assert found.net_j_per_token == pytest.approx(2.0)
    assert "1 further request drew some of it" in energy_words(found, Tariff())


def test_one_that_failed_beside_windows_makes_them_no_longer() -> None:
    failed = told(2, 4, 16, 50, outcome=Outcome.TIMEOUT)

    found = ledger_of(told(1, 0, 10, 400), failed)

    assert (found.window_s, found.is_shared, found.further_requests) == (10.0, False, 1)


def test_a_token_count_that_was_not_reported_leaves_no_joule_for_a_token() -> None:
    silent = told(2, 4, 10, 200)
    silent = replace(silent, trace=replace(silent.trace, usage=None))

    found = ledger_of(told(1, 0, 6, 200), silent)

    assert found.tokens is None
    assert found.net_j_per_token is None
    assert found.gross_j == pytest.approx(1000.0)


def test_requests_of_two_clocks_never_overlap() -> None:
    later = told(2, 4, 10, 200)
    later = replace(later, at_unix_ms=later.at_unix_ms + 3_600_000)

    found = ledger_of(told(1, 0, 6, 200), later)

    assert (found.window_s, found.is_shared) == (12.0, False)


def test_the_counter_goes_before_power_and_both_are_held_against_each_other() -> None:
    samples = [board(tick / 10, joules=57.0 * tick / 10) for tick in range(201)]

    found = ledger_of(told(1, 0, 6, 200, samples=samples), told(2, 4, 10, 200, samples=samples))

    assert found.gross_j == pytest.approx(570.0)
    assert found.counter_share == pytest.approx(0.57)
    assert found.is_in_doubt


# --- what is read


def test_an_end_that_no_reading_has_reached_is_reckoned_with_the_power_before_it() -> None:
    request = told(1, 0, 10.05, 400, samples=ticks(10.0))

    assert request.conditions is not None
    (energy,) = request.conditions.shared_energy
    assert energy.counter_begin_j == pytest.approx(5_000.0)
    assert energy.counter_end_j == pytest.approx(6_005.0)
    assert energy.power_end_j is not None
    assert energy.power_begin_j is not None
    assert energy.power_end_j - energy.power_begin_j == pytest.approx(1_005.0)
    assert energy.idle_w == 20.0


@pytest.mark.parametrize(
    "samples",
    [
        ticks(9.0),
        [one for one in ticks() if not 3 < one.at_ns / S < 6],
        [board(0)],
    ],
    ids=["ends too early", "a gap of three seconds", "one reading"],
)
def test_what_readings_do_not_reach_over_is_not_told(samples: Sequence[ResourceSample]) -> None:
    request = told(1, 0, 10, 400, samples=samples)

    assert request.conditions is not None
    assert request.conditions.shared_energy == ()
    assert request.conditions.no_energy == "the readings do not reach over all of the request"


def test_a_counter_that_began_anew_is_not_told_and_power_stands_in() -> None:
    samples = [board(tick / 10, joules=float(tick if tick < 50 else tick - 50)) for tick in range(101)]

    request = told(1, 0, 10, 400, samples=samples)

    assert request.conditions is not None
    (energy,) = request.conditions.shared_energy
    assert (energy.counter_begin_j, energy.counter_end_j) == (None, None)
    assert ledger_of(request).gross_j == pytest.approx(1000.0)


def test_a_gpu_that_is_lost_for_a_moment_makes_no_step() -> None:
    two = [
        replace(one, gpu=GpuSamples(gpus=(*one.gpu.gpus, *one.gpu.gpus)[: 1 if n == 50 else 2]))
        for n, one in enumerate(ticks())
    ]

    found = ledger_of(told(1, 0, 6, 200, samples=two), told(2, 4, 10, 200, samples=two))

    assert found.gross_j == pytest.approx(2000.0)


def test_a_gpu_that_comes_back_for_good_begins_anew() -> None:
    samples = [
        replace(one, gpu=GpuSamples(gpus=one.gpu.gpus * (1 if n < 50 else 2)))
        for n, one in enumerate(ticks())
    ]

    across, after = told(1, 0, 10, 200, samples=samples), told(2, 6, 12, 200, samples=samples)

    assert across.conditions is not None
    assert across.conditions.shared_energy == ()
    assert ledger_of(across, after).gross_j == pytest.approx(1200.0)
    assert ledger_of(across, after).further_requests == 1


def test_where_nothing_can_tell_it_the_reason_is_that_and_not_that_it_was_shared() -> None:
    host = replace(HOST, missing=(Missing(field="package_energy_j", why="for root alone"),))
    samples = [
        ResourceSample(at_ns=at * S, late_ns=0, host=host, gpu=GpuSamples(absence="no driver"))
        for at in range(11)
    ]

    request = told(1, 0, 10, 400, samples=samples)

    assert request.conditions is not None
    assert request.conditions.no_energy == "GPU: no driver; processor: for root alone"
    assert energy_ledger([request]) == ()


def test_a_meter_forgets_what_nobody_asks_for_any_more() -> None:
    meter = EnergyMeter()
    for sample in ticks():
        meter.take(sample, since_ns=sample.at_ns - S)

    assert meter.between(EnergyScope.GPU, 5 * S, 20 * S, idle_w=None) is None
    late = meter.between(EnergyScope.GPU, 19 * S, 20 * S, idle_w=None)

    assert late is not None
    assert late.counter_begin_j == pytest.approx(6_900.0)
    assert late.counter_end_j == pytest.approx(7_000.0)


# --- what is said


def test_a_shared_energy_is_no_requests_own_and_its_part_is_said_to_be_an_even_share() -> None:
    requests = [told(1, 0, 6, 200), told(2, 4, 10, 200)]

    words = energy_words(ledger_of(*requests), Tariff())

    assert words == (
        "2.00 J/token net, 2.50 gross; 0.111 Wh for an answer net (n=2, idle 20.0 W taken off,"
        " an answer's part is an even share: several were under way at once)"
    )
    for request in requests:
        assert request.conditions is not None
        assert request.conditions.energy == ()
        assert request.conditions.no_energy == "several requests were under way at once"
    assert words in run_markdown(a_run(), requests).replace("\n", " ")


def test_a_file_of_results_brings_it_back_and_says_that_requests_overlap() -> None:
    run = replace(a_run(), ended_unix_ms=2_000)
    requests = (told(1, 0, 6, 200), told(2, 4, 10, 200))
    content = results_object(run, requests)

    found = read_run(results_json(content), name="a file", now_unix_ms=0)

    assert found.requests == requests
    summary = content["summary"]
    assert isinstance(summary, list)
    (scope,) = summary[0]["energy"]["scopes"]
    assert scope["net_j_per_token"] == pytest.approx(2.0)
    assert (scope["requests_overlap"], scope["further_requests"]) == (True, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"counter_begin_j": 1.0},
        {"power_begin_j": 2.0, "power_end_j": 1.0},
        {"idle_w": -1.0},
        {"counter_begin_j": 0.0, "counter_end_j": float("inf")},
    ],
)
def test_a_shared_energy_refuses_nonsense(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        SharedEnergy(scope=EnergyScope.GPU, **wrong)


def test_conditions_without_a_shared_energy_have_no_ledger() -> None:
    request = replace(told(1, 0, 6, 200), conditions=RequestConditions())

    assert energy_ledger([request]) == ()
