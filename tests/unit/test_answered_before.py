"""Answers that are the same again: found in the store, and told."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import BenchPlan, ModelRun, PlannedPrompt, Run
from foundry_tui.metrics.certificate import AnsweredBefore, Unchanged
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.reports.comparison_words import answered_before_line, unchanged_sentence
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.services.bench.answered_before import answered_before
from tests.support.memory_runs import MemoryRuns
from tests.support.runs import a_request, a_run

PLAN = BenchPlan(models=("alpha",), prompts=(PlannedPrompt(id="p1", text="Why?"),), temperature=0)
ALPHA = ModelRun(model="alpha", model_id="alpha-cpu:1")


async def kept(
    store: MemoryRuns,
    run_id: str,
    texts: Sequence[str],
    *,
    at_ms: int,
    plan: BenchPlan = PLAN,
    model: ModelRun = ALPHA,
) -> Run:
    run = replace(a_run(run_id, started_unix_ms=at_ms, models=(model,)), plan=plan)
    requests = [
        replace(a_request(n, model=model.model, text=text), round=n) for n, text in enumerate(texts, 1)
    ]
    await store.import_run(run, requests)
    return run


async def before(store: MemoryRuns, run: Run) -> tuple[AnsweredBefore, ...]:
    return await answered_before(store, run, await store.requests(run.id))


async def test_the_newest_earlier_run_of_the_same_is_named_with_what_became_of_its_answers() -> None:
    store = MemoryRuns()
    await kept(store, "first", "abcd", at_ms=1)
    await kept(store, "second", "abcx", at_ms=2)
    run = await kept(store, "third", "abxx", at_ms=3)
    await kept(store, "later", "abxx", at_ms=4)

    assert await before(store, run) == (
        AnsweredBefore(
            model="alpha",
            run_id="second",
            run_name="run second",
            started_unix_ms=2,
            answers=Unchanged(unchanged=3, compared=4, left_out=0),
        ),
    )


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, max_tokens=7),
        replace(PLAN, seed=7),
        replace(PLAN, temperature=0.5),
        replace(PLAN, prompts=(PlannedPrompt(id="p1", text="Why not?"),)),
        replace(PLAN, prompts=(PlannedPrompt(id="p1", text="Why?", system="Be brief."),)),
    ],
    ids=["max_tokens", "seed", "temperature", "prompt", "system"],
)
async def test_a_run_that_asked_something_else_is_not_what_was_before(plan: BenchPlan) -> None:
    store = MemoryRuns()
    await kept(store, "same", "ab", at_ms=1)
    await kept(store, "other", "ab", at_ms=2, plan=plan)
    run = await kept(store, "now", "ab", at_ms=3)

    (found,) = await before(store, run)

    assert found.run_id == "same"


async def test_another_variant_of_the_model_is_not_what_was_before() -> None:
    store = MemoryRuns()
    await kept(store, "other", "ab", at_ms=1, model=replace(ALPHA, model_id="alpha-gpu:1"))
    run = await kept(store, "now", "ab", at_ms=2)

    assert await before(store, run) == ()


async def test_what_answers_are_judged_by_does_not_make_it_another_prompt() -> None:
    judged = replace(PLAN, prompts=(replace(PLAN.prompts[0], aspects=("is brief",)),))
    store = MemoryRuns()
    await kept(store, "before", "ab", at_ms=1)
    run = await kept(store, "now", "ab", at_ms=2, plan=judged)

    (found,) = await before(store, run)

    assert found.run_id == "before"


async def test_only_prompts_of_both_are_compared() -> None:
    both = (*PLAN.prompts, PlannedPrompt(id="p2", text="How?"))
    store = MemoryRuns()
    await kept(store, "before", "ab", at_ms=1)
    run = await kept(store, "now", "ab", at_ms=2, plan=replace(PLAN, prompts=both))
    await store.add_request("now", replace(a_request(3), prompt_id="p2"))

    (found,) = await before(store, run)

    assert found.answers == Unchanged(unchanged=2, compared=2, left_out=0)


async def test_answers_that_differ_by_chance_are_not_compared() -> None:
    store = MemoryRuns()
    warm = replace(PLAN, temperature=0.2)
    await kept(store, "before", "ab", at_ms=1, plan=warm)
    run = await kept(store, "now", "xy", at_ms=2, plan=warm)

    assert await before(store, run) == ()


def test_the_report_names_the_run_before() -> None:
    found = AnsweredBefore(
        model="al*pha\x1b",
        run_id="3f2a1b2c99",
        run_name="nightly",
        started_unix_ms=0,
        answers=Unchanged(unchanged=37, compared=40, left_out=2),
    )

    line = answered_before_line(found)
    report = run_markdown(a_run(), [a_request()], RunContext(before=[found]))

    assert line == (
        "al*pha␛: 37 of 40 answers unchanged since run 3f2a1b2c “nightly”, begun 1970-01-01T00:00:00.000Z;"
        " 2 without a counterpart"
    )
    assert "## Repeatability\n\n- al\\*pha␛: 37 of 40 answers unchanged" in report


def test_changed_answers_are_excused_where_they_may_differ() -> None:
    changed = Unchanged(unchanged=1, compared=2, left_out=0)

    assert unchanged_sentence(changed, PLAN, "phi") == "1 of 2 answers of phi unchanged"
    assert unchanged_sentence(changed, replace(PLAN, temperature=0.2), "phi") == (
        "1 of 2 answers of phi unchanged (at temperature 0.2 without a seed, answers differ by chance)"
    )
    assert unchanged_sentence(replace(changed, unchanged=2), replace(PLAN, temperature=0.2), "phi") == (
        "2 of 2 answers of phi unchanged"
    )
