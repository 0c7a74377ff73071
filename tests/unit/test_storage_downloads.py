"""Downloads in files of an older version, numbers too large, locks in folders that are gone."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.conversations import Conversation
from foundry_tui.domain.downloads import Download
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.storage import Database, FileLock, StoredConversations, StoredDownloads, StoredLicenses
from foundry_tui.storage.migrations import STEPS, migrate

ENTRY = Download(id="d", model_id="m:1", added_unix_ms=1, place=1)


async def test_a_file_of_version_1_keeps_what_it_has_and_takes_downloads(tmp_path: Path) -> None:
    path = tmp_path / "foundry-tui.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, STEPS[:1])
        connection.execute("INSERT INTO conversation VALUES (1, 'c', 'kept', 5, 6, '{}', NULL)")

    database = Database(path)
    conversation = await StoredConversations(database).load("c")
    await StoredDownloads(database).change_downloads(lambda _: (ENTRY,))
    await StoredLicenses(database).accept("aa", name="MIT", at_unix_ms=1)
    kept = await StoredDownloads(database).downloads()
    await database.aclose()

    assert conversation == Conversation(id="c", title="kept", created_unix_ms=5, updated_unix_ms=6)
    assert kept == (ENTRY,)
    assert path.with_name("foundry-tui.db.v1.bak").is_file()


async def test_a_size_that_no_disk_has_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    database = Database(tmp_path / "foundry-tui.db")
    queue = StoredDownloads(database)

    with pytest.raises(BadInput, match="too large"):
        await queue.change_downloads(lambda _: (ENTRY, replace(ENTRY, id="e", size_bytes=1 << 80)))
    kept = await queue.downloads()
    await database.aclose()

    assert kept == ()


def test_a_lock_in_a_folder_that_is_gone_names_it(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "gone" / "downloads.lock")

    with pytest.raises(StorageProblem, match=r"gone.downloads\.lock") as caught:
        lock.acquire("me")

    assert caught.value.remedy is not None
    assert lock.holder() is None


def test_a_lock_whose_file_was_removed_is_taken_on_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "downloads.lock"
    mine, theirs = FileLock(path), FileLock(path)
    mine.acquire("mine")
    mine.release()
    path.unlink()

    taken = theirs.acquire("theirs")

    assert taken
    assert not mine.acquire("mine")
    theirs.release()


def test_a_label_is_cut_and_its_odd_characters_replaced(tmp_path: Path) -> None:
    mine, theirs = FileLock(tmp_path / "downloads.lock"), FileLock(tmp_path / "downloads.lock")

    mine.acquire("\ud83d" + "x" * 2_000)
    label = theirs.holder()
    mine.release()

    assert label is not None
    assert label.startswith("?xxx")
    assert len(label) == 512
