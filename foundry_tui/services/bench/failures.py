"""Which failures of a timed request will repeat, so that the model is left out."""

from foundry_tui.domain.bench import BenchPlan, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.engine import EndpointKind
from foundry_tui.domain.errors import EngineDied, EngineError, GenerationFailed
from foundry_tui.services.engine.out_of_memory import is_for_memory

__all__ = [
    "Streak",
    "goes_in_circles",
    "is_runaway",
    "outcome_of_load",
    "runaway",
    "stops_repetition",
]

# A model that is not there, or that does not fit, is so the next time too.
_AT_ONCE = frozenset({Outcome.NOT_LOADED, Outcome.OUT_OF_MEMORY})
_IN_A_ROW = 2
# A chunk holds a token or more: only a token that is sent in parts makes more chunks than tokens.
_CHUNKS_PER_TOKEN = 2
_SPARE_CHUNKS = 64


def is_runaway(chunks: int, max_tokens: int) -> bool:
    """Whether an answer goes on far beyond the ``max_tokens`` that were asked for."""
    return chunks > _CHUNKS_PER_TOKEN * max_tokens + _SPARE_CHUNKS


def runaway(max_tokens: int, *, end_ns: int) -> GenerationFailed:
    """The end that such an answer is given, seen at ``end_ns``."""
    return GenerationFailed(
        f"it went on far beyond {max_tokens} tokens, and was stopped", outcome=Outcome.RUNAWAY, end_ns=end_ns
    )


def stops_repetition(plan: BenchPlan, kind: EndpointKind) -> bool:
    """Whether an answer that only repeats itself is ended, on an engine of that kind.

    Somebody else's server may be asked for just that: it is for the plan to say.
    """
    if plan.stops_repetition is not None:
        return plan.stops_repetition
    return kind in (EndpointKind.MANAGED, EndpointKind.SCRIPTED)


def goes_in_circles(repeated: int, *, end_ns: int) -> GenerationFailed:
    """The end of an answer that only repeats itself, for more than ``repeated`` tokens, likewise."""
    return GenerationFailed(
        f"it repeated the same text for more than {repeated} tokens, and was stopped",
        outcome=Outcome.RUNAWAY,
        end_ns=end_ns,
    )


def outcome_of_load(error: EngineError) -> Outcome:
    """What a model is called that ``error`` kept from being loaded."""
    if is_for_memory(error):
        return Outcome.OUT_OF_MEMORY
    return Outcome.ENGINE_DIED if isinstance(error, EngineDied) else Outcome.NOT_LOADED


class Streak:
    """The newest timed requests of one model, as far as they tell whether it goes on."""

    def __init__(self) -> None:
        self._last: RequestRun | None = None
        self._times = 0
        self._begun = 0

    def take(self, request: RequestRun, *, begun: int) -> None:
        """Take its next timed request.

        Args:
            request: It has ended.
            begun: The highest number of a request begun by then: those that were under way when one failed
                fail by the same cause, such as the death of the engine, and count as one.
        """
        is_alike = self._last is not None and self._last.trace.outcome is request.trace.outcome
        if not is_alike:
            self._times, self._begun = 1, begun
        elif request.number > self._begun:
            self._times, self._begun = self._times + 1, begun
        self._last = request

    def will_repeat(self, *, at_once: bool = True) -> RequestRun | None:
        """The failure for which the model is left out; None if it may go on.

        What says so by itself counts ``at_once``; every other kind, and else that too, when it has come twice
        in a row.
        """
        last = self._last
        if last is None or last.trace.outcome.is_timed:
            return None
        if at_once and last.trace.outcome in _AT_ONCE:
            return last
        return last if self._times >= _IN_A_ROW else None
