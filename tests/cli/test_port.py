"""``--port``: other programs reach the managed service there for as long as the program runs."""

import asyncio
import json
import socket
import urllib.request
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.cli.program import COMMAND, TIMEOUT_S, environment, run_async

pytestmark = pytest.mark.native

LOCAL = "/catalogs/local/v1"


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def models_at(address: str) -> list[str]:
    with urllib.request.urlopen(f"{address}/models", timeout=TIMEOUT_S) as answer:
        return [model["id"] for model in json.load(answer)["data"]]


async def test_a_pinned_port_serves_other_programs_is_told_and_is_refused_to_a_second_program(
    tmp_path: Path,
) -> None:
    port, data_dir = a_free_port(), tmp_path / "data"
    program = await asyncio.create_subprocess_exec(
        *(*COMMAND, "demo", "--plain", "--port", str(port)),
        cwd=tmp_path,
        env=environment(data_dir),
        stdin=PIPE,
        stdout=PIPE,
    )
    assert program.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        said = b""
        while b"Questions go to" not in said:
            said += await program.stdout.readline()

        listed = await asyncio.to_thread(models_at, f"http://127.0.0.1:{port}{LOCAL}")
        public = await asyncio.to_thread(models_at, f"http://127.0.0.1:{port}/v1")
        second = await run_async("models", "list", "--offline", "--port", str(port), data_dir=data_dir)
        # A new life of the engine takes the port of the one before.
        rest, _ = await program.communicate(b"/restart\n/address\n/snippet curl\n")

    address = f"http://127.0.0.1:{port}{LOCAL}"
    assert (program.returncode, listed, public) == (0, ["tiny-demo-generic-cpu:1"], [])
    assert f"Other programs reach it on port {port}: /address says how.".encode() in said
    assert f"Address: {address}\nIt is there while this runs, always on port {port}.".encode() in rest
    assert f"curl -N {address}/chat/completions".encode() in rest
    assert (second.code, second.out) == (3, "")
    assert f"port {port} of this machine is taken by another program" in second.err
    assert "--port" in second.err
