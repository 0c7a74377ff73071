"""JSON Schema, as much of it as a check of an answer needs: few keywords, each of them kept exactly.

A schema with any other keyword is refused, for one that is passed over would let every answer pass.  Patterns
and references are left out on purpose: an answer is hostile, and neither has a bound on its work.
"""

from collections.abc import Mapping, Sequence

__all__ = ["misfit", "schema_problem"]

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")
_LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_WORDS = ("$schema", "$comment", "title", "description")
_KNOWN = (
    *("type", "enum", "const", "properties", "required", "additionalProperties", "items", "uniqueItems"),
    *_COUNTS,
    *_LIMITS,
    *_WORDS,
)
_FOUND_CHARACTERS = 40


def schema_problem(schema: object, place: str = "schema") -> str | None:
    """What is expected of ``schema`` and is not so; None where it can be kept to."""
    if not isinstance(schema, dict):
        return f"an object for {place}"
    for key, value in schema.items():
        if key not in _KNOWN:
            return f"in {place} no keyword but {', '.join(_KNOWN)} (found {key})"
        if (expected := _expected(key, value)) is not None:
            return f"{expected} for {place}/{key}"
    inner = {f"properties/{name}": each for name, each in schema.get("properties", {}).items()}
    if "items" in schema:
        inner["items"] = schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        inner["additionalProperties"] = schema["additionalProperties"]
    problems = (schema_problem(each, f"{place}/{name}") for name, each in inner.items())
    return next((problem for problem in problems if problem is not None), None)


def misfit(value: object, schema: Mapping[str, object], place: str = "") -> str | None:
    """Where ``value``, which JSON was parsed to, is not as ``schema`` wants it, in words; None if it is.

    ``schema`` is one of which ``schema_problem`` found none.  As in JSON Schema a keyword for another type
    than that of the value asks for nothing, 1.0 is an integer, and true is no number.
    """
    here = place or "the whole"
    types = schema.get("type")
    if types is not None and not any(_is_of(value, each) for each in _listed(types)):
        return f"{here}: expected {' or '.join(map(str, _listed(types)))}, found {_kind(value)}"
    if "const" in schema and not _is_same(value, schema["const"]):
        return f"{here}: expected {schema['const']!r}, found {_short(value)}"
    if "enum" in schema and not any(_is_same(value, each) for each in _listed(schema["enum"])):
        return f"{here}: expected one of {_listed(schema['enum'])!r}, found {_short(value)}"
    if isinstance(value, dict):
        return _misfit_of_object(value, schema, place)
    if isinstance(value, list):
        return _misfit_of_list(value, schema, place)
    if isinstance(value, str):
        return _misfit_of_count(len(value), "characters", "Length", schema, here)
    if _is_number(value):
        return _misfit_of_number(value, schema, here)
    return None


def _misfit_of_object(value: dict[str, object], schema: Mapping[str, object], place: str) -> str | None:
    for key in _listed(schema.get("required", ())):
        if key not in value:
            return f"{place or 'the whole'}: expected the key {key}, found none"
    known = schema.get("properties")
    properties = known if isinstance(known, dict) else {}
    others = schema.get("additionalProperties", True)
    for key, inner in value.items():
        if key in properties:
            found = misfit(inner, properties[key], f"{place}/{key}")
        elif others is False:
            return f"{place or 'the whole'}: expected no key but {', '.join(properties)}, found {_short(key)}"
        else:
            found = misfit(inner, others, f"{place}/{key}") if isinstance(others, dict) else None
        if found is not None:
            return found
    return None


def _misfit_of_list(value: list[object], schema: Mapping[str, object], place: str) -> str | None:
    found = _misfit_of_count(len(value), "items", "Items", schema, place or "the whole")
    if found is not None:
        return found
    if schema.get("uniqueItems") is True and len(value) > len({_key(each) for each in value}):
        return f"{place or 'the whole'}: expected each item once, found one again"
    items = schema.get("items")
    if isinstance(items, dict):
        misfits = (misfit(each, items, f"{place}/{index}") for index, each in enumerate(value))
        return next((each for each in misfits if each is not None), None)
    return None


def _misfit_of_count(
    count: int, what: str, keyword: str, schema: Mapping[str, object], here: str
) -> str | None:
    low, high = schema.get(f"min{keyword}"), schema.get(f"max{keyword}")
    if isinstance(low, int) and count < low:
        return f"{here}: expected at least {low} {what}, found {count}"
    if isinstance(high, int) and count > high:
        return f"{here}: expected at most {high} {what}, found {count}"
    return None


def _misfit_of_number(value: object, schema: Mapping[str, object], here: str) -> str | None:
    assert isinstance(value, int | float)
    for keyword, words in zip(_LIMITS, ("from {} up", "up to {}", "above {}", "below {}"), strict=True):
        limit = schema.get(keyword)
        if not isinstance(limit, int | float):
            continue
        is_kept = {
            "minimum": value >= limit,
            "maximum": value <= limit,
            "exclusiveMinimum": value > limit,
            "exclusiveMaximum": value < limit,
        }[keyword]
        if not is_kept:
            return f"{here}: expected a number {words.format(limit)}, found {_short(value)}"
    return None


def _expected(key: str, value: object) -> str | None:
    """What ``key`` of a schema has to be and is not."""
    if key == "type" and not (_listed(value) and all(each in _TYPES for each in _listed(value))):
        return f"one of {', '.join(_TYPES)}, or a list of them,"
    if key == "enum" and not (isinstance(value, list) and value):
        return "a list that is not empty"
    if key == "required" and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        return "a list of texts"
    if key == "properties" and not isinstance(value, dict):
        return "an object"
    if key == "additionalProperties" and not isinstance(value, bool | dict):
        return "true, false or an object"
    if key == "uniqueItems" and not isinstance(value, bool):
        return "true or false"
    if key in _COUNTS and not (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return "a whole number from 0 up"
    if key in _LIMITS and not _is_number(value):
        return "a number"
    return None


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_of(value: object, name: object) -> bool:
    match name:
        case "number":
            return _is_number(value)
        case "integer":
            is_whole = isinstance(value, float) and value.is_integer()
            return is_whole or (isinstance(value, int) and not isinstance(value, bool))
        case _:
            return _kind(value) == name


def _kind(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case None:
            return "null"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _is_same(one: object, other: object) -> bool:
    """Equal as JSON is: 1 is 1.0 and not true."""
    return _key(one) == _key(other)


def _key(value: object) -> object:
    """Something hashable that is equal for equal JSON."""
    match value:
        case bool():
            return ("boolean", value)
        case list():
            return ("array", tuple(_key(each) for each in value))
        case dict():
            return ("object", frozenset((name, _key(each)) for name, each in value.items()))
        case _:
            return value


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _FOUND_CHARACTERS else f"{text[:_FOUND_CHARACTERS]}…"
