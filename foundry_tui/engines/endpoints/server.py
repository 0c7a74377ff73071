"""Servers that somebody else runs: what kind each is (``fingerprint``), and what can be done with it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from foundry_tui import __version__
from foundry_tui.domain.chat import ChatEvent, ChatRequest
from foundry_tui.domain.downloads import DownloadReading
from foundry_tui.domain.engine import Capability, EndpointKind, EngineInfo
from foundry_tui.domain.errors import NotSupported
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, LoadReport, ModelVariant, Registration
from foundry_tui.engines.endpoints.api_keys import stored_key
from foundry_tui.engines.endpoints.fingerprint import Fingerprint, recognise
from foundry_tui.engines.endpoints.foundry_v1 import FoundryV1
from foundry_tui.engines.endpoints.foundry_v2 import FoundryV2
from foundry_tui.engines.endpoints.http import EndpointHttp, exposure_of, key_wanted
from foundry_tui.engines.endpoints.plain_openai import PlainOpenAI
from foundry_tui.engines.hosting.configs import EndpointConfig
from foundry_tui.engines.streaming.delay import LoopDelay
from foundry_tui.engines.streaming.openai_http import OpenAIHttpEngine, make_client
from foundry_tui.engines.streaming.transport import is_loopback

__all__ = ["CAPABILITIES", "EndpointServer"]

_FOUNDRY = (Capability.CHAT, Capability.LIST, Capability.LOADED, Capability.LOAD, Capability.UNLOAD)
CAPABILITIES: dict[EndpointKind, tuple[Capability, ...]] = {
    EndpointKind.FOUNDRY_V2: _FOUNDRY,
    EndpointKind.FOUNDRY_V1: (*_FOUNDRY, Capability.DOWNLOAD),
    EndpointKind.OPENAI: (Capability.CHAT, Capability.LIST),
}
"""What each kind offers; a server of this machine that names its process also has its memory read."""

# A keyring may ask its user to unlock it; nobody shall wait for that where no key is needed.
_KEY_WANTED_S = 60.0
_KEY_PERHAPS_S = 3.0
_FROM_KEYRING = "The key comes from the keyring of this system."


class _Control(Protocol):
    """What differs from kind to kind."""

    def catalog_of(self, model_id: str) -> CatalogKind: ...

    async def list_models(self, *, public: bool) -> CatalogSnapshot: ...

    async def load(self, model_id: str) -> LoadReport: ...

    async def unload(self, model_id: str) -> None: ...


class EndpointServer:
    """Implements ``ports.HostableEngine`` over somebody else's server; takes over ``http``."""

    def __init__(self, config: EndpointConfig, http: EndpointHttp, found: Fingerprint) -> None:
        self._http = http
        self.info = _info(found, config)
        delay = LoopDelay()
        self._clients = {
            catalog: make_client(f"{http.url}{prefix}/v1", api_key=config.api_key, connect_s=config.connect_s)
            for catalog, prefix in ((CatalogKind.ENDPOINT, ""), (CatalogKind.LOCAL, "/catalogs/local"))
        }
        self._engines = {key: OpenAIHttpEngine(client, delay) for key, client in self._clients.items()}
        self._v1 = FoundryV1(http) if found.kind is EndpointKind.FOUNDRY_V1 else None
        self._v2 = FoundryV2(http) if found.kind is EndpointKind.FOUNDRY_V2 else None
        self._control: _Control = self._v1 or self._v2 or PlainOpenAI(http)

    @classmethod
    async def open(
        cls, config: EndpointConfig, find_key: Callable[[str], str | None] = stored_key
    ) -> "EndpointServer":
        """Find out what answers at ``config.url``.

        Args:
            config: Without a key, the system's keyring is asked for one.
            find_key: Asks it, blocking; given the address.

        Raises:
            EngineUnavailable: Nothing there, or nothing that is an OpenAI-compatible server.
        """
        http = _connect(config)
        notes: tuple[str, ...] = ()
        try:
            found = await recognise(http)
            if config.api_key is None and found.kind is EndpointKind.OPENAI:
                key = await _ask_keyring(config.url, find_key, is_wanted=found.wants_key)
                if key is not None:
                    config, notes = replace(config, api_key=key), (_FROM_KEYRING,)
                    await http.aclose()
                    http = _connect(config)
                    found = await recognise(http)
            if found.wants_key:
                raise key_wanted(config.url)
            server = cls(config, http, found)
            server.info = replace(server.info, notes=(*server.info.notes, *notes))
            if server._v2 is not None:
                await server._v2.learn_local()
        except BaseException:
            await http.aclose()
            raise
        return server

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """See ``ports.Engine``."""
        engine = self._engines[self._control.catalog_of(request.model)]
        async with aclosing(engine.stream_chat(request)) as events:
            async for event in events:
                yield event

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        """See ``ports.ModelManager``; only a v1 service has a catalog that needs the network."""
        return await self._control.list_models(public=public)

    async def load(self, model_id: str) -> LoadReport:
        return await self._control.load(model_id)

    async def unload(self, model_id: str) -> None:
        await self._control.unload(model_id)

    async def download(self, model_id: str) -> AsyncGenerator[DownloadReading, None]:
        """See ``ports.ModelFetcher``; only a v1 service does."""
        if self._v1 is None:
            raise NotSupported(
                f"this {self.info.kind.value} endpoint cannot download models for us",
                remedy="download them with the server's own tools",
            )
        async with aclosing(self._v1.download(model_id)) as readings:
            async for reading in readings:
                yield reading

    async def register(self, registration: Registration) -> ModelVariant:
        raise _not_managed("register a model")

    async def unregister(self, model_id: str) -> None:
        raise _not_managed("unregister a model")

    async def aclose(self) -> None:
        await self._http.aclose()
        for client in self._clients.values():
            await client.close()


def _connect(config: EndpointConfig) -> EndpointHttp:
    return EndpointHttp(config.url, api_key=config.api_key, connect_s=config.connect_s)


async def _ask_keyring(url: str, find_key: Callable[[str], str | None], *, is_wanted: bool) -> str | None:
    try:
        async with asyncio.timeout(_KEY_WANTED_S if is_wanted else _KEY_PERHAPS_S):
            return await asyncio.to_thread(find_key, url)
    except TimeoutError:
        return None


def _info(found: Fingerprint, config: EndpointConfig) -> EngineInfo:
    capabilities = CAPABILITIES[found.kind]
    local_pid = found.pid if is_loopback(config.url) else None
    if local_pid is not None:
        capabilities += (Capability.MEMORY,)
    exposure = exposure_of(config.url)
    return EngineInfo(
        kind=found.kind,
        url=config.url,
        pid=local_pid,
        capabilities=capabilities,
        versions=(("foundry-tui", __version__),),
        cache_dir=found.cache_dir,
        notes=() if exposure is None else (exposure,),
    )


def _not_managed(what: str) -> NotSupported:
    return NotSupported(
        f"an endpoint cannot {what} for us",
        remedy="leave out --endpoint (and FOUNDRY_LOCAL_ENDPOINT) to use the managed runtime",
    )
