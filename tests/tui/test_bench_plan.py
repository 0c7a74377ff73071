"""The page on which a benchmark is planned: what is taken, what it costs, and what cannot be."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import Order, PlannedPrompt
from foundry_tui.domain.errors import BadInput, EngineUnavailable
from foundry_tui.tui.screens.bench_draft import BenchDraft, Spans, Switch, size_words
from foundry_tui.tui.screens.bench_plan import BenchPlanScreen
from tests.support.services import PROMPTS
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
    draft = replace(field(**texts), switches=frozenset({Switch.COLD_START, Switch.BLOCKED}))

    plan = draft.plan()
    assert (plan.rounds, plan.warmup, plan.max_tokens, plan.temperature) == (7, 0, 64, None)
    assert (plan.seed, plan.concurrency, plan.order) == (11, 4, Order.BLOCKED)
    assert plan.has_cold_start
    assert plan.precision is not None
    assert (plan.precision.half_width_share, plan.precision.max_rounds) == (0.05, 20)


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
        (field(precision="100"), "Until within ± %: a number"),
    ],
)
def test_what_cannot_be_used_is_told_with_the_name_of_its_field(draft: BenchDraft, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        draft.plan()
    assert words in size_words(draft, Spans())


def test_the_size_counts_what_is_timed_and_what_comes_before() -> None:
    words = size_words(FILLED, Spans())

    # Of each model: the probe, two of the calibration, one warm-up.
    assert words == "Time unknown · 12 timed = 2 models × 2 prompts × 3 rounds · 8 before"


def test_the_time_is_taken_from_earlier_runs_and_guessed_for_models_without_one() -> None:
    # 6 timed requests of 10 s each to the one that is known, and as many to the other.
    assert size_words(FILLED, Spans({QWEN: 10.0})).startswith("About 2 min · 12 timed")
    at_once = field(concurrency="4")
    assert size_words(at_once, Spans({QWEN: 10.0})).startswith("About 30 s · 12 timed")


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
    def broken() -> tuple[PlannedPrompt, ...]:
        raise BadInput("prompts.json: expected a list", remedy="mend the file")

    async with benched() as page:
        screen = BenchPlanScreen(
            models=page.models,
            prompts=broken,
            draft=BenchDraft(),
            store=page.runs,
            begin=page.bench.begin,
            keep=lambda draft: None,
        )
        async with opened(screen) as user:
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
            await user.pilot.press("space", "tab", "space", "tab", "end", "5", "escape")
            await user.result()
        async with opened(page.plan(), size=NARROW) as user:
            await user.until(lambda: user.shows("1 model × 1 prompt × 35 rounds"))

            assert page.draft.models == (QWEN,)


async def test_the_time_comes_from_the_runs_that_are_kept() -> None:
    state = ended(running(*answers(QWEN, 6)))
    async with benched() as page:
        await page.runs.import_run(state.run, state.requests)
        page.draft = BenchDraft(models=(QWEN,))
        async with opened(page.plan(), size=NARROW) as user:
            await user.until(lambda: user.shows("About 4 s · 6 timed"))

            assert not user.shows("Time unknown")


async def test_names_and_prompts_of_others_are_shown_harmless() -> None:
    async with benched() as page:
        page.models[0] = replace(page.models[0], id="evil\x1b]0;owned\x07\u202e-cpu:1")
        page.prompts = (PlannedPrompt(id="[red]p\x1b[31m", text="a\x1b[2Jb"),)
        async with opened(page.plan(), size=NARROW) as user:
            await user.until(lambda: user.shows("[red]p␛[31m"))

            assert not any("\x1b" in line or "\x07" in line or "\u202e" in line for line in user.lines())
