"""Energy of requests that were under way at once: no joule of what they share counts twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.bench_conditions import EnergyScope, SharedEnergy
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.clock_lives import clock_lives
from foundry_tui.metrics.measures import is_counted

__all__ = ["SharedWindow", "SharedWindows", "shared_windows"]

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedWindow:
    """A stretch of time in which at least one request was under way at each moment.

    Attributes:
        begin_ns: When the first of its requests was sent.
        end_ns: When the last of their answers had ended.
        counter_j: What was drawn by the counter; None without one.
        integrated_j: The same by readings of power; None without any.
        idle_w: Drawn with nothing to answer; None where not read.
    """

    begin_ns: int
    end_ns: int
    counter_j: float | None
    integrated_j: float | None
    idle_w: float | None

    @property
    def length_s(self) -> float:
        """From its begin to its end."""
        return (self.end_ns - self.begin_ns) / _NS_PER_S

    @property
    def gross_j(self) -> float:
        """What was drawn: by the counter, else by power."""
        return (self.integrated_j or 0.0) if self.counter_j is None else self.counter_j

    @property
    def net_j(self) -> float | None:
        """Without idle power × length, taken off once, at least 0; None where the idle power is not known."""
        return None if self.idle_w is None else max(0.0, self.gross_j - self.idle_w * self.length_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedWindows:
    """All of one scope.

    Attributes:
        windows: They do not overlap.
        requests: Those that count and have a reading; each lies in one of the windows.
        is_overlapping: Whether two of these were under way at once.
        further_requests: How many others were under way in one of the windows.
    """

    windows: tuple[SharedWindow, ...]
    requests: tuple[RequestRun, ...]
    is_overlapping: bool
    further_requests: int


@dataclass(frozen=True, slots=True)
class _Member:
    begin_ns: int
    end_ns: int
    energy: SharedEnergy
    request: RequestRun


def shared_windows(scope: EnergyScope, requests: Sequence[RequestRun]) -> SharedWindows | None:
    """The union of the windows of all requests that count and were read in that scope; None without one.

    ``counter at the last end − counter at the first begin`` of each stretch: whatever lies between is the
    difference of a counter that runs through, so it does not matter how many requests share a moment.

    Args:
        scope: What the energy is of.
        requests: Of one model, those that do not count among them.
    """
    windows: list[SharedWindow] = []
    taken: list[RequestRun] = []
    is_overlapping, further = False, 0
    for life in clock_lives(requests):
        members = sorted(_members(scope, life), key=lambda one: (one.begin_ns, one.end_ns))
        stretches: list[list[_Member]] = []
        until_ns = 0
        for member in members:
            if not stretches or member.begin_ns >= until_ns:
                stretches.append([])
                until_ns = member.end_ns
            stretches[-1].append(member)
            until_ns = max(until_ns, member.end_ns)
        found = [(window, stretch) for stretch in stretches if (window := _window(stretch)) is not None]
        in_life = [member.request for _, stretch in found for member in stretch]
        known = {request.number for request in in_life}
        of_life = [window for window, _ in found]
        further += sum(_is_in_one(request, of_life) for request in life if request.number not in known)
        is_overlapping = is_overlapping or any(map(_overlaps, (stretch for _, stretch in found)))
        windows += of_life
        taken += in_life
    if not windows:
        return None
    return SharedWindows(
        windows=tuple(windows),
        requests=tuple(taken),
        is_overlapping=is_overlapping,
        further_requests=further,
    )


def _members(scope: EnergyScope, life: Sequence[RequestRun]) -> list[_Member]:
    found: list[_Member] = []
    for request in life:
        span = _span(request.trace)
        if span is None or request.conditions is None or not is_counted(request):
            continue
        found += [
            _Member(*span, energy, request)
            for energy in request.conditions.shared_energy
            if energy.scope is scope
        ]
    return found


def _overlaps(stretch: Sequence[_Member]) -> bool:
    return len(stretch) > 1  # what only touches begins a stretch of its own


def _window(stretch: Sequence[_Member]) -> SharedWindow | None:
    """None where neither counter nor power reach over all of it."""
    first, last = stretch[0], max(stretch, key=lambda one: one.end_ns)
    idles = [member.energy.idle_w for member in stretch if member.energy.idle_w is not None]
    # One whose counter is not known may hide that it began anew in the middle.
    has_counter = all(member.energy.counter_end_j is not None for member in stretch)
    has_power = all(member.energy.power_end_j is not None for member in stretch)
    counter_j = _risen(first.energy.counter_begin_j, last.energy.counter_end_j) if has_counter else None
    integrated_j = _risen(first.energy.power_begin_j, last.energy.power_end_j) if has_power else None
    if counter_j is None and integrated_j is None:
        return None
    return SharedWindow(
        begin_ns=first.begin_ns,
        end_ns=last.end_ns,
        counter_j=counter_j,
        integrated_j=integrated_j,
        idle_w=idles[0] if idles else None,
    )


def _risen(begin_j: float | None, end_j: float | None) -> float | None:
    return None if begin_j is None or end_j is None or end_j < begin_j else end_j - begin_j


def _is_in_one(request: RequestRun, windows: Sequence[SharedWindow]) -> bool:
    span = _span(request.trace)
    return span is not None and any(
        span[0] < window.end_ns and window.begin_ns < span[1] for window in windows
    )


def _span(trace: GenerationTrace) -> tuple[int, int] | None:
    """From the request fully sent to the end of its answer, as its energy is read."""
    if trace.sent_ns is None or trace.ended_ns is None or trace.ended_ns <= trace.sent_ns:
        return None
    return trace.sent_ns, trace.ended_ns
