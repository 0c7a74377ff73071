"""What a prompt is judged by goes with it: from ``prompts.json`` into the plan, what is kept and exported."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from foundry_tui.config.plan_file import load_plan
from foundry_tui.config.prompts_file import load_prompts
from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import BenchPlan, PlannedPrompt, Run, RunStatus
from foundry_tui.domain.check_form import check_object
from foundry_tui.domain.checks import (
    Contains,
    ContainsNot,
    Extent,
    FollowsSchema,
    InLanguage,
    IsJson,
    Matches,
    Needs,
    NumberIs,
    Unit,
    Which,
)
from foundry_tui.domain.errors import BadInput
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_matching import Across, Side, differences
from foundry_tui.reports.run_reading import read_run
from foundry_tui.storage.plans import packed_plan, unpacked_plan
from tests.support.runs import a_run

PLAIN = PlannedPrompt(id="p1", text="Why?")
CHECKS = (
    Contains(texts=("be", "cause"), needs=Needs.ANY, ignores_case=True, whole_words=True),
    ContainsNot(texts=("maybe",)),
    Matches(pattern="^because"),
    IsJson(allows_fence=True),
    FollowsSchema(schema='{"type": "object"}'),
    NumberIs(equals=1.5, tolerance=0.25, which=Which.LAST),
    Extent(unit=Unit.SENTENCES, low=1, high=2),
    Extent(unit=Unit.WORDS, high=2),
    InLanguage(language="en"),
)
JUDGED = replace(PLAIN, aspects=("says why", "is brief"), checks=CHECKS)


def a_finished_run(prompt: PlannedPrompt) -> Run:
    run = replace(a_run(), status=RunStatus.COMPLETED, ended_unix_ms=2_000)
    return replace(run, plan=replace(run.plan, prompts=(prompt,)))


def test_a_prompt_of_a_file_is_planned_with_its_aspects_and_checks(tmp_path: Path) -> None:
    path = tmp_path / "prompts.json"
    entry = {"aspects": JUDGED.aspects, "checks": [check_object(check) for check in CHECKS]}
    path.write_text(json.dumps({"prompts": [{"id": "p1", "text": "Why?", **entry}]}))
    jsonschema.validate(json.loads(path.read_text()), json_schema("prompts"))

    assert [prompt.planned for prompt in load_prompts(path)] == [JUDGED]


def test_a_stored_plan_has_them() -> None:
    plan = BenchPlan(models=("m",), prompts=(JUDGED,))

    assert unpacked_plan(packed_plan(plan)) == plan


def test_a_plan_without_them_is_stored_as_it_always_was_and_read_from_then() -> None:
    plan = BenchPlan(models=("m",), prompts=(PLAIN,))

    assert json.loads(packed_plan(plan))["prompts"] == [{"id": "p1", "text": "Why?", "system": None}]
    assert unpacked_plan(packed_plan(plan)) == plan


def test_an_exported_run_has_them_after_it_is_read_again() -> None:
    content = results_object(a_finished_run(JUDGED), [])

    jsonschema.validate(json.loads(results_json(content)), json_schema("results"))
    assert read_run(results_json(content), "a file", now_unix_ms=0).run.plan.prompts == (JUDGED,)


def test_an_exported_run_of_a_version_without_them_has_none() -> None:
    content = json.loads(results_json(results_object(a_finished_run(JUDGED), [])))
    del content["run"]["plan"]["prompt_set"][0]["aspects"]
    del content["run"]["plan"]["prompt_set"][0]["checks"]

    jsonschema.validate(content, json_schema("results"))
    assert read_run(json.dumps(content), "a file", now_unix_ms=0).run.plan.prompts == (PLAIN,)


def test_the_plan_of_an_exported_run_asks_the_same_and_judges_by_the_same(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(results_json(results_object(a_finished_run(JUDGED), [])))

    assert load_plan(path).prompts == (JUDGED,)


def test_runs_are_held_against_each_other_whatever_their_answers_are_judged_by() -> None:
    before, after = (Side(run=run, model=run.models[0]) for run in map(a_finished_run, (PLAIN, JUDGED)))

    assert differences(before, after, Across.RUN) == ()


def test_a_check_that_is_none_in_an_exported_run_is_refused_with_its_place() -> None:
    content = json.loads(results_json(results_object(a_finished_run(JUDGED), [])))
    content["run"]["plan"]["prompt_set"][0]["checks"][1] = {"kind": "smells"}

    with pytest.raises(BadInput, match=r"a file: /run/plan/prompt_set/0/checks/1: expected a kind of check"):
        read_run(json.dumps(content), "a file", now_unix_ms=0)
