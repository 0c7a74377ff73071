"""Whether what a variant was built for has worked for it: a GPU that is only declared computes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.bench import ModelRun, RequestRun
from foundry_tui.domain.bench_conditions import EnergyScope
from foundry_tui.metrics.energy import gross_j
from foundry_tui.metrics.measures import is_counted

__all__ = ["Acceleration", "Evidence", "Worked", "acceleration"]

_CPU = "cpu"
_GPU = "gpu"
_CPU_PROVIDER = "cpuexecutionprovider"
_LEAST_SHARE = 0.5
"""Weights on a GPU lie there; on the processor at most a driver's context grows."""
_WHOLE_SHARE = 0.9
_BUSY_RATIO = 1.15
"""Boards that draw less than this much of their idle power over all answers have not computed them."""
_MIB = 1 << 20
_CONTEXT_BYTES = 500 * _MIB
"""What a driver takes at most for a process that computes nothing on it."""


class Worked(StrEnum):
    """Whether it did."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """What that is known by."""

    DEVICE = "device"
    """It is built for the processor, which always works."""
    PROVIDER = "provider"
    """Its configuration names no other execution provider than the processor's."""
    MEMORY = "memory"
    """How much GPU memory grew beside how big its weights are."""
    POWER = "power"
    """What the GPUs drew beside what they draw idle."""
    NOTHING = "nothing"
    """Nothing that was read tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceleration:
    """The device that a variant declares, and whether that worked.

    Attributes:
        device: As declared, in lower case; None if it is not.
        grown_bytes: GPU memory at its most minus before the load; None where it was not read.
        weights_bytes: Of its files; None if not known.
    """

    device: str | None
    worked: Worked
    evidence: Evidence
    grown_bytes: int | None = None
    weights_bytes: int | None = None


def acceleration(model: ModelRun, requests: Sequence[RequestRun]) -> Acceleration:
    """What the record tells, by the strongest sign.

    1. Only ``CPUExecutionProvider`` is named by the configuration that was loaded: NO.
    2. GPU memory grew by less than half of the weights: NO.  By 0.9 of them, and by at least the 500 MiB that
       a driver may take for a process that computes nothing: YES.
    3. Else, where the GPUs drew less than 1.15 times their idle power over all answers: NO.

    Of an NPU only the first can be read.
    """
    facts = dict(model.facts)
    device = facts.get("device", "").lower() or None
    weights = _whole(facts.get("disk_bytes"))
    providers = {name.strip().lower() for name in facts.get("execution_provider", "").split(",")} - {""}
    if device == _CPU:
        return Acceleration(device=device, worked=Worked.YES, evidence=Evidence.DEVICE, weights_bytes=weights)
    if providers == {_CPU_PROVIDER}:
        worked = Worked.YES if device is None else Worked.NO
        evidence = Evidence.DEVICE if device is None else Evidence.PROVIDER
        return Acceleration(device=device or _CPU, worked=worked, evidence=evidence, weights_bytes=weights)
    if device != _GPU:
        return Acceleration(
            device=device, worked=Worked.UNKNOWN, evidence=Evidence.NOTHING, weights_bytes=weights
        )
    grown = _grown_bytes(model, requests)
    worked, evidence = _gpu_worked(requests, grown, weights)
    return Acceleration(
        device=device, worked=worked, evidence=evidence, grown_bytes=grown, weights_bytes=weights
    )


def _gpu_worked(
    requests: Sequence[RequestRun], grown: int | None, weights: int | None
) -> tuple[Worked, Evidence]:
    if grown is not None and weights is not None:
        if grown < _LEAST_SHARE * weights:
            return Worked.NO, Evidence.MEMORY
        if grown >= max(_WHOLE_SHARE * weights, _CONTEXT_BYTES):
            return Worked.YES, Evidence.MEMORY
    if (ratio := _power_ratio(requests)) is not None and ratio < _BUSY_RATIO:
        return Worked.NO, Evidence.POWER
    return Worked.UNKNOWN, Evidence.NOTHING


def _grown_bytes(model: ModelRun, requests: Sequence[RequestRun]) -> int | None:
    """The most that was read minus what was there before the load."""
    before = model.vram_before_bytes
    known = [model.vram_loaded_bytes, *(one.peak_vram_bytes for one in requests if is_counted(one))]
    most = max((value for value in known if value is not None), default=None)
    return None if before is None or most is None else max(0, most - before)


def _power_ratio(requests: Sequence[RequestRun]) -> float | None:
    """Σ drawn/Σ(idle power × window) of the GPUs over the counted answers; None where not read."""
    drawn = idle = 0.0
    for request in requests:
        if not is_counted(request) or request.conditions is None:
            continue
        for reading in request.conditions.energy:
            gross = gross_j(reading)
            if reading.scope is EnergyScope.GPU and gross is not None and reading.idle_w is not None:
                drawn += gross
                idle += reading.idle_w * reading.window_s
    return drawn / idle if idle else None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 19 and int(text) else None
