"""Which requests of a run were read by the same clock.

A monotonic clock begins anew when the machine does, and a run can be resumed after that.  Wall time less
clock stays the same within a life of the clock; with the next start of the machine it is another.
"""

from collections.abc import Sequence

from foundry_tui.domain.bench import RequestRun

__all__ = ["OTHER_CLOCK_NS", "clock_lives"]

OTHER_CLOCK_NS = 60_000_000_000
"""A wall clock that is set, or a machine that slept, by less than this is no other start of the machine."""
_NS_PER_MS = 1_000_000


def clock_lives(requests: Sequence[RequestRun]) -> list[list[RequestRun]]:
    """Requests that were sent, in order of their numbers, in a list for each life of the clock."""
    lives: list[list[RequestRun]] = []
    offset_ns: int | None = None
    for request in sorted(requests, key=lambda one: one.number):
        if request.trace.sent_ns is None:
            continue
        before_ns, offset_ns = offset_ns, request.at_unix_ms * _NS_PER_MS - request.trace.sent_ns
        if before_ns is None or abs(offset_ns - before_ns) > OTHER_CLOCK_NS:
            lives.append([])
        lives[-1].append(request)
    return lives
