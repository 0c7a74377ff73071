"""Energy over a window: by a counter and by readings of power, one held against the other, idle taken off."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.bench_conditions import EnergyReading, EnergyScope
from foundry_tui.domain.tariff import Tariff
from foundry_tui.metrics.measures import is_counted
from foundry_tui.metrics.shared_energy import shared_windows
from foundry_tui.metrics.tokens import output_tokens

__all__ = [
    "DISAGREEMENT_LIMIT",
    "EnergyLedger",
    "PowerSample",
    "cloud_price",
    "counted_j",
    "energy_ledger",
    "energy_reading",
    "gross_j",
    "idle_power_w",
    "integrated_j",
    "net_j",
    "request_net_j",
    "rises_between",
]

DISAGREEMENT_LIMIT = 0.15
"""Counter and integral that differ by more than this share of the integral are both in doubt."""

_NS_PER_S = 1_000_000_000
_J_PER_WH = 3600
_WH_PER_KWH = 1000
_TOKENS_OF_PRICE = 1_000_000
_LONGEST_GAP_NS = 2 * _NS_PER_S
"""Between two readings, what is drawn can change unseen: over a longer gap nothing is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerSample:
    """One reading of one scope.

    Attributes:
        power_w: Drawn at that moment; None where it is not told.
        energy_j: On the counter, of which only differences mean something; likewise.
    """

    at_ns: int
    power_w: float | None = None
    energy_j: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyLedger:
    """What the counted answers of one model drew, in one scope.

    Attributes:
        answers: How many of them have an energy.
        tokens: Output tokens of these, all of them reported; None where one was not.
        window_s: How long they took together; what overlaps counts once.
        gross_j: All that was drawn in that time; by the counter where there is one, else by power.
        net_j: Without what idling would have drawn; None where that was not read.
        counter_share: Counter divided by integral, over all answers that have both; None if none has.
        is_shared: Whether answers overlap: then an answer's part is its even share, and none was measured.
        further_requests: Requests that do not count, or lack a reading, and drew some of it all the same.
    """

    scope: EnergyScope
    answers: int
    tokens: int | None
    window_s: float
    gross_j: float
    net_j: float | None
    counter_share: float | None
    is_shared: bool = False
    further_requests: int = 0

    @property
    def idle_w(self) -> float | None:
        """(gross − net)/window: the idle power that was taken off, in the mean."""
        return (
            None if self.net_j is None or not self.window_s else (self.gross_j - self.net_j) / self.window_s
        )

    @property
    def net_j_per_token(self) -> float | None:
        """ΣE net/ΣC; None without either."""
        return None if self.net_j is None or not self.tokens else self.net_j / self.tokens

    @property
    def gross_j_per_token(self) -> float | None:
        """ΣE gross/ΣC."""
        return self.gross_j / self.tokens if self.tokens else None

    @property
    def net_wh_per_answer(self) -> float | None:
        """ΣE net/answers, in watt-hours."""
        return None if self.net_j is None else self.net_j / self.answers / _J_PER_WH

    @property
    def gross_wh_per_answer(self) -> float:
        """ΣE gross/answers, in watt-hours."""
        return self.gross_j / self.answers / _J_PER_WH

    @property
    def is_in_doubt(self) -> bool:
        """Whether counter and integral differ by more than 15 %."""
        return self.counter_share is not None and abs(self.counter_share - 1) > DISAGREEMENT_LIMIT

    def price_per_answer(self, tariff: Tariff) -> float | None:
        """Net energy at the user's tariff, in its currency; None without either."""
        wh = self.net_wh_per_answer
        return None if wh is None or tariff.price_per_kwh is None else wh / _WH_PER_KWH * tariff.price_per_kwh


def integrated_j(samples: Sequence[PowerSample], begin_ns: int, end_ns: int) -> float | None:
    """∫ P dt from ``begin_ns`` to ``end_ns`` by the trapezoidal rule, straight lines between readings.

    None where the readings do not reach over all of it, or leave out more than two seconds.
    """
    known = [(sample.at_ns, sample.power_w) for sample in samples if sample.power_w is not None]
    cut = _cut(known, begin_ns, end_ns)
    if cut is None:
        return None
    return sum((one + other) / 2 * (later - at) for (at, one), (later, other) in pairwise(cut)) / _NS_PER_S


def counted_j(samples: Sequence[PowerSample], begin_ns: int, end_ns: int) -> float | None:
    """How much the counter rose from ``begin_ns`` to ``end_ns``, by straight lines between its readings.

    None as ``integrated_j``, and where the counter stepped back: it began anew.
    """
    known = [(sample.at_ns, sample.energy_j) for sample in samples if sample.energy_j is not None]
    ends = rises_between(known, begin_ns, end_ns)
    return None if ends is None else ends[1] - ends[0]


def idle_power_w(samples: Sequence[PowerSample]) -> float | None:
    """Mean power over all readings: by the counter where there is one.  None without two readings."""
    if len(samples) < 2 or samples[0].at_ns >= samples[-1].at_ns:
        return None
    begin_ns, end_ns = samples[0].at_ns, samples[-1].at_ns
    drawn = counted_j(samples, begin_ns, end_ns)
    if drawn is None:
        drawn = integrated_j(samples, begin_ns, end_ns)
    return None if drawn is None else drawn * _NS_PER_S / (end_ns - begin_ns)


def energy_reading(
    scope: EnergyScope, samples: Sequence[PowerSample], begin_ns: int, end_ns: int, *, idle_w: float | None
) -> EnergyReading | None:
    """What the scope drew in that window; None where neither counter nor power tell it."""
    counter, integral = counted_j(samples, begin_ns, end_ns), integrated_j(samples, begin_ns, end_ns)
    if counter is None and integral is None:
        return None
    return EnergyReading(
        scope=scope,
        window_s=(end_ns - begin_ns) / _NS_PER_S,
        counter_j=counter,
        integrated_j=integral,
        idle_w=idle_w,
    )


def gross_j(reading: EnergyReading) -> float | None:
    """What was drawn: by the counter, else by power."""
    return reading.integrated_j if reading.counter_j is None else reading.counter_j


def net_j(reading: EnergyReading) -> float | None:
    """What was drawn minus idle power × window, at least 0; None where the idle power was not read."""
    gross = gross_j(reading)
    if gross is None or reading.idle_w is None:
        return None
    return max(0.0, gross - reading.idle_w * reading.window_s)


def request_net_j(readings: Sequence[EnergyReading]) -> float | None:
    """Σ net over all scopes of a request, which do not overlap; None where one of them is unknown."""
    nets = [net_j(reading) for reading in readings]
    known = [net for net in nets if net is not None]
    return sum(known) if known and len(known) == len(nets) else None


def energy_ledger(requests: Sequence[RequestRun]) -> tuple[EnergyLedger, ...]:
    """Of each scope that was read, the energy of the answers that count: no load, no warm-up.

    Where several were under way at once: what was drawn in the union of their windows, once.
    """
    found: list[EnergyLedger] = []
    counted = [request for request in requests if is_counted(request)]
    for scope in EnergyScope:
        pairs = [
            (request, reading)
            for request in counted
            if request.conditions is not None
            for reading in request.conditions.energy
            if reading.scope is scope
        ]
        # A plan has one concurrency, so that all of its requests have the same kind of reading.
        ledger = _ledger(scope, pairs) if pairs else _shared_ledger(scope, requests)
        if ledger is not None:
            found.append(ledger)
    return tuple(found)


def cloud_price(requests: Sequence[RequestRun], tariff: Tariff) -> float | None:
    """What a mean counted answer would cost at the hypothetical cloud prices; None without both of them.

    Only where every answer's prompt and output tokens were reported: an estimate is worth no price.
    """
    counted = [request for request in requests if is_counted(request)]
    if tariff.cloud_in is None or tariff.cloud_out is None or not counted:
        return None
    total = 0.0
    for request in counted:
        usage, output = request.trace.usage, _tokens(request)
        if usage is None or usage.prompt_tokens is None or output is None:
            return None
        total += usage.prompt_tokens * tariff.cloud_in + output * tariff.cloud_out
    return total / _TOKENS_OF_PRICE / len(counted)


def _ledger(scope: EnergyScope, pairs: Sequence[tuple[RequestRun, EnergyReading]]) -> EnergyLedger:
    tokens = [_tokens(request) for request, _ in pairs]
    known_tokens = [count for count in tokens if count is not None]
    nets = [net_j(reading) for _, reading in pairs]
    known_nets = [net for net in nets if net is not None]
    both = [
        (reading.counter_j, reading.integrated_j)
        for _, reading in pairs
        if reading.counter_j is not None and reading.integrated_j is not None
    ]
    integral = sum(one for _, one in both)
    return EnergyLedger(
        scope=scope,
        answers=len(pairs),
        tokens=sum(known_tokens) if len(known_tokens) == len(tokens) else None,
        window_s=sum(reading.window_s for _, reading in pairs),
        gross_j=sum(gross_j(reading) or 0.0 for _, reading in pairs),
        net_j=sum(known_nets) if len(known_nets) == len(nets) else None,
        counter_share=sum(one for one, _ in both) / integral if integral else None,
    )


def _shared_ledger(scope: EnergyScope, requests: Sequence[RequestRun]) -> EnergyLedger | None:
    found = shared_windows(scope, requests)
    if found is None:
        return None
    tokens = [_tokens(request) for request in found.requests]
    known_tokens = [count for count in tokens if count is not None]
    nets = [window.net_j for window in found.windows]
    known_nets = [net for net in nets if net is not None]
    both = [
        (window.counter_j, window.integrated_j)
        for window in found.windows
        if window.counter_j is not None and window.integrated_j is not None
    ]
    integral = sum(one for _, one in both)
    return EnergyLedger(
        scope=scope,
        answers=len(found.requests),
        tokens=sum(known_tokens) if len(known_tokens) == len(tokens) else None,
        window_s=sum(window.length_s for window in found.windows),
        gross_j=sum(window.gross_j for window in found.windows),
        net_j=sum(known_nets) if len(known_nets) == len(nets) else None,
        counter_share=sum(one for one, _ in both) / integral if integral else None,
        is_shared=found.is_overlapping,
        further_requests=found.further_requests,
    )


def _tokens(request: RequestRun) -> int | None:
    counted = output_tokens(request.trace)
    return None if counted is None or counted.is_estimate else counted.count


def rises_between(
    points: Sequence[tuple[int, float]], begin_ns: int, end_ns: int
) -> tuple[float, float] | None:
    """Where what only ever rises stood at both ends, by straight lines between its points.

    None as ``integrated_j``, and where it stepped back meanwhile.
    """
    cut = _cut(points, begin_ns, end_ns)
    if cut is None or any(later < one for (_, one), (_, later) in pairwise(cut)):
        return None
    return cut[0][1], cut[-1][1]


def _cut(known: Sequence[tuple[int, float]], begin_ns: int, end_ns: int) -> list[tuple[int, float]] | None:
    """The readings between both ends, and at each end what a straight line has there."""
    if begin_ns >= end_ns or not known or known[0][0] > begin_ns or known[-1][0] < end_ns:
        return None
    inside = [point for point in known if begin_ns < point[0] < end_ns]
    cut = [(begin_ns, _at(known, begin_ns)), *inside, (end_ns, _at(known, end_ns))]
    before = max(at for at, _ in known if at <= begin_ns)
    after = min(at for at, _ in known if at >= end_ns)
    places = [before, *(at for at, _ in inside), after]
    if any(later - at > _LONGEST_GAP_NS for at, later in pairwise(places)):
        return None
    return cut


def _at(known: Sequence[tuple[int, float]], at_ns: int) -> float:
    before = max((point for point in known if point[0] <= at_ns), key=lambda point: point[0])
    after = min((point for point in known if point[0] >= at_ns), key=lambda point: point[0])
    if after[0] == before[0]:
        return before[1]
    return before[1] + (after[1] - before[1]) * (at_ns - before[0]) / (after[0] - before[0])
