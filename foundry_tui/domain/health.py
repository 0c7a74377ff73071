"""Whether the files of a model are what they should be."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["FileProblem", "HealthState", "ModelHealth"]


class HealthState(StrEnum):
    """What a check found."""

    SOUND = "sound"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"
    """Not checked yet."""


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong with one file.

    Attributes:
        file: Path within the model's folder, as it was expected or found.
        what: In words, such as ``is missing`` or ``has other contents than when it was downloaded``.
    """

    file: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelHealth:
    """The result of the last check of one model.

    Attributes:
        checked_unix_ms: When; None if never.
        is_deep: Whether contents were compared by their hash, or only names, sizes and headers.
        files: How many were looked at.
    """

    model_id: str
    state: HealthState
    checked_unix_ms: int | None = None
    is_deep: bool = False
    files: int = 0
    problems: tuple[FileProblem, ...] = ()
