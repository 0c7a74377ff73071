"""Downloads that fail: what is tried again, what is given up, and what is told."""

from dataclasses import replace

import pytest

from foundry_tui.domain.downloads import DownloadFailure
from foundry_tui.domain.downloads import DownloadState as State
from foundry_tui.domain.errors import EngineUnavailable, StorageProblem
from foundry_tui.domain.health import FileProblem, HealthState
from foundry_tui.services.downloads.facade import RetryPolicy
from foundry_tui.services.downloads.retry import DIED
from tests.support.download_rig import DISK_FULL, Rig, has, model, states, until
from tests.support.memory_downloads import MemoryDownloads


async def test_a_lost_network_is_tried_again_when_its_time_has_come() -> None:
    rig = Rig(policy=RetryPolicy(first_s=2))
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).fail(DownloadFailure.NETWORK, "connection reset")
        queue = await until(downloads, has(State.RETRYING))
        begun_before = len(rig.runner.begun)

        rig.wall.unix_ms += 2_000
        again = await rig.begun(downloads, 2)
        again.finish()
        done = await until(downloads, has(State.DONE))

    assert begun_before == 1
    assert queue.entries[0].problem == "connection reset"
    assert queue.entries[0].not_before_unix_ms == 1_002_000
    assert done.entries[0].problem is None


async def test_what_waits_for_another_try_holds_nobody_up() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        await downloads.add(model("b"))
        (await rig.begun(downloads)).fail(DownloadFailure.NETWORK)

        second = await rig.begun(downloads, 2)

    assert second.model_id == "b:1"


async def test_it_is_given_up_after_so_many_failures_and_can_be_retried() -> None:
    rig = Rig(policy=RetryPolicy(first_s=0, tries=3))
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        for times in (1, 2, 3):
            (await rig.begun(downloads, times)).fail(DownloadFailure.NETWORK)
        failed = await until(downloads, has(State.FAILED))
        await downloads.retry("d1")
        (await rig.begun(downloads, 4)).finish()

        done = await until(downloads, has(State.DONE))

    assert failed.entries[0].attempts == 3
    assert done.entries[0].attempts == 0


async def test_a_process_that_is_killed_by_somebody_else_is_tried_again() -> None:
    rig = Rig(policy=RetryPolicy(first_s=0))
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).die()

        again = await rig.begun(downloads, 2)
        queue = await until(downloads, has(State.RUNNING))

    assert again.model_id == "a:1"
    assert queue.entries[0].attempts == 1


async def test_a_process_that_cannot_be_started_is_tried_again() -> None:
    rig = Rig(policy=RetryPolicy(first_s=0, tries=2))
    rig.runner.refuse = EngineUnavailable("no more processes", remedy="close something")
    async with rig.opened() as downloads:
        await downloads.add(model("a"))

        failed = await until(downloads, has(State.FAILED))

    assert failed.entries[0].attempts == 2
    assert failed.entries[0].problem == "no more processes"
    assert failed.entries[0].remedy == "close something"


async def test_a_full_disk_is_told_with_what_could_go_and_not_tried_again() -> None:
    rig = Rig(here=(replace(model("old"), is_cached=True, disk_bytes=3 << 30),))
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).fail(DownloadFailure.DISK_FULL, "errno 28")

        failed = await until(downloads, has(State.FAILED))

    assert failed.entries[0].remedy is not None
    assert "old:1 (3.00 GiB)" in failed.entries[0].remedy
    assert len(rig.runner.begun) == 1


@pytest.mark.parametrize("failure", [DownloadFailure.NOT_FOUND, DownloadFailure.STORAGE])
async def test_what_does_not_pass_is_told_with_a_remedy_and_the_next_one_begins(
    failure: DownloadFailure,
) -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        await downloads.add(model("b"))
        (await rig.begun(downloads)).fail(failure)

        await rig.begun(downloads, 2)
        queue = await until(downloads, has(State.FAILED))

    assert queue.entries[0].remedy is not None
    assert rig.runner.last.model_id == "b:1"


async def test_a_damaged_model_is_not_done_and_not_told_to_be_ready() -> None:
    rig = Rig()
    rig.checker.damaged["a:1"] = tuple(FileProblem(f"{n}\n.onnx", "is missing") for n in range(5))
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).finish()

        failed = await until(downloads, has(State.FAILED))

    assert failed.entries[0].problem == (
        "it is damaged: 0 .onnx is missing; 1 .onnx is missing; 2 .onnx is missing; and 2 more"
    )
    assert rig.ready == []


async def test_a_damaged_model_is_taken_off_the_disk_before_it_is_fetched_anew() -> None:
    rig = Rig(discards=True)
    rig.checker.before["a:1"] = HealthState.DAMAGED
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).finish()
        await until(downloads, has(State.DONE))

    assert rig.discarded == ["a:1"]


async def test_files_that_cannot_be_found_or_read_are_told() -> None:
    missing, unreadable = Rig(folder=None), Rig()
    unreadable.checker.raises = PermissionError(13, "Permission denied")
    problems = []
    for rig in (missing, unreadable):
        async with rig.opened() as downloads:
            await downloads.add(model("a"))
            (await rig.begun(downloads)).finish()
            problems.append((await until(downloads, has(State.FAILED))).entries[0].problem)

    assert problems == [
        "the runtime said that it is here, but its folder is not",
        "its files cannot be read: Permission denied",
    ]


async def test_a_queue_that_cannot_be_written_is_told_and_the_download_goes_on() -> None:
    store = MemoryDownloads()
    rig = Rig(store=store)
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        process = await rig.begun(downloads)
        store.fail_with = DISK_FULL
        process.finish()
        told = await until(downloads, lambda queue: queue.problem)

        store.fail_with = None
        done = await until(downloads, has(State.DONE))

    assert told.problem is DISK_FULL
    assert done.problem is None
    assert process.kills == 0


async def test_other_wishes_are_refused_while_the_queue_cannot_be_written() -> None:
    store = MemoryDownloads()
    rig = Rig(store=store)
    downloads = rig.make()
    await downloads.add(model("a"))
    store.fail_with = DISK_FULL

    with pytest.raises(StorageProblem):
        await downloads.add(model("b"))
    with pytest.raises(StorageProblem):
        await downloads.move("d1", 1)

    assert states(rig) == {"a:1": State.QUEUED}


async def test_a_model_that_died_says_so() -> None:
    rig = Rig(policy=RetryPolicy(tries=1))
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).die()

        failed = await until(downloads, has(State.FAILED))

    assert failed.entries[0].problem == DIED
