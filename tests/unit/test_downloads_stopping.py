"""Downloads that are cancelled, paused, put off or forgotten."""

import asyncio
import threading
from dataclasses import dataclass, field, replace

import pytest

from foundry_tui.domain.downloads import Download, DownloadPhase, Partial
from foundry_tui.domain.downloads import DownloadState as State
from foundry_tui.domain.errors import ModelRefused
from tests.support.download_rig import DISK_FULL, QUICK, SOON_S, Rig, has, model, states, until
from tests.support.downloads import ScriptedDownload, ScriptedDownloads
from tests.support.memory_downloads import MemoryDownloads


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


async def test_what_has_ended_is_forgotten_when_that_is_wanted() -> None:
    ended = {
        state.value: Download(id=state.value, model_id=f"{state}:1", added_unix_ms=0, place=n, state=state)
        for n, state in enumerate((State.DONE, State.PAUSED, State.CANCELLED))
    }
    rig = Rig(store=MemoryDownloads(ended))

    await rig.make().clear_ended()

    assert states(rig) == {"paused:1": State.PAUSED}


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
