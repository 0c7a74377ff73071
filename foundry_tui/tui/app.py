"""The terminal app: one workspace, and the keys that work everywhere."""

import asyncio
import signal
import sys
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from foundry_tui.services.opened import Services
from foundry_tui.tui.keys import let_alt_digits_through
from foundry_tui.tui.screens.opening import OpeningScreen

if TYPE_CHECKING:
    from foundry_tui.tui.screens.workspace import WorkspaceScreen

__all__ = ["FoundryApp"]


# Textual's own that would work beside ours: another help, another maximising, a quit that never asks.
_REPLACED_COMMANDS = frozenset({"Keys", "Maximize", "Minimize", "Quit"})


class FoundryApp(App[None]):
    """Shows the services it is handed; they outlive it."""

    TITLE = "foundry-tui"
    CSS_PATH = "css/app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        # One key for three things, so it is caught before any widget; see action_escape.
        Binding("escape", "escape", "Stop / back", priority=True, show=False),
        Binding("ctrl+q", "leave", "Quit", priority=True),
        Binding("f1", "help", "Keys", priority=True),
        Binding("question_mark", "help", "Keys", show=False),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__()
        let_alt_digits_through()
        self.services = services
        self._opening = OpeningScreen("chat" if services.setup.start_with else "catalog")
        self._workspace: WorkspaceScreen | None = None

    def get_default_screen(self) -> OpeningScreen:
        """Outlines; the workspace follows when they are painted."""
        return self._opening

    def on_mount(self) -> None:
        """Paint first, open the workspace then."""
        if (theme := self.services.setup.theme) in self.available_themes:
            self.theme = theme
        else:
            self.notify(f"no theme {theme!r} (settings.toml)", severity="warning", markup=False)
        if sys.platform != "win32":
            # Without this the terminal would be left as the app has set it.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._terminate)
        self.call_after_refresh(self._furnish)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers: every action of the workspace, themes and screenshots."""
        for command in super().get_system_commands(screen):
            if command.title not in _REPLACED_COMMANDS:
                yield command
        workspace = self._workspace
        if workspace is None:
            return
        yield SystemCommand("Keys", "All keys, and what engine this is", workspace.show_help)
        yield SystemCommand("Quit", "Asks only if an answer is being made", self.action_leave)
        for name, title in (
            ("catalog", "Go to the catalog"),
            ("cache", "Go to the cache"),
            ("chat", "Go to the chat"),
        ):
            yield SystemCommand(title, "Focus this pane", partial(workspace.action_show_pane, name))
        yield SystemCommand("New conversation", "Ctrl+N", workspace.chat.action_new_conversation)
        yield SystemCommand(
            "Chat options", "System prompt, temperature, max tokens, seed", workspace.action_chat_options
        )
        yield SystemCommand("Ask the catalog again", "r in the catalog", workspace.refresh_catalog)
        yield SystemCommand(
            "Restart the engine", "And load again what was loaded", workspace.action_restart_engine
        )

    def action_escape(self) -> None:
        """Stop a generation; else close an overlay; else restore a maximised pane."""
        workspace = self._workspace
        if workspace is None or workspace.chat.stop():
            return
        if isinstance(self.screen, ModalScreen):
            self.screen.dismiss(None)
        else:
            workspace.escape()

    def action_help(self) -> None:
        """Show all keys."""
        if self._workspace is not None and not isinstance(self.screen, ModalScreen):
            self._workspace.show_help()

    def action_leave(self) -> None:
        """Quit; ask only if something would be lost."""
        if self._workspace is None or not self._workspace.chat.is_generating:
            self.exit()
            return
        from foundry_tui.tui.screens.overlay import ConfirmScreen

        if isinstance(self.screen, ConfirmScreen):
            return

        def answer(leaves: bool | None) -> None:
            if leaves:
                self.exit()

        self.push_screen(ConfirmScreen("An answer is still being made.", "Quit all the same"), answer)

    async def _furnish(self) -> None:
        # Late: tables, text areas and what they import would hold up the first frame.
        from foundry_tui.tui.screens.workspace import WorkspaceScreen

        self._workspace = WorkspaceScreen(self.services)
        await self.push_screen(self._workspace)
        for event in self._opening.typed:
            self.post_message(event)

    def _terminate(self) -> None:
        self.exit(return_code=128 + signal.SIGTERM)
