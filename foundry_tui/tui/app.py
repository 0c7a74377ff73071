"""The terminal app: one workspace, and the keys that work everywhere."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.text import clean_line
from foundry_tui.services import calm
from foundry_tui.services.setup import Setup
from foundry_tui.tui.keys import let_alt_digits_through
from foundry_tui.tui.messages import ModelActivated
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.opening import OpeningScreen
from foundry_tui.tui.themes import DEFAULT_THEME, THEMES

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.driver import Driver

    from foundry_tui.services.opened import Services
    from foundry_tui.tui.screens.conversations import ConversationsScreen
    from foundry_tui.tui.screens.overlay import Overlay
    from foundry_tui.tui.screens.workspace import WorkspaceScreen
    from foundry_tui.tui.terminal_title import TerminalTitle

__all__ = ["FoundryApp"]


# Textual's own that would work beside ours: another help, another maximising, a quit that never asks.
_REPLACED_COMMANDS = frozenset({"Keys", "Maximize", "Minimize", "Quit"})

_TIDY_S = 2.0
_TITLE_S = 1.0
_QUIET_S = 0.4
"""After the last key or movement of the mouse; less than anybody needs to read what a key has done."""


def _palette_provider() -> "type[Provider]":
    # Late: nobody opens the palette before the first frame.
    from foundry_tui.tui.palette import PaletteProvider

    return PaletteProvider


class FoundryApp(App[None]):
    """Paints its outlines first, opens the services then, and shows them; they outlive it.

    Args:
        setup: What was decided, enough for the first frame.
        open_services: Called once, after the first frame; a ``FoundryTuiError`` of it ends the app.

    Attributes:
        failure: Why the services could not be opened; None if they could.
    """

    TITLE = "foundry-tui"
    CSS_PATH = "css/app.tcss"
    COMMANDS = {_palette_provider}  # noqa: RUF012 - declared as a ClassVar by the base class
    BINDINGS: ClassVar[list[BindingType]] = [
        # One key for three things, so it is caught before any widget; see action_escape.
        Binding("escape", "escape", "Stop / back", priority=True, show=False),
        Binding("ctrl+q", "leave", "Quit", priority=True, id="app.quit"),
        Binding("f1", "help", "Keys", priority=True, id="app.help"),
        Binding("question_mark", "help", "Keys", show=False, id="app.help_outside_text"),
        Binding("f2", "settings", "Settings", priority=True, show=False, id="app.settings"),
    ]

    def __init__(self, setup: Setup, open_services: Callable[[], Awaitable["Services"]]) -> None:
        super().__init__()
        let_alt_digits_through()
        self.failure: FoundryTuiError | None = None
        self._open_services = open_services
        self._services: Services | None = None
        self._setup = setup
        self._keys: dict[str, str] = {}
        self._opening = OpeningScreen("chat" if setup.start_with else "catalog")
        self._workspace: WorkspaceScreen | None = None
        self._title: TerminalTitle | None = None
        self._touched_s = 0.0

    @property
    def services(self) -> "Services":
        """What is shown; there from the workspace on."""
        assert self._services is not None
        return self._services

    def get_driver_class(self) -> "type[Driver]":
        """Ours, where Textual would take its own for terminals."""
        chosen = super().get_driver_class()
        if sys.platform == "win32" or chosen.__name__ != "LinuxDriver":
            return chosen
        from foundry_tui.tui.terminal_driver import TerminalDriver

        return TerminalDriver

    def get_default_screen(self) -> OpeningScreen:
        """Outlines; the workspace follows when they are painted."""
        return self._opening

    def on_mount(self) -> None:
        """Paint first, open the workspace then."""
        for theme in THEMES:
            self.register_theme(theme)
        self._apply(self._setup)
        if sys.platform != "win32":
            # Without this the terminal would be left as the app has set it.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._terminate)
        self.set_interval(_TIDY_S, self._tidy)
        self.call_after_refresh(self._furnish)

    def on_unmount(self) -> None:
        """Give the terminal its title back; however the app ends, its driver still writes."""
        if self._title is not None:
            self._title.show(None)

    async def on_event(self, event: Event) -> None:
        """Remember when somebody last did something."""
        if isinstance(event, InputEvent):
            self._touched_s = time.monotonic()
        await super().on_event(event)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers: actions of what is open and of every place, models, themes."""
        for command in super().get_system_commands(screen):
            if command.title not in _REPLACED_COMMANDS:
                yield command
        workspace = self._workspace
        if workspace is None:
            return
        from foundry_tui.tui.actions import key_words
        from foundry_tui.tui.overlay_actions import overlay_actions

        for title, place, actions in (*overlay_actions(screen, self._keys), *workspace.actions(self._keys)):
            for action in actions:
                run = partial(self.run_action, action.name, place)
                yield SystemCommand(f"{title}: {action.label}", key_words(action.keys) or action.id, run)
        if self._blind_screens():
            return  # the rest would name models
        for model in self.services.client.catalog.value.models:
            if model.is_cached or model.is_loaded:
                talk = partial(workspace.post_message, ModelActivated(model.id))
                yield SystemCommand(f"Talk to {clean_line(model.id)}", "Make it the active model", talk)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Say it at the edge of the screen; where answers are judged blind nobody is named there either."""
        super().notify(self.covered(message), title=title, severity=severity, timeout=timeout, markup=markup)

    def covered(self, text: str) -> str:
        """``text`` as it may be shown over all that is open."""
        for screen in self._blind_screens():
            text = screen.covered(text)
        return text

    def _blind_screens(self) -> "list[Overlay[object]]":
        over = [screen for screen in self.screen_stack if isinstance(screen, ModalScreen)]
        if not over:
            return []
        from foundry_tui.tui.screens.overlay import Overlay

        return [screen for screen in over if isinstance(screen, Overlay) and screen.is_blind]

    def action_escape(self) -> None:
        """Stop a generation, unless that waits to be told; else close an overlay; else restore a pane."""
        from foundry_tui.tui.screens.overlay import Overlay

        workspace, screen = self._workspace, self.screen
        is_asked = isinstance(screen, Overlay) and screen.is_waited_for
        if workspace is None or (not is_asked and workspace.chat.stop()):
            return
        if isinstance(screen, ModalScreen):
            if not screen.is_mounted:
                self.call_later(self.action_escape)  # two quick keys: let it open before it is closed
            elif not (isinstance(screen, Overlay) and screen.escape()):
                screen.dismiss(None)
        else:
            workspace.escape()

    def on_conversations_screen_deleted(self, message: "ConversationsScreen.Deleted") -> None:
        """What is gone from the list is gone from the chat."""
        if self._workspace is not None:
            self._workspace.chat.forget(message.conversation_id)

    def on_conversations_screen_renamed(self, message: "ConversationsScreen.Renamed") -> None:
        """The conversation that lies open has its new title too."""
        self.services.dialogue.note(message.conversation_id, title=message.title)

    def on_conversations_screen_retagged(self, message: "ConversationsScreen.Retagged") -> None:
        """And its new tags."""
        self.services.dialogue.note(message.conversation_id, tags=message.tags)

    def action_command_palette(self) -> None:
        """Show the palette."""
        from foundry_tui.tui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_help(self) -> None:
        """Show all keys, or those of what is open over the workspace, where it has words for them."""
        if self._workspace is None or (isinstance(self.screen, ModalScreen) and not self.screen.HELP):
            return
        from foundry_tui.tui.screens.help import HelpScreen, overlay_help

        if isinstance(self.screen, ModalScreen):
            self.push_screen(HelpScreen(overlay_help(self.screen, self._keys)))
        else:
            self.push_screen(HelpScreen(self._workspace.help_sections(self._keys)))

    def action_settings(self) -> None:
        """Show and change everything in settings.toml."""
        from foundry_tui.tui.actions import every_action
        from foundry_tui.tui.screens.settings import SettingsScreen
        from foundry_tui.tui.screens.settings_draft import KeyedAction

        if self._workspace is not None and not isinstance(self.screen, ModalScreen):
            actions = {
                action.id: KeyedAction(id=action.id, label=action.label, keys=action.keys)
                for action in every_action()
            }
            themes = sorted(self.available_themes)
            self.push_screen(
                SettingsScreen(self.services.settings, themes=themes, actions=list(actions.values())),
                self._settings_saved,
            )

    def watch_theme(self, theme: str) -> None:
        """What was picked from the palette is kept where all settings are."""
        if self._workspace is None or theme in (self._setup.theme, self._theme_of(self._setup)):
            return
        from foundry_tui.tui.screens.overlay import Overlay

        if not isinstance(self.screen, Overlay):  # the settings screen only tries it on, and saves by itself
            self._keep_theme(theme)

    def action_leave(self) -> None:
        """Quit; ask only if something would be lost."""
        lost = self._lost_by_leaving()
        if lost is None:
            self.exit()
            return
        from foundry_tui.tui.screens.overlay import ConfirmScreen

        if isinstance(self.screen, ConfirmScreen):
            return

        def answer(leaves: bool | None) -> None:
            if leaves:
                self.exit()

        self.push_screen(ConfirmScreen(lost, "Quit all the same"), answer)

    def _lost_by_leaving(self) -> str | None:
        if self._workspace is None:
            return None
        if self.services.bench.is_running:
            return "A benchmark runs. What it measured is kept, and the rest can be resumed."
        return "An answer is still being made." if self._workspace.chat.is_generating else None

    async def _furnish(self) -> None:
        try:
            self._services = await self._open_services()
        except FoundryTuiError as error:
            self.failure = error
            self.exit()
            return
        # Late: tables, text areas and what they import would hold up the first frame.
        from foundry_tui.tui.screens.workspace import WorkspaceScreen

        self._workspace = WorkspaceScreen(self._services)
        await self.push_screen(self._workspace)
        self._apply_keys()
        self._begin_title()
        for event in self._opening.typed:
            self.post_message(event)

    def _begin_title(self) -> None:
        """Say in the title of the terminal, where it has one, how far a benchmark or downloads are."""
        from foundry_tui.tui.terminal_title import TerminalTitle, can_be_titled

        driver = self._driver
        if driver is None or self.is_headless or self.is_web:
            return
        # The stream that Textual's driver writes to.
        stream = sys.__stdout__ if sys.platform == "win32" else sys.__stderr__
        if can_be_titled(stream, os.environ.get("TERM")):
            self._title = TerminalTitle(driver.write)
            self.set_interval(_TITLE_S, self._show_title)

    def _show_title(self) -> None:
        from foundry_tui.tui.terminal_title import bench_title, download_title

        if self._title is not None and self._services is not None:
            care, jobs = self._services.care, self._services.client.jobs.value
            queue = None if care is None else care.downloads.queue.value
            words = bench_title(self._services.bench.state.value)
            words = words or download_title(queue, jobs, time.time_ns() // 1_000_000)
            self._title.show(None if words is None else self.covered(words))

    def _apply(self, setup: Setup) -> None:
        """Take what the settings say about the app."""
        self._setup = setup
        self._keys = dict(setup.keys)
        if not setup.animations:
            self.animation_level = "none"
        self.theme = self._theme_of(setup)
        if self.theme != setup.theme:
            problem = f"no theme {clean_line(setup.theme)!r} (settings.toml)"
            self.notify(problem, severity="warning", markup=False)

    def _theme_of(self, setup: Setup) -> str:
        return setup.theme if setup.theme in self.available_themes else DEFAULT_THEME

    def _apply_keys(self) -> None:
        if (workspace := self._workspace) is None:
            return
        if not self._keys:
            self.set_keymap({})  # without the actions of every screen, whose imports take room
            return
        from foundry_tui.tui.actions import every_action, keymap

        keys, problems = keymap(self._keys, {action.id for action in every_action()})
        self.set_keymap(keys)
        for problem in problems:
            tell(workspace, problem, is_warning=True)

    def _settings_saved(self, saved: frozenset[str] | None) -> None:
        if saved:
            self._reread()

    @work(exclusive=True, group="settings")
    async def _reread(self) -> None:
        try:
            setup = await asyncio.to_thread(self.services.reread)
        except FoundryTuiError as error:
            complain(self.screen, error)
            return
        self._apply(setup)
        self._apply_keys()
        self.services.dialogue.begin_with(setup.chat)
        if self._workspace is not None:
            self._workspace.apply(setup)

    @work(exclusive=True, group="theme")
    async def _keep_theme(self, theme: str) -> None:
        self._setup = replace(self._setup, theme=theme)
        try:
            await self.services.settings.save({"screen.theme": theme})
        except FoundryTuiError as error:
            complain(self.screen, error)

    def _tidy(self) -> None:
        workspace = self._workspace
        # It has no panes yet while it opens, and none any more while the app is taken down.
        has_panes = workspace is not None and workspace.is_mounted and self.is_running
        is_busy = workspace is not None and has_panes and workspace.chat.is_generating
        calm.tidy(is_quiet=not is_busy and time.monotonic() - self._touched_s > _QUIET_S)

    def _terminate(self) -> None:
        self.exit(return_code=128 + signal.SIGTERM)
