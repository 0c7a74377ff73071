"""The hub itself: its thread, its ports, and the handles that a test turns."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from tests.support.hub.catalog import Catalog
from tests.support.hub.certificates import certificates
from tests.support.hub.faults import Ailing, Fault, Place
from tests.support.hub.listeners import Listener
from tests.support.hub.model import MAIN, HubModel
from tests.support.hub.record import WITHIN_S, Exchange
from tests.support.hub.serving import CATALOG_PATH, Serving

__all__ = ["CLOSED_PORT", "Hub", "Ports"]

T = TypeVar("T")

CLOSED_PORT = "http://127.0.0.1:9"
"""Served nowhere: what is led there fails at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Numbers that the hub is to have; 0 is any free one.  Further catalogs always have free ones."""

    catalog: int = 0
    registry: int = 0
    blobs: int = 0


class Hub:
    """A model hub on loopback with a thread of its own; see the package's words on how to use it.

    Open it with ``with`` or ``async with``.  Its methods may be called from any thread; those that change it
    return when the change is in force.
    """

    def __init__(self, models: Iterable[HubModel], ports: Ports | None = None) -> None:
        ports = ports or Ports()
        offered = list(models)
        self._serving = Serving(Catalog(offered))
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        names = dict.fromkeys((MAIN, *(model.catalog for model in offered)))
        self._catalogs = {
            name: self._listener(Place.CATALOG, name, ports.catalog if name == MAIN else 0) for name in names
        }
        self._registry = self._listener(Place.REGISTRY, None, ports.registry)
        self._blobs = self._listener(Place.BLOBS, None, ports.blobs)

    # Its life

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: A port that was asked for is taken.
        """
        certificates()
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self) -> None:
        """End every connection and give the ports back.

        Raises:
            Exception: A mistake in the hub that ended a connection.
        """
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._loop = None
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    # How it is reached

    @property
    def catalog_url(self) -> str:
        """What the runtime takes as catalog; the main one."""
        return self.catalog_urls[0]

    @property
    def catalog_urls(self) -> tuple[str, ...]:
        """All of its catalogs, the main one first."""
        return tuple(self.catalog_url_of(name) for name in self._catalogs)

    def catalog_url_of(self, catalog: str) -> str:
        """The address of one of its catalogs, by name."""
        return f"http://127.0.0.1:{self._catalogs[catalog].port}{CATALOG_PATH}"

    @property
    def catalog_region(self) -> str:
        """What the runtime takes as region; it splices that into the address of the registry."""
        return f"127.0.0.1:{self._registry.port}/r/x"

    @property
    def ca_file(self) -> str:
        """Certificate of the authority that the registry's is signed by."""
        return str(certificates().ca_file)

    def environment(self) -> dict[str, str]:
        """Variables to set for the process that runs the runtime: they trust the hub, and it alone."""
        proxies = {
            case(name): CLOSED_PORT
            for name in ("http_proxy", "https_proxy", "all_proxy")
            for case in (str.lower, str.upper)
        }
        around = dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost,::1")
        return {
            "SSL_CERT_FILE": self.ca_file,
            "ORT_TELEMETRY_DISABLED": "1",
            # After a failure the registry is tried in a region of the runtime's own; that must not get out.
            **proxies,
            **around,
        }

    def arguments(self) -> list[str]:
        """Options for foundry-tui."""
        urls = [part for url in self.catalog_urls for part in ("--catalog-url", url)]
        return [*urls, "--catalog-region", self.catalog_region]

    def link(self, model_id: str) -> str:
        """A link to the model's container, as the registry would hand it out."""

        def make() -> str:
            container = self._model(model_id).container
            return f"{self._serving.blobs_url}/{container}?{self._serving.links.query_for(container)}"

        return self._in_loop(make)

    # What it offers

    @property
    def models(self) -> list[HubModel]:
        """What it offers at this moment."""
        return self._in_loop(lambda: self._serving.catalog.models)

    def put(self, *models: HubModel) -> None:
        """Offer these too; one whose id is there already takes its place."""

        def put() -> None:
            for model in models:
                if model.catalog not in self._catalogs:
                    raise KeyError(f"a catalog {model.catalog!r} had to be there from the start")
                self._serving.catalog.put(model)

        self._in_loop(put)

    def remove(self, model_id: str) -> None:
        """Offer it no longer; who has a link to its files already can go on reading them.

        Raises:
            KeyError: There is none of that id.
        """
        self._in_loop(partial(self._serving.catalog.remove, model_id))

    # What ails it

    def fault(
        self, where: Place | str, *faults: Fault, blob: str | None = None, at: Place = Place.BLOBS
    ) -> None:
        """Bring faults into force.

        Args:
            where: A part of the hub, or the id or name of a model.
            blob: Only this blob of the model.
            at: For a model: whether it is its blobs that fail or its entry in the registry.
        """

        def add() -> None:
            for fault in faults:
                if isinstance(where, Place):
                    self._serving.faults.add(Ailing(fault=fault, place=where, blob=blob or "*"))
                else:
                    self._serving.faults.add(Ailing(fault=fault, place=at, model=where, blob=blob or "*"))

        self._in_loop(add)

    def fault_in_catalog(self, catalog: str, *faults: Fault) -> None:
        """Bring faults into force in one of several catalogs."""

        def add() -> None:
            for fault in faults:
                self._serving.faults.add(Ailing(fault=fault, place=Place.CATALOG, catalog=catalog))

        self._in_loop(add)

    def mend(self, where: Place | str | None = None) -> None:
        """Take the faults of a place or of a model away, or (None) all; what they hold goes on."""
        place = where if isinstance(where, Place) else None
        model = where if where is not None and place is None else None
        self._in_loop(partial(self._serving.faults.mend, place=place, model=model))

    def expire_links(self, model_id: str) -> None:
        """End all links to the model's files that have been handed out; new ones are good."""
        self._in_loop(lambda: self._serving.links.revoke(self._model(model_id).container))

    def set_link_life(self, seconds: float) -> None:
        """How long links are good that are handed out from now on."""
        self._in_loop(partial(setattr, self._serving.links, "life_s", seconds))

    def set_blobs_per_list(self, count: int) -> None:
        """How many blobs one answer to a list holds; further ones are had by its marker."""
        self._in_loop(partial(setattr, self._serving.blobs, "per_list", count))

    def down(self, *places: Place, catalog: str | None = None) -> None:
        """Refuse connections and reset those there are: at these places, or (none given) everywhere.

        Args:
            catalog: Only this one of the catalogs.
        """
        self._wait_for(self._each(places, catalog, Listener.down))

    def up(self, *places: Place, catalog: str | None = None) -> None:
        """Be back on the same ports."""
        self._wait_for(self._each(places, catalog, Listener.up))

    def drop_connections(self, *places: Place) -> None:
        """Reset the connections there are; new ones are accepted."""

        async def drop(listener: Listener) -> None:
            listener.drop()

        self._wait_for(self._each(places, None, drop))

    # What it was asked

    @property
    def requests(self) -> list[Exchange]:
        """Everything that it was asked, in order; a copy, whose entries go on changing."""
        return self._serving.ledger.exchanges

    def asked(self, place: Place, *, model: str | None = None, asks: str | None = None) -> list[Exchange]:
        """The requests to one place, about one model (None: any), of one kind (None: any)."""
        return [
            exchange
            for exchange in self.requests
            if exchange.place is place and model in (None, exchange.model) and asks in (None, exchange.asks)
        ]

    def sent_bytes(self, model_id: str, blob: str | None = None) -> int:
        """Body bytes of the model's blobs, or of that one, that have gone so far."""
        return self._serving.ledger.sent_bytes(model_id, blob)

    def stalled(self, model_id: str | None = None) -> list[Exchange]:
        """The requests, about that model or (None) any, that a fault holds at this moment."""
        return [
            exchange
            for exchange in self.requests
            if exchange.is_stalled and model_id in (None, exchange.model)
        ]

    async def sent(
        self, model_id: str, *, at_least_bytes: int, blob: str | None = None, within_s: float = WITHIN_S
    ) -> None:
        """Return once so many bytes have gone.

        Raises:
            TimeoutError: They had not after ``within_s``.
        """
        await self.until(lambda: self.sent_bytes(model_id, blob) >= at_least_bytes, within_s=within_s)

    def wait_sent(
        self, model_id: str, *, at_least_bytes: int, blob: str | None = None, within_s: float = WITHIN_S
    ) -> None:
        """``sent`` for a caller without an event loop.

        Raises:
            TimeoutError: They had not after ``within_s``.
        """
        self.wait_until(lambda: self.sent_bytes(model_id, blob) >= at_least_bytes, within_s=within_s)

    async def until(self, holds: Callable[[], object], *, within_s: float = WITHIN_S) -> None:
        """Return as soon as ``holds()`` is true; it is asked after each thing that happens here.

        Raises:
            TimeoutError: It was still false after ``within_s``.
        """
        await self._serving.ledger.until(holds, within_s=within_s)

    def wait_until(self, holds: Callable[[], object], *, within_s: float = WITHIN_S) -> None:
        """``until`` for a caller without an event loop.

        Raises:
            TimeoutError: It was still false after ``within_s``.
        """
        self._serving.ledger.wait_until(holds, within_s=within_s)

    # Inside

    def _listener(self, place: Place, catalog: str | None, port: int) -> Listener:
        return Listener(
            partial(self._serving.serve, place, catalog),
            port=port,
            context=certificates().context if place is Place.REGISTRY else None,
        )

    def _model(self, model_id: str) -> HubModel:
        model = self._serving.catalog.get(model_id)
        if model is None:
            raise KeyError(f"the hub has no {model_id!r}")
        return model

    def _listeners(self) -> list[Listener]:
        return [*self._catalogs.values(), self._registry, self._blobs]

    def _at(self, places: Sequence[Place], catalog: str | None) -> list[Listener]:
        if catalog is not None:
            return [self._catalogs[catalog]]
        by_place = {
            Place.CATALOG: list(self._catalogs.values()),
            Place.REGISTRY: [self._registry],
            Place.BLOBS: [self._blobs],
        }
        return [listener for place in places or tuple(Place) for listener in by_place[place]]

    async def _each(
        self, places: Sequence[Place], catalog: str | None, act: Callable[[Listener], Awaitable[None]]
    ) -> None:
        for listener in self._at(places, catalog):
            await act(listener)

    def _in_loop(self, act: Callable[[], T]) -> T:
        async def perform() -> T:
            return act()

        return self._wait_for(perform())

    def _wait_for(self, work: Coroutine[None, None, T]) -> T:
        if self._loop is None:
            work.close()
            raise RuntimeError("the hub is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)

    def _run(self) -> None:
        try:
            # Its listeners need a loop with ``add_reader``, which is not every platform's usual one.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._live())
        except BaseException as error:  # noqa: BLE001 - handed to whoever starts or stops the hub
            self._failure = error
        finally:
            self._ready.set()

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        errors: list[Exception] = []
        try:
            for listener in self._listeners():
                listener.bind()
            self._serving.blobs_url = f"http://127.0.0.1:{self._blobs.port}"
            for listener in self._listeners():
                await listener.up()
            self._ready.set()
            await self._stopping.wait()
        finally:
            for listener in self._listeners():
                errors += await listener.aclose()
        if errors:
            raise errors[0]
