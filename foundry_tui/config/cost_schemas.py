"""JSON Schema of what results have of costs beyond time; beside ``result_schemas``."""

from foundry_tui.config.schema_parts import (
    COUNT,
    COUNT_OR_NULL,
    INTERVAL,
    NUMBER,
    NUMBER_OR_NULL,
    TEXT_OR_NULL,
    TRUTH,
    TRUTH_OR_NULL,
    Schema,
    list_of,
    object_of,
    or_null,
)
from foundry_tui.domain.bench_conditions import EnergyScope
from foundry_tui.domain.resources import PowerSource, Throttle
from foundry_tui.metrics.drift import DriftVerdict, FlagKind
from foundry_tui.metrics.leak import GrowthVerdict, MemoryKind

__all__ = ["LEVELS_SCHEMAS", "conditions_schema", "cost_schemas"]

_SCOPE: Schema = {"enum": [scope.value for scope in EnergyScope]}

LEVELS_SCHEMAS: dict[str, Schema] = dict.fromkeys(
    (
        *("uss_before_bytes", "uss_loaded_bytes", "uss_after_bytes"),
        *("vram_before_bytes", "vram_loaded_bytes", "vram_after_bytes"),
    ),
    COUNT_OR_NULL,
)
"""Of an entry of ``run.models``; absent in files of earlier versions."""


def cost_schemas() -> dict[str, Schema]:
    """What follows in an entry of ``summary``; absent in files of earlier versions."""
    return {"memory": _memory_schema(), "energy": _energy_schema(), "drift": _drift_schema()}


def conditions_schema() -> Schema:
    """Of an entry of ``requests``; absent in files of earlier versions."""
    energies = ("counter_j", "integrated_j", "idle_w")
    energy: dict[str, Schema] = {
        "scope": _SCOPE,
        "window_s": NUMBER,
        **dict.fromkeys(energies, NUMBER_OR_NULL),
    }
    clocks = ("gpu_clock_mhz", "gpu_clock_max_mhz", "cpu_clock_mhz")
    promised: dict[str, Schema] = {
        "energy": list_of(object_of(energy)),
        "no_energy": TEXT_OR_NULL,
        "throttles": or_null(list_of({"enum": [reason.value for reason in Throttle]})),
        **dict.fromkeys(clocks, NUMBER_OR_NULL),
        "power_source": {"enum": [*(source.value for source in PowerSource), None]},
        "governor": TEXT_OR_NULL,
        "foreign_cpu_share": NUMBER_OR_NULL,
    }
    later: dict[str, Schema] = {
        "shared_energy": list_of(
            object_of(
                {
                    "scope": _SCOPE,
                    **dict.fromkeys(
                        ("counter_begin_j", "counter_end_j", "power_begin_j", "power_end_j", "idle_w"),
                        NUMBER_OR_NULL,
                    ),
                }
            )
        ),
        "foreign_gpu_share": NUMBER_OR_NULL,
        "foreign_gpu": COUNT_OR_NULL,
        "foreign_vram_bytes": COUNT_OR_NULL,
        "foreign_unknown": TEXT_OR_NULL,
    }
    return or_null(object_of(promised | later, optional=tuple(later)))


def _memory_schema() -> Schema:
    kind: Schema = {"enum": [kind.value for kind in MemoryKind]}
    levels = ("before_bytes", "loaded_bytes", "peak_bytes", "after_bytes", "kept_bytes")
    return object_of(
        {
            "residuals": list_of(
                object_of(
                    {
                        "kind": kind,
                        **dict.fromkeys(levels, COUNT_OR_NULL),
                        "freed_share": NUMBER_OR_NULL,
                        "freed": TRUTH_OR_NULL,
                    }
                )
            ),
            "growth": list_of(
                object_of(
                    {
                        "kind": kind,
                        "verdict": {"enum": [verdict.value for verdict in GrowthVerdict]},
                        "requests": COUNT,
                        "bytes_per_request": NUMBER_OR_NULL,
                        "interval": INTERVAL,
                        "p": NUMBER_OR_NULL,
                    }
                )
            ),
        }
    )


def _energy_schema() -> Schema:
    numbers = (
        *("net_j", "idle_w", "net_j_per_token", "gross_j_per_token", "net_wh_per_answer"),
        *("counter_share", "net_price_per_answer"),
    )
    scope: dict[str, Schema] = {
        "scope": _SCOPE,
        "answers": COUNT,
        "tokens": COUNT_OR_NULL,
        **dict.fromkeys(("window_s", "gross_j", "gross_wh_per_answer"), NUMBER),
        **dict.fromkeys(numbers, NUMBER_OR_NULL),
        "in_doubt": TRUTH,
    }
    later: dict[str, Schema] = {"requests_overlap": TRUTH, "further_requests": COUNT}
    return object_of(
        {
            "scopes": list_of(object_of(scope | later, optional=tuple(later))),
            "reason": TEXT_OR_NULL,
            "currency": TEXT_OR_NULL,
            "hypothetical_cloud_price_per_answer": NUMBER_OR_NULL,
        }
    )


def _drift_schema() -> Schema:
    flag: dict[str, Schema] = {
        "round": COUNT,
        "kind": {"enum": [kind.value for kind in FlagKind]},
        "detail": {"type": "string"},
    }
    known = object_of(
        {
            "measure": {"type": "string"},
            "verdict": {"enum": [verdict.value for verdict in DriftVerdict]},
            "rounds": COUNT,
            "slow_rounds": {"type": "array", "items": COUNT},
            "ratio": NUMBER_OR_NULL,
            "p": NUMBER_OR_NULL,
            "flags": list_of(object_of(flag)),
        }
    )
    return {"anyOf": [known, {"type": "null"}]}
