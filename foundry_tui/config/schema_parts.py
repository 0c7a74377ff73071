"""The pieces that every JSON Schema of what commands print is put together from."""

from collections.abc import Collection
from typing import TypeAlias

__all__ = [
    "COUNT",
    "COUNT_OR_NULL",
    "INTERVAL",
    "NUMBER",
    "NUMBER_OR_NULL",
    "TEXT",
    "TEXTS",
    "TEXT_OR_NULL",
    "TRUTH",
    "TRUTH_OR_NULL",
    "Schema",
    "list_of",
    "object_of",
    "or_null",
]

Schema: TypeAlias = dict[str, object]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
TEXTS: Schema = {"type": "array", "items": TEXT}
COUNT: Schema = {"type": "integer", "minimum": 0}
COUNT_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 0}
NUMBER: Schema = {"type": "number"}
NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
TRUTH: Schema = {"type": "boolean"}
TRUTH_OR_NULL: Schema = {"type": ["boolean", "null"]}
INTERVAL: Schema = {
    "anyOf": [
        {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        {"type": "null"},
    ]
}


def object_of(properties: dict[str, Schema], *, optional: Collection[str] = ()) -> Schema:
    """An object that has all of ``properties`` but those which are ``optional``, of whatever came later."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def list_of(entries: Schema) -> Schema:
    """A list of such entries."""
    return {"type": "array", "items": entries}


def or_null(schema: Schema) -> Schema:
    """That, or null where it is not known."""
    return {"anyOf": [schema, {"type": "null"}]}
