"""Keys that Textual would hide from us."""

# Private, and pinned with Textual's minor version; a test in a real terminal sees whether it still works.
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS

__all__ = ["let_alt_digits_through"]


def let_alt_digits_through() -> None:
    """Read ``ESC 1`` as Alt+1, which most terminals mean by it, and not as ``¡``.

    Textual takes Alt with a digit for the sign that a Mac's keyboard has there, in all terminals, since one
    of them (WezTerm on macOS) sends it so.  Whoever wants the sign can still paste it.
    """
    if isinstance(ANSI_SEQUENCES_KEYS, dict):
        for digit in "0123456789":
            ANSI_SEQUENCES_KEYS.pop(f"\x1b{digit}", None)
