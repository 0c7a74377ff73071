"""Writing behind: in order, tried again, never in the way."""

import asyncio

import pytest

from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.services.recorder import Recorder, Write

SOON_S = 5.0


class Disk:
    """Takes writes while it is not full; the order in which they came to an end."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.tried = 0
        self.is_full = False
        self.gate: asyncio.Event | None = None

    def write(self, name: str) -> Write:
        async def write() -> None:
            self.tried += 1
            if self.gate is not None:
                await self.gate.wait()
            if self.is_full:
                raise StorageProblem("the disk is full", remedy="free some space")
            self.written.append(name)

        return write


def refused(name: str) -> Write:
    async def write() -> None:
        raise BadInput(f"{name} is gone", remedy="none")

    return write


async def test_writes_happen_in_the_order_in_which_they_were_submitted() -> None:
    disk, recorder = Disk(), Recorder()
    for name in "abc":
        recorder.submit(disk.write(name))

    await recorder.settled()

    assert disk.written == ["a", "b", "c"]
    await recorder.aclose()


async def test_submitting_waits_for_nothing() -> None:
    disk, recorder = Disk(), Recorder()
    disk.gate = asyncio.Event()

    recorder.submit(disk.write("a"))
    recorder.submit(disk.write("b"))

    assert disk.written == []
    disk.gate.set()
    await recorder.settled()
    assert disk.written == ["a", "b"]
    await recorder.aclose()


async def test_a_write_that_failed_is_told_of_and_done_again_before_what_came_after_it() -> None:
    disk, recorder = Disk(), Recorder()
    disk.is_full = True
    recorder.submit(disk.write("a"))
    await recorder.settled()
    problem = recorder.problem.value

    disk.is_full = False
    recorder.submit(disk.write("b"))
    async with asyncio.timeout(SOON_S):
        async for _ in recorder.changes.watch():
            if len(disk.written) == 2:
                break

    assert problem is not None
    assert problem.message == "the disk is full"
    assert disk.written == ["a", "b"]
    assert recorder.problem.value is None
    await recorder.aclose()


async def test_a_write_that_can_never_succeed_does_not_hold_up_the_rest() -> None:
    disk, recorder = Disk(), Recorder()
    recorder.submit(refused("it"))
    recorder.submit(disk.write("a"))

    await recorder.settled()
    await recorder.aclose()

    assert disk.written == ["a"]


async def test_closing_writes_what_is_left() -> None:
    disk, recorder = Disk(), Recorder()
    for name in "abc":
        recorder.submit(disk.write(name))

    await recorder.aclose()

    assert disk.written == ["a", "b", "c"]


async def test_closing_lets_the_write_under_way_come_to_its_end_and_does_it_no_second_time() -> None:
    disk, recorder = Disk(), Recorder()
    disk.gate = asyncio.Event()
    recorder.submit(disk.write("a"))
    recorder.submit(disk.write("b"))
    await asyncio.sleep(0)  # a turn for the first write to begin

    closing = asyncio.ensure_future(recorder.aclose())
    await asyncio.sleep(0)  # and one for the close
    disk.gate.set()
    await closing

    assert disk.written == ["a", "b"]
    assert disk.tried == 2


async def test_closing_on_a_full_disk_tries_once_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    disk, recorder = Disk(), Recorder()
    disk.is_full = True
    recorder.submit(disk.write("a"))
    recorder.submit(disk.write("b"))

    async with asyncio.timeout(SOON_S):
        await recorder.aclose()

    assert disk.written == []
    assert disk.tried == 1
    assert "2 writes are lost" in caplog.text


async def test_whoever_looks_for_changes_is_told_of_each_write() -> None:
    disk, recorder = Disk(), Recorder()
    before = recorder.changes.value

    recorder.submit(disk.write("a"))
    await recorder.settled()

    assert recorder.changes.value > before
    await recorder.aclose()
