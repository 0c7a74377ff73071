"""The database file: opened late, in one thread, for its owner alone, and its failures in words."""

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.storage import Database, StoredConversations, StoredInputs, tables
from foundry_tui.storage.migrations import STEPS
from foundry_tui.storage.problems import storage_problem

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="permissions and unlinked files of POSIX")
PRIVATE_TEXT = "xyzzy plugh whom it concerns"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "foundry-tui.db"


@pytest.fixture
async def database(path: Path) -> AsyncGenerator[Database, None]:
    database = Database(path, busy_s=0.05)
    yield database
    await database.aclose()


@pytest.fixture
def release(database: Database) -> Iterator[threading.Event]:
    """Lets work go on that waits for it; set at the end, before the database is closed."""
    release = threading.Event()
    yield release
    release.set()


def talk(conversation_id: str = "c1", text: str = "hi") -> Conversation:
    turn = Turn(id=f"{conversation_id}-1", parent_id=None, role=Role.USER, text=text, at_unix_ms=1)
    return Conversation(
        id=conversation_id,
        title="a talk",
        created_unix_ms=1,
        updated_unix_ms=1,
        turns=(turn,),
        head_id=turn.id,
    )


def pragma(name: str) -> sa.TextClause:
    return sa.text(f"PRAGMA {name}")


def put(path: Path, contents: bytes) -> None:
    path.write_bytes(contents)


def contents_of(path: Path) -> bytes:
    return path.read_bytes()


def remove(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    path.mkdir()


def modes_in(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir() if file.is_file()}


async def kept(path: Path) -> int:
    """How many conversations a program of its own would find."""
    other = Database(path)
    try:
        return await StoredConversations(other).count()
    finally:
        await other.aclose()


def test_nothing_heavy_is_imported_and_nothing_opened_before_the_first_use(path: Path) -> None:
    program = (
        "import sys, threading; from pathlib import Path\n"
        "from foundry_tui.storage import Database, StoredConversations, StoredInputs, StoredPrompts\n"
        f"database = Database(Path({str(path)!r}))\n"
        "for made in (StoredConversations, StoredInputs, StoredPrompts): made(database)\n"
        "assert threading.active_count() == 1\n"
        "assert not {'sqlalchemy', 'sqlite3'} & set(sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert not path.exists()


async def test_all_work_is_done_in_one_thread_that_is_not_the_loops(database: Database) -> None:
    threads = [await database.read(lambda _: threading.get_ident()) for _ in range(3)]
    threads += [await database.write(lambda _: threading.get_ident()) for _ in range(3)]

    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


async def test_the_tables_that_are_made_are_those_the_program_knows(database: Database) -> None:
    def columns(connection: sa.Connection) -> dict[str, set[tuple[str, bool]]]:
        inspector = sa.inspect(connection)
        return {
            name: {(column["name"], bool(column["nullable"])) for column in inspector.get_columns(name)}
            for name in inspector.get_table_names()
            if not name.startswith("words")
        }

    made = await database.read(columns)

    known = (value for value in vars(tables).values() if isinstance(value, sa.Table))
    for table in known:
        # SQLite lets a primary key of whole numbers be null in words only.
        wanted = {(column.name, bool(column.nullable)) for column in table.columns}
        assert {name for name, _ in made.pop(table.name) ^ wanted} <= {"number", "turn"}, table.name
    assert made == {}


async def test_commits_wait_for_the_disk_and_other_programs_for_each_other(database: Database) -> None:
    def settings(connection: sa.Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
        return [connection.scalar(pragma(name)) for name in names]

    assert await database.read(settings) == ["wal", 2, 1, 1, 50]


@POSIX_ONLY
async def test_the_file_and_those_beside_it_are_for_their_owner_alone(database: Database, path: Path) -> None:
    before = os.umask(0)
    try:
        await StoredConversations(database).create(talk())
    finally:
        os.umask(before)

    assert modes_in(path.parent) == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}


@POSIX_ONLY
async def test_a_file_that_others_could_read_is_closed_to_them(database: Database, path: Path) -> None:
    put(path, b"")
    before = modes_in(path.parent)

    await StoredConversations(database).count()

    assert before[path.name] != 0o600
    assert modes_in(path.parent)[path.name] == 0o600


async def test_closing_leaves_one_file_and_finishes_what_was_asked_for(
    database: Database, path: Path
) -> None:
    asked = [
        asyncio.create_task(StoredConversations(database).create(talk(f"c{number}"))) for number in range(5)
    ]
    await asyncio.sleep(0)  # one turn of the loop: the tasks hand over their work

    await database.aclose()

    assert [task.exception() for task in asked if task.done()] == [None] * 5
    assert list(modes_in(path.parent)) == [path.name]
    assert await kept(path) == 5


async def test_closing_twice_or_before_the_first_use_does_nothing(path: Path) -> None:
    database = Database(path)

    await database.aclose()
    await database.aclose()

    assert modes_in(path.parent) == {}


async def test_work_that_fails_leaves_nothing_behind(database: Database) -> None:
    store = StoredConversations(database)
    await store.create(talk())

    def fail(connection: sa.Connection) -> None:
        connection.execute(sa.delete(tables.conversation))
        raise LookupError("half way")

    with pytest.raises(LookupError, match="half way"):
        await database.write(fail)

    assert await store.load("c1") == talk()


async def test_whoever_is_cancelled_while_waiting_in_line_is_never_served(
    database: Database, release: threading.Event
) -> None:
    blocker = asyncio.create_task(database.read(lambda _: release.wait()))
    waiting = asyncio.create_task(StoredConversations(database).create(talk()))
    await asyncio.sleep(0)  # one turn of the loop: both hand over their work

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    release.set()
    await blocker

    assert await StoredConversations(database).count() == 0


async def test_whoever_is_cancelled_in_the_middle_of_a_write_leaves_when_it_is_done(
    database: Database, release: threading.Event
) -> None:
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def slow(connection: sa.Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        release.wait()
        connection.execute(sa.insert(tables.entry).values(text="kept"))

    writing = asyncio.create_task(database.write(slow))
    await begun.wait()

    writing.cancel()
    for _ in range(10):
        await asyncio.sleep(0)  # a turn of the loop: the cancellation arrives
    assert not writing.done()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert await StoredInputs(database).inputs(5) == ("kept",)


async def test_an_error_after_a_cancellation_is_nobodys(
    database: Database, release: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def fail(connection: sa.Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        release.wait()
        raise LookupError("too late")

    writing = asyncio.create_task(database.write(fail))
    await begun.wait()
    writing.cancel()
    release.set()

    with pytest.raises(asyncio.CancelledError):
        await writing
    del writing

    assert await StoredConversations(database).count() == 0
    assert caplog.records == []


async def test_a_file_in_use_is_told_after_a_while_and_written_when_it_is_free(
    database: Database, path: Path
) -> None:
    store = StoredConversations(database)
    await store.count()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StorageProblem, match="in use by another program") as caught:
            await store.create(talk())
        readable = await store.count()

    assert str(path) in caught.value.message
    assert caught.value.remedy is not None
    assert readable == 0
    await store.create(talk())
    assert await store.count() == 1


async def test_nobody_writes_between_what_a_write_reads_and_what_it_writes(
    database: Database, path: Path
) -> None:
    def try_another(connection: sa.Connection) -> str:
        connection.scalar(sa.select(sa.func.count()).select_from(tables.entry))
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
            try:
                other.execute("INSERT INTO entry (text) VALUES ('theirs')")
            except sqlite3.OperationalError as error:
                return error.sqlite_errorname
        return "it was let in"

    assert await database.write(try_another) == "SQLITE_BUSY"


async def test_most_of_a_long_answer_stands_in_its_row_and_not_in_pieces(database: Database) -> None:
    store = StoredConversations(database)
    await store.create(talk("c1", ""))
    for _ in range(40):
        await store.extend_turn("c1-1", text="ten bytes ", reasoning="")

    def sizes(connection: sa.Connection) -> tuple[int, int]:
        texts = (connection.scalars(sa.select(table.c.text)).all() for table in (tables.turn, tables.piece))
        of_row, of_pieces = (sum(map(len, found)) for found in texts)
        return of_row, of_pieces

    of_row, of_pieces = await database.read(sizes)

    assert of_row + of_pieces == 400
    assert of_row >= 200


async def test_a_full_disk_is_told_and_nothing_is_lost(database: Database, path: Path) -> None:
    store = StoredConversations(database)
    await store.create(talk())
    pages = await database.read(lambda connection: connection.scalar(pragma("page_count")))
    await database.read(lambda connection: connection.scalar(pragma(f"max_page_count = {pages}")))

    with pytest.raises(StorageProblem, match="disk is full") as caught:
        await store.create(talk("c2", "long " * 50_000))
    with pytest.raises(StorageProblem, match="disk is full"):
        await store.create(talk("c2", "long " * 50_000))
    await database.read(lambda connection: connection.scalar(pragma("max_page_count = 1000000")))
    await store.create(talk("c2", "long " * 50_000))

    assert str(path) in caught.value.message
    assert [await store.load(name) for name in ("c1", "c2")] == [talk(), talk("c2", "long " * 50_000)]


async def test_a_file_that_cannot_be_written_is_told_and_tried_anew(database: Database, path: Path) -> None:
    store = StoredConversations(database)
    await database.read(lambda connection: connection.execute(pragma("query_only = ON")))

    with pytest.raises(StorageProblem, match="cannot be written") as caught:
        await store.create(talk())
    await store.create(talk())

    assert str(path) in caught.value.message
    assert await store.load("c1") == talk()


@pytest.mark.parametrize(
    "contents",
    [b"nonsense\n" * 1000, b"SQLite format 3\x00" + b"\xff" * 4080, b"x"],
    ids=["text", "header-only", "short"],
)
async def test_a_damaged_file_is_told_and_left_as_it_is(
    database: Database, path: Path, contents: bytes
) -> None:
    put(path, contents)

    with pytest.raises(StorageProblem, match=r"is damaged|is no database") as caught:
        await StoredConversations(database).create(talk())
    with pytest.raises(StorageProblem, match=r"is damaged|is no database"):
        await StoredConversations(database).find()

    assert str(path) in caught.value.message
    assert caught.value.remedy is not None
    assert contents_of(path) == contents


async def test_damage_in_the_middle_is_told_and_left_as_it_is(database: Database, path: Path) -> None:
    whole = Database(path)
    await StoredConversations(whole).create(talk("c1", "a long text " * 10_000))
    await whole.aclose()
    contents = contents_of(path)[:4096].ljust(100_000, b"\xa5")
    put(path, contents)

    with pytest.raises(StorageProblem, match="is damaged"):
        await StoredConversations(database).load("c1")
    await database.aclose()

    assert contents_of(path) == contents


async def test_a_damaged_file_that_was_put_right_is_used_at_once(database: Database, path: Path) -> None:
    put(path, b"nonsense\n" * 1000)
    with pytest.raises(StorageProblem):
        await StoredConversations(database).count()
    remove(path)

    await StoredConversations(database).create(talk())

    assert await StoredConversations(database).load("c1") == talk()


async def test_a_newer_file_is_told_and_left_as_it_is(database: Database, path: Path) -> None:
    newer = Database(path)
    await StoredConversations(newer).create(talk())
    await newer.aclose()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
    before = contents_of(path)

    with pytest.raises(StorageProblem, match="newer version") as caught:
        await StoredConversations(database).create(talk("c2"))
    await database.aclose()

    assert str(path) in caught.value.message
    assert contents_of(path) == before


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    database = Database(tmp_path / "gone" / "foundry-tui.db")

    with pytest.raises(StorageProblem, match="cannot be opened") as caught:
        await StoredConversations(database).count()
    await database.aclose()

    assert str(tmp_path / "gone" / "foundry-tui.db") in caught.value.message
    assert not (tmp_path / "gone").exists()


async def test_a_folder_in_the_files_place_is_told(database: Database, path: Path) -> None:
    make_folder(path)

    with pytest.raises(StorageProblem, match="cannot be opened"):
        await StoredConversations(database).count()


@POSIX_ONLY
async def test_a_folder_that_goes_is_told_and_not_written_into_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    database = Database(folder / "foundry-tui.db")
    store = StoredConversations(database)
    await store.create(talk())

    shutil.rmtree(folder)
    with pytest.raises(StorageProblem, match="moved, replaced or deleted"):
        await store.create(talk("c2"))
    with pytest.raises(StorageProblem, match="cannot be opened"):
        await store.create(talk("c2"))
    folder.mkdir()
    await store.create(talk("c2"))
    await database.aclose()

    assert await kept(folder / "foundry-tui.db") == 1


async def test_a_failure_tells_neither_sql_nor_what_was_written(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    statement = sa.text("INSERT INTO nowhere (a) VALUES (:words)")
    caplog.set_level("DEBUG")

    with pytest.raises(StorageProblem) as caught:
        await database.write(lambda connection: connection.execute(statement, {"words": PRIVATE_TEXT}))

    told = "".join(traceback.format_exception(caught.value)) + str(caught.value.remedy) + caplog.text
    assert PRIVATE_TEXT not in told
    assert "VALUES" not in told


async def test_text_of_another_program_that_is_no_utf_8_is_told_without_it(database: Database) -> None:
    statement = sa.text("INSERT INTO entry (text) VALUES (CAST(X'FF78797A7A79' AS TEXT))")
    await database.write(lambda connection: connection.execute(statement))

    with pytest.raises(StorageProblem) as caught:
        await StoredInputs(database).inputs(5)

    assert "xyzzy" not in "".join(traceback.format_exception(caught.value))


async def test_a_number_that_no_file_can_keep_is_refused(database: Database) -> None:
    conversation = Conversation(id="c1", title="", created_unix_ms=2**63, updated_unix_ms=1)

    with pytest.raises(BadInput, match="too large"):
        await StoredConversations(database).create(conversation)

    assert await StoredConversations(database).count() == 0


async def test_what_is_deleted_is_in_the_file_no_more(database: Database, path: Path) -> None:
    store = StoredConversations(database)
    await store.create(talk("c1", PRIVATE_TEXT))
    await store.create(talk("c2", "something else that stays"))

    await store.delete("c1")
    await database.aclose()

    contents = contents_of(path)
    assert PRIVATE_TEXT.encode() not in contents
    assert b"something else that stays" in contents


async def test_deleting_leaves_no_row_of_it(database: Database) -> None:
    store = StoredConversations(database)
    await store.create(talk("c1", "one"))
    await store.create(talk("c2", "two"))
    await store.extend_turn("c1-1", text="more", reasoning="")
    await store.extend_turn("c1-1", text="m", reasoning="")

    await store.delete("c1")

    def rows(connection: sa.Connection) -> dict[str, int | None]:
        names = ("conversation", "turn", "piece", "reading", "tag", "words", "words_content")
        return {name: connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) for name in names}

    assert await database.read(rows) == {
        "conversation": 1,
        "turn": 1,
        "piece": 0,
        "reading": 0,
        "tag": 0,
        "words": 2,
        "words_content": 2,
    }


async def test_the_index_is_whole_after_all_kinds_of_writes(database: Database) -> None:
    store = StoredConversations(database)
    for number in range(20):
        await store.create(talk(f"c{number}", f"word {number}"))
        await store.extend_turn(f"c{number}-1", text=" more", reasoning="")
    for number in range(0, 20, 3):
        await store.delete(f"c{number}")
        await store.set_title(f"c{(number + 1) % 20}", "other")

    def check(connection: sa.Connection) -> tuple[object, object]:
        connection.execute(sa.text("INSERT INTO words (words) VALUES ('integrity-check')"))
        return connection.scalar(pragma("integrity_check")), connection.scalar(pragma("foreign_key_check"))

    assert await database.write(check) == ("ok", None)


def test_each_kind_of_failure_has_a_message_and_a_remedy(path: Path) -> None:
    codes = {name: value for name, value in vars(sqlite3).items() if name.startswith("SQLITE_")}
    assert "SQLITE_FULL" in codes

    for code in {value for value in codes.values() if isinstance(value, int)}:
        error = sqlite3.OperationalError("INSERT INTO secret")
        error.sqlite_errorcode = code
        error.sqlite_errorname = "SQLITE_X"
        problem = storage_problem(path, error)

        assert str(path) in problem.message
        assert "secret" not in problem.message
        assert problem.remedy
