"""What the built-in server of the self-test writes, and when; known to it and to whoever asks it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.trace import GenerationTrace

__all__ = [
    "ENDINGS",
    "SCHEDULES",
    "Condition",
    "Ending",
    "Fault",
    "FaultSeen",
    "KnownAnswer",
    "Schedule",
    "SelfTestResult",
    "WrittenAnswer",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One answer of known timing.

    A role without text is written at once, and the finish some time after the last piece: neither may count.

    Attributes:
        name: The model id under which it is served.
        first_ms: From the request to the first piece.
        gap_ms: Between two pieces.
        late_ms: From the last piece to the finish.
        chunks: Pieces, at least two.
    """

    name: str
    first_ms: float
    gap_ms: float
    late_ms: float
    chunks: int
    tokens_per_chunk: int

    @property
    def tokens(self) -> int:
        """What the server reports as its count."""
        return self.chunks * self.tokens_per_chunk


SCHEDULES = (
    Schedule(name="even", first_ms=100, gap_ms=20, late_ms=50, chunks=31, tokens_per_chunk=1),
    Schedule(name="quick-pairs", first_ms=100, gap_ms=5, late_ms=50, chunks=31, tokens_per_chunk=2),
)


class Fault(StrEnum):
    """Ways to end that must be told apart; the value is the model id under which each is served."""

    ERROR_OBJECT = "error-object"
    """An error object in a stream that began with 200."""
    EARLY_END = "early-end"
    """The body is complete, and the answer in it is not."""
    CUT = "cut"
    """The connection is closed in the middle of the body."""
    NO_DONE = "no-done"
    """A good answer without the end mark."""
    NO_TEXT = "no-text"
    NOT_JSON = "not-json"
    TOO_LONG = "too-long"
    """The answer is complete but for its end, which the token limit cut off."""
    REFUSED = "refused"
    """HTTP 503 instead of a stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a request should be said to have ended.

    Attributes:
        chunks: Pieces that had arrived, and must have been kept.
    """

    outcome: Outcome
    chunks: int
    warnings: tuple[str, ...] = ()


ENDINGS: Mapping[Fault, Ending] = {
    Fault.ERROR_OBJECT: Ending(outcome=Outcome.STREAM_ERROR, chunks=3),
    Fault.EARLY_END: Ending(outcome=Outcome.EARLY_END, chunks=3),
    Fault.CUT: Ending(outcome=Outcome.DISCONNECTED, chunks=3),
    Fault.NO_DONE: Ending(outcome=Outcome.COMPLETED, chunks=3, warnings=("no_done",)),
    Fault.NO_TEXT: Ending(outcome=Outcome.EMPTY, chunks=0),
    Fault.NOT_JSON: Ending(outcome=Outcome.MALFORMED, chunks=3),
    Fault.TOO_LONG: Ending(outcome=Outcome.TRUNCATED, chunks=3),
    Fault.REFUSED: Ending(outcome=Outcome.HTTP_ERROR, chunks=0),
}
"""The truth about each fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenAnswer:
    """One answer as the server wrote it; readings of its own clock, in ns.

    On Linux they are of the same clock as ours; elsewhere only differences compare.

    Attributes:
        name: Of the schedule or fault.
        request_ns: The read that completed the request returned.
        text_ns: Before each piece of text was handed to the kernel.
    """

    name: str
    request_ns: int
    text_ns: tuple[int, ...]

    def __post_init__(self) -> None:
        if any(later < earlier for earlier, later in pairwise((self.request_ns, *self.text_ns))):
            raise ValueError("clock readings must not go backwards")


class Condition(StrEnum):
    """What the process beside the measuring one does meanwhile."""

    IDLE = "idle"
    """It only takes the events."""
    DRAWING = "drawing"
    """It draws the answer and its gaps, for a terminal of 120 x 40 that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAnswer:
    """One answer as we read it and as the server wrote it."""

    condition: Condition
    schedule: Schedule
    trace: GenerationTrace
    written: WrittenAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSeen:
    """How a fault was told."""

    fault: Fault
    seen: Ending

    @property
    def is_right(self) -> bool:
        """Whether status, warnings and what was kept are as they must be."""
        return self.seen == ENDINGS[self.fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestResult:
    """All readings of one self-test; statistics live in ``metrics.clock_error``.

    Attributes:
        warm_ups: Requests before these, not kept: the first of a process is slower.
        frames: What was drawn meanwhile; 0 without a screen.
    """

    answers: tuple[KnownAnswer, ...]
    faults: tuple[FaultSeen, ...]
    warm_ups: int
    frames: int = 0
