"""The real app in a tab."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.integration.web_server import WAIT_S, browsing, serving
from tests.support.processes import hosts, until_gone

ROOT = Path(__file__).parents[2]
MODEL = b"tiny-demo"


def real_app(folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "foundry_tui", f"--data-dir={folder / 'data'}", "demo")


def _is_demo(process: psutil.Process) -> bool:
    try:
        return "demo" in process.cmdline()
    except psutil.Error:
        return False


async def furnished(connection: aiohttp.ClientWebSocketResponse, server_pid: int) -> list[psutil.Process]:
    """The app and its engine, once the app has drawn the model that it shows."""
    drawn = b""
    processes: list[psutil.Process] = []
    while MODEL not in drawn or len(processes) < 2:
        drawn += await connection.receive_bytes(timeout=WAIT_S)
        # Whoever runs the tests may have other children, which may be ending.
        apps = [child for child in psutil.Process(server_pid).children() if _is_demo(child)]
        processes = [*apps, *(engine for app in apps for engine in hosts(app.pid))]
    return processes


@pytest.mark.native
async def test_the_real_app_draws_in_the_tab_and_ends_with_its_engine_when_the_tab_is_closed(
    tmp_path: Path,
) -> None:
    async with serving(real_app(tmp_path)) as web:
        await web.log_in()
        async with await web.connect("?width=120&height=40") as connection:
            processes = await furnished(connection, os.getpid())

        gone = until_gone(processes)

    assert len(processes) == 2
    assert gone == []
    assert web.told == []


# The server as the command opens it; its address is the first line it prints.
SERVER = """
import asyncio, json, sys
from foundry_tui.web.server import open_server

async def main():
    async with open_server(json.loads(sys.argv[1]), port=None, tell=print) as door:
        print(door.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.native
@pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
async def test_the_real_app_and_its_engine_end_when_the_server_is_killed(tmp_path: Path) -> None:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, json.dumps(real_app(tmp_path))),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    url = (await server.stdout.readline()).decode().strip()
    address = url.partition("/?")[0]
    async with (
        browsing() as browser,
        browser.get(url),
        browser.ws_connect(f"{address.replace('http', 'ws')}/ws", headers={"Origin": address}) as connection,
    ):
        processes = await furnished(connection, server.pid)

        server.send_signal(signal.SIGKILL)
        await server.wait()

    assert len(processes) == 2
    assert until_gone(processes) == []
