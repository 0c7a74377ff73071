"""Whether a text goes round in circles, told while it is being written."""

__all__ = ["REPEATED_TOKENS", "Repetition"]

REPEATED_TOKENS = 512
"""More than so many tokens that only say again what was said are no answer any more."""

_LANDMARK = 6
"""Pieces in a row that tell where in the round a text is; a shorter row stands too often in ordinary text."""


class Repetition:
    """Counts the tokens in a row that stood just so one period before.

    Exact: one piece that differs, such as the number in front of each line of a list, begins the count anew.
    The period is the distance to where the last few pieces stood before, and is looked for again whenever it
    does not hold.  The work for a piece does not grow with the text.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._seen_at: dict[tuple[str, ...], int] = {}
        self._period: int | None = None
        self._tokens = 0

    @property
    def is_endless(self) -> bool:
        """Whether more than ``REPEATED_TOKENS`` tokens in a row were repeated."""
        return self._tokens > REPEATED_TOKENS

    def take(self, text: str, tokens: int = 1) -> None:
        """Take the next piece as it came, and how many tokens it stands for."""
        pieces, at = self._pieces, len(self._pieces)
        pieces.append(text)
        if at + 1 < _LANDMARK:
            return
        landmark = tuple(pieces[at + 1 - _LANDMARK :])
        if self._period is not None and text == pieces[at - self._period]:
            self._tokens += tokens
        else:
            earlier = self._seen_at.get(landmark)
            self._period = None if earlier is None else at - earlier
            self._tokens = 0
        self._seen_at[landmark] = at
