"""Which failures of a timed request will repeat, so that the model is left out."""

from collections.abc import Iterable

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.chat import Outcome

__all__ = ["will_repeat"]

# A model that is not there, or that does not fit, is so the next time too.
_AT_ONCE = frozenset({Outcome.NOT_LOADED, Outcome.OUT_OF_MEMORY})
_IN_A_ROW = 2


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
