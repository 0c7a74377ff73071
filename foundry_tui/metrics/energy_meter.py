"""What all scopes have drawn since a run began, so that between any two moments it is a difference."""

from collections import deque
from collections.abc import Sequence

from foundry_tui.domain.bench_conditions import EnergyScope, SharedEnergy
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.metrics.energy import PowerSample, rises_between

__all__ = ["REACH_NS", "EnergyMeter", "power_sample"]

REACH_NS = 300_000_000
"""So far beyond the newest reading its power is taken to last: waiting would hold up the next request."""
_LONGEST_GAP_NS = 2_000_000_000
_NS_PER_S = 1_000_000_000


def power_sample(sample: ResourceSample, scope: EnergyScope) -> PowerSample:
    """What one sample says of a scope; of GPUs the sum, None where one of them does not tell."""
    if scope is EnergyScope.PACKAGE:
        return PowerSample(at_ns=sample.at_ns, energy_j=sample.host.package_energy_j)
    gpus = sample.gpu.gpus
    return PowerSample(
        at_ns=sample.at_ns,
        power_w=_sum([gpu.power_w for gpu in gpus]),
        energy_j=_sum([gpu.energy_j for gpu in gpus]),
    )


class EnergyMeter:
    """Takes samples as they come, and tells where counter and added-up power stood at any two moments.

    It keeps what it was told to since the oldest moment that somebody may still ask for.
    """

    def __init__(self) -> None:
        self._curves = {scope: _Curves() for scope in EnergyScope}
        self._gpus = 0
        self._gpus_ns = 0

    def take(self, sample: ResourceSample, *, since_ns: int) -> None:
        """Take one; their moments rise.  Nobody will ask for a moment before ``since_ns``."""
        self._curves[EnergyScope.PACKAGE].take(power_sample(sample, EnergyScope.PACKAGE), since_ns)
        if self._is_whole(sample):
            self._curves[EnergyScope.GPU].take(power_sample(sample, EnergyScope.GPU), since_ns)

    def between(
        self, scope: EnergyScope, begin_ns: int, end_ns: int, *, idle_w: float | None
    ) -> SharedEnergy | None:
        """Where both stood at either end; None where neither was read over all of it.

        An end that lies up to 0.3 s beyond the newest reading is reckoned with the power before it: between
        windows that overlap it cancels out, so that only the last end of all can be wrong by it.
        """
        return self._curves[scope].between(scope, begin_ns, end_ns, idle_w)

    def _is_whole(self, sample: ResourceSample) -> bool:
        """Whether all GPUs are in it: one that is lost for a moment would read as a step of the sum."""
        count = len(sample.gpu.gpus)
        if count < self._gpus and sample.at_ns - self._gpus_ns <= _LONGEST_GAP_NS:
            return False
        if count != self._gpus:
            self._gpus = count
            self._curves[EnergyScope.GPU] = _Curves()
        self._gpus_ns = sample.at_ns
        return count > 0


class _Curves:
    """Counter and integral of one scope over time."""

    def __init__(self) -> None:
        self._counter: deque[tuple[int, float]] = deque()
        self._drawn: deque[tuple[int, float]] = deque()
        self._power_w = 0.0

    def take(self, point: PowerSample, since_ns: int) -> None:
        if point.energy_j is not None:
            self._counter.append((point.at_ns, point.energy_j))
        if point.power_w is not None:
            drawn_j = 0.0
            if self._drawn:
                at_ns, before_j = self._drawn[-1]
                # Over a gap, too: no window that has one in it is told anything.
                drawn_j = before_j + (self._power_w + point.power_w) / 2 * (point.at_ns - at_ns) / _NS_PER_S
            self._drawn.append((point.at_ns, drawn_j))
            self._power_w = point.power_w
        for curve in (self._counter, self._drawn):
            # The last one before stays: it is where a line to the first one after begins.
            while len(curve) > 2 and curve[1][0] <= since_ns:
                curve.popleft()

    def between(
        self, scope: EnergyScope, begin_ns: int, end_ns: int, idle_w: float | None
    ) -> SharedEnergy | None:
        counter = rises_between(_reaching(self._counter, end_ns), begin_ns, end_ns)
        drawn = rises_between(_reaching(self._drawn, end_ns), begin_ns, end_ns)
        if counter is None and drawn is None:
            return None
        return SharedEnergy(
            scope=scope,
            counter_begin_j=None if counter is None else counter[0],
            counter_end_j=None if counter is None else counter[1],
            power_begin_j=None if drawn is None else drawn[0],
            power_end_j=None if drawn is None else drawn[1],
            idle_w=idle_w,
        )


def _reaching(curve: Sequence[tuple[int, float]], end_ns: int) -> list[tuple[int, float]]:
    """The curve, continued to ``end_ns`` as straight as it was last, if that is near enough."""
    points = list(curve)
    if len(points) < 2 or not 0 < end_ns - points[-1][0] <= REACH_NS:
        return points
    (at_ns, one), (last_ns, other) = points[-2:]
    if last_ns == at_ns or other < one:
        return points
    return [*points, (end_ns, other + (other - one) / (last_ns - at_ns) * (end_ns - last_ns))]


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
