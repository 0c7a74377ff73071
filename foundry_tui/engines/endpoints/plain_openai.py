"""Any other OpenAI-compatible server: Ollama, llama.cpp, LM Studio, vLLM and their like list and chat."""

from foundry_tui.domain.errors import EngineUnavailable, NotSupported
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, LoadReport, SnapshotOrigin
from foundry_tui.engines.endpoints.http import EndpointHttp, key_wanted
from foundry_tui.engines.endpoints.models import (
    count_in,
    folded,
    is_listing,
    listed_model,
    records_in,
    software_in,
    table_in,
)

__all__ = ["PlainOpenAI"]

_REMEDY = "load them with the server's own tools; chats work as they are"


class PlainOpenAI:
    """The control side of one server, as little as it is; borrows its connection."""

    def __init__(self, http: EndpointHttp) -> None:
        self._http = http

    def catalog_of(self, model_id: str) -> CatalogKind:
        """One list, one prefix."""
        return CatalogKind.ENDPOINT

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        """What it serves, with context lengths and names where it gives them."""
        answer = await self._http.get("/v1/models")
        if answer.wants_key:
            raise key_wanted(self._http.url, answer)
        content = answer.json()
        if not is_listing(content):
            raise EngineUnavailable(
                f"{self._http.url} does not list its models any more (HTTP {answer.status})",
                remedy="look at the server, and refresh",
            )
        records = records_in(content)
        is_llama_cpp = software_in(records, answer.server) == "llama.cpp" and len(records) == 1
        context_tokens = await self._context_of_llama_cpp() if is_llama_cpp else None
        models = [listed_model(record, context_tokens=context_tokens) for record in records]
        by_id = {model.id: model for model in models if model is not None}
        return CatalogSnapshot(models=tuple(by_id.values()), origin=SnapshotOrigin.LIVE)

    async def load(self, model_id: str) -> LoadReport:
        """Never: it loads by itself, or was started with its model."""
        raise NotSupported("this openai endpoint cannot load models", remedy=_REMEDY)

    async def unload(self, model_id: str) -> None:
        """Never."""
        raise NotSupported("this openai endpoint cannot unload models", remedy=_REMEDY)

    async def _context_of_llama_cpp(self) -> int | None:
        """What it was started with; its list only has what the model was trained with."""
        try:
            content = (await self._http.get("/props", wait_s=5.0)).json()
        except EngineUnavailable:
            return None
        table = folded(content) if isinstance(content, dict) else {}
        return count_in(table_in(table, "default_generation_settings"), "n_ctx") or None
