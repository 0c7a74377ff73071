"""What is known of a model that may be chosen, in six dimensions; what is not known has a reason."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.prompt_scores import PromptScores

__all__ = [
    "COMPARED",
    "Candidate",
    "Dimension",
    "Figure",
    "Latency",
    "Memory",
    "Sample",
    "Throughput",
    "Unknown",
    "worth",
]


class Dimension(StrEnum):
    """What candidates are chosen by."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"
    MEMORY = "memory"
    QUALITY = "quality"
    FOOTPRINT = "footprint"
    LICENSE = "license"


COMPARED = tuple(dimension for dimension in Dimension if dimension is not Dimension.LICENSE)
"""Those of which one value is better than another; a licence is only allowed or not."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no value, and why: words of whoever looked for it."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A median, or of quality a mean.

    Attributes:
        interval: 95 %; None where the readings are too few for one.
        n: Of how many readings; None where that is not told.
        is_estimate: Whether a count in it was estimated, and it must carry a ``~``.
    """

    value: float
    interval: Interval | None = None
    n: int | None = None
    is_estimate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long one waits for an answer.

    Attributes:
        e2e_s: For all of it, the median.
        ttft_s: For its first token, likewise.
        p95_s: Of ``e2e_s``; None where the readings do not support one.
    """

    e2e_s: Figure
    ttft_s: Figure | Unknown
    p95_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """How fast text comes: medians.

    Attributes:
        tokens_per_s: The decode rate; of the model's own tokens, which differ from model to model.
        characters_per_s: Over the same span: what models are compared by.
    """

    tokens_per_s: Figure | Unknown
    characters_per_s: Figure | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the engine's process held at its most.

    Attributes:
        vram_bytes: None where it ran on the processor and no GPU memory was read.
    """

    rss_bytes: int
    vram_bytes: int | None

    @property
    def total_bytes(self) -> int:
        """Both peaks together, which need not have been at one moment."""
        return self.rss_bytes + (self.vram_bytes or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One answer that counts; None where a measure is undefined."""

    prompt_id: str
    round: int
    latency_s: float | None
    ttft_s: float | None
    tokens_per_s: float | None
    characters_per_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One model of one run.

    Attributes:
        model: Its name in the plan.
        model_id: The exact variant; None where the name fitted none.
        answers: How many of its answers count.
        tried: Of so many timed requests.
        quality: From 1 to 5, the mean.
        license: As the catalog declares it, in its own words.
        time_to_good: How long a good answer takes, in seconds; nothing is compared by it, since it is made of
            latency and quality.
        answer_tokens: The mean length of its answers; None where nobody counted.
        samples: What its figures are of, for ``rank_stability``.
        scores: What its quality is the mean of, likewise; empty where that is not known by prompt.
    """

    run_id: str
    model: str
    model_id: str | None
    answers: int
    tried: int
    latency: Latency | Unknown
    throughput: Throughput | Unknown
    memory: Memory | Unknown
    quality: Figure | Unknown
    footprint_bytes: int | Unknown
    license: str | Unknown
    time_to_good: Figure | Unknown = Unknown("not scored")
    answer_tokens: float | None = None
    samples: tuple[Sample, ...] = ()
    scores: tuple[PromptScores, ...] = ()


def worth(candidate: Candidate, dimension: Dimension) -> float | None:
    """What ``candidate`` is compared by, turned so that more is better; None where that is not known.

    Latency: −median E2E; throughput: characters/s; memory: −(peak RSS + peak VRAM); quality: the mean;
    footprint: −bytes.  A licence is never compared.
    """
    match dimension:
        case Dimension.LATENCY:
            return None if isinstance(candidate.latency, Unknown) else -candidate.latency.e2e_s.value
        case Dimension.THROUGHPUT:
            rates = candidate.throughput
            rate = rates if isinstance(rates, Unknown) else rates.characters_per_s
            return None if isinstance(rate, Unknown) else rate.value
        case Dimension.MEMORY:
            return None if isinstance(candidate.memory, Unknown) else -candidate.memory.total_bytes
        case Dimension.QUALITY:
            return None if isinstance(candidate.quality, Unknown) else candidate.quality.value
        case Dimension.FOOTPRINT:
            size = candidate.footprint_bytes
            return None if isinstance(size, Unknown) else -size
        case Dimension.LICENSE:
            return None
        case _:
            assert_never(dimension)
