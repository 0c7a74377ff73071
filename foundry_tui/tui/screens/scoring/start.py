"""Who scores, and how: the page before the answers of a run."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Label, Static

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.scoring import Rubric
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import JudgeStore, ScoreStore
from foundry_tui.reports.errors import error_words
from foundry_tui.services.scoring.blind import Cover, names_of
from foundry_tui.services.scoring.pairing import PairSession
from foundry_tui.services.scoring.people import Person, people_of, progress_of
from foundry_tui.services.scoring.session import ScoringSession
from foundry_tui.services.scoring.walk import Progress
from foundry_tui.tui.notices import complain
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.screens.scoring.answers import AnswersScreen
from foundry_tui.tui.screens.scoring.judging import Judging
from foundry_tui.tui.screens.scoring.pairs import PairsScreen
from foundry_tui.tui.screens.scoring.results import ResultsScreen
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["ScoringStartScreen", "ToScore"]

_NAME_CHARACTERS = 60
_ID_CHARACTERS = 8
_BIAS = "{who} has not judged all yet.\nWho knows which model wrote what judges the rest with it in mind."


@dataclass(frozen=True, slots=True, kw_only=True)
class ToScore:
    """What is scored, and where it is kept.

    Attributes:
        rubric: Reads it anew, so not on the event loop; raises ``BadInput``.
    """

    store: ScoreStore
    judgements: JudgeStore
    run: Run
    requests: Sequence[RequestRun]
    rubric: Callable[[], Rubric]


class ScoringStartScreen(Overlay[None]):
    """Asks who scores; then one answer at a time, or two side by side, or what came of it.

    Args:
        what: The run and its answers.
        annotator: Who scored last, to be offered.
        keep: Told the name that was begun with.
    """

    HELP = (
        "Write your name, so that scores of several people are kept apart, and press Enter. What you scored "
        "before under that name is gone on with. Results name the models: look at them when you are done."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "answers", "Score answers", priority=True, id="scoring.answers"),
        Binding("ctrl+t", "pairs", "Compare two", priority=True, id="scoring.pairs"),
        Binding("ctrl+r", "results", "Results", priority=True, id="scoring.results"),
    ]
    DEFAULT_CSS = """
    ScoringStartScreen .full { padding: 1 2; }
    ScoringStartScreen #scoring-name { margin-bottom: 1; }
    ScoringStartScreen #scoring-problem { height: auto; }
    ScoringStartScreen .buttons { height: auto; margin-bottom: 1; }
    """

    def __init__(
        self, what: ToScore, *, annotator: str = "", keep: Callable[[str], None] = lambda _: None
    ) -> None:
        super().__init__()
        self._what = what
        self._annotator = annotator
        self._keep = keep
        self._rubric: Rubric | None = None

    @property
    def is_blind(self) -> bool:
        """Nobody may be named from here on."""
        return True

    def covered(self, text: str) -> str:
        """``text`` without the names of the models."""
        return Cover(names_of(self._what.run)).over(text)

    def compose(self) -> ComposeResult:
        with Vertical(classes="full") as box:
            run = self._what.run
            box.border_title = Content(f"Score run {clean_line(run.id, _ID_CHARACTERS)}")
            box.border_subtitle = "Enter begins · Esc leaves"
            yield Label("Your name: scores are kept under it")
            yield LineField(clean_line(self._annotator, _NAME_CHARACTERS), id="scoring-name", compact=True)
            with Horizontal(classes="buttons"):
                yield Button("Score answers", id="scoring-answers", variant="primary", compact=True)
                yield Button("Compare two", id="scoring-pairs", compact=True)
                yield Button("Results", id="scoring-results", compact=True)
            yield Static("", id="scoring-problem", classes="problem", markup=False)
            yield Sheet(label_cells=14, id="scoring-facts")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Begin with the name."""
        self.query_one("#scoring-facts", Sheet).set_paragraphs([Paragraph(text="Reading …", tone=Tone.MUTED)])
        self.query_one("#scoring-name", Input).focus()
        self._read()

    def on_screen_resume(self) -> None:
        """Somebody may have scored meanwhile."""
        if self.is_mounted and self._rubric is not None:
            self._read()

    def action_answers(self) -> None:
        """Score one answer at a time."""
        self._begin(is_pairs=False)

    def action_pairs(self) -> None:
        """Compare two answers at a time."""
        self._begin(is_pairs=True)

    @work(exclusive=True, group="begin")
    async def action_results(self) -> None:
        """Show what the models got."""
        if self._rubric is None:
            return
        try:
            people = await people_of(self._what.store, self._what.run, self._what.requests, self._rubric)
        except FoundryTuiError as error:
            complain(self, error)
            return
        between = [clean_line(one.name, _NAME_CHARACTERS) for one in people if one.is_between]
        if between:
            question = _BIAS.format(who=", ".join(between))
            if not await self.app.push_screen_wait(ConfirmScreen(question, "Show all the same")):
                return
        self._show_results()

    @on(Input.Submitted)
    def _entered(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_answers()

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        message.stop()
        match message.button.id:
            case "scoring-answers":
                self.action_answers()
            case "scoring-pairs":
                self.action_pairs()
            case _:
                self.action_results()

    @work(exclusive=True, group="begin")
    async def _begin(self, *, is_pairs: bool) -> None:
        name = " ".join(self.query_one("#scoring-name", Input).value.split())
        problem = self.query_one("#scoring-problem", Static)
        if self._rubric is None:
            return  # what keeps it from being read stands on the page
        if not name:
            problem.update("Write a name first: scores of several people are kept apart by it.")
            self.query_one("#scoring-name", Input).focus()
            return
        what, cover = self._what, Cover(names_of(self._what.run))
        of = (what.store, what.run, what.requests, self._rubric, name)
        screen: Judging
        try:
            if is_pairs:
                screen = PairsScreen(await PairSession.open(*of), cover)
            else:
                screen = AnswersScreen(await ScoringSession.open(*of), cover)
        except FoundryTuiError as error:
            problem.update(error_words(error))
            return
        problem.update("")
        self._keep(name)
        if await self.app.push_screen_wait(screen):
            self._show_results()

    def _show_results(self) -> None:
        if self._rubric is not None:
            what = self._what
            self.app.push_screen(ResultsScreen(what.store, what.judgements, what.run, what.requests))

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        what, facts = self._what, self.query_one("#scoring-facts", Sheet)
        try:
            rubric = await asyncio.to_thread(what.rubric)
            nobody = await progress_of(what.store, what.run, what.requests, rubric, "")
            people = await people_of(what.store, what.run, what.requests, rubric)
        except FoundryTuiError as error:
            facts.set_paragraphs([Paragraph(text=error_words(error), tone=Tone.PROBLEM)])
            return
        self._rubric = rubric
        if self.is_open:
            facts.set_paragraphs(_facts(rubric, nobody, people))


def _facts(rubric: Rubric, nobody: Person, people: Sequence[Person]) -> list[Paragraph]:
    names = ", ".join(one.name for one in rubric.criteria)
    paragraphs = [
        Paragraph(label="Answers", text=f"{nobody.answers.total} to score, some of them come twice"),
        Paragraph(
            label="Pairs",
            text="none: no prompt has two answers"
            if nobody.pairs is None
            else f"{nobody.pairs.total} to compare, some of them come twice with the sides changed",
        ),
        Paragraph(label="Rubric", text=f"{rubric.name}: {names}"),
        Paragraph(text=""),
    ]
    for one in people:
        paragraphs.append(Paragraph(label="Scored by", text=_person_words(one)))
    if not people:
        paragraphs.append(Paragraph(text="Nobody has scored this run yet.", tone=Tone.MUTED))
    return paragraphs


def _person_words(person: Person) -> str:
    parts = [f"{_part(person.answers)} answers"]
    if person.pairs is not None and person.pairs.done:
        parts.append(f"{_part(person.pairs)} pairs")
    return f"{clean_line(person.name, _NAME_CHARACTERS)}: {', '.join(parts)}"


def _part(progress: Progress) -> str:
    return (
        f"all {progress.total}" if progress.done == progress.total else f"{progress.done} of {progress.total}"
    )
