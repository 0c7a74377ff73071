"""What every store of downloads and licences, and every lock among processes, promises."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.domain.errors import BadInput
from foundry_tui.ports.machine import ProcessLock
from foundry_tui.ports.storage import AcceptedLicenses, DownloadStore
from foundry_tui.storage import Database, FileLock, StoredDownloads, StoredLicenses
from tests.support.memory_downloads import MemoryDownloads, MemoryLicenses, MemoryLock

FULL = Download(
    id="d1",
    model_id="tiny-a-generic-cpu:1",
    added_unix_ms=1_700_000_000_000,
    place=3,
    state=DownloadState.RETRYING,
    size_bytes=9_007_199_254_740_993,
    not_before_unix_ms=1_700_000_100_000,
    attempts=2,
    problem="it said \x1b[31m\x00 and a lone \ud83d",
    remedy="'; DROP TABLE download; --",
    outlives_app=True,
    ended_unix_ms=1_700_000_200_000,
)
BARE = Download(id="d2", model_id="m:1", added_unix_ms=1, place=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Both stores of one implementation, as two processes have them."""

    queue: DownloadStore
    other_queue: DownloadStore
    licenses: AcceptedLicenses


@pytest.fixture(params=["memory", "database"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Stores, None]:
    if request.param == "memory":
        memory = MemoryDownloads()
        yield Stores(queue=memory, other_queue=memory, licenses=MemoryLicenses())
        return
    mine, other = Database(tmp_path / "foundry-tui.db"), Database(tmp_path / "foundry-tui.db")
    yield Stores(
        queue=StoredDownloads(mine), other_queue=StoredDownloads(other), licenses=StoredLicenses(mine)
    )
    await mine.aclose()
    await other.aclose()


@pytest.fixture
def queue(stores: Stores) -> DownloadStore:
    return stores.queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """One lock as two processes have it."""

    mine: ProcessLock
    theirs: ProcessLock


@pytest.fixture(params=["memory", "file"])
def locks(request: pytest.FixtureRequest, tmp_path: Path) -> Locks:
    if request.param == "memory":
        memory = MemoryLock()
        return Locks(mine=memory, theirs=memory.other())
    return Locks(mine=FileLock(tmp_path / "downloads.lock"), theirs=FileLock(tmp_path / "downloads.lock"))


async def put(queue: DownloadStore, entry: Download) -> None:
    """Add it, or put it in the place of the one of its id."""
    await queue.change_downloads(lambda all_: (*(one for one in all_ if one.id != entry.id), entry))


def appended(entry: Download) -> Callable[[tuple[Download, ...]], tuple[Download, ...]]:
    return lambda entries: (*entries, entry)


async def test_a_new_queue_is_empty(queue: DownloadStore) -> None:
    assert await queue.downloads() == ()


@pytest.mark.parametrize("entry", [FULL, BARE], ids=["full", "bare"])
async def test_an_entry_comes_back_exactly_as_it_was_put(queue: DownloadStore, entry: Download) -> None:
    await put(queue, entry)

    assert await queue.downloads() == (entry,)


@pytest.mark.parametrize("state", DownloadState)
async def test_every_state_is_kept(queue: DownloadStore, state: DownloadState) -> None:
    await put(queue, replace(BARE, state=state))

    assert [entry.state for entry in await queue.downloads()] == [state]


async def test_entries_come_by_place_whenever_they_were_put(queue: DownloadStore) -> None:
    for entry in (FULL, BARE, replace(BARE, id="d3", place=2)):
        await put(queue, entry)

    assert [entry.id for entry in await queue.downloads()] == ["d2", "d3", "d1"]


async def test_of_two_at_one_place_the_older_comes_first(queue: DownloadStore) -> None:
    await put(queue, replace(BARE, id="younger", added_unix_ms=2))
    await put(queue, replace(BARE, id="older", added_unix_ms=1))

    assert [entry.id for entry in await queue.downloads()] == ["older", "younger"]


async def test_an_entry_takes_the_place_of_the_one_of_its_id(queue: DownloadStore) -> None:
    await put(queue, FULL)

    await put(queue, replace(FULL, state=DownloadState.DONE, problem=None))

    assert await queue.downloads() == (replace(FULL, state=DownloadState.DONE, problem=None),)


async def test_a_change_adds_alters_and_leaves_out_at_once(queue: DownloadStore) -> None:
    await put(queue, BARE)
    await put(queue, FULL)
    new = replace(BARE, id="new", place=9)

    after = await queue.change_downloads(lambda entries: (new, replace(entries[0], attempts=7)))

    assert after == (replace(BARE, attempts=7), new)
    assert await queue.downloads() == after


async def test_a_change_that_raises_changes_nothing(queue: DownloadStore) -> None:
    await put(queue, BARE)

    def refused(_: tuple[Download, ...]) -> tuple[Download, ...]:
        raise BadInput("no")

    with pytest.raises(BadInput):
        await queue.change_downloads(refused)

    assert await queue.downloads() == (BARE,)


async def test_no_change_of_two_processes_is_lost(stores: Stores) -> None:
    await put(stores.queue, BARE)

    def one_more(entries: tuple[Download, ...]) -> tuple[Download, ...]:
        return tuple(replace(entry, attempts=entry.attempts + 1) for entry in entries)

    await asyncio.gather(
        *(stores.queue.change_downloads(one_more) for _ in range(20)),
        *(stores.other_queue.change_downloads(one_more) for _ in range(20)),
    )

    assert [entry.attempts for entry in await stores.other_queue.downloads()] == [40]


async def test_what_one_process_wrote_the_other_reads(stores: Stores) -> None:
    await put(stores.queue, BARE)
    await stores.other_queue.change_downloads(appended(FULL))

    assert await stores.queue.downloads() == (BARE, FULL)
    assert await stores.other_queue.downloads() == (BARE, FULL)


async def test_a_text_is_accepted_once_and_remembered(stores: Stores) -> None:
    before = await stores.licenses.is_accepted("aa")

    await stores.licenses.accept("aa", name="MIT \ud83d", at_unix_ms=5)
    await stores.licenses.accept("aa", name="another name", at_unix_ms=6)

    assert not before
    assert await stores.licenses.is_accepted("aa")
    assert not await stores.licenses.is_accepted("bb")


def test_nobody_has_a_lock_at_first(locks: Locks) -> None:
    assert locks.mine.holder() is None


def test_one_has_the_lock_and_the_other_learns_who(locks: Locks) -> None:
    taken = locks.mine.acquire("the app, process 7")

    assert taken
    assert not locks.theirs.acquire("somebody else")
    assert locks.theirs.holder() == "the app, process 7"
    assert locks.mine.holder() == "the app, process 7"


def test_a_lock_that_was_given_back_can_be_taken_by_the_other(locks: Locks) -> None:
    locks.mine.acquire("a longer label than the next")
    locks.mine.release()

    freed = locks.mine.holder()
    taken = locks.theirs.acquire("next")

    assert freed is None
    assert taken
    assert locks.mine.holder() == "next"


def test_giving_back_what_one_does_not_have_takes_it_from_nobody(locks: Locks) -> None:
    locks.mine.acquire("mine")

    locks.theirs.release()

    assert not locks.theirs.acquire("theirs")


def test_taking_twice_what_one_has_is_no_error(locks: Locks) -> None:
    locks.mine.acquire("mine")

    assert locks.mine.acquire("mine")
    locks.mine.release()
    assert locks.theirs.acquire("theirs")
