"""What the results format has of costs beyond time, read back; absent in files of earlier versions."""

from typing import TypedDict

from foundry_tui.domain.bench_conditions import EnergyReading, EnergyScope, RequestConditions, SharedEnergy
from foundry_tui.domain.resources import PowerSource, Throttle
from foundry_tui.reports.json_reading import JsonNode

__all__ = ["Levels", "conditions_of", "levels_of"]


class Levels(TypedDict, total=False):
    """Further memory around a model."""

    uss_before_bytes: int | None
    uss_loaded_bytes: int | None
    uss_after_bytes: int | None
    vram_before_bytes: int | None
    vram_loaded_bytes: int | None
    vram_after_bytes: int | None


class _Foreign(TypedDict, total=False):
    """Others' use of the GPUs."""

    foreign_gpu_share: float | None
    foreign_gpu: int | None
    foreign_vram_bytes: int | None
    foreign_unknown: str | None


def levels_of(node: JsonNode) -> Levels:
    """Of a model in ``run.models``.

    Raises:
        BadInput: One of them is no number of bytes.
    """
    if not isinstance(node.value, dict) or "uss_before_bytes" not in node.value:
        return {}
    return {
        "uss_before_bytes": node.field("uss_before_bytes").whole_or_none(),
        "uss_loaded_bytes": node.field("uss_loaded_bytes").whole_or_none(),
        "uss_after_bytes": node.field("uss_after_bytes").whole_or_none(),
        "vram_before_bytes": node.field("vram_before_bytes").whole_or_none(),
        "vram_loaded_bytes": node.field("vram_loaded_bytes").whole_or_none(),
        "vram_after_bytes": node.field("vram_after_bytes").whole_or_none(),
    }


def conditions_of(request: JsonNode) -> RequestConditions | None:
    """Of an entry of ``requests``.

    Raises:
        BadInput: Something of it is not what the format has there.
    """
    if not isinstance(request.value, dict) or "conditions" not in request.value:
        return None
    node = request.field("conditions")
    if node.is_null:
        return None
    throttles, power = node.field("throttles"), node.field("power_source")
    return RequestConditions(
        energy=tuple(_energy(entry) for entry in node.field("energy").items()),
        no_energy=node.field("no_energy").text_or_none(),
        shared_energy=tuple(_shared(entry) for entry in node.field("shared_energy").items())
        if _has(node, "shared_energy")
        else (),
        throttles=None
        if throttles.is_null
        else tuple(entry.choice(tuple(Throttle)) for entry in throttles.items()),
        gpu_clock_mhz=_number(node.field("gpu_clock_mhz")),
        gpu_clock_max_mhz=_number(node.field("gpu_clock_max_mhz")),
        cpu_clock_mhz=_number(node.field("cpu_clock_mhz")),
        power_source=None if power.is_null else power.choice(tuple(PowerSource)),
        governor=node.field("governor").text_or_none(),
        foreign_cpu_share=_number(node.field("foreign_cpu_share")),
        **_foreign_of(node),
    )


def _foreign_of(node: JsonNode) -> _Foreign:
    """What came after the format's first conditions."""
    if not _has(node, "foreign_gpu_share"):
        return {}
    return {
        "foreign_gpu_share": _number(node.field("foreign_gpu_share")),
        "foreign_gpu": node.field("foreign_gpu").whole_or_none(),
        "foreign_vram_bytes": node.field("foreign_vram_bytes").whole_or_none(),
        "foreign_unknown": node.field("foreign_unknown").text_or_none(),
    }


def _shared(node: JsonNode) -> SharedEnergy:
    try:
        return SharedEnergy(
            scope=node.field("scope").choice(tuple(EnergyScope)),
            counter_begin_j=_number(node.field("counter_begin_j")),
            counter_end_j=_number(node.field("counter_end_j")),
            power_begin_j=_number(node.field("power_begin_j")),
            power_end_j=_number(node.field("power_end_j")),
            idle_w=_number(node.field("idle_w")),
        )
    except ValueError as error:
        raise node.problem("counters that rise") from error


def _has(node: JsonNode, name: str) -> bool:
    return isinstance(node.value, dict) and name in node.value


def _energy(node: JsonNode) -> EnergyReading:
    window_s = _number(node.field("window_s"))
    if window_s is None:
        raise node.field("window_s").problem("a number")
    return EnergyReading(
        scope=node.field("scope").choice(tuple(EnergyScope)),
        window_s=window_s,
        counter_j=_number(node.field("counter_j")),
        integrated_j=_number(node.field("integrated_j")),
        idle_w=_number(node.field("idle_w")),
    )


def _number(node: JsonNode) -> float | None:
    return node.number_or_none(low=0, high=1e15)
