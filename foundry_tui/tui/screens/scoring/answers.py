"""Scoring one answer at a time."""

from functools import partial
from string import ascii_lowercase
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from foundry_tui.services.scoring.blind import Cover
from foundry_tui.services.scoring.session import ScoringSession
from foundry_tui.tui.screens.scoring.judging import Judging, title_words
from foundry_tui.tui.screens.scoring.keys import DIGITS
from foundry_tui.tui.screens.tagging import LineScreen
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.score_rows import AspectRow, CriterionRow
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["AnswersScreen"]


class AnswersScreen(Judging):
    """The prompt, an answer to it, and the criteria; a digit scores the one that is marked.

    Args:
        session: Whose answers.
        cover: Lies over the names of the run's models.

    Attributes:
        session: Likewise.
    """

    HELP = (
        "Digits score the marked criterion, Tab marks the next one. When all have a score the next answer "
        "comes by itself, unless this prompt has aspects to tick: then Enter goes on. Every key is kept at "
        "once; u takes the last one back. No model is named until all is scored; some answers come twice."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *DIGITS,
        Binding("tab", "criterion(1)", "Criterion", key_display="tab", id="scoring.criterion"),
        Binding("shift+tab", "criterion(-1)", "Criterion before", show=False, id="scoring.criterion_before"),
        Binding("n", "note", "Note", id="scoring.note"),
        Binding("f", "flag", "Flag", id="scoring.flag"),
    ]
    DEFAULT_CSS = """
    AnswersScreen #scoring-prompt { height: auto; max-height: 25%; color: $text-muted; }
    AnswersScreen #scoring-answer { border-top: solid $primary; }
    AnswersScreen #scoring-criteria { height: auto; border-top: solid $primary; }
    AnswersScreen #scoring-aspects { height: auto; max-height: 25%; }
    """

    def __init__(self, session: ScoringSession, cover: Cover) -> None:
        super().__init__(session, cover, session.rubric)
        self.session = session
        self._criteria = tuple(one.id for one in session.rubric.criteria)
        self._current = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="full") as box:
            box.border_title = Content(title_words("Score answers", self.session.annotator))
            box.border_subtitle = "every key is kept at once · Esc leaves, to go on later"
            yield Sheet(id="scoring-prompt")
            yield Sheet(id="scoring-answer")
            with Vertical(id="scoring-criteria"):
                for criterion in self.session.rubric.criteria:
                    yield CriterionRow(criterion)
            yield VerticalScroll(id="scoring-aspects", can_focus=False)
            yield Static(classes="scoring-state", markup=False)
        yield KeyFooter()

    async def on_mount(self) -> None:
        """Begin where it was left."""
        self.query_one("#scoring-answer", Sheet).focus()
        await self.show_item()

    async def show_item(self) -> None:
        """Show the answer, with the first criterion marked that has no score."""
        item, session = self.session.item, self.session
        prompt, answer = self.query_one("#scoring-prompt", Sheet), self.query_one("#scoring-answer", Sheet)
        prompt.set_paragraphs([Paragraph(text=self.covered(item.prompt), tone=Tone.MUTED)])
        answer.set_paragraphs([Paragraph(text=self.covered(item.answer))])
        for sheet in (prompt, answer):
            sheet.scroll_to(y=0, animate=False)
        self._current = next(
            (place for place, one in enumerate(self._criteria) if one not in session.standing.values), 0
        )
        aspects = self.query_one("#scoring-aspects")
        if [row.aspect for row in self.query(AspectRow)] != list(session.aspects):
            await aspects.remove_children()
            letters = iter(self._letters)
            await aspects.mount_all(AspectRow(next(letters, ""), aspect) for aspect in session.aspects)
        self.show_standing()

    def show_standing(self) -> None:
        """Show scores, ticks and the rest."""
        standing = self.session.standing
        for place, row in enumerate(self.query(CriterionRow)):
            row.show(standing.values.get(row.criterion.id), is_current=place == self._current)
        for aspect in self.query(AspectRow):
            aspect.show(is_ticked=aspect.aspect in standing.ticked)
        notes = [
            word
            for word, is_so in (
                ("skipped", standing.is_skipped),
                ("flagged", standing.is_flagged),
                ("noted", bool(standing.note)),
                ("scored, Enter goes on", self.session.is_done(standing) and bool(self.session.aspects)),
            )
            if is_so
        ]
        self.show_state(*notes)

    async def skip(self) -> None:
        await self.session.skip()

    async def action_give(self, value: int) -> None:
        """Score the marked criterion, and mark the next without a score; after the last go on."""
        await self._give(self._criteria[self._current], value)

    def action_criterion(self, by: int) -> None:
        """Mark another one."""
        self._current = (self._current + by) % len(self._criteria)
        self.show_standing()

    async def action_flag(self) -> None:
        """Mark the answer to talk about it."""
        await self.said(self.session.flag)
        self.show_standing()

    def action_note(self) -> None:
        """Note something on the answer."""
        place = self.session.place

        async def keep(text: str | None) -> None:
            if text is not None and self.session.place == place:
                await self.said(partial(self.session.note, text))
                self.show_standing()

        note = self.session.standing.note
        self.app.push_screen(LineScreen("Note", "On this answer", note, may_be_empty=True), keep)

    async def on_key(self, event: events.Key) -> None:
        """A letter ticks its aspect."""
        for row in self.query(AspectRow):
            if row.letter and event.character == row.letter:
                event.stop()
                await self._tick(row.aspect)
                return

    @on(CriterionRow.Given)
    async def _clicked(self, message: CriterionRow.Given) -> None:
        message.stop()
        await self._give(message.criterion, message.value)

    @on(AspectRow.Ticked)
    async def _ticked(self, message: AspectRow.Ticked) -> None:
        message.stop()
        await self._tick(message.aspect)

    async def _give(self, criterion: str, value: int) -> None:
        was_done = self.session.is_done(self.session.standing)
        if not await self.said(partial(self.session.score, criterion, value)):
            return
        standing = self.session.standing
        if not was_done and self.session.is_done(standing) and not self.session.aspects:
            await self.go_on()
            return
        at = self._criteria.index(criterion)
        after = [*range(at + 1, len(self._criteria)), *range(at)]
        self._current = next((place for place in after if self._criteria[place] not in standing.values), at)
        self.show_standing()

    async def _tick(self, aspect: str) -> None:
        await self.said(partial(self.session.tick, aspect))
        self.show_standing()

    @property
    def _letters(self) -> list[str]:
        """Those that do nothing else here, nor in comparing two, whatever keys were chosen."""
        taken = {*self._bindings.key_to_bindings, "a", "b"}
        return [letter for letter in ascii_lowercase if letter not in taken]
