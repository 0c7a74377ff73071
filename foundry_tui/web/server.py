"""The server: on 127.0.0.1 only, for whoever has the token, with one app behind each WebSocket."""

import asyncio
import contextlib
import json
import logging
import re
import socket
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from string import Template
from urllib.parse import quote

from aiohttp import WSCloseCode, WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from foundry_tui.domain.errors import BadInput, FoundryTuiError
from foundry_tui.web.access import ADDRESS, Door
from foundry_tui.web.assets import Asset, load_assets, load_page
from foundry_tui.web.session import AppSession

__all__ = ["open_server"]

_LOG = logging.getLogger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# A tab that does not answer for half as long is taken for closed.
_HEARTBEAT_S = 20.0
_GOODBYE_S = 1.0
# The app stops its engine meanwhile, which has three seconds itself.
_QUIT_GRACE_S = 8.0
_SHUTDOWN_S = 4.0
"""How much longer than the apps the server may take to end."""
_RELAY_S = 10.0
"""How long an app may leave its input unread."""
_CELLS = range(2, 2001)
_DEFAULT_SIZE = (80, 24)
# A page of another site, such as a terminal in a browser, may show the address as a link.  Whom we redirect
# then still comes from there and brings no strict cookie along; whom a page of ours sends on does.
_FROM_A_LINK = ("cross-site", "same-site")
_MIME_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")

_NO_TOKEN = (
    "This page is for whoever started foundry-tui: open the whole address that `foundry-tui web` printed, "
    "with ?token= in it.\n"
)
_OLD_TOKEN = (
    "This token is not, or no longer, the one of this foundry-tui: open the address that it printed last.\n"
)
_WRONG_HOST = (
    "foundry-tui answers as 127.0.0.1 or localhost, with the port it printed, and by no other name.\n"
)
_WRONG_PAGE = "Only foundry-tui's own page may connect here.\n"

_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A terminal can be asked for the clipboard.  The app lets no model do that; nor does the browser then.
    "Permissions-Policy": "camera=(), clipboard-read=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Server": "foundry-tui",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# The terminal makes style elements of its own; its scripts do without eval.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src data:; connect-src 'self' ws://{host}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_OTHER_POLICY = "default-src 'none'; frame-ancestors 'none'"


@asynccontextmanager
async def open_server(
    command: Sequence[str],
    *,
    port: int | None,
    tell: Callable[[str], None],
    quit_grace_s: float = _QUIT_GRACE_S,
) -> AsyncGenerator[Door, None]:
    """Serve ``command``, an app of Textual's, while the block is open.

    Leaving the block ends every app that still runs.

    Args:
        command: Run once for each tab, as it stands, without a shell.
        port: None takes a free one.
        tell: Told in a sentence what goes wrong in a tab.
        quit_grace_s: How long an app may take to end before it is killed.

    Raises:
        BadInput: The port cannot be had.
        StorageProblem: The installation is not whole.
    """
    assets, page = await asyncio.to_thread(lambda: (load_assets(), load_page()))
    with closing(_listen(port)) as listening:
        door = Door(listening.getsockname()[1])
        runner = web.AppRunner(
            _Service(command, door, assets, page, tell, quit_grace_s).application(),
            access_log=None,  # it would hold the token
            logger=_bugs_only(tell),
            shutdown_timeout=quit_grace_s + _SHUTDOWN_S,
        )
        try:
            await runner.setup()
            await web.SockSite(runner, listening).start()
            yield door
        finally:
            await runner.cleanup()


class _Service:
    """Answers the requests."""

    def __init__(
        self,
        command: Sequence[str],
        door: Door,
        assets: Mapping[str, Asset],
        page: Template,
        tell: Callable[[str], None],
        quit_grace_s: float,
    ) -> None:
        self._command = command
        self._quit_grace_s = quit_grace_s
        self._door = door
        self._assets = assets
        self._page = page
        self._tell = tell
        self._downloads = DownloadManager()
        self._tabs: set[web.WebSocketResponse] = set()
        self._apps: set[AppService] = set()
        self._is_closing = False

    def application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        application.add_routes(
            [
                web.get("/", self._index, allow_head=False),
                web.get("/static/{name}", self._static, allow_head=False),
                web.get("/ws", self._connect, allow_head=False),
                web.get("/download/{key}", self._download, allow_head=False),
            ]
        )
        application.on_response_prepare.append(_add_headers)
        application.on_shutdown.append(self._close_tabs)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._door.is_own_host(request.headers.getall("Host", ())):
            return _refused(_WRONG_HOST)
        if request.path == "/" and "token" in request.query:
            return self._let_in(request)
        if not self._door.is_open_for(request.cookies.get(self._door.cookie_name)):
            return _refused(_NO_TOKEN)
        return await handler(request)

    def _let_in(self, request: web.Request) -> web.Response:
        if not self._door.opens_with(request.query["token"]):
            return _refused(_OLD_TOKEN)
        if request.headers.get("Sec-Fetch-Site") in _FROM_A_LINK:
            response = web.Response(headers={"Refresh": "0; url=/"})
        else:
            response = web.Response(status=303, headers={"Location": "/"})
        # Without an age: it ends with the browser.
        response.set_cookie(
            self._door.cookie_name, self._door.key, path="/", httponly=True, samesite="Strict"
        )
        return response

    async def _index(self, request: web.Request) -> web.Response:
        page = self._page.substitute(websocket=f"ws://{request.host}/ws")
        policy = _PAGE_POLICY.format(host=request.host)
        return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": policy})

    async def _static(self, request: web.Request) -> web.Response:
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return web.Response(body=asset.body, headers={"Content-Type": asset.content_type})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        try:
            download = await self._downloads.get_download_metadata(key)
        except KeyError as error:
            raise web.HTTPNotFound from error
        if download.app_service not in self._apps:
            raise web.HTTPNotFound
        is_type = _MIME_TYPE.fullmatch(download.mime_type) is not None
        response = web.StreamResponse(
            headers={
                # Always kept apart from the page: shown here, a file could run scripts in its name.
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(download.file_name, safe='')}",
                "Content-Type": download.mime_type if is_type else "application/octet-stream",
            }
        )
        await response.prepare(request)
        async for chunk in self._downloads.download(key):
            await response.write(chunk)
        if download.app_service not in self._apps:
            # Its tab was closed meanwhile: a part must not pass for the whole.
            raise ConnectionAbortedError
        await response.write_eof()
        return response

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if not self._door.is_own_page(request.headers.getall("Origin", ()), request.host):
            return _refused(_WRONG_PAGE)
        if self._is_closing:
            raise web.HTTPServiceUnavailable
        tab = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, timeout=_GOODBYE_S, compress=False)
        await tab.prepare(request)
        self._tabs.add(tab)

        async def close() -> None:
            await tab.close()

        try:
            async with AppSession(
                self._command,
                size=_size(request.query.get("width"), request.query.get("height")),
                write_bytes=tab.send_bytes,
                write_str=tab.send_str,
                close=close,
                downloads=self._downloads,
                tell=self._tell,
                quit_grace_s=self._quit_grace_s,
            ) as session:
                self._apps.add(session)
                try:
                    await self._listen_to(tab, session)
                finally:
                    self._apps.discard(session)
        except FoundryTuiError as error:
            self._tell(error.message)
        finally:
            self._tabs.discard(tab)
            await tab.close()
        return tab

    async def _listen_to(self, tab: web.WebSocketResponse, session: AppSession) -> None:
        try:
            async for message in tab:
                if message.type is WSMsgType.TEXT:
                    async with asyncio.timeout(_RELAY_S):
                        await _relay(message.data, tab, session)
        except TimeoutError:
            self._tell("the app in a tab does not read what is typed and is ended")

    async def _close_tabs(self, _: web.Application) -> None:
        self._is_closing = True
        await asyncio.gather(*(tab.close(code=WSCloseCode.GOING_AWAY) for tab in tuple(self._tabs)))


async def _relay(text: str, tab: web.WebSocketResponse, session: AppSession) -> None:
    """Hand to the app what the page reported; what is no such report is left out."""
    try:
        report = json.loads(text)
    except ValueError:
        return
    match report:
        case ["stdin", str(typed)]:
            await session.send_bytes(typed.encode(errors="replace"))
        case ["resize", {"width": int(width), "height": int(height)}]:
            await session.set_terminal_size(*_size(width, height))
        case ["focus", *_]:
            await session.focus()
        case ["blur", *_]:
            await session.blur()
        case ["ping", str(sent)]:
            with contextlib.suppress(ConnectionError):
                await tab.send_json(["pong", sent])
        case _:
            pass


def _size(width: str | int | None, height: str | int | None) -> tuple[int, int]:
    """Columns and rows; what no window can have becomes 80 × 24."""
    try:
        size = (int(width or 0), int(height or 0))
    except ValueError:
        return _DEFAULT_SIZE
    return size if size[0] in _CELLS and size[1] in _CELLS else _DEFAULT_SIZE


def _listen(port: int | None) -> socket.socket:
    try:
        return socket.create_server((ADDRESS, port or 0))
    except OSError as error:
        raise BadInput(
            f"port {port} of {ADDRESS} cannot be had: {error.strerror}",
            remedy="name another with --port, or leave it out for a free one",
        ) from error


def _refused(sentence: str) -> web.Response:
    return web.Response(status=403, text=sentence)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers.setdefault("Content-Security-Policy", _OTHER_POLICY)


def _bugs_only(tell: Callable[[str], None]) -> logging.Logger:
    """What aiohttp logs: of requests that it cannot read nothing, for they may hold the token."""
    logger = logging.Logger("aiohttp")
    logger.addHandler(_Bugs(tell))
    return logger


class _Bugs(logging.Handler):
    """Tells of an exception where it was raised, and not its words, which may quote a request."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None or type(error).__module__.startswith("aiohttp."):
            return
        self._tell(f"a request failed by {type(error).__name__}; this is a bug of foundry-tui")
        _LOG.error("a request failed:\n%s", "".join(traceback.format_tb(error.__traceback__)))
