"""The parent's side of the server of known timing: starts it, reads what it wrote, sees it off."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from foundry_tui.children import CREATION_FLAGS, OWN_SESSION, python_path
from foundry_tui.domain.errors import EngineDied, EngineUnavailable
from foundry_tui.domain.known_timing import WrittenAnswer

__all__ = ["KnownServer", "known_server"]

_MODULE = "foundry_tui.engines.known_server"
_START_S = 20.0
_TOLD_S = 10.0
_STOP_S = 3.0
_LINE_BYTES = 1 << 20


class KnownServer:
    """The running server.

    Attributes:
        url: Its address, without ``/v1``.
        pid: Its process.
    """

    def __init__(self, url: str, pid: int, lines: asyncio.StreamReader) -> None:
        self.url = url
        self.pid = pid
        self._lines = lines

    async def next_written(self) -> WrittenAnswer:
        """What it wrote last; to be asked for once after each chat.

        Raises:
            EngineDied: It ended, or says nothing.
        """
        try:
            async with asyncio.timeout(_TOLD_S):
                told = json.loads(await self._lines.readline())
            return WrittenAnswer(
                name=str(told["name"]),
                request_ns=int(told["request_ns"]),
                text_ns=tuple(int(at_ns) for at_ns in told["text_ns"]),
            )
        except (TimeoutError, ValueError, KeyError, TypeError) as error:
            raise EngineDied(
                "the built-in server of the self-test did not say what it wrote",
                remedy="run the self-test again",
            ) from error


@asynccontextmanager
async def known_server() -> AsyncGenerator[KnownServer, None]:
    """Run the server for the length of the block; it ends with us, however we end.

    Raises:
        EngineUnavailable: It did not start.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-X", "utf8", "-m", _MODULE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": python_path()},
            limit=_LINE_BYTES,
            # Ctrl-C on the terminal is for us; it ends when its input does.
            start_new_session=OWN_SESSION,
            creationflags=CREATION_FLAGS,
        )
    except OSError as error:
        raise EngineUnavailable(f"the built-in server could not be started: {error}") from error
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    try:
        yield KnownServer(await _address(process.stdout), process.pid, process.stdout)
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.stdout.read()
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _address(lines: asyncio.StreamReader) -> str:
    try:
        async with asyncio.timeout(_START_S):
            return str(json.loads(await lines.readline())["url"])
    except (TimeoutError, ValueError, KeyError, TypeError) as error:
        raise EngineUnavailable(
            "the built-in server of the self-test did not start",
            remedy=f"see why: python -m {_MODULE}",
        ) from error
