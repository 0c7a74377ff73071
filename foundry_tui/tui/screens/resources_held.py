"""What unloaded models have left in the engine's process, and the restart that takes it back."""

from collections.abc import Awaitable, Callable

from textual.app import App
from textual.screen import Screen
from textual.widgets import Static

from foundry_tui.domain.errors import EngineError, FoundryTuiError
from foundry_tui.metrics.holding import Holding
from foundry_tui.reports.errors import capitalised
from foundry_tui.reports.reclaim import held_words, reclaimed_words
from foundry_tui.services.reclaim import Reclaimed
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.overlay import ConfirmScreen

__all__ = ["HeldLine"]

_REMEDY = "r restarts the host"
_UNDER_WAY = "the host is being restarted, and loads again what was loaded …"


class HeldLine(Static):
    """One sentence, on the screen only where there is something to tell.

    Args:
        holding: What is held.
        obstacle: Why there is nothing to restart; None where there is.
        reclaim: Restarts the host; it outlives this line.
    """

    DEFAULT_CSS = """
    HeldLine { height: auto; max-height: 2; display: none; }
    HeldLine.-told { display: block; }
    HeldLine.-held { color: $text-warning; }
    """

    def __init__(
        self,
        holding: Callable[[], Holding],
        *,
        obstacle: Callable[[], EngineError | None],
        reclaim: Callable[[], Awaitable[Reclaimed]],
        id: str | None = None,  # noqa: A002 - as the base class calls it
    ) -> None:
        super().__init__(id=id, markup=False)
        self._holding = holding
        self._obstacle = obstacle
        self._reclaim = reclaim
        self._is_under_way = False
        self._outcome: str | None = None
        self._words = ""

    def show(self) -> None:
        """Say what is so now."""
        holding = self._holding()
        if self._is_under_way:
            words = _UNDER_WAY
        elif holding.was_unloaded and self._obstacle() is None:
            self._outcome = None
            words = held_words(holding, _REMEDY)
        else:
            words = self._outcome or ""
        self.set_class(bool(words), "-told")
        self.set_class(bool(holding.held) and not self._is_under_way, "-held")
        if words != self._words:
            self._words = words
            self.update(words, layout=True)

    def restart(self) -> None:
        """Restart the host; where nothing is known to be held, ask first."""
        if self._is_under_way:
            return
        if (obstacle := self._obstacle()) is not None:
            complain(self, obstacle)
            return
        holding = self._holding()
        if holding.held:
            self._begin(is_wanted=True)
            return
        question = (
            "Restart the host all the same, and load again what is loaded?\n\nAs far as is known:"
            f" {held_words(holding)}."
        )
        self.app.push_screen(ConfirmScreen(question, "Restart"), lambda yes: self._begin(is_wanted=bool(yes)))

    def _begin(self, *, is_wanted: bool) -> None:
        if is_wanted and not self._is_under_way:
            self._is_under_way = True
            self.show()
            # The app's own: what a screen has begun ends with it, and the host would stay half restarted.
            self.app.run_worker(self._run(self.app, self.screen), group="reclaim")

    async def _run(self, app: App[object], screen: Screen[object]) -> None:
        try:
            done = await self._reclaim()
        except FoundryTuiError as error:
            complain(app.screen, error)
        else:
            self._outcome = reclaimed_words(done.before, done.after, len(done.reports))
            if app.screen is not screen:  # nobody sees the line
                tell(app.screen, f"{capitalised(self._outcome)}.")
        finally:
            self._is_under_way = False
        if self.is_mounted:
            self.show()
