"""What a model costs beyond time, as objects of the results format; unknown is null."""

from typing import TypeAlias

from foundry_tui.domain.bench import ModelRun
from foundry_tui.domain.bench_conditions import RequestConditions
from foundry_tui.metrics.drift import Drift
from foundry_tui.metrics.leak import Growth, Residual
from foundry_tui.reports.json_text import interval_list
from foundry_tui.reports.run_costs import ModelCosts

__all__ = ["LEVELS", "conditions_object", "costs_object", "levels_object"]

_Object: TypeAlias = dict[str, object]

LEVELS = (
    *("uss_before_bytes", "uss_loaded_bytes", "uss_after_bytes"),
    *("vram_before_bytes", "vram_loaded_bytes", "vram_after_bytes"),
)
"""Fields of a model that came after the format's first files."""


def levels_object(model: ModelRun) -> _Object:
    """Further memory around a model, by ``LEVELS``."""
    return {
        "uss_before_bytes": model.uss_before_bytes,
        "uss_loaded_bytes": model.uss_loaded_bytes,
        "uss_after_bytes": model.uss_after_bytes,
        "vram_before_bytes": model.vram_before_bytes,
        "vram_loaded_bytes": model.vram_loaded_bytes,
        "vram_after_bytes": model.vram_after_bytes,
    }


def costs_object(costs: ModelCosts) -> _Object:
    """What is added to the summary of a model."""
    return {
        "memory": {
            "residuals": [_residual(each) for each in costs.residuals],
            "growth": [_growth(each) for each in costs.growth],
        },
        "energy": _energy(costs),
        "drift": None if costs.drift is None else _drift(costs.drift),
    }


def conditions_object(conditions: RequestConditions | None) -> _Object | None:
    """What is added to a request."""
    if conditions is None:
        return None
    throttles, power = conditions.throttles, conditions.power_source
    return {
        "energy": [
            {
                "scope": each.scope.value,
                "window_s": each.window_s,
                "counter_j": each.counter_j,
                "integrated_j": each.integrated_j,
                "idle_w": each.idle_w,
            }
            for each in conditions.energy
        ],
        "no_energy": conditions.no_energy,
        "shared_energy": [
            {
                "scope": each.scope.value,
                "counter_begin_j": each.counter_begin_j,
                "counter_end_j": each.counter_end_j,
                "power_begin_j": each.power_begin_j,
                "power_end_j": each.power_end_j,
                "idle_w": each.idle_w,
            }
            for each in conditions.shared_energy
        ],
        "throttles": None if throttles is None else [reason.value for reason in throttles],
        "gpu_clock_mhz": conditions.gpu_clock_mhz,
        "gpu_clock_max_mhz": conditions.gpu_clock_max_mhz,
        "cpu_clock_mhz": conditions.cpu_clock_mhz,
        "power_source": None if power is None else power.value,
        "governor": conditions.governor,
        "foreign_cpu_share": conditions.foreign_cpu_share,
        "foreign_gpu_share": conditions.foreign_gpu_share,
        "foreign_gpu": conditions.foreign_gpu,
        "foreign_vram_bytes": conditions.foreign_vram_bytes,
        "foreign_unknown": conditions.foreign_unknown,
    }


def _energy(costs: ModelCosts) -> _Object:
    tariff = costs.tariff
    return {
        "scopes": [
            {
                "scope": found.scope.value,
                "answers": found.answers,
                "tokens": found.tokens,
                "window_s": found.window_s,
                "gross_j": found.gross_j,
                "net_j": found.net_j,
                "idle_w": found.idle_w,
                "net_j_per_token": found.net_j_per_token,
                "gross_j_per_token": found.gross_j_per_token,
                "net_wh_per_answer": found.net_wh_per_answer,
                "gross_wh_per_answer": found.gross_wh_per_answer,
                "counter_share": found.counter_share,
                "in_doubt": found.is_in_doubt,
                "requests_overlap": found.is_shared,
                "further_requests": found.further_requests,
                "net_price_per_answer": found.price_per_answer(tariff),
            }
            for found in costs.energy
        ],
        "reason": costs.no_energy,
        "currency": tariff.currency or None,
        "hypothetical_cloud_price_per_answer": costs.cloud_price,
    }


def _residual(found: Residual) -> _Object:
    return {
        "kind": found.kind.value,
        "before_bytes": found.before_bytes,
        "loaded_bytes": found.loaded_bytes,
        "peak_bytes": found.peak_bytes,
        "after_bytes": found.after_bytes,
        "kept_bytes": found.kept_bytes,
        "freed_share": found.freed_share,
        "freed": found.is_freed,
    }


def _growth(found: Growth) -> _Object:
    return {
        "kind": found.kind.value,
        "verdict": found.verdict.value,
        "requests": found.requests,
        "bytes_per_request": found.bytes_per_request,
        "interval": interval_list(found.interval),
        "p": found.p,
    }


def _drift(found: Drift) -> _Object:
    return {
        "measure": found.measure.value,
        "verdict": found.verdict.value,
        "rounds": found.rounds,
        "slow_rounds": list(found.slow_rounds),
        "ratio": found.ratio,
        "p": found.p,
        "flags": [
            {"round": flag.round, "kind": flag.kind.value, "detail": flag.detail} for flag in found.flags
        ],
    }
