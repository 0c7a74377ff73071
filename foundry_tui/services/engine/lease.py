"""Who may use the engine: many chats, or one measurement, never both; also among processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from foundry_tui.domain.errors import EngineBusy, StorageProblem
from foundry_tui.ports.machine import ProcessLock

__all__ = ["EngineLease"]

_measuring: ContextVar[object] = ContextVar("measuring", default=None)
"""The measurement that this task belongs to; tasks that it starts belong to it too."""


class EngineLease:
    """Nobody waits here: who comes second is told at once.

    A measurement in one process is respected by all that share its data directory: they would take the
    processor from it, whichever engine they use.  A chat that another process has begun before is not seen.

    Args:
        lock: What a measurement holds, so that other processes see it; None where there are no others.
    """

    def __init__(self, lock: ProcessLock | None = None) -> None:
        self._lock = lock
        self._holders: list[str] = []
        self._is_exclusive = False
        self._measurement: object = None
        self._uses = 0

    @property
    def uses(self) -> int:
        """How often it was taken into use so far."""
        return self._uses

    @property
    def holders(self) -> tuple[str, ...]:
        """What the engine is used for right now; by another process only what it measures."""
        elsewhere = self._elsewhere()
        return tuple(self._holders) if elsewhere is None else (*self._holders, elsewhere)

    @contextmanager
    def hold(self, label: str, *, exclusive: bool = False) -> Iterator[None]:
        """Use the engine for the length of the block; what belongs to a measurement is let into it.

        Raises:
            EngineBusy: Somebody holds it and one of the two wants it alone.
        """
        is_own = self._measurement is not None and _measuring.get() is self._measurement
        if not is_own:
            self._require_room(exclusive=exclusive)
        self._holders.append(label)
        self._uses += 1
        was_exclusive, self._is_exclusive = self._is_exclusive, exclusive or self._is_exclusive
        try:
            yield
        finally:
            self._holders.remove(label)
            self._is_exclusive = was_exclusive

    @contextmanager
    def measure(self, label: str) -> Iterator[None]:
        """Keep everybody else away from the engine, in this process and others, for the length of the block.

        Raises:
            EngineBusy: Somebody holds it.
            StorageProblem: Other processes cannot be told.
        """
        with self.hold(label, exclusive=True):
            if self._lock is not None and not self._lock.acquire(f"{label}, process {os.getpid()}"):
                raise _busy((self._elsewhere() or "a measurement of another foundry-tui",))
            self._measurement = object()
            token = _measuring.set(self._measurement)
            try:
                yield
            finally:
                _measuring.reset(token)
                self._measurement = None
                if self._lock is not None:
                    self._lock.release()

    def _require_room(self, *, exclusive: bool) -> None:
        if self._holders and (exclusive or self._is_exclusive):
            raise _busy(self._holders)
        if (elsewhere := self._elsewhere()) is not None:
            raise _busy((elsewhere,))

    def _elsewhere(self) -> str | None:
        """What another process measures; None if none does, or if that cannot be seen."""
        if self._lock is None or self._measurement is not None:
            return None
        with suppress(StorageProblem):
            return self._lock.holder()
        return None


def _busy(holders: "list[str] | tuple[str, ...]") -> EngineBusy:
    return EngineBusy(f"the engine is in use: {', '.join(holders)}", remedy="wait until it ends, or stop it")
