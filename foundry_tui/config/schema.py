"""JSON Schema (draft 2020-12) of our files and outputs, by the name that ``foundry-tui schema`` takes.

``python -m foundry_tui.config.schema config/schema`` writes all of them into that folder.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from foundry_tui.config.choice_schema import choice_schema
from foundry_tui.config.judge_schemas import judge_schema
from foundry_tui.config.output_schemas import (
    conversation_list_schema,
    conversation_schema,
    doctor_schema,
    model_list_schema,
    validation_schema,
    verification_schema,
)
from foundry_tui.config.result_schemas import (
    bench_plan_schema,
    comparison_schema,
    history_schema,
    results_schema,
    run_list_schema,
)
from foundry_tui.config.score_schemas import agreement_schema, checks_schema, quality_schema
from foundry_tui.config.selftest_schema import selftest_schema

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["BUILDERS", "JsonSchema", "json_schema", "write_schemas"]

JsonSchema: TypeAlias = dict[str, object]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _models() -> JsonSchema:
    from foundry_tui.config.shapes import AnyModels

    return _of_shape(AnyModels)


def _prompts() -> JsonSchema:
    from foundry_tui.config.shapes import AnyPrompts

    return _of_shape(AnyPrompts)


def _rubric() -> JsonSchema:
    from foundry_tui.config.shapes import RubricFile

    return _of_shape(RubricFile)


def _plan() -> JsonSchema:
    from foundry_tui.config.shapes import PlanFile

    return _of_shape(PlanFile)


def _settings() -> JsonSchema:
    from foundry_tui.config.shapes import SettingsFile

    return _of_shape(SettingsFile)


# A new file or output gets its schema by one more line here: its name, its title, what builds the rest.
BUILDERS: dict[str, tuple[str, Callable[[], JsonSchema]]] = {
    "models": ("models.json of foundry-tui: notes about models", _models),
    "prompts": ("prompts.json of foundry-tui: a set of prompts", _prompts),
    "rubric": ("rubric.json of foundry-tui: what answers are scored by", _rubric),
    "settings": ("settings.toml of foundry-tui", _settings),
    "plan": ("a plan of foundry-tui bench", _plan),
    "results": ("results of foundry-tui: requests with their readings", results_schema),
    "bench-plan": ("output of foundry-tui bench --dry-run --json", bench_plan_schema),
    "comparison": ("output of foundry-tui compare --json", comparison_schema),
    "quality": ("output of foundry-tui score show --json", quality_schema),
    "agreement": ("output of foundry-tui score agreement --json", agreement_schema),
    "judge": ("output of foundry-tui score judge --json", judge_schema),
    "checks": ("output of foundry-tui score checks --json", checks_schema),
    "choice": ("output of foundry-tui models pick --json", choice_schema),
    "run-list": ("output of foundry-tui runs list --json", run_list_schema),
    "run-history": ("output of foundry-tui runs history --json", history_schema),
    "model-list": ("output of foundry-tui models list --json", model_list_schema),
    "conversation": ("a conversation kept by foundry-tui, as JSON", conversation_schema),
    "conversation-list": (
        "output of foundry-tui conversations list|search --json",
        conversation_list_schema,
    ),
    "doctor": ("output of foundry-tui doctor --json", doctor_schema),
    "selftest": ("output of foundry-tui selftest --json", selftest_schema),
    "validation": ("output of foundry-tui validate --json", validation_schema),
    "verification": ("output of foundry-tui models verify --json", verification_schema),
}


def json_schema(name: str) -> JsonSchema:
    """The schema called ``name``.

    Raises:
        KeyError: There is none of that name; ``BUILDERS`` has those that there are.
    """
    title, build = BUILDERS[name]
    head: JsonSchema = {"$schema": _DIALECT, "$id": f"urn:foundry-tui:schema:{name}", "title": title}
    return head | {key: value for key, value in build().items() if key not in head}


def write_schemas(folder: Path) -> None:
    """Write every schema to ``folder/name.json``, over what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in BUILDERS:
        text = json.dumps(json_schema(name), indent=2, ensure_ascii=False)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")


def _of_shape(shape: "type[BaseModel]") -> JsonSchema:
    """The schema of a pydantic class, without a title made from each field's name."""
    from pydantic.json_schema import GenerateJsonSchema

    class Untitled(GenerateJsonSchema):
        def field_title_should_be_set(self, schema: object) -> bool:
            return False

    schema: JsonSchema = shape.model_json_schema(schema_generator=Untitled)
    return schema


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m foundry_tui.config.schema FOLDER")
    write_schemas(Path(sys.argv[1]))
