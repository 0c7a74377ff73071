"""The server of known timing in its own process: never early, honest about when, gone with its parent."""

import asyncio
import http.client
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from foundry_tui.domain.errors import EngineDied
from foundry_tui.domain.known_timing import SCHEDULES, Condition, Fault, Schedule
from foundry_tui.engines.hosting.configs import EndpointConfig
from foundry_tui.engines.known_process import KnownServer, known_server
from foundry_tui.services.selftest import SelfTest, SelfTestProgress
from tests.contract.runtime import hosted
from tests.support.processes import until_gone

ROOT = Path(__file__).parents[2]
MS = 1_000_000
EVEN, PAIRS = SCHEDULES


def _chat(url: str, model: str) -> tuple[int, str]:
    """Status and body of the answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps({"model": model}))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


async def chat(server: KnownServer, model: str) -> tuple[int, str]:
    return await asyncio.to_thread(_chat, server.url, model)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
async def test_it_never_writes_before_its_time_and_tells_of_each_piece(schedule: Schedule) -> None:
    async with known_server() as server:
        status, body = await chat(server, schedule.name)
        written = await server.next_written()

    due_ns = [
        written.request_ns + round((schedule.first_ms + number * schedule.gap_ms) * MS)
        for number in range(schedule.chunks)
    ]
    assert status == 200
    assert written.name == schedule.name
    assert body.count("word") == schedule.tokens
    assert all(at_ns >= due for at_ns, due in zip(written.text_ns, due_ns, strict=True))


async def test_each_chat_is_told_of_once_also_one_that_failed() -> None:
    async with known_server() as server:
        for name in (Fault.NO_TEXT, Fault.REFUSED, "nobody", Fault.TOO_LONG):
            await chat(server, name)
        told = [await server.next_written() for _ in range(4)]

    assert [(written.name, len(written.text_ns)) for written in told] == [
        ("no-text", 0),
        ("refused", 0),
        ("nobody", 0),
        ("too-long", 3),
    ]


async def test_the_process_ends_with_its_block() -> None:
    async with known_server() as server:
        process = psutil.Process(server.pid)

    assert until_gone([process]) == []


async def test_one_that_was_killed_is_told_of() -> None:
    async with known_server() as server:
        psutil.Process(server.pid).kill()

        with pytest.raises(EngineDied, match="did not say what it wrote"):
            await server.next_written()


@pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
def test_it_ends_when_its_parent_is_killed() -> None:
    command = [sys.executable, "-m", "tests.integration.parent_of_a_known_server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = psutil.Process(int(parent.stdout.readline()))

        parent.kill()

        assert until_gone([server]) == []


def test_it_needs_nothing_but_the_standard_library_and_our_own_values() -> None:
    program = (
        "import sys; before = set(sys.modules); import foundry_tui.engines.known_server; "
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(names - set(sys.stdlib_module_names)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )

    assert done.stdout == "['foundry_tui']\n"


async def test_a_whole_self_test_has_every_reading_of_both_sides_and_says_how_far_it_is(
    tmp_path: Path,
) -> None:
    told: list[SelfTestProgress] = []
    async with (
        known_server() as server,
        hosted(EndpointConfig(url=server.url, api_key="x"), tmp_path) as engine,
    ):
        result = await SelfTest(engine, server.next_written, rounds=1, tell=told.append).run()

    assert [(answer.condition, answer.schedule) for answer in result.answers] == [
        (Condition.IDLE, EVEN),
        (Condition.IDLE, PAIRS),
    ]
    assert [(len(answer.trace.chunks), len(answer.written.text_ns)) for answer in result.answers] == [
        (31, 31),
        (31, 31),
    ]
    assert all(seen.is_right for seen in result.faults)
    assert [progress.done for progress in told] == list(range(1, 13))
    assert {progress.total for progress in told} == {12}
