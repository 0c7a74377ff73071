"""One question to a few models as a run: what is planned, who stands where, how far each answer is."""

from dataclasses import replace
from random import Random

import pytest

from foundry_tui.domain.bench import BenchPlan, ModelRun, Order, Phase, Run, RunStatus
from foundry_tui.domain.chat import ChatOptions, ChunkReceived, Outcome, PhaseTimeouts, Role
from foundry_tui.domain.errors import EngineDied
from foundry_tui.domain.trace import TraceBuilder
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_plan_words import plan_facts
from foundry_tui.reports.run_reading import read_run
from foundry_tui.services.bench.beside import (
    Doing,
    Question,
    answer_of,
    conversation_of,
    in_columns,
    plan_of,
)
from foundry_tui.services.bench.probes import before_timing, warm_up
from foundry_tui.services.bench.state import BenchState, Step, UnderWay
from tests.support.runs import a_request

MODELS = ("alpha", "beta", "gamma", "delta")
OPTIONS = ChatOptions(
    system_prompt="Be brief.", max_tokens=99, temperature=1.5, seed=4, timeouts=PhaseTimeouts(total_s=7)
)


def question(text: str = "What is a bridge?", *, is_blind: bool = True, models: int = 2) -> Question:
    return Question(text=text, models=MODELS[:models], is_blind=is_blind)


def run(run_id: str = "r1", *, models: int = 2, is_blind: bool = True) -> Run:
    plan = plan_of(question(models=models, is_blind=is_blind), OPTIONS, Order.INTERLEAVED, Random(1))
    return Run(
        id=run_id,
        name=plan.name,
        plan=plan,
        status=RunStatus.RUNNING,
        started_unix_ms=1,
        models=tuple(ModelRun(model=model) for model in plan.models),
    )


def test_all_that_the_chat_sends_is_sent_and_nothing_beside_it_is_asked() -> None:
    plan = plan_of(question(), OPTIONS, Order.INTERLEAVED, Random(1))

    (prompt,) = plan.prompts
    assert (prompt.text, prompt.system) == ("What is a bridge?", "Be brief.")
    assert (plan.rounds, plan.max_tokens, plan.temperature, plan.seed) == (1, 99, 1.5, 4)
    assert plan.timeouts.total_s == 7
    assert before_timing(plan, "salt") == warm_up(plan) == ()


@pytest.mark.parametrize(("order", "unloads"), [(Order.INTERLEAVED, False), (Order.BLOCKED, True)])
def test_models_stay_loaded_for_the_next_question_where_they_fit_in_together(
    order: Order, unloads: bool
) -> None:
    assert plan_of(question(), OPTIONS, order, Random(1)).unloads is unloads


def test_blind_the_order_of_asking_is_not_the_one_of_picking() -> None:
    asked = {
        plan_of(question(models=4), OPTIONS, Order.BLOCKED, Random(seed)).models[0] for seed in range(40)
    }
    opened = plan_of(question(models=4, is_blind=False), OPTIONS, Order.BLOCKED, Random(1))

    assert asked == set(MODELS)
    assert opened.models == MODELS


def test_the_same_question_has_the_same_id_and_another_system_prompt_makes_another() -> None:
    def prompt_id(text: str, system: str | None) -> str:
        options = replace(OPTIONS, system_prompt=system)
        return plan_of(question(text), options, Order.BLOCKED, Random(1)).prompts[0].id

    assert prompt_id("one", None) == prompt_id("one", None)
    assert len({prompt_id("one", None), prompt_id("one", "x"), prompt_id("two", None)}) == 3
    assert prompt_id("half a pair: \ud800", None)


def test_a_name_is_harmless_short_and_says_whether_the_models_were_named() -> None:
    plans = [
        plan_of(question("\x1b[31m" + "long " * 40, is_blind=is_blind), OPTIONS, Order.BLOCKED, Random(1))
        for is_blind in (True, False)
    ]

    assert "\x1b" not in plans[0].name
    assert max(len(plan.name) for plan in plans) <= 60
    assert [plan.name.partition(": ")[0] for plan in plans] == ["side by side", "side by side, open"]


def test_columns_are_by_name_or_blind_in_an_order_drawn_anew_for_each_run() -> None:
    drawn = {in_columns(run(f"r{number}", models=3), is_blind=True) for number in range(60)}

    assert len(drawn) == 6
    assert in_columns(run(models=3), is_blind=True) == in_columns(run(models=3), is_blind=True)
    assert in_columns(run(models=3), is_blind=False) == ("alpha", "beta", "gamma")


@pytest.mark.parametrize(
    ("text", "models"),
    [(" ", MODELS[:2]), ("t", MODELS[:1]), ("t", ("alpha", "alpha")), ("t", (*MODELS, "e"))],
)
def test_a_question_needs_words_and_two_to_four_models(text: str, models: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="needs words"):
        Question(text=text, models=models)


def test_an_answer_waits_loads_answers_and_is_done() -> None:
    waiting = BenchState(run=run())
    loading = replace(waiting, step=Step.LOADING, model="alpha")
    builder = TraceBuilder()
    builder.observe(ChunkReceived(at_ns=1, text="so far", read=1))
    flying = UnderWay(model="alpha", prompt_id="p", round=1, phase=Phase.TIMED, trace=builder)
    answering = replace(waiting, step=Step.ASKING, under_way=(flying,))
    done = replace(waiting, requests=(a_request(1),))

    states = [answer_of(state, "alpha") for state in (waiting, loading, answering, done)]

    assert [one.doing for one in states] == [Doing.WAITING, Doing.LOADING, Doing.ANSWERING, Doing.DONE]
    assert [chunk.text for chunk in states[2].chunks] == ["so far"]
    assert states[3].request == a_request(1)
    assert answer_of(loading, "beta").doing is Doing.WAITING


def test_an_answer_that_failed_says_why_and_what_came_until_then_stays() -> None:
    one = a_request(1)
    broken = replace(one, trace=replace(one.trace, outcome=Outcome.STALLED, error="nothing came for 30 s"))

    found = answer_of(BenchState(run=run(), requests=(broken,)), "alpha")

    assert (found.doing, found.reason) == (Doing.FAILED, "nothing came for 30 s")
    assert found.chunks == one.trace.chunks


def test_a_model_that_does_not_load_and_a_run_that_ends_early_say_why() -> None:
    left_out = ModelRun(model="alpha", outcome=Outcome.NOT_LOADED, reason="damaged")
    state = BenchState(run=replace(run(), models=(left_out, ModelRun(model="beta"))), step=Step.ENDED)
    died = replace(state, problem=EngineDied("the engine died"))
    stopped = replace(state, run=replace(state.run, reason="stopped by the user"))

    assert answer_of(state, "alpha").reason == "damaged"
    assert (answer_of(died, "beta").doing, answer_of(died, "beta").reason) == (
        Doing.LEFT_OUT,
        "the engine died",
    )
    assert answer_of(stopped, "beta").reason == "stopped by the user"


def test_a_conversation_holds_the_question_and_that_answer_with_its_readings() -> None:
    found = conversation_of(run(), a_request(1), OPTIONS)

    asked, answered = found.path()
    assert (asked.role, asked.text) == (Role.USER, "What is a bridge?")
    assert (answered.role, answered.text, answered.model_id) == (Role.ASSISTANT, "because", "alpha-cpu:1")
    assert answered.trace == a_request(1).trace
    assert (found.title, found.options) == ("What is a bridge?", OPTIONS)


def test_that_nothing_was_probed_is_in_results_and_reports_and_comes_back_from_them() -> None:
    made = replace(run(), status=RunStatus.COMPLETED, ended_unix_ms=9)

    text = results_json(results_object(made, (a_request(1),)))

    assert not read_run(text, "run.json", now_unix_ms=0).run.plan.has_probes
    assert ("probes", "none: coherence and prefill were not asked for") in plan_facts(made.plan)
    assert '"probes"' not in results_json(results_object(replace(made, plan=probed(made)), ()))


def probed(made: Run) -> BenchPlan:
    return replace(made.plan, has_probes=True)
