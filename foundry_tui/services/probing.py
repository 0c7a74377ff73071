"""A thread that asks one probe, so that one that hangs holds up nobody."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["ProbeThread"]

Q = TypeVar("Q")
A = TypeVar("A")


class ProbeThread(Generic[Q, A]):
    """Asks one probe, one question at a time, and closes it where it was opened and read.

    It is a daemon: if the probe never returns, the program ends all the same.

    Args:
        name: Of the thread.
        open_: Called in the thread; makes what answers questions, and what closes it.
        clock_s: Of the waiting.
    """

    def __init__(
        self,
        name: str,
        open_: Callable[[], tuple[Callable[[Q], A], Callable[[], None]]],
        *,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open = open_
        self._clock_s = clock_s
        self._changed = threading.Condition()
        self._question: tuple[Q] | None = None
        self._asked_s: float | None = None
        self._answer: tuple[A] | None = None
        self._error: Exception | None = None
        self._closes = False
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    @property
    def silent_s(self) -> float | None:
        """How long a question has been waiting for its answer; None while none does."""
        asked_s = self._asked_s
        return None if asked_s is None else self._clock_s() - asked_s

    def ask(self, question: Q) -> bool:
        """Put a question; False, and nothing asked, while the one before has no answer."""
        with self._changed:
            if self._asked_s is not None:
                return False
            self._question, self._asked_s, self._answer = (question,), self._clock_s(), None
            self._changed.notify_all()
        return True

    def answer(self, patience_s: float) -> A | None:
        """What the probe said to the last question; None if it does not say it in time.

        Raises:
            Exception: What the probe raised; it is closed, and asked no more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._answer is not None or self._error is not None, patience_s)
            if self._error is not None:
                raise self._error
            return None if self._answer is None else self._answer[0]

    def close(self, patience_s: float) -> bool:
        """Have the probe closed; False if it was not in time, and is left to itself."""
        with self._changed:
            self._closes = True
            self._changed.notify_all()
        self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _live(self) -> None:
        try:
            read, close = self._open()
            try:
                while (question := self._next()) is not None:
                    self._put(read(question[0]))
            finally:
                close()
        except Exception as error:  # noqa: BLE001 - handed to whoever asks
            with self._changed:
                self._error = error
                self._asked_s = None
                self._changed.notify_all()

    def _next(self) -> tuple[Q] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closes or self._question is not None)
            question, self._question = self._question, None
            return None if self._closes else question

    def _put(self, answer: A) -> None:
        with self._changed:
            self._answer, self._asked_s = (answer,), None
            self._changed.notify_all()
