"""The web service of the current Foundry Local runtime, run by somebody else: ids only, loads by alias.

The trap: its HTTP interface loads and unloads the one variant that an alias has selected, and tells neither
which that is nor the alias of an id.
"""

import time

from foundry_tui.domain.errors import ModelNotFound, ModelRefused
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, LoadReport, ModelVariant, SnapshotOrigin
from foundry_tui.engines.catalog.snapshot import device_of
from foundry_tui.engines.endpoints.http import EndpointHttp, key_wanted, segment
from foundry_tui.engines.endpoints.models import alias_candidates, alias_of, ids_in
from foundry_tui.engines.reasons import load_remedy

__all__ = ["FoundryV2"]

_LOAD_S = 600.0
_LOCAL_PREFIX = "/catalogs/local"
_SELECTION = "select it with the server's own tools, or use the managed runtime, which loads any variant"


class FoundryV2:
    """The control side of one service; borrows its connection."""

    def __init__(self, http: EndpointHttp) -> None:
        self._http = http
        self._local_ids: frozenset[str] = frozenset()
        # As the server was found to understand them.
        self._aliases: dict[str, str] = {}

    def catalog_of(self, model_id: str) -> CatalogKind:
        """Registered models answer under a prefix of their own, and nowhere else."""
        return CatalogKind.LOCAL if model_id in self._local_ids else CatalogKind.ENDPOINT

    async def learn_local(self) -> None:
        """Find out which models are registered folders."""
        self._local_ids = frozenset(await self._ids(f"{_LOCAL_PREFIX}/v1/models"))

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        """The whole catalog of the server; it does not tell which of it was downloaded."""
        await self.learn_local()
        listed = [*sorted(self._local_ids), *await self._ids("/v1/models")]
        loaded = await self._loaded()
        models = tuple(
            ModelVariant(
                id=model_id,
                alias=self._aliases.get(model_id) or alias_of(model_id),
                catalog=self.catalog_of(model_id),
                device=device_of(None, None, model_id),
                is_cached=True if model_id in loaded else None,
                is_loaded=model_id in loaded,
            )
            for model_id in dict.fromkeys(listed)
        )
        return CatalogSnapshot(models=models, origin=SnapshotOrigin.LIVE)

    async def load(self, model_id: str) -> LoadReport:
        """See ``ports.ModelManager``; what the server loads in another variant's place is unloaded again."""
        segment(model_id)
        before = await self._loaded()
        if model_id in before:
            return LoadReport(model_id=model_id, load_ns=0, was_loaded=True)
        started_ns = time.perf_counter_ns()
        alias = await self._control("load", model_id)
        load_ns = time.perf_counter_ns() - started_ns
        after = await self._loaded()
        if model_id not in after:
            if after - before:
                await self._control("unload", model_id)
            raise _not_selected(alias, model_id, after - before)
        return LoadReport(model_id=model_id, load_ns=load_ns, was_loaded=False)

    async def unload(self, model_id: str) -> None:
        """See ``ports.ModelManager``; what the server unloads in another variant's place is loaded again."""
        segment(model_id)
        before = await self._loaded()
        if model_id not in before:
            if model_id not in (*self._local_ids, *await self._ids("/v1/models")):
                raise _unknown(model_id)
            return
        alias = await self._control("unload", model_id)
        after = await self._loaded()
        if model_id in after:
            if before - after:
                await self._control("load", model_id)
            raise _not_selected(alias, model_id, before - after)

    async def _control(self, verb: str, model_id: str) -> str:
        """Have it done by alias; the one that the server understood."""
        prefix = _LOCAL_PREFIX if model_id in self._local_ids else ""
        known = self._aliases.get(model_id)
        candidates = (known,) if known is not None else alias_candidates(model_id)
        for alias in candidates:
            answer = await self._http.get(f"{prefix}/models/{verb}/{segment(alias)}", wait_s=_LOAD_S)
            if answer.status == 200:
                self._aliases[model_id] = alias
                return alias
            if answer.status == 404:
                continue
            if answer.wants_key:
                raise key_wanted(self._http.url, answer)
            reason = answer.reason()
            if "not cached" in reason.lower():
                raise ModelRefused(
                    f"the variant of {alias} that the server has selected was not downloaded there;"
                    f" whether {model_id} was, it does not tell",
                    remedy=f"download it there; or {_SELECTION}",
                )
            raise ModelRefused(
                f"{model_id} does not {verb}: {reason}",
                remedy=load_remedy(reason) if verb == "load" else "wait until nothing uses it, and try again",
            )
        if model_id in (*self._local_ids, *await self._ids("/v1/models")):
            raise ModelRefused(
                f"the server lists {model_id}, but goes by another alias than {' or '.join(candidates)}",
                remedy=f"{verb} it with the server's own tools; its HTTP interface does not tell aliases",
            )
        raise _unknown(model_id)

    async def _loaded(self) -> frozenset[str]:
        return frozenset(
            [*await self._ids("/models/loaded"), *await self._ids(f"{_LOCAL_PREFIX}/models/loaded")]
        )

    async def _ids(self, path: str) -> list[str]:
        answer = await self._http.get(path)
        if answer.wants_key:
            raise key_wanted(self._http.url, answer)
        return ids_in(answer.json())


def _not_selected(alias: str, model_id: str, others: frozenset[str]) -> ModelRefused:
    selected = ", ".join(sorted(others)) or f"another variant of {alias}"
    return ModelRefused(
        f"over HTTP the server acts on {selected} only, the variant that it has selected for {alias},"
        f" not on {model_id}; nothing was changed",
        remedy=_SELECTION,
    )


def _unknown(model_id: str) -> ModelNotFound:
    return ModelNotFound(
        f"the server knows no model {model_id!r}", remedy="foundry-tui models list shows the ids"
    )
