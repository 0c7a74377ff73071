"""A loopback OpenAI-compatible server that keeps a known schedule and logs every socket write.

By hand: ``python -m tests.support.endpoint --kind openai --tokens 200 --gap-ms 10`` prints its address and
serves until it is interrupted; ``--fault NAME`` answers every chat wrongly.  The record of what happened is
at ``/__log``.
"""

import argparse
import asyncio
import pickle
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from tests.support.connection import Connection
from tests.support.faults import FAULTS, http_error
from tests.support.player import Reply
from tests.support.record import Record, Request
from tests.support.routes import Routes, ServedModel, ServerKind
from tests.support.script import Respond, Script, answer
from tests.support.sessions import Session

__all__ = ["DEFAULT_MODEL", "Endpoint", "ScriptSource", "Setting", "scripted_endpoint"]

DEFAULT_MODEL = "scripted-generic-cpu:1"

ScriptSource: TypeAlias = Script | Sequence[Script] | Callable[[Request], Script]
"""One script for every chat, or one after the other, or chosen for each request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How an endpoint behaves whatever the script.

    Attributes:
        kind: Which server it resembles beside its chats.
        models: Ids of the list.
        local_models: Ids of the v2 runtime's second list, under ``/catalogs/local``.
        port: 0 is any free one.
        api_key: Bearer key without which everything is 401; None asks for none.
        nodelay: Whether small writes leave at once; if not, they wait for the client's ACK.
        echo: Names of request headers that are given back in each answer.
        session: A recorded session, which then answers everything.
    """

    kind: ServerKind = "openai"
    models: tuple[str | ServedModel, ...] = (DEFAULT_MODEL,)
    local_models: tuple[str | ServedModel, ...] = ()
    port: int = 0
    api_key: str | None = None
    nodelay: bool = True
    echo: tuple[str, ...] = ()
    session: Path | None = None


class Endpoint(Record):
    """A running server and the record of what happened at it.

    Attributes:
        url: Its address, without ``/v1``.
        routes: The state behind the other routes, such as which models are loaded.
    """

    def __init__(self, source: ScriptSource, setting: Setting) -> None:
        super().__init__()
        self._source = source
        self._setting = setting
        self._chats = 0
        self._session = None if setting.session is None else Session(setting.session)
        self._connections: list[Connection] = []
        self.routes = Routes(
            kind=setting.kind,
            models=[_served(model) for model in setting.models],
            local_models=[_served(model) for model in setting.local_models],
        )

    @property
    def url(self) -> str:
        """Its address, without ``/v1``."""
        return self.routes.url

    async def start(self) -> asyncio.Server:
        """Listen; the caller closes the server first and this endpoint after it."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._accept, "127.0.0.1", self._setting.port)
        self.routes.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def aclose(self) -> list[Exception]:
        """Drop every connection; what went wrong on any, such as a script that could not be chosen."""
        errors: list[Exception] = []
        for connection in self._connections:
            try:
                await connection.aclose()
            except Exception as error:  # noqa: BLE001 - the others must be closed too; it is handed back
                errors.append(error)
        return errors

    def _accept(self) -> Connection:
        connection = Connection(self, self._reply_to, nodelay=self._setting.nodelay)
        self._connections.append(connection)
        return connection

    def _reply_to(self, request: Request) -> Reply:
        if request.path == "/__log":
            return Reply(script=Script((Respond(200, self.to_json().encode()),)), number=None)
        self.requests.append(request)
        self.notify()
        echoed = [(name, request.headers[name]) for name in self._setting.echo if name in request.headers]
        if self._setting.kind == "foundry-v2":
            echoed.append(("Server", "oatpp/1.3.0"))
        return Reply(script=self._script_for(request), number=len(self.requests) - 1, extra=tuple(echoed))

    def _script_for(self, request: Request) -> Script:
        key = self._setting.api_key
        if key is not None and request.headers.get("authorization") != f"Bearer {key}":
            return http_error(401, '{"error":{"code":"invalid_api_key","message":"Incorrect API key"}}')
        if self._session is not None:
            return self._session.answer(request)
        if not self.routes.is_chat(request):
            return self.routes.answer(request)
        if request.body.get("stream") is not True:
            return http_error(400, '{"error":{"message":"only streams are scripted"}}')
        number = self._chats
        self._chats += 1
        match self._source:
            case Script():
                return self._source
            case Sequence():
                # An error and no fresh start: a client that asks more often than it should is found out.
                spent = http_error(500, '{"error":{"message":"no script is left"}}')
                return self._source[number] if number < len(self._source) else spent
            case _:
                return self._source(request)


@asynccontextmanager
async def scripted_endpoint(
    script: ScriptSource, setting: Setting | None = None
) -> AsyncGenerator[Endpoint, None]:
    """Serve ``script`` for the length of the block.

    Raises:
        Exception: Whatever ended a connection by a mistake in a script, on leaving the block.
    """
    endpoint = Endpoint(script, setting or Setting())
    server = await endpoint.start()
    try:
        yield endpoint
    finally:
        server.close()
        errors = await endpoint.aclose()
        await server.wait_closed()
    if errors:
        raise errors[0]


def _served(model: str | ServedModel) -> ServedModel:
    # A copy: loading a model here must not load it in the next endpoint of the same setting.
    return ServedModel(id=model) if isinstance(model, str) else replace(model)


def _by_hand(options: argparse.Namespace) -> ScriptSource:
    if options.fault is not None:
        return FAULTS[options.fault]

    def choose(request: Request) -> Script:
        wanted = request.body.get("max_tokens", request.body.get("max_completion_tokens"))
        count = min(options.tokens, wanted) if isinstance(wanted, int) else options.tokens
        return answer(
            [f"word{n} " for n in range(1, count + 1)],
            gap_ms=options.gap_ms,
            first_ms=options.first_ms,
            finish="stop" if count == options.tokens else "length",
        )

    return choose


async def _serve(script: ScriptSource, setting: Setting, *, stop_on_eof: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch_stdin() -> None:
        sys.stdin.buffer.read()
        with suppress(RuntimeError):  # the loop may be closed already
            loop.call_soon_threadsafe(stop.set)

    async with scripted_endpoint(script, setting) as endpoint:
        sys.stdout.write(f"{endpoint.url}\n")
        sys.stdout.flush()
        if stop_on_eof:
            # A daemon: a read that blocks must not keep an interrupted process alive.
            threading.Thread(target=watch_stdin, daemon=True).start()
        await stop.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.support.endpoint", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 is any free one")
    parser.add_argument("--kind", choices=("openai", "foundry-v1", "foundry-v2"), default="openai")
    parser.add_argument("--model", action="append", help="an id of the list; may be repeated")
    parser.add_argument("--api-key", help="bearer key to ask for")
    parser.add_argument("--delayed", action="store_true", help="leave TCP_NODELAY off")
    parser.add_argument("--tokens", type=int, default=200, help="pieces of each answer")
    parser.add_argument("--gap-ms", type=float, default=10.0, help="between two pieces")
    parser.add_argument("--first-ms", type=float, default=50.0, help="from the request to the first piece")
    parser.add_argument("--fault", choices=sorted(FAULTS), help="answer every chat wrongly")
    parser.add_argument("--session", metavar="FILE", type=Path, help="play this recorded session")
    parser.add_argument(
        "--from-stdin", action="store_true", help="read a pickled script and setting; end when stdin ends"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    if options.from_stdin:
        script, setting = pickle.load(sys.stdin.buffer)
    else:
        script = _by_hand(options)
        setting = Setting(
            kind=options.kind,
            models=tuple(options.model or (DEFAULT_MODEL,)),
            port=options.port,
            api_key=options.api_key,
            nodelay=not options.delayed,
            session=options.session,
        )
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(script, setting, stop_on_eof=options.from_stdin))
    return 0


if __name__ == "__main__":
    sys.exit(main())
