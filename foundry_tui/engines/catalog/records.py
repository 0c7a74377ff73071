"""Records of public catalogs: what came over the network becomes variants, or is left out.

Two shapes are known: the flat one (``summaries``) that the runtime asks for today, and the nested one
(``value``) of the index behind it, whose entries stand in ``properties`` and ``annotations``.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.catalog.json_walk import LIST_BEGINS, entries_of
from foundry_tui.engines.catalog.snapshot import device_of

__all__ = ["CatalogPage", "read_page", "record_of", "variant_of"]

_LISTS: Final = frozenset({"summaries", "value"})
_NESTED: Final = "indexEntitiesResponse"
_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 400
_LONGEST_LICENSE: Final = 200_000
_MOST_CAPABILITIES: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogPage:
    """One answer of a catalog.

    Attributes:
        records: How many there were, those that could not be read among them.
        token: What asks for the next page; None on the last.
    """

    models: tuple[ModelVariant, ...]
    records: int
    token: str | None


def read_page(text: str) -> CatalogPage:
    """What a catalog answered.

    Raises:
        ValueError: It is no answer of a catalog.
        RecursionError: It is nested too deeply.
    """
    models: list[ModelVariant] = []
    records, token, is_catalog = 0, None, False
    for key, value in _entries(text):
        if key == "continuationToken":
            token = _text(value, _LONGEST_TEXT * 10)
        elif value is LIST_BEGINS:
            is_catalog = True
        elif key in _LISTS:
            records += 1
            if isinstance(value, dict) and (model := variant_of(value)) is not None:
                models.append(model)
    if not is_catalog:
        raise ValueError("it has no list of models")
    return CatalogPage(models=tuple(models), records=records, token=token)


def variant_of(record: dict[str, Any]) -> ModelVariant | None:
    """The variant that a record describes; None if it does not name one."""
    name, version = _text(_look(record, "name"), _LONGEST_NAME), _look(record, "version")
    if isinstance(version, int) and not isinstance(version, bool):
        version = str(version)
    version = _text(version, 40)
    if name is None or version is None:
        return None
    information = _table(_look(record, "variantInformation", "variantInfo"))
    metadata = _table(information.get("variantMetadata"))
    limits = _table(_table(_look(record, "modelLimits")).get("textLimits"))
    tasks = _look(record, "inferenceTasks", "task")
    task = tasks[0] if isinstance(tasks, list) and tasks else tasks
    provider = _text(metadata.get("executionProvider"))
    context = _count(limits.get("inputContextWindow"))
    quantization = ",".join(_texts(metadata.get("quantization")))
    model_id = f"{name}:{version}"
    return ModelVariant(
        id=model_id,
        alias=_text(_look(record, "alias"), _LONGEST_NAME) or name,
        catalog=CatalogKind.PUBLIC,
        display_name=_text(_look(record, "displayName")),
        publisher=_text(_look(record, "publisher"), _LONGEST_NAME),
        license=_text(_look(record, "license")),
        license_text=_text(_look(record, "licenseDescription"), _LONGEST_LICENSE),
        task=_text(task),
        device=device_of(provider, _text(metadata.get("device")), model_id),
        execution_provider=provider,
        quantization=quantization or None,
        size_bytes=_count(metadata.get("fileSizeBytes")),
        context_tokens=context,
        advertised_context_tokens=context,
        max_output_tokens=_count(limits.get("maxOutputTokens")),
        capabilities=tuple(_texts(_look(record, "modelCapabilities"))),
        min_runtime_version=_text(_look(record, "minFLVersion"), 40),
    )


def record_of(model: ModelVariant) -> dict[str, object]:
    """A record from which ``variant_of`` makes ``model`` again, as far as a catalog can tell of it."""
    name, _, version = model.id.rpartition(":")
    return {
        "name": name,
        "version": version,
        "alias": model.alias,
        "displayName": model.display_name,
        "publisher": model.publisher,
        "license": model.license,
        "licenseDescription": model.license_text,
        "minFLVersion": model.min_runtime_version,
        "inferenceTasks": [model.task],
        "modelCapabilities": model.capabilities,
        "modelLimits": {
            "textLimits": {
                "inputContextWindow": model.advertised_context_tokens,
                "maxOutputTokens": model.max_output_tokens,
            }
        },
        "variantInformation": {
            "variantMetadata": {
                "device": model.device,
                "executionProvider": model.execution_provider,
                "quantization": [model.quantization],
                "fileSizeBytes": model.size_bytes,
            }
        },
    }


def _entries(text: str) -> Iterator[tuple[str, Any]]:
    for key, value in entries_of(text, lists=_LISTS):
        if key == _NESTED and isinstance(value, dict):
            for inner, content in value.items():
                if inner in _LISTS and isinstance(content, list):
                    yield inner, LIST_BEGINS
                    yield from ((inner, entry) for entry in content)
                else:
                    yield inner, content
        else:
            yield key, value


def _look(record: dict[str, Any], *names: str) -> Any:
    """The first of ``names`` that the record has, at its top or in one of its nested parts."""
    for name in names:
        if name in record:
            return record[name]
    properties, annotations = _table(record.get("properties")), _table(record.get("annotations"))
    parts = (properties, annotations, _table(annotations.get("systemCatalogData")))
    for part in (*parts, _table(annotations.get("tags"))):
        for name in names:
            if name in part:
                return part[name]
    return None


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object, longest: int = _LONGEST_TEXT) -> str | None:
    """``value`` if it is a text of that length at most: cut, it would say something else."""
    # The same licence, publisher and provider stand in thousands of records: one copy of each will do.
    return sys.intern(value) if isinstance(value, str) and 0 < len(value) <= longest else None


def _texts(value: object) -> Iterator[str]:
    for entry in value[:_MOST_CAPABILITIES] if isinstance(value, list) else []:
        if (text := _text(entry)) is not None:
            yield text


def _count(value: object) -> int | None:
    # Beyond that it is no size of anything, and no database or screen takes it.
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53
    return value if is_count and isinstance(value, int) else None
