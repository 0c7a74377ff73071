"""Downloads over the end of the app and its next start."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from foundry_tui.domain.downloads import Download, DownloadFailure
from foundry_tui.domain.downloads import DownloadState as State
from foundry_tui.services.downloads.facade import DownloadQueue
from tests.support.download_rig import DISK_FULL, QUICK, SOON_S, Rig, has, model, states, until
from tests.support.memory_downloads import MemoryDownloads


def has_done(done_bytes: int) -> Callable[[DownloadQueue], bool]:
    return lambda queue: queue.running is not None and queue.running.progress.done_bytes == done_bytes


async def test_quitting_ends_a_download_which_goes_on_at_the_next_start() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        process = await rig.begun(downloads)
        process.flow(500)
    after_quitting = states(rig)

    later = replace(rig, runner=rig.runner.later_life())
    async with later.opened() as downloads:
        again = await later.begun(downloads, 2)

    assert process.kills == 1
    assert after_quitting == {"a:1": State.QUEUED}
    assert again.done_bytes == 500


async def test_a_download_that_outlives_the_app_is_found_at_the_next_start() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"), outlives_app=True)
        process = await rig.begun(downloads)
        process.flow(500)
    lived_on = not process.has_ended

    later = replace(rig, runner=rig.runner.later_life())
    async with later.opened() as downloads:
        queue = await until(downloads, lambda queue: queue.running)
        process.finish()
        await until(downloads, has(State.DONE))

    assert lived_on
    assert queue.running is not None
    assert queue.running.progress.done_bytes == 500
    assert len(later.runner.begun) == 1
    assert rig.ready == ["a:1"]


async def test_a_running_download_can_be_let_live() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        process = await rig.begun(downloads)

        await downloads.let_live("d1")
        for done in (100, 200):  # by the second look the wish was read
            process.flow(100)
            await until(downloads, has_done(done))

    assert process.lives_on
    assert not process.has_ended


async def test_quitting_does_not_wait_for_a_check_which_is_done_at_the_next_start() -> None:
    rig = Rig()
    rig.checker.gate = threading.Event()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).finish()
        await until(downloads, lambda _: rig.checker.checked == ["a:1"])
    after_quitting = states(rig)
    rig.checker.gate.set()

    later = replace(rig, runner=rig.runner.later_life())
    async with later.opened() as downloads:
        await until(downloads, has(State.DONE))

    assert after_quitting == {"a:1": State.VERIFYING}
    assert len(rig.runner.begun) == 1


@pytest.mark.parametrize(
    ("kept", "ended", "then"),
    [
        (State.RUNNING, "die", State.RUNNING),
        (State.RUNNING, "finish", State.DONE),
        (State.RUNNING, "fail", State.FAILED),
        (State.VERIFYING, "finish", State.DONE),
        (State.QUEUED, "die", State.RUNNING),
        (State.FAILED, "fail", State.FAILED),
        (State.CANCELLED, "live", State.CANCELLED),
        (State.PAUSED, "live", State.PAUSED),
    ],
)
async def test_whatever_an_earlier_life_left_is_put_right(kept: State, ended: str, then: State) -> None:
    entry = Download(id="d1", model_id="a:1", added_unix_ms=0, place=1, state=kept)
    rig = Rig(store=MemoryDownloads({"d1": entry}), prefix="n")
    left = rig.runner.begin("a:1", total_bytes=1000)
    if ended == "fail":
        left.fail(DownloadFailure.NOT_FOUND)
    elif ended != "live":
        (left.die if ended == "die" else left.finish)()
    async with rig.opened() as downloads:
        await downloads.add(model("b"))  # so that there is something to take the lock for

        await until(downloads, lambda queue: left.is_forgotten and has(then)(queue))

    assert left.has_ended


async def test_a_download_of_which_the_queue_knows_nothing_is_taken_up() -> None:
    rig = Rig(prefix="n")
    stray = rig.runner.begin("stray:1", total_bytes=1000)
    async with rig.opened() as downloads:
        await downloads.add(model("b"))

        queue = await until(downloads, lambda queue: queue.running)
        stray.finish()
        await until(downloads, lambda queue: "stray:1" in rig.ready)

    assert queue.running is not None
    assert queue.running.model_id == "stray:1"


async def test_an_end_that_could_not_be_written_is_found_at_the_next_start() -> None:
    store = MemoryDownloads()
    rig = Rig(store=store, pace=replace(QUICK, again_s=3600))
    downloads = rig.make()
    downloads.start()
    await downloads.add(model("a"))
    process = await rig.begun(downloads)
    store.fail_with = DISK_FULL
    process.finish()
    await until(downloads, lambda queue: queue.problem)
    async with asyncio.timeout(SOON_S):
        await downloads.aclose()
    after_quitting, was_forgotten = states(rig), process.is_forgotten

    store.fail_with = None
    later = replace(rig, runner=rig.runner.later_life())
    async with later.opened() as downloads:
        await until(downloads, has(State.DONE))

    assert after_quitting == {"a:1": State.RUNNING}
    assert not was_forgotten
    assert len(later.runner.begun) == 1


async def test_quitting_is_prompt_though_the_queue_cannot_be_read_during_a_check() -> None:
    store = MemoryDownloads()
    rig = Rig(store=store, pace=replace(QUICK, again_s=3600, read_s=3600))
    rig.checker.gate = threading.Event()
    downloads = rig.make()
    downloads.start()
    await downloads.add(model("a"))
    (await rig.begun(downloads)).finish()
    await until(downloads, lambda _: rig.checker.checked == ["a:1"])

    store.unreadable = DISK_FULL
    async with asyncio.timeout(SOON_S / 2):
        await downloads.aclose()
    rig.checker.gate.set()

    assert states(rig) == {"a:1": State.VERIFYING}
