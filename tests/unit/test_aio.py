"""The pump, the feed and the owner of background tasks."""

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from foundry_tui.aio import Feed, Tasks, pumped


class Source:
    """Yields numbers as fast as it is asked, and remembers its life."""

    def __init__(self, count: int, *, error: Exception | None = None, hold: bool = False) -> None:
        self._count = count
        self._error = error
        self._hold = hold
        self.given = 0
        self.is_entered = False
        self.is_closed = False
        self.all_given = asyncio.Event()

    async def numbers(self) -> AsyncGenerator[int, None]:
        self.is_entered = True
        try:
            for number in range(self._count):
                self.given += 1
                yield number
            self.all_given.set()
            if self._hold:
                await asyncio.Event().wait()
            if self._error is not None:
                raise self._error
        finally:
            # A turn of the loop, as closing a connection takes one.
            await asyncio.sleep(0)
            self.is_closed = True


async def read_all(source: Source) -> list[int]:
    async with pumped(source.numbers()) as items:
        return [item async for item in items]


async def test_items_come_in_order_and_end_with_the_source() -> None:
    source = Source(1000)

    taken = await read_all(source)

    assert taken == list(range(1000))
    assert source.is_closed


async def test_a_reader_that_takes_one_item_does_not_hold_the_source() -> None:
    source = Source(1000)

    async with pumped(source.numbers()) as items:
        first = await anext(items)
        await source.all_given.wait()

        assert (first, source.given) == (0, 1000)
        assert [item async for item in items] == list(range(1, 1000))


async def test_a_reader_that_takes_nothing_does_not_hold_the_source() -> None:
    source = Source(3)

    async with pumped(source.numbers()):
        await source.all_given.wait()

    assert source.given == 3


async def test_an_error_is_raised_after_all_items_before_it() -> None:
    async with pumped(Source(3, error=ValueError("broke")).numbers()) as items:
        taken = [await anext(items) for _ in range(3)]
        with pytest.raises(ValueError, match=r"^broke$"):
            await anext(items)

    assert taken == [0, 1, 2]


async def test_an_error_passes_through_the_block_and_the_source_is_closed() -> None:
    source = Source(1, error=ValueError("broke"))

    with pytest.raises(ValueError, match=r"^broke$"):
        await read_all(source)

    assert source.is_closed


async def test_leaving_early_closes_the_source_before_the_block_has_been_left() -> None:
    source = Source(3, hold=True)

    async with pumped(source.numbers()) as items:
        await anext(items)

    assert source.is_closed


async def test_leaving_before_the_first_step_closes_a_source_that_was_never_entered() -> None:
    source = Source(3)
    numbers = source.numbers()

    async with pumped(numbers):
        pass

    assert not source.is_entered
    with pytest.raises(StopAsyncIteration):
        await anext(numbers)


async def test_leaving_before_the_first_item_closes_the_source() -> None:
    source = Source(0, hold=True)

    async with pumped(source.numbers()):
        await source.all_given.wait()

    assert source.is_closed


async def test_an_error_of_the_reader_closes_the_source_and_stays_itself() -> None:
    source = Source(3, hold=True)

    async def read() -> None:
        async with pumped(source.numbers()) as items:
            await anext(items)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await read()

    assert source.is_closed


async def test_cancelling_the_reader_closes_the_source() -> None:
    source = Source(1, hold=True)

    reader = asyncio.create_task(read_all(source))
    await source.all_given.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader

    assert source.is_closed


async def test_a_source_left_early_is_not_left_to_the_garbage_collector() -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    for taken in (0, 1):
        async with pumped(Source(2, hold=True).numbers()) as items:
            for _ in range(taken):
                await anext(items)
    gc.collect()
    await asyncio.sleep(0)

    assert complaints == []


async def test_a_feed_gives_its_value_at_once() -> None:
    feed = Feed("first")

    assert await anext(feed.watch()) == "first"
    assert feed.value == "first"


async def test_a_reader_that_lags_gets_only_the_newest() -> None:
    feed = Feed(0)
    reader = feed.watch()
    assert await anext(reader) == 0

    for number in range(1, 100):
        feed.publish(number)

    assert await anext(reader) == 99


async def test_a_reader_that_waits_is_woken() -> None:
    feed = Feed(0)
    reader = feed.watch()
    await anext(reader)

    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0)  # lets the reader come to its wait
    assert not waiting.done()
    feed.publish(1)

    assert await waiting == 1


async def test_the_same_value_published_again_is_a_change() -> None:
    feed = Feed("same")
    reader = feed.watch()
    await anext(reader)

    feed.publish("same")

    assert await anext(reader) == "same"


async def test_every_one_of_several_readers_sees_the_last_value_whatever_their_pace() -> None:
    feed = Feed(0)

    async def read(turns: int) -> list[int]:
        seen: list[int] = []
        async for value in feed.watch():
            seen.append(value)
            if value == 50:
                return seen
            for _ in range(turns):
                await asyncio.sleep(0)
        raise AssertionError("a feed does not end")

    readers = [asyncio.create_task(read(turns)) for turns in (0, 1, 2, 5, 13)]
    await asyncio.sleep(0)  # lets each reader come to its first wait
    for number in range(1, 51):
        feed.publish(number)
        await asyncio.sleep(0)

    for seen in await asyncio.gather(*readers):
        assert seen[-1] == 50
        assert seen == sorted(set(seen))


async def test_a_value_published_between_reading_and_waiting_is_not_missed() -> None:
    feed = Feed(0)
    reader: AsyncIterator[int] = feed.watch()
    await anext(reader)

    feed.publish(1)
    feed.publish(2)

    assert await anext(reader) == 2


async def test_closing_cancels_the_work_and_waits_for_its_end() -> None:
    tidied: list[str] = []
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied.append("work")

    tasks = Tasks()
    tasks.start("work", work())
    await started.wait()

    await tasks.aclose()

    assert tidied == ["work"]


async def test_work_started_by_work_that_is_being_cancelled_is_stopped_too() -> None:
    tasks = Tasks()
    late: list[asyncio.Task[None]] = []
    started = asyncio.Event()

    async def wait() -> None:
        await asyncio.Event().wait()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            late.append(tasks.start("late", wait()))

    tasks.start("work", work())
    await started.wait()

    await tasks.aclose()

    assert late[0].cancelled()


async def test_an_error_is_told_at_once_and_raised_when_closing() -> None:
    told: list[Exception] = []
    tasks = Tasks(on_error=told.append)

    async def fail(words: str) -> None:
        raise ValueError(words)

    first, second = tasks.start("first", fail("one")), tasks.start("second", fail("two"))
    await asyncio.wait([first, second])

    assert [str(error) for error in told] == ["one", "two"]
    with pytest.raises(ValueError, match=r"^one$"):
        await tasks.aclose()


async def test_an_error_while_being_cancelled_is_kept() -> None:
    tasks = Tasks()
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("tidying failed")

    tasks.start("work", work())
    await started.wait()

    with pytest.raises(ValueError, match=r"^tidying failed$"):
        await tasks.aclose()


async def test_work_that_ended_well_and_cancellation_are_no_errors() -> None:
    told: list[Exception] = []
    tasks = Tasks(on_error=told.append)

    async def wait() -> None:
        await asyncio.Event().wait()

    async def end() -> None:
        await asyncio.sleep(0)

    waiting, ended = tasks.start("wait", wait()), tasks.start("end", end())
    await ended
    waiting.cancel()
    await asyncio.wait([waiting])

    await tasks.aclose()
    assert told == []
