"""The queue of one process: what is fetched, retried, checked, stopped and told."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from foundry_tui.domain.downloads import Download, DownloadFailure, DownloadPhase, DownloadState, Partial
from foundry_tui.domain.errors import BadInput, EngineUnavailable, ModelRefused, StorageProblem
from foundry_tui.domain.health import FileProblem, HealthState
from foundry_tui.domain.models import CatalogKind
from foundry_tui.services.downloads.facade import DownloadQueue, NotEnoughRoom, RetryPolicy
from foundry_tui.services.downloads.retry import DIED
from foundry_tui.services.setup import LicensePolicy
from tests.support.download_rig import QUICK, SOON_S, Rig, has, model, until
from tests.support.downloads import ScriptedDownload, ScriptedDownloads
from tests.support.memory_downloads import MemoryDownloads

State = DownloadState
DISK_FULL = StorageProblem("the disk is full", remedy="free some space")


def states(rig: Rig) -> dict[str, State]:
    assert isinstance(rig.store, MemoryDownloads)
    return {entry.model_id: entry.state for entry in rig.store.kept.values()}


def has_done(done_bytes: int) -> Callable[[DownloadQueue], bool]:
    return lambda queue: queue.running is not None and queue.running.progress.done_bytes == done_bytes


async def fetched_elsewhere() -> None:
    """As long as another queue takes to fetch a model: many times the pauses of this one."""
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("elsewhere"))
        (await rig.begun(downloads)).finish()
        await until(downloads, has(State.DONE))


async def settled(store: MemoryDownloads) -> None:
    """Wait until nobody reads it any more, for as long as another queue takes to fetch a model."""
    reads = -1
    while reads != store.reads:
        reads = store.reads
        await fetched_elsewhere()


async def test_a_model_is_fetched_checked_and_told_to_be_ready() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        added = await downloads.add(model("a"))
        process = await rig.begun(downloads)
        process.flow(400)
        await until(downloads, lambda queue: queue.running and queue.running.progress.share == 0.4)

        process.finish()
        queue = await until(downloads, has(State.DONE))

    assert added.id == "d1"
    assert process.total_bytes == 1000
    assert process.is_forgotten
    assert rig.checker.checked == ["a:1"]
    assert rig.ready == ["a:1"]
    assert queue.entries[0].ended_unix_ms == rig.wall.unix_ms
    assert queue.running is None


async def test_one_download_runs_at_a_time_in_the_order_of_the_queue() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        for name in "abc":
            await downloads.add(model(name))
        first = await rig.begun(downloads)
        await downloads.move("d3", -1)
        begun_meanwhile = len(rig.runner.begun)

        first.finish()
        second = await rig.begun(downloads, 2)
        second.finish()
        third = await rig.begun(downloads, 3)

    assert begun_meanwhile == 1
    assert [one.model_id for one in (first, second, third)] == ["a:1", "c:1", "b:1"]


async def test_nothing_changes_and_nothing_is_read_while_nothing_is_to_be_done() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).finish()
        await until(downloads, lambda queue: has(State.DONE)(queue) and not queue.is_runner)
        assert isinstance(rig.store, MemoryDownloads)
        await settled(rig.store)
        reads, value = rig.store.reads, downloads.queue.value

        await fetched_elsewhere()

        assert rig.store.reads == reads
        assert downloads.queue.value is value


async def test_being_watched_changes_nothing() -> None:
    rig = Rig(pace=replace(QUICK, watch_s=0.001))
    assert isinstance(rig.store, MemoryDownloads)
    async with rig.opened() as downloads, downloads.watching():
        await fetched_elsewhere()
        reads, value = rig.store.reads, downloads.queue.value

        while rig.store.reads < reads + 3:
            await fetched_elsewhere()

        assert downloads.queue.value is value


async def test_bytes_of_an_earlier_life_are_no_speed() -> None:
    rig = Rig()
    rig.runner.left.append(
        Partial(model_id="a:1", path="/cache/Loopback/a-1", disk_bytes=600, touched_unix=0, is_locked=False)
    )
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        process = await rig.begun(downloads)
        process.flow()

        queue = await until(
            downloads, lambda queue: queue.running and queue.running.phase is DownloadPhase.FLOWING
        )

    assert queue.running is not None
    assert queue.running.progress.share == 0.6
    assert queue.running.progress.bytes_per_s is None


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


async def test_a_model_is_refused_where_it_has_no_room() -> None:
    rig = Rig(free=1049)
    async with rig.opened() as downloads:
        with pytest.raises(NotEnoughRoom) as caught:
            await downloads.add(model("a"))

    assert caught.value.preflight.needed_bytes == 1050
    assert states(rig) == {}


async def test_room_is_promised_to_what_is_before_it_in_the_queue() -> None:
    rig = Rig(free=2_000)
    async with rig.opened() as downloads:
        await downloads.add(model("a"))

        with pytest.raises(NotEnoughRoom) as caught:
            await downloads.add(model("b"))
        room = await downloads.preflight(model("a"))

    assert caught.value.preflight.promised_bytes == 1050
    assert room.is_enough


async def test_room_that_went_meanwhile_is_noticed_before_it_begins() -> None:
    rig = Rig()
    downloads = rig.make()
    await downloads.add(model("a"))
    rig.free = 10

    downloads.start()
    failed = await until(downloads, has(State.FAILED))
    await downloads.aclose()

    assert "no room" in (failed.entries[0].problem or "")
    assert rig.runner.begun == []


async def test_a_disk_that_cannot_be_asked_stops_an_add_but_nothing_that_is_queued() -> None:
    rig = Rig()
    downloads = rig.make()
    await downloads.add(model("a"))
    rig.free = OSError(5, "input/output error")

    with pytest.raises(StorageProblem, match="input/output error"):
        await downloads.add(model("b"))
    downloads.start()
    process = await rig.begun(downloads)
    await downloads.aclose()

    assert process.model_id == "a:1"


async def test_nothing_is_fetched_whose_licence_is_denied_or_was_not_agreed_to() -> None:
    rig = Rig(licenses=LicensePolicy(deny=("MIT",)))
    other = Rig(licenses=LicensePolicy())

    with pytest.raises(BadInput, match="denied by the rule 'MIT'"):
        await rig.make().add(model("a"))
    with pytest.raises(BadInput, match="agreed"):
        await other.make().add(model("a"))

    assert states(rig) == states(other) == {}


async def test_a_folder_of_the_users_own_is_not_downloaded() -> None:
    with pytest.raises(BadInput, match="folder of your own"):
        await Rig().make().add(replace(model("a"), catalog=CatalogKind.LOCAL))


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


@pytest.mark.parametrize("phase", [DownloadPhase.STARTING, DownloadPhase.FLOWING, DownloadPhase.WAITING])
async def test_a_cancel_kills_it_whatever_it_is_doing(phase: DownloadPhase) -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        process = await rig.begun(downloads)
        if phase is DownloadPhase.FLOWING:
            process.flow(500)
        elif phase is DownloadPhase.WAITING:
            process.wait()

        freed = await downloads.cancel("d1")
        phase_at_return = process.phase
        queue = await until(downloads, lambda queue: not queue.is_runner)

    assert phase_at_return is DownloadPhase.DIED
    assert queue.entries[0].state is State.CANCELLED
    assert queue.running is None
    assert process.is_forgotten
    assert freed == 0
    assert len(rig.runner.begun) == 1


async def test_a_cancel_removes_what_is_here_if_that_is_wanted() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).flow(500)

        freed = await downloads.cancel("d1", removes_partial=True)

    assert freed == 500
    assert rig.runner.freed == ["/cache/Loopback/a-1"]


async def test_a_partial_that_others_are_at_work_on_is_not_removed() -> None:
    rig = Rig(pace=replace(QUICK, gone_s=0.01))
    rig.runner.left.append(
        Partial(model_id="a:1", path="/cache/a", disk_bytes=5, touched_unix=0, is_locked=True)
    )
    downloads = rig.make()
    await downloads.add(model("a"))

    with pytest.raises(ModelRefused):
        await downloads.cancel("d1", removes_partial=True)

    assert states(rig) == {"a:1": State.CANCELLED}


@pytest.mark.parametrize("before", [State.QUEUED, State.PAUSED, State.RETRYING])
async def test_what_waits_is_cancelled_at_once(before: State) -> None:
    entry = Download(id="d1", model_id="a:1", added_unix_ms=0, place=1, state=before)
    rig = Rig(store=MemoryDownloads({"d1": replace(entry, not_before_unix_ms=9_999_999)}))
    async with rig.opened() as downloads:
        await downloads.cancel("d1")

    assert states(rig) == {"a:1": State.CANCELLED}
    assert rig.runner.begun == []


async def test_a_cancel_does_not_wait_for_a_check() -> None:
    rig = Rig()
    rig.checker.gate = threading.Event()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        await downloads.add(model("b"))
        (await rig.begun(downloads)).finish()
        await until(downloads, lambda _: rig.checker.checked == ["a:1"])

        await downloads.cancel("d1")
        second = await rig.begun(downloads, 2)
        rig.checker.gate.set()

    assert second.model_id == "b:1"
    assert states(rig)["a:1"] is State.CANCELLED
    assert rig.ready == []


async def test_paused_it_stops_and_resumed_it_goes_on_from_there() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        process = await rig.begun(downloads)
        process.flow(500)
        await downloads.pause("d1")
        phase_at_return = process.phase
        await until(downloads, lambda queue: has(State.PAUSED)(queue) and not queue.is_runner)

        await downloads.resume("d1")
        again = await rig.begun(downloads, 2)
        queue = await until(downloads, has(State.RUNNING))

    assert phase_at_return is DownloadPhase.DIED
    assert again.done_bytes == 500
    assert queue.entries[0].attempts == 0


async def test_a_prefetch_begins_at_its_hour_and_not_before() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        hour = downloads.next_quiet_unix_ms()
        await downloads.add(model("later"), not_before_unix_ms=hour)
        await downloads.add(model("now"))
        (await rig.begun(downloads)).finish()
        await until(downloads, has(State.DONE, "d2"))
        begun_before = [one.model_id for one in rig.runner.begun]

        rig.wall.unix_ms = hour
        later = await rig.begun(downloads, 2)

    assert begun_before == ["now:1"]
    assert later.model_id == "later:1"


async def test_a_prefetch_begins_at_once_when_it_is_resumed() -> None:
    rig = Rig()
    async with rig.opened() as downloads:
        await downloads.add(model("a"), not_before_unix_ms=9_999_999)

        await downloads.resume("d1")

        assert (await rig.begun(downloads)).model_id == "a:1"


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


async def test_a_cancel_takes_effect_though_it_cannot_be_written_and_is_written_later() -> None:
    store = MemoryDownloads()
    rig = Rig(store=store)
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        process = await rig.begun(downloads)
        store.fail_with = DISK_FULL

        await downloads.cancel("d1")
        phase_at_return = process.phase
        store.fail_with = None
        await until(downloads, has(State.CANCELLED))

    assert phase_at_return is DownloadPhase.DIED
    assert len(rig.runner.begun) == 1


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


async def test_a_wish_for_what_is_not_there_is_refused() -> None:
    downloads = Rig().make()

    for wish in (downloads.pause, downloads.resume, downloads.cancel, downloads.retry, downloads.let_live):
        with pytest.raises(BadInput, match="not in the queue any more"):
            await wish("nothing")


async def test_what_has_ended_is_forgotten_when_that_is_wanted() -> None:
    ended = {
        state.value: Download(id=state.value, model_id=f"{state}:1", added_unix_ms=0, place=n, state=state)
        for n, state in enumerate((State.DONE, State.PAUSED, State.CANCELLED))
    }
    rig = Rig(store=MemoryDownloads(ended))

    await rig.make().clear_ended()

    assert states(rig) == {"paused:1": State.PAUSED}


async def test_a_model_that_died_says_so() -> None:
    rig = Rig(policy=RetryPolicy(tries=1))
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        (await rig.begun(downloads)).die()

        failed = await until(downloads, has(State.FAILED))

    assert failed.entries[0].problem == DIED


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


@dataclass(kw_only=True)
class SlowToBegin(ScriptedDownloads):
    """Begins a process when the test says so."""

    entered: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)

    def begin(self, model_id: str, *, total_bytes: int | None) -> ScriptedDownload:
        self.entered.set()
        self.gate.wait(SOON_S)
        return super().begin(model_id, total_bytes=total_bytes)


async def test_what_was_cancelled_while_it_began_is_ended_though_nothing_can_be_written() -> None:
    store, runner = MemoryDownloads(), SlowToBegin()
    rig = Rig(store=store, runner=runner)
    async with rig.opened() as downloads:
        await downloads.add(model("a"))
        await asyncio.to_thread(runner.entered.wait, SOON_S)
        store.fail_with = DISK_FULL

        await downloads.cancel("d1")
        runner.gate.set()
        await until(downloads, lambda _: runner.begun and runner.last.is_forgotten)

    assert runner.last.kills == 1
