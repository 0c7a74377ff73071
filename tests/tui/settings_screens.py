"""The screen of settings over nothing, on a file of its own."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.notifications import Notify
from textual.pilot import Pilot

from foundry_tui.config.locate import shipped_folder
from foundry_tui.config.settings_file import TomlSettingsFile
from foundry_tui.config.shapes import SettingsFile
from foundry_tui.domain.settings import SettingOverride
from foundry_tui.services.settings import SettingsService
from foundry_tui.tui.app import FoundryApp
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.screens.settings import KeyedAction, SettingsScreen, SettingsTable

__all__ = ["ACTIONS", "ALL_KEYS", "opened"]

ACTIONS = (
    KeyedAction(id="chat.new", label="New conversation", keys="ctrl+n"),
    KeyedAction(id="chat.stop", label="Stop", keys="escape"),
)
THEMES = ("foundry-dark", "nord", "textual-light")
ALL_KEYS = [
    f"{table}.{name}"
    for table, group in SettingsFile.model_fields.items()
    if isinstance(group.annotation, type) and hasattr(group.annotation, "model_fields")
    for name in group.annotation.model_fields
]


class Harness(App[None]):
    """The settings screen over nothing, as the app opens it."""

    CSS_PATH = Path(inspect.getfile(FoundryApp)).with_name("css") / "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "escape", priority=True)]

    def __init__(self, screen: SettingsScreen) -> None:
        super().__init__()
        self.opened = screen
        self.results: list[frozenset[str] | None] = []

    def on_mount(self) -> None:
        self.theme = "textual-dark"
        self.push_screen(self.opened, self.results.append)

    def action_escape(self) -> None:
        screen = self.screen
        if isinstance(screen, Overlay) and not screen.escape():
            screen.dismiss(None)


@dataclass(kw_only=True)
class Opened:
    """The screen and its file."""

    app: Harness
    pilot: Pilot[None]
    path: Path
    told: list[str] = field(default_factory=list[str])

    @property
    def screen(self) -> SettingsScreen:
        return self.app.opened

    @property
    def table(self) -> SettingsTable:
        return self.screen.table

    def lines(self) -> list[str]:
        """The screen from top to bottom."""
        # What the compositor joins is what goes to the terminal; it has no public door.
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.lines())

    def row(self, key: str) -> tuple[str, ...]:
        """Mark, name, value and origin."""
        return next(row.cells for row in self.table.rows if row.key == key)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await self.pilot.pause()  # a turn for all that is under way

    async def go_to(self, key: str) -> None:
        self.table.move_cursor_to(key)
        await self.pilot.pause()  # the row is told of by a message

    async def write(self, text: str) -> None:
        """Put ``text`` in the place of what stands in the open field."""
        await self.pilot.press("end", "ctrl+u")
        await self.type(text)

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if character == " " else character for character in text))

    async def edit(self, key: str, text: str) -> None:
        """Open the setting under the cursor, write and accept."""
        await self.pilot.press("enter")
        await self.write(text)
        await self.pilot.press("enter")
        await self.until(lambda: self.table.has_focus)

    async def save(self) -> set[str]:
        """Save all and wait for the end; the keys that were saved."""
        await self.pilot.press("ctrl+s")
        await self.until(lambda: bool(self.app.results))
        return set(self.app.results[-1] or ())


@asynccontextmanager
async def opened(
    user: Path,
    text: str | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    overrides: Mapping[str, SettingOverride] | None = None,
    actions: tuple[KeyedAction, ...] = ACTIONS,
    waits: bool = True,
) -> AsyncGenerator[Opened, None]:
    """The screen on the file of the folder ``user``, which has ``text``, or is what is shipped."""
    path = user / "settings.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    file = TomlSettingsFile((user, shipped_folder()), overrides=overrides)
    app = Harness(SettingsScreen(SettingsService(file), themes=THEMES, actions=actions))
    told: list[str] = []

    def listen(message: Message) -> None:
        if isinstance(message, Notify):
            told.append(message.notification.message)

    async with app.run_test(size=size, notifications=True, message_hook=listen) as pilot:
        shown = Opened(app=app, pilot=pilot, path=path, told=told)
        await shown.until(lambda: app.screen is app.opened)
        if waits:
            await shown.until(lambda: bool(shown.table.rows))
        yield shown
