"""A machine whose memory a test decides, and loads that take what a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field

from foundry_tui.domain.loads import LoadRecord
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.resources import GpuSample, GpuSamples, HostSample
from foundry_tui.metrics.fit import ModelShape
from foundry_tui.services.engine.memory import MemorySources

__all__ = ["Scales"]

GIB = 1024**3


@dataclass(kw_only=True)
class Scales:
    """Implements ``HostProbe``, ``GpuProbe`` and ``LoadNotes``.

    Attributes:
        used_bytes: Of the machine's memory.
        process_bytes: Of the engine; grows by the next of ``steps`` with each reading of it.
        records: What was kept.
    """

    total_bytes: int = 16 * GIB
    used_bytes: int = 4 * GIB
    gpus: tuple[GpuSample, ...] = ()
    shape: ModelShape | None = None
    limit_percent: int = 90
    process_bytes: int = 100 * 1024**2
    steps: list[int] = field(default_factory=list[int])
    records: list[LoadRecord] = field(default_factory=list[LoadRecord])

    def host(self) -> "HostOfScales":
        """What reads the machine."""
        return HostOfScales(self)

    def gpu(self) -> "GpusOfScales":
        """What reads the GPUs."""
        return GpusOfScales(self)

    def read(self) -> tuple[LoadRecord, ...]:
        return tuple(self.records)

    def add(self, record: LoadRecord) -> tuple[LoadRecord, ...]:
        self.records.append(record)
        return tuple(self.records)

    def sources(self, unix_ms: Callable[[], int] = lambda: 1_700_000_000_000) -> MemorySources:
        """What a client is handed."""
        return MemorySources(
            host=self.host,
            gpu=self.gpu,
            shape_of=self._shape_of,
            notes=self,
            limit_percent=lambda: self.limit_percent,
            unix_ms=unix_ms,
        )

    def _shape_of(self, model: ModelVariant) -> ModelShape | None:
        return self.shape


@dataclass
class HostOfScales:
    scales: Scales

    def sample(self, pid: int | None) -> HostSample:
        scales = self.scales
        if pid is not None and scales.steps:
            scales.process_bytes += scales.steps.pop(0)
        return HostSample(
            cpu_share=None,
            ram_total_bytes=scales.total_bytes,
            ram_used_bytes=scales.used_bytes,
            process_rss_bytes=None if pid is None else scales.process_bytes,
        )


@dataclass
class GpusOfScales:
    scales: Scales

    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(gpus=self.scales.gpus, absence=None if self.scales.gpus else "no driver")

    def close(self) -> None:
        """Nothing was opened."""
