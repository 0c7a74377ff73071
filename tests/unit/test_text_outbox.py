"""When the frames of an answer leave the engine's process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from foundry_tui.domain.chat import ChunkReceived
from foundry_tui.engines.hosting.frames import Frame, Streamed
from foundry_tui.engines.hosting.framewriter import FrameWriter, TextOutbox
from foundry_tui.engines.hosting.wire import encode

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pipe that is read without waiting")


@dataclass(frozen=True, slots=True)
class Way:
    """An outbox, and the other end of its pipe."""

    outbox: TextOutbox
    pipe: int

    def arrived(self) -> bytes:
        """What has come so far and was not taken before."""
        try:
            return os.read(self.pipe, 1 << 20)
        except BlockingIOError:
            return b""


@pytest.fixture
async def way() -> AsyncIterator[Way]:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    writer = FrameWriter(theirs)
    yield Way(TextOutbox(writer), ours)
    writer.close(5)
    os.close(ours)
    os.close(theirs)


def piece(number: int) -> Frame:
    return Streamed(1, ChunkReceived(at_ns=number, text=f"{number}", read=number))


async def test_what_comes_after_a_pause_goes_at_once_and_more_only_when_it_is_due(way: Way) -> None:
    way.outbox.put(piece(1), handing_s=60)
    assert way.arrived() == encode(piece(1))

    way.outbox.put(piece(2), handing_s=60)
    way.outbox.put(piece(3), handing_s=60)
    assert way.arrived() == b""

    way.outbox.flush()
    assert way.arrived() == encode(piece(2)) + encode(piece(3))


async def test_who_cannot_wait_takes_along_what_could_in_order(way: Way) -> None:
    way.outbox.put(piece(1), handing_s=60)
    way.outbox.put(piece(2), handing_s=60)

    way.outbox.put(piece(3), handing_s=0)

    assert way.arrived() == encode(piece(1)) + encode(piece(2)) + encode(piece(3))


async def test_the_one_that_is_due_first_decides_for_all(way: Way) -> None:
    way.outbox.put(piece(1), handing_s=60)
    assert way.arrived() == encode(piece(1))
    came = asyncio.Event()
    asyncio.get_running_loop().add_reader(way.pipe, came.set)

    way.outbox.put(piece(2), handing_s=60)
    way.outbox.put(piece(3), handing_s=0.5)

    assert way.arrived() == b""
    async with asyncio.timeout(10):
        await came.wait()
    asyncio.get_running_loop().remove_reader(way.pipe)
    assert way.arrived() == encode(piece(2)) + encode(piece(3))


async def test_a_moment_waits_for_the_text_that_follows_it(way: Way) -> None:
    way.outbox.put(piece(1), handing_s=60, can_wait=True)
    assert way.arrived() == b""

    way.outbox.put(piece(2), handing_s=0)

    assert way.arrived() == encode(piece(1)) + encode(piece(2))
