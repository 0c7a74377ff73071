"""Where it is read what loads need and what is free."""

import time
from collections.abc import Callable
from pathlib import Path

from foundry_tui.domain.models import ModelVariant
from foundry_tui.metrics.fit import ModelShape
from foundry_tui.services.engine.memory import MemorySources
from foundry_tui.services.load_book import LoadBook
from foundry_tui.wiring.machine import gpu_probe, host_probe

__all__ = ["memory_sources"]


def memory_sources(data_dir: Path, *, limit_percent: Callable[[], int]) -> MemorySources:
    """This machine, and what loads on it took; nothing is read yet."""
    return MemorySources(
        host=host_probe,
        gpu=gpu_probe,
        shape_of=_shape_of,
        notes=LoadBook(data_dir / "loads.json"),
        limit_percent=limit_percent,
        unix_ms=lambda: time.time_ns() // 1_000_000,
    )


def _shape_of(model: ModelVariant) -> ModelShape | None:
    from foundry_tui.engines.model_files.folders import model_shape  # late: few sessions ask

    return None if model.path is None else model_shape(Path(model.path))
