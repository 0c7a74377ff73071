"""Keys that Textual would hide from us, or give us late."""

from dataclasses import dataclass

# Private, and pinned with Textual's minor version; a test in a real terminal sees whether it still works.
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

__all__ = ["let_alt_digits_through"]


@dataclass(frozen=True, slots=True)
class _Key:
    """What stands in Textual's table where its enumeration has no such key."""

    value: str


def let_alt_digits_through() -> None:
    """Read ``ESC 1`` as Alt+1, which most terminals mean by it, and not as ``¡``.

    Textual takes Alt with a digit for the sign that a Mac's keyboard has there, in all terminals, since one
    of them (WezTerm on macOS) sends it so.  Whoever wants the sign can still paste it.  Only to take that
    away would not do: an unknown sequence is held back for a tenth of a second, and what is typed within it
    would turn Alt+1 into the letters ``^1``.
    """
    if isinstance(ANSI_SEQUENCES_KEYS, dict):
        for digit in "0123456789":
            ANSI_SEQUENCES_KEYS[f"\x1b{digit}"] = (_Key(f"alt+{digit}"),)
