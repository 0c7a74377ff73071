"""The JSON Schemas: generated, shipped, and true of what is shipped."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from foundry_tui.config.locate import shipped_folder
from foundry_tui.config.schema import BUILDERS, json_schema, write_schemas
from foundry_tui.config.settings import load_settings
from foundry_tui.config.values import Settings

FILE_SCHEMAS = ("models", "prompts", "settings")


def refusals(name: str, value: object) -> int:
    """How many errors the schema ``name`` has about ``value``."""
    return len(list(jsonschema.Draft202012Validator(json_schema(name)).iter_errors(value)))


def properties(node: object) -> Iterator[tuple[str, object]]:
    """Every property declared anywhere in a schema."""
    if isinstance(node, dict):
        declared = node.get("properties")
        if isinstance(declared, dict):
            yield from declared.items()
        for inner in node.values():
            yield from properties(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from properties(inner)


@pytest.mark.parametrize("name", FILE_SCHEMAS)
def test_a_schema_names_its_dialect_itself_and_every_field(name: str) -> None:
    schema = json_schema(name)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:foundry-tui:schema:{name}"
    assert schema["title"]
    assert schema["description"]
    undescribed = [
        field
        for field, told in properties(schema)
        if not (isinstance(told, dict) and told.get("description"))
    ]
    assert undescribed == []


def test_the_shipped_schemas_are_the_generated_ones(tmp_path: Path) -> None:
    write_schemas(tmp_path)

    shipped = {path.name: path.read_bytes() for path in (shipped_folder() / "schema").iterdir()}
    assert shipped == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(shipped) == sorted(f"{name}.json" for name in BUILDERS)


def test_the_module_rewrites_them_from_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "foundry_tui.config.schema", str(tmp_path / "new")]

    subprocess.run(command, check=True)

    assert (tmp_path / "new" / "models.json").is_file()


@pytest.mark.parametrize("name", ["models", "prompts"])
def test_the_shipped_json_files_keep_to_their_schema(name: str) -> None:
    content = json.loads((shipped_folder() / f"{name}.json").read_text(encoding="utf-8"))

    assert refusals(name, content) == 0


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("models", {"models": {"a": {"size_mb": 840}}}, 0),
        ("models", {"a": {"capabilities": ["chat"], "size_mb": 840}}, 0),
        ("models", {"models": {"a": {"size": 840}}}, 1),
        ("models", {"models": {" ": {}}}, 1),
        ("prompts", ["one", "two"], 0),
        ("prompts", {"prompts": [{"id": "a"}]}, 1),
        ("prompts", [], 1),
        ("settings", {"chat": {"max_tokens": 1}}, 0),
        ("settings", {"chat": {"max_tokens": 0}}, 1),
        ("settings", {"cat": {}}, 1),
        ("settings", {"keys": {"chat.new": "ctrl+n, f5"}}, 0),
        ("settings", {"keys": {"chat.new": "ctrl+n,"}}, 1),
        ("settings", {"keys": {"Chat": "f5"}}, 1),
    ],
)
def test_a_schema_takes_what_the_reader_takes_and_refuses_what_it_refuses(
    name: str, value: object, count: int
) -> None:
    assert refusals(name, value) == count


def test_the_shipped_settings_change_nothing() -> None:
    path = shipped_folder() / "settings.toml"

    assert load_settings(path) == Settings()
    assert refusals("settings", tomllib.loads(path.read_text(encoding="utf-8"))) == 0


def test_the_shipped_settings_offer_every_key_with_a_value_that_is_allowed(tmp_path: Path) -> None:
    text = (shipped_folder() / "settings.toml").read_text(encoding="utf-8")
    opened = tmp_path / "settings.toml"
    opened.write_text(re.sub(r'(?m)^# (?=[\w".]+ = )', "", text))

    load_settings(opened)

    offered = {name: set(table) for name, table in tomllib.loads(opened.read_text()).items()}
    definitions = json_schema("settings")["$defs"]
    assert isinstance(definitions, dict)
    fixed = {name.lower(): set(definition["properties"]) for name, definition in definitions.items()}
    assert offered == fixed | {"keys": {"chat.new"}}


def test_what_the_shipped_settings_call_a_default_is_the_default(tmp_path: Path) -> None:
    text = (shipped_folder() / "settings.toml").read_text(encoding="utf-8")
    defaults = re.sub(r"(?m)^# .*example,.*\n# .*\n", "", text)
    opened = tmp_path / "settings.toml"
    opened.write_text(re.sub(r'(?m)^# (?=[\w".]+ = )', "", defaults))

    assert "max_tokens = 512" in opened.read_text()
    assert load_settings(opened) == Settings()
