"""A fact: what every front end knows alike, and words in its own way."""

from dataclasses import dataclass

from foundry_tui.domain.text import clean_line

__all__ = ["Fact", "quoted"]

_TEXT_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Fact:
    """Something there is to know.

    Attributes:
        label: What it is about, as it begins a line.
        value: One harmless line, as it is written; None if it is not known.
        is_quoted: Whether the value is somebody else's text, which nobody words anew.
    """

    label: str
    value: str | None
    is_quoted: bool = False


def quoted(label: str, text: str | None) -> Fact:
    """What a model, a catalog or a server says of itself, made harmless; nothing said is not known."""
    return Fact(label, clean_line(text or "", _TEXT_CHARACTERS) or None, is_quoted=True)
