"""Files of every age: new, older, newer, another program's, and those on which a step fails."""

import sqlite3
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.storage.migrations import STEPS, Step, migrate
from foundry_tui.storage.migrations.runner import check_ours


def make_songs(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE song (name TEXT)")


def add_singers(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE song ADD COLUMN singer TEXT DEFAULT 'nobody'")


def fail_half_way(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM song")
    connection.execute("CREATE TABLE song (name TEXT)")


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def brought_up(path: Path, steps: Sequence[Step]) -> None:
    with opened(path) as connection:
        check_ours(connection, path, steps)
        migrate(connection, path, steps)


def rows(path: Path) -> list[tuple[str, ...]]:
    with opened(path) as connection:
        return connection.execute("SELECT * FROM song ORDER BY name").fetchall()


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A file of version 1 with a song in it."""
    path = tmp_path / "songs.db"
    brought_up(path, (make_songs,))
    with opened(path) as connection:
        connection.execute("INSERT INTO song VALUES ('Lorelei')")
    return path


def test_a_new_file_takes_all_steps_and_has_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "songs.db"

    brought_up(path, (make_songs, add_singers))

    assert rows(path) == []
    assert [file.name for file in tmp_path.iterdir()] == ["songs.db"]


def test_an_older_file_takes_the_steps_it_lacks_after_a_copy_was_put_by(first: Path) -> None:
    brought_up(first, (make_songs, add_singers))

    assert rows(first) == [("Lorelei", "nobody")]
    assert rows(first.with_name("songs.db.v1.bak")) == [("Lorelei",)]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_copy_is_for_its_owner_alone(first: Path) -> None:
    brought_up(first, (make_songs, add_singers))

    assert stat.S_IMODE(first.with_name("songs.db.v1.bak").stat().st_mode) == 0o600


def test_a_file_of_today_is_left_as_it_is(first: Path) -> None:
    before = first.read_bytes()

    brought_up(first, (make_songs,))

    assert first.read_bytes() == before
    assert [file.name for file in first.parent.iterdir()] == ["songs.db"]


def test_a_newer_file_is_refused_and_left_as_it_is(first: Path) -> None:
    brought_up(first, (make_songs, add_singers))
    before = first.read_bytes()

    with pytest.raises(StorageProblem, match="newer version") as caught:
        brought_up(first, (make_songs,))

    assert str(first) in caught.value.message
    assert caught.value.remedy is not None
    assert first.read_bytes() == before


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    with opened(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()

    with pytest.raises(StorageProblem, match="another program"):
        brought_up(path, STEPS)

    assert path.read_bytes() == before


def test_another_programs_mark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    with opened(path) as connection:
        connection.execute("PRAGMA application_id = 7")

    with pytest.raises(StorageProblem, match="another program"):
        brought_up(path, STEPS)


def test_a_step_that_fails_changes_nothing_and_leaves_no_copy(first: Path) -> None:
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError):
            brought_up(first, (make_songs, fail_half_way))

    assert rows(first) == [("Lorelei",)]
    assert [file.name for file in first.parent.iterdir()] == ["songs.db"]
    brought_up(first, (make_songs,))


def test_what_a_step_before_has_done_stays_and_its_copy_too(first: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        brought_up(first, (make_songs, add_singers, fail_half_way))

    assert rows(first) == [("Lorelei", "nobody")]
    assert rows(first.with_name("songs.db.v1.bak")) == [("Lorelei",)]


def test_a_copy_that_is_there_already_is_kept(first: Path) -> None:
    older = first.with_name("songs.db.v1.bak")
    older.write_bytes(b"the user's own")

    brought_up(first, (make_songs, add_singers))

    assert older.read_bytes() == b"the user's own"
    assert rows(first.with_name("songs.db.v1-2.bak")) == [("Lorelei",)]


def test_without_a_copy_nothing_is_changed(first: Path) -> None:
    with opened(first) as connection:
        missing = first.parent / "missing" / "songs.db"

        with pytest.raises(StorageProblem, match="cannot be made"):
            migrate(connection, missing, (make_songs, add_singers))

    assert rows(first) == [("Lorelei",)]


def test_nobody_else_writes_while_a_step_is_taken(first: Path) -> None:
    def look_around(_: sqlite3.Connection) -> None:
        with (
            closing(sqlite3.connect(first, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("CREATE TABLE theirs (x)")

    with opened(first) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # as the program's own are: readers keep nobody out

    brought_up(first, (make_songs, look_around))

    assert rows(first) == [("Lorelei",)]


def test_a_file_that_another_program_brought_up_meanwhile_is_taken_as_it_is(first: Path) -> None:
    def slow_step(connection: sqlite3.Connection) -> None:
        raise AssertionError("it is done already")

    class Late(sqlite3.Connection):
        """Says at first what it saw before the other program came."""

        is_first = True

        def execute(self, sql: str, parameters: tuple[()] = ()) -> sqlite3.Cursor:  # type: ignore[override]
            if sql == "PRAGMA user_version" and self.is_first:
                self.is_first = False
                return super().execute("SELECT 1")
            return super().execute(sql, parameters)

    brought_up(first, (make_songs, add_singers))
    with closing(sqlite3.connect(first, isolation_level=None, factory=Late)) as connection:
        migrate(connection, first, (make_songs, slow_step))

    assert rows(first) == [("Lorelei", "nobody")]
