"""Real processes on one database: killed in mid-answer, side by side, and on a disk that is full."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundry_tui.domain.conversations import Conversation
from foundry_tui.storage import Database, StoredConversations
from tests.integration.writer_of_answers import piece

END_S = 30.0
"""A safety net: what is waited for here takes a second at most."""
ENDLESS = 1_000_000
ROOT = Path(__file__).parents[2]

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "foundry-tui.db"


@asynccontextmanager
async def writer(path: Path, name: str, pieces: int, *options: str) -> AsyncGenerator[Process, None]:
    """A process that writes; killed when the block is left, if it lives."""
    program = ("-m", "tests.integration.writer_of_answers", str(path), name, str(pieces), *options)
    process = await asyncio.create_subprocess_exec(sys.executable, *program, stdout=PIPE, cwd=ROOT)
    try:
        async with asyncio.timeout(END_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_of(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def rest_of(process: Process) -> list[str]:
    assert process.stdout is not None
    return (await process.stdout.read()).decode().split()


async def until(process: Process, line: str) -> None:
    while (read := await line_of(process)) != line:
        assert read, f"it ended without saying {line}"


async def loaded(path: Path, name: str) -> Conversation:
    database = Database(path)
    try:
        conversation = await StoredConversations(database).load(name)
    finally:
        await database.aclose()
    assert conversation is not None
    return conversation


@POSIX_ONLY
@pytest.mark.parametrize("last_seen", [0, 1, 40, 99])
async def test_a_kill_in_mid_answer_loses_nothing_that_was_acknowledged(path: Path, last_seen: int) -> None:
    async with writer(path, "w", ENDLESS) as process:
        await until(process, str(last_seen))
        process.kill()
        acknowledged = [last_seen, *map(int, await rest_of(process))]
        code = await process.wait()

    answer = (await loaded(path, "w")).turns[1]
    kept = len(answer.reasoning.split())
    assert code == -signal.SIGKILL
    assert kept >= acknowledged[-1] + 1
    assert answer.text == "".join(piece("w", number) for number in range(kept))
    assert answer.reasoning == "".join(f"{number} " for number in range(kept))
    assert answer.trace is None


@POSIX_ONLY
async def test_what_a_killed_process_wrote_is_found_and_can_be_finished(path: Path) -> None:
    async with writer(path, "w", ENDLESS) as process:
        await until(process, "20")
        process.kill()

    database = Database(path)
    store = StoredConversations(database)
    hits = [summary.hit_id for summary in await store.find(text="w-20")]
    conversation = await store.load("w")
    assert conversation is not None
    await store.finish_turn(conversation.turns[1])
    again = await store.load("w")
    await database.aclose()

    assert hits == ["w-a"]
    assert again == conversation


async def test_several_processes_make_and_write_one_file_at_once(path: Path) -> None:
    names, pieces = ("one", "two", "three"), 25
    async with (
        writer(path, "one", pieces) as one,
        writer(path, "two", pieces) as two,
        writer(path, "three", pieces) as three,
    ):
        said = await asyncio.gather(*(rest_of(process) for process in (one, two, three)))
        codes = [await process.wait() for process in (one, two, three)]

    assert codes == [0, 0, 0]
    assert said == [["begun", *map(str, range(pieces)), "finished"]] * 3
    for name in names:
        answer = (await loaded(path, name)).turns[1]
        assert answer.text == "".join(piece(name, number) for number in range(pieces))


async def test_a_reader_sees_what_another_process_was_told_is_kept(path: Path) -> None:
    database = Database(path)
    store = StoredConversations(database)
    before = await store.load("w")
    async with writer(path, "w", ENDLESS) as process:
        for number in (0, 3, 30):
            await until(process, str(number))

            conversation = await store.load("w")
            found = await store.find(text=f"w-{number}")

            assert conversation is not None
            assert conversation.turns[1].text.startswith("".join(piece("w", n) for n in range(number + 1)))
            assert [summary.hit_id for summary in found] == ["w-a"]
        # Another program's answer is written on while this one writes too.
        await store.set_title("w", "renamed")
        await until(process, "60")
    await database.aclose()

    assert before is None
    assert (await loaded(path, "w")).title == "renamed"


@POSIX_ONLY
async def test_a_write_that_the_disk_refuses_is_told_and_the_next_one_goes_on(path: Path) -> None:
    pieces = 40
    async with writer(path, "w", pieces, "--room", "100000") as process:
        said = await rest_of(process)
        code = await process.wait()

    answer = (await loaded(path, "w")).turns[1]
    assert code == 0
    assert said.count("StorageProblem") == 1
    assert [line for line in said if line != "StorageProblem"] == [
        "begun",
        *map(str, range(pieces)),
        "finished",
    ]
    assert answer.text == "".join(piece("w", number) for number in range(pieces))
