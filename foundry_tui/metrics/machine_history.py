"""What was read of the machine over a session, thinned so that its memory is bounded."""

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from foundry_tui.domain.resources import ResourceSample
from foundry_tui.metrics.vram import engine_vram

__all__ = ["MachineHistory", "MachineReading", "Series", "reading_of"]

_NS_PER_S = 1_000_000_000
_MOST_READINGS = 3_800
_TRIMMED = 500
"""So many go at once: to take one off the front moves all others."""
_MOST_BINS = 2_048
_HELD_NS = 1_250_000_000
"""So long a reading stands for what comes after it: two come in a second, but a busy machine misses some."""


class Series(StrEnum):
    """What is followed over time; bytes, shares from 0 to 1, watts."""

    CPU = "CPU"
    RAM = "RAM"
    ENGINE_RAM = "engine RAM"
    VRAM = "VRAM"
    ENGINE_VRAM = "engine VRAM"
    GPU = "GPU load"
    POWER = "GPU power"
    """Of the boards of all GPUs."""
    PACKAGE_POWER = "processor power (RAPL)"
    """Of the packages of all processors: no memory, no disk."""

    @property
    def keeps_peaks(self) -> bool:
        """Whether the largest of a stretch tells more of it than the mean: memory has to be there."""
        return self in (Series.RAM, Series.ENGINE_RAM, Series.VRAM, Series.ENGINE_VRAM)


_ALL = tuple(Series)
_COUNT = len(_ALL)
_PACKAGE_POWER = _ALL.index(Series.PACKAGE_POWER)
_KEEPS_PEAKS = tuple(series.keeps_peaks for series in _ALL)


@dataclass(frozen=True, slots=True)
class MachineReading:
    """One moment.

    Attributes:
        at_ns: As the sample has it.
        values: In the order of ``Series``; None where it could not be had.
        package_j: What the packages of the processors have drawn: only differences mean something.
    """

    at_ns: int
    values: tuple[float | None, ...]
    package_j: float | None = None

    def of(self, series: Series) -> float | None:
        """The value of one of them."""
        return self.values[_ALL.index(series)]


def reading_of(sample: ResourceSample) -> MachineReading:
    """What is followed of a sample.

    Memory and power are summed over all GPUs, None where one of them does not tell; the load is that of the
    busiest.  The power of the processors is not in it: they have a counter, and it takes two readings.
    """
    gpus = sample.gpu.gpus
    busy = [gpu.busy_share for gpu in gpus if gpu.busy_share is not None]
    power = [gpu.power_w for gpu in gpus if gpu.power_w is not None]
    return MachineReading(
        sample.at_ns,
        (
            sample.host.cpu_share,
            sample.host.ram_used_bytes,
            sample.host.process_rss_bytes,
            sum(gpu.used_bytes for gpu in gpus) if gpus else None,
            engine_vram(sample.gpu).total_bytes,
            max(busy, default=None),
            sum(power) if power and len(power) == len(gpus) else None,
            None,
        ),
        sample.host.package_energy_j,
    )


class _Bins:
    """All of the session in bins of one length, which doubles when there are too many."""

    def __init__(self, begin_ns: int) -> None:
        self.begin_ns = begin_ns
        self.bin_ns = _NS_PER_S
        self.sums = [array("d") for _ in _ALL]
        self.counts = [array("l") for _ in _ALL]
        self.mosts = [array("d") for _ in _ALL]

    def __len__(self) -> int:
        return len(self.sums[0])

    def take(self, at_ns: int, values: Sequence[float | None]) -> None:
        while (place := max(0, at_ns - self.begin_ns) // self.bin_ns) >= _MOST_BINS:
            self._halve()
        if (more := place + 1 - len(self)) > 0:
            for sums, counts, mosts in zip(self.sums, self.counts, self.mosts, strict=True):
                sums.extend([0.0] * more)
                counts.extend([0] * more)
                mosts.extend([-math.inf] * more)
        for number, value in enumerate(values):
            if value is not None:
                self.sums[number][place] += value
                self.counts[number][place] += 1
                self.mosts[number][place] = max(self.mosts[number][place], value)

    def _halve(self) -> None:
        self.bin_ns *= 2
        self.sums = [_paired(sums, 0.0, lambda one, other: one + other) for sums in self.sums]
        self.mosts = [_paired(mosts, -math.inf, max) for mosts in self.mosts]
        self.counts = [
            array("l", [sum(counts[place : place + 2]) for place in range(0, len(counts), 2)])
            for counts in self.counts
        ]


class MachineHistory:
    """Takes readings as they come, and cuts any stretch of the session into columns.

    The newest 3,800 readings are kept as they are: 31 minutes of two a second, or 6 of ten.  Beside them all
    of the session is kept in at most 2,048 bins of equal time, one second at first, with mean and largest.
    """

    def __init__(self) -> None:
        self._readings: list[MachineReading] = []
        self._bins: _Bins | None = None
        self._seen = [False] * _COUNT

    @property
    def newest(self) -> MachineReading | None:
        """The last one; None before the first."""
        return self._readings[-1] if self._readings else None

    @property
    def begin_ns(self) -> int | None:
        """When the first one was taken; None before it."""
        return None if self._bins is None else self._bins.begin_ns

    def has(self, series: Series) -> bool:
        """Whether it was ever known."""
        return self._seen[_ALL.index(series)]

    def take(self, reading: MachineReading) -> None:
        """Take one; their moments never decrease.

        The power of the processors is ``Δenergy/Δtime`` since the reading before; None over more than one and
        a quarter seconds, and where the counter stepped back: it began anew.
        """
        reading = self._with_power(reading)
        if self._bins is None:
            self._bins = _Bins(reading.at_ns)
        self._readings.append(reading)
        if len(self._readings) >= _MOST_READINGS + _TRIMMED:
            del self._readings[:_TRIMMED]
        self._bins.take(reading.at_ns, reading.values)
        for number, value in enumerate(reading.values):
            if value is not None:
                self._seen[number] = True

    def _with_power(self, reading: MachineReading) -> MachineReading:
        before = self.newest
        if before is None or before.package_j is None or reading.package_j is None:
            return reading
        took_ns, drawn_j = reading.at_ns - before.at_ns, reading.package_j - before.package_j
        if not 0 < took_ns <= _HELD_NS or drawn_j < 0:
            return reading
        values = list(reading.values)
        values[_PACKAGE_POWER] = drawn_j * _NS_PER_S / took_ns
        return replace(reading, values=tuple(values))

    def columns(self, begin_ns: int, end_ns: int, count: int) -> dict[Series, list[float | None]]:
        """The stretch in ``count`` columns, at least one; None where nothing is known.

        A column has the largest of its readings where these are of memory, else their mean.  A reading stands
        for what comes after it, up to one and a quarter seconds or one bin.
        """
        span_ns = max(1, end_ns - begin_ns)
        sums = [[0.0] * count for _ in _ALL]
        counts = [[0] * count for _ in _ALL]
        bins, readings = self._bins, self._readings
        if bins is None:
            return {series: [None] * count for series in _ALL}
        if begin_ns >= readings[0].at_ns or bins.begin_ns == readings[0].at_ns:
            held_ns = _HELD_NS
            first = max(0, bisect_left(readings, begin_ns, key=lambda one: one.at_ns) - 1)
            for reading in readings[first:]:
                if reading.at_ns >= end_ns:
                    break
                # One from just before the stretch stands for its beginning.
                place = max(0, reading.at_ns - begin_ns) * count // span_ns
                if reading.at_ns >= begin_ns - held_ns:
                    _add(sums, counts, place, reading.values)
        else:
            held_ns = max(_HELD_NS, bins.bin_ns)
            first = max(0, (begin_ns - bins.begin_ns) // bins.bin_ns)
            last = min(len(bins) - 1, (end_ns - 1 - bins.begin_ns) // bins.bin_ns)
            for bin_place in range(first, last + 1):
                at_ns = bins.begin_ns + bin_place * bins.bin_ns
                place = min(count - 1, max(0, at_ns - begin_ns) * count // span_ns)
                _add_bin(sums, counts, place, bins, bin_place)
        held = held_ns * count // span_ns
        return {
            series: _held(
                [total if n else None for total, n in zip(sums[number], counts[number], strict=True)]
                if _KEEPS_PEAKS[number]
                else [
                    total / n if n else None for total, n in zip(sums[number], counts[number], strict=True)
                ],
                held,
            )
            for number, series in enumerate(_ALL)
        }


def _add(
    sums: list[list[float]], counts: list[list[int]], place: int, values: Sequence[float | None]
) -> None:
    for number, value in enumerate(values):
        if value is None:
            continue
        if not _KEEPS_PEAKS[number]:
            sums[number][place] += value
        elif not counts[number][place] or value > sums[number][place]:
            sums[number][place] = value
        counts[number][place] += 1


def _add_bin(
    sums: list[list[float]], counts: list[list[int]], place: int, bins: _Bins, bin_place: int
) -> None:
    for number in range(_COUNT):
        if not (n := bins.counts[number][bin_place]):
            continue
        if not _KEEPS_PEAKS[number]:
            sums[number][place] += bins.sums[number][bin_place]
        elif not counts[number][place] or bins.mosts[number][bin_place] > sums[number][place]:
            sums[number][place] = bins.mosts[number][bin_place]
        counts[number][place] += n


def _held(values: list[float | None], cells: int) -> list[float | None]:
    """Each value in the empty cells that follow it, that many at most."""
    last, left = None, 0
    for place, value in enumerate(values):
        if value is not None:
            last, left = value, cells
        elif left > 0:
            values[place] = last
            left -= 1
    return values


def _paired(values: "array[float]", filler: float, join: Callable[[float, float], float]) -> "array[float]":
    if len(values) % 2:
        values.append(filler)
    return array("d", map(join, values[::2], values[1::2]))
