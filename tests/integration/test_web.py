"""The app in a browser, over real loopback: who gets in, what arrives, and that nothing is left behind."""

import asyncio
import json
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
import pytest

from foundry_tui.domain.errors import BadInput
from foundry_tui.web.access import Door
from foundry_tui.web.server import open_server
from tests.support.processes import hosts, until_gone

ROOT = Path(__file__).parents[2]
WAIT_S = 20.0
"""A safety net: what is waited for here takes milliseconds."""

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
    # Cookies for an address that is no name are kept only by a jar that is told to.
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


@asynccontextmanager
async def serving(command: Sequence[str], *, quit_grace_s: float = WAIT_S) -> AsyncGenerator[Web, None]:
    told: list[str] = []
    async with (
        open_server(command, port=None, tell=told.append, quit_grace_s=quit_grace_s) as door,
        browsing() as browser,
    ):
        yield Web(door=door, browser=browser, told=told)


def fake_app() -> tuple[str, ...]:
    return (sys.executable, "-P", "-S", "-c", APP)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with serving(fake_app()) as opened:
        yield opened


@pytest.mark.parametrize(
    "path", ["/", "/static/page.js", "/static/textual.js", "/ws", "/download/k", "/none"]
)
async def test_nothing_is_served_to_whoever_has_no_token(web: Web, path: str) -> None:
    async with web.browser.get(web.address + path) as response:
        text = await response.text()

    assert response.status == 403
    assert response.content_type == "text/plain"
    assert text.startswith("This page is for whoever started foundry-tui")


async def test_a_wrong_token_is_refused_even_where_the_right_cookie_comes_with_it(web: Web) -> None:
    await web.log_in()

    statuses = [
        await web.status(f"/?token={wrong}") for wrong in ("", "wrong", "%F0%9F%92%A9", web.door.key[:-1])
    ]

    assert statuses == [403, 403, 403, 403]


async def test_the_token_becomes_a_cookie_and_leaves_the_address(web: Web) -> None:
    async with web.browser.get(web.door.url, allow_redirects=False) as response:
        cookie = response.cookies[web.door.cookie_name]

    assert (response.status, response.headers["Location"]) == (303, "/")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert cookie["max-age"] == cookie["expires"] == ""
    assert await web.status("/") == 200


async def test_who_follows_a_link_from_another_page_is_sent_on_by_a_page_of_ours(web: Web) -> None:
    link = {"Sec-Fetch-Site": "cross-site"}

    async with web.browser.get(web.door.url, headers=link, allow_redirects=False) as response:
        assert (response.status, response.headers["Refresh"]) == (200, "0; url=/")

    assert await web.status("/") == 200


async def test_a_ticket_lets_in_once(web: Web) -> None:
    url = web.door.issue_ticket_url()

    first = await web.status(url.removeprefix(web.address))
    web.browser.cookie_jar.clear()
    second = await web.status(url.removeprefix(web.address))

    assert (first, second) == (200, 403)


def test_a_ticket_is_worth_nothing_after_a_minute() -> None:
    now_s = 0.0
    door = Door(8080, clock=lambda: now_s)
    early, late = (door.issue_ticket_url().partition("token=")[2] for _ in range(2))

    now_s = 60.0
    assert door.opens_with(early)
    now_s = 60.1
    assert not door.opens_with(late)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""]
)
async def test_another_name_for_this_machine_is_refused(web: Web, host: str) -> None:
    await web.log_in()

    statuses = [
        await web.status(path, Host=host.format(port=web.door.port))
        for path in ("/", "/static/page.js", f"/?token={web.door.key}")
    ]

    assert statuses == [403, 403, 403]


async def test_localhost_is_an_own_name(web: Web) -> None:
    await web.log_in()

    assert await web.status("/static/page.js", Host=f"LocalHost:{web.door.port}") == 200


async def test_a_cookie_of_another_start_is_refused(web: Web) -> None:
    statuses = [
        await web.status(path, Cookie=f"{web.door.cookie_name}={Door(web.door.port).key}")
        for path in ("/", "/static/page.js", "/ws")
    ]

    assert statuses == [403, 403, 403]


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:1", "http://localhost:{port}", "https://{host}", "null", None],
)
async def test_a_connection_from_another_page_is_refused(web: Web, origin: str | None) -> None:
    await web.log_in()
    headers = {} if origin is None else {"Origin": origin.format(port=web.door.port, host=web.host)}

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await web.browser.ws_connect(f"ws://{web.host}/ws", headers=headers)

    assert refused.value.status == 403


async def test_a_connection_without_the_cookie_is_refused(web: Web) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await web.browser.ws_connect(
            f"ws://{web.host}/ws?token={web.door.key}", headers={"Origin": web.address}
        )

    assert refused.value.status == 403


async def test_the_page_and_all_it_loads_come_from_here(web: Web) -> None:
    await web.log_in()

    async with web.browser.get(f"{web.address}/") as response:
        page = await response.text()
    async with web.browser.get(f"{web.address}/static/page.css") as style:
        text = page + await style.text()
    async with web.browser.get(f"{web.address}/static/page.js") as script:
        text += await script.text()

    loaded = set(re.findall(r"/static/[\w.-]+", text))
    assert loaded == {
        *("/static/page.js", "/static/page.css", "/static/textual.js", "/static/xterm.css"),
        *("/static/roboto-mono.ttf", "/static/roboto-mono-italic.ttf"),
    }
    assert [await web.status(path) for path in loaded] == [200] * 6
    assert re.findall(r"(?:https?:)?//[\w.]+", re.sub(r"^//.*$", "", text, flags=re.MULTILINE)) == [
        f"//{web.host.partition(':')[0]}"
    ]
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert f"connect-src 'self' ws://{web.host};" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize("path", ["/static/", "/static/..%2Fserver.py", "/static/js/textual.js", "/static"])
async def test_no_other_file_is_served(web: Web, path: str) -> None:
    await web.log_in()

    assert await web.status(path) == 404


@pytest.mark.skipif(
    sys.platform != "linux", reason="only there 127.0.0.2 is this machine without being asked for"
)
def test_no_other_address_is_listened_on() -> None:
    async def knock(address: str, port: int) -> bool:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    async def answers() -> list[bool]:
        async with serving(fake_app()) as web:
            return [await knock(address, web.door.port) for address in ("127.0.0.1", "127.0.0.2", "::1")]

    assert asyncio.run(answers()) == [True, False, False]


async def test_a_port_that_is_taken_is_named_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(BadInput, match=f"port {port} of 127.0.0.1 cannot be had") as refused:
            async with open_server(fake_app(), port=port, tell=lambda _: None):
                pass

    assert refused.value.remedy is not None


async def test_the_app_starts_in_the_tabs_size_and_gets_what_is_typed_and_reported(web: Web) -> None:
    async with web.tab() as tab:
        await tab.type("words für\tit")
        echoed = await tab.shown()
        await tab.report("resize", {"width": 90, "height": 20})
        resized = await tab.shown()
        await tab.report("focus")
        focused = await tab.shown()
        await tab.report("ping", "7")
        answered = await tab.told()

    assert (tab.first["size"], tab.first["driver"]) == (["100", "30"], "foundry_tui.tui.web_driver:TabDriver")
    assert echoed == ["words", "für", "it"]
    assert resized == {"type": "resize", "width": 90, "height": 20}
    assert focused == {"type": "focus"}
    assert answered == ["pong", "7"]


async def test_a_report_that_makes_no_sense_is_left_out(web: Web) -> None:
    async with web.tab("?width=x&height=-1") as tab:
        for report in (["resize", {"width": 10**9, "height": 1}], ["stdin", 7], ["resize"], [], ["none", {}]):
            await tab.report(*report)
        resized = await tab.shown()
        await tab.type("still here")
        echoed = await tab.shown()

    assert tab.first["size"] == ["80", "24"]
    assert resized == {"type": "resize", "width": 80, "height": 24}
    assert echoed == ["still", "here"]


async def test_the_apps_process_is_gone_when_its_tab_is_closed(web: Web) -> None:
    async with web.tab() as tab, web.tab() as other:
        process, others = tab.process, other.process
        assert process.pid != others.pid

    assert until_gone([process, others]) == []
    assert web.told == []


async def test_closing_the_server_ends_every_app_and_says_so_to_the_tabs() -> None:
    async def until_closed(connection: aiohttp.ClientWebSocketResponse) -> int | None:
        await connection.receive(timeout=WAIT_S)
        return connection.close_code

    async with browsing() as browser:
        async with open_server(fake_app(), port=None, tell=lambda _: None) as door:
            web = Web(door=door, browser=browser)
            await web.log_in()
            tabs = [await web.connect(), await web.connect()]
            processes = [psutil.Process(json.loads(await tab.receive_bytes())["pid"]) for tab in tabs]
            closing = [asyncio.create_task(until_closed(tab)) for tab in tabs]

        codes = [await task for task in closing]

    assert codes == [1001, 1001]
    assert until_gone(processes) == []


async def test_an_app_that_leaves_closes_its_tab_without_a_word(web: Web) -> None:
    async with web.tab() as tab:
        process = tab.process
        await tab.type("leave")
        end = await tab.received()

    assert (end.type, end.data) == (aiohttp.WSMsgType.CLOSE, 1000)
    assert until_gone([process]) == []
    assert web.told == []


async def test_an_app_that_crashes_says_why_in_its_tab_and_to_the_user(web: Web) -> None:
    async with web.tab() as tab:
        await tab.type("crash")
        words = (await tab.received()).data.decode()
        end = await tab.received()

    assert end.type is aiohttp.WSMsgType.CLOSE
    assert words.endswith("The app ended with exit code 3.\r\n\r\nValueError: ␛[31mhostile")
    assert web.told == ["the app in a tab ended with exit code 3:\nValueError: ␛[31mhostile"]


async def test_how_an_app_ends_in_a_closed_tab_is_not_told(web: Web) -> None:
    async with web.tab() as tab:
        process = tab.process
        await tab.type("fail later")
        await tab.shown()

    assert until_gone([process]) == []
    assert web.told == []


@pytest.mark.parametrize("garbage", [b"X\0\0\0\1x", b"D\xff\xff\xff\xffx", b"M\0\0\0\1x"])
async def test_an_app_that_cannot_be_understood_is_ended(web: Web, garbage: bytes) -> None:
    async with web.tab() as tab:
        process = tab.process
        await tab.type(f"garbage {garbage.hex()}")
        words = (await tab.received()).data.decode()

    assert words.rstrip().endswith("The app wrote what is no packet.")
    assert until_gone([process]) == []
    assert web.told == ["the app in a tab wrote what is no packet"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs the process groups of POSIX")
async def test_an_app_that_does_not_end_is_killed_with_all_its_group() -> None:
    async with serving(fake_app(), quit_grace_s=0.1) as web, web.tab() as tab:
        await tab.type("stay")
        shown = await tab.shown()
        assert isinstance(shown, dict)
        processes = [tab.process, psutil.Process(shown["child"])]

    assert until_gone(processes) == []
    assert web.told == ["the app in a tab did not end by itself and was killed"]


async def test_a_command_that_cannot_be_run_closes_the_tab_and_is_told(tmp_path: Path) -> None:
    async with serving([str(tmp_path / "none")]) as web:
        await web.log_in()
        async with await web.connect() as connection:
            end = await connection.receive(timeout=WAIT_S)

    assert end.type is aiohttp.WSMsgType.CLOSE
    assert web.told == ["the app cannot be started: No such file or directory"]


async def test_a_file_that_the_app_delivers_is_saved_and_never_shown(web: Web) -> None:
    async with web.tab() as tab:
        await tab.type('deliver /somewhere/ünd"1.html')
        announced = await tab.told()
        async with web.browser.get(f"{web.address}/download/k") as response:
            body = await response.read()

    assert announced == ["deliver_file_start", "k"]
    assert body == b"all of it"
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%BCnd%221.html"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_file_of_an_app_that_has_ended_is_not_delivered_empty(web: Web) -> None:
    async with web.tab() as tab:
        process = tab.process
        await tab.type("deliver late.txt")
        await tab.told()

    assert until_gone([process]) == []
    assert await web.status("/download/k") == 404


async def test_a_bug_is_told_without_its_words() -> None:
    async with serving(()) as web:
        await web.log_in()
        async with await web.connect() as connection:
            await connection.receive(timeout=WAIT_S)

    assert web.told == ["a request failed by IndexError; this is a bug of foundry-tui"]


async def test_only_web_addresses_are_opened(web: Web) -> None:
    async with web.tab() as tab:
        await tab.type("open javascript:alert(1)")
        refused = await tab.shown()
        await tab.type("open https://example.org/")
        opened = await tab.told()

    assert refused == "asked"
    assert opened == ["open_url", {"url": "https://example.org/", "new_tab": True}]


async def test_the_token_is_neither_in_the_apps_arguments_nor_in_its_environment(web: Web) -> None:
    async with web.tab() as tab:
        seen = [*tab.process.cmdline(), *tab.process.environ().values(), *os.environ.values()]

    assert seen
    assert not [text for text in seen if web.door.key in text]


async def test_no_log_holds_the_token(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await web.log_in()
    reader, writer = await asyncio.open_connection("127.0.0.1", web.door.port)

    writer.write(f"GET /?token={web.door.key} H\0TTP/1.1\r\nHost: {web.host}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert b" 400 " in answer.splitlines()[0]
    assert web.door.key not in "".join([*web.told, caplog.text])


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
