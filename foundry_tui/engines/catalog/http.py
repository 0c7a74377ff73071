"""Public catalogs asked directly: every variant, whatever the machine that asks can run.

The runtime asks for what its own execution providers can run, and shows nothing else.  The question here is
the runtime's own, as captured from 2.2.1, without those two filters.  Importing this module takes a tenth of
a second: do it in a thread.
"""

import asyncio
import json
from contextlib import aclosing
from typing import Any, Final

import httpx2

from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.domain.models import ModelVariant
from foundry_tui.engines.catalog.records import CatalogPage, read_page
from foundry_tui.engines.reasons import plain_reason
from foundry_tui.engines.streaming.transport import proxy_for

__all__ = ["HttpCatalogs"]

_FILTERS: Final = [
    {"field": "type", "operator": "eq", "values": ["models"]},
    {"field": "kind", "operator": "eq", "values": ["Versioned"]},
    {
        "field": "annotations/systemCatalogData/deploymentOptions",
        "operator": "eq",
        "values": ["Foundry Local on Devices"],
    },
    {"field": "annotations/archived", "operator": "NotEquals", "values": ["true"]},
    {"field": "labels", "operator": "eq", "values": ["latest"]},
]
_HEADERS: Final = {
    "Accept": "application/json",
    # What is compressed could grow without limit as it is unpacked.
    "Accept-Encoding": "identity",
    "User-Agent": "AzureAiStudio",
    "x-ms-use-full-service-contracts": "true",
}
_PAGE_SIZE: Final = 50
"""As the runtime asks; a server may not take more."""


class HttpCatalogs:
    """Implements ``CatalogReader`` of ``services.catalogs``: one question at a time for each catalog.

    Args:
        page_bytes: An answer that is longer is none.
        most_bytes: Of all answers to one question; more is none either.
        most_models: Likewise.
        within_s: For all answers together.
        silence_s: For a connection, and between two pieces of an answer.
    """

    def __init__(
        self,
        *,
        page_bytes: int = 32_000_000,
        most_bytes: int = 512_000_000,
        most_models: int = 100_000,
        within_s: float = 300.0,
        silence_s: float = 10.0,
    ) -> None:
        self._page_bytes = page_bytes
        self._most_bytes = most_bytes
        self._most_models = most_models
        self._within_s = within_s
        self._timeout = httpx2.Timeout(silence_s, connect=min(5.0, silence_s))
        # By proxy, and by whether they are for addresses without encryption alone.
        self._clients: dict[tuple[str | None, bool], httpx2.AsyncClient] = {}

    async def fetch(self, url: str) -> tuple[ModelVariant, ...]:
        try:
            async with asyncio.timeout(self._within_s):
                return await self._fetch(url)
        except TimeoutError as error:
            raise EngineUnavailable(f"it was not done after {self._within_s:g} s") from error

    async def probe(self, url: str) -> bool:
        try:
            async with asyncio.timeout(self._within_s):
                await self._page(url, None, size=1, room_bytes=self._page_bytes)
        except (EngineUnavailable, TimeoutError):
            return False
        return True

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def _fetch(self, url: str) -> tuple[ModelVariant, ...]:
        models: dict[str, ModelVariant] = {}
        seen: set[str] = set()
        token: str | None = None
        room_bytes = self._most_bytes
        while True:
            page, length = await self._page(url, token, size=_PAGE_SIZE, room_bytes=room_bytes)
            room_bytes -= length
            if page.records and not page.models:
                raise EngineUnavailable("it answers, but with records that are none")
            for model in page.models:
                models.setdefault(model.id, model)
            if len(models) > self._most_models:
                raise EngineUnavailable(f"it lists more than {self._most_models} models")
            token = page.token
            if token is None:
                return tuple(models.values())
            if token in seen or not page.records:
                raise EngineUnavailable("it answers, but its pages lead nowhere")
            seen.add(token)

    async def _page(
        self, url: str, token: str | None, *, size: int, room_bytes: int
    ) -> tuple[CatalogPage, int]:
        body: dict[str, Any] = {"filters": _FILTERS, "pageSize": size}
        if token is not None:
            body["continuationToken"] = token
        data = await self._post(url, json.dumps(body).encode(), min(room_bytes, self._page_bytes))
        try:
            return await asyncio.to_thread(_read, data), len(data)
        except (ValueError, RecursionError) as error:
            raise EngineUnavailable("it answers, but not as a catalog") from error

    async def _post(self, url: str, body: bytes, most_bytes: int) -> bytes:
        client = await self._client(url)
        headers = {**_HEADERS, "Content-Type": "application/json"}
        pieces: list[bytes] = []
        length = 0
        try:
            async with client.stream("POST", url, content=body, headers=headers) as response:
                if response.status_code != 200:
                    raise EngineUnavailable(f"it answers with HTTP {response.status_code}")
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise EngineUnavailable("it answers compressed, which it was asked not to")
                async with aclosing(response.aiter_raw()) as raw:
                    async for piece in raw:
                        length += len(piece)
                        if length > most_bytes:
                            raise EngineUnavailable(f"it answers with more than {most_bytes} bytes")
                        pieces.append(piece)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise EngineUnavailable(plain_reason(str(error) or type(error).__name__)) from error
        return b"".join(pieces)

    async def _client(self, url: str) -> httpx2.AsyncClient:
        proxy = await asyncio.to_thread(proxy_for, url)
        # Reading the system's certificates takes its time; nobody needs them without encryption.
        is_plain = proxy is None and url.startswith("http:")
        key = (proxy, is_plain)
        if key not in self._clients:
            verify = False if is_plain else await asyncio.to_thread(httpx2.create_ssl_context)
            client = httpx2.AsyncClient(
                proxy=proxy, verify=verify, timeout=self._timeout, trust_env=False, follow_redirects=False
            )
            self._clients.setdefault(key, client)
        return self._clients[key]


def _read(data: bytes) -> CatalogPage:
    return read_page(data.decode("utf-8"))
