"""Bringing all models to another folder: where to, what that takes, how far it is, and what can go wrong."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Static
from textual.worker import Worker, WorkerState

from foundry_tui.domain.cache import CacheReport, DiskSpace, MoveOutcome, MovePhase, UnfinishedMove
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.quantities import bytes_in_words, count_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.cache import move_line, unfinished_words
from foundry_tui.reports.errors import error_words
from foundry_tui.services.cache.service import CacheService
from foundry_tui.services.paths import Entry, PathKind, PathState, harmless
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.screens.paths import PathPurpose, PathScreen
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["FolderScreen", "InterruptedMove", "MovePlan", "Moving", "MovingScreen", "WholeMove"]

_REDRAW_S = 0.25
_STOPPABLE = (MovePhase.COPYING, MovePhase.COMPARING)
_HOW = (
    "All is copied, then all is compared, and only then is the new folder used. Until then the old one is in"
    " force and is only read. Its files go last, each only if its copy is equal."
)
_IF_STOPPED = (
    "Esc stops it, and what was copied is taken back. Killed, or without power, one whole copy stays in"
    " force, and m in the cache goes on with it or takes it back."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePlan:
    """What is about to be done.

    Attributes:
        target: In full.
        space: Of the disk of ``target``; None if it is not known.
    """

    report: CacheReport
    target: Path
    space: DiskSpace | None

    @property
    def is_short(self) -> bool:
        """Whether a copy does not fit there, as far as anybody can tell."""
        total = self.report.total_bytes
        return self.space is not None and total is not None and self.space.free_bytes < total


class FolderScreen(PathScreen):
    """Asks where the models are to go; closes with the path as it was typed."""

    def __init__(self, report: CacheReport, default: str = "") -> None:
        size = bytes_in_words(report.total_bytes)
        super().__init__(
            "Move all models",
            f"A missing or empty folder, for {size} that are in\n{harmless(report.folder)}",
            purpose=PathPurpose.WRITE,
            default=default,
        )

    def _offered(self, typed: str) -> tuple[Entry, ...]:
        return tuple(entry for entry in super()._offered(typed) if entry.is_folder)

    def _words(self, state: PathState) -> str:
        if (refusal := self._refusal(self.field.path, state)) is not None:
            return refusal
        where = harmless(str(state.path.parent))
        match state.kind:
            case PathKind.FOLDER:
                return "a folder that is there: it must be empty"
            case PathKind.ASTRAY:
                return f"a new folder, and those above it that are missing: {where}"
            case _:
                return f"a new folder in {where}"

    def _refusal(self, path: str, state: PathState) -> str | None:
        match state.kind:
            case PathKind.CLOSED:
                return f"it cannot be looked at: {harmless(state.reason)}"
            case PathKind.FILE | PathKind.OTHER:
                return "this is no folder"
            case _:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeMove:
    """One move, from its beginning.

    Attributes:
        cache: Does it, and tells how far it is.
        switch: As ``CacheService.move`` wants it.
    """

    cache: CacheService
    plan: MovePlan
    switch: Callable[[Path], Awaitable[None]]

    @property
    def title(self) -> str:
        """What it is called."""
        return "Move all models"

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Ids and labels of what can be done, besides leaving it."""
        return (("move", "Move"),)

    def paragraphs(self) -> list[Paragraph]:
        """What there is to read before and meanwhile."""
        plan = self.plan
        models = sum(1 for model in plan.report.models if not model.is_own)
        partials = len(plan.report.partials)
        what = f"{count_in_words(models)} {'model' if models == 1 else 'models'}"
        if partials:
            what += f", {count_in_words(partials)} unfinished {'download' if partials == 1 else 'downloads'}"
        free = "n/a" if plan.space is None else bytes_in_words(plan.space.free_bytes)
        room = f"{free} are free there; on the same disk no room is needed"
        return [
            Paragraph(label="From", text=clean_line(plan.report.folder)),
            Paragraph(label="To", text=clean_line(str(plan.target))),
            Paragraph(label="What", text=f"{what}: {bytes_in_words(plan.report.total_bytes)} in all"),
            Paragraph(label="Room", text=room, tone=Tone.WARNING if plan.is_short else Tone.NORMAL),
            Paragraph(label="How", text=_HOW, tone=Tone.MUTED),
            Paragraph(label="", text=_IF_STOPPED, tone=Tone.MUTED),
        ]

    async def do(self, choice: str) -> MoveOutcome | None:
        """Do what was chosen; None if the old folder is in force then.

        Raises:
            FoundryTuiError: It did not work.
        """
        return await self.cache.move(self.plan.target, self.switch)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedMove:
    """A move that was interrupted: going on with it, taking it back, or removing the old files.

    Attributes:
        cache: Does it, and tells how far it is.
        found: What is left of it.
        switch: As ``CacheService.move`` wants it.
    """

    cache: CacheService
    found: UnfinishedMove
    switch: Callable[[Path], Awaitable[None]]

    @property
    def title(self) -> str:
        """What it is called."""
        return "An unfinished move of the models"

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Ids and labels of what can be done, besides leaving it."""
        if self.found.is_switched:
            return (("finish", "Remove the old files"),)
        return (("resume", "Go on with it"), ("abandon", "Take it back"))

    def paragraphs(self) -> list[Paragraph]:
        """What there is to read before and meanwhile."""
        if self.found.is_switched:
            words = "Each of them is compared with its copy once more before it goes; what has none stays."
        else:
            words = (
                "Going on copies what is missing. Taking it back removes what was copied, and nothing else."
            )
        return [
            Paragraph(text=unfinished_words(self.found), tone=Tone.WARNING),
            Paragraph(text=f"\n{words}"),
        ]

    async def do(self, choice: str) -> MoveOutcome | None:
        """Do what was chosen; None if the old folder is in force then.

        Raises:
            FoundryTuiError: It did not work.
        """
        if choice == "finish":
            return await self.cache.finish_move()
        if choice == "abandon":
            await self.cache.abandon_move()
            return None
        return await self.cache.move(Path(self.found.target), self.switch)


Moving: TypeAlias = WholeMove | InterruptedMove
"""What can be said of a move, chosen and done: all that a ``MovingScreen`` needs of it."""


class MovingScreen(Overlay[MoveOutcome]):
    """Shows what is to be done, does it when asked to, and shows how far it is.

    Closes with the outcome; without one, the old folder is in force, or nothing more was done.

    Args:
        moving: What is to be done.
    """

    DEFAULT_CSS = """
    MovingScreen .box { max-height: 100%; padding: 0 2; }
    MovingScreen Sheet { height: 13; }
    MovingScreen #move-progress { height: 1; text-style: bold; }
    MovingScreen .buttons { height: 1; }
    """

    def __init__(self, moving: Moving) -> None:
        super().__init__()
        self.moving = moving
        self._work: Worker[None] | None = None
        self._problem: FoundryTuiError | None = None
        self._is_stopping = False

    @property
    def sheet(self) -> Sheet:
        """What there is to read."""
        return self.query_one(Sheet)

    @property
    def is_working(self) -> bool:
        """Whether something is under way."""
        return self._work is not None and not self._work.is_finished

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self.moving.title
            yield Sheet(id="move-sheet")
            yield Static(id="move-progress", markup=False)
            with Horizontal(classes="buttons"):
                for name, label in self.moving.choices:
                    yield Button(label, id=name, variant="primary", compact=True)
                yield Button("Leave", id="leave", compact=True)

    def on_mount(self) -> None:
        """The harmless answer has the focus."""
        self.query_one("#leave", Button).focus()
        self._timer = self.set_interval(_REDRAW_S, self._redraw, pause=True)
        self._redraw()

    def escape(self) -> bool:
        """Stop what is under way, after a question; False if nothing is, so that this is closed."""
        if not self.is_working:
            return False
        if self._can_stop:
            self._ask_to_stop()
        return True

    @property
    def _can_stop(self) -> bool:
        """Whether stopping would take back what was done."""
        progress = self.moving.cache.progress.value
        return (
            self.is_working
            and not self._is_stopping
            and progress is not None
            and progress.phase in _STOPPABLE
        )

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        message.stop()
        if self.is_working:
            self.escape()
        elif message.button.id == "leave":
            self.dismiss(None)
        elif message.button.id is not None:
            self._problem = None
            self._work = self._do(message.button.id)
            self.query_one("#leave", Button).focus()
            self._timer.resume()
            self._redraw()

    @work(group="move")
    async def _do(self, choice: str) -> None:
        try:
            outcome = await self.moving.do(choice)
        except FoundryTuiError as error:
            self._problem = error
        else:
            self.dismiss(outcome)

    @work(group="ask")
    async def _ask_to_stop(self) -> None:
        question = "Stop the move?\nWhat was copied is removed again;\nthe old folder stays in force."
        is_wanted = await self.app.push_screen_wait(ConfirmScreen(question, "Stop it"))
        if is_wanted and self._work is not None and self._can_stop:
            self._is_stopping = True
            self._work.cancel()
            self._redraw()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say how it ended, if it did not end well."""
        if event.worker is not self._work or not event.worker.is_finished:
            return
        self._timer.pause()
        if event.state is WorkerState.CANCELLED:
            self.dismiss(None)
        elif self._problem is not None:
            self._redraw()

    def _redraw(self) -> None:
        said = self.moving.paragraphs()
        if self._problem is not None:
            said.insert(0, Paragraph(label="Problem", text=error_words(self._problem), tone=Tone.PROBLEM))
        if tuple(said) != self.sheet.paragraphs:
            self.sheet.set_paragraphs(said)
            if self._problem is not None:
                self.sheet.scroll_home(animate=False)
        is_working, can_stop = self.is_working, self._can_stop
        for button in self.query(Button):
            button.disabled = is_working and not (can_stop and button.id == "leave")
        self.query_one("#leave", Button).label = "Stop" if is_working else "Leave"
        progress = self.moving.cache.progress.value
        words = ""
        if self._is_stopping:
            words = "Taking back what was copied …"
        elif is_working:
            words = "Looking at both folders …" if progress is None else move_line(progress)
        self.query_one("#move-progress", Static).update(words, layout=False)
        box = self.query_one(".box")
        box.border_subtitle = "Esc stops" if can_stop else "Wait a moment" if is_working else "Esc leaves"
