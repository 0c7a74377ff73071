"""Energy of answers, against sums made by hand."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.bench_conditions import EnergyReading, EnergyScope, RequestConditions
from foundry_tui.domain.chat import TokenUsage
from foundry_tui.domain.resources import (
    GpuSamples,
    HostSample,
    Missing,
    PowerSource,
    ResourceSample,
    Throttle,
)
from foundry_tui.domain.tariff import Tariff, tariff_of
from foundry_tui.metrics.energy import (
    EnergyLedger,
    PowerSample,
    cloud_price,
    counted_j,
    energy_ledger,
    idle_power_w,
    integrated_j,
    net_j,
    request_net_j,
)
from foundry_tui.metrics.request_conditions import can_tell_energy, idle_powers, request_conditions
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_cost_words import energy_words
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_reading import read_run
from foundry_tui.resources.nvml import NvmlGpuProbe
from tests.support.runs import a_request, a_run
from tests.support.scripted_nvml import ScriptedGpu, ScriptedNvml, mig_gpu, old_gpu

S = 1_000_000_000
HOST = HostSample(cpu_share=0.5, ram_total_bytes=1000, ram_used_bytes=300, process_rss_bytes=7)


def power(points: dict[float, float]) -> list[PowerSample]:
    """Watts at seconds."""
    return [PowerSample(at_ns=round(at * S), power_w=watts) for at, watts in points.items()]


def counter(points: dict[float, float]) -> list[PowerSample]:
    return [PowerSample(at_ns=round(at * S), energy_j=joules) for at, joules in points.items()]


def told(
    energy: EnergyReading | None,
    *,
    number: int = 1,
    phase: Phase = Phase.TIMED,
    prompt_tokens: int | None = 100,
    tokens: int | None = 400,
) -> RequestRun:
    request = a_request(number)
    usage = TokenUsage(prompt_tokens=prompt_tokens, completion_tokens=tokens)
    return replace(
        request,
        phase=phase,
        trace=replace(request.trace, usage=usage),
        energy_j=None if energy is None else net_j(energy),
        conditions=RequestConditions(energy=() if energy is None else (energy,)),
    )


def nvml_samples(gpu: ScriptedGpu, *, power_mw: int, share: float = 1.0) -> list[ResourceSample]:
    """Ten seconds at ten a second of a GPU whose counter gives ``share`` of what its power adds up to."""
    probe = NvmlGpuProbe(ScriptedNvml(gpus=[gpu]), pid_namespace=None)
    gpu.power_mw = power_mw
    samples = []
    for tick in range(101):
        gpu.energy_mj = 5_000_000 + int(share * power_mw * tick / 10)
        samples.append(ResourceSample(at_ns=tick * S // 10, late_ns=0, host=HOST, gpu=probe.sample(None)))
    return samples


def the_ledger(request: RequestRun) -> EnergyLedger:
    (found,) = energy_ledger([request])
    return found


# --- one window


def test_power_is_integrated_by_straight_lines_also_between_readings() -> None:
    ramp = power({0.0: 0.0, 1.0: 100.0, 2.0: 100.0})

    # From 0.5 s at 50 W up to 100 W at 1 s: 37.5 J; then half a second at 100 W.
    assert integrated_j(ramp, S // 2, 3 * S // 2) == pytest.approx(37.5 + 50.0)


def test_a_counter_is_read_between_its_readings() -> None:
    found = counted_j(counter({0.0: 1000.0, 1.0: 1100.0, 2.0: 1150.0}), S // 2, 3 * S // 2)

    assert found == pytest.approx(1125 - 1050)


@pytest.mark.parametrize(
    "points",
    [{}, {0.6: 5.0, 2.0: 9.0}, {0.0: 5.0, 1.0: 9.0}, {0.0: 5.0, 3.0: 9.0}],
    ids=["none", "late", "ends early", "a gap of three seconds"],
)
def test_readings_that_do_not_reach_over_the_window_tell_nothing(points: dict[float, float]) -> None:
    assert integrated_j(power(points), S // 2, 3 * S // 2) is None
    assert counted_j(counter(points), S // 2, 3 * S // 2) is None


def test_a_counter_that_steps_back_tells_nothing() -> None:
    assert counted_j(counter({0.0: 900.0, 1.0: 3.0, 2.0: 50.0}), 0, 2 * S) is None


def test_idle_power_is_that_of_the_counter_else_of_the_power() -> None:
    both = [PowerSample(at_ns=at * S, power_w=25.0, energy_j=20.0 * at) for at in range(4)]

    assert idle_power_w(both) == pytest.approx(20.0)
    assert idle_power_w(power({0.0: 25.0, 1.0: 25.0})) == pytest.approx(25.0)
    assert idle_power_w(both[:1]) is None


def test_what_an_idle_machine_draws_more_is_not_taken_below_nothing() -> None:
    reading = EnergyReading(
        scope=EnergyScope.GPU, window_s=10, counter_j=150.0, integrated_j=None, idle_w=20.0
    )

    assert net_j(reading) == 0.0


def test_a_request_with_a_scope_whose_idle_power_is_unknown_has_no_net_energy() -> None:
    known = EnergyReading(scope=EnergyScope.GPU, window_s=1, counter_j=9.0, integrated_j=None, idle_w=2.0)
    unknown = replace(known, scope=EnergyScope.PACKAGE, idle_w=None)

    assert request_net_j([known]) == 7.0
    assert request_net_j([known, unknown]) is None
    assert request_net_j([]) is None


# --- from NVML to a ledger


def test_100_w_over_20_w_for_10_s_and_400_tokens_is_2_j_a_token_net_and_2_5_gross() -> None:
    idle = idle_powers(nvml_samples(ScriptedGpu(), power_mw=20_000))
    samples = nvml_samples(ScriptedGpu(), power_mw=100_000)

    found = request_conditions(samples, begin_ns=0, end_ns=10 * S, idle=idle, is_alone=True)

    assert found is not None
    ledger = the_ledger(told(found.energy[0]))
    assert ledger.net_j_per_token == pytest.approx(2.0)
    assert ledger.gross_j_per_token == pytest.approx(2.5)
    assert ledger.idle_w == pytest.approx(20.0)
    assert ledger.net_wh_per_answer == pytest.approx(800 / 3600)
    assert not ledger.is_in_doubt


def test_a_counter_at_57_percent_of_the_integral_is_warned_of() -> None:
    samples = nvml_samples(ScriptedGpu(), power_mw=100_000, share=0.57)

    found = request_conditions(
        samples, begin_ns=0, end_ns=10 * S, idle={EnergyScope.GPU: 20.0}, is_alone=True
    )

    assert found is not None
    request = told(found.energy[0])
    assert the_ledger(request).counter_share == pytest.approx(0.57, rel=1e-4)
    assert the_ledger(request).is_in_doubt
    markdown = run_markdown(a_run(), [request])
    assert "warning: the energy counter gives 57 % of what the readings of power add up to" in markdown


@pytest.mark.parametrize("share", [0.86, 1.14])
def test_up_to_15_percent_apart_nothing_is_warned_of(share: float) -> None:
    samples = nvml_samples(ScriptedGpu(), power_mw=100_000, share=share)

    found = request_conditions(samples, begin_ns=0, end_ns=10 * S, idle={}, is_alone=True)

    assert found is not None
    assert not the_ledger(told(found.energy[0])).is_in_doubt


@pytest.mark.parametrize("gpu", [old_gpu(), mig_gpu(ScriptedGpu())], ids=["no counter", "divided"])
def test_a_gpu_that_does_not_tell_it_is_named_with_its_reason(gpu: ScriptedGpu) -> None:
    probe = NvmlGpuProbe(ScriptedNvml(gpus=[gpu]), pid_namespace=None)
    samples = [ResourceSample(at_ns=at * S, late_ns=0, host=HOST, gpu=probe.sample(None)) for at in range(3)]

    found = request_conditions(samples, begin_ns=0, end_ns=2 * S, idle={}, is_alone=True)

    assert not can_tell_energy(samples[0])
    assert found is not None
    assert found.energy == ()
    assert found.no_energy is not None
    assert found.no_energy.startswith("GPU: ")
    assert f"n/a: {found.no_energy}"[:12] in run_markdown(a_run(), [replace(a_request(), conditions=found)])


def test_the_packages_of_the_processor_are_a_scope_of_their_own() -> None:
    samples = [
        ResourceSample(
            at_ns=at * S,
            late_ns=0,
            host=replace(HOST, package_energy_j=500.0 + 30 * at),
            gpu=GpuSamples(absence="no driver"),
        )
        for at in range(3)
    ]

    found = request_conditions(
        samples, begin_ns=S, end_ns=2 * S, idle={EnergyScope.PACKAGE: 10.0}, is_alone=True
    )

    assert found is not None
    (reading,) = found.energy
    assert reading.scope is EnergyScope.PACKAGE
    assert (reading.counter_j, reading.integrated_j, reading.idle_w) == (30.0, None, 10.0)
    assert "processor packages (RAPL)" in run_markdown(a_run(), [told(reading)])


@pytest.mark.parametrize(
    ("is_alone", "host", "words"),
    [
        (False, HOST, "several requests were under way at once"),
        (True, replace(HOST, process_rss_bytes=None), "no engine of this machine runs"),
        (
            True,
            replace(HOST, missing=(Missing(field="package_energy_j", why="for root alone"),)),
            "GPU: no driver; processor: for root alone",
        ),
    ],
)
def test_energy_is_not_told_where_it_is_not_the_requests_own(
    is_alone: bool, host: HostSample, words: str
) -> None:
    gpu = GpuSamples(absence="no driver")
    samples = [ResourceSample(at_ns=at * S, late_ns=0, host=host, gpu=gpu) for at in range(3)]

    found = request_conditions(samples, begin_ns=0, end_ns=S, idle={}, is_alone=is_alone)

    assert found is not None
    assert (found.energy, found.no_energy) == ((), words)


def test_a_gpu_that_is_lost_for_a_moment_makes_no_step() -> None:
    samples = nvml_samples(ScriptedGpu(), power_mw=100_000)
    lost = [replace(one, gpu=GpuSamples(absence="lost")) if n == 50 else one for n, one in enumerate(samples)]

    found = request_conditions(lost, begin_ns=0, end_ns=10 * S, idle={}, is_alone=True)

    assert found is not None
    assert found.energy[0].counter_j == pytest.approx(1000.0)


# --- money, and what stands in reports


def test_only_answers_that_count_are_in_a_ledger() -> None:
    reading = EnergyReading(
        scope=EnergyScope.GPU, window_s=10, counter_j=1000.0, integrated_j=1000.0, idle_w=20.0
    )

    (found,) = energy_ledger(
        [told(reading, phase=Phase.WARMUP), told(reading, number=2), told(None, number=3)]
    )

    assert (found.answers, found.tokens, found.gross_j, found.net_j) == (1, 400, 1000.0, 800.0)


def test_money_is_that_of_the_net_energy_at_the_users_tariff() -> None:
    reading = EnergyReading(
        scope=EnergyScope.GPU, window_s=36, counter_j=4320.0, integrated_j=None, idle_w=20.0
    )
    found = the_ledger(told(reading))  # 3600 J net is 1 Wh

    assert found.price_per_answer(Tariff(price_per_kwh=0.5)) == pytest.approx(0.0005)
    assert found.price_per_answer(Tariff()) is None
    words = energy_words(found, Tariff(price_per_kwh=0.5, currency="EUR\x1b[31m"))
    assert "0.5 EUR" in words
    assert "for 1,000 answers" in words
    assert "\x1b" not in words
    assert "1,000 answers" not in energy_words(found, Tariff(currency="EUR"))


def test_a_cloud_price_is_told_as_hypothetical_and_only_of_counts_that_were_reported() -> None:
    tariff = Tariff(cloud_in=1.0, cloud_out=10.0, currency="USD")
    requests = [told(None)]
    run = replace(a_run(), environment=(("os", "Linux"), *tariff.facts()))

    assert cloud_price(requests, tariff) == pytest.approx((100 * 1 + 400 * 10) / 1e6)
    assert cloud_price([told(None, tokens=None)], tariff) is None
    assert cloud_price(requests, Tariff(cloud_in=1.0)) is None
    markdown = run_markdown(run, requests)
    assert "hypothetical: 4.1 USD for 1,000 answers" in markdown
    assert "tariff" not in markdown


@pytest.mark.parametrize(
    "tariff", [Tariff(), Tariff(price_per_kwh=0.1 + 0.2, currency="€"), Tariff(cloud_in=0.0, cloud_out=1e-9)]
)
def test_prices_travel_with_a_run_and_come_back_exactly(tariff: Tariff) -> None:
    assert tariff_of((("os", "Linux"), *tariff.facts())) == tariff


@pytest.mark.parametrize("text", ["nan", "-1", "inf", "many"])
def test_what_is_no_price_in_somebodys_file_is_none(text: str) -> None:
    assert tariff_of((("tariff_per_kwh", text),)) == Tariff()


def test_a_file_of_results_brings_the_conditions_back_and_tells_the_ledger() -> None:
    reading = EnergyReading(
        scope=EnergyScope.GPU, window_s=10, counter_j=1000.0, integrated_j=None, idle_w=20.0
    )
    full = RequestConditions(
        energy=(reading,),
        throttles=(Throttle.HEAT, Throttle.POWER_LIMIT),
        gpu_clock_mhz=1410.5,
        gpu_clock_max_mhz=1980.0,
        cpu_clock_mhz=2400.0,
        power_source=PowerSource.BATTERY,
        governor="powersave",
        foreign_cpu_share=0.25,
        foreign_gpu_share=0.4,
        foreign_gpu=1,
        foreign_vram_bytes=3 << 30,
        foreign_unknown="GPU memory of others: no permission to read it",
    )
    requests = (replace(told(reading), conditions=full), replace(a_request(2), conditions=None))
    run = replace(a_run(), ended_unix_ms=2_000)
    content = results_object(run, requests)

    found = read_run(results_json(content), name="a file", now_unix_ms=0)

    assert found.requests == requests
    summary = content["summary"]
    assert isinstance(summary, list)
    (scope,) = summary[0]["energy"]["scopes"]
    assert (scope["net_j_per_token"], scope["gross_j_per_token"]) == (2.0, 2.5)


def _of_each(read: Callable[[RequestConditions], object], found: RequestConditions | None) -> object:
    assert found is not None
    return read(found)


def test_clocks_throttling_and_foreign_load_are_those_of_the_window() -> None:
    gpu = ScriptedGpu(clocks_mhz={1: 1000, 2: 1})
    probe = NvmlGpuProbe(ScriptedNvml(gpus=[gpu]), pid_namespace=None)
    samples = []
    for at in range(3):
        gpu.throttle_bits = 0x20 if at == 1 else 0x1
        gpu.clocks_mhz = {1: 1000 + 300 * at, 2: 1}
        host = replace(HOST, cpu_share=0.6, core_shares=(0.5, 0.7), process_cpu_s=10.0 + 0.4 * at)
        samples.append(ResourceSample(at_ns=at * S, late_ns=0, host=host, gpu=probe.sample(None)))

    found = request_conditions(samples, begin_ns=0, end_ns=2 * S, idle={}, is_alone=True)

    assert _of_each(lambda one: one.throttles, found) == (Throttle.HEAT,)
    assert _of_each(lambda one: one.gpu_clock_mhz, found) == pytest.approx(1300.0)
    # 0.6 of both cores were busy, 0.4 of one core, which is 0.2 of both, with the engine.
    assert _of_each(lambda one: one.foreign_cpu_share, found) == pytest.approx(0.4)


def test_without_a_sample_nothing_is_known() -> None:
    assert request_conditions([], begin_ns=0, end_ns=1, idle={}, is_alone=True) is None
