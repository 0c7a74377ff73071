"""The self-test on the very child process, transport and clock that a benchmark uses."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from foundry_tui.engines.hosting.configs import EndpointConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.engines.known_process import known_server
from foundry_tui.launching import Launch
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.selftest import OpenDrawing, SelfTest, SelfTestProgress
from foundry_tui.storage import FileLock
from foundry_tui.wiring.machine import read_machine_facts

__all__ = ["open_selftest", "selftest_environment"]


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


async def selftest_environment() -> tuple[tuple[str, str], ...]:
    """What it ran on, and how busy that was: the load average of the last minute, where there is one."""
    facts = await asyncio.to_thread(read_machine_facts)
    load = (("load_average", f"{os.getloadavg()[0]:.2f}"),) if hasattr(os, "getloadavg") else ()
    return (*facts, *load)
