"""What was expected of a model before it was measured, and on what that rested."""

from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.loads import MemoryPlace

__all__ = ["MemoryPrediction", "ModelPrediction", "NoSpeed", "SpeedBasis", "SpeedPrediction"]


class SpeedBasis(StrEnum):
    """By what a decode rate was predicted; the values are those of the results format."""

    SAME_VARIANT = "same_variant"
    """The very same variant was measured on this machine before."""
    BANDWIDTH = "bandwidth"
    """Others were, with the same execution provider: each token is taken to read all weights once."""


class NoSpeed(StrEnum):
    """Why no decode rate could be predicted; the values are those of the results format."""

    NOT_FOUND = "not_found"
    """No model is called so."""
    NOTHING_MEASURED = "nothing_measured"
    """Nothing was measured on this machine with that execution provider, or the like."""
    NO_PROVIDER = "no_provider"
    """Nobody tells what it will run on."""
    NO_SIZE = "no_size"
    """Nobody tells how big its weights are."""
    TOO_SMALL = "too_small"
    """Its weights are too small to be what decoding waits for."""
    CONCURRENT = "concurrent"
    """Several requests at once share the machine: rates are known of one at a time."""
    ELSEWHERE = "elsewhere"
    """It runs on a machine of which nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedPrediction:
    """A decode rate that is expected.

    Attributes:
        tokens_per_s: The middle of it.
        low: From here on; what the interval is of is for ``basis`` to say.
        high: Up to here.
        models: How many other models it was learned from; of the same variant 1.
        runs: How many runs it rests on.
        answers: How many answers those have.
        newest_unix_ms: When the newest of the runs was begun.
        provider: The execution provider, or the device where nobody tells it.
        is_same_runtime: Whether all was measured with the version of the runtime that is here now.
        is_estimate: Whether counts of tokens in it were estimated.
        is_fallback: Whether the same variant was measured while no GPU or NPU worked for it.
    """

    tokens_per_s: float
    low: float
    high: float
    basis: SpeedBasis
    models: int
    runs: int
    answers: int
    newest_unix_ms: int
    provider: str
    is_same_runtime: bool = True
    is_estimate: bool = False
    is_fallback: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.tokens_per_s <= self.high < float("inf"):
            raise ValueError("a rate is more than nothing, and lies within its interval")
        if min(self.models, self.runs, self.answers) < 1:
            raise ValueError("a prediction rests on something that was measured")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPrediction:
    """How much more memory is expected to be in use once the model is loaded.

    Attributes:
        loads: How many loads of the very same model were measured here; 0 where others', or none, were.
        is_assumed: Whether it rests on a rule of thumb in part.
        worst_error_share: Of earlier estimates on this machine; None where none was checked yet.
        checked_loads: How many of them were.
    """

    kind: MemoryPlace
    load_bytes: int
    loads: int = 0
    is_assumed: bool = False
    worst_error_share: float | None = None
    checked_loads: int = 0

    def __post_init__(self) -> None:
        if self.load_bytes < 0 or self.loads < 0 or self.checked_loads < 0:
            raise ValueError("a load takes memory, and is measured some times")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPrediction:
    """What was expected of one model, made before its first request and never changed.

    Attributes:
        model_id: The exact variant that it is of; None where the name fits none.
        made_unix_ms: When.
        speed: None where it cannot be predicted: ``no_speed`` says why.
        speed_error_share: Median of ``|predicted - measured| / measured`` of the earlier predictions on this
            basis; None where none was checked yet.
        checked_speeds: How many of them were.
        memory: None where the size is not known.
    """

    model_id: str | None
    made_unix_ms: int
    speed: SpeedPrediction | None = None
    no_speed: NoSpeed | None = None
    speed_error_share: float | None = None
    checked_speeds: int = 0
    memory: MemoryPrediction | None = None

    def __post_init__(self) -> None:
        if (self.speed is None) is (self.no_speed is None):
            raise ValueError("a rate is predicted, or there is a reason why not")
