"""The log: what is kept, how it is found in time and place, and what the engine says itself."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.services.logbook import ENGINE, HostLogFollower, LogBook, LogLevel

KEY = "Xy7-abcd/efgh+1234"
SOON_S = 10.0
OWN, OTHERS = f"host-1-{os.getpid()}-1.log", "host-2-1-1.log"


@pytest.fixture
def logger(request: pytest.FixtureRequest) -> Iterator[logging.Logger]:
    made = logging.getLogger(f"test-{request.node.name}")
    made.setLevel(logging.DEBUG)
    made.propagate = False
    yield made
    assert not [handler for handler in made.handlers if isinstance(handler, LogBook)], "it is still attached"


@pytest.fixture
def book(tmp_path: Path, logger: logging.Logger) -> LogBook:
    return LogBook(tmp_path / "logs", secrets=(KEY,), logger=logger)


def texts(book: LogBook) -> list[str]:
    return [line.text for line in book.lines()]


def test_a_record_is_kept_with_its_time_level_and_place(book: LogBook, logger: logging.Logger) -> None:
    async def log() -> float:
        with book.attached():
            logger.getChild("services.client").warning("it took %d s", 5)
            return time.time()

    now_unix = asyncio.run(log())

    (line,) = book.lines()
    assert (line.level, line.source, line.text) == (LogLevel.WARNING, "client", "it took 5 s")
    assert now_unix - 5 < line.at_unix <= now_unix


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (5, LogLevel.DEBUG),
        (10, LogLevel.DEBUG),
        (25, LogLevel.INFO),
        (30, LogLevel.WARNING),
        (50, LogLevel.ERROR),
    ],
)
async def test_every_level_of_a_logger_has_one_of_four(
    book: LogBook, logger: logging.Logger, number: int, level: LogLevel
) -> None:
    logger.setLevel(1)
    with book.attached():
        logger.log(number, "x")

    assert [line.level for line in book.lines()] == [level]


async def test_a_failure_is_kept_with_its_traceback(book: LogBook, logger: logging.Logger) -> None:
    with book.attached():
        try:
            raise ValueError("the reason")
        except ValueError:
            logger.exception("it broke")

    (text,) = texts(book)
    assert text.startswith("it broke\nTraceback (most recent call last):")
    assert text.endswith("ValueError: the reason")


def test_a_call_whose_arguments_do_not_fit_is_kept_and_harms_nobody(book: LogBook) -> None:
    # Not through a logger: pytest has a handler of its own there, which raises.
    book.handle(logging.makeLogRecord({"name": "x", "msg": "%d of them", "levelno": 20, "args": ("many",)}))

    (text,) = texts(book)
    assert "'%d of them' with arguments that do not fit" in text


async def test_the_newest_five_thousand_are_kept(book: LogBook, logger: logging.Logger) -> None:
    with book.attached():
        for n in range(5_003):
            logger.info("%d", n)

    assert texts(book) == [str(n) for n in range(3, 5_003)]


async def test_a_long_message_keeps_its_beginning_and_its_end(book: LogBook, logger: logging.Logger) -> None:
    with book.attached():
        logger.info("begin %s end", "x" * 100_000)

    (text,) = texts(book)
    assert text.startswith("begin xxx")
    assert text.endswith("xxx end")
    assert " … 95914 characters left out … " in text
    assert len(text) < 4_200


async def test_threads_that_log_at_once_lose_nothing(book: LogBook, logger: logging.Logger) -> None:
    start = threading.Barrier(4)

    def log(name: int) -> None:
        start.wait()
        for n in range(200):
            logger.info("%d %d", name, n)

    with book.attached():
        await asyncio.gather(*(asyncio.to_thread(log, name) for name in range(4)))

    assert sorted(texts(book)) == sorted(f"{name} {n}" for name in range(4) for n in range(200))


async def test_a_watcher_learns_of_lines_from_any_thread_and_may_skip_some(
    book: LogBook, logger: logging.Logger
) -> None:
    seen: list[int] = []

    def log() -> None:
        for n in range(100):
            logger.info("%d", n)

    with book.attached():
        watching = book.changes.watch()
        seen.append(await anext(watching))

        await asyncio.to_thread(log)
        async with asyncio.timeout(SOON_S):
            while seen[-1] < 100:
                seen.append(await anext(watching))
        await watching.aclose()

    assert seen[0] == 0
    assert len(seen) < 100


async def test_what_is_logged_after_the_block_is_not_kept(book: LogBook, logger: logging.Logger) -> None:
    with book.attached():
        logger.info("within")

    logger.info("after")

    assert texts(book) == ["within"]


async def test_no_key_is_kept_of_a_record_of_its_arguments_or_of_its_traceback(
    book: LogBook, logger: logging.Logger
) -> None:
    with book.attached():
        logger.info("sent %s", {"authorization": f"Bearer {KEY}"})
        logger.info("%s%s%s", "x" * 3_065, KEY, "x" * 2_000)  # where the cut would go through it
        try:
            raise ValueError(f"refused {KEY}")
        except ValueError:
            logger.exception("it broke")

    assert not [text for text in texts(book) if "Xy7" in text or "1234" in text]


def host_log(folder: Path, name: str, data: bytes, at_s: int | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    with path.open("ab") as file:
        file.write(data)
    if at_s is not None:
        os.utime(path, (at_s, at_s))
    return path


def polled(follower: HostLogFollower) -> list[str]:
    return [line.text for line in follower.poll()]


def test_without_a_folder_there_is_nothing_to_follow(tmp_path: Path) -> None:
    assert HostLogFollower(tmp_path / "none").poll() == []


def test_first_comes_what_is_there_then_only_what_is_new(tmp_path: Path) -> None:
    follower = HostLogFollower(tmp_path)
    host_log(tmp_path, OWN, b"one\n\n  \ntwo\r\n")

    first = polled(follower)
    second = polled(follower)
    host_log(tmp_path, OWN, b"three\n")
    third = polled(follower)

    assert first == [f"(the engine's process writes to {OWN})", "one", "two"]
    assert second == []
    assert third == ["three"]


def test_a_line_is_dated_by_the_last_change_of_its_file(tmp_path: Path) -> None:
    host_log(tmp_path, OWN, b"one\n", at_s=1_000_000)

    lines = HostLogFollower(tmp_path).poll()

    assert {(line.source, line.at_unix) for line in lines[1:]} == {(ENGINE, 1_000_000.0)}


def test_a_line_that_is_still_being_written_waits_for_its_end_but_not_for_ever(tmp_path: Path) -> None:
    follower = HostLogFollower(tmp_path)
    host_log(tmp_path, OWN, b"be")

    begun = polled(follower)[1:]
    host_log(tmp_path, OWN, "gun ü".encode()[:-1])
    more = polled(follower)
    host_log(tmp_path, OWN, "ü".encode()[-1:] + b"!\nlast words")
    ended = polled(follower)
    still = polled(follower)

    assert (begun, more, ended, still) == ([], [], ["begun ü!"], ["last words"])


def test_the_newest_log_is_read_and_a_new_life_after_the_last_words_of_the_old(tmp_path: Path) -> None:
    follower = HostLogFollower(tmp_path)
    host_log(tmp_path, f"host-0-{os.getpid()}-1.log", b"older\n", at_s=1_000)
    first = host_log(tmp_path, f"host-1-{os.getpid()}-2.log", b"old\n", at_s=2_000)
    polled(follower)

    host_log(tmp_path, first.name, b"dying\nlast words", at_s=3_000)
    host_log(tmp_path, f"host-1-{os.getpid()}-3.log", b"new\n", at_s=2_500)
    lines = polled(follower)

    assert lines == [
        "dying",
        "last words",
        f"(the engine's process writes to host-1-{os.getpid()}-3.log)",
        "new",
    ]


def test_the_engine_of_another_app_is_read_only_while_there_is_none_of_this_one(tmp_path: Path) -> None:
    follower = HostLogFollower(tmp_path)
    host_log(tmp_path, OTHERS, b"theirs\n", at_s=9_000)

    before = polled(follower)
    host_log(tmp_path, OWN, b"ours\n", at_s=1_000)
    ours = polled(follower)
    host_log(tmp_path, OTHERS, b"more\n", at_s=10_000)
    host_log(tmp_path, "host-3-1-2.log", b"theirs again\n", at_s=11_000)
    after = polled(follower)

    assert before[-1] == "theirs"
    assert ours[-1] == "ours"
    assert after == []


def test_a_log_that_is_begun_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    follower = HostLogFollower(tmp_path)
    path = host_log(tmp_path, OWN, b"a first long line\n")
    polled(follower)

    path.write_bytes(b"cut\n")
    cut = polled(follower)
    (tmp_path / "made").write_bytes(b"put in its place, and longer\n")
    (tmp_path / "made").replace(path)
    replaced = polled(follower)

    assert (cut, replaced) == (["cut"], ["put in its place, and longer"])


def test_a_log_that_goes_away_is_no_error(tmp_path: Path) -> None:
    follower = HostLogFollower(tmp_path)
    path = host_log(tmp_path, OWN, b"one\n")
    polled(follower)

    path.unlink()

    assert polled(follower) == []


def test_of_a_big_log_only_the_end_is_read_and_that_is_said(tmp_path: Path) -> None:
    host_log(tmp_path, OWN, b"".join(b"line %06d\n" % n for n in range(100_000)))

    lines = polled(HostLogFollower(tmp_path))

    assert lines[1] == "(916 KiB before this are only in the file)"
    assert lines[-1] == "line 099999"
    assert all(len(line) == len("line 000000") for line in lines[2:])
    assert len(lines) <= 5_002


def test_a_line_without_end_is_cut_and_its_rest_dropped(tmp_path: Path) -> None:
    follower = HostLogFollower(tmp_path)
    host_log(tmp_path, OWN, b"x" * 200_000)

    first = polled(follower)[1:]
    host_log(tmp_path, OWN, b"x" * 200_000 + b"\nnext\n")
    second = polled(follower)

    assert [(len(line), line[-1]) for line in first] == [(4_096, "…")]
    assert second == ["next"]


def test_garbage_is_replaced_and_a_key_is_hidden(tmp_path: Path) -> None:
    host_log(tmp_path, OWN, b"\xff\xfe\x00\x1b[31m \x80\n" + f"key {KEY}\n".encode())

    lines = polled(HostLogFollower(tmp_path, secrets=(KEY,)))

    assert lines[1:] == ["\ufffd\ufffd\x00\x1b[31m \ufffd", "key [hidden]"]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("[warning] Operation failed", LogLevel.WARNING),
        ("[error] failed to fetch", LogLevel.ERROR),
        ("[2026-11-22 19:35:42.599] [error] failed", LogLevel.ERROR),
        ("2026-01-02 10:11:12.123456789 [W:onnxruntime:, graph.cc:1] odd", LogLevel.WARNING),
        ("DEBUG starting", LogLevel.DEBUG),
        ("Traceback (most recent call last):", LogLevel.ERROR),
        ("ValueError: no", LogLevel.ERROR),
        ("Fatal Python error: Segmentation fault", LogLevel.ERROR),
        ("Information about errors", LogLevel.INFO),
        ("loaded in 5 s", LogLevel.INFO),
    ],
)
def test_the_level_of_an_engines_line_is_what_it_says_of_itself(
    tmp_path: Path, line: str, level: LogLevel
) -> None:
    host_log(tmp_path, OWN, f"{line}\n  set in\nplain\n".encode())

    lines = HostLogFollower(tmp_path).poll()[1:]

    assert [line.level for line in lines] == [level, level, LogLevel.INFO]


@asynccontextmanager
async def following(
    folder: Path, logger: logging.Logger
) -> AsyncGenerator[tuple[LogBook, Callable[[], Awaitable[None]]], None]:
    """A book that looks at the engine's log once for each call of the second value."""
    naps: list[float] = []
    looked, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        looked.set()
        await go_on.wait()
        go_on.clear()

    async def look() -> None:
        go_on.set()
        looked.clear()
        async with asyncio.timeout(SOON_S):
            await looked.wait()

    book = LogBook(folder, logger=logger, sleep=sleep)
    with book.attached():
        task = asyncio.create_task(book.follow_engine())
        async with asyncio.timeout(SOON_S):
            await looked.wait()
        yield book, look
        task.cancel()
        await asyncio.wait([task])
    assert set(naps) == {1.0}


async def test_the_engines_lines_stand_between_the_apps_by_their_time(
    tmp_path: Path, logger: logging.Logger
) -> None:
    host_log(tmp_path, OWN, b"long ago\n", at_s=1_000)
    async with following(tmp_path, logger) as (book, look):
        logger.info("now")
        host_log(tmp_path, OWN, b"later\n", at_s=4_000_000_000)
        await look()

        assert texts(book)[1:] == ["long ago", "now", "later"]
        assert book.lines()[2] is book.lines()[2]


async def test_a_flood_of_the_engine_leaves_the_apps_own_lines(
    tmp_path: Path, logger: logging.Logger
) -> None:
    async with following(tmp_path, logger) as (book, look):
        logger.info("ours")
        for n in range(3):
            host_log(tmp_path, OWN, b"flood %d\n" % n * 20_000)
            await look()

        assert len(book.lines()) == 5_001
        assert "ours" in texts(book)


async def test_following_again_reads_nothing_twice(tmp_path: Path, logger: logging.Logger) -> None:
    host_log(tmp_path, OWN, b"one\n")
    async with following(tmp_path, logger) as (book, look):
        await look()

        again = asyncio.create_task(book.follow_engine())
        await look()
        again.cancel()
        await asyncio.wait([again])

        assert texts(book).count("one") == 1


def test_saving_writes_a_new_file_each_time(book: LogBook) -> None:
    paths = [book.save(["one", "half a pair \ud800"]) for _ in range(3)]

    assert len(set(paths)) == 3
    assert {path.parent for path in paths} == {book.logs_dir}
    assert {path.read_text(encoding="utf-8") for path in paths} == {"one\nhalf a pair \\ud800\n"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, logger: logging.Logger) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageProblem, match="file") as caught:
        LogBook(tmp_path / "file" / "logs", logger=logger).save(["x"])

    assert caught.value.remedy is not None
