"""One model as single runs measured it."""

from dataclasses import dataclass

from foundry_tui.domain.bench import ModelRun, RequestRun, Run

__all__ = ["MeasuredModel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredModel:
    """What one run asked one model.

    Attributes:
        requests: Timed ones that stand, however they ended, in order.
    """

    run: Run
    model: ModelRun
    requests: tuple[RequestRun, ...]
