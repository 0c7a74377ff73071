"""Servers that somebody else runs: what kind each is, and what it can do.

Kinds by fingerprint (docs/decisions/0004): ``/status`` with a ``modelCachePath`` is the runtime's own web
service, ``/openai/status`` the older Foundry Local service, ``/v1/models`` any OpenAI-compatible server.
"""

import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx2

from foundry_tui import __version__
from foundry_tui.domain.chat import ChatEvent, ChatRequest
from foundry_tui.domain.engine import Capability, EndpointKind, EngineInfo
from foundry_tui.domain.errors import EngineUnavailable, ModelNotFound, ModelRefused, NotSupported
from foundry_tui.domain.models import (
    CatalogKind,
    CatalogSnapshot,
    LoadReport,
    ModelVariant,
    Registration,
    SnapshotOrigin,
)
from foundry_tui.engines.delay import LoopDelay
from foundry_tui.engines.frames import EndpointConfig
from foundry_tui.engines.openai_http import OpenAIHttpEngine, make_client
from foundry_tui.engines.reasons import load_remedy, plain_reason
from foundry_tui.engines.snapshot import device_of
from foundry_tui.engines.transport import StampingTransport, is_loopback

__all__ = ["EndpointServer", "alias_of"]

_CAPABILITIES: dict[EndpointKind, tuple[Capability, ...]] = {
    EndpointKind.FOUNDRY_V2: (
        Capability.CHAT,
        Capability.LIST,
        Capability.LOADED,
        Capability.LOAD,
        Capability.UNLOAD,
    ),
    EndpointKind.FOUNDRY_V1: (
        Capability.CHAT,
        Capability.LIST,
        Capability.LOADED,
        Capability.LOAD,
        Capability.UNLOAD,
    ),
    EndpointKind.OPENAI: (Capability.CHAT, Capability.LIST),
}
_SUFFIX = re.compile(r"-(?:[a-z0-9]+-)?(?:cpu|gpu|npu)$")
_LOAD_TIMEOUT_S = 600.0


def alias_of(model_id: str) -> str:
    """The family name in a variant id: without version and device suffix.

    The server does not tell aliases; this is the catalog's own habit of naming.
    """
    return _SUFFIX.sub("", model_id.partition(":")[0])


class EndpointServer:
    """Implements ``ports.HostableEngine`` over somebody else's server."""

    def __init__(self, config: EndpointConfig, http: httpx2.AsyncClient, info: EngineInfo) -> None:
        self._http = http
        self.info = info
        delay = LoopDelay()
        self._clients = {
            catalog: make_client(
                f"{config.url}{prefix}/v1", api_key=config.api_key, connect_s=config.connect_s
            )
            for catalog, prefix in ((CatalogKind.ENDPOINT, ""), (CatalogKind.LOCAL, "/catalogs/local"))
        }
        self._engines = {key: OpenAIHttpEngine(client, delay) for key, client in self._clients.items()}
        self._local_ids: frozenset[str] = frozenset()

    @classmethod
    async def open(cls, config: EndpointConfig) -> "EndpointServer":
        """Find out what answers at ``config.url``.

        Raises:
            EngineUnavailable: Nothing there, or nothing that is an OpenAI-compatible server.
        """
        headers = {"Authorization": f"Bearer {config.api_key}"} if config.api_key else {}
        http = httpx2.AsyncClient(
            transport=StampingTransport(config.url),
            base_url=config.url,
            headers=headers,
            timeout=httpx2.Timeout(30.0, connect=config.connect_s),
            follow_redirects=False,
            trust_env=False,
        )
        try:
            info = await _recognise(http, config.url)
        except BaseException:
            await http.aclose()
            raise
        server = cls(config, http, info)
        if info.kind is EndpointKind.FOUNDRY_V2:
            server._local_ids = frozenset(await server._ids("/catalogs/local/v1/models"))
        return server

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """See ``ports.Engine``."""
        catalog = CatalogKind.LOCAL if request.model in self._local_ids else CatalogKind.ENDPOINT
        async with aclosing(self._engines[catalog].stream_chat(request)) as events:
            async for event in events:
                yield event

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        """See ``ports.ModelManager``; the server's own list either way."""
        kind = self.info.kind
        loaded: frozenset[str] | None = None
        if kind is EndpointKind.FOUNDRY_V1:
            ids = await self._ids("/openai/models")
            loaded = frozenset(await self._ids("/openai/loadedmodels"))
        elif kind is EndpointKind.FOUNDRY_V2:
            local = await self._ids("/catalogs/local/v1/models")
            self._local_ids = frozenset(local)
            ids = [*local, *await self._ids("/v1/models")]
            loaded = frozenset(
                [*await self._ids("/models/loaded"), *await self._ids("/catalogs/local/models/loaded")]
            )
        else:
            ids = await self._ids("/v1/models")
        models = tuple(
            ModelVariant(
                id=model_id,
                alias=alias_of(model_id),
                catalog=CatalogKind.LOCAL if model_id in self._local_ids else CatalogKind.ENDPOINT,
                device=device_of(None, None, model_id) if kind is not EndpointKind.OPENAI else None,
                is_cached=None,
                is_loaded=None if loaded is None else model_id in loaded,
            )
            for model_id in dict.fromkeys(ids)
        )
        return CatalogSnapshot(models=models, origin=SnapshotOrigin.LIVE)

    async def load(self, model_id: str) -> LoadReport:
        """See ``ports.ModelManager``.  A Foundry v2 server loads the variant its alias has selected."""
        self._need(Capability.LOAD)
        loaded = await self._loaded_ids()
        if model_id in loaded:
            return LoadReport(model_id=model_id, load_ns=0, was_loaded=True)
        started_ns = time.perf_counter_ns()
        await self._control("load", model_id)
        load_ns = time.perf_counter_ns() - started_ns
        if model_id not in await self._loaded_ids():
            raise ModelRefused(
                f"the server loaded another variant of {alias_of(model_id)} than {model_id}",
                remedy="its HTTP interface loads the variant it prefers; choose that one in the list",
            )
        return LoadReport(model_id=model_id, load_ns=load_ns, was_loaded=False)

    async def unload(self, model_id: str) -> None:
        self._need(Capability.UNLOAD)
        await self._control("unload", model_id)

    async def register(self, registration: Registration) -> ModelVariant:
        raise _not_managed("register a model")

    async def unregister(self, model_id: str) -> None:
        raise _not_managed("unregister a model")

    async def aclose(self) -> None:
        await self._http.aclose()
        for client in self._clients.values():
            await client.close()

    def _need(self, capability: Capability) -> None:
        if not self.info.can(capability):
            raise NotSupported(
                f"this {self.info.kind.value} endpoint cannot {capability.value} models",
                remedy="load them with the server's own tools; chats work as they are",
            )

    async def _loaded_ids(self) -> frozenset[str]:
        if self.info.kind is EndpointKind.FOUNDRY_V1:
            return frozenset(await self._ids("/openai/loadedmodels"))
        return frozenset(
            [*await self._ids("/models/loaded"), *await self._ids("/catalogs/local/models/loaded")]
        )

    async def _control(self, verb: str, model_id: str) -> None:
        if self.info.kind is EndpointKind.FOUNDRY_V1:
            path = f"/openai/{verb}/{_segment(model_id)}"
        else:
            prefix = "/catalogs/local" if model_id in self._local_ids else ""
            path = f"{prefix}/models/{verb}/{_segment(alias_of(model_id))}"
        response = await _get(self._http, path, timeout_s=_LOAD_TIMEOUT_S)
        if response.status_code == 404:
            raise ModelNotFound(
                f"the server knows no model {model_id!r}", remedy="foundry-tui models list shows the ids"
            )
        if response.status_code != 200:
            reason = _reason_in(response)
            raise ModelRefused(f"{model_id} does not {verb}: {reason}", remedy=load_remedy(reason))

    async def _ids(self, path: str) -> list[str]:
        """Model ids at ``path`` in any of the shapes servers give; empty where there is no such route."""
        response = await _get(self._http, path)
        if response.status_code in (401, 403):
            raise EngineUnavailable(
                f"{self.info.url} wants a key (HTTP {response.status_code})",
                remedy="name the key's environment variable with --api-key-env",
            )
        content = _json(response)
        if isinstance(content, dict):
            content = next((content[key] for key in ("data", "models") if key in content), [])
        entries = content if isinstance(content, list) else []
        ids = [
            entry.get("id") or entry.get("name") if isinstance(entry, dict) else entry for entry in entries
        ]
        return [model_id for model_id in ids if isinstance(model_id, str) and model_id]


async def _recognise(http: httpx2.AsyncClient, url: str) -> EngineInfo:
    status = _json(await _get(http, "/status"))
    if isinstance(status, dict) and "modelCachePath" in status:
        return _info(EndpointKind.FOUNDRY_V2, url, status.get("modelCachePath"), status.get("pid"))
    status = _json(await _get(http, "/openai/status"))
    if isinstance(status, dict):
        folded = {key.lower(): value for key, value in status.items()}
        if "modeldirpath" in folded or "endpoints" in folded:
            return _info(EndpointKind.FOUNDRY_V1, url, folded.get("modeldirpath"), None)
    response = await _get(http, "/v1/models")
    if response.status_code in (401, 403):
        raise EngineUnavailable(
            f"{url} wants a key (HTTP {response.status_code})",
            remedy="name the key's environment variable with --api-key-env",
        )
    if isinstance(_json(response), dict | list):
        return _info(EndpointKind.OPENAI, url, None, None)
    raise EngineUnavailable(
        f"{url} answers, but not as an OpenAI-compatible server (HTTP {response.status_code} for /v1/models)",
        remedy="check the address: with or without /v1, and the port",
    )


def _info(kind: EndpointKind, url: str, cache_dir: object, pid: object) -> EngineInfo:
    capabilities = _CAPABILITIES[kind]
    local_pid = pid if isinstance(pid, int) and is_loopback(url) else None
    if local_pid is not None:
        capabilities += (Capability.MEMORY,)
    return EngineInfo(
        kind=kind,
        url=url,
        pid=local_pid,
        capabilities=capabilities,
        versions=(("foundry-tui", __version__),),
        cache_dir=cache_dir if isinstance(cache_dir, str) else None,
    )


async def _get(http: httpx2.AsyncClient, path: str, timeout_s: float | None = None) -> httpx2.Response:
    try:
        if timeout_s is None:
            return await http.get(path)
        return await http.get(path, timeout=timeout_s)
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise EngineUnavailable(
            f"cannot reach {http.base_url}: {plain_reason(str(error) or type(error).__name__)}",
            remedy="check the address, and that the server runs",
        ) from error


def _json(response: httpx2.Response) -> Any:
    if response.status_code != 200:
        return None
    try:
        return response.json()
    except ValueError:
        return None


def _reason_in(response: httpx2.Response) -> str:
    try:
        content = response.json()
        message = content["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = response.text
    return plain_reason(str(message))


def _segment(name: str) -> str:
    """``name`` as one path segment; the runtime decodes nothing, so a colon goes as it is."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]*", name) is None:
        raise ModelRefused(f"{name!r} is not a model id", remedy="foundry-tui models list shows the ids")
    return name


def _not_managed(what: str) -> NotSupported:
    return NotSupported(
        f"an endpoint cannot {what} for us",
        remedy="leave out --endpoint (and FOUNDRY_LOCAL_ENDPOINT) to use the managed runtime",
    )
