"""A web server with an app that does what is typed, and a browser without a window."""

import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import psutil

from foundry_tui.web.access import Door
from foundry_tui.web.server import open_server

__all__ = ["WAIT_S", "Web", "browsing", "fake_app", "serving"]

WAIT_S = 20.0
# Speaks to the server as Textual's driver does, and does what it is told by what is typed.
APP = r"""
import json, os, signal, subprocess, sys

def send(kind, body):
    os.write(1, kind + len(body).to_bytes(4, "big") + body)

def show(value):
    send(b"D", json.dumps(value).encode())

def meta(**values):
    send(b"M", json.dumps(values).encode())

def read(count):
    data = sys.stdin.buffer.read(count)
    if len(data) < count:
        sys.exit(0)
    return data

chunks = [b"all of", b" it"]
stays, code = False, 0
os.write(1, b"words that are no packet\n__GANGLION__\n")
size = [os.environ["COLUMNS"], os.environ["ROWS"]]
show({"pid": os.getpid(), "size": size, "driver": os.environ["TEXTUAL_DRIVER"]})
while True:
    kind, body = read(1), read(int.from_bytes(read(4), "big"))
    if kind == b"D":
        match body.decode().split():
            case ["crash"]:
                # Textual says goodbye before it says why.
                meta(type="exit")
                sys.stdin.buffer.read()
                print("ValueError: \x1b[31mhostile", file=sys.stderr)
                sys.exit(3)
            case ["garbage", hexadecimal]:
                os.write(1, bytes.fromhex(hexadecimal))
            case ["leave"]:
                meta(type="exit")
                read(1)
            case ["stay"]:
                child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], stdout=2)
                stays = True
                show({"child": child.pid})
            case ["fail", "later"]:
                code = 5
                show("ready")
            case ["open", url]:
                meta(type="open_url", url=url, new_tab=True)
                show("asked")
            case ["deliver", name]:
                meta(type="deliver_file_start", key="k", path=name, open_method="browser",
                     mime_type="text/html", encoding="", name=None)
            case words:
                show(words)
    else:
        message = json.loads(body)
        if message["type"] == "quit":
            while stays:
                signal.pause()
            sys.exit(code)
        if message["type"] == "deliver_chunk_request":
            chunk = chunks.pop(0) if chunks else b""
            send(b"P", b"ts13:deliver_chunks1:k%d:%se" % (len(chunk), chunk))
        else:
            show(message)
"""


@dataclass(kw_only=True)
class Web:
    """A server under test and a browser's stock of cookies.

    Attributes:
        told: What went wrong, as the user is told.
    """

    door: Door
    browser: aiohttp.ClientSession
    told: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.door.port}"

    @property
    def address(self) -> str:
        return f"http://{self.host}"

    async def log_in(self) -> None:
        async with self.browser.get(self.door.url) as response:
            assert response.status == 200

    async def status(self, path: str, **headers: str) -> int:
        async with self.browser.get(self.address + path, headers=headers) as response:
            await response.read()
            return response.status

    async def connect(self, size: str = "") -> aiohttp.ClientWebSocketResponse:
        return await self.browser.ws_connect(f"ws://{self.host}/ws{size}", headers={"Origin": self.address})

    @asynccontextmanager
    async def tab(self, size: str = "?width=100&height=30") -> AsyncGenerator["Tab", None]:
        """An open tab, logged in, that has shown its first frame."""
        await self.log_in()
        async with await self.connect(size) as connection:
            tab = Tab(connection)
            first = await tab.shown()
            assert isinstance(first, dict)
            tab.first = first
            yield tab


class Tab:
    """What the page in a tab sends and receives."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self._connection = connection
        self.first: dict[str, object] = {}

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(int(str(self.first["pid"])))

    async def type(self, text: str) -> None:
        await self._connection.send_json(["stdin", text])

    async def report(self, *report: object) -> None:
        await self._connection.send_json(list(report))

    async def received(self) -> aiohttp.WSMessage:
        return await self._connection.receive(timeout=WAIT_S)

    async def shown(self) -> object:
        """The next thing that is drawn; the app of these tests draws JSON."""
        message = await self.received()
        assert message.type is aiohttp.WSMsgType.BINARY, message
        return json.loads(message.data)

    async def told(self) -> object:
        """The next message to the page itself."""
        message = await self.received()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)


def browsing() -> aiohttp.ClientSession:
    """A browser that keeps cookies."""
    # Cookies for an address that is no name are kept only by a jar that is told to.
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


@asynccontextmanager
async def serving(command: Sequence[str], *, quit_grace_s: float = WAIT_S) -> AsyncGenerator[Web, None]:
    """A server whose every tab runs ``command``."""
    told: list[str] = []
    async with (
        open_server(command, port=None, tell=told.append, quit_grace_s=quit_grace_s) as door,
        browsing() as browser,
    ):
        yield Web(door=door, browser=browser, told=told)


def fake_app() -> tuple[str, ...]:
    """The command of an app that does what is typed."""
    return (sys.executable, "-P", "-S", "-c", APP)
