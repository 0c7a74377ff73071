"""One open tab: a process of the app, what it draws and what is typed, and its certain end."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from foundry_tui.aio import Tasks
from foundry_tui.children import CREATION_FLAGS, OWN_SESSION, python_path
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_text

__all__ = ["AppSession"]

_LOG = logging.getLogger(__name__)
_GREETING = b"__GANGLION__\n"
_KINDS = (b"D", b"M", b"P")  # drawn, about itself, packed
# More than any frame takes: what claims to be larger is no packet, and would be waited for.
_PACKET_BYTES = 1 << 26
_EXIT_GRACE_S = 5.0
_LAST_WORDS_BYTES = 4096
# The mouse and the alternate screen given back, the cursor shown, all cleared.
_BACK_TO_TEXT = "\x1b[?1003l\x1b[?1006l\x1b[?1049l\x1b[?25h\x1b[0m\x1b[2J\x1b[H"

_Pipe = TypeVar("_Pipe", asyncio.StreamReader, asyncio.StreamWriter)


class AppSession(AppService):
    """Runs the app while the block is open; by its end the process is gone.

    textual-serve brings the packets and the downloads.  Start, reading and end are ours: its own starts a
    shell, prints to our stdout, reads no more once the tab is gone and waits for ever for an app that hangs.

    Args:
        command: Run as it stands, without a shell.
        size: Columns and rows of the first frame.
        write_bytes: Draws in the tab's terminal.
        write_str: Sends a message to the tab's page.
        close: Ends the connection; called when the app has ended by itself.
        tell: Told in a sentence when the app ended otherwise than it should.
        quit_grace_s: How long the app may take to end before it is killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int],
        write_bytes: Callable[[bytes], Awaitable[None]],
        write_str: Callable[[str], Awaitable[None]],
        close: Callable[[], Awaitable[None]],
        downloads: DownloadManager,
        tell: Callable[[str], None],
        quit_grace_s: float,
    ) -> None:
        super().__init__(
            command[0],
            write_bytes=write_bytes,
            write_str=write_str,
            close=close,
            download_manager=downloads,
        )
        self._argv = tuple(command)
        self._size = size
        self._downloads = downloads
        self._tell = tell
        self._quit_grace_s = quit_grace_s
        self._app: asyncio.subprocess.Process | None = None
        self._last_words = bytearray()
        self._is_ending = False
        self._relays = Tasks()

    async def __aenter__(self) -> Self:
        await self.start(*self._size)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def stdin(self) -> asyncio.StreamWriter:
        """Where the app reads keys and messages."""
        return _piped(self._process_of_app().stdin)

    async def start(self, width: int, height: int) -> None:
        """Start the app.

        Raises:
            FoundryTuiError: It cannot be started.
        """
        try:
            self._app = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(width, height),
                # Ctrl+C on the server's terminal is for the server, which lets the app end in order.
                start_new_session=OWN_SESSION,
                creationflags=CREATION_FLAGS,
            )
        except OSError as error:
            raise FoundryTuiError(f"the app cannot be started: {error.strerror}") from error
        self._relays.start("app output", self.run())
        self._relays.start("app last words", self._keep_last_words())

    async def run(self) -> None:
        """Pass on what the app writes until it ends, then end the connection."""
        stdout = _piped(self._process_of_app().stdout)
        trouble: str | None = "ended before it drew anything"
        try:
            await stdout.readuntil(_GREETING)
            trouble = None
            while True:
                kind = await stdout.readexactly(1)
                size = int.from_bytes(await stdout.readexactly(4), "big")
                if kind not in _KINDS or size > _PACKET_BYTES:
                    raise ValueError(kind)
                await self._pass_on(kind, await stdout.readexactly(size))
        except asyncio.IncompleteReadError:
            pass  # the end of its output
        except (asyncio.LimitOverrunError, ValueError):
            trouble = "wrote what is no packet"
            _kill(self._process_of_app())
        if not self._is_ending:
            await self._part(trouble)

    async def stop(self) -> None:
        """Ask the app to end and see to it that it does; it may have ended before."""
        process = self._process_of_app()
        self._is_ending = True
        try:
            await self._downloads.cancel_app_downloads(app_service_id=self.app_service_id)
            async with asyncio.timeout(self._quit_grace_s):
                await self.send_meta({"type": "quit"})
                self.stdin.close()
                await process.wait()
        except TimeoutError:
            self._tell("the app in a tab did not end by itself and was killed")
        finally:
            _kill(process)
            await process.wait()
            await self._relays.aclose()

    async def on_data(self, payload: bytes) -> None:
        # After the tab is gone all is still read: an app that cannot write cannot end either.
        if not self._is_ending:
            with contextlib.suppress(ConnectionError):
                await super().on_data(payload)

    async def on_meta(self, data: bytes) -> None:
        message: dict[str, object] = json.loads(data)
        match message.get("type"):
            case "exit":
                # What it has to say yet comes on stderr; the end of its input lets its reading thread go.
                self.stdin.close()
            case "open_url" if not str(message.get("url")).startswith(("http://", "https://")):
                _LOG.warning("the app wanted to open what is no web address")
            case _:
                with contextlib.suppress(ConnectionError):
                    await super().on_meta(data)

    async def _pass_on(self, kind: bytes, payload: bytes) -> None:
        match kind:
            case b"D":
                await self.on_data(payload)
            case b"M":
                await self.on_meta(payload)
            case _:
                await self.on_packed(payload)

    async def _part(self, trouble: str | None) -> None:
        """Say in the tab why there is no app any more, and end the connection."""
        process = self._process_of_app()
        try:
            async with asyncio.timeout(_EXIT_GRACE_S):
                code = await process.wait()
        except TimeoutError:
            _kill(process)
            code = await process.wait()
        if trouble is None and code != 0:
            trouble = f"ended with exit code {code}"
        if trouble is not None:
            words = clean_text(self._last_words.decode(errors="replace")).strip()
            self._tell(f"the app in a tab {trouble}" + (f":\n{words}" if words else ""))
            shown = "\r\n".join((f"The app {trouble}.", "", *words.split("\n")))
            await self.on_data((_BACK_TO_TEXT + shown).encode())
        with contextlib.suppress(ConnectionError):
            await self.remote_close()

    async def _keep_last_words(self) -> None:
        stderr = _piped(self._process_of_app().stderr)
        while data := await stderr.read(_LAST_WORDS_BYTES):
            self._last_words += data
            del self._last_words[:-_LAST_WORDS_BYTES]

    def _process_of_app(self) -> asyncio.subprocess.Process:
        if self._app is None:
            raise RuntimeError("the session is not open")
        return self._app


def _piped(pipe: _Pipe | None) -> _Pipe:
    if pipe is None:
        raise RuntimeError("the app was started without its pipes")
    return pipe


def _environment(width: int, height: int) -> dict[str, str]:
    """Ours, with what Textual's driver for browsers reads.  Nothing in it lets anybody in."""
    return {
        **os.environ,
        "PYTHONPATH": python_path(),
        "TEXTUAL_DRIVER": "foundry_tui.tui.web_driver:TabDriver",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        # Or else Textual would take our terminal's peculiarities for the browser's.
        "TERM_PROGRAM": "textual",
        "COLUMNS": str(width),
        "ROWS": str(height),
    }


def _kill(process: asyncio.subprocess.Process) -> None:
    """End the app's whole group at once, if it has not ended; its engine sees the end of its pipe."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
