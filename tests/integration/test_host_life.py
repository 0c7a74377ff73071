"""How a host ends: in good order, with its parent, with its terminal; it outlives nobody."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from foundry_tui.domain.engine import EndpointKind, EngineDead, EngineIdle, EngineReady
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.engines.hosting.configs import ManagedConfig, ScriptedConfig
from foundry_tui.engines.hosting.frames import Configure
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.engines.hosting.wire import encode
from tests.contract.chats import ask, hear
from tests.contract.runtime import hosted, offline_runtime
from tests.support.processes import END_S, HOST_MODULE, hosts, until_gone

ROOT = Path(__file__).parents[2]
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")


def the_host() -> psutil.Process:
    (process,) = hosts()
    return process


@pytest.mark.native
async def test_a_start_tells_versions_process_and_address(tmp_path: Path) -> None:
    async with hosted(offline_runtime(tmp_path), tmp_path) as engine:
        info = await engine.start()
        pid = the_host().pid

    versions = dict(info.versions)
    assert info.kind is EndpointKind.MANAGED
    assert info.pid == pid
    assert info.url is not None
    assert info.url.startswith("http://127.0.0.1:")
    assert versions["foundry-local-sdk"] == version("foundry-local-sdk")
    assert set(versions) >= {"foundry-tui", "onnxruntime", "onnxruntime-genai-core", "python"}
    assert "unknown" not in versions.values()
    assert info.start_ns is not None
    assert info.start_ns > 0


async def test_a_second_start_finds_it_up(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(), tmp_path) as engine:
        await engine.start()

        assert len(hosts()) == 1


async def test_two_starts_at_once_make_one_process(tmp_path: Path) -> None:
    engine = HostedEngine(ScriptedConfig(), log_dir=tmp_path)

    await asyncio.gather(engine.start(), engine.start())
    processes = hosts()
    await engine.stop()

    assert len(processes) == 1


async def test_an_orderly_stop_leaves_no_process(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(), tmp_path) as engine:
        process = the_host()

        await engine.stop()

        assert not process.is_running()
        assert engine.state == EngineIdle()


async def test_a_stop_may_be_repeated_and_come_before_any_start(tmp_path: Path) -> None:
    engine = HostedEngine(ScriptedConfig(), log_dir=tmp_path)

    await engine.stop()
    await engine.start()
    await engine.stop()
    await engine.stop()

    assert engine.state == EngineIdle()


async def test_a_stop_ends_an_answer_under_way(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(hold=True), tmp_path) as engine:
        hearing = asyncio.create_task(hear(engine, ask(model="synthetic-generic-cpu:1")))
        await asyncio.sleep(0)
        await engine.stop()

        async with asyncio.timeout(END_S):
            await hearing

    assert engine.state == EngineIdle()


async def test_an_engine_that_was_stopped_answers_no_more(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(), tmp_path) as engine:
        await engine.stop()

        heard = await hear(engine, ask())

    assert isinstance(heard.error, EngineUnavailable)


async def test_a_start_after_a_stop_answers_again(tmp_path: Path) -> None:
    async with hosted(ScriptedConfig(), tmp_path) as engine:
        await engine.stop()
        await engine.start()

        heard = await hear(engine, ask(model="synthetic-generic-cpu:1"))

    assert heard.text == "Hello, world"


@pytest.mark.native
async def test_a_port_that_is_taken_is_told_and_leaves_no_process(tmp_path: Path) -> None:
    async with hosted(offline_runtime(tmp_path / "one"), tmp_path) as first:
        info = await first.start()
        assert info.url is not None
        folders = offline_runtime(tmp_path / "two")
        config = ManagedConfig(
            data_dir=folders.data_dir,
            cache_dir=folders.cache_dir,
            logs_dir=folders.logs_dir,
            port=int(info.url.rpartition(":")[2]),
            offline=True,
        )
        second = HostedEngine(config, log_dir=tmp_path)

        with pytest.raises(EngineUnavailable) as caught:
            await second.start()
        state = second.state
        await second.stop()

    assert "--port" in (caught.value.remedy or "")
    assert isinstance(state, EngineDead)
    assert hosts() == []


async def test_a_start_that_failed_can_be_repeated(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("no folder can be made here")
    engine = HostedEngine(ScriptedConfig(), log_dir=tmp_path / "logs")
    with pytest.raises(EngineUnavailable):
        await engine.start()
    (tmp_path / "logs").unlink()

    await engine.start()
    state = engine.state
    await engine.stop()

    assert isinstance(state, EngineReady)


def test_a_host_whose_pipe_closes_ends_with_code_0() -> None:
    with bare_host(ScriptedConfig(hold=True)) as host:
        assert host.stdin is not None

        host.stdin.close()

        assert host.wait(END_S) == 0


def test_a_host_that_is_told_to_stop_ends_with_code_0() -> None:
    with bare_host(ScriptedConfig()) as host:
        assert host.stdin is not None
        host.stdin.write(b'{"_":"Stop"}\n')
        host.stdin.flush()

        assert host.wait(END_S) == 0


def test_a_host_that_is_not_configured_first_ends_and_says_so() -> None:
    with bare_host(None) as host:
        assert host.stdin is not None
        assert host.stdout is not None
        host.stdin.write(b'{"_":"Stop"}\n')
        host.stdin.flush()

        assert b"the first command must be Configure" in host.stdout.readline()
        assert host.wait(END_S) == 2


def test_what_is_no_command_is_passed_over_and_goes_to_the_log() -> None:
    with bare_host(ScriptedConfig()) as host:
        said, logged = host.communicate(b'nonsense\n{"_":"Call"}\n{"_":"Stop"}\n', timeout=END_S)

    assert logged.count(b"ignored a command") == 2
    assert host.returncode == 0
    assert said == b""


@contextmanager
def bare_host(config: ScriptedConfig | None) -> Generator["subprocess.Popen[bytes]", None, None]:
    """A host without the parent's half; configured and ready unless ``config`` is None."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", HOST_MODULE]
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as host:
        assert host.stdin is not None
        assert host.stdout is not None
        try:
            if config is not None:
                host.stdin.write(encode(Configure(config)))
                host.stdin.flush()
                assert b'"HostReady"' in host.stdout.readline()
            yield host
        finally:
            host.kill()


@POSIX_ONLY
def test_a_host_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.integration.parent_of_a_host", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        host = psutil.Process(int(parent.stdout.readline()))

        parent.kill()

        assert until_gone([host]) == []


@POSIX_ONLY
def test_a_host_ends_when_its_terminal_closes(tmp_path: Path) -> None:
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        module = "tests.integration.parent_of_a_host"
        os.execv(sys.executable, [sys.executable, "-m", module, str(tmp_path)])
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        host = psutil.Process(int(screen.readline()))
    # The terminal is closed now.

    left = until_gone([host, psutil.Process(pid)])

    assert left == []
