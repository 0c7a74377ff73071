"""The most memory that the engine had over a request."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from foundry_tui.aio import Tasks
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.services.sampling import ResourceSampler

__all__ = ["Peak", "Peaks"]

_FIRST_S = 5.0
"""A machine that cannot be read that long is not waited for."""


@dataclass(slots=True)
class Peak:
    """The highest readings of one window; None where there was none in it."""

    rss_bytes: int | None = None
    vram_bytes: int | None = None

    def take(self, sample: ResourceSample) -> None:
        """Widen it by one reading."""
        vram = [gpu.process_bytes for gpu in sample.gpu.gpus if gpu.process_bytes is not None]
        self.rss_bytes = _higher(self.rss_bytes, sample.host.process_rss_bytes)
        self.vram_bytes = _higher(self.vram_bytes, sum(vram) if vram else None)


class Peaks:
    """Reads the engine's process ten times a second while a benchmark runs.

    Args:
        sampler: Of its own, for it runs at its own pace.
    """

    def __init__(self, sampler: ResourceSampler) -> None:
        self._sampler = sampler
        self._open: list[Peak] = []

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[None, None]:
        """Read for the length of the block, from a first reading on."""
        tasks = Tasks()
        tasks.start("sampler of a benchmark", self._sampler.run())
        tasks.start("peaks of a benchmark", self._follow())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_S):
                    await self.rss_bytes()
            yield
        finally:
            await tasks.aclose()

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

    async def rss_bytes(self) -> int | None:
        """The engine's resident memory at the next reading; None where it cannot be read."""
        seen = self._sampler.samples.value
        async with aclosing(self._sampler.samples.watch()) as samples:
            async for sample in samples:
                if sample is not None and sample is not seen:
                    return sample.host.process_rss_bytes
        return None

    async def _follow(self) -> None:
        async for sample in self._sampler.samples.watch():
            if sample is not None:
                for peak in self._open:
                    peak.take(sample)


def _higher(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)
