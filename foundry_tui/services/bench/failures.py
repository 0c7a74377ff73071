"""Which failures of a timed request will repeat, so that the model is left out."""

from collections.abc import Iterable

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import GenerationFailed

__all__ = ["is_runaway", "runaway", "will_repeat"]

# A model that is not there, or that does not fit, is so the next time too.
_AT_ONCE = frozenset({Outcome.NOT_LOADED, Outcome.OUT_OF_MEMORY})
_IN_A_ROW = 2
# A chunk holds a token or more: only a token that is sent in parts makes more chunks than tokens.
_CHUNKS_PER_TOKEN = 2
_SPARE_CHUNKS = 64


def is_runaway(chunks: int, max_tokens: int) -> bool:
    """Whether an answer goes on far beyond the ``max_tokens`` that were asked for."""
    return chunks > _CHUNKS_PER_TOKEN * max_tokens + _SPARE_CHUNKS


def runaway(max_tokens: int) -> GenerationFailed:
    """The end that such an answer is given."""
    return GenerationFailed(
        f"it went on far beyond {max_tokens} tokens, and was stopped", outcome=Outcome.RUNAWAY
    )


def will_repeat(requests: Iterable[RequestRun]) -> RequestRun | None:
    """The failure for which the model of ``requests`` is left out; None if it may go on.

    Args:
        requests: The timed requests of one model, in order.

    What says so by itself counts at once; every other kind of failure when it has come twice in a row.
    """
    last: RequestRun | None = None
    times = 0
    for request in requests:
        outcome = request.trace.outcome
        if outcome in _AT_ONCE:
            return request
        times = times + 1 if last is not None and last.trace.outcome is outcome else 1
        last = request
    if last is None or last.trace.outcome.is_timed or times < _IN_A_ROW:
        return None
    return last
