"""Lists of models in the shapes that servers give them, hostile input: what does not fit is unknown."""

import re
from collections.abc import Mapping, Sequence

from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.catalog.snapshot import device_of

__all__ = [
    "alias_candidates",
    "alias_of",
    "catalog_model",
    "count_in",
    "folded",
    "ids_in",
    "is_listing",
    "listed_model",
    "records_in",
    "software_in",
    "table_in",
    "text_in",
]

_SUFFIX = re.compile(r"-(?:[a-z0-9]+-)?(?:cpu|gpu|npu)$", re.IGNORECASE)
_TUNED = re.compile(r"-(?:instruct|chat|it)(?=-|$)")
_DISTILLED = re.compile(r"-distill-[a-z]+")
_BYTES_PER_MB = 1024 * 1024
# The limit that requests meet, best known first; then what the model was made for.
_REAL_CONTEXT = ("n_ctx", "loaded_context_length", "max_model_len")
_MADE_FOR_CONTEXT = ("context_length", "context_window", "max_context_length", "n_ctx_train")
_SOFTWARE = {
    "llamacpp": "llama.cpp",
    "vllm": "vLLM",
    "library": "Ollama",
    "organization_owner": "LM Studio",
    "me": "llama-cpp-python",
}
_EXTENSION = re.compile(r"\.gguf$", re.IGNORECASE)


def alias_of(model_id: str) -> str:
    """The family name in a variant id: without version and device suffix.

    The server does not tell aliases; this is the catalog's own habit of naming.
    """
    return _SUFFIX.sub("", model_id.partition(":")[0])


def alias_candidates(model_id: str) -> tuple[str, ...]:
    """What the alias of ``model_id`` may be, the likeliest first.

    The catalog leaves out more than the device: ``qwen2.5-0.5b-instruct-generic-cpu`` is ``qwen2.5-0.5b``.
    """
    stem = alias_of(model_id)
    lowered = stem.lower()
    short = _DISTILLED.sub("", _TUNED.sub("", lowered))
    return tuple(dict.fromkeys((stem, lowered, short)))


def folded(record: Mapping[object, object]) -> dict[str, object]:
    """``record`` with its keys in lower case: documentation and service do not agree on theirs."""
    return {key.lower(): value for key, value in record.items() if isinstance(key, str)}


def is_listing(content: object) -> bool:
    """Whether ``content`` is a list of models, an empty one too; a server without models may say null."""
    if isinstance(content, list):
        return all(isinstance(entry, dict | str) for entry in content)
    if not isinstance(content, dict):
        return False
    named = [content[key] for key in ("data", "models") if key in content]
    return any(isinstance(value, list) for value in named) or (
        named == [None] and content.get("object") == "list"
    )


def records_in(content: object) -> list[dict[str, object]]:
    """The entries of a list, bare or below ``data`` or ``models``, keys in lower case; a string is an id."""
    if isinstance(content, dict):
        table = folded(content)
        content = next((table[key] for key in ("data", "models") if table.get(key) is not None), [])
    entries = content if isinstance(content, list) else []
    return [
        folded(entry) if isinstance(entry, dict) else {"id": entry}
        for entry in entries
        if isinstance(entry, dict) or (isinstance(entry, str) and entry)
    ]


def ids_in(content: object) -> list[str]:
    """The ids of a list in any of its shapes, none twice."""
    named = (text_in(record, "id") or text_in(record, "name") for record in records_in(content))
    return list(dict.fromkeys(name for name in named if name is not None))


def catalog_model(record: Mapping[str, object], *, is_cached: bool, is_loaded: bool) -> ModelVariant | None:
    """An entry of the v1 service's catalog; None where it names no model."""
    model_id = text_in(record, "name") or text_in(record, "id")
    if model_id is None:
        return None
    runtime = table_in(record, "runtime")
    provider = text_in(runtime, "executionprovider")
    size_mb = count_in(record, "filesizemb")
    can_call_tools = record.get("supportstoolcalling") is True
    return ModelVariant(
        id=model_id,
        alias=text_in(record, "alias") or alias_of(model_id),
        catalog=CatalogKind.ENDPOINT,
        display_name=text_in(record, "displayname"),
        publisher=text_in(record, "publisher"),
        license=text_in(record, "license"),
        license_text=text_in(record, "licensedescription"),
        task=text_in(record, "task"),
        device=device_of(provider, text_in(runtime, "devicetype"), model_id),
        execution_provider=provider,
        size_bytes=None if size_mb is None else size_mb * _BYTES_PER_MB,
        context_tokens=count_in(record, "contextlength"),
        advertised_context_tokens=count_in(record, "contextlength"),
        max_output_tokens=count_in(record, "maxoutputtokens"),
        capabilities=("tool-calling",) if can_call_tools else (),
        is_cached=is_cached,
        is_loaded=is_loaded,
    )


def listed_model(record: Mapping[str, object], *, context_tokens: int | None = None) -> ModelVariant | None:
    """An entry of ``/v1/models`` of whatever server; None where it names no model.

    Args:
        record: As ``records_in`` gives it.
        context_tokens: The limit that requests meet, where the server told it elsewhere.
    """
    model_id = text_in(record, "id") or text_in(record, "name")
    if model_id is None:
        return None
    meta = table_in(record, "meta")
    facts = {**meta, **record}
    real = next((found for key in _REAL_CONTEXT if (found := count_in(facts, key))), None)
    made_for = next((found for key in _MADE_FOR_CONTEXT if (found := count_in(facts, key))), None)
    owner = text_in(record, "owned_by")
    name = text_in(record, "display_name") or text_in(record, "name") or _name_of_file(model_id)
    return ModelVariant(
        id=model_id,
        alias=alias_of(model_id),
        catalog=CatalogKind.ENDPOINT,
        display_name=None if name == model_id else name,
        publisher=owner if owner is not None and owner.lower() not in _SOFTWARE else None,
        size_bytes=count_in(meta, "size"),
        context_tokens=context_tokens or real or made_for,
        advertised_context_tokens=made_for,
    )


def software_in(records: Sequence[Mapping[str, object]], server: str | None) -> str | None:
    """Which program a server is, by what it says of its models' owner or of itself; None if by neither."""
    if server is not None and "llama.cpp" in server.lower():
        return "llama.cpp"
    owners = (text_in(record, "owned_by") for record in records)
    return next((_SOFTWARE[owner.lower()] for owner in owners if owner and owner.lower() in _SOFTWARE), None)


def text_in(record: Mapping[str, object], key: str) -> str | None:
    """The text under ``key``; None where there is none."""
    value = record.get(key)
    return value if isinstance(value, str) and value else None


def count_in(record: Mapping[str, object], key: str) -> int | None:
    """The number under ``key``, whole and not negative; None where there is none."""
    value = record.get(key)
    if isinstance(value, float) and 0 <= value < 1e15:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def table_in(record: Mapping[str, object], key: str) -> dict[str, object]:
    """The object under ``key`` with its keys in lower case; empty where there is none."""
    value = record.get(key)
    return folded(value) if isinstance(value, dict) else {}


def _name_of_file(model_id: str) -> str | None:
    """What a server that names models by their files would better have said."""
    if "/" not in model_id and "\\" not in model_id:
        return None
    if _EXTENSION.search(model_id) is None:
        return None
    return _EXTENSION.sub("", re.split(r"[/\\]", model_id)[-1]) or None
