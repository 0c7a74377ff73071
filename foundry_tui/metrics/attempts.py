"""Rounds that were measured again: which of several measurements of a slot counts, and what they came to.

A slot is one prompt in one round of one model.  ``standing`` is the one door: whatever makes a figure of the
requests of a run takes those that it lets through, so that no slot counts twice.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.bench_reruns import Rerun, RoundAgain
from foundry_tui.metrics.drift import FlagKind, drift
from foundry_tui.metrics.measures import Measure, is_counted, is_tried, read

__all__ = ["Remeasured", "marked_rounds", "of_one_stay", "remeasured", "standing", "superseded"]

_Slot: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remeasured:
    """What rounds of one model came to before they were measured again, and then.

    Attributes:
        model: Its name in the plan.
        attempt: Of the time that they were measured again.
        rounds: All that were to be measured again, with why.
        measure: Of the medians: decode rate where every answer of both has one, else latency.
        before: The median over the slots that were measured again, as they stood until then; None without an
            answer that counts.
        after: The median of what was measured instead; None without one.
        slots: How many were to be measured.
        made: Of these, how many were answered well, and so took the place of what was before.
        stands: Of ``made``, how many were not measured once more in their turn.
        mended: Of ``made``, how many had not ended well before.
        is_estimate: Whether a value among them rests on an estimated count.
    """

    model: str
    attempt: int
    rounds: tuple[RoundAgain, ...]
    measure: Measure
    before: float | None
    after: float | None
    slots: int
    made: int
    stands: int
    mended: int
    is_estimate: bool

    @property
    def is_by_result(self) -> bool:
        """Whether one of the rounds was marked by nothing but its own numbers."""
        return any(set(one.reasons) == {FlagKind.SLOWER.value} for one in self.rounds)


def standing(requests: Sequence[RequestRun]) -> tuple[RequestRun, ...]:
    """Those of which figures are made, in their order: of each timed slot one attempt, of all else all.

    That is the latest attempt in which the slot was answered well; where none was, the latest that was tried.
    Of one attempt all stay, such as one that ran out of memory and the one that was made in its place.
    """
    if all(request.attempt == 1 for request in requests):
        return tuple(requests)
    best: dict[_Slot, tuple[bool, bool, int]] = {}
    for request in requests:
        if request.phase is Phase.TIMED:
            slot = _slot(request)
            best[slot] = max(best.get(slot, (False, False, 0)), _rank(request))
    return tuple(
        request
        for request in requests
        if request.phase is not Phase.TIMED or request.attempt == best[_slot(request)][2]
    )


def superseded(requests: Sequence[RequestRun]) -> tuple[RequestRun, ...]:
    """The others: kept, shown, and in no figure."""
    numbers = {request.number for request in standing(requests)}
    return tuple(request for request in requests if request.number not in numbers)


def of_one_stay(requests: Sequence[RequestRun]) -> tuple[RequestRun, ...]:
    """Those of the attempt that most of the timed ones are of, the first of two: one stay in memory.

    For what is read from request to request, which a load in between would make nonsense of.
    """
    counts: defaultdict[int, int] = defaultdict(int)
    for request in requests:
        counts[request.attempt] += request.phase is Phase.TIMED
    most = max(sorted(counts), key=lambda attempt: counts[attempt], default=1)
    return tuple(request for request in requests if request.attempt == most)


def marked_rounds(requests: Sequence[RequestRun]) -> tuple[RoundAgain, ...]:
    """Rounds of one model that a drift or the conditions mark, of what stands by now, in order; with why."""
    found = drift(standing(requests))
    if found is None:
        return ()
    reasons: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for flag in found.flags:
        reasons[flag.round][flag.kind.value] = None
    model = requests[0].model
    return tuple(
        RoundAgain(model=model, round=number, reasons=tuple(reasons[number])) for number in sorted(reasons)
    )


def remeasured(requests: Sequence[RequestRun], rerun: Rerun, model: str, prompts: int) -> Remeasured | None:
    """What ``rerun`` has changed of one model; None where it was not about it.

    Args:
        requests: Of the run, of whatever model and attempt.
        rerun: One of the run.
        model: Its name in the plan.
        prompts: How many the plan has.
    """
    rounds = rerun.rounds_of(model)
    if not rounds:
        return None
    numbers = {one.round for one in rounds}
    own = [request for request in requests if request.model == model and request.round in numbers]
    earlier = standing([request for request in own if request.attempt < rerun.attempt])
    now = {_slot(one): one for one in own if one.attempt == rerun.attempt and is_counted(one)}
    before = {_slot(one): one for one in earlier if is_counted(one)}
    replaced = [one for slot, one in before.items() if slot in now]
    # Of an attempt that has not come to its end there is no other half to hold it against.
    compared = [*(replaced or before.values()), *now.values()]
    has_rates = all(read(one.trace, Measure.DECODE_RATE) is not None for one in compared)
    measure = Measure.DECODE_RATE if compared and has_rates else Measure.LATENCY
    readings = [read(one.trace, measure) for one in compared]
    return Remeasured(
        model=model,
        attempt=rerun.attempt,
        rounds=rounds,
        measure=measure,
        before=_median(replaced or list(before.values()), measure),
        after=_median(list(now.values()), measure),
        slots=len(rounds) * prompts,
        made=len(now),
        stands=sum(one.attempt == rerun.attempt and is_counted(one) for one in standing(own)),
        mended=sum(slot not in before for slot in now),
        is_estimate=any(reading is not None and reading.is_estimate for reading in readings),
    )


def _median(requests: Sequence[RequestRun], measure: Measure) -> float | None:
    readings = [read(request.trace, measure) for request in requests]
    return median(known) if (known := [one.value for one in readings if one is not None]) else None


def _slot(request: RequestRun) -> _Slot:
    return request.model, request.prompt_id, request.round


def _rank(request: RequestRun) -> tuple[bool, bool, int]:
    return is_counted(request), is_tried(request), request.attempt
