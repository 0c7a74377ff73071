"""Whether a run was the same from its first round to its last: what held rounds back, a drift of speed."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.bench_conditions import RequestConditions
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.resources import PowerSource
from foundry_tui.metrics.intervals import CONFIDENCE
from foundry_tui.metrics.measures import Measure, is_counted, read
from foundry_tui.metrics.trend import fall_p, rise_p

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows: TypeAlias = NDArray[np.float64]

__all__ = ["LEAST_ROUNDS", "Drift", "DriftVerdict", "Flag", "FlagKind", "drift"]

LEAST_ROUNDS = 5
"""Of fewer rounds not even a slowdown without a break reaches p < 0.05 in both tests together."""

_LEAST_CHANGE = math.log(1.05)
_GPU_CLOCK_SHARE = 0.9
_CPU_CLOCK_SHARE = 0.75
_FOREIGN_SHARE = 0.25
_FOREIGN_GPU_SHARE = 0.1
_FOREIGN_VRAM_BYTES = 512 * 1024 * 1024
_ORDERS = 4_999
_ALL_ORDERS_TO = 7


class FlagKind(StrEnum):
    """Why a round is marked; it stays in every number, unless it is measured again."""

    SLOWER = "slower"
    """It is on the slow side of a drift."""
    THROTTLED = "throttled"
    GPU_CLOCK = "gpu-clock"
    """A GPU ran below 0.9 of its usual clock of this run."""
    CPU_CLOCK = "cpu-clock"
    """The processors ran below 0.75 of theirs; that is read every few seconds only."""
    BATTERY = "battery"
    GOVERNOR = "governor"
    """It is not that of the first round."""
    FOREIGN_CPU = "foreign-cpu"
    """Others had at least a quarter of the processors."""
    FOREIGN_GPU = "foreign-gpu"
    """Others had at least a tenth of the time of one GPU."""
    FOREIGN_VRAM = "foreign-vram"
    """Others had at least 512 MiB more of the GPUs' memory than in the round in which they had least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One mark of one round.

    Attributes:
        detail: What was read, such as the reasons of throttling or a share; empty where the kind says it all.
            May hold the system's own words.
    """

    round: int
    kind: FlagKind
    detail: str = ""


class DriftVerdict(StrEnum):
    """What can be said of the rounds of one model."""

    DRIFT = "drift"
    NONE_SHOWN = "none-shown"
    """Which is not that there is none."""
    TOO_FEW = "too-few"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The rounds of one model, held against each other.

    Attributes:
        measure: Decode rate where every counted answer has one, else latency.
        rounds: How many rounds have a reading.
        slow_rounds: Those on the slow side, where the verdict is DRIFT.
        ratio: The measure on the slow side divided by that on the other, as medians: 0.7 of a rate is 30 %
            slower.  None below two rounds.
        p: How likely as much is where the order of the rounds means nothing; None below two rounds.
        flags: Of all rounds, in order.
    """

    measure: Measure
    verdict: DriftVerdict
    rounds: int
    slow_rounds: tuple[int, ...]
    ratio: float | None
    p: float | None
    flags: tuple[Flag, ...]


def drift(requests: Sequence[RequestRun], *, seed: int = 0) -> Drift | None:
    """The rounds of one model, of whatever phase the requests are; None without a counted one.

    Rounds are held against each other in the order in which they were measured: those that were measured
    again come last.

    A round's level is the median of ln(x/median of its prompt), so that prompts of any length count alike and
    a round that lacks one is no faster for it.  DRIFT where p < 0.05 and the sides differ by at least 5 %:
    p = 2·min(p of trend, p of step).  The trend is Kendall's, two-sided and exact; the step is the largest
    |mean after − mean before|·√(k(n − k)/n) over all k, against all orders of the rounds, or against 4,999
    drawn ones above seven rounds.  Assumes that without drift every order of the levels is as likely.

    Args:
        requests: Of one model; of rounds that were measured again those that stand.
        seed: Of the orders that are drawn.
    """
    counted = [request for request in requests if is_counted(request)]
    if not counted:
        return None
    has_rates = all(read(request.trace, Measure.DECODE_RATE) is not None for request in counted)
    measure = Measure.DECODE_RATE if has_rates else Measure.LATENCY
    levels = _levels(counted, measure)
    rounds, values = list(levels), list(levels.values())
    ratio: float | None = None
    p: float | None = None
    slow: tuple[int, ...] = ()
    verdict = DriftVerdict.TOO_FEW
    if len(values) >= 2:
        split = _split(values)
        change = median(values[split:]) - median(values[:split])
        ratio = math.exp(abs(change) if measure.is_time else -abs(change))
        trend_p = min(1.0, 2 * min(rise_p([values]), fall_p([values])))
        p = min(1.0, 2 * min(trend_p, _step_p(values, seed)))
        if len(values) >= LEAST_ROUNDS:
            verdict = DriftVerdict.NONE_SHOWN
            if p < 1 - CONFIDENCE and abs(change) >= _LEAST_CHANGE:
                verdict = DriftVerdict.DRIFT
                slow = tuple(sorted(rounds[split:] if change > 0 else rounds[:split]))
    slower = [Flag(round=number, kind=FlagKind.SLOWER) for number in slow]
    flags = [*slower, *_flags([one for one in requests if one.phase is Phase.TIMED])]
    return Drift(
        measure=measure,
        verdict=verdict,
        rounds=len(values),
        slow_rounds=slow,
        ratio=ratio,
        p=p,
        flags=tuple(sorted(flags, key=lambda flag: flag.round)),
    )


def _levels(counted: Sequence[RequestRun], measure: Measure) -> dict[int, float]:
    """How slow each round was, by its number, in order of time; 0 is as its prompts usually are."""
    readings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for request in counted:
        reading = read(request.trace, measure)
        if reading is not None and reading.value > 0:
            slowness = math.log(reading.value) if measure.is_time else -math.log(reading.value)
            readings[request.prompt_id].append((request.round, slowness))
    of_round: defaultdict[int, list[float]] = defaultdict(list)
    for of_prompt in readings.values():
        usual = median(slowness for _, slowness in of_prompt)
        for number, slowness in of_prompt:
            of_round[number].append(slowness - usual)
    attempts: defaultdict[int, int] = defaultdict(int)
    for request in counted:
        attempts[request.round] = max(attempts[request.round], request.attempt)
    in_time = sorted(of_round, key=lambda number: (attempts[number], number))
    return {number: median(of_round[number]) for number in in_time}


def _split(values: Sequence[float]) -> int:
    """How many rounds lie before the step that is most of one."""
    mean, size, total = sum(values) / len(values), len(values), 0.0
    best, place = -1.0, 1
    for k in range(1, size):
        total += values[k - 1] - mean
        found = abs(total) / math.sqrt(k * (size - k))
        if found > best + 1e-12:
            best, place = found, k
    return place


def _step_p(values: Sequence[float], seed: int) -> float:
    import numpy as np  # late: no module of the first frame may load it

    given = np.asarray(values, dtype=np.float64)
    if len(values) <= _ALL_ORDERS_TO:
        orders = np.asarray(list(permutations(values)), dtype=np.float64)
        return float(np.mean(_steps(orders) >= _steps(given[None, :])[0] - 1e-9))
    drawn = np.random.default_rng(seed).permuted(np.tile(given, (_ORDERS, 1)), axis=1)
    as_much = int(np.sum(_steps(drawn) >= _steps(given[None, :])[0] - 1e-9))
    return (1 + as_much) / (1 + _ORDERS)


def _steps(rows: "Rows") -> "Rows":
    """The size of the largest step in each row."""
    import numpy as np

    size = rows.shape[1]
    k = np.arange(1, size)
    sums = np.cumsum(rows - rows.mean(axis=1, keepdims=True), axis=1)[:, :-1]
    found: Rows = np.max(np.abs(sums) / np.sqrt(k * (size - k)), axis=1)
    return found


def _flags(timed: Sequence[RequestRun]) -> list[Flag]:
    """What the conditions of each round say, in the order of the kinds."""
    of_round: defaultdict[int, list[RequestConditions]] = defaultdict(list)
    for request in timed:
        if request.conditions is not None:
            of_round[request.round].append(request.conditions)
    if not of_round:
        return []
    rounds = {number: of_round[number] for number in sorted(of_round)}
    flags = [
        *_clock_flags(rounds, FlagKind.GPU_CLOCK, lambda one: one.gpu_clock_mhz, _GPU_CLOCK_SHARE),
        *_clock_flags(rounds, FlagKind.CPU_CLOCK, lambda one: one.cpu_clock_mhz, _CPU_CLOCK_SHARE),
    ]
    governors = [one.governor for of_one in rounds.values() for one in of_one if one.governor is not None]
    for number, of_one in rounds.items():
        reasons = dict.fromkeys(reason for one in of_one for reason in one.throttles or ())
        if reasons:
            words = ", ".join(reason.value for reason in reasons)
            flags.append(Flag(round=number, kind=FlagKind.THROTTLED, detail=words))
        if any(one.power_source is PowerSource.BATTERY for one in of_one):
            flags.append(Flag(round=number, kind=FlagKind.BATTERY))
        other = [one.governor for one in of_one if one.governor not in (None, *governors[:1])]
        if other:
            flags.append(Flag(round=number, kind=FlagKind.GOVERNOR, detail=str(other[0])))
        shares = [one.foreign_cpu_share for one in of_one if one.foreign_cpu_share is not None]
        if max(shares, default=0.0) >= _FOREIGN_SHARE:
            flags.append(Flag(round=number, kind=FlagKind.FOREIGN_CPU, detail=f"{max(shares) * 100:.0f} %"))
    return [*flags, *_foreign_gpu_flags(rounds)]


def _foreign_gpu_flags(rounds: dict[int, list[RequestConditions]]) -> list[Flag]:
    """Rounds in which others used a GPU, or held more of its memory than in others."""
    flags: list[Flag] = []
    most_bytes: dict[int, int] = {}
    for number, of_one in rounds.items():
        used = [
            (one.foreign_gpu_share, one.foreign_gpu) for one in of_one if one.foreign_gpu_share is not None
        ]
        share, gpu = max(used, key=lambda each: each[0], default=(0.0, None))
        if share >= _FOREIGN_GPU_SHARE:
            which = "a GPU" if gpu is None else f"GPU {gpu}"
            flags.append(
                Flag(round=number, kind=FlagKind.FOREIGN_GPU, detail=f"{share * 100:.0f} % of {which}")
            )
        held = [one.foreign_vram_bytes for one in of_one if one.foreign_vram_bytes is not None]
        if held:
            most_bytes[number] = max(held)
    least_bytes = min(most_bytes.values(), default=0)
    for number, held_bytes in most_bytes.items():
        if (more_bytes := held_bytes - least_bytes) >= _FOREIGN_VRAM_BYTES:
            flags.append(
                Flag(round=number, kind=FlagKind.FOREIGN_VRAM, detail=f"{bytes_in_words(more_bytes)} more")
            )
    return flags


def _clock_flags(
    rounds: dict[int, list[RequestConditions]],
    kind: FlagKind,
    clock: Callable[[RequestConditions], float | None],
    share: float,
) -> list[Flag]:
    """Rounds whose median clock is below ``share`` of that of all rounds."""
    means: dict[int, float] = {}
    for number, of_one in rounds.items():
        known = [value for one in of_one if (value := clock(one)) is not None]
        if known:
            means[number] = median(known)
    usual = median(means.values()) if means else 0.0
    return [
        Flag(round=number, kind=kind, detail=f"{value:.0f} MHz")
        for number, value in means.items()
        if value < share * usual
    ]
