"""What the engine takes of the machine over a run, and the most memory that it had over a request."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from foundry_tui.domain.bench import ResourceReading
from foundry_tui.domain.bench_conditions import EnergyScope, RequestConditions
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.metrics.energy_meter import REACH_NS, EnergyMeter
from foundry_tui.metrics.request_conditions import can_tell_energy, idle_powers, request_conditions
from foundry_tui.metrics.vram import VramBasis, engine_vram
from foundry_tui.services.sampling import ResourceSampler

__all__ = ["MemoryLevel", "Peak", "Peaks"]

_NS_PER_S = 1_000_000_000
_PERIOD_S = 0.1
_FIRST_S = 5.0
"""A machine that cannot be read that long is not waited for."""
_IDLE_S = 3.0
_LAST_S = 1.0
"""How long the reading after a request is waited for, without which its energy is not known to its end."""


@dataclass(slots=True)
class Peak:
    """The highest readings of one window, None where there was none in it, and all its samples in order."""

    rss_bytes: int | None = None
    vram_bytes: int | None = None
    samples: list[ResourceSample] = field(default_factory=list[ResourceSample])

    def take(self, sample: ResourceSample) -> None:
        """Widen it by one reading."""
        self.samples.append(sample)
        self.rss_bytes = _higher(self.rss_bytes, sample.host.process_rss_bytes)
        self.vram_bytes = _higher(self.vram_bytes, _vram_bytes(sample))


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLevel:
    """The engine's memory at one moment; None where it was not read."""

    rss_bytes: int | None
    uss_bytes: int | None
    vram_bytes: int | None


class Peaks:
    """Has the engine's process read ten times a second while a benchmark runs.

    Args:
        sampler: Whoever else reads from it meanwhile gets as many samples.
        unique_bytes: Reads what memory only the process of that pid has; blocks, the longer the more it has.
            None where nobody needs to know.
        idle_s: How long the power of an idle machine is read before anything is loaded, where it can be.
    """

    def __init__(
        self,
        sampler: ResourceSampler,
        *,
        unique_bytes: Callable[[int], int | None] | None = None,
        idle_s: float = _IDLE_S,
    ) -> None:
        self._sampler = sampler
        self._unique_bytes = unique_bytes
        self._idle_ns = int(idle_s * _NS_PER_S)
        self._idle: dict[EnergyScope, float] = {}
        self._meter = EnergyMeter()
        self._before: ResourceSample | None = None
        self._open: list[Peak] = []
        self._hearing: list[Callable[[ResourceReading], None]] = []

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[None, None]:
        """Read for the length of the block, from a first reading on."""
        self._before, self._meter = None, EnergyMeter()
        with self._sampler.heard_by(self._take):
            async with self._sampler.wanted(_PERIOD_S):
                with suppress(TimeoutError):
                    async with asyncio.timeout(_FIRST_S):
                        await self._next()
                await self._rest()
                yield

    @contextmanager
    def window(self) -> Iterator[Peak]:
        """The highest readings within the block; the one at hand when it begins counts too."""
        peak = Peak()
        if (sample := self._sampler.samples.value) is not None:
            peak.take(sample)
        self._open.append(peak)
        try:
            yield peak
        finally:
            self._open.remove(peak)

    @contextmanager
    def heard_by(self, take: Callable[[ResourceReading], None]) -> Iterator[None]:
        """Hand every reading that is taken within the block to ``take``, in order of time."""
        self._hearing.append(take)
        try:
            yield
        finally:
            self._hearing.remove(take)

    async def conditions(
        self, peak: Peak, *, begin_ns: int | None, end_ns: int | None, is_alone: bool
    ) -> RequestConditions | None:
        """What was read over a request; called within its window, once its answer has ended.

        Where energy can be told it waits for the first reading after the request; where others are under way,
        only if the newest is too long ago, for each wait holds up the next request and is load that lacks.

        Args:
            peak: Its window.
            begin_ns: When it was sent, on the clock of the samples; None if it never was.
            end_ns: When its answer had ended.
            is_alone: Whether no other was under way meanwhile.
        """
        if end_ns is not None and peak.samples and can_tell_energy(peak.samples[-1]):
            reached_ns = end_ns if is_alone else end_ns - REACH_NS
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_S):
                    while peak.samples[-1].at_ns < reached_ns:
                        await self._next()
        return request_conditions(
            peak.samples,
            begin_ns=begin_ns,
            end_ns=end_ns,
            idle=self._idle,
            is_alone=is_alone,
            meter=self._meter,
        )

    async def level(self) -> MemoryLevel:
        """The engine's memory at the next reading."""
        sample = await self._next()
        process = None if sample is None else sample.host.process
        uss_bytes = None
        if process is not None and self._unique_bytes is not None:
            uss_bytes = await asyncio.to_thread(self._unique_bytes, process.pid)
        return MemoryLevel(
            rss_bytes=None if sample is None else sample.host.process_rss_bytes,
            uss_bytes=uss_bytes,
            vram_bytes=None if sample is None else _vram_bytes(sample),
        )

    async def _rest(self) -> None:
        """Read what the machine draws while nothing is asked of it, where that can be read at all."""
        self._idle = {}
        first = self._sampler.samples.value
        if first is None or not can_tell_energy(first):
            return
        with self.window() as window, suppress(TimeoutError):
            async with asyncio.timeout(self._idle_ns / _NS_PER_S + _FIRST_S):
                while window.samples[-1].at_ns - first.at_ns < self._idle_ns:
                    await self._next()
        self._idle = idle_powers(window.samples)

    async def _next(self) -> ResourceSample | None:
        seen = self._sampler.samples.value
        async with aclosing(self._sampler.samples.watch()) as samples:
            async for sample in samples:
                if sample is not None and sample is not seen:
                    return sample
        return None

    def _take(self, sample: ResourceSample) -> None:
        for peak in self._open:
            peak.take(sample)
        since_ns = min((peak.samples[0].at_ns for peak in self._open), default=sample.at_ns)
        self._meter.take(sample, since_ns=since_ns)
        reading = _reading(sample, self._before)
        for take in self._hearing:
            take(reading)
        self._before = sample


def _reading(sample: ResourceSample, before: ResourceSample | None) -> ResourceReading:
    return ResourceReading(
        at_ns=sample.at_ns,
        rss_bytes=sample.host.process_rss_bytes,
        vram_bytes=_vram_bytes(sample),
        cpu_share=_cpu_share(sample, before),
        available_bytes=max(0, sample.host.ram_total_bytes - sample.host.ram_used_bytes),
    )


def _cpu_share(sample: ResourceSample, before: ResourceSample | None) -> float | None:
    """``Δcpu time / Δtime`` of the process, of one core; kernels count the first in hundredths of a second.

    Undefined where either reading has none, and where the time is less than before: a process that took the
    place of another.  In thousandths, for there are many.
    """
    spent_s = sample.host.process_cpu_s
    spent_before_s = None if before is None else before.host.process_cpu_s
    if before is None or spent_s is None or spent_before_s is None or spent_s < spent_before_s:
        return None
    took_ns = sample.at_ns - before.at_ns
    return round((spent_s - spent_before_s) * _NS_PER_S / took_ns, 3) if took_ns > 0 else None


def _vram_bytes(sample: ResourceSample) -> int | None:
    """Only what the driver tells of the process, on all GPUs: a record has no label for another basis."""
    found = engine_vram(sample.gpu)
    return found.total_bytes if found.basis is VramBasis.PROCESS else None


def _higher(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)
