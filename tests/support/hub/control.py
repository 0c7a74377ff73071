"""The handles of a hub that was started by hand: plain http, meant for curl."""

import dataclasses
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self, get_args
from urllib.parse import parse_qs, urlsplit

from tests.support.hub.faults import Fault, Nonsense, Place
from tests.support.hub.hub import Hub
from tests.support.hub.nonsense import NONSENSE

__all__ = ["BadOrder", "Control", "add_fault", "known_faults", "parse_fault"]

HELP: Final = """GET  /requests                     what was asked, one line each
GET  /models                       what is offered
POST /fault?where=W&what=F         W: an id, id/blob, catalog, registry, blobs; F: as with --fault
POST /registry-fault?where=ID&what=F   the same for a model's entry in the registry
POST /mend[?where=W]               take faults away: of an id, of a place, or all
POST /down[?place=P]  /up[?place=P]    refuse connections; be back on the same ports
POST /drop                         reset the connections there are
POST /expire?model=ID              end the links handed out so far
POST /remove?model=ID              offer it no longer
"""

_WORDS: Final = ("how", "ending")
_FAULTS: Final[dict[str, type[Fault]]] = {kind.__name__.lower(): kind for kind in get_args(Fault)}


class BadOrder(Exception):
    """An order that is not understood; the message says why."""


def parse_fault(text: str) -> Fault:
    """The fault that ``text`` names: ``slow,bytes_per_s=1e6``, ``status,code=503``, ``nonsense,html`` ….

    Raises:
        BadOrder: There is no such fault, or it has no such setting.
    """
    name, *settings = text.split(",")
    kind = _FAULTS.get(name.strip().lower().replace("-", "").replace("_", ""))
    if kind is None:
        raise BadOrder(f"no fault {name!r}; there are {', '.join(sorted(_FAULTS))}")
    if kind is Nonsense:
        if len(settings) != 1 or settings[0] not in NONSENSE:
            raise BadOrder(f"nonsense,KIND with one of {', '.join(NONSENSE)}")
        return NONSENSE[settings[0]]
    make: Callable[..., Fault] = kind
    try:
        return make(**dict(_setting(setting) for setting in settings))
    except TypeError as error:
        raise BadOrder(f"{name}: {error}") from error


def known_faults() -> str:
    """Each fault with its settings, one a line."""
    lines = []
    for name, kind in sorted(_FAULTS.items()):
        settings = ["KIND"] if kind is Nonsense else [f"{f.name}=…" for f in dataclasses.fields(kind)]
        lines.append("  " + ",".join((name, *settings)))
    return "\n".join(lines)


def add_fault(hub: Hub, where: str, what: str, *, at: Place = Place.BLOBS) -> None:
    """Bring a fault into force as it is named on a command line.

    Args:
        where: A place, the id of a model, or ``ID/BLOB``.

    Raises:
        BadOrder: There is no such place, model or fault.
    """
    fault = parse_fault(what)
    if where in set(Place):
        hub.fault(Place(where), fault)
        return
    model, _, blob = where.partition("/")
    if all(model not in (known.id, known.name) for known in hub.models):
        raise BadOrder(f"no place and no model {model!r}")
    hub.fault(model, fault, blob=blob or None, at=at)


class Control:
    """Takes orders for ``hub`` on a port of its own for the length of the block.

    Attributes:
        url: Where it takes them.
    """

    def __init__(self, hub: Hub, *, port: int = 0) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(hub))
        # It looks that often whether it is to end.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="hub control", daemon=True
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match urlsplit(self.path).path:
                case "/requests":
                    self._say(200, "".join(f"{line}\n" for line in _requests(hub)))
                case "/models":
                    self._say(200, "".join(f"{model.id} {model.size_bytes}\n" for model in hub.models))
                case _:
                    self._say(200, HELP)

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            order = _ORDERS.get(parts.path)
            try:
                if order is None:
                    raise BadOrder(f"no order {parts.path}")
                order(hub, given)
            except (BadOrder, KeyError, ValueError) as error:
                self._say(400, f"{error}\n{HELP}")
                return
            self._say(200, "done\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            return

        def _say(self, status: int, words: str) -> None:
            body = words.encode(errors="backslashreplace")
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _places(given: dict[str, str]) -> tuple[Place, ...]:
    return (Place(given["place"]),) if "place" in given else ()


def _mend(hub: Hub, given: dict[str, str]) -> None:
    where = given.get("where")
    hub.mend(Place(where) if where in set(Place) else where)


_ORDERS: Final[dict[str, Callable[[Hub, dict[str, str]], None]]] = {
    "/fault": lambda hub, given: add_fault(hub, given["where"], given["what"]),
    "/registry-fault": lambda hub, given: add_fault(hub, given["where"], given["what"], at=Place.REGISTRY),
    "/mend": _mend,
    "/down": lambda hub, given: hub.down(*_places(given)),
    "/up": lambda hub, given: hub.up(*_places(given)),
    "/drop": lambda hub, given: hub.drop_connections(),
    "/expire": lambda hub, given: hub.expire_links(given["model"]),
    "/remove": lambda hub, given: hub.remove(given["model"]),
}


def _requests(hub: Hub) -> list[str]:
    lines = []
    for exchange in hub.requests:
        part = "" if exchange.byte_range is None else "{}-{}".format(*exchange.byte_range)
        about = "/".join(filter(None, (exchange.model, exchange.blob))) or exchange.request.path
        state = "stalled" if exchange.is_stalled else exchange.ending or "open"
        lines.append(
            f"{exchange.number} {exchange.place} {exchange.asks} {ascii(about)[1:-1]} {part or '-'}"
            f" {exchange.status or '-'} {exchange.sent_bytes} {state}"
        )
    return lines


def _setting(text: str) -> tuple[str, object]:
    key, _, said = text.partition("=")
    if key in _WORDS:
        return key, said
    if key == "methods":
        return key, tuple(said.split("+"))
    try:
        value: object = json.loads(said)
    except ValueError as error:
        raise BadOrder(f"{key} is no number: {said!r}") from error
    return key, int(value) if isinstance(value, float) and value.is_integer() else value
