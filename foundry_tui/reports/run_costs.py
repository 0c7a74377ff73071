"""What each model of a run costs beyond time, and whether the run was the same from begin to end."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import Order, Run
from foundry_tui.domain.tariff import Tariff, tariff_of
from foundry_tui.metrics.attempts import of_one_stay
from foundry_tui.metrics.drift import Drift, drift
from foundry_tui.metrics.energy import EnergyLedger, cloud_price, energy_ledger
from foundry_tui.metrics.leak import Growth, MemoryKind, Residual, growth, residuals
from foundry_tui.metrics.measures import is_counted
from foundry_tui.reports.run_results import ModelResult

__all__ = ["ModelCosts", "holds_one_model", "model_costs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCosts:
    """One model.

    Attributes:
        residuals: What is left in memory; empty unless what was read of the process is the model's own.
        growth: Of each kind of memory that was read over requests; likewise.
        energy: Of each scope that was read.
        no_energy: Why there is none, in the words of whoever could not read it; None where there is some.
        tariff: What energy cost when the run was made.
        cloud_price: What a mean answer would have cost at the hypothetical cloud prices.
        drift: Of its rounds; None without an answer that counts.
        foreign_unknown: What of others' use of the GPUs no round can be marked for, and why.
    """

    result: ModelResult
    residuals: tuple[Residual, ...]
    growth: tuple[Growth, ...]
    energy: tuple[EnergyLedger, ...]
    no_energy: str | None
    tariff: Tariff
    cloud_price: float | None
    drift: Drift | None
    foreign_unknown: str | None = None


def holds_one_model(run: Run, results: Sequence[ModelResult]) -> bool:
    """Whether no two models of the run were in the engine's process at once."""
    read = [result for result in results if result.peak_rss_bytes is not None]
    return len(read) < 2 or (run.plan.order is Order.BLOCKED and run.plan.unloads)


def model_costs(run: Run, results: Sequence[ModelResult]) -> tuple[ModelCosts, ...]:
    """Of each model, in the order of the plan."""
    is_apart, tariff = holds_one_model(run, results), tariff_of(run.environment)
    return tuple(_costs(result, tariff, is_apart=is_apart) for result in results)


def _costs(result: ModelResult, tariff: Tariff, *, is_apart: bool) -> ModelCosts:
    # Of one stay in memory: a load in between would hide a growth, and look like one.
    of_one = of_one_stay(result.requests)
    grown = [growth(of_one, kind) for kind in (MemoryKind.RSS, MemoryKind.VRAM)]
    # What is known of a model's memory around its load is of the first.
    of_first = [request for request in result.requests if request.attempt == 1]
    energy = energy_ledger(result.requests)
    return ModelCosts(
        energy=energy,
        no_energy=None if energy else _no_energy(result),
        tariff=tariff,
        cloud_price=cloud_price(result.requests, tariff),
        drift=drift(result.requests),
        foreign_unknown=_foreign_unknown(result),
        result=result,
        residuals=residuals(result.model, of_first) if is_apart else (),
        growth=tuple(each for each in grown if each is not None) if is_apart else (),
    )


def _no_energy(result: ModelResult) -> str | None:
    told = (request.conditions for request in result.requests if is_counted(request))
    return next((one.no_energy for one in told if one is not None and one.no_energy is not None), None)


def _foreign_unknown(result: ModelResult) -> str | None:
    """Only what no request of it could tell: a reading that failed once is no news."""
    counted = (request.conditions for request in result.requests if is_counted(request))
    whys = {None if one is None else one.foreign_unknown for one in counted}
    return None if None in whys or not whys else min(why for why in whys if why is not None)
