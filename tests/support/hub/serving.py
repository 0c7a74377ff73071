"""Answers every request to a hub: which part is asked, what stands in the way, what comes out."""

import json
from urllib.parse import parse_qs

from tests.support.hub.answering import Answering
from tests.support.hub.blobs import Blobs
from tests.support.hub.catalog import BadQuery, Catalog
from tests.support.hub.connection import Cut, Reply
from tests.support.hub.faults import Expired, Faults, Place
from tests.support.hub.links import Links
from tests.support.hub.record import Ending, Exchange, Ledger
from tests.support.record import Request

__all__ = ["CATALOG_PATH", "Serving"]

CATALOG_PATH = "/asset-gallery/v1.0/models"
_JSON = "application/json; charset=utf-8"


class Serving:
    """The hub without its sockets: what it offers, what ails it, what it was asked.

    Attributes:
        blobs_url: Where the containers are reached; set once their port is known.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.faults = Faults()
        self.links = Links()
        self.ledger = Ledger()
        self.blobs = Blobs(catalog, self.links, self.faults)
        self.blobs_url = ""

    async def serve(self, place: Place, catalog: str | None, request: Request, reply: Reply) -> None:
        """Answer one request.

        Raises:
            Cut: A fault breaks the connection off.
        """
        exchange = self.ledger.open(place, request, request.method)
        exchange.catalog = catalog
        ending = Ending.CLIENT_LEFT
        try:
            self._describe(exchange)
            answering = Answering(exchange, reply, self.faults, self.ledger)
            if not await answering.is_preempted():
                await self._answer(exchange, answering)
            ending = Ending.DONE
        except Cut:
            ending = Ending.CUT
            raise
        finally:
            self.ledger.close(exchange, ending)

    def _describe(self, exchange: Exchange) -> None:
        match exchange.place:
            case Place.BLOBS:
                self.blobs.describe(exchange)
            case Place.REGISTRY:
                model = self.catalog.by_asset(_asset_id(exchange.request))
                exchange.model = model.id if model is not None else None
            case Place.CATALOG:
                return

    async def _answer(self, exchange: Exchange, answering: Answering) -> None:
        match exchange.place:
            case Place.BLOBS:
                await self.blobs.answer(exchange, answering)
            case Place.REGISTRY:
                await self._answer_registry(exchange, answering)
            case Place.CATALOG:
                await self._answer_catalog(exchange, answering)

    async def _answer_catalog(self, exchange: Exchange, answering: Answering) -> None:
        request = exchange.request
        if request.path != CATALOG_PATH or request.method != "POST":
            await answering.whole(404, _JSON, _error("NotFound", f"{request.method} {request.path}"))
            return
        try:
            body = self.catalog.answer(request.body, exchange.catalog or "")
        except BadQuery as error:
            await answering.whole(400, _JSON, _error("BadRequest", str(error)))
            return
        await answering.whole(200, _JSON, body)

    async def _answer_registry(self, exchange: Exchange, answering: Answering) -> None:
        asset_id = _asset_id(exchange.request)
        model = self.catalog.by_asset(asset_id)
        if model is None or "/registry/models/nonazureaccount" not in exchange.request.path:
            await answering.whole(404, _JSON, _error("UserError", f"no asset {asset_id!r}"))
            return
        is_expired = self.faults.first(Expired, Place.BLOBS, model=model.id) is not None
        query = self.links.query_for(model.container, is_expired=is_expired)
        link = f"{self.blobs_url}/{model.container}?{query}"
        await answering.whole(200, _JSON, json.dumps({"blobSasUri": link}).encode())


def _asset_id(request: Request) -> str:
    return parse_qs(request.query).get("assetId", [""])[0]


def _error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()
