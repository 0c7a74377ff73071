"""The checks of a run: which answers they are made of, and how reports tell what they found."""

import json
from dataclasses import replace

import jsonschema

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import PlannedPrompt, RequestRun, Run, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.checks import Check, Contains, Extent, InLanguage, Matches, NumberIs, Unit
from foundry_tui.metrics.checks import Passed
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.reports.check_words import (
    check_words,
    checks_lines,
    checks_rows,
    finding_lines,
    unanswered_lines,
)
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_html import run_html
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.services.scoring.checks import answers_to_check, run_checks
from tests.support.runs import a_request, a_run

HOW_MANY = PlannedPrompt(
    id="p1", text="How many?", checks=(NumberIs(equals=165), Extent(unit=Unit.WORDS, high=1))
)
WHY = PlannedPrompt(id="p2", text="Why?", checks=(Matches(pattern="^be"), InLanguage(language="en")))
FREE = PlannedPrompt(id="p3", text="Anything?")


def the_run(*prompts: PlannedPrompt) -> Run:
    run = replace(a_run(), status=RunStatus.COMPLETED, ended_unix_ms=2_000)
    return replace(run, plan=replace(run.plan, prompts=prompts or (HOW_MANY, WHY, FREE)))


def answered(number: int, model: str, prompt_id: str, text: str, *, round_number: int = 1) -> RequestRun:
    return replace(a_request(number, model=model, text=text), prompt_id=prompt_id, round=round_number)


REQUESTS = (
    answered(1, "alpha", "p1", "165"),
    answered(2, "beta", "p1", "It is [red]155\x1b, I think"),
    answered(3, "alpha", "p2", "because"),
    answered(4, "beta", "p3", "anything"),
    answered(5, "alpha", "p1", "166", round_number=2),
)


async def test_each_model_is_counted_by_its_first_answers() -> None:
    alpha, beta = (await run_checks(the_run(), REQUESTS)).models

    assert (alpha.passed, alpha.made, alpha.not_applicable, alpha.unanswered) == (3, 3, 1, ())
    assert (beta.passed, beta.made, beta.not_applicable, beta.unanswered) == (0, 2, 0, ("p2",))
    assert (alpha.answers_passed, alpha.answers_made) == (2, 2)
    assert (beta.answers_passed, beta.answers_made) == (0, 1)


async def test_an_answer_without_text_fails_and_one_that_went_wrong_is_none() -> None:
    empty = answered(1, "alpha", "p1", "")
    empty = replace(empty, trace=replace(empty.trace, outcome=Outcome.EMPTY))
    broken = answered(1, "beta", "p1", "165")
    broken = replace(broken, trace=replace(broken.trace, outcome=Outcome.CANCELLED, error="gone"))

    alpha, beta = (await run_checks(the_run(HOW_MANY), (empty, broken))).models

    assert (alpha.passed, alpha.made, alpha.unanswered) == (1, 2, ())
    assert (beta.made, beta.unanswered) == (0, ("p1",))


async def test_of_a_round_that_was_measured_again_the_later_answer_is_taken() -> None:
    again = replace(answered(9, "alpha", "p1", "165 it is"), attempt=2)

    (taken,) = answers_to_check(the_run(HOW_MANY), (REQUESTS[0], again))

    assert taken.number == 9


async def test_a_run_without_checks_has_nothing_to_tell() -> None:
    found = await run_checks(the_run(FREE), REQUESTS)

    assert (found.prompts, found.models) == (0, ())


async def test_the_checks_of_other_prompts_are_applied_by_their_ids() -> None:
    checks: tuple[Check, ...] = (Contains(texts=("thing",)),)
    others = [
        PlannedPrompt(id="p3", text="Anything?", checks=checks),
        PlannedPrompt(id="p2", text="Why, though?", checks=checks),
        PlannedPrompt(id="p9", text="Else?", checks=checks),
        PlannedPrompt(id="p1", text="How many?"),
    ]

    found = await run_checks(the_run(), REQUESTS, others)

    assert found.prompts == 2
    assert (found.strangers, found.reworded) == (("p9",), ("p2",))
    assert [(model.passed, model.made) for model in found.models] == [(0, 1), (1, 1)]


async def test_what_failed_is_told_by_prompt_and_model_in_harmless_words() -> None:
    models = (await run_checks(the_run(), REQUESTS)).models

    assert checks_rows(models) == [
        ("alpha", "3/3", "100 %", "n/a", "2/2", "n/a", "1"),
        ("beta", "0/2", "0 %", "n/a", "0/1", "n/a", "0"),
    ]
    assert finding_lines(models, Passed.NO) == [
        "p1, beta: one number, 165: expected 165, found 155",
        "p1, beta: at most 1 word: expected at most 1 word, found 5",
    ]
    assert finding_lines(models, Passed.NOT_APPLICABLE) == [
        "p2, alpha: is in en: the language is unknown: fewer than 4 common words of one, or of several alike"
    ]
    assert unanswered_lines(models) == ["beta: no answer to p2"]
    assert checks_lines(models) == ["alpha: 3 of 3 checks passed, 100 %", "beta: 0 of 2 checks passed, 0 %"]
    assert (
        check_words(Contains(texts=("a\x1b[31m", "b", "c", "d")))
        == "contains “a␛[31m” and “b” and “c” and 1 other"
    )


async def test_reports_have_them_in_a_section_of_their_own() -> None:
    run = the_run()
    models = (await run_checks(run, REQUESTS)).models

    report = run_markdown(run, REQUESTS, RunContext(checks=models))
    page = run_html([(run, REQUESTS, ())], {run.id: RunContext(checks=models)})
    content = results_object(run, REQUESTS, context=RunContext(checks=models))

    assert "## Automatic checks" in report
    assert "3/3" in report
    assert "failed: p1, beta: one number, 165: expected 165, found 155" in report
    assert "Automatic checks" in page
    jsonschema.validate(json.loads(results_json(content)), json_schema("results"))
    summary = content["summary"]
    assert isinstance(summary, list)
    assert [(entry["checks"]["passed"], entry["quality"]) for entry in summary] == [(3, None), (0, None)]


async def test_a_report_of_a_run_without_checks_has_no_such_section() -> None:
    run = the_run(FREE)
    content = results_object(
        run, REQUESTS, context=RunContext(checks=(await run_checks(run, REQUESTS)).models)
    )

    assert "Automatic checks" not in run_markdown(run, REQUESTS)
    jsonschema.validate(json.loads(results_json(content)), json_schema("results"))
    summary = content["summary"]
    assert isinstance(summary, list)
    assert [entry["checks"] for entry in summary] == [None, None]
