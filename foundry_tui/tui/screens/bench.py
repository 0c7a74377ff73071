"""The benchmark as it runs: a row for each model, and the request in flight as the rhythm of its chunks."""

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.bench import ModelRun
from foundry_tui.domain.chat import ClockRead, Moment
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_line
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.bench.state import BenchState, Step, UnderWay
from foundry_tui.tui.notices import complain
from foundry_tui.tui.paint_budget import PaintBudget
from foundry_tui.tui.screens.bench_files import export_run
from foundry_tui.tui.screens.bench_plan import BenchPlanScreen
from foundry_tui.tui.screens.bench_requests import RequestsScreen
from foundry_tui.tui.screens.bench_rows import (
    COLUMNS,
    detail_lines,
    idle_words,
    rows_of,
    state_words,
    under_way_words,
)
from foundry_tui.tui.screens.bench_runs import RunChosen, RunsScreen
from foundry_tui.tui.screens.bench_tally import RunTally
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import cut, place

__all__ = ["BenchScreen"]

_EMPTY = (
    "No benchmark runs.\n\n"
    "n plans one: models, prompts and rounds.\n"
    "r lists the runs that were kept; one that was stopped can be resumed."
)
_HINT = "the time between tokens of the request in flight shows here"
_LEAST_CELLS = 20
# Far more than are ever under way at once: where the record of a request that has just ended is looked for.
_NEWEST = 128
_WHILE_RUNNING = frozenset({"pause", "skip", "stop_after", "stop"})
_WHEN_ENDED = frozenset({"export"})


class _Table(RowTable):
    """Its Enter is shown: the requests are behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,v", "activate", "Requests", key_display="⏎", id="bench.requests")
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what is behind a row only where there is one."""
        return action != "activate" or bool(self.rows)


class BenchScreen(Overlay[None]):
    """Follows the run under way, or shows one that was kept; the run goes on when it is closed.

    It draws at most four times a second, and less where its own event loop is late: what draws competes with
    what is measured.

    Args:
        bench: Runs and keeps them.
        plan: Makes the page on which the next one is planned.
        is_plain: Whether it does without colours and blocks.
        clock_s: A monotonic clock, for how late the screen is.
    """

    DEFAULT_CSS = """
    BenchScreen .bench-line { height: 1; text-overflow: ellipsis; text-wrap: nowrap; }
    BenchScreen #bench-state { color: $text; text-style: bold; }
    BenchScreen.-problem #bench-state, BenchScreen.-problem #bench-under-way { color: $text-error; }
    BenchScreen #bench-detail { height: 4; border-top: solid $panel; color: $text-muted; }
    BenchScreen.-empty #bench-detail, BenchScreen.-empty #bench-under-way, BenchScreen.-empty #bench-ribbon {
        display: none;
    }
    BenchScreen #bench-under-way { height: 2; border-top: solid $panel; }
    BenchScreen.-problem #bench-under-way { height: auto; max-height: 6; text-wrap: wrap; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "plan", "New run", id="bench.plan"),
        Binding("r", "runs", "Runs", id="bench.runs"),
        Binding("e", "export", "Export", id="bench.export"),
        Binding("p", "pause", "Pause/go on", id="bench.pause"),
        Binding("s", "skip", "Skip model", id="bench.skip"),
        Binding("a", "stop_after", "Stop after this", id="bench.stop_after"),
        Binding("x", "stop", "Stop now", id="bench.stop"),
    ]

    def __init__(
        self,
        bench: Benchmarks,
        *,
        plan: Callable[[], BenchPlanScreen],
        is_plain: bool = False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._bench = bench
        self._plan = plan
        self._is_plain = is_plain
        self._clock_s = clock_s
        self._budget = PaintBudget()
        self._tally = RunTally()
        self._kept: BenchState | None = None
        self._shown: BenchState | None = None
        self._words: dict[str, str] = {}
        self._followed: UnderWay | None = None
        self._fed = 0
        self._has_fed_sent = False

    @property
    def table(self) -> RowTable:
        """One row for each model, what has the focus."""
        return self.query_one(RowTable)

    @property
    def ribbon(self) -> GapRibbon:
        """The request in flight, or the last one."""
        return self.query_one(GapRibbon)

    @property
    def state(self) -> BenchState | None:
        """The run that is shown: the one under way, or one that was kept."""
        return self._bench.state.value if self._kept is None else self._kept

    def compose(self) -> ComposeResult:
        with Vertical(id="bench-box", classes="full") as box:
            box.border_title = "Benchmark"
            box.border_subtitle = "Esc leaves; a run goes on"
            yield Static(id="bench-state", classes="bench-line", markup=False)
            yield _Table(COLUMNS, empty_text=_EMPTY, id="bench-table")
            yield Static(id="bench-detail", markup=False)
            yield Static(id="bench-under-way", classes="bench-line", markup=False)
            yield GapRibbon(empty_hint=_HINT, id="bench-ribbon")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show what is known, and follow it."""
        ribbon = self.ribbon
        ribbon.can_focus = False  # its keys would stand in the way of those of the run
        ribbon.plain = ribbon.plain or self._is_plain
        self.table.focus()
        self._redraw()
        self._follow()

    def on_resize(self) -> None:
        """Names and lines are cut to the new width."""
        self.call_after_refresh(self._redraw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action in _WHILE_RUNNING:
            return self._is_running
        if action in _WHEN_ENDED:
            state = self.state
            return state is not None and state.step is Step.ENDED
        return not self._is_running if action == "plan" else True

    def action_plan(self) -> None:
        """Plan a new run."""

        def begun(run_id: str | None) -> None:
            if run_id is not None:
                self._show(None)

        self.app.push_screen(self._plan(), begun)

    def action_runs(self) -> None:
        """List the runs that were kept."""

        def take(chosen: RunChosen | None) -> None:
            if chosen is not None:
                self._open(chosen)

        self.app.push_screen(RunsScreen(self._bench), take)

    def action_pause(self) -> None:
        """Begin no further request, or go on."""
        state = self._bench.state.value
        if state is not None and state.pauses:
            self._bench.go_on()
        else:
            self._bench.pause()

    @work(group="ask")
    async def action_skip(self) -> None:
        """Leave out what is left of the model under the cursor."""
        state, key = self.state, self.table.cursor_key
        if state is None or key is None or state.model_run(key).outcome is not None or key in state.skipped:
            return
        question = f"Leave out what is left of\n{cut(clean_line(key), 50)}?\nThis run does not make it later."
        if await self.app.push_screen_wait(ConfirmScreen(question, "Leave out")):
            self._bench.skip(key)

    def action_stop_after(self) -> None:
        """End the run when the request in flight is answered."""
        self._bench.stop_after_request()

    @work(group="ask")
    async def action_stop(self) -> None:
        """End the run now."""
        question = "Stop now?\nWhat was measured is kept; the request in flight is made again on resume."
        if await self.app.push_screen_wait(ConfirmScreen(question, "Stop now")):
            await self._bench.stop()

    @work(group="ask")
    async def action_export(self) -> None:
        """Write the run into a file."""
        if (state := self.state) is not None:
            try:
                await export_run(self, state.run, state.requests)
            except FoundryTuiError as error:
                complain(self, error)

    # --- what is shown

    @property
    def _is_running(self) -> bool:
        state = self._bench.state.value
        return self._kept is None and state is not None and state.step is not Step.ENDED

    @work(group="follow")
    async def _follow(self) -> None:
        async for _ in self._bench.state.watch():
            await self._draw()
            while self._is_in_flight:  # its chunks grow without anybody telling
                await self._draw()

    @property
    def _is_in_flight(self) -> bool:
        state = self._bench.state.value
        return state is not None and bool(state.under_way)

    async def _draw(self) -> None:
        self._redraw()
        asked_s, began_s = self._budget.period_s, self._clock_s()
        await asyncio.sleep(asked_s)  # what comes meanwhile is one change
        self._budget.slept(asked_s, self._clock_s() - began_s)

    def _show(self, kept: BenchState | None) -> None:
        """Show a kept run, or whatever is under way."""
        self._kept = kept
        self._redraw()

    @work(exclusive=True, group="open")
    async def _open(self, chosen: RunChosen) -> None:
        """Show a run of the list, or do what is left of it."""
        try:
            if chosen.resumes:
                await self._bench.resume(chosen.run_id)
                self._show(None)
                return
            state = self._bench.state.value
            if state is not None and state.run.id == chosen.run_id:
                self._show(None)
                return
            run = await self._bench.store.run(chosen.run_id)
            if run is not None:
                requests = await self._bench.store.requests(chosen.run_id)
                self._show(BenchState(run=run, requests=requests, step=Step.ENDED))
        except FoundryTuiError as error:
            complain(self, error)

    def _redraw(self) -> None:
        if not self.is_open:
            return
        state = self.state
        has_other_keys = _keys_of(state) != _keys_of(self._shown)
        self.set_class(state is None, "-empty")
        is_new = state is not self._shown
        self._shown = state
        self._show_table(state, is_new=is_new)
        if has_other_keys:
            self.refresh_bindings()
        self._show_state(state)
        self._show_detail()
        self._show_flight(state)

    def _show_table(self, state: BenchState | None, *, is_new: bool) -> None:
        table = self.table
        if state is None:
            table.set_rows(())
            return
        if is_new:
            self._tally.take(state)
        rows = tuple(
            rows_of(
                state,
                self._tally,
                name_cells=self._name_cells(),
                is_plain=self._does_without_blocks,
            )
        )
        if rows != table.rows:
            table.set_rows(rows)

    @property
    def _does_without_blocks(self) -> bool:
        return self._is_plain or self.ribbon.plain

    def _name_cells(self) -> int:
        width = self.table.scrollable_content_region.width
        return next((one.width for one in place(COLUMNS, width) if one.column.key == "model"), _LEAST_CELLS)

    def _show_state(self, state: BenchState | None) -> None:
        words = "" if state is None else state_words(state)
        if state is not None and state.run.name:
            words = f"{clean_line(state.run.name, 40)} · {words}"
        if (lag_s := self._budget.lag_s) is not None and self._is_running:
            words += f" · this screen is {lag_s * 1000:.0f} ms late and draws half as often"
        self._put("bench-state", words)
        self.set_class(state is not None and state.problem is not None, "-problem")

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_detail()

    @on(RowTable.RowActivated)
    def _activated(self, message: RowTable.RowActivated) -> None:
        message.stop()
        if self.state is None:
            return
        run_id, model = self.state.run.id, message.key

        def requests() -> BenchState | None:
            state = self.state
            return state if state is not None and state.run.id == run_id else None

        self.app.push_screen(RequestsScreen(model, requests, is_plain=self._is_plain))

    def _show_detail(self) -> None:
        state, model = self._shown, self._model()
        lines: list[str] = []
        if state is not None and model is not None:
            width = max(_LEAST_CELLS, self.table.size.width - 2)
            tally = self._tally.of(model.model)
            lines = detail_lines(state, model, tally, cells=width, is_plain=self._does_without_blocks)
        self._put("bench-detail", "\n".join(lines))

    def _model(self) -> ModelRun | None:
        state, key = self._shown, self.table.cursor_key
        if state is None or key is None:
            return None
        return next((model for model in state.run.models if model.model == key), None)

    def _show_flight(self, state: BenchState | None) -> None:
        ribbon, one = self.ribbon, state.under_way[0] if state is not None and state.under_way else None
        if one is not self._followed:
            self._let_go(state)
            self._followed, self._fed, self._has_fed_sent = one, 0, False
            if one is not None:
                ribbon.begin(one.model)
        if one is None:
            if state is not None and state.step is Step.ENDED and state.requests:
                ribbon.show_trace(state.requests[-1].trace, state.requests[-1].model)
            self._put("bench-under-way", "" if state is None else idle_words(state))
            return
        sent_ns = one.trace.moment_ns(Moment.SENT)
        if sent_ns is not None and not self._has_fed_sent:
            self._has_fed_sent = True
            ribbon.observe(ClockRead(moment=Moment.SENT, at_ns=sent_ns))
        chunks = one.trace.chunks
        for index in range(self._fed, len(chunks)):
            ribbon.observe(chunks[index])
        self._fed = len(chunks)
        others = 0 if state is None else len(state.under_way) - 1
        self._put("bench-under-way", under_way_words(one, others, sent_ns))

    def _let_go(self, state: BenchState | None) -> None:
        """Show the record of the request that was followed, now that there is one."""
        gone = self._followed
        if gone is None or state is None:
            return
        key = (gone.model, gone.prompt_id, gone.round, gone.phase)
        for request in reversed(state.requests[-_NEWEST:]):
            if (request.model, request.prompt_id, request.round, request.phase) == key:
                self.ribbon.finish(request.trace)
                return

    def _put(self, name: str, words: str) -> None:
        """Write a line, if it is another one."""
        if self._words.get(name) != words:
            self._words[name] = words
            self.query_one(f"#{name}", Static).update(words, layout=self.has_class("-problem"))


def _keys_of(state: BenchState | None) -> tuple[str, bool] | None:
    """What decides which keys are offered."""
    return None if state is None else (state.run.id, state.step is Step.ENDED)
