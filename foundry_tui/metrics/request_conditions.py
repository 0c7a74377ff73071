"""From samples of the machine to the conditions of one request."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from foundry_tui.domain.bench_conditions import EnergyReading, EnergyScope, RequestConditions, SharedEnergy
from foundry_tui.domain.resources import GpuSample, ResourceSample, Throttle, why_missing
from foundry_tui.metrics.energy import PowerSample, energy_reading, idle_power_w
from foundry_tui.metrics.energy_meter import EnergyMeter, power_sample
from foundry_tui.metrics.foreign_gpu import foreign_gpu

__all__ = ["Idle", "can_tell_energy", "idle_powers", "request_conditions"]

Idle = Mapping[EnergyScope, float]
"""Watts of each scope with nothing to answer."""

_NS_PER_S = 1_000_000_000
SHARED = "several requests were under way at once"
ELSEWHERE = "no engine of this machine runs"


def can_tell_energy(sample: ResourceSample) -> bool:
    """Whether a counter or a power of any scope was read."""
    return any(
        point.power_w is not None or point.energy_j is not None
        for scope in EnergyScope
        for point in _points([sample], scope)
    )


def idle_powers(samples: Sequence[ResourceSample]) -> dict[EnergyScope, float]:
    """Mean power of each scope that can be read, over samples during which nothing was asked."""
    found = {scope: idle_power_w(_points(samples, scope)) for scope in EnergyScope}
    return {scope: power for scope, power in found.items() if power is not None}


def request_conditions(
    samples: Sequence[ResourceSample],
    *,
    begin_ns: int | None,
    end_ns: int | None,
    idle: Idle,
    is_alone: bool,
    meter: EnergyMeter | None = None,
) -> RequestConditions | None:
    """What the samples say of a request; None without a sample.

    Args:
        samples: In order of time: from the last one before the request was sent to the first one after it.
        begin_ns: When it was sent; None if it never was.
        end_ns: When its answer had ended.
        idle: Taken off later; of scopes that were read before the first request.
        is_alone: Whether no other request was under way meanwhile: only then is the energy its own.
        meter: Took the same samples, for requests that are not alone.
    """
    if not samples:
        return None
    energy, shared = tuple[EnergyReading, ...](), tuple[SharedEnergy, ...]()
    if (why := _nothing_to_read(samples, begin_ns, end_ns)) is None:
        assert begin_ns is not None
        assert end_ns is not None
        if is_alone:
            energy = _energy(samples, begin_ns, end_ns, idle)
        elif meter is not None:
            shared = _shared(meter, begin_ns, end_ns, idle)
        if not energy:
            why = SHARED if shared or (meter is None and not is_alone) else _why(samples[-1])
    foreign = foreign_gpu(samples)
    clock = _slowest([sample.gpu.gpus for sample in samples])
    newest = next((s.conditions for s in reversed(samples) if s.conditions is not None), None)
    return RequestConditions(
        energy=energy,
        no_energy=why,
        shared_energy=shared,
        throttles=_throttles([gpu for sample in samples for gpu in sample.gpu.gpus]),
        gpu_clock_mhz=None if clock is None else clock[0],
        gpu_clock_max_mhz=None if clock is None else clock[1],
        cpu_clock_mhz=None if newest is None else newest.frequency_mhz,
        power_source=None if newest is None else newest.power_source,
        governor=None if newest is None else newest.governor,
        foreign_cpu_share=_foreign_share(samples),
        foreign_gpu_share=foreign.share,
        foreign_gpu=foreign.gpu,
        foreign_vram_bytes=foreign.vram_bytes,
        foreign_unknown=foreign.unknown,
    )


def _nothing_to_read(
    samples: Sequence[ResourceSample], begin_ns: int | None, end_ns: int | None
) -> str | None:
    """Why no energy of the request can be told, whatever was read; None where it can."""
    if all(sample.host.process_rss_bytes is None for sample in samples):
        return ELSEWHERE
    if begin_ns is None or end_ns is None or begin_ns >= end_ns:
        return "nothing was answered"
    return None


def _energy(
    samples: Sequence[ResourceSample], begin_ns: int, end_ns: int, idle: Idle
) -> tuple[EnergyReading, ...]:
    found = [
        energy_reading(scope, _points(samples, scope), begin_ns, end_ns, idle_w=idle.get(scope))
        for scope in EnergyScope
    ]
    return tuple(reading for reading in found if reading is not None)


def _shared(meter: EnergyMeter, begin_ns: int, end_ns: int, idle: Idle) -> tuple[SharedEnergy, ...]:
    found = [meter.between(scope, begin_ns, end_ns, idle_w=idle.get(scope)) for scope in EnergyScope]
    return tuple(reading for reading in found if reading is not None)


def _why(sample: ResourceSample) -> str:
    if can_tell_energy(sample):
        return "the readings do not reach over all of the request"
    of_gpu = sample.gpu.absence
    if of_gpu is None and sample.gpu.gpus:
        missing = sample.gpu.gpus[0].missing
        of_gpu = why_missing(missing, "power_w") or why_missing(missing, "energy_j")
    of_package = why_missing(sample.host.missing, "package_energy_j")
    parts = [f"GPU: {of_gpu}" if of_gpu else "", f"processor: {of_package}" if of_package else ""]
    return "; ".join(filter(None, parts)) or "nothing of this machine tells it"


def _points(samples: Sequence[ResourceSample], scope: EnergyScope) -> list[PowerSample]:
    if scope is EnergyScope.PACKAGE:
        return [power_sample(sample, scope) for sample in samples if sample.host.package_energy_j is not None]
    most = max((len(sample.gpu.gpus) for sample in samples), default=0)
    # A GPU that is lost for a moment would read as a step of the sum.
    return [power_sample(sample, scope) for sample in samples if most and len(sample.gpu.gpus) == most]


def _throttles(gpus: Sequence[GpuSample]) -> tuple[Throttle, ...] | None:
    told = [gpu.throttles for gpu in gpus if gpu.throttles is not None]
    if not told:
        return None
    return tuple(reason for reason in Throttle if any(reason in one for one in told))


def _slowest(readings: Sequence[Sequence[GpuSample]]) -> tuple[float, float | None] | None:
    """Mean clock over time of the GPU whose mean is the lowest, and what it could run at."""
    clocks: dict[int, list[float]] = {}
    most: dict[int, float | None] = {}
    for gpus in readings:
        for number, gpu in enumerate(gpus):
            if gpu.sm_clock_mhz is not None:
                clocks.setdefault(number, []).append(gpu.sm_clock_mhz)
                most[number] = gpu.sm_clock_max_mhz
    if not clocks:
        return None
    means = {number: fmean(of_one) for number, of_one in clocks.items()}
    slowest = min(means, key=lambda number: means[number])
    return means[slowest], most[slowest]


def _foreign_share(samples: Sequence[ResourceSample]) -> float | None:
    """Busy share of all cores minus that of the engine's process, between the first and the last sample."""
    first, last = samples[0], samples[-1]
    spent_s, before_s = last.host.process_cpu_s, first.host.process_cpu_s
    cores = len(last.host.core_shares or ())
    busy = [sample.host.cpu_share for sample in samples[1:] if sample.host.cpu_share is not None]
    took_ns = last.at_ns - first.at_ns
    if not busy or not cores or took_ns <= 0 or spent_s is None or before_s is None or spent_s < before_s:
        return None
    own = (spent_s - before_s) * _NS_PER_S / took_ns / cores
    return round(min(1.0, max(0.0, fmean(busy) - own)), 3)
