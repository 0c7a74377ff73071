"""Scoring answers by keys: what is kept, what is shown, and that nobody is named before the end."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.scoring import Chosen, Criterion, MarkKind, Rubric
from foundry_tui.tui.notices import tell
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.scoring.answers import AnswersScreen
from foundry_tui.tui.screens.scoring.results import ResultsScreen
from foundry_tui.tui.screens.scoring.start import ScoringStartScreen
from foundry_tui.tui.widgets.score_rows import AspectRow, CriterionRow
from foundry_tui.tui.widgets.sheet import Sheet
from tests.tui.harness import NARROW, WIDE, Driven
from tests.tui.scored import Scored, scored

MODELS = ("phi-4-mini", "qwen2.5-0.5b")
NAMES = (*MODELS, *(f"{model}-cpu:1" for model in MODELS))


def text_of(user: Driven) -> str:
    return "\n".join(user.lines())


def named(user: Driven) -> list[str]:
    """The models that are named on the screen; a name may be cut at its end."""
    screen = text_of(user).casefold()
    return [name for name in NAMES if name[:6].casefold() in screen]


def saying(request: RequestRun, text: str) -> RequestRun:
    """The same with another answer."""
    return replace(
        request, trace=replace(request.trace, chunks=(replace(request.trace.chunks[0], text=text),))
    )


async def test_digits_score_one_criterion_after_the_other_and_the_next_answer_comes() -> None:
    async with scored() as user:
        await user.begin("4")
        first = _first(user)
        assert await user.given() == [(first, 1, "correctness", 4)]
        assert user.driven.shows("[4]")

        await user.press("2")

        assert user.driven.shows("2/7")
        assert sorted(await user.given()) == [
            (_first(user), 1, "brevity", 2),
            (_first(user), 1, "correctness", 4),
        ]


def _first(user: Scored) -> int:
    screen = user.driven.app.screen
    assert isinstance(screen, AnswersScreen)
    return screen.session.items[0].number


@pytest.mark.parametrize("size", [NARROW, WIDE, (200, 60)])
async def test_from_the_first_page_to_the_last_answer_nobody_is_named(size: tuple[int, int]) -> None:
    """Not in an answer that names itself, in a notice, in the palette, or in the help."""
    async with scored(MODELS, prompts=3, size=size) as user:
        names_itself = tuple(
            replace(
                one,
                trace=replace(one.trace, chunks=(replace(one.trace.chunks[0], text=f"I am {one.model}"),)),
            )
            for one in user.requests
        )
        own = replace(user, requests=names_itself)
        seen: list[list[str]] = []

        async def look() -> None:
            await user.driven.pilot.pause()
            seen.append(named(user.driven))

        await own.open()
        await look()
        await own.begin()
        await look()
        assert user.driven.shows("I am ▒▒▒▒")
        tell(user.driven.app.screen, f"{MODELS[0]} is loaded, {MODELS[1]} too")
        await user.driven.until(lambda: user.driven.shows("▒▒▒▒ is loaded"))
        await look()
        for keys in (("f1",), ("escape",), ("ctrl+p", "t", "a", "l"), ("escape",), ("h",), ("escape",)):
            await own.press(*keys)
            await look()
        screen = user.driven.app.screen
        assert isinstance(screen, AnswersScreen)
        while not screen.session.is_complete:
            await own.press("3", "5")
            await look()
        assert seen == [[]] * len(seen)

        await own.press("enter")

        await user.driven.until(lambda: len(named(user.driven)) >= 2)
        assert isinstance(user.driven.app.screen, ResultsScreen)


async def test_the_terminal_s_title_names_nobody_either() -> None:
    async with scored(MODELS) as user:
        assert user.driven.app.covered(f"↓ 3 % {MODELS[0]}") == f"↓ 3 % {MODELS[0]}"
        await user.begin()

        assert user.driven.app.covered(f"↓ 3 % {MODELS[0]}") == "↓ 3 % ▒▒▒▒"


async def test_it_goes_on_where_it_was_left_and_undo_takes_a_key_back() -> None:
    async with scored() as user:
        await user.begin("4", "4", "5")
        await user.press("escape")
        await user.driven.until(lambda: user.driven.shows("Ada: 1 of 7 answers"))

        await user.begin()

        assert user.driven.shows("2/7")
        assert user.driven.shows("[5]")
        await user.press("u")
        await user.driven.until(lambda: "nothing was said" in user.driven.words_told)
        await user.press("2", "u")
        assert user.driven.shows("2/7")
        assert len(await user.given()) == 3


async def test_keys_that_were_pressed_right_before_it_is_left_are_kept() -> None:
    async with scored() as user:
        await user.begin()
        for key in ("4", "5", "3", "escape"):
            user.driven.app.simulate_key(key)  # faster than any of them is done
        await user.driven.until(lambda: isinstance(user.driven.app.screen, ScoringStartScreen))

        assert sorted(value for *_, value in await user.given()) == [3, 4, 5]


async def test_aspects_are_ticked_by_letter_and_by_mouse_and_enter_goes_on() -> None:
    async with scored(aspects=("is right", "is brief")) as user:
        await user.begin("c", "4", "4")
        assert user.driven.shows("[x] is right")
        assert user.driven.shows("[ ] is brief")
        assert user.driven.shows("1/7")  # Enter goes on, for there is something to tick

        rows = list(user.driven.app.screen.query(AspectRow))
        await user.driven.pilot.click(rows[1])
        await user.driven.until(lambda: user.driven.shows("[x] is brief"))
        await user.press("c")
        assert user.driven.shows("[ ] is right")
        await user.press("enter")

        assert user.driven.shows("2/7")
        assert [(mark.kind, mark.aspect) for mark in await user.store.marks("a1")] == [
            (MarkKind.ASPECT, "is brief")
        ]


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_score_can_be_clicked(size: tuple[int, int]) -> None:
    async with scored(size=size) as user:
        await user.begin()
        row = list(user.driven.app.screen.query(CriterionRow))[1]
        line = next(line for line in user.driven.lines() if "Is it short?" in line)
        offset = line.index(" 3 ") + 1 - row.region.x

        await user.driven.pilot.click(row, offset=(offset, 0))

        assert [(criterion, value) for _, _, criterion, value in await user.given()] == [("brevity", 3)]


async def test_flags_notes_and_skips_are_kept_and_shown() -> None:
    async with scored() as user:
        await user.begin("f", "n")
        await user.press(*"=1+1", "enter")
        assert user.driven.shows("1/7 · flagged · noted")

        await user.press("s")

        assert user.driven.shows("2/7")
        await user.press("left")
        assert user.driven.shows("1/7 · skipped · flagged · noted")
        assert [note.text for note in await user.store.notes("a1")] == ["=1+1"]
        assert {mark.kind for mark in await user.store.marks("a1")} == {MarkKind.FLAG, MarkKind.SKIP}


async def test_two_answers_are_compared_by_keys_and_what_was_preferred_is_told_at_the_end() -> None:
    async with scored(MODELS, prompts=2) as user:
        await user.compare("a")
        assert user.driven.shows("2/2")
        assert named(user.driven) == []
        await user.press("equals_sign")
        assert user.driven.shows("Enter tells who wrote what")

        await user.press("enter")

        await user.driven.until(lambda: user.driven.shows("against"))
        assert user.driven.shows("compared by 1 person")
        assert {one.chosen for one in await user.store.preferences("a1")} > {Chosen.TIE}


async def test_without_a_name_nothing_is_begun() -> None:
    async with scored() as user:
        await user.open()

        await user.press("enter")

        assert user.driven.shows("Write a name first")


async def test_results_are_not_shown_by_accident_to_who_is_between() -> None:
    async with scored(MODELS) as user:
        await user.begin("4", "4", "escape")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, ScoringStartScreen))

        await user.press("ctrl+r")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, ConfirmScreen))
        await user.driven.until(
            lambda: user.driven.app.focused is not None and user.driven.app.focused.id == "no"
        )
        assert named(user.driven) == []
        await user.press("enter")  # stays

        await user.driven.until(lambda: isinstance(user.driven.app.screen, ScoringStartScreen))


async def test_a_run_without_answers_and_a_rubric_that_cannot_be_read_say_what_to_do() -> None:
    async with scored() as user:
        user.driven.app.push_screen(ScoringStartScreen(replace(user, requests=()).what()))
        await user.driven.until(lambda: user.driven.shows("none ended well with text"))
        await user.press("escape")

        def broken() -> Rubric:
            raise BadInput("rubric.json: no criteria", remedy="give it one")

        user.driven.app.push_screen(ScoringStartScreen(replace(user.what(), rubric=broken)))
        await user.driven.until(lambda: user.driven.shows("rubric.json: no criteria"))
        await user.press("A", "enter")

        assert isinstance(user.driven.app.screen, ScoringStartScreen)


async def test_what_is_hostile_in_rubric_prompt_answer_and_name_stays_text() -> None:
    hostile = "\x1b]0;owned\x07[red]x[/]\x9b31m\u202e"
    rubric = Rubric(name=hostile, criteria=(Criterion(id="c", name=hostile, low=hostile, high=hostile),))
    async with scored(aspects=(hostile,), rubric=rubric) as user:
        own = replace(user, requests=tuple(saying(one, hostile) for one in user.requests))
        await own.begin("1", "h", name="[b]")

        screen = text_of(user.driven)

        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(screen)
        assert "[red]x[/]" in screen


async def test_a_long_answer_scrolls_while_digits_score() -> None:
    async with scored(size=NARROW) as user:
        long = replace(user, requests=tuple(saying(one, "line\n" * 90) for one in user.requests))
        await long.begin("pagedown")
        sheet = user.driven.app.screen.query_one("#scoring-answer", Sheet)
        assert sheet.scroll_y > 0

        await user.press("4", "4")

        await user.driven.until(lambda: sheet.scroll_y == 0)  # the next answer from its beginning
