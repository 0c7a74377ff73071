"""The benchmark as it runs: a row for each model, how its readings spread, and the request in flight."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from foundry_tui.domain.bench import ResourceReading
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.reports.reruns import marked_words
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.paint_budget import PaintBudget
from foundry_tui.tui.screens.bench.compare import BenchCompareScreen
from foundry_tui.tui.screens.bench.files import export_run
from foundry_tui.tui.screens.bench.page import BenchPage
from foundry_tui.tui.screens.bench.plan import BenchPlanScreen
from foundry_tui.tui.screens.bench.requests import RequestsScreen
from foundry_tui.tui.screens.bench.rows import lag_words
from foundry_tui.tui.screens.bench.runs import RunChosen, RunsScreen
from foundry_tui.tui.screens.bench.summary import BenchSummary
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import cut

__all__ = ["BenchScreen"]

_WHILE_RUNNING = frozenset({"pause", "skip", "stop_after", "stop", "paint"})
_WHEN_ENDED = frozenset({"export", "compare", "mark", "score", "choose"})
_LEAST_TO_COMPARE = 2
_WITH_A_RUN = frozenset({"view", "measure"})


class BenchScreen(Overlay[None]):
    """Follows the run under way, or shows one that was kept; the run goes on when it is closed.

    It draws at most four times a second, and less where its own event loop is late: what draws competes with
    what is measured.  It draws nothing while another screen hides it, nor after it was told to stop painting:
    then a line that stands still says so, until a key or the end of the run brings the rest back.

    Args:
        bench: Runs and keeps them.
        plan: Makes the page on which the next one is planned.
        score: Makes the page from which the answers of an ended run are scored.
        scores: Where those of its answers are.
        choose: Opens the page on which one chooses among the models of the runs with these ids.
        is_plain: Whether it does without colours and blocks.
        clock_s: A monotonic clock, for how late the screen is.
    """

    HELP = (
        "Each row is a model with its median and half of the 95 % interval, or below six readings the worst "
        "one and their number. w changes what is drawn below, m the measure of it. The screen itself can "
        "disturb what it shows: it says how late it is, draws less then, and o stops it from painting."
    )
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - as the base class declares it
    # The style sheet of the app is stronger than what a class says by default.
    CSS = """
    BenchScreen #bench-table { height: auto; max-height: 50%; }
    BenchScreen.-short #bench-table { max-height: 7; }
    BenchScreen.-short BenchPage.-ended GapRibbon { display: none; }
    BenchPage.-empty #bench-table { height: 1fr; max-height: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "plan", "New run", id="bench.plan"),
        Binding("w", "view", "View", id="bench.view"),
        Binding("m", "measure", "Measure", id="bench.measure"),
        Binding("o", "paint", "Paint", id="bench.paint"),
        Binding("c", "compare", "Compare", id="bench.compare"),
        Binding("d", "choose", "Decide", id="bench.choose"),
        Binding("r", "runs", "Runs", id="bench.runs"),
        Binding("e", "export", "Export", id="bench.export"),
        Binding("q", "score", "Score", id="bench.score"),
        Binding("f", "measure_again", "Measure again", id="bench.measure_again"),
        Binding("p", "pause", "Pause", id="bench.pause"),
        Binding("s", "skip", "Skip", id="bench.skip"),
        Binding("a", "stop_after", "Stop after", id="bench.stop_after"),
        Binding("x", "stop", "Stop", id="bench.stop"),
    ]

    def __init__(
        self,
        bench: Benchmarks,
        *,
        plan: Callable[[], BenchPlanScreen],
        score: Callable[[BenchState], Overlay[None]],
        choose: Callable[[Sequence[str]], None],
        scores: ScoreStore,
        is_plain: bool = False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._bench = bench
        self._plan = plan
        self._score = score
        self._choose = choose
        self._scores = scores
        self._is_plain = is_plain
        self._clock_s = clock_s
        self._budget = PaintBudget()
        self._kept: BenchState | None = None
        self._resources: Sequence[ResourceReading] = ()
        self._shown: BenchState | None = None

    @property
    def page(self) -> BenchPage:
        """The run."""
        return self.query_one(BenchPage)

    @property
    def table(self) -> RowTable:
        """One row for each model, what has the focus."""
        return self.page.table

    @property
    def keeps_still(self) -> bool:
        """Whether nothing at all may be painted, what shows below it included."""
        return self.is_blank

    @property
    def is_blank(self) -> bool:
        """Whether it was told to paint nothing."""
        return self.page.is_blank

    @property
    def state(self) -> BenchState | None:
        """The run that is shown: the one under way, or one that was kept."""
        return self._bench.state.value if self._kept is None else self._kept

    def compose(self) -> ComposeResult:
        yield BenchPage(is_plain=self._is_plain, id="bench-page")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show what is known, and follow it."""
        self.table.focus()
        self._redraw()
        self._follow()

    def on_resize(self) -> None:
        """Names and lines are cut to the new width."""
        self.call_after_refresh(self._redraw)

    def on_screen_resume(self) -> None:
        """Catch up with what went on while another screen was shown."""
        if self.is_mounted:
            self._budget.forget()
            self._follow()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        if action in _WHILE_RUNNING:
            return self._is_running
        if action == "measure_again":
            return not self._bench.is_running and self.is_mounted and bool(self.page.marked_rounds)
        if action in _WHEN_ENDED:
            return self.state is not None and self.state.step is Step.ENDED
        if action in _WITH_A_RUN:
            return self.state is not None and not self.is_blank
        return not self._is_running if action == "plan" else True

    def action_plan(self) -> None:
        """Plan a new run."""

        def begun(run_id: str | None) -> None:
            if run_id is not None:
                self._show(None)

        self.app.push_screen(self._plan(), begun)

    def action_score(self) -> None:
        """Score the answers of the run that is shown."""
        if (state := self.state) is not None:
            self.app.push_screen(self._score(state))

    def action_runs(self) -> None:
        """List the runs that were kept."""

        def take(chosen: RunChosen | None) -> None:
            if chosen is not None:
                self._open(chosen)

        self.app.push_screen(RunsScreen(self._bench, choose=self._choose, is_plain=self._is_plain), take)

    def action_view(self) -> None:
        """Draw something else."""
        self.page.views.next_view()
        self._redraw()

    def action_measure(self) -> None:
        """Draw another measure."""
        self.page.views.next_measure()
        self._redraw()

    def action_mark(self) -> None:
        """Mark the model under the cursor."""
        self.page.mark()

    def action_compare(self) -> None:
        """Compare the marked models with each other, or all where fewer than two are marked."""
        if (state := self.state) is None:
            return
        models = self.page.marked
        if len(models) < _LEAST_TO_COMPARE:
            models = tuple(model.model for model in state.run.models)
        if len(models) < _LEAST_TO_COMPARE:
            tell(self, "a run of one model has nothing to compare it with: r lists other runs")
            return
        self.app.push_screen(BenchCompareScreen(state, models))

    def action_choose(self) -> None:
        """Choose among the models of the run by limits."""
        if (state := self.state) is not None:
            self._choose((state.run.id,))

    def action_paint(self) -> None:
        """Paint nothing any more, or all again."""
        self._set_blank(not self.is_blank)

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
                await export_run(self, state.run, tuple(state.requests), self._scores)
            except FoundryTuiError as error:
                complain(self, error)

    @work(exclusive=True, group="open")
    async def action_measure_again(self) -> None:
        """Measure the marked rounds of the run that is shown again, and nothing else."""
        state, marked = self.state, self.page.marked_rounds
        if state is None or not marked:
            return
        try:
            await self._bench.measure_again(state.run.id)
        except FoundryTuiError as error:
            complain(self, error)
            return
        self._show(None)
        tell(self, f"{marked_words(marked)}: measured again; what was measured first is kept beside it")

    # --- what is shown

    @property
    def _is_running(self) -> bool:
        state = self._bench.state.value
        return self._kept is None and state is not None and state.step is not Step.ENDED

    @property
    def _is_in_sight(self) -> bool:
        """Whether it is on top; a question leaves most of it to be seen."""
        return self.is_open and (self.app.screen is self or isinstance(self.app.screen, ConfirmScreen))

    @work(exclusive=True, group="follow")
    async def _follow(self) -> None:
        async for state in self._bench.state.watch():
            if self.is_blank and (state is None or state.step is Step.ENDED):
                self._set_blank(False)  # nothing is disturbed any more, and the line would not be true
            await self._draw()
            while self._is_in_flight and self._is_in_sight and not self.is_blank:
                await self._draw()  # its chunks grow without anybody telling

    @property
    def _is_in_flight(self) -> bool:
        state = self._bench.state.value
        return state is not None and bool(state.under_way)

    async def _draw(self) -> None:
        self._redraw()
        if self.is_blank or not self._is_in_sight:
            return
        asked_s, began_s = self._budget.period_s, self._clock_s()
        await asyncio.sleep(asked_s)  # what comes meanwhile is one change
        self._budget.slept(asked_s, self._clock_s() - began_s)

    def _set_blank(self, is_blank: bool) -> None:
        if is_blank == self.is_blank:
            return
        self.page.set_blank(is_blank)
        self.refresh_bindings()
        self._budget.forget()
        self._redraw()
        if not is_blank:
            self.table.focus()
            self._follow()  # at once, and regularly again

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
                self._resources = await self._bench.store.resources(chosen.run_id)
                self._show(BenchState(run=run, requests=requests, step=Step.ENDED))
        except FoundryTuiError as error:
            complain(self, error)

    def _redraw(self) -> None:
        if not self._is_in_sight:
            return
        state = self.state
        has_other_keys = _keys_of(state) != _keys_of(self._shown)
        self._shown = state
        if has_other_keys:
            self.refresh_bindings()
        resources = self._resources if self._kept is not None else self._bench.resources
        self.page.show(
            state, resources, lag_words(self._budget) if self._is_running and self._is_in_flight else ""
        )

    @on(BenchSummary.Told)
    def _told(self, message: BenchSummary.Told) -> None:
        message.stop()
        self.refresh_bindings()

    @on(RowTable.RowActivated)
    def _activated(self, message: RowTable.RowActivated) -> None:
        message.stop()
        if self.state is None:
            return
        run_id, model = self.state.run.id, message.key

        def requests() -> BenchState | None:
            state = self.state
            return state if state is not None and state.run.id == run_id else None

        screen = RequestsScreen(model, requests, bench=self._bench, is_plain=self._is_plain)
        self.app.push_screen(screen)


def _keys_of(state: BenchState | None) -> tuple[str, bool] | None:
    """What decides which keys are offered."""
    return None if state is None else (state.run.id, state.step is Step.ENDED)
