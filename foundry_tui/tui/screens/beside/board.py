"""Answers to one question in columns, as they come."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.text import clean_line
from foundry_tui.services.bench.beside import Answer, Doing, answer_of, in_columns
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.services.scoring.blind import Cover, names_of
from foundry_tui.tui.paint_budget import PaintBudget
from foundry_tui.tui.screens.beside.ask import Asked
from foundry_tui.tui.screens.beside.column import AnswerColumn
from foundry_tui.tui.screens.beside.words import LETTERS, answer_words, tabs_words, text_of
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["BesideBoard", "Chosen"]

_LEAST_COLUMN_CELLS = 28
"""Narrower nobody reads; then one column shows at a time."""
_NAME_CHARACTERS = 120
_STOP = "Stop now?\nWhat was answered is kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The answer to go on from."""

    state: BenchState
    request: RequestRun


class BesideBoard(Overlay[Chosen]):
    """Follows the run that a question is.

    Blind, it names nobody before ``is_told``.  It draws at most four times a second, and less where its own
    event loop is late, for what draws competes with what is measured; nothing while another screen hides it.

    Args:
        bench: Runs it.
        asked: The question, and its run.
        clock_s: A monotonic clock, for how late the screen is.

    Attributes:
        asked: Likewise.
        is_told: Whether the models are named.
        at: Which answer keys are about, from 0.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "column(1)", "Answer", key_display="tab", id="beside.column"),
        Binding("shift+tab", "column(-1)", "Answer before", show=False, id="beside.column_before"),
    ]
    DEFAULT_CSS = """
    BesideBoard #beside-question { height: auto; max-height: 20%; color: $text-muted; }
    BesideBoard #beside-columns { height: 1fr; min-height: 5; }
    BesideBoard #beside-tabs { height: 1; color: $text-muted; display: none; }
    BesideBoard.-paged #beside-tabs { display: block; }
    BesideBoard.-paged AnswerColumn { display: none; }
    BesideBoard.-paged AnswerColumn.-current { display: block; }
    """

    def __init__(
        self, bench: Benchmarks, asked: Asked, *, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._bench = bench
        self._clock_s = clock_s
        self._budget = PaintBudget()
        self.take_up(asked)

    def take_up(self, asked: Asked) -> None:
        """Be about that question from now on; its run is the one of the service."""
        state = self._bench.state.value
        assert state is not None
        assert state.run.id == asked.run_id
        self.asked = asked
        self._state = state
        self._models = in_columns(state.run, is_blind=asked.question.is_blind)
        self._names = frozenset(
            name for one in asked.variants for name in (one.id, one.alias, one.display_name) if name
        )
        self.is_told = not asked.question.is_blind
        self.at = 0

    @property
    def is_blind(self) -> bool:
        """Whether nobody may be named yet."""
        return not self.is_told

    def covered(self, text: str) -> str:
        """``text`` without the names of the models, while they are not told."""
        return text if self.is_told else self._blinds.over(text)

    @property
    def state(self) -> BenchState:
        """The run as it stands."""
        state = self._bench.state.value
        if state is not None and state.run.id == self.asked.run_id:
            self._state = state
        return self._state

    @property
    def is_answering(self) -> bool:
        """Whether answers may still come."""
        return self.state.step is not Step.ENDED

    @property
    def answers(self) -> tuple[Answer, ...]:
        """From left to right."""
        state = self.state
        return tuple(answer_of(state, model) for model in self._models)

    def compose(self) -> ComposeResult:
        with Vertical(classes="full"):
            yield Sheet(id="beside-question")
            yield Static(id="beside-tabs", markup=False)
            yield Horizontal(id="beside-columns")
            yield from self.compose_below()
        yield KeyFooter()

    @abstractmethod
    def compose_below(self) -> ComposeResult:
        """What stands below the answers."""

    @abstractmethod
    def show_below(self) -> None:
        """Show it as it stands by now."""

    @abstractmethod
    def scores_of(self, answer: Answer) -> str:
        """What the answer was given, in a few signs."""

    @abstractmethod
    def is_preferred(self, answer: Answer) -> bool:
        """Whether it was said to be the better one."""

    async def on_mount(self) -> None:
        """Show the question, and follow the answers."""
        await self.furnish()

    def on_resize(self) -> None:
        """Side by side where there is room, else one at a time."""
        self._fit()
        self.call_after_refresh(self.redraw)

    def on_screen_resume(self) -> None:
        """Catch up with what went on while another screen was shown."""
        if self.is_mounted:
            self._budget.forget()
            self.redraw()
            self._follow()

    def escape(self) -> bool:
        """Ask whether to stop while answers may still come."""
        if not self.is_answering:
            return False
        self._stop()
        return True

    def action_column(self, by: int) -> None:
        """Go to another answer."""
        self.go_to((self.at + by) % len(self._models))

    async def furnish(self) -> None:
        """As many columns as there are answers."""
        words = Paragraph(text=self.asked.question.text, tone=Tone.MUTED)
        self.query_one("#beside-question", Sheet).set_paragraphs([words])
        columns = self.query_one("#beside-columns")
        await columns.remove_children()
        await columns.mount_all(AnswerColumn(place) for place in range(len(self._models)))
        self._fit()
        self.go_to(0)
        self._follow()

    def go_to(self, place: int) -> None:
        """Keys are about that answer from now on."""
        self.at = place
        for column in self._columns:
            column.set_class(column.place == place, "-current")
            if column.place == place and not column.sheet.has_focus:
                column.sheet.focus()
        self.redraw()

    def redraw(self) -> None:
        """Show all as it stands by now."""
        if not self._is_in_sight:
            return
        box = self.query_one(".full")
        box.border_title = "Side by side · blind" if self.is_blind else "Side by side"
        box.border_subtitle = "Esc stops" if self.is_answering else "every key is kept at once · Esc leaves"
        answers = self.answers
        for column in self._columns:
            answer = answers[column.place]
            is_growing = answer.doing is Doing.ANSWERING
            column.show_text(self._shown_text(text_of(answer), is_growing=is_growing), is_growing=is_growing)
            column.show_state(
                self._title(column.place),
                self.covered(answer_words(answer, is_told=self.is_told)),
                self.scores_of(answer),
                is_problem=answer.doing is Doing.FAILED,
                is_preferred=self.is_preferred(answer),
            )
        self.query_one("#beside-tabs", Static).update(tabs_words(answers, self.at), layout=False)
        self.show_below()

    @on(AnswerColumn.Focused)
    def _focused(self, message: AnswerColumn.Focused) -> None:
        message.stop()
        if message.place != self.at:
            self.go_to(message.place)

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        async for state in self._bench.state.watch():
            if state is None or state.run.id != self.asked.run_id:
                continue
            await self._draw()
            while self.state.under_way and self._is_in_sight:
                await self._draw()  # its chunks grow without anybody telling

    async def _draw(self) -> None:
        self.redraw()
        if self._is_in_sight and self.is_answering:
            asked_s, began_s = self._budget.period_s, self._clock_s()
            await asyncio.sleep(asked_s)  # what comes meanwhile is one change
            self._budget.slept(asked_s, self._clock_s() - began_s)

    @property
    def _columns(self) -> list[AnswerColumn]:
        """Those that can show something: what follows the answers may come before a column has its parts."""
        count = len(self._models)  # those of the question before may be there still
        return [column for column in self.query(AnswerColumn) if column.is_mounted and column.place < count]

    @property
    def _is_in_sight(self) -> bool:
        """Whether it is on top; a question leaves most of it to be seen."""
        return self.is_open and (self.app.screen is self or isinstance(self.app.screen, ConfirmScreen))

    @work(exclusive=True, group="ask")
    async def _stop(self) -> None:
        if await self.app.push_screen_wait(ConfirmScreen(_STOP, "Stop now")) and self.is_answering:
            await self._bench.stop()

    def _fit(self) -> None:
        self.set_class(self.size.width // len(self._models) < _LEAST_COLUMN_CELLS, "-paged")

    @property
    def _blinds(self) -> Cover:
        return Cover(self._names | names_of(self._state.run))

    def _shown_text(self, text: str, *, is_growing: bool) -> str:
        if self.is_told:
            return text
        return self._blinds.over_growing(text) if is_growing else self._blinds.over(text)

    def _title(self, place: int) -> str:
        name = "" if self.is_blind else f" · {clean_line(self._models[place], _NAME_CHARACTERS)}"
        return LETTERS[place] + name
