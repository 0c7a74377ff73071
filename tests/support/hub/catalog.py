"""The catalog protocol: filters, pages, and the records that they let through."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.support.hub.model import HubModel

__all__ = ["BadQuery", "Catalog"]

_METADATA: Final = "properties/variantInfo/variantMetadata"
_MOST_PER_PAGE: Final = 1000
_EQUAL: Final = ("eq", "equals")
_UNEQUAL: Final = ("ne", "notequals")


class BadQuery(Exception):
    """The hub does not know such a question; the real service would not have guessed either."""


@dataclass(frozen=True, slots=True)
class _Filter:
    field: str
    is_wanted: bool
    values: frozenset[str]


class Catalog:
    """The models of one hub, in the order in which they are listed."""

    def __init__(self, models: Iterable[HubModel]) -> None:
        self._models: dict[str, HubModel] = {model.id: model for model in models}
        self._containers = {model.container: model for model in self._models.values()}
        # By filters: a long catalog is asked for page by page.
        self._found: dict[tuple[str, frozenset[_Filter]], Sequence[HubModel]] = {}

    @property
    def models(self) -> list[HubModel]:
        """All of them, of all catalogs."""
        return list(self._models.values())

    def put(self, model: HubModel) -> None:
        """Add it, or put it in the place of the one of that id."""
        self._models[model.id] = model
        self._containers[model.container] = model
        self._found.clear()

    def remove(self, model_id: str) -> None:
        """Take it out; links to its files that have been handed out stay good.

        Raises:
            KeyError: There is none of that id.
        """
        del self._models[model_id]
        self._found.clear()

    def get(self, model_id: str) -> HubModel | None:
        """The one of that id."""
        return self._models.get(model_id)

    def by_container(self, container: str) -> HubModel | None:
        """The one whose files are in that container."""
        return self._containers.get(container)

    def by_asset(self, asset_id: str) -> HubModel | None:
        """The one that the registry knows by that id."""
        # The end of it is name and version; the beginning may be anybody's registry.
        name, _, version = asset_id.rpartition("/models/")[2].rpartition("/versions/")
        return self._models.get(f"{name}:{version}")

    def answer(self, body: dict[str, object], catalog: str) -> bytes:
        """The JSON that answers ``body``.

        Raises:
            BadQuery: A field, operator or value that is not understood.
        """
        filters = frozenset(_filter(entry) for entry in _list(body.get("filters", []), "filters"))
        key = (catalog, filters)
        if key not in self._found:
            self._found[key] = self._select(catalog, filters)
        found = self._found[key]
        start = _count(body.get("continuationToken") or "0", "continuationToken")
        size = min(_count(body.get("pageSize", 50), "pageSize"), _MOST_PER_PAGE)
        page = found[start : start + size]
        is_last = start + size >= len(found)
        answer = {
            "totalCount": len(found),
            "continuationToken": "" if is_last else str(start + size),
            "summaries": [model.record() for model in page],
        }
        return json.dumps(answer).encode()

    def _select(self, catalog: str, filters: frozenset[_Filter]) -> Sequence[HubModel]:
        listed = [model for model in self._models.values() if model.catalog == catalog]
        newest: dict[str, int] = {}
        for model in listed:
            newest[model.name] = max(model.version, newest.get(model.name, 0))
        return [
            model
            for model in listed
            if all(
                (_value(model, wanted.field, newest) in wanted.values) == wanted.is_wanted
                for wanted in filters
            )
        ]


def _value(model: HubModel, field: str, newest: dict[str, int]) -> str:
    match field:
        case "type":
            return "models"
        case "kind":
            return "Versioned"
        case "annotations/systemCatalogData/deploymentOptions":
            return "Foundry Local on Devices"
        case "annotations/archived":
            return "true" if model.is_archived else "false"
        case "labels":
            is_latest = model.version == newest[model.name] if model.is_latest is None else model.is_latest
            return "latest" if is_latest else ""
        case "name":
            return model.name
        case "version":
            return str(model.version)
        case "license" | "annotations/license":
            return model.license
    if field == f"{_METADATA}/device":
        return model.device
    if field == f"{_METADATA}/executionProvider":
        return model.execution_provider
    raise BadQuery(f"no field {field!r}")


def _filter(entry: object) -> _Filter:
    if not isinstance(entry, dict):
        raise BadQuery(f"no filter: {entry!r}")
    field, operator = entry.get("field"), str(entry.get("operator", "")).lower()
    if not isinstance(field, str) or operator not in (*_EQUAL, *_UNEQUAL):
        raise BadQuery(f"no filter: {entry!r}")
    values = frozenset(str(value) for value in _list(entry.get("values"), "values"))
    return _Filter(field, operator in _EQUAL, values)


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise BadQuery(f"{what} is no list")
    return value


def _count(value: object, what: str) -> int:
    try:
        count = int(str(value))
    except ValueError:
        count = -1
    if count < 0:
        raise BadQuery(f"{what} is no number: {value!r}")
    return count
