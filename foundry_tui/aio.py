"""The only async primitives: a pump, a latest-wins feed, an owner of background tasks."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Generic, TypeVar

__all__ = ["Feed", "Tasks", "pumped"]

T = TypeVar("T")


@asynccontextmanager
async def pumped(source: AsyncGenerator[T, None]) -> AsyncGenerator[AsyncIterator[T], None]:
    """Drain ``source`` in a task of its own, for the length of the block.

    A bare ``async for`` lets the reader's pace decide when the source may read its clock.  Here the
    source never waits for the reader.  Leaving the block closes the source.  Its error, if any, is
    raised to the reader in order.
    """
    queue: asyncio.Queue[tuple[T] | Exception | None] = asyncio.Queue()

    async def drain() -> None:
        try:
            async with aclosing(source):
                async for item in source:
                    queue.put_nowait((item,))
        except Exception as error:  # noqa: BLE001 - handed to the reader, not swallowed
            queue.put_nowait(error)
        else:
            queue.put_nowait(None)

    async def read() -> AsyncGenerator[T, None]:
        while (entry := await queue.get()) is not None:
            if isinstance(entry, Exception):
                raise entry
            yield entry[0]

    task = asyncio.create_task(drain(), name="pump")
    try:
        async with aclosing(read()) as items:
            yield items
    finally:
        task.cancel()
        await asyncio.wait([task])
        # A generator whose task was cancelled before its first step was never entered; close it here.
        await source.aclose()


class Feed(Generic[T]):
    """The newest value of something that changes; readers may skip values but never miss the last."""

    def __init__(self, value: T) -> None:
        self._value = value
        self._version = 0
        self._changed = asyncio.Event()

    @property
    def value(self) -> T:
        """The newest value."""
        return self._value

    def publish(self, value: T) -> None:
        """Replace the value and wake every reader.  Call on the event loop only."""
        self._value = value
        self._version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def watch(self) -> AsyncGenerator[T, None]:
        """Yield the current value at once, then the newest after each change."""
        seen = -1
        while True:
            if seen != self._version:
                seen = self._version
                yield self._value
            else:
                await self._changed.wait()


class Tasks:
    """Owns background work: what it starts it also stops.

    A loop that fails is a bug: its error is kept and raised by ``aclose``, and told to ``on_error`` at once.
    """

    def __init__(self, on_error: Callable[[Exception], None] | None = None) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._on_error = on_error
        self._errors: list[Exception] = []

    def start(self, name: str, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run ``work`` until it ends or ``aclose``."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def aclose(self) -> None:
        """Cancel everything and wait for it.

        Raises:
            Exception: The first error that ended one of the tasks by itself.
        """
        while self._running:
            running = list(self._running)
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            for task in running:
                self._ended(task)  # its callback may not have run yet
        if self._errors:
            raise self._errors[0]

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task not in self._running:
            return
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._errors.append(error)
            if self._on_error is not None:
                self._on_error(error)
