"""The page on which a benchmark is planned: what is taken, what it costs, and what cannot be."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import GoodputLimits, Order, PlannedPrompt, RunLimits
from foundry_tui.domain.errors import BadInput, EngineUnavailable, StorageProblem
from foundry_tui.tui.screens.bench.draft import (
    BenchDraft,
    DraftProblem,
    Switch,
    goodput_words,
    next_goodput,
    size_words,
)
from foundry_tui.tui.screens.bench.plan import BenchPlanScreen
from tests.support.services import PROMPTS, SUMMARIES
from tests.tui.benched import QWEN, SMOLLM, Benched, answers, benched, ended, running
from tests.tui.overlay_host import NARROW, Opened, opened

FILLED = BenchDraft(models=(QWEN, SMOLLM), prompts=PROMPTS)


def field(**texts: str) -> BenchDraft:
    return replace(FILLED, fields=tuple(texts.items()))


async def ready(page: Benched, user: Opened[str]) -> None:
    await user.until(lambda: user.shows("json"))


def test_the_workshops_defaults_stand_there() -> None:
    plan = FILLED.plan()

    assert (plan.rounds, plan.warmup, plan.max_tokens, plan.temperature) == (3, 1, 120, 0.2)
    assert (plan.seed, plan.concurrency, plan.precision) == (None, 1, None)
    assert plan.order is Order.INTERLEAVED


def test_every_field_and_switch_reaches_the_plan() -> None:
    texts = {"rounds": "7", "warmup": "0", "max_tokens": "64", "temperature": "", "seed": "11"}
    texts |= {"concurrency": "4", "precision": "5", "max_rounds": "20"}
    texts |= {"max_hours": "8", "free_gb": "2.5", "max_celsius": "85", "name": "over night"}
    switches = frozenset({Switch.COLD_START, Switch.BLOCKED})
    draft = replace(field(**texts), switches=switches, goodput="chat")

    plan = draft.plan()
    assert (plan.rounds, plan.warmup, plan.max_tokens, plan.temperature) == (7, 0, 64, None)
    assert (plan.seed, plan.concurrency, plan.order) == (11, 4, Order.BLOCKED)
    assert plan.has_cold_start
    assert plan.precision is not None
    assert (plan.precision.half_width_share, plan.precision.max_rounds) == (0.05, 20)
    assert plan.name == "over night"
    assert plan.limits == RunLimits(max_s=28_800.0, min_free_disk_bytes=2_500_000_000, max_temperature_c=85.0)
    assert plan.goodput == GoodputLimits(name="chat", ttft_s=2.0, per_token_s=0.2)


def test_a_deterministic_run_has_temperature_0_and_a_seed() -> None:
    plan = replace(field(temperature="0.9"), switches=frozenset({Switch.DETERMINISTIC})).plan()

    assert plan.is_deterministic
    assert (plan.temperature, plan.seed) == (0.0, 7)


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (replace(FILLED, models=()), "at least one model"),
        (replace(FILLED, prompts=()), "at least one prompt"),
        (field(rounds="0"), "Rounds: a whole number from 1"),
        (field(rounds="many"), "Rounds: a whole number from 1"),
        (field(rounds="9" * 5000), "Rounds: a whole number from 1"),
        (field(temperature="nan"), "Temperature: a number from 0 to 2"),
        (field(temperature="3"), "Temperature: a number from 0 to 2"),
        (field(seed="x"), "Seed: a whole number"),
        (field(concurrency="65"), "At once: a whole number from 1 to 64"),
        (field(precision="100"), "Within ± %: a number"),
        (field(max_hours="0"), "Max hours: a number from"),
        (field(free_gb="-1"), "Min GB free: a number from 0"),
        (field(max_celsius="10"), "Max °C: a number from 20 to 150"),
    ],
)
def test_what_cannot_be_used_is_told_with_the_name_of_its_field(draft: BenchDraft, words: str) -> None:
    with pytest.raises(DraftProblem, match=words) as caught:
        draft.plan()

    assert (caught.value.field in dict(draft.fields)) == bool(draft.fields)


def test_the_size_counts_what_is_timed_and_what_comes_before() -> None:
    # Of each model: the probe, two of the calibration, one warm-up.
    assert size_words(FILLED.plan()) == "12 timed = 2 models × 2 prompts × 3 rounds · 8 before"


def test_with_a_precision_to_reach_the_size_is_the_least() -> None:
    assert size_words(field(precision="5").plan()).startswith("at least 12 timed = ")


def test_the_goodput_goes_through_the_named_limits_and_back_to_none() -> None:
    names: list[str | None] = [None]
    while len(names) < 5:
        names.append(next_goodput(names[-1]))

    assert names == [None, "chat", "summarise", "batch", None]
    assert goodput_words("chat") == "goodput: chat (TTFT ≤ 2.00 s, ≤ 200 ms for each further token)"
    assert goodput_words("batch") == "goodput: batch (all that end well)"
    assert goodput_words(None) == "goodput: not judged"


async def test_space_takes_and_leaves_and_the_order_is_that_of_taking() -> None:
    async with benched() as page, opened(page.plan(), size=NARROW) as user:
        await ready(page, user)

        await user.pilot.press("down", "space", "up", "space")
        await user.until(lambda: user.shows("2 models × 2 prompts"))
        await user.pilot.press("tab", "space")
        await user.until(lambda: user.shows("2 models × 1 prompt"))
        await user.pilot.press("d", "enter")
        await user.until(lambda: bool(user.results))

        await page.bench.finished()
        (run,) = page.runs.kept.values()
        assert run.plan.models == (SMOLLM, QWEN)
        assert [prompt.id for prompt in run.plan.prompts] == ["json"]
        assert run.plan.is_deterministic
        assert user.results == [run.id]


async def test_all_of_a_list_are_taken_or_left_by_one_key() -> None:
    async with benched() as page, opened(page.plan(), size=NARROW) as user:
        await ready(page, user)

        await user.pilot.press("a")
        await user.until(lambda: user.shows("2 models × 2 prompts"))
        await user.pilot.press("tab", "a")

        await user.until(lambda: user.shows("Take at least one prompt"))


async def test_the_models_of_models_json_are_taken_in_the_order_of_their_priority() -> None:
    async with benched() as page, opened(page.plan(), size=NARROW) as user:
        page.targets = ("smollm2-360m", "phi-4-mini", "qwen2.5-0.5b")
        await ready(page, user)

        await user.pilot.press("j")
        await user.until(lambda: user.shows("Left out, for it is not on this machine: phi-4-mini"))
        await user.pilot.press("b")
        await user.until(lambda: bool(user.results))

        await page.bench.finished()
        (run,) = page.runs.kept.values()
        assert run.plan.models == (SMOLLM, QWEN)


async def test_without_a_model_for_chats_in_models_json_it_says_so() -> None:
    async with benched() as page, opened(page.plan(), size=NARROW) as user:
        await ready(page, user)

        await user.pilot.press("j")

        await user.until(lambda: user.shows("models.json has no model for chats"))


async def test_what_is_wrong_in_a_field_marks_it_and_beginning_goes_there() -> None:
    async with benched() as page:
        page.draft = BenchDraft(models=(QWEN,), fields=(("max_celsius", "5"),))
        async with opened(page.plan(), size=NARROW) as user:
            await ready(page, user)
            await user.until(lambda: user.shows("Max °C: a number from 20 to 150"))

            await user.pilot.press("b")
            await user.until(lambda: user.screen.query_one("#plan-max_celsius").has_focus)
            was_wrong = user.screen.query_one("#plan-max_celsius").has_class("-wrong")
            await user.pilot.press("end", "0")
            await user.until(lambda: user.shows("6 timed"))

            assert was_wrong
            assert not user.screen.query(".-wrong")
            assert user.shows("waits while the machine is hotter")


async def test_the_mouse_takes_models_and_turns_switches() -> None:
    async with benched() as page, opened(page.plan(), size=NARROW) as user:
        await ready(page, user)

        await user.pilot.click("#plan-models", offset=(8, 2), times=2)
        await user.until(lambda: user.shows("1 model × 2 prompts"))
        await user.pilot.click("#plan-switches", offset=(6, 0))
        await user.until(lambda: user.shows("[x] d deterministic"))
        await user.pilot.click("#plan-switches", offset=(6, 1))
        await user.until(lambda: user.shows("goodput: chat"))

        assert user.shows("✓  smollm2")


async def test_nothing_begins_without_a_model_and_the_page_says_so() -> None:
    async with benched() as page, opened(page.plan(), size=NARROW) as user:
        await ready(page, user)

        await user.pilot.press("b")
        await user.until(lambda: user.screen.query_one("#plan-size").has_class("-problem"))

        assert page.runs.kept == {}
        assert user.shows("Take at least one model")


async def test_what_the_engine_says_stands_on_the_page_and_the_page_stays() -> None:
    async with benched() as page, opened(page.plan(), size=NARROW) as user:
        page.engine.refusal = EngineUnavailable("the engine does not start", remedy="look at the log")
        await ready(page, user)

        await user.pilot.press("space", "b")
        await user.until(lambda: user.shows("the engine does not start"))

        assert user.shows("look at the log")
        assert user.results == []


async def test_prompts_that_cannot_be_read_say_why() -> None:
    def broken(name: str) -> tuple[PlannedPrompt, ...]:
        if name:
            return SUMMARIES
        raise BadInput("prompts.json: expected a list", remedy="mend the file")

    async with benched() as page:
        screen = BenchPlanScreen(
            models=page.models,
            prompts=broken,
            sets=lambda: ("summarize",),
            draft=BenchDraft(),
            store=page.runs,
            begin=page.bench.begin,
            keep=lambda draft: None,
        )
        async with opened(screen) as user:
            await user.until(lambda: user.shows("prompts.json: expected a list"))
            await user.pilot.press("p")
            await user.until(lambda: user.shows("opening") and user.shows("set: summarize"))
            await user.pilot.press("p")
            await user.until(lambda: user.shows("prompts.json: expected a list"))

            assert user.shows("mend the file")


async def test_marked_models_that_are_not_here_are_left_out_by_name() -> None:
    async with benched() as page:
        page.draft = BenchDraft(models=("far-away-cpu:1", QWEN))
        async with opened(page.plan(), size=NARROW) as user:
            await user.until(lambda: user.shows("Left out, for it is not on this machine: far-away-cpu:1"))
            await user.until(lambda: user.shows("1 model × 2 prompts"))

            assert user.screen.is_open


async def test_what_was_filled_in_stands_there_the_next_time() -> None:
    async with benched() as page:
        async with opened(page.plan(), size=NARROW) as user:
            await ready(page, user)
            await user.pilot.press("space", "g", "tab", "space", "tab", "end", "5", "escape")
            await user.result()
        async with opened(page.plan(), size=NARROW) as user:
            await user.until(lambda: user.shows("1 model × 1 prompt × 35 rounds"))

            assert page.draft.models == (QWEN,)
            assert user.shows("goodput: chat")


async def test_the_time_comes_from_the_runs_that_are_kept() -> None:
    state = ended(running(*answers(QWEN, 6)))
    async with benched() as page:
        await page.runs.import_run(state.run, state.requests)
        page.draft = BenchDraft(models=(QWEN,))
        async with opened(page.plan(), size=NARROW) as user:
            await user.until(lambda: user.shows("from 6 requests of run f00df00d"))

            assert user.shows("Takes about ")


async def test_while_earlier_runs_cannot_be_read_the_time_is_unknown() -> None:
    async with benched() as page:
        page.runs.unreadable = StorageProblem("the runs cannot be read", remedy="free some space")
        page.draft = BenchDraft(models=(QWEN,))
        async with opened(page.plan(), size=NARROW) as user:
            await user.until(lambda: user.shows("How long it takes is unknown"))

            assert user.shows("6 timed")


async def test_names_and_prompts_of_others_are_shown_harmless() -> None:
    async with benched() as page:
        page.models[0] = replace(page.models[0], id="evil\x1b]0;owned\x07\u202e-cpu:1")
        page.prompts = (PlannedPrompt(id="[red]p\x1b[31m", text="a\x1b[2Jb"),)
        async with opened(page.plan(), size=NARROW) as user:
            await user.until(lambda: user.shows("[red]p␛[31m"))

            assert not any("\x1b" in line or "\x07" in line or "\u202e" in line for line in user.lines())
