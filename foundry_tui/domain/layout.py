"""How the user left the screen, so that it comes back so."""

from dataclasses import dataclass

__all__ = ["NARROWEST_LEFT", "WIDEST_LEFT", "Layout"]

NARROWEST_LEFT = 20
WIDEST_LEFT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What is remembered from one start to the next.

    Attributes:
        left_percent: Width of the left side, where both sides show.
        columns: Of the catalog, from left to right; empty: those that fit.
        sort: The catalog's column that it is sorted by; None: as listed.
        shows_ribbon: Whether the gaps between tokens show below the chat.
    """

    left_percent: int = 46
    columns: tuple[str, ...] = ()
    sort: str | None = None
    descending: bool = False
    shows_ribbon: bool = True

    def __post_init__(self) -> None:
        if not NARROWEST_LEFT <= self.left_percent <= WIDEST_LEFT:
            raise ValueError(f"left_percent lies between {NARROWEST_LEFT} and {WIDEST_LEFT}")
