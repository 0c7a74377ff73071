"""The child's way out: frames onto a pipe, without ever waiting for whoever reads it."""

import asyncio
import collections
import os
import select
import sys
import threading
from collections.abc import Callable

from foundry_tui.engines.hosting.frames import Frame
from foundry_tui.engines.hosting.wire import encode

__all__ = ["FrameWriter", "TextOutbox"]


class TextOutbox:
    """Gathers the frames of answers, on the event loop, for as long as who asked can wait.

    Each write wakes the parent, which was half of what this process spent on a token, and is paid by the
    processor that the measured model wants too.  The first frame after a pause goes at once.
    """

    def __init__(self, writer: "FrameWriter") -> None:
        self._writer = writer
        self._frames: list[Frame] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushed_s = float("-inf")

    def put(self, frame: Frame, *, handing_s: float = 0.0, can_wait: bool = False) -> None:
        """Send ``frame`` in order, now or within ``handing_s``; what ``can_wait`` never goes alone."""
        self._frames.append(frame)
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        due_s = self._flushed_s + handing_s
        if due_s <= now_s:
            if not can_wait:
                self.flush()
                return
            due_s = now_s + handing_s
        if self._timer is None or due_s < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(due_s, self.flush)

    def flush(self) -> None:
        """Send now what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._flushed_s = asyncio.get_running_loop().time()
        if self._frames:
            self._writer.write(*self._frames, urgent=False)
            self._frames.clear()


class FrameWriter:
    """Writes frames in order within two classes; answers to commands overtake text that waits.

    While the pipe has room a frame is written where it is made, which spares a change of threads for each
    token; that change cost a third of what the child spent on one.  What finds no room is queued, and a
    thread writes it as the reader goes on, so that a slow reader never holds up the clock.

    Args:
        pipe: File descriptor; the writer sets it non-blocking where the platform lets it.
        on_broken: Called from either thread when nobody reads any more.
    """

    def __init__(self, pipe: int, on_broken: Callable[[], None] = lambda: os._exit(0)) -> None:
        self._pipe = pipe
        self._on_broken = on_broken
        self._urgent: collections.deque[bytes] = collections.deque()
        self._text: collections.deque[bytes] = collections.deque()
        self._changed = threading.Condition()
        self._is_writing = False
        self._closing = False
        self._is_direct = sys.platform != "win32"
        if self._is_direct:
            os.set_blocking(pipe, False)
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
        self._thread.start()

    def write(self, *frames: Frame, urgent: bool) -> None:
        """Write or queue ``frames``; returns at once."""
        line = b"".join(encode(frame) for frame in frames)
        with self._changed:
            if self._is_direct and not (self._is_writing or self._urgent or self._text):
                line = line[self._write_some(line) :]
                if not line:
                    return
                # The rest of a line goes before everything else.
                self._urgent.appendleft(line)
            else:
                (self._urgent if urgent else self._text).append(line)
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Write what is queued, waiting no longer than ``timeout_s``."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            while batch:
                written = self._write_some(batch)
                batch = batch[written:]
                if batch and not written:
                    select.select([], [self._pipe], [])

    def _next_batch(self) -> bytes | None:
        """What to write next, once there is something; None at the end."""
        with self._changed:
            self._is_writing = False
            while not (self._urgent or self._text or self._closing):
                self._changed.wait()
            if not self._urgent and not self._text:
                return None
            self._is_writing = True
            batch = b"".join(self._urgent)
            self._urgent.clear()
            # Small batches, so that the next urgent frame waits for one of them at most.
            for _ in range(min(64, len(self._text))):
                batch += self._text.popleft()
            return batch

    def _write_some(self, data: bytes) -> int:
        """How much of ``data`` the pipe took; nothing if it is full."""
        try:
            return os.write(self._pipe, data)
        except BlockingIOError:
            return 0
        except OSError:
            self._on_broken()  # does not come back in the child: nobody is left to write to
            return len(data)
