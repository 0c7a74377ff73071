"""Whether there is a queue to go on with, told without opening the database for writing."""

from pathlib import Path

import pytest

from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.storage import Database, StoredDownloads, has_unfinished_downloads


async def kept(path: Path, *states: DownloadState) -> None:
    database = Database(path)
    store = StoredDownloads(database)
    try:
        entries = tuple(
            Download(id=str(place), model_id="a:1", added_unix_ms=1, place=place, state=state)
            for place, state in enumerate(states)
        )
        await store.change_downloads(lambda _: entries)
        await store.downloads()
    finally:
        await database.aclose()


def test_where_there_is_no_database_there_is_no_queue_and_none_is_made(tmp_path: Path) -> None:
    assert has_unfinished_downloads(tmp_path / "none.db") is False
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), False),
        ((DownloadState.DONE, DownloadState.FAILED, DownloadState.CANCELLED), False),
        ((DownloadState.DONE, DownloadState.PAUSED), True),
        ((DownloadState.QUEUED,), True),
    ],
)
async def test_what_has_ended_is_no_queue(
    tmp_path: Path, states: tuple[DownloadState, ...], expected: bool
) -> None:
    path = tmp_path / "foundry tui #1.db"
    await kept(path, *states)

    assert has_unfinished_downloads(path) is expected


def test_what_is_no_database_is_left_to_whoever_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "torn.db"
    path.write_bytes(b"no database" * 1000)

    assert has_unfinished_downloads(path) is True
