"""The checklist of every target model: listed, cached, loads, answers; one line each."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.aio import Feed
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.quantities import seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.engine import pace_in_words
from foundry_tui.reports.errors import error_words
from foundry_tui.services.client import Job, JobKind
from foundry_tui.services.validation import Check, ModelValidation, Validation, Verdict
from foundry_tui.tui.presenters import age_in_words
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone
from foundry_tui.tui.widgets.table_parts import Column, Emphasis, Row

__all__ = ["Checked", "RunState", "ValidationScreen"]

_COLUMNS = (
    Column(key="model", label="Model", width=24, weight=3, priority=3),
    *(
        Column(key=check.value, label=check.value.capitalize(), width=width, priority=2 if width < 11 else 1)
        for check, width in zip(Check, (6, 6, 12, 12), strict=True)
    ),
)
_TICK_S = 0.5
_NS_PER_S = 1_000_000_000
_NAME_CHARACTERS = 50
_VERDICTS = {Verdict.PASSED: "ok", Verdict.FAILED: "NO", Verdict.NOT_APPLICABLE: "n/a"}


class RunState(StrEnum):
    """How far a run is."""

    NEVER = "never"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


@dataclass(slots=True, kw_only=True)
class Checked:
    """The last run and what it found; it outlives the screen, so that the result stays.

    Attributes:
        names: The targets, in their order.
        results: As far as it came, by name.
        problem: Why it ended early, where an error ended it.
        ended_ns: On the clock of the screen; None before the first end.
    """

    names: tuple[str, ...] = ()
    results: dict[str, ModelValidation] = field(default_factory=dict)
    state: RunState = RunState.NEVER
    problem: FoundryTuiError | None = None
    ended_ns: int | None = None


class ValidationScreen(Overlay[None]):
    """Runs the checklist at once where it has not been run yet; closed, it stops.

    Args:
        validation: Does the work.
        targets: The names to check, read anew for each run; blocks.
        source: Where they come from, in words, such as the path of ``models.json``.
        jobs: What the engine is doing, for the line about the model under way.
        checked: Where the result stays.
        clock_ns: A monotonic clock.
    """

    DEFAULT_CSS = """
    ValidationScreen #validation-table { height: 1fr; min-height: 4; }
    ValidationScreen #validation-detail { height: 7; border-top: solid $panel; }
    ValidationScreen #validation-state { height: 1; text-overflow: ellipsis; text-wrap: nowrap; }
    ValidationScreen #validation-state.-warning { color: $text-error; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Run again", id="validation.run"),
    ]

    def __init__(
        self,
        validation: Validation,
        *,
        targets: Callable[[], Sequence[str]],
        source: str,
        jobs: Feed[tuple[Job, ...]],
        checked: Checked,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__()
        self._validation = validation
        self._targets = targets
        self._source = source
        self._jobs = jobs
        self._checked = checked
        self._clock_ns = clock_ns
        self._began_ns = 0

    @property
    def table(self) -> RowTable:
        """One line per model, what has the focus."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="validation-box", classes="full") as box:
            box.border_title = "Do the target models work?"
            box.border_subtitle = "Tab ↔ list, text · Esc stops, then closes"
            yield RowTable(_COLUMNS, empty_text="Reading the targets …", id="validation-table")
            yield Sheet(id="validation-detail")
            yield Static(id="validation-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show the last result, or make one."""
        self.table.focus()
        self.set_interval(_TICK_S, self._tick)
        self._redraw()
        if self._checked.state is RunState.NEVER:
            self.action_run()

    def escape(self) -> bool:
        """Stop a run; False where there is none, or where it is being stopped already."""
        if self._checked.state is not RunState.RUNNING:
            return False
        self._checked.state = RunState.STOPPING
        self.workers.cancel_group(self, "run")
        self._redraw()
        return True

    def action_run(self) -> None:
        """Check them all, with what the file names by now."""
        if self._checked.state in (RunState.RUNNING, RunState.STOPPING):
            return
        self._checked.state = RunState.RUNNING
        self._run()

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_detail()

    @work(group="run")
    async def _run(self) -> None:
        checked = self._checked
        checked.problem = None
        self._began_ns = self._clock_ns()
        ended = RunState.STOPPED
        self._redraw()
        try:
            # What an earlier run found stays until the file could be read.
            names = await asyncio.to_thread(self._targets)
            checked.names, checked.results = tuple(dict.fromkeys(names)), {}
            self._redraw()
            async with self._validation.running(checked.names) as results:
                async for result in results:
                    checked.results[result.name] = result
                    self._redraw()
            ended = RunState.DONE
        except FoundryTuiError as error:
            checked.problem, ended = error, RunState.FAILED
        finally:
            checked.state, checked.ended_ns = ended, self._clock_ns()
            self._redraw()

    # --- what is shown

    def _tick(self) -> None:
        if self._checked.state in (RunState.RUNNING, RunState.STOPPING):
            self._redraw()
        elif self._checked.ended_ns is not None:
            self._show_state()

    def _redraw(self) -> None:
        if not self.is_open:
            return
        table = self.table
        table.empty_text = self._empty_words()
        rows = tuple(self._row(name) for name in self._checked.names)
        if rows != table.rows:
            table.set_rows(rows)
        self._show_detail()
        self._show_state()

    def _row(self, name: str) -> Row:
        result = self._checked.results.get(name)
        if result is None:
            is_next = name == self._under_way()
            cells = (name, "…" if is_next else "", "", self._doing() if is_next else "", "")
            return Row(key=name, cells=cells, emphasis=Emphasis.NORMAL if is_next else Emphasis.DIM)
        verdicts = {one.check: one.verdict for one in result.results}
        took = {Check.LOADS: result.load_ns, Check.ANSWERS: result.first_text_ns}
        words = (_cell(verdicts.get(check), took.get(check)) for check in Check)
        return Row(
            key=name,
            cells=(name, *words),
            emphasis=Emphasis.GOOD if result.is_passed else Emphasis.PROBLEM,
        )

    def _empty_words(self) -> str:
        checked = self._checked
        if checked.problem is not None:
            return f"{error_words(checked.problem)}\n\nr tries again."
        if checked.state is RunState.DONE:
            return f"No models are named.\n\nTargets come from {clean_line(self._source)}."
        return "Stopped; r runs it." if checked.state is RunState.STOPPED else "Reading the targets …"

    def _show_detail(self) -> None:
        said: list[Paragraph] = []
        problem = self._checked.problem
        if problem is not None and self._checked.names:
            said.append(Paragraph(label="Problem", text=error_words(problem), tone=Tone.PROBLEM))
        name = self.table.cursor_key
        result = self._checked.results.get(name) if name is not None else None
        if result is not None:
            model = result.name if result.model_id is None else f"{result.name} is {result.model_id}"
            said.append(Paragraph(label="Model", text=clean_line(model)))
            said += [
                Paragraph(
                    label=one.check.value.capitalize(),
                    text=_result_words(one.verdict, one.detail, one.remedy),
                    tone=Tone.PROBLEM if one.verdict is Verdict.FAILED else Tone.NORMAL,
                )
                for one in result.results
            ]
        elif name is not None:
            said.append(Paragraph(label="Model", text=clean_line(name)))
            said.append(Paragraph(label="", text=self._waiting_words(name), tone=Tone.MUTED))
        sheet = self.query_one(Sheet)
        if said != list(sheet.paragraphs):
            sheet.set_paragraphs(said)

    def _show_state(self) -> None:
        line = self.query_one("#validation-state", Static)
        line.set_class(self._checked.state is RunState.FAILED or self._failures() > 0, "-warning")
        line.update(self._state_words(), layout=False)

    def _state_words(self) -> str:
        checked = self._checked
        done, total = len(checked.results), len(checked.names)
        passed = f"{done - self._failures()} of {done} passed"
        match checked.state:
            case RunState.RUNNING:
                name = self._under_way()
                doing = "" if name is None else f"{clean_line(name, _NAME_CHARACTERS)} · "
                return f"{done + (name is not None)} of {total} · {doing}{self._elapsed()} · Esc stops"
            case RunState.STOPPING:
                return "Stopping: what was in memory before is being loaded again …"
            case RunState.STOPPED:
                return f"Stopped after {done} of {total}: {passed}{self._age()}; r runs all again"
            case RunState.FAILED:
                return f"Ended early after {done} of {total}: {passed}{self._age()}; r tries again"
            case RunState.DONE:
                return f"{passed}{self._age()}; r runs again, from {clean_line(self._source)}"
            case RunState.NEVER:
                return ""

    def _waiting_words(self, name: str) -> str:
        if name == self._under_way():
            return f"is being checked: {self._doing() or 'asked'}"
        return "not checked" if self._checked.state is not RunState.RUNNING else "waits for its turn"

    # --- what is known

    def _failures(self) -> int:
        return sum(not result.is_passed for result in self._checked.results.values())

    def _under_way(self) -> str | None:
        """The model that is being checked: they come one after the other."""
        if self._checked.state is not RunState.RUNNING:
            return None
        return next((name for name in self._checked.names if name not in self._checked.results), None)

    def _doing(self) -> str:
        kinds = {job.kind for job in self._jobs.value}
        if JobKind.LOAD in kinds:
            return "loading …"
        return "unloading …" if JobKind.UNLOAD in kinds else ""

    def _elapsed(self) -> str:
        return pace_in_words((self._clock_ns() - self._began_ns) / _NS_PER_S)

    def _age(self) -> str:
        ended_ns = self._checked.ended_ns
        if ended_ns is None:
            return ""
        seconds = (self._clock_ns() - ended_ns) / _NS_PER_S
        return "" if seconds < 60 else f", {age_in_words(seconds)} ago"


def _cell(verdict: Verdict | None, took_ns: int | None) -> str:
    if verdict is None:
        return ""
    took = "" if took_ns is None else f" {seconds_in_words(took_ns / _NS_PER_S)}"
    return f"{_VERDICTS[verdict]}{took}"


def _result_words(verdict: Verdict, detail: str | None, remedy: str | None) -> str:
    words = _VERDICTS[verdict] if detail is None else f"{_VERDICTS[verdict]}: {detail}"
    return words if remedy is None else f"{words}\n→ {remedy}"
