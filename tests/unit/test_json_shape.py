"""JSON Schema, as much as checks need: held against the reference implementation."""

import jsonschema
import pytest

from foundry_tui.domain.json_shape import misfit, schema_problem

SCHEMAS: list[dict[str, object]] = [
    {},
    {"type": "array"},
    {"type": "boolean"},
    {"type": "integer"},
    {"type": "null"},
    {"type": "number"},
    {"type": "object"},
    {"type": "string"},
    {"type": ["string", "null"]},
    {"const": 1},
    {"const": [1, {"a": None}]},
    {"enum": ["a", True, 0, None]},
    {"minimum": 1, "maximum": 2},
    {"exclusiveMinimum": 1, "exclusiveMaximum": 3},
    {"minLength": 2, "maxLength": 3},
    {"minItems": 1, "maxItems": 2, "items": {"type": "integer"}},
    {"uniqueItems": True},
    {"required": ["a"], "properties": {"a": {"type": "number"}}, "additionalProperties": False},
    {"properties": {"a": {"required": ["b"]}}, "additionalProperties": {"type": "string"}},
    {"title": "t", "description": "d", "$comment": "c"},
]
VALUES: list[object] = [
    *(None, True, False, 0, 1, 1.0, 1.5, 2, 3, float("inf"), "", "a", "ab", "abcd"),
    *([], [1], [1, 1.0], [1, True], [1, 2, 3], ["a"], [1, {"a": None}], [[1], [1]]),
    *({}, {"a": 1}, {"a": "x"}, {"a": {}}, {"a": {"b": 1}}, {"a": 1, "b": "x"}, {"b": 1}),
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_finds_what_the_reference_finds(schema: dict[str, object]) -> None:
    validator = jsonschema.Draft202012Validator(schema)

    assert schema_problem(schema) is None
    for value in VALUES:
        assert (misfit(value, schema) is None) == validator.is_valid(value), value


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ("object", "an object for schema"),
        ({"type": "objekt"}, "one of array, boolean"),
        ({"type": []}, "one of array, boolean"),
        ({"enum": []}, "a list that is not empty for schema/enum"),
        ({"required": "a"}, "a list of texts for schema/required"),
        ({"properties": []}, "an object for schema/properties"),
        (
            {"properties": {"a": {"minLength": -1}}},
            "a whole number from 0 up for schema/properties/a/minLength",
        ),
        ({"items": {"minimum": "1"}}, "a number for schema/items/minimum"),
        ({"items": [1]}, "an object for schema/items"),
        ({"additionalProperties": 1}, "true, false or an object for schema/additionalProperties"),
        ({"uniqueItems": 1}, "true or false for schema/uniqueItems"),
        ({"pattern": "a+"}, "in schema no keyword but type,"),
        ({"items": {"$ref": "#"}}, "in schema/items no keyword but type,"),
    ],
)
def test_what_cannot_be_kept_to_is_refused_and_not_passed_over(schema: object, problem: str) -> None:
    found = schema_problem(schema)

    assert found is not None
    assert found.startswith(problem)
