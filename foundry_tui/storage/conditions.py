"""The conditions of a request as a line of JSON, and back; what is None is left out."""

import json

from foundry_tui.domain.bench_conditions import EnergyReading, EnergyScope, RequestConditions, SharedEnergy
from foundry_tui.domain.resources import PowerSource, Throttle

__all__ = ["packed_conditions", "unpacked_conditions"]


def packed_conditions(conditions: RequestConditions | None) -> str | None:
    """One line; None for None."""
    if conditions is None:
        return None
    parts: dict[str, object] = {
        "energy": [
            [each.scope.value, each.window_s, each.counter_j, each.integrated_j, each.idle_w]
            for each in conditions.energy
        ]
        or None,
        "no_energy": conditions.no_energy,
        "shared": [
            [
                each.scope.value,
                *(each.counter_begin_j, each.counter_end_j),
                *(each.power_begin_j, each.power_end_j),
                each.idle_w,
            ]
            for each in conditions.shared_energy
        ]
        or None,
        "throttles": None if conditions.throttles is None else [one.value for one in conditions.throttles],
        "gpu_clock": conditions.gpu_clock_mhz,
        "gpu_clock_max": conditions.gpu_clock_max_mhz,
        "cpu_clock": conditions.cpu_clock_mhz,
        "power": None if conditions.power_source is None else conditions.power_source.value,
        "governor": conditions.governor,
        "foreign_cpu": conditions.foreign_cpu_share,
        "foreign_gpu": conditions.foreign_gpu_share,
        "foreign_gpu_number": conditions.foreign_gpu,
        "foreign_vram": conditions.foreign_vram_bytes,
        "foreign_unknown": conditions.foreign_unknown,
    }
    known = {name: value for name, value in parts.items() if value is not None}
    # Not as ASCII: the halves of a surrogate pair that came apart would be joined when they are read.
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def unpacked_conditions(line: str | None) -> RequestConditions | None:
    """What ``packed_conditions`` made a line of.

    Raises:
        ValueError: It is damaged; or LookupError, TypeError or AttributeError.
    """
    if line is None:
        return None
    kept = json.loads(line)
    throttles = kept.get("throttles")
    power = kept.get("power")
    return RequestConditions(
        energy=tuple(
            EnergyReading(
                scope=EnergyScope(scope),
                window_s=window_s,
                counter_j=counter_j,
                integrated_j=integrated_j,
                idle_w=idle_w,
            )
            for scope, window_s, counter_j, integrated_j, idle_w in kept.get("energy", ())
        ),
        no_energy=kept.get("no_energy"),
        shared_energy=tuple(
            SharedEnergy(
                scope=EnergyScope(scope),
                counter_begin_j=counter_begin_j,
                counter_end_j=counter_end_j,
                power_begin_j=power_begin_j,
                power_end_j=power_end_j,
                idle_w=idle_w,
            )
            for scope, counter_begin_j, counter_end_j, power_begin_j, power_end_j, idle_w in kept.get(
                "shared", ()
            )
        ),
        throttles=None if throttles is None else tuple(map(Throttle, throttles)),
        gpu_clock_mhz=kept.get("gpu_clock"),
        gpu_clock_max_mhz=kept.get("gpu_clock_max"),
        cpu_clock_mhz=kept.get("cpu_clock"),
        power_source=None if power is None else PowerSource(power),
        governor=kept.get("governor"),
        foreign_cpu_share=kept.get("foreign_cpu"),
        foreign_gpu_share=kept.get("foreign_gpu"),
        foreign_gpu=kept.get("foreign_gpu_number"),
        foreign_vram_bytes=kept.get("foreign_vram"),
        foreign_unknown=kept.get("foreign_unknown"),
    )
