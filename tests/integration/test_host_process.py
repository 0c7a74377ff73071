"""A host that is killed, stopped, flooded or handed odd text: the parent knows, and loses nothing."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from foundry_tui.domain.chat import ChatEvent, ChunkReceived
from foundry_tui.domain.engine import EngineDead, EngineIdle, EngineReady, EngineState
from foundry_tui.domain.errors import EngineDied
from foundry_tui.engines.hosting.configs import EndpointConfig, ScriptedConfig
from foundry_tui.engines.hosting.frames import Replied, Streamed
from foundry_tui.engines.hosting.framewriter import FrameWriter
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.engines.hosting.wire import decode_frame
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from tests.contract.chats import ask, hear, pieces_until
from tests.contract.runtime import ENDLESS_ID, endless_registration, hosted, offline_runtime
from tests.support.endpoint import scripted_endpoint
from tests.support.processes import END_S, hosts
from tests.support.script import answer

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
ROOT = Path(__file__).parents[2]
MANY = 100_000
MEGABYTE = 1_000_000
ODD = 'lone \ud800\udbff, escape \x1b[31m, line \u2028 and \u2029, null \x00, \r\n, quote " \\ and \U0001f600'


def the_host() -> psutil.Process:
    (process,) = hosts()
    return process


async def until_state(engine: HostedEngine, wanted: type[EngineState]) -> EngineState:
    async with asyncio.timeout(END_S):
        async for state in engine.states():
            if isinstance(state, wanted):
                return state
    raise AssertionError("the states of an engine never end")


@POSIX_ONLY
async def test_a_kill_in_the_middle_of_an_answer_is_told_by_its_signal(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(hold=True), tmp_path) as engine:
        async with aclosing(engine.stream_chat(ask(model=SCRIPTED_MODEL_ID))) as stream:
            kept = await pieces_until(stream, 3)
            the_host().kill()
            with pytest.raises(EngineDied, match="SIGKILL"):
                await anext(stream)
        state = await until_state(engine, EngineDead)

    assert kept == ["Hello", ", ", "world"]
    assert isinstance(state, EngineDead)
    assert state.death is not None
    assert (state.death.signal_name, state.death.exit_code) == ("SIGKILL", None)
    assert "memory" in state.reason


@POSIX_ONLY
@pytest.mark.native
async def test_a_runtime_killed_while_it_generates_is_told_and_says_what_was_loaded(tmp_path: Path) -> None:
    async with hosted(offline_runtime(tmp_path), tmp_path) as engine:
        await engine.register(endless_registration(tmp_path))
        await engine.load(ENDLESS_ID)
        request = ask("Tell me a story", model=ENDLESS_ID, max_tokens=3900)
        pieces = 0

        def kill_at_the_third(events: list[ChatEvent]) -> None:
            nonlocal pieces
            pieces += isinstance(events[-1], ChunkReceived)
            if pieces == 3 and isinstance(events[-1], ChunkReceived):
                the_host().kill()

        heard = await hear(engine, request, after_each=kill_at_the_third)
        state = await until_state(engine, EngineDead)

    assert isinstance(heard.error, EngineDied)
    assert len(heard.chunks) >= 3
    assert isinstance(state, EngineDead)
    assert state.death is not None
    assert state.death.was_loaded == (ENDLESS_ID,)


@POSIX_ONLY
async def test_every_call_under_way_ends_with_the_process(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(hold=True), tmp_path) as engine:
        streams = [engine.stream_chat(ask(model=SCRIPTED_MODEL_ID)) for _ in range(3)]
        for stream in streams:
            await pieces_until(stream, 3)
        the_host().kill()

        async with asyncio.timeout(END_S):
            ends = await asyncio.gather(*(anext(stream) for stream in streams), return_exceptions=True)

    assert [type(end) for end in ends] == [EngineDied] * 3


@POSIX_ONLY
async def test_what_an_unloaded_model_was_is_not_told_as_loaded(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(), tmp_path) as engine:
        await engine.load(SCRIPTED_MODEL_ID)
        await engine.unload(SCRIPTED_MODEL_ID)
        the_host().kill()

        state = await until_state(engine, EngineDead)

    assert isinstance(state, EngineDead)
    assert state.death is not None
    assert state.death.was_loaded == ()


@POSIX_ONLY
async def test_a_start_after_a_death_answers_again(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(), tmp_path) as engine:
        the_host().kill()
        await until_state(engine, EngineDead)

        await engine.start()
        heard = await hear(engine, ask(model=SCRIPTED_MODEL_ID))

        assert heard.text == "Hello, world"
        assert isinstance(engine.state, EngineReady)


@POSIX_ONLY
async def test_a_host_that_does_not_answer_is_told_so_and_told_back(tmp_path: Path) -> None:
    engine = HostedEngine(ScriptedConfig(), log_dir=tmp_path, ping_every_s=0.05)
    await engine.start()
    seen: list[bool] = []

    the_host().suspend()
    async with asyncio.timeout(END_S):
        async for state in engine.states():
            assert isinstance(state, EngineReady)
            if seen != [state.is_answering]:
                seen.append(state.is_answering)
            if seen[-1] is False:
                the_host().resume()
            elif False in seen:
                break
    await engine.stop()

    assert seen == [True, False, True]


@POSIX_ONLY
async def test_a_stop_kills_a_host_that_does_not_answer(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(), tmp_path) as engine:
        process = the_host()
        process.suspend()

        async with asyncio.timeout(END_S):
            await engine.stop()

        assert not process.is_running()
        assert engine.state == EngineIdle()


async def test_a_flood_of_text_does_not_hold_up_a_ping(tmp_path: Path) -> None:
    async with (
        hosted(ScriptedConfig(pieces=("x" * 40,) * MANY), tmp_path) as engine,
        aclosing(engine.stream_chat(ask(model=SCRIPTED_MODEL_ID))) as stream,
    ):
        await pieces_until(stream, 1)

        ping = asyncio.create_task(engine.ping())
        rest = asyncio.create_task(pieces_until(stream, MANY - 1))
        first, _ = await asyncio.wait({ping, rest}, return_when=asyncio.FIRST_COMPLETED)
        pieces = await rest

    assert ping in first
    assert rest not in first
    assert len(pieces) == MANY - 1


def test_an_answer_to_a_command_overtakes_text_that_nobody_reads() -> None:
    source, sink = os.pipe()
    with os.fdopen(source, "rb") as reader, os.fdopen(sink, "wb"):
        writer = FrameWriter(sink)
        for number in range(20_000):
            chunk = ChunkReceived(at_ns=number, text="x" * 40)
            writer.write(Streamed(1, chunk), urgent=False)
        writer.write(Replied(2, None), urgent=True)

        frames = [decode_frame(reader.readline()) for _ in range(20_001)]
        writer.close(END_S)

    # What fits into the pipe and one batch were on their way before.
    assert frames.index(Replied(2, None)) < 2_000
    stamps = [frame.event.at_ns for frame in frames if isinstance(frame, Streamed)]  # type: ignore[union-attr]
    assert stamps == list(range(20_000))


@POSIX_ONLY
def test_a_host_that_is_paused_while_it_writes_loses_nothing(tmp_path: Path) -> None:
    pieces = tuple(f"{number:05d}" + "x" * 5_000 for number in range(400))
    command = [sys.executable, "-m", "foundry_tui.engines.hosting.host"]
    configure = {"_": "Configure", "config": {"_": "ScriptedConfig", "pieces": pieces}}
    request = {
        "_": "ChatRequest",
        "model": SCRIPTED_MODEL_ID,
        "messages": [{"_": "ChatMessage", "role": "user", "text": "hi"}],
        "max_tokens": 8,
    }
    call = {"_": "Call", "call": 1, "operation": {"_": "Chat", "request": request}}
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
        assert host.stdin is not None
        assert host.stdout is not None
        for line in (configure, call):
            host.stdin.write(json.dumps(line).encode() + b"\n")
        host.stdin.flush()
        received = io.BytesIO()
        # The pipe is full almost at once, so that each pause meets a write that has done its first part.
        for _ in range(10):
            received.write(os.read(host.stdout.fileno(), 4096))
            host.send_signal(signal.SIGSTOP)
            os.waitpid(host.pid, os.WUNTRACED)
            host.send_signal(signal.SIGCONT)
        while b'"Replied"' not in received.getvalue()[-200:]:
            received.write(os.read(host.stdout.fileno(), 1 << 20))
        host.kill()

    frames = [decode_frame(line) for line in received.getvalue().splitlines()]
    chunks = [f.event for f in frames if isinstance(f, Streamed) and isinstance(f.event, ChunkReceived)]
    assert tuple(chunk.text for chunk in chunks) == pieces


async def test_a_piece_of_a_megabyte_passes_the_pipe(tmp_path: Path) -> None:
    piece = "é" * (MEGABYTE // 2)

    async with hosted(ScriptedConfig(pieces=("a", piece, "b")), tmp_path) as engine:
        heard = await hear(engine, ask(model=SCRIPTED_MODEL_ID))

    assert [chunk.text for chunk in heard.chunks] == ["a", piece, "b"]


async def test_odd_text_passes_the_pipe_unchanged(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(pieces=(ODD,)), tmp_path) as engine:
        heard = await hear(engine, ask(model=SCRIPTED_MODEL_ID))

    assert heard.text == ODD


async def test_a_megabyte_of_odd_text_passes_both_ways_unchanged(tmp_path: Path) -> None:
    # Lone surrogates are left out: UTF-8, in which it goes on to the server, has none.
    odd = ODD.replace("\ud800\udbff", "")
    long = odd * (MEGABYTE // len(odd))

    async with (
        scripted_endpoint(answer(("a", long, "b"))) as endpoint,
        hosted(EndpointConfig(url=endpoint.url), tmp_path) as engine,
    ):
        heard = await hear(engine, ask(long))

    assert heard.text == f"a{long}b"
    assert endpoint.requests[-1].body["messages"] == [{"role": "user", "content": long}]
