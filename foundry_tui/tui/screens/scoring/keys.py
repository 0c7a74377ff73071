"""The keys of judging, the same wherever answers are judged."""

from textual.binding import Binding

from foundry_tui.domain.scoring import HIGHEST, LOWEST

__all__ = ["DIGITS", "PREFERENCES", "RUBRIC", "UNDO"]


def _digit(value: int) -> Binding:
    """All five do the same; the footer has room for one."""
    return Binding(
        str(value),
        f"give({value})",
        f"Give {value}" if value != LOWEST else "Score",
        key_display=f"{LOWEST}-{HIGHEST}" if value == LOWEST else None,
        show=value == LOWEST,
        id=f"scoring.give_{value}",
    )


DIGITS = tuple(_digit(value) for value in range(LOWEST, HIGHEST + 1))
PREFERENCES = (
    Binding("a", "prefer('left')", "A is better", id="scoring.prefer_left"),
    Binding("b", "prefer('right')", "B is better", id="scoring.prefer_right"),
    Binding("equals_sign", "prefer('tie')", "Neither", key_display="=", id="scoring.tie"),
)
UNDO = Binding("u", "undo", "Undo", id="scoring.undo")
RUBRIC = Binding("h", "rubric", "Rubric", id="scoring.rubric")
