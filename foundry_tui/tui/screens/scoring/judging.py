"""What scoring one answer and comparing two have in common: keys, progress, and that nobody is named."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.quantities import span_in_words
from foundry_tui.domain.scoring import Rubric
from foundry_tui.domain.text import clean_line
from foundry_tui.services.scoring.blind import Cover
from foundry_tui.services.scoring.walk import Progress, Walk
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.screens.scoring.keys import RUBRIC, UNDO
from foundry_tui.tui.screens.scoring.rubric import RubricScreen

__all__ = ["Judging", "progress_words", "title_words"]

_NAME_CHARACTERS = 30


def progress_words(progress: Progress) -> str:
    """``12 of 44 done · 38 s each · about 20 min left``."""
    parts = [f"{progress.done} of {progress.total} done"]
    if progress.each_s is not None:
        parts.append(f"{span_in_words(progress.each_s)} each")
    if progress.left_s is not None:
        parts.append(f"about {span_in_words(progress.left_s)} left")
    return " · ".join(parts)


def title_words(what: str, annotator: str) -> str:
    """Of the box; harmless."""
    return f"{what} · {clean_line(annotator, _NAME_CHARACTERS)} · blind"


class Judging(Overlay[bool]):
    """Walks through a run with one person; closes with True where all is judged and everything may be told.

    No model is named on it, nor in what is told while it is open.

    Args:
        walk: Whose way it is.
        cover: Lies over the names of the run's models.
        rubric: What ``h`` shows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Next", key_display="⏎", id="scoring.next"),
        UNDO,
        Binding("s", "skip", "Skip", id="scoring.skip"),
        RUBRIC,
        Binding("left", "go(-1)", "Back", key_display="←", priority=True, id="scoring.back"),
        Binding("right", "go(1)", "On", key_display="→", priority=True, id="scoring.on"),
    ]
    DEFAULT_CSS = """
    Judging .scoring-state { height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap; }
    Judging .scoring-state.-complete { color: $text-success; text-style: bold; }
    """

    def __init__(self, walk: Walk[Any, Any], cover: Cover, rubric: Rubric) -> None:
        super().__init__()
        self._walk = walk
        self._blinds = cover
        self._rubric = rubric

    @property
    def is_blind(self) -> bool:
        """Nobody may be named while it is open."""
        return True

    def covered(self, text: str) -> str:
        """``text`` without the names of the models."""
        return self._blinds.over(text)

    class Left(Message):
        """Somebody wants to leave; it takes the way of a key, and so comes behind those that were pressed."""

    def escape(self) -> bool:
        """Leave when what was pressed before is kept: the app's own keys overtake those of a screen."""
        (self.focused or self).post_message(self.Left())
        return True

    @on(Left)
    def _leave(self, message: Left) -> None:
        message.stop()
        self.app.call_later(self.dismiss, None)

    @abstractmethod
    async def show_item(self) -> None:
        """Show what the walk stands at."""

    @abstractmethod
    def show_standing(self) -> None:
        """Show what was said of it."""

    @abstractmethod
    async def skip(self) -> None:
        """Say that it is not to be asked for again."""

    async def action_next(self) -> None:
        """Go to the next that is open; where none is, end."""
        if self._walk.is_complete:
            self.dismiss(True)
            return
        self._walk.to_next_open()
        await self.show_item()

    async def action_go(self, by: int) -> None:
        """Look at what was before, or comes after."""
        if self._walk.go(by):
            await self.show_item()

    async def action_undo(self) -> None:
        """Take the last key back."""
        if not self._walk.can_undo:
            tell(self, "nothing was said since this was opened: ← goes back to what was said before")
            return
        await self.said(self._walk.undo)
        await self.show_item()

    async def action_skip(self) -> None:
        """Leave it out, and go on."""
        if await self.said(self.skip):
            await self.go_on()

    def action_rubric(self) -> None:
        """Show what each score means."""
        self.app.push_screen(RubricScreen(self._rubric))

    async def said(self, say: Callable[[], Awaitable[object]]) -> bool:
        """Do that; whether it could be kept.  What could not is told and not shown as said."""
        try:
            await say()
        except FoundryTuiError as error:
            complain(self, error)
            return False
        return True

    async def go_on(self) -> None:
        """Go to the next that is open, or show that none is."""
        if self._walk.to_next_open():
            await self.show_item()
        else:
            self.show_standing()

    def show_state(self, *notes: str) -> None:
        """Say how far it is, and ``notes`` on what is shown."""
        state = self.query_one(".scoring-state", Static)
        is_complete = self._walk.is_complete
        state.set_class(is_complete, "-complete")
        parts = [f"{self._walk.place + 1}/{len(self._walk.items)}", *notes]
        if is_complete:
            parts.append(f"all {len(self._walk.items)} are judged: Enter tells who wrote what")
        else:
            parts.append(progress_words(self._walk.progress))
        state.update(Content(" · ".join(parts)))
