"""One question to several models: what is shown, what is kept, and that nobody is named before the end."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import BenchPlan, PlannedPrompt, RunStatus
from foundry_tui.domain.chat import ChatOptions, Role
from foundry_tui.domain.scoring import Chosen
from foundry_tui.tui.notices import tell
from foundry_tui.tui.screens.beside.ask import BesideAskScreen
from foundry_tui.tui.screens.beside.column import AnswerColumn
from foundry_tui.tui.screens.beside.screen import BesideScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.tagging import LineScreen
from foundry_tui.tui.widgets.score_rows import CriterionRow
from tests.support.services import SETUP
from tests.tui.beside import MODELS, Beside, beside
from tests.tui.harness import NARROW, WIDE

NAMES = tuple(model[:5] for model in MODELS)
PHI, QWEN, SMOL, _ = MODELS


def text_of(user: Beside) -> str:
    return "\n".join(user.driven.lines())


def named(user: Beside) -> list[str]:
    """The models that are named on the screen; a name may be cut at its end."""
    screen = text_of(user).casefold()
    return [name for name in NAMES if name in screen]


async def given(user: Beside) -> list[tuple[str, str, int]]:
    """What is kept of the run on the screen: model, criterion, score."""
    models = {one.number: one.model for one in await user.runs.requests(user.run.id)}
    scores = await user.scores.scores(user.run.id)
    return sorted((models[one.number], one.criterion, one.value) for one in scores)


def in_focus(user: Beside) -> str:
    """The model whose answer keys are about."""
    return user.screen.answers[user.screen.at].model


async def judge(user: Beside, *keys: str) -> None:
    """Press the first key, say who one is, and press the rest."""
    first, *rest = keys
    await user.press(first)
    await user.driven.until(lambda: isinstance(user.driven.app.screen, LineScreen))
    await user.press(*"Ada", "enter", *rest)
    await user.kept()


async def test_a_question_is_a_run_as_any_other_without_probes_and_warm_up() -> None:
    options = ChatOptions(system_prompt="Be brief.", temperature=0.5, max_tokens=77, seed=3)
    async with beside(setup=replace(SETUP, chat=options)) as user:
        await user.asked("What is a bridge?")

        run = await user.runs.run(user.run.id)

        assert run is not None
        assert run.status is RunStatus.COMPLETED
        assert run.name == "side by side: What is a bridge?"
        assert sorted(run.plan.models) == [PHI, QWEN]
        assert [(one.text, one.system) for one in run.plan.prompts] == [("What is a bridge?", "Be brief.")]
        assert (run.plan.temperature, run.plan.max_tokens, run.plan.seed) == (0.5, 77, 3)
        assert sorted(one.model for one in user.engine.seen) == [PHI, QWEN]


@pytest.mark.parametrize("size", [NARROW, WIDE, (200, 60)])
async def test_from_the_first_answer_to_the_last_score_no_frame_names_a_model(size: tuple[int, int]) -> None:
    """Not in an answer that names itself, in a notice, in the palette, or in the help."""
    async with beside(size=size) as user:
        seen: list[list[str]] = []

        async def look() -> None:
            await user.driven.pilot.pause()
            seen.append(named(user))

        await user.ask(models=3)
        while user.screen.is_answering:
            await look()
        await user.ended()
        assert user.driven.shows("I am ▒▒▒▒ and answer.")
        tell(user.screen, f"{PHI} is loaded, {QWEN.removesuffix('-cpu:1')} too")
        await user.driven.until(lambda: user.driven.shows("▒▒▒▒ is loaded"))
        await look()
        for keys in (("f1",), ("escape",), ("ctrl+p", "t", "a", "l"), ("escape",), ("tab",), ("enter",)):
            await user.press(*keys)
            seen.append(named(user))
        assert isinstance(user.driven.app.screen, ConfirmScreen)  # not all is judged
        await user.press("escape")
        await judge(user, "3", "5")
        for scores in ("12", "44"):
            await user.press(*scores)
            await user.kept()
            await look()
        assert user.driven.shows("all is judged: Enter tells")
        assert seen == [[]] * len(seen)

        await user.press("enter")

        await user.driven.until(lambda: bool(named(user)))
        assert user.driven.shows("TTFT 10.0 ms")
        assert not user.screen.is_blind


async def test_scores_are_kept_of_the_model_whose_answer_had_the_focus() -> None:
    async with beside() as user:
        await user.asked(models=3)
        first = in_focus(user)
        await judge(user, "4", "2")
        second = in_focus(user)  # the next answer came by itself
        await user.press("tab")
        third = in_focus(user)
        await user.press("5")
        await user.kept()

        assert len({first, second, third}) == 3
        assert await given(user) == sorted(
            [(first, "brevity", 2), (first, "correctness", 4), (third, "correctness", 5)]
        )
        assert {one.annotator for one in await user.scores.scores(user.run.id)} == {"Ada"}


@pytest.mark.parametrize(("key", "side"), [("a", 0), ("b", 1)])
async def test_the_letter_of_one_of_two_answers_prefers_the_model_in_that_column(key: str, side: int) -> None:
    async with beside() as user:
        await user.asked()
        await judge(user, key)

        (kept,) = await user.scores.preferences(user.run.id)

        numbers = [answer.request.number for answer in user.screen.answers if answer.request is not None]
        better = kept.first if kept.chosen is Chosen.FIRST else kept.second
        assert better == numbers[side]
        assert kept.left == numbers[0]
        assert user.driven.shows(f"{key.upper()} is better")
        assert user.driven.shows("all is judged")


async def test_neither_is_better_and_undo_takes_the_last_key_back_whichever_it_was() -> None:
    async with beside() as user:
        await user.asked()
        await judge(user, "4", "equals_sign")
        assert user.driven.shows("neither is better")

        await user.press("u")
        await user.kept()

        assert await user.scores.preferences(user.run.id) == ()
        assert len(await given(user)) == 1
        await user.press("u", "u")
        await user.kept()
        assert await given(user) == []
        assert "nothing was said" in user.driven.words_told


async def test_of_three_answers_none_is_preferred() -> None:
    async with beside() as user:
        await user.asked(models=3)

        await user.press("a")

        assert not user.driven.shows("A is better")
        assert isinstance(user.driven.app.screen, BesideScreen)  # nobody was asked for a name


async def test_who_scores_is_asked_for_once_in_a_session() -> None:
    async with beside() as user:
        await user.asked()
        await judge(user, "4")
        await user.press("enter")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, ConfirmScreen))
        await user.press("escape", "escape")
        await user.driven.until(lambda: user.driven.app.screen is user.driven.workspace)

        await user.press("alt+6", "enter")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, BesideScreen))
        await user.ended()
        await user.press("5")
        await user.kept()

        assert isinstance(user.driven.app.screen, BesideScreen)
        assert [value for _, _, value in await given(user)] == [5]


async def test_an_answer_shows_as_it_streams_and_what_comes_after_it_waits() -> None:
    async with beside() as user:
        user.engine.answers = dict.fromkeys(MODELS, ("Once upon",))
        user.engine.held = {PHI, QWEN}
        await user.ask()
        await user.driven.until(lambda: user.driven.shows("Once upon"))

        assert user.driven.shows("answering …")
        assert user.driven.shows("waiting")
        assert user.driven.shows("0 of 2 answered")
        assert not user.driven.shows("TTFT")
        assert not user.driven.shows("Is it right?")


async def test_the_beginning_of_a_name_does_not_show_while_the_rest_is_on_its_way() -> None:
    async with beside() as user:
        user.engine.answers = {PHI: ("Well, I am phi-4-mi",), QWEN: ("Well, I am qwen2.",)}
        user.engine.held = {PHI, QWEN}
        await user.ask()

        await user.driven.until(lambda: user.driven.shows("Well, I am"))

        assert named(user) == []


async def test_esc_asks_and_stops_and_what_was_answered_is_kept_and_can_be_judged() -> None:
    async with beside() as user:
        user.engine.held = {PHI, QWEN, SMOL}
        await user.ask(models=3)
        await user.driven.until(lambda: len(user.engine.seen) == 1)
        user.engine.held = set()
        await user.press("escape")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, ConfirmScreen))
        await user.press("escape")  # stays
        assert user.screen.is_answering

        await user.press("escape")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, ConfirmScreen))
        await user.press("shift+tab", "enter")
        await user.ended()

        assert user.driven.shows("not asked: stopped by the user")
        assert named(user) == []
        run = await user.runs.run(user.run.id)
        assert run is not None
        await user.press("escape")
        await user.driven.until(lambda: user.driven.app.screen is user.driven.workspace)


async def test_a_model_that_fails_says_why_without_its_name_and_the_others_are_judged() -> None:
    async with beside() as user:
        user.engine.broken = {QWEN}
        await user.asked()
        failed = [answer.model for answer in user.screen.answers].index(QWEN)

        assert user.driven.shows("failed: ▒▒▒▒ cannot be loaded")
        assert named(user) == []
        user.driven.app.screen.query(AnswerColumn)[failed].sheet.focus()
        await judge(user, "4")
        assert "cannot be scored" in user.driven.words_told
        user.driven.app.screen.query(AnswerColumn)[1 - failed].sheet.focus()
        await user.press("4", "5")
        await user.kept()
        assert await given(user) == [(PHI, "brevity", 5), (PHI, "correctness", 4)]
        assert user.driven.shows("all is judged")


async def test_where_all_fail_there_is_nothing_to_judge_and_names_are_told_at_once() -> None:
    async with beside() as user:
        user.engine.broken = {PHI, QWEN}
        await user.asked()
        assert user.driven.shows("there is no answer to judge")

        await user.press("enter")

        await user.driven.until(lambda: len(named(user)) == 2)


async def test_open_columns_are_named_from_the_beginning_and_show_their_numbers() -> None:
    async with beside() as user:
        await user.asked(is_blind=False)

        assert [answer.model for answer in user.screen.answers] == [PHI, QWEN]
        assert user.driven.shows(f"A · {PHI}")
        assert user.driven.shows("TTFT 10.0 ms")
        assert user.run.name.startswith("side by side, open: ")
        await judge(user, "4")
        assert await given(user) == [(PHI, "correctness", 4)]


async def test_once_the_names_are_shown_nothing_more_is_scored_blind() -> None:
    async with beside() as user:
        await user.asked()
        await user.press("enter")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, ConfirmScreen))
        await user.press("shift+tab", "enter")
        await user.driven.until(lambda: len(named(user)) == 2)

        await user.press("4", "a")

        assert isinstance(user.driven.app.screen, BesideScreen)
        assert user.driven.shows("nothing is scored here any more")
        assert await given(user) == []


async def test_a_second_question_is_another_run_with_the_same_models() -> None:
    async with beside() as user:
        await user.asked("One?")
        first = user.run.id
        await judge(user, "a")
        await user.press("n")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, BesideAskScreen))
        await user.press(*"Two", "ctrl+s")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, BesideScreen))
        await user.driven.until(lambda: user.run.id != first)
        await user.ended()

        assert user.run.plan.prompts[0].text == "Two"
        assert sorted(user.run.plan.models) == [PHI, QWEN]
        assert user.screen.is_blind
        assert not user.driven.shows("A is better ·")
        assert len(await user.runs.runs()) == 2


async def test_one_goes_on_talking_from_an_answer_in_a_conversation_of_its_own() -> None:
    async with beside() as user:
        await user.asked("What is a bridge?", is_blind=False)
        await user.press("tab", "k")
        await user.driven.until(lambda: user.driven.workspace.active_model == QWEN)
        await user.driven.until(lambda: "What is a bridge?" in user.driven.conversation)

        messages = user.driven.chat.messages

        assert [one.role for one in messages] == [Role.USER, Role.ASSISTANT]
        assert messages[1].text == f"I am {QWEN} and answer."
        (kept,) = await user.driven.store.find()
        assert kept.title == "What is a bridge?"
        assert kept.models == (QWEN,)


async def test_blind_one_is_asked_before_one_goes_on_talking() -> None:
    async with beside() as user:
        await user.asked()

        await user.press("k")

        await user.driven.until(lambda: isinstance(user.driven.app.screen, ConfirmScreen))
        assert named(user) == []


async def test_without_a_question_or_a_second_model_the_page_says_what_to_do() -> None:
    async with beside() as user:
        await user.open(text="", models=2)
        await user.press("ctrl+s")
        assert user.driven.shows("There is no question yet: write one above")

        await user.press("H", "i", "tab", "space", "ctrl+s")

        assert user.driven.shows("Take 2 to 4 models")
        assert user.engine.seen == []


async def test_at_most_four_models_are_taken() -> None:
    async with beside(MODELS) as user:
        await user.open(models=4)
        assert user.driven.shows("4 taken")

        await user.press("home", "space")

        assert user.driven.shows("4 are taken, which is the most")
        assert user.driven.shows("4 taken")


async def test_beside_a_benchmark_it_says_that_one_is_under_way() -> None:
    async with beside() as user:
        user.engine.held = {PHI}
        plan = BenchPlan(models=(PHI,), prompts=(PlannedPrompt(id="p", text="t"),), has_probes=False)
        await user.driven.services.bench.begin(plan)

        await user.press("alt+6")

        assert "a benchmark is under way" in user.driven.words_told
        assert user.driven.app.screen is user.driven.workspace
        await user.driven.services.bench.stop()


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_hostile_text_stays_text(size: tuple[int, int]) -> None:
    hostile = "\x1b]0;owned\x07[red]x[/]\x9b31m\u202e"
    async with beside(size=size) as user:
        user.engine.answers = dict.fromkeys(MODELS, (hostile, "and more"))
        await user.asked(hostile)
        await judge(user, "4")

        screen = text_of(user)

        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(screen)
        assert "[red]x[/]" in screen


async def test_a_score_can_be_clicked_and_esc_right_after_a_key_loses_nothing() -> None:
    async with beside() as user:
        await user.asked()
        await judge(user, "4")
        run_id, row = user.run.id, list(user.driven.app.screen.query(CriterionRow))[1]
        line = next(line for line in user.driven.lines() if "Is it short?" in line)
        await user.driven.pilot.click(row, offset=(line.index(" 3 ") + 1 - row.region.x, 0))
        await user.driven.pilot.press("5")
        user.driven.app.simulate_key("escape")  # the pilot would wait for a screen that goes meanwhile
        await user.driven.until(lambda: user.driven.app.screen is user.driven.workspace)

        assert sorted(one.value for one in await user.scores.scores(run_id)) == [3, 4, 5]


async def test_on_a_narrow_terminal_one_of_three_answers_shows_and_tab_changes_it() -> None:
    async with beside(size=NARROW) as user:
        user.engine.answers = {model: (f"the answer of {model[:1]}",) for model in MODELS}
        await user.asked(models=3, is_blind=False)
        assert user.driven.shows("[A done] · B done · C done")
        assert user.driven.shows("the answer of p")

        await user.press("tab")

        assert user.driven.shows("A done · [B done] · C done")
        assert user.driven.shows("the answer of q")
        assert not user.driven.shows("the answer of p")
