"""What a run came to, for whoever comes back to it in the morning."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from textual import work
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from foundry_tui.domain.bench import RequestRun, RunStatus
from foundry_tui.domain.bench_reruns import RoundAgain
from foundry_tui.domain.text import clean_line
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.tui.screens.bench.names import short_names

__all__ = ["BenchSummary"]

_ROWS, _ROWS_WHERE_LOW = 10, 5


class BenchSummary(Static):
    """While a run goes on what whoever reads the numbers should know; what it came to when it has ended."""

    DEFAULT_CSS = """
    BenchSummary { display: none; height: auto; max-height: 14; }
    BenchSummary.-there { display: block; }
    BenchSummary.-low { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    @dataclass
    class Told(Message):
        """What an ended run came to stands there; the screen answers by offering what can be done now."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, markup=False)
        self.marked: tuple[RoundAgain, ...] = ()
        """Rounds of the ended run that can be measured again; none before they are known."""
        self._of: Sequence[RequestRun] | None = None
        self._lines: tuple[str, ...] = ()
        self._is_low = False

    def show(self, state: BenchState | None, *, is_low: bool) -> None:
        """Tell of this run if it has ended; the lines are there a moment later.

        Args:
            state: The run that is shown.
            is_low: Whether there is little room.
        """
        of = state.requests if state is not None and state.step is Step.ENDED else None
        if of is not self._of:
            self._of = of
            self.marked = ()
            self._put(())
            if state is not None and of:
                self._tell(state)
        if of is None:
            notes = () if state is None else tuple(clean_line(note, 300) for note in state.notes)
            if notes != self._lines:
                self._put(notes)
        if is_low is not self._is_low:
            self._is_low = is_low
            self.set_class(is_low, "-low")
            self._put(self._lines)

    @work(exclusive=True, group="summary")
    async def _tell(self, state: BenchState) -> None:
        lines, marked = await asyncio.to_thread(_told_of, state)
        if self._of is state.requests:
            self.marked = marked
            self._put(lines)
            self.post_message(self.Told())

    def _put(self, lines: tuple[str, ...]) -> None:
        self._lines = lines
        rows = _ROWS_WHERE_LOW if self._is_low else _ROWS
        if self._is_low and len(lines) > 1:
            lines = (f"{lines[0]}; {lines[1]}", *lines[2:])
        shown = list(lines)
        if len(lines) > rows:
            shown = [
                *lines[: rows - 1],
                f"… and {len(lines) - rows + 1} lines more in the report: e writes it",
            ]
        self.set_class(bool(shown), "-there")
        self.update(Content("\n".join(shown)))


def _told_of(state: BenchState) -> tuple[tuple[str, ...], tuple[RoundAgain, ...]]:
    """The lines, and what of the run can be measured again."""
    from foundry_tui.reports.reruns import marked_words
    from foundry_tui.reports.run_results import model_results
    from foundry_tui.reports.run_summary_words import morning_lines
    from foundry_tui.services.bench.rerun import marked_in

    results = model_results(state.run, state.requests)
    lines = morning_lines(state.run, results, paused_s=state.paused_s, notes=state.notes)
    marked = marked_in(state.run, state.requests) if state.run.status is RunStatus.COMPLETED else ()
    if marked:
        lines = (lines[0], f"f measures {marked_words(marked, behind=' again')}", *lines[1:])
    names = [clean_line(model.model) for model in state.run.models]
    for name, short in sorted(zip(names, short_names(names), strict=True), reverse=True):
        lines = tuple(line.replace(name, short) for line in lines)
    return lines, marked
