"""One queue, several processes of the app: one does the work, all may wish."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from foundry_tui.domain.downloads import Download, DownloadPhase, DownloadState
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.ports.machine import ProcessLock
from foundry_tui.services.downloads.facade import DownloadQueue, Downloads
from tests.support.download_rig import QUICK, SOON_S, Rig, has, model, until
from tests.support.memory_downloads import MemoryDownloads, MemoryLock

State = DownloadState


class Held:
    """A lock that a process has which never gives it back: it was stopped, not ended."""

    def acquire(self, label: str) -> bool:
        return False

    def release(self) -> None: ...

    def holder(self) -> str | None:
        return "a process that sleeps"


def of_another_process(name: str = "a", state: State = State.RUNNING) -> dict[str, Download]:
    entry = Download(id="d1", model_id=f"{name}:1", added_unix_ms=0, place=1, state=state, size_bytes=1000)
    return {"d1": entry}


async def test_the_second_process_shows_what_the_first_one_does() -> None:
    first = Rig()
    second = first.other()
    async with first.opened() as running, second.opened() as looking_on:
        await running.add(model("a"))
        process = await first.begun(running)
        process.flow(250)

        queue = await until(looking_on, lambda queue: queue.running and queue.running.progress.share == 0.25)

        assert queue.running is not None
        assert queue.running.phase is DownloadPhase.FLOWING
        assert not queue.is_runner
        assert running.queue.value.is_runner
        assert len(first.runner.begun) == 1


async def test_both_are_told_that_a_model_is_ready() -> None:
    first = Rig()
    second = first.other()
    async with first.opened() as running, second.opened() as looking_on:
        await until(looking_on, lambda _: True)
        await running.add(model("a"))
        (await first.begun(running)).finish()

        await until(looking_on, has(State.DONE))

    assert first.ready == second.ready == ["a:1"]


async def test_what_was_ready_before_one_looked_is_no_news() -> None:
    rig = Rig(store=MemoryDownloads(of_another_process(state=State.DONE)))
    async with rig.opened() as downloads:
        await until(downloads, has(State.DONE))

    assert rig.ready == []


@pytest.mark.parametrize(("wish", "then"), [("cancel", State.CANCELLED), ("pause", State.PAUSED)])
async def test_the_second_process_stops_what_the_first_one_runs(wish: str, then: State) -> None:
    first = Rig()
    second = first.other()
    async with first.opened() as running, second.opened() as looking_on:
        await running.add(model("a"))
        process = await first.begun(running)

        await (looking_on.cancel("d1") if wish == "cancel" else looking_on.pause("d1"))
        phase_at_return = process.phase
        await until(running, lambda queue: has(then)(queue) and not queue.is_runner)

    assert phase_at_return is DownloadPhase.DIED
    assert len(first.runner.begun) == 1


async def test_what_the_second_process_adds_is_run_by_the_first() -> None:
    first = Rig()
    second = first.other()
    async with first.opened() as running, second.opened() as looking_on:
        await running.add(model("a"))
        process = await first.begun(running)
        await looking_on.add(model("b"))
        process.finish()

        later = await first.begun(running, 2)
        queue = running.queue.value

    assert later.model_id == "b:1"
    assert queue.is_runner


async def test_a_wish_to_live_on_reaches_the_process_that_runs_it() -> None:
    first = Rig()
    second = first.other()
    async with first.opened() as running:
        await running.add(model("a"))
        process = await first.begun(running)

        await second.make().let_live("d1")
        for done in range(100, 1_100, 100):  # by one of these looks the wish was read
            process.flow(100)
            await until(running, has_done(done))

    assert process.lives_on


async def test_a_process_that_idles_takes_what_another_one_cannot_run() -> None:
    first = Rig()
    second = first.other()
    async with first.opened() as idle:
        await idle.refresh()
        async with second.opened() as busy:
            await busy.add(model("a"))
            await second.begun(busy)
            await busy.add(model("b"))
            await idle.refresh()
        # The second one was quit: both entries wait, and who looks takes over.
        queue = await until(idle, lambda queue: queue.running)

    assert queue.is_runner
    assert queue.running is not None
    assert queue.running.model_id == "a:1"


async def test_a_download_that_outlives_its_app_is_taken_up_by_the_other() -> None:
    first = Rig()
    second = first.other()
    async with second.opened() as other:
        async with first.opened() as quitting:
            await quitting.add(model("a"), outlives_app=True)
            process = await first.begun(quitting)
        process.flow(500)

        queue = await until(other, lambda queue: queue.is_runner and queue.running)
        process.finish()
        await until(other, has(State.DONE))

    assert queue.running is not None
    assert len(first.runner.begun) == 1
    assert second.ready == ["a:1"]


async def test_two_that_start_at_once_begin_each_download_once() -> None:
    store = MemoryDownloads(of_another_process("a", State.QUEUED))
    first = Rig(store=store)
    second = first.other()
    async with first.opened() as one, second.opened() as two:
        await until(one, lambda queue: queue.running)
        await until(two, lambda queue: queue.running)

        assert len(first.runner.begun) == 1
        assert one.queue.value.is_runner is not two.queue.value.is_runner


@pytest.mark.parametrize("lock", [Held(), MemoryLock(["somebody"])], ids=["sleeping", "elsewhere"])
async def test_a_cancel_needs_no_answer_of_the_process_that_runs_it(lock: ProcessLock) -> None:
    rig = Rig(store=MemoryDownloads(of_another_process()), lock=lock)
    process = rig.runner.begin("a:1", total_bytes=1000)
    process.flow(300)
    async with rig.opened() as downloads:
        await until(downloads, lambda queue: queue.running)

        async with asyncio.timeout(2):
            freed = await downloads.cancel("d1", removes_partial=True)

        assert process.phase is DownloadPhase.DIED
        assert freed == 300


async def test_who_does_not_watch_looks_seldom() -> None:
    store = MemoryDownloads(of_another_process())
    rig = Rig(store=store, lock=Held(), pace=replace(QUICK, lock_s=3600, watch_s=0.001))
    elsewhere = Rig()
    async with rig.opened(), elsewhere.opened() as other:
        await fetched(elsewhere, other)
        reads = store.reads

        await fetched(elsewhere, other, 2)

        assert store.reads == reads


async def test_who_watches_reads_again_and_again() -> None:
    store = MemoryDownloads(of_another_process(state=State.DONE))
    rig = Rig(store=store)
    async with rig.opened() as downloads:
        await until(downloads, lambda queue: queue.entries)

        store.kept["d1"] = replace(store.kept["d1"], state=State.CANCELLED)
        await until(downloads, has(State.CANCELLED))


async def test_a_command_begins_only_what_it_was_given() -> None:
    rig = Rig(store=MemoryDownloads(of_another_process("queued", State.QUEUED)), only_own=True, prefix="n")
    async with rig.opened() as downloads:
        await downloads.add(model("mine"))
        (await rig.begun(downloads)).finish()

        queue = await until(downloads, has(State.DONE, "n1"))
        await until(downloads, lambda queue: not queue.is_runner)

    assert [one.model_id for one in rig.runner.begun] == ["mine:1"]
    assert queue.entries[0].state is State.QUEUED


class Broken(Held):
    """A lock whose file cannot be used.

    Attributes:
        tries: How often it was asked for.
    """

    problem = StorageProblem("downloads.lock cannot be used as a lock", remedy="none")
    tries = 0

    def acquire(self, label: str) -> bool:
        self.tries += 1
        raise self.problem


async def test_a_lock_that_cannot_be_used_is_told_until_it_can() -> None:
    lock, elsewhere = Broken(), Rig()
    rig = Rig(lock=lock)
    async with rig.opened() as downloads, elsewhere.opened() as other:
        await downloads.add(model("a"))
        told = await until(downloads, lambda queue: queue.problem)
        for times in count(1):
            await fetched(elsewhere, other, times)
            if lock.tries > 3:
                break

        assert told.problem is lock.problem
        assert downloads.queue.value is told
        assert rig.runner.begun == []


def has_done(done_bytes: int) -> Callable[[DownloadQueue], bool]:
    return lambda queue: queue.running is not None and queue.running.progress.done_bytes == done_bytes


async def fetched(rig: Rig, downloads: Downloads, times: int = 1) -> None:
    """As long as another queue takes to fetch a model."""
    entry = await downloads.add(model(f"elsewhere{times}"))
    async with asyncio.timeout(SOON_S):
        (await rig.begun(downloads, times)).finish()
    await until(downloads, has(State.DONE, entry.id))
