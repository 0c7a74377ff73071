"""Readings that may fail one by one, each failure kept with its reason."""

from collections.abc import Callable
from typing import TypeVar

from foundry_tui.domain.resources import Missing
from foundry_tui.domain.text import clean_line

__all__ = ["Reasons", "Unreadable", "reason_of"]

T = TypeVar("T")

_CHARACTERS = 80


class Unreadable(Exception):
    """This machine does not tell it; the text says why."""


def reason_of(error: Exception) -> str:
    """Why a reading failed, in a few harmless words."""
    if isinstance(error, Unreadable):
        return str(error)
    name = type(error).__name__
    if isinstance(error, PermissionError) or name == "AccessDenied":  # the latter is psutil's
        return "no permission to read it"
    if name in ("NoSuchProcess", "ZombieProcess", "ProcessLookupError"):
        return "the process has ended"
    if isinstance(error, (FileNotFoundError, NotImplementedError, AttributeError)):
        return "the system does not tell it"
    return clean_line(f"{name}: {error}", _CHARACTERS)


class Reasons:
    """Why readings of one sample are None.

    Args:
        words: What an error means.
    """

    def __init__(self, words: Callable[[Exception], str] = reason_of) -> None:
        self._words = words
        self._found: dict[str, str] = {}

    def take(self, read: Callable[[], T], *fields: str) -> T | None:
        """What ``read`` returns; None, and the reason kept for all of ``fields``, if it cannot."""
        try:
            return read()
        except Exception as error:  # noqa: BLE001 - border: drivers and systems fail in ways of their own
            for field in fields:
                self.note(field, self._words(error))
            return None

    def note(self, field: str, why: str) -> None:
        """Keep one reason; an earlier one stays."""
        self._found.setdefault(field, why)

    def all(self) -> tuple[Missing, ...]:
        """All of them, in the order in which they were found."""
        return tuple(Missing(field=field, why=why) for field, why in self._found.items())
