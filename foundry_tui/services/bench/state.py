"""How far a benchmark is, for whoever watches it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.bench import ModelRun, Phase, RequestRun, Run
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.trace import TraceBuilder
from foundry_tui.services.bench.kept import Kept

__all__ = ["BenchState", "Step", "UnderWay"]


class Step(StrEnum):
    """What the run does right now."""

    STARTING = "starting"
    LOADING = "loading"
    ASKING = "asking"
    PAUSED = "paused"
    UNLOADING = "unloading"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A request that is being answered.

    Attributes:
        trace: What has arrived so far; it grows, and is only read.
    """

    model: str
    prompt_id: str
    round: int
    phase: Phase
    trace: TraceBuilder


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchState:
    """One moment of a run.

    Attributes:
        run: As it is kept; its models say what became of each.
        requests: Kept so far, of all lives of the run, in order.
        planned: Timed requests that the plan asks for by now; with a precision rule it grows.
        step: What is done right now.
        model: Whom it is done with; None for all.
        under_way: Requests that are being answered.
        eta_s: Until the end, from how long requests of each model took; None before the first.
        skipped: Models that the user has told to be left out.
        pauses: Whether no further request is begun until the user lets it go on.
        stops: Whether it ends after the request under way.
        hold: Why nothing is asked for now though nobody paused it, in words, such as the heat.
        paused_s: How long nothing was asked in this life of the run, by the user's wish or for the heat.
        notes: What whoever reads the numbers should know of this life, such as a limit that cannot be kept
            here.
        problem: Why it ended early; None if it did not.
    """

    run: Run
    requests: Sequence[RequestRun] = ()
    planned: int = 0
    step: Step = Step.STARTING
    model: str | None = None
    under_way: tuple[UnderWay, ...] = ()
    eta_s: float | None = None
    skipped: frozenset[str] = frozenset()
    pauses: bool = False
    stops: bool = False
    hold: str | None = None
    paused_s: float = 0.0
    notes: tuple[str, ...] = ()
    problem: FoundryTuiError | None = None

    @property
    def done(self) -> int:
        """Timed requests that were made."""
        if isinstance(self.requests, Kept):
            return self.requests.timed
        return sum(request.phase is Phase.TIMED for request in self.requests)

    def model_run(self, name: str) -> ModelRun:
        """What became of the model of that name in the plan."""
        return next(model for model in self.run.models if model.model == name)
