"""The older Foundry Local service: lists with metadata, downloads with its own progress, loads by id."""

import time
from collections.abc import AsyncGenerator

from foundry_tui.domain.downloads import DownloadPhase, DownloadReading
from foundry_tui.domain.errors import EngineError, EngineUnavailable, ModelNotFound, ModelRefused
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, LoadReport, ModelVariant, SnapshotOrigin
from foundry_tui.engines.catalog.snapshot import device_of
from foundry_tui.engines.endpoints.http import Answer, EndpointHttp, key_wanted, segment
from foundry_tui.engines.endpoints.models import (
    alias_of,
    catalog_model,
    ids_in,
    records_in,
    table_in,
    text_in,
)
from foundry_tui.engines.endpoints.v1_progress import ProgressReader
from foundry_tui.engines.reasons import load_remedy, plain_reason

__all__ = ["FoundryV1"]

_LOAD_S = 600.0
# The service may fetch its catalog from the network first.
_CATALOG_S = 60.0
# What the service's own SDK asks for; it unloads a model that nobody has used for so long.
_TTL_S = 600
# Where its SDK names the provider; it would take any CUDA machine's for a generic GPU build too, which
# then is not what the variant says it is.
_NAMED_PROVIDERS = {"cudaexecutionprovider": "cuda", "webgpuexecutionprovider": "webgpu"}
_NOT_HERE = "no openaiservice provider found"
_REMEDY_NOT_HERE = "download it first: foundry-tui models pull ID"


class FoundryV1:
    """The control side of one service; borrows its connection."""

    def __init__(self, http: EndpointHttp) -> None:
        self._http = http
        # By id, in the service's order; None until it was asked for.
        self._catalog: dict[str, dict[str, object]] | None = None

    def catalog_of(self, model_id: str) -> CatalogKind:
        """One list, one prefix."""
        return CatalogKind.ENDPOINT

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        """What is on the service's disk, and what its catalog has if ``public`` or if it was seen before."""
        cached = dict.fromkeys(await self._ids("/openai/models"))
        loaded = frozenset(await self._ids("/openai/loadedmodels"))
        notice = await self._read_catalog() if public else None
        known = [
            model
            for model_id, record in (self._catalog or {}).items()
            if (model := catalog_model(record, is_cached=model_id in cached, is_loaded=model_id in loaded))
        ]
        in_catalog = {model.id for model in known}
        others = [_bare(model_id, loaded) for model_id in cached if model_id not in in_catalog]
        return CatalogSnapshot(models=(*others, *known), origin=SnapshotOrigin.LIVE, notice=notice)

    async def load(self, model_id: str) -> LoadReport:
        """See ``ports.ModelManager``."""
        name = segment(model_id)
        if model_id in await self._ids("/openai/loadedmodels"):
            return LoadReport(model_id=model_id, load_ns=0, was_loaded=True)
        provider = text_in(table_in((self._catalog or {}).get(model_id, {}), "runtime"), "executionprovider")
        named = _NAMED_PROVIDERS.get((provider or "").lower())
        query = f"?ttl={_TTL_S}" + ("" if named is None else f"&ep={named}")
        started_ns = time.perf_counter_ns()
        answer = await self._http.get(f"/openai/load/{name}{query}", wait_s=_LOAD_S)
        load_ns = time.perf_counter_ns() - started_ns
        _need_good(answer, "load", model_id)
        if model_id not in await self._ids("/openai/loadedmodels"):
            raise ModelRefused(
                f"the service says that it loaded {model_id}, and does not list it as loaded",
                remedy="look into the service's log",
            )
        return LoadReport(model_id=model_id, load_ns=load_ns, was_loaded=False)

    async def unload(self, model_id: str) -> None:
        """See ``ports.ModelManager``."""
        name = segment(model_id)
        # The service answers an unload of what it has not downloaded with an error.
        if model_id not in await self._ids("/openai/loadedmodels"):
            return
        # Without force it only counts down the time to live.
        _need_good(
            await self._http.get(f"/openai/unload/{name}?force=true", wait_s=_LOAD_S), "unload", model_id
        )

    async def download(self, model_id: str) -> AsyncGenerator[DownloadReading, None]:
        """Have the service fetch ``model_id``; readings as it tells them, the last in phase ``DONE``.

        Bytes are its percentage of the size in the catalog.  Closing the generator leaves the service; what
        it has fetched by then is its own to keep.

        Raises:
            ModelNotFound: Its catalog has no such model.
            ModelRefused: It gave up; the message has its reason.
            EngineUnavailable: It cannot be reached, or went away in the middle.
        """
        record = await self._record(model_id)
        model = catalog_model(record, is_cached=False, is_loaded=False)
        total_bytes = None if model is None else model.size_bytes
        if model_id in await self._ids("/openai/models"):
            yield _reading(DownloadPhase.DONE, 1.0, total_bytes)
            return
        yield _reading(DownloadPhase.STARTING, 0.0, total_bytes)
        reader = ProgressReader()
        told: float | None = None
        try:
            async with self._http.post("/openai/download", _download_order(model_id, record)) as posted:
                if posted.status != 200:
                    _need_good(await posted.refusal(), "download", model_id)
                async for data in posted.pieces():
                    for share in reader.feed(data):
                        if share == told:
                            continue  # a service says the same many times over
                        told = share
                        yield _reading(DownloadPhase.FLOWING, share, total_bytes)
        except EngineUnavailable as error:
            raise EngineUnavailable(
                f"the download of {model_id} broke off: {error.message}",
                remedy="start it again: the service goes on with what it has",
            ) from error
        await self._need_done(model_id, reader)
        yield _reading(DownloadPhase.DONE, 1.0, total_bytes)

    async def _need_done(self, model_id: str, reader: ProgressReader) -> None:
        end = reader.end()
        if end is not None and end.is_done:
            return
        if end is None and model_id in await self._ids("/openai/models"):
            return
        if end is None:
            raise EngineUnavailable(
                f"the download of {model_id} ended without a result",
                remedy="start it again: the service goes on with what it has",
            )
        reason = plain_reason(end.message or "")
        raise ModelRefused(
            f"the service did not download {model_id}: {reason}",
            remedy="check the service's network and disk, and start it again",
        )

    async def _record(self, model_id: str) -> dict[str, object]:
        notice = await self._read_catalog() if model_id not in (self._catalog or {}) else None
        record = (self._catalog or {}).get(model_id)
        if record is not None:
            return record
        raise ModelNotFound(
            f"the service's catalog has no model {model_id!r}{'' if notice is None else f' ({notice})'}",
            remedy="foundry-tui models list shows the ids",
        )

    async def _read_catalog(self) -> str | None:
        """Keep the service's catalog; why it could not be had, what was seen before then stays."""
        try:
            answer = await self._http.get("/foundry/list", wait_s=_CATALOG_S)
        except EngineError as error:
            return f"the service's catalog is not available: {error.message}"
        if answer.status != 200 or answer.json() is None:
            return f"the service's catalog is not available: {_words(answer)}"
        records = records_in(answer.json())
        self._catalog = {
            name: record
            for record in records
            if (name := text_in(record, "name") or text_in(record, "id")) is not None
        }
        return None

    async def _ids(self, path: str) -> list[str]:
        answer = await self._http.get(path)
        if answer.wants_key:
            raise key_wanted(self._http.url, answer)
        return ids_in(answer.json())


def _bare(model_id: str, loaded: frozenset[str]) -> ModelVariant:
    return ModelVariant(
        id=model_id,
        alias=alias_of(model_id),
        catalog=CatalogKind.ENDPOINT,
        device=device_of(None, None, model_id),
        is_cached=True,
        is_loaded=model_id in loaded,
    )


def _download_order(model_id: str, record: dict[str, object]) -> dict[str, object]:
    provider = text_in(record, "providertype") or "AzureFoundry"
    template = record.get("prompttemplate")
    return {
        "model": {
            "Name": model_id,
            "Uri": text_in(record, "uri") or "",
            "Publisher": text_in(record, "publisher") or "",
            # The catalog names where models come from, the service wants to be told who runs them.
            "ProviderType": f"{provider}Local" if provider == "AzureFoundry" else provider,
            "PromptTemplate": template if isinstance(template, dict) else {},
        },
        "token": None,
        "IgnorePipeReport": True,
    }


def _need_good(answer: Answer, verb: str, model_id: str) -> None:
    if answer.status == 200:
        return
    if answer.status == 404:
        raise ModelNotFound(
            f"the server knows no model {model_id!r}", remedy="foundry-tui models list shows the ids"
        )
    reason = answer.reason()
    if _NOT_HERE in reason.lower():
        raise ModelRefused(f"{model_id} was not downloaded by the service", remedy=_REMEDY_NOT_HERE)
    raise ModelRefused(
        f"the service did not {verb} {model_id}: {reason}",
        remedy=load_remedy(reason) if verb == "load" else "look into the service's log",
    )


def _words(answer: Answer) -> str:
    return f"HTTP {answer.status}" if answer.status != 200 else "what it sent is no list"


def _reading(phase: DownloadPhase, share: float, total_bytes: int | None) -> DownloadReading:
    return DownloadReading(
        at_ns=time.perf_counter_ns(),
        phase=phase,
        done_bytes=0 if total_bytes is None else round(share * total_bytes),
        total_bytes=total_bytes,
    )
