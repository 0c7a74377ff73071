"""What others than the engine did on the GPUs while a request was under way."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from foundry_tui.domain.resources import ResourceSample, why_missing

__all__ = ["ForeignGpu", "foreign_gpu"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignGpu:
    """Others' use of the GPUs over a stretch of samples.

    Attributes:
        share: Of the time of the GPU that they used most, in the mean; None where no GPU tells it.
        gpu: Which one that is, from 0; None likewise.
        vram_bytes: What was in use on all GPUs beside the engine's, at most, the driver's own part included;
            None where the driver does not tell memory by process: the engine's would be what others are not.
        unknown: What of it is not known and why, in words; None where all is, and where there is no GPU.
    """

    share: float | None = None
    gpu: int | None = None
    vram_bytes: int | None = None
    unknown: str | None = None


def foreign_gpu(samples: Sequence[ResourceSample]) -> ForeignGpu:
    """Mean over the samples of each GPU, of which the largest.

    Each sample tells of the two seconds before it, as the driver samples processes.  How much of a GPU others
    take is not told apart from how long: a share is of time in which anything of theirs ran.
    """
    if not any(sample.gpu.gpus for sample in samples):
        return ForeignGpu()
    if all(sample.host.process_rss_bytes is None for sample in samples):
        return ForeignGpu()  # the engine is elsewhere, and so are its GPUs
    of_gpu: dict[int, list[float]] = {}
    whys: dict[int, str] = {}
    in_use: list[int] = []
    no_memory: str | None = None
    for sample in samples:
        foreign_bytes = 0
        is_told = bool(sample.gpu.gpus)
        for number, gpu in enumerate(sample.gpu.gpus):
            if gpu.foreign_busy_share is None:
                whys[number] = why_missing(gpu.missing, "foreign_busy_share") or _NOT_TOLD
            else:
                of_gpu.setdefault(number, []).append(gpu.foreign_busy_share)
            if gpu.process_bytes is None:
                is_told, no_memory = False, why_missing(gpu.missing, "process_bytes") or _NOT_TOLD
            else:
                foreign_bytes += max(0, gpu.used_bytes - gpu.process_bytes)
        if is_told:
            in_use.append(foreign_bytes)
    means = {number: fmean(shares) for number, shares in of_gpu.items()}
    busiest = max(means, key=lambda number: means[number], default=None)
    # A reading that failed once is no reason: what is known of the rest of the time stands for it.
    unread = {number: why for number, why in whys.items() if number not in means}
    parts = [f"load of GPU {number} by others: {why}" for number, why in sorted(unread.items())]
    if not in_use and no_memory is not None:
        parts.append(f"GPU memory of others: {no_memory}")
    return ForeignGpu(
        share=None if busiest is None else round(means[busiest], 3),
        gpu=busiest,
        vram_bytes=max(in_use, default=None),
        unknown="; ".join(parts) or None,
    )


_NOT_TOLD = "the driver does not tell it"
