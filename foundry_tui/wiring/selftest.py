"""The self-test on the very child process, transport and clock of a benchmark; what it found is kept."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import foundry_tui
from foundry_tui.children import CREATION_FLAGS, OWN_SESSION, python_path
from foundry_tui.domain.known_timing import SelfTestResult
from foundry_tui.engines.hosting.configs import EndpointConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.engines.known_process import known_server
from foundry_tui.launching import Launch
from foundry_tui.reports.selftest import own_error_facts
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.own_error import Facts, KeptOwnError, OwnErrorFile
from foundry_tui.services.selftest import OpenDrawing, SelfTest, SelfTestProgress
from foundry_tui.storage import FileLock
from foundry_tui.wiring.machine import read_machine_facts

__all__ = ["keep_own_error", "known_own_error", "make_own_error", "open_selftest", "selftest_environment"]

_LOG = logging.getLogger(__name__)
_ROUNDS = "2"
"""Of the short self-test before a benchmark: some seven seconds with everything."""
_MOST_S = 60.0
# What changes between two runs on one machine, such as the power supply, is none of it.
_IDENTITY = frozenset({"os", "machine", "cpu", "cores", "threads", "ram_bytes"})


@asynccontextmanager
async def open_selftest(
    launch: Launch,
    *,
    rounds: int,
    open_drawing: OpenDrawing | None,
    tell: Callable[[SelfTestProgress], None],
) -> AsyncGenerator[SelfTest, None]:
    """A self-test that is ready to run; no measurement of another foundry-tui runs meanwhile.

    Raises:
        EngineBusy: One runs already.
        EngineUnavailable: One of the two processes did not start.
    """
    lease = EngineLease(FileLock(launch.setup.data_dir / "measurement.lock"))
    with lease.measure("a self-test"):
        async with known_server() as server:
            # With a key, so that no keyring is asked to unlock itself for one.
            engine = HostedEngine(
                EndpointConfig(url=server.url, api_key="self-test"), log_dir=launch.setup.logs_dir
            )
            try:
                await engine.start()
                yield SelfTest(
                    engine, server.next_written, rounds=rounds, open_drawing=open_drawing, tell=tell
                )
            finally:
                await engine.stop()


async def selftest_environment() -> Facts:
    """What it ran on, and how busy that was: the load average of the last minute, where there is one."""
    facts = await asyncio.to_thread(read_machine_facts)
    load = (("load_average", f"{os.getloadavg()[0]:.2f}"),) if hasattr(os, "getloadavg") else ()
    return (*facts, *load)


async def keep_own_error(launch: Launch, result: SelfTestResult) -> None:
    """Keep what a self-test found, for the runs that come; of one that answered nothing there is nothing."""
    if not result.answers:
        return
    machine = await asyncio.to_thread(read_machine_facts)
    at_unix_ms = _unix_ms()
    kept = KeptOwnError(
        measured_unix_ms=at_unix_ms,
        version=foundry_tui.__version__,
        machine=_identity(machine),
        facts=own_error_facts(result, version=foundry_tui.__version__, measured_unix_ms=at_unix_ms),
    )
    await asyncio.to_thread(_file(launch).write, kept)


async def known_own_error(launch: Launch, machine: Facts) -> Facts:
    """What is known of our own error on the machine of these facts; empty if nothing is."""
    kept = await asyncio.to_thread(_file(launch).read, _identity(machine))
    return () if kept is None else kept.facts


async def make_own_error(launch: Launch, *, tell: Callable[[], None] = lambda: None) -> None:
    """Make a short self-test in a process of its own, unless one of this version is kept.

    ``tell`` is called just before one is made.  One that fails is logged: the run says that it was not
    measured.
    """
    machine = _identity(await asyncio.to_thread(read_machine_facts))
    kept = await asyncio.to_thread(_file(launch).read, machine)
    if kept is not None and kept.is_fresh(version=foundry_tui.__version__, now_unix_ms=_unix_ms()):
        return
    tell()
    try:
        code = await _run_selftest(launch.setup.data_dir)
    except (OSError, TimeoutError) as error:
        _LOG.warning("the self-test before a benchmark failed: %r", error)
        return
    if code not in (0, 1):  # 1 is a self-test that is not within its aims: just that is to be told
        _LOG.warning("the self-test before a benchmark ended with %s", code)


async def _run_selftest(data_dir: Path) -> int:
    # Beside us, for it draws: two apps of Textual's in one process would share what is there only once.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-X", "utf8", "-m", "foundry_tui"),
        *("selftest", "--rounds", _ROUNDS, "--data-dir", str(data_dir)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": python_path()},
        # Ctrl-C on the terminal is for us, who end it.
        start_new_session=OWN_SESSION,
        creationflags=CREATION_FLAGS,
    )
    try:
        async with asyncio.timeout(_MOST_S):
            return await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                _end(process)
            await process.wait()


def _end(process: asyncio.subprocess.Process) -> None:
    """Its children end by themselves, as their input does."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def _identity(machine: Facts) -> Facts:
    return tuple((name, value) for name, value in machine if name in _IDENTITY)


def _file(launch: Launch) -> OwnErrorFile:
    return OwnErrorFile(launch.setup.data_dir / "selftest.json")


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000
