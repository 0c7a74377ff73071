"""Ctrl+C ends what is under way; a signal that ends a program ends the session in good order."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType, TracebackType
from typing import Self

__all__ = ["Interrupts", "Stoppable"]

_ENDS = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""Where the system knows them."""


class Interrupts:
    """Turns signals into the end of the innermost block that was made stoppable, or of all of them.

    Attributes:
        count: How often Ctrl+C was pressed.
        ended_by: Number of the signal that ends the session; None while there was none.
    """

    def __init__(self, heard: Callable[[], None] = lambda: None) -> None:
        """Catch nothing yet.

        Args:
            heard: Called at each Ctrl+C, before anything is done about it.
        """
        self._heard = heard
        self.count = 0
        self.ended_by: int | None = None
        self._blocks: list[Stoppable] = []

    def stoppable(self) -> "Stoppable":
        """A block for ``async with`` that Ctrl+C ends; what follows it goes on."""
        return Stoppable(self._blocks)

    def interrupt(self) -> None:
        """What Ctrl+C does.  A second one while a block is on its way out changes nothing."""
        self.count += 1
        self._heard()
        if self._blocks:
            self._blocks[-1].stop()

    def end(self, number: int) -> None:
        """End the session, whatever is under way."""
        self.ended_by = number
        for block in self._blocks:
            block.stop()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Take the signals for the length of the block; outside the main thread it does nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        restore = [_catch(loop, "SIGINT", self.interrupt)]
        for name in _ENDS:
            number = getattr(signal, name, None)
            if number is not None:
                restore.append(_catch(loop, name, partial(self.end, number)))
        try:
            yield
        finally:
            for undo in restore:
                undo()


class Stoppable:
    """A block whose end can be asked for from outside; made by ``Interrupts``.

    Attributes:
        has_stopped: Whether it was.
    """

    def __init__(self, blocks: list["Stoppable"]) -> None:
        self.has_stopped = False
        self._blocks = blocks
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0

    def stop(self) -> None:
        """End it.  Once only: a second cancellation would cut short the wait for the engine to let go."""
        if self._task is not None and not self.has_stopped:
            self.has_stopped = True
            self._task.cancel()

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        self._cancelling = 0 if self._task is None else self._task.cancelling()
        self._blocks.append(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._blocks.remove(self)
        if not self.has_stopped or self._task is None:
            return False
        # As asyncio.timeout does it: somebody else's cancellation passes through.
        return self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError


def _catch(loop: asyncio.AbstractEventLoop, name: str, act: Callable[[], None]) -> Callable[[], None]:
    """Have ``act`` called on the loop for that signal; returns what puts everything back."""
    number = signal.Signals[name]
    before = signal.getsignal(number)
    if before is signal.SIG_IGN:
        return lambda: None  # it was asked to be ignored, as `nohup` does

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)

    def restore() -> None:
        signal.signal(number, before)

    def remove_and_restore() -> None:
        loop.remove_signal_handler(number)
        restore()

    try:
        # Wakes the loop whichever thread the signal reaches, such as the one that reads the input.
        loop.add_signal_handler(number, act)
    except NotImplementedError:  # Windows, where the loop is woken anyway
        signal.signal(number, handle)
        return restore
    return remove_and_restore
