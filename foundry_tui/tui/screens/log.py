"""The log: what the app, its services and the engine's process said, filtered as one types."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.text import clean_line
from foundry_tui.services.logbook import LogBook, LogLevel, LogLine
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.overlay import FilteredOverlay
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.log_lines import LogLines, line_in_words

__all__ = ["LogFilter", "LogScreen"]

# Nobody reads faster, and a process that floods its log must not keep the screen from answering.
_REDRAW_S = 0.25
# Terminals refuse longer ones, some without a word.
_CLIPBOARD_CHARACTERS = 64_000


class LogFilter(LineField):
    """Where one types what the lines must hold."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.to_list", "To the lines", id="log.lines", key_display="↓"),
    ]


class LogScreen(FilteredOverlay[None]):
    """Follows the log while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "least('debug')", "Debug", id="log.debug"),
        Binding("2", "least('info')", "Info", id="log.info"),
        Binding("3", "least('warning')", "Warning", id="log.warning"),
        Binding("4", "least('error')", "Error", id="log.error"),
        Binding("slash", "filter", "Filter", id="log.filter", key_display="/"),
        Binding("y", "copy", "Copy", id="log.copy"),
        Binding("w", "write", "Write a file", id="log.write"),
    ]
    FIELD = "#log-filter"
    LIST = "#log-lines"
    DEFAULT_CSS = """
    LogScreen #log-filter { height: 1; }
    LogScreen #log-state { height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap; }
    """

    def __init__(self, book: LogBook) -> None:
        super().__init__()
        self._book = book
        self._least = LogLevel.DEBUG
        self._words: list[str] = []
        self._count = 0

    @property
    def log_lines(self) -> LogLines:
        """The lines, what gets the focus."""
        return self.query_one(LogLines)

    def compose(self) -> ComposeResult:
        with Vertical(id="log-box", classes="full") as box:
            box.border_title = "Log"
            box.border_subtitle = "Esc closes"
            yield LogFilter(placeholder="/ filters: words, a level, a source", id="log-filter", compact=True)
            yield LogLines(id="log-lines")
            yield Static(id="log-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Begin at the end, and follow from there."""
        self.log_lines.focus()
        self.watch(self.log_lines, "follows", self._show_state, init=False)
        self._follow_book()
        self._follow_engine()

    def action_least(self, level: str) -> None:
        """Show lines of this level and of those that matter more."""
        self._least = LogLevel[level.upper()]
        self._show()

    def action_copy(self) -> None:
        """Put the lines shown into the clipboard, the newest of them if they are many."""
        words: list[str] = []
        room = _CLIPBOARD_CHARACTERS
        lines = self.log_lines.lines
        for line in reversed(lines):
            text = line_in_words(line)
            room -= len(text) + 1
            if room < 0:
                break
            words.append(text)
        if not words:
            tell(self, "There is nothing to copy", is_warning=True)
            return
        self.app.copy_to_clipboard("\n".join(reversed(words)))
        if len(words) < len(lines):
            tell(self, f"The newest {len(words):,} of {len(lines):,} lines copied; w writes all to a file")
        else:
            tell(self, "1 line copied" if len(words) == 1 else f"{len(words):,} lines copied")

    def action_write(self) -> None:
        """Write the lines shown to a new file in the logs folder."""
        if self.log_lines.lines:
            self._write(self.log_lines.lines)
        else:
            tell(self, "There is nothing to write", is_warning=True)

    @on(Input.Changed, "#log-filter")
    def _filtered(self, message: Input.Changed) -> None:
        message.stop()
        self._words = message.value.casefold().split()
        self._show()

    @work(exclusive=True, group="write")
    async def _write(self, lines: Sequence[LogLine]) -> None:
        try:
            path = await asyncio.to_thread(lambda: self._book.save(map(line_in_words, lines)))
        except StorageProblem as error:
            complain(self, error)
        else:
            tell(self, f"{len(lines):,} {'line' if len(lines) == 1 else 'lines'} written to {path}")

    @work(group="book")
    async def _follow_book(self) -> None:
        async for _ in self._book.changes.watch():
            self._show()
            await asyncio.sleep(_REDRAW_S)  # what comes meanwhile is one change

    @work(group="engine")
    async def _follow_engine(self) -> None:
        await self._book.follow_engine()

    def _show(self) -> None:
        every = self._book.lines()
        lines = [line for line in every if line.level >= self._least and self._is_wanted(line)]
        view = self.log_lines
        view.empty_text = self._empty_words(bool(every))
        view.set_lines(lines)
        self._count = len(every)
        self._show_state()

    def _show_state(self) -> None:
        lines = self.log_lines.lines
        some = f"{len(lines):,} of " if len(lines) < self._count else ""
        parts = [f"{some}{self._count:,} {'line' if self._count == 1 else 'lines'}"]
        parts.append("all levels" if self._least is LogLevel.DEBUG else f"{self._least.word} and worse")
        parts.append("newest last" if self.log_lines.follows else "standing still: End follows again")
        parts.append(f"files in {clean_line(str(self._book.logs_dir))}")
        self.query_one("#log-state", Static).update(" · ".join(parts))

    def _is_wanted(self, line: LogLine) -> bool:
        if not self._words:
            return True
        hay = f"{line.level.word} {line.source} {line.text}".casefold()
        return all(word in hay for word in self._words)

    def _empty_words(self, is_filtered: bool) -> str:
        place = f"The files of the engine's process are in\n{self._book.logs_dir}"
        if is_filtered:
            level = "" if self._least is LogLevel.DEBUG else f" at level {self._least.word} or worse"
            return f"No line matches{level}.\n\n1 shows every level, / changes the filter.\n\n{place}"
        return f"Nothing has been logged yet.\n\n{place}"
