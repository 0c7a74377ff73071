"""The only async primitives: a pump, a latest-wins feed, a supervised loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Generic, TypeVar

__all__ = ["Feed", "pumped", "supervised"]

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


@asynccontextmanager
async def supervised(
    name: str, loop: Callable[[], Awaitable[None]]
) -> AsyncGenerator[asyncio.Task[None], None]:
    """Run ``loop`` beside the block and stop it with the block.

    Raises:
        Exception: Whatever ended the loop by itself, on leaving the block.
    """

    async def run() -> None:
        await loop()

    task = asyncio.create_task(run(), name=name)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
