"""Blocks that Ctrl+C ends: only they, once, and without a trace in the task that they ran in."""

import asyncio

import pytest

from foundry_tui.cli.plain_signals import Interrupts


async def test_a_stopped_block_ends_and_what_follows_it_goes_on_untouched() -> None:
    interrupts = Interrupts()
    asyncio.get_running_loop().call_soon(interrupts.interrupt)

    async with interrupts.stoppable() as block:
        await asyncio.Event().wait()

    task = asyncio.current_task()
    assert block.has_stopped
    assert interrupts.count == 1
    assert task is not None
    assert task.cancelling() == 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()


async def test_the_innermost_block_alone_is_ended_and_only_once_while_it_tidies_up() -> None:
    interrupts = Interrupts()
    loop = asyncio.get_running_loop()
    tidied = asyncio.Event()
    loop.call_soon(interrupts.interrupt)

    async with interrupts.stoppable() as outer, interrupts.stoppable() as inner:
        try:
            await asyncio.Event().wait()
        finally:
            interrupts.interrupt()
            loop.call_soon(tidied.set)
            await tidied.wait()

    assert (inner.has_stopped, outer.has_stopped) == (True, False)
    assert tidied.is_set()


async def test_the_end_of_the_session_ends_all_blocks() -> None:
    interrupts = Interrupts()
    passed: list[str] = []
    asyncio.get_running_loop().call_soon(interrupts.end, 15)

    async with interrupts.stoppable() as outer:
        async with interrupts.stoppable():
            await asyncio.Event().wait()
        passed.append("what follows the inner block")

    assert passed == []
    assert outer.has_stopped
    assert interrupts.ended_by == 15


async def test_a_cancellation_from_elsewhere_passes_through() -> None:
    interrupts = Interrupts()

    async def wait() -> None:
        async with interrupts.stoppable():
            await asyncio.Event().wait()

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)  # it enters the block
    interrupts.interrupt()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()


async def test_without_a_block_nothing_is_ended() -> None:
    interrupts = Interrupts()

    interrupts.interrupt()
    await asyncio.sleep(0)  # where a cancellation would arrive

    assert interrupts.count == 1
