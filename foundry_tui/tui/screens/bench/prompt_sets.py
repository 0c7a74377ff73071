"""The sets of prompts that a benchmark can take: prompts.json, and the ready ones."""

from collections.abc import Callable

from foundry_tui.domain.bench import PlannedPrompt
from foundry_tui.domain.text import clean_line

__all__ = ["PromptSets"]

_NAME_CHARACTERS = 24


class PromptSets:
    """Stands at one set; the empty name is that of prompts.json.

    Args:
        read: Reads the prompts of the set of that name; blocks.
        names: Reads the names of the ready sets; blocks.
        name: The one that it begins with.
    """

    def __init__(
        self,
        read: Callable[[str], tuple[PlannedPrompt, ...]],
        names: Callable[[], tuple[str, ...]],
        name: str,
    ) -> None:
        self._read = read
        self._names = names
        self.name = name

    @property
    def words(self) -> str:
        """Which one it is; harmless."""
        return f"set: {clean_line(self.name, _NAME_CHARACTERS)}" if self.name else "prompts.json"

    def read(self, *, goes_on: bool) -> tuple[PlannedPrompt, ...]:
        """The prompts of this set, or of the next one if it ``goes_on``, where it stands then; blocks.

        Raises:
            BadInput: They cannot be read; the next time it goes on behind them.
        """
        if goes_on:
            names = ("", *self._names())
            at = names.index(self.name) if self.name in names else -1
            self.name = names[(at + 1) % len(names)]
        return self._read(self.name)
