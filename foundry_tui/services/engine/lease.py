"""Who may use the engine: many chats, or one measurement, never both."""

from collections.abc import Iterator
from contextlib import contextmanager

from foundry_tui.domain.errors import EngineBusy

__all__ = ["EngineLease"]


class EngineLease:
    """Nobody waits here: who comes second is told at once."""

    def __init__(self) -> None:
        self._holders: list[str] = []
        self._is_exclusive = False
        self._uses = 0

    @property
    def uses(self) -> int:
        """How often it was taken into use so far."""
        return self._uses

    @property
    def holders(self) -> tuple[str, ...]:
        """What the engine is used for right now."""
        return tuple(self._holders)

    @contextmanager
    def hold(self, label: str, *, exclusive: bool = False) -> Iterator[None]:
        """Use the engine for the length of the block.

        Raises:
            EngineBusy: Somebody holds it and one of the two wants it alone.
        """
        if self._holders and (exclusive or self._is_exclusive):
            raise EngineBusy(
                f"the engine is in use: {', '.join(self._holders)}",
                remedy="wait until it ends, or stop it",
            )
        self._holders.append(label)
        self._uses += 1
        self._is_exclusive = exclusive
        try:
            yield
        finally:
            self._holders.remove(label)
            self._is_exclusive = False
