"""JSON Schema of what results have of costs beyond time; beside ``result_schemas``."""

from typing import TypeAlias

from foundry_tui.domain.bench_conditions import EnergyScope
from foundry_tui.domain.resources import PowerSource, Throttle
from foundry_tui.metrics.drift import DriftVerdict, FlagKind
from foundry_tui.metrics.leak import GrowthVerdict, MemoryKind

__all__ = ["LEVELS_SCHEMAS", "conditions_schema", "cost_schemas"]

_Schema: TypeAlias = dict[str, object]

_COUNT: _Schema = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL: _Schema = {"type": ["integer", "null"], "minimum": 0}
_NUMBER: _Schema = {"type": "number"}
_NUMBER_OR_NULL: _Schema = {"type": ["number", "null"]}
_TRUTH_OR_NULL: _Schema = {"type": ["boolean", "null"]}
_TEXT_OR_NULL: _Schema = {"type": ["string", "null"]}
_SCOPE: _Schema = {"enum": [scope.value for scope in EnergyScope]}
_INTERVAL: _Schema = {
    "anyOf": [
        {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        {"type": "null"},
    ]
}

LEVELS_SCHEMAS: dict[str, _Schema] = dict.fromkeys(
    (
        *("uss_before_bytes", "uss_loaded_bytes", "uss_after_bytes"),
        *("vram_before_bytes", "vram_loaded_bytes", "vram_after_bytes"),
    ),
    _COUNT_OR_NULL,
)
"""Of an entry of ``run.models``; absent in files of earlier versions."""


def cost_schemas() -> dict[str, _Schema]:
    """What follows in an entry of ``summary``; absent in files of earlier versions."""
    return {"memory": _memory_schema(), "energy": _energy_schema(), "drift": _drift_schema()}


def conditions_schema() -> _Schema:
    """Of an entry of ``requests``; absent in files of earlier versions."""
    energies = ("counter_j", "integrated_j", "idle_w")
    energy: dict[str, _Schema] = {
        "scope": _SCOPE,
        "window_s": _NUMBER,
        **dict.fromkeys(energies, _NUMBER_OR_NULL),
    }
    clocks = ("gpu_clock_mhz", "gpu_clock_max_mhz", "cpu_clock_mhz")
    known = _object(
        {
            "energy": _list(energy),
            "no_energy": _TEXT_OR_NULL,
            "throttles": {
                "anyOf": [
                    {"type": "array", "items": {"enum": [reason.value for reason in Throttle]}},
                    {"type": "null"},
                ]
            },
            **dict.fromkeys(clocks, _NUMBER_OR_NULL),
            "power_source": {"enum": [*(source.value for source in PowerSource), None]},
            "governor": _TEXT_OR_NULL,
            "foreign_cpu_share": _NUMBER_OR_NULL,
        }
    )
    return {"anyOf": [known, {"type": "null"}]}


def _object(properties: dict[str, _Schema]) -> _Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(entries: dict[str, _Schema]) -> _Schema:
    return {"type": "array", "items": _object(entries)}


def _memory_schema() -> _Schema:
    kind: _Schema = {"enum": [kind.value for kind in MemoryKind]}
    levels = ("before_bytes", "loaded_bytes", "peak_bytes", "after_bytes", "kept_bytes")
    return _object(
        {
            "residuals": _list(
                {
                    "kind": kind,
                    **dict.fromkeys(levels, _COUNT_OR_NULL),
                    "freed_share": _NUMBER_OR_NULL,
                    "freed": _TRUTH_OR_NULL,
                }
            ),
            "growth": _list(
                {
                    "kind": kind,
                    "verdict": {"enum": [verdict.value for verdict in GrowthVerdict]},
                    "requests": _COUNT,
                    "bytes_per_request": _NUMBER_OR_NULL,
                    "interval": _INTERVAL,
                    "p": _NUMBER_OR_NULL,
                }
            ),
        }
    )


def _energy_schema() -> _Schema:
    numbers = (
        *("net_j", "idle_w", "net_j_per_token", "gross_j_per_token", "net_wh_per_answer"),
        *("counter_share", "net_price_per_answer"),
    )
    scope: dict[str, _Schema] = {
        "scope": _SCOPE,
        "answers": _COUNT,
        "tokens": _COUNT_OR_NULL,
        **dict.fromkeys(("window_s", "gross_j", "gross_wh_per_answer"), _NUMBER),
        **dict.fromkeys(numbers, _NUMBER_OR_NULL),
        "in_doubt": {"type": "boolean"},
    }
    return _object(
        {
            "scopes": _list(scope),
            "reason": _TEXT_OR_NULL,
            "currency": _TEXT_OR_NULL,
            "hypothetical_cloud_price_per_answer": _NUMBER_OR_NULL,
        }
    )


def _drift_schema() -> _Schema:
    flag: dict[str, _Schema] = {
        "round": _COUNT,
        "kind": {"enum": [kind.value for kind in FlagKind]},
        "detail": {"type": "string"},
    }
    known = _object(
        {
            "measure": {"type": "string"},
            "verdict": {"enum": [verdict.value for verdict in DriftVerdict]},
            "rounds": _COUNT,
            "slow_rounds": {"type": "array", "items": _COUNT},
            "ratio": _NUMBER_OR_NULL,
            "p": _NUMBER_OR_NULL,
            "flags": _list(flag),
        }
    )
    return {"anyOf": [known, {"type": "null"}]}
