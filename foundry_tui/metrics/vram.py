"""GPU memory of the engine over all GPUs, and on what the figure rests."""

from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.resources import GpuSample, GpuSamples, why_missing

__all__ = ["EngineVram", "VramBasis", "engine_vram"]


class VramBasis(StrEnum):
    """Where a figure of GPU memory comes from, in the order of trust."""

    PROCESS = "process"
    """The driver tells the memory of the engine's process."""
    ABOVE_BASELINE = "above baseline"
    """All that is in use on the device, minus what was before the engine began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineVram:
    """Memory of the engine on all GPUs.

    Attributes:
        total_bytes: None where it is unknown of any of them.
        basis: The less trusted one, if GPUs differ; None where there is no figure.
        why: The reason why there is no figure; None where there is one.
    """

    total_bytes: int | None = None
    basis: VramBasis | None = None
    why: str | None = None


def engine_vram(samples: GpuSamples) -> EngineVram:
    """``Σ process_bytes`` over the GPUs; ``above_baseline_bytes`` in its place where the driver hides it.

    Undefined where a GPU has neither: a sum over some of them would pass for all.  The difference from the
    baseline takes everybody else's memory to be what it was when the engine began.
    """
    if not samples.gpus:
        return EngineVram(why=samples.absence or "no GPU")
    total_bytes, basis = 0, VramBasis.PROCESS
    for gpu in samples.gpus:
        if gpu.process_bytes is not None:
            total_bytes += gpu.process_bytes
        elif gpu.above_baseline_bytes is not None:
            total_bytes += gpu.above_baseline_bytes
            basis = VramBasis.ABOVE_BASELINE
        else:
            return EngineVram(why=_why(gpu))
    return EngineVram(total_bytes=total_bytes, basis=basis)


def _why(gpu: GpuSample) -> str:
    reasons = [why_missing(gpu.missing, field) for field in ("process_bytes", "above_baseline_bytes")]
    return "; ".join(reason for reason in reasons if reason is not None) or "the driver does not tell it"
