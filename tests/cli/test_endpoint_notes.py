"""What is told of a server of somebody else's without being asked for: once, on stderr."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.cli.program import one_process
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.script import answer

COMMANDS = (
    ("chat", "llama", "--prompt", "hi"),
    ("models", "list"),
    ("models", "info", "llama"),
    ("validate", "--models", "llama"),
)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot connect to 0.0.0.0")
async def test_whoever_talks_unencrypted_to_another_host_is_warned_once_on_stderr(tmp_path: Path) -> None:
    async with scripted_endpoint(answer(("Hello",)), Setting(models=("llama",))) as endpoint:
        near = endpoint.url
        # Where any address of this machine is meant, which is none of its loopback ones.
        far = near.replace("127.0.0.1", "0.0.0.0")

        lines = [
            (*command, *more, "--endpoint", url)
            for url in (far, near)
            for command in COMMANDS
            for more in ((), ("--verbose",))
        ]
        ends = await asyncio.to_thread(one_process, lines, data_dir=tmp_path / "data")

    assert far != near
    assert [end.code for end in ends] == [0] * len(lines)
    half = len(lines) // 2
    warned = [end.err.count("Not encrypted: whoever is on the way to 0.0.0.0 can read") for end in ends]
    assert warned == [1] * half + [0] * half
    assert not any("Not encrypted" in end.out for end in ends)
