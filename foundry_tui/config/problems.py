"""Why a document does not have its shape, in words: where, what was expected, what was found."""

import difflib
import json
from typing import TYPE_CHECKING

from foundry_tui.config.documents import Document, Syntax, file_problem, pointer
from foundry_tui.config.shapes import ACTION_ID, CRITERION_ID, ENVIRONMENT_NAME, KEY_NAMES, NOT_BLANK
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["shape_problem", "value_problem"]

_SHOWN = 3
_FOUND_CHARACTERS = 40
_PATTERNS = {
    NOT_BLANK: "text that is not blank",
    ENVIRONMENT_NAME: "the name of an environment variable (letters, digits and _)",
    ACTION_ID: "the id of an action (small letters, _ and dots)",
    CRITERION_ID: "an id (small letters, digits, _ and -, a letter first)",
    KEY_NAMES: "names of keys with commas between them",
}
_EXPECTED = {
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number from {ge} up",
    "int_type": "a whole number",
    "less_than_equal": "a number up to {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "string_type": "text in quotes",
    "string_unicode": "text without halves of surrogate pairs",
    "string_too_short": "text that is not empty",
    "too_short": "at least {min_length} item",
    "union_tag_invalid": "a kind that is one of {expected_tags}",
    "union_tag_not_found": "the key kind with what kind it is",
}
_MAPPING = {Syntax.JSON: "an object", Syntax.TOML: "a table"}


def shape_problem(
    document: Document, shape: "type[BaseModel]", error: "ValidationError", schema_name: str
) -> BadInput:
    """The error for a document that ``shape`` refused; it names the first three problems and their number."""
    details = error.errors(include_url=False)
    told = [_tell(document.syntax, shape, detail) for detail in details[:_SHOWN]]
    if len(details) == 1:
        problem = told[0]
    elif len(details) <= _SHOWN:
        problem = f"{len(details)} problems: {'; '.join(told)}"
    else:
        problem = f"{len(details)} problems, the first {_SHOWN}: {'; '.join(told)}"
    guesses = (_guess(shape, detail) for detail in details)
    guess = next((f"{guess}  " for guess in guesses if guess is not None), "")
    return file_problem(
        document.path, problem, f"{guess}`foundry-tui schema {schema_name}` prints the format."
    )


def value_problem(error: "ValidationError") -> str:
    """What is wrong with the one value that was tried: what was expected, what was found."""
    return _expectation(Syntax.TOML, error.errors(include_url=False)[0])


def _tell(syntax: Syntax, shape: "type[BaseModel]", detail: "ErrorDetails") -> str:
    # pydantic marks the key of a mapping, where that is the trouble, with a last part of its own.
    keys = [key for key in detail["loc"] if key != "[key]"]
    place = clean_line(pointer(*_without_tags(shape, keys)), 120)
    if detail["type"] == "missing":
        return f"{place}: expected this key, found nothing"
    if detail["type"] == "extra_forbidden":
        known = ", ".join(_known_keys(shape, keys[:-1]))
        return f"{place}: expected one of the keys {known}, found {_found(syntax, keys[-1])}"
    return f"{place}: {_expectation(syntax, detail)}"


def _expectation(syntax: Syntax, detail: "ErrorDetails") -> str:
    kind, value = detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "string_pattern_mismatch":
        expected = _PATTERNS[context["pattern"]]
    elif kind in ("dict_type", "model_type", "model_attributes_type"):
        expected = _MAPPING[syntax]
    elif kind in _EXPECTED:
        expected = _EXPECTED[kind].format_map({name: _plain(limit) for name, limit in context.items()})
    else:
        expected = f"something else ({detail['msg']})"
    if detail["loc"] and detail["loc"][-1] == "api_key_env" and isinstance(value, str):
        found = f"text of {len(value)} characters"  # somebody put the key itself there
    else:
        found = _found(syntax, value)
    return f"expected {expected}, found {found}"


def _found(syntax: Syntax, value: object) -> str:
    match value:
        case dict():
            return f"{_MAPPING[syntax]} of {len(value)}"
        case list():
            return f"a list of {len(value)}"
        case bool() | None:
            return json.dumps(value)
        case str():
            return f'"{clean_line(value, _FOUND_CHARACTERS)}"'
        case _:
            return clean_line(str(value), _FOUND_CHARACTERS)


def _plain(limit: object) -> object:
    """A limit as a person writes it: 2 and not 2.0."""
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _guess(shape: "type[BaseModel]", detail: "ErrorDetails") -> str | None:
    if not detail["loc"]:
        return None
    *path, unknown = detail["loc"]
    if path == ["keys"] and isinstance(detail["input"], dict):
        return f'Write the whole id of the action in quotes, as in "{clean_line(str(unknown), 40)}.…" = "f5".'
    if detail["type"] != "extra_forbidden":
        return None
    likest = difflib.get_close_matches(str(unknown), _known_keys(shape, path), n=1, cutoff=0.7)
    return f"Did you mean {likest[0]}?" if likest else None


def _known_keys(shape: "type[BaseModel]", keys: list[int | str]) -> list[str]:
    """The keys that the mapping at ``keys`` may have, in the order of their declaration."""
    schema: dict[str, object] = shape.model_json_schema()
    node = schema
    for key in keys:
        node = _step(schema, node, key)
    return list(_inner(schema, node, "properties"))


def _without_tags(shape: "type[BaseModel]", keys: list[int | str]) -> list[int | str]:
    """``keys`` without those that name the kind of what stands there: pydantic's way, and in no document."""
    schema: dict[str, object] = shape.model_json_schema()
    node, kept = schema, []
    for key in keys:
        if "discriminator" not in node:
            kept.append(key)
        node = _step(schema, node, key)
    return kept


def _step(schema: dict[str, object], node: dict[str, object], key: int | str) -> dict[str, object]:
    """What ``node`` has at ``key``; where it is one of several kinds, the kind that ``key`` names."""
    if "discriminator" in node:
        kinds = _inner(schema, _inner(schema, node, "discriminator"), "mapping")
        inner = _inner(schema, {"kind": {"$ref": kinds.get(str(key))}}, "kind")
    elif isinstance(key, int):
        inner = _inner(schema, node, "items")
    elif "properties" in node:
        inner = _inner(schema, _inner(schema, node, "properties"), key)
    else:
        inner = _inner(schema, _inner(schema, node, "patternProperties"), NOT_BLANK)
    # A value that may be null is a union, of which only the other part has anything in it.
    parts = inner.get("anyOf")
    present = [part for part in parts if part != {"type": "null"}] if isinstance(parts, list) else []
    return _inner(schema, {"one": present[0]}, "one") if len(present) == 1 else inner


def _inner(schema: dict[str, object], node: dict[str, object], key: str) -> dict[str, object]:
    inner = node.get(key)
    if isinstance(inner, dict) and isinstance(inner.get("$ref"), str):
        name = inner["$ref"].removeprefix("#/$defs/")
        return _inner(schema, _inner(schema, schema, "$defs"), name)
    return inner if isinstance(inner, dict) else {}
