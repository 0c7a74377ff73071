"""The queue of downloads: who is fetched when, and what is refused before."""

from dataclasses import replace

import pytest

from foundry_tui.domain.downloads import DownloadPhase, Partial
from foundry_tui.domain.downloads import DownloadState as State
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.models import CatalogKind
from foundry_tui.services.downloads.facade import NotEnoughRoom
from foundry_tui.services.setup import LicensePolicy
from tests.support.download_rig import QUICK, Rig, has, model, states, until
from tests.support.memory_downloads import MemoryDownloads


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


async def test_a_wish_for_what_is_not_there_is_refused() -> None:
    downloads = Rig().make()

    for wish in (downloads.pause, downloads.resume, downloads.cancel, downloads.retry, downloads.let_live):
        with pytest.raises(BadInput, match="not in the queue any more"):
            await wish("nothing")
