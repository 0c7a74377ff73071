"""An app that only opens one overlay, with the looks and the Esc key of the real one."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.notifications import Notify
from textual.pilot import Pilot
from textual.screen import ModalScreen

import foundry_tui.tui.app
from foundry_tui.tui.screens.overlay import Overlay

__all__ = ["NARROW", "WIDE", "Opened", "opened"]

NARROW = (80, 24)
WIDE = (120, 40)
SOON_S = 10.0
"""A safety net: what is waited for here takes milliseconds."""

T = TypeVar("T")


class HostApp(App[None]):
    """Empty but for what is opened over it."""

    CSS_PATH = Path(foundry_tui.tui.app.__file__).parent / "css" / "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "escape", "Back", priority=True, show=False)]

    def action_escape(self) -> None:
        if isinstance(self.screen, ModalScreen):
            self.screen.dismiss(None)


@dataclass(kw_only=True)
class Opened(Generic[T]):
    """The overlay and what became of it.

    Attributes:
        results: What it was closed with; empty while it is open.
        told: Words of the notifications, oldest first.
        posted: Messages that came up to the app.
    """

    app: HostApp
    pilot: Pilot[None]
    screen: Overlay[T]
    results: list[T | None]
    told: list[str]
    posted: list[Message]

    def lines(self) -> list[str]:
        """The screen from top to bottom."""
        # What the compositor joins is what goes to the terminal; it has no public door.
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def shows(self, text: str) -> bool:
        """Whether ``text`` stands on one line of the screen."""
        return any(text in line for line in self.lines())

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the app go on until something holds."""
        async with asyncio.timeout(SOON_S):
            while not holds():
                await self.pilot.pause()  # a turn for all that is under way

    async def result(self) -> T | None:
        """Wait until the overlay is closed; what it was closed with."""
        await self.until(lambda: bool(self.results))
        return self.results[0]


@asynccontextmanager
async def opened(screen: Overlay[T], *, size: tuple[int, int] = WIDE) -> AsyncGenerator[Opened[T], None]:
    """Run an app with ``screen`` open for the length of the block."""
    results: list[T | None] = []
    told: list[str] = []
    posted: list[Message] = []

    def listen(message: Message) -> None:
        if isinstance(message, Notify):
            notification = message.notification
            told.append(f"{notification.title}\n{notification.message}".strip())
        elif type(message).__module__.startswith("foundry_tui."):
            posted.append(message)

    app = HostApp()
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True, message_hook=listen) as pilot:
        app.push_screen(screen, results.append)
        await pilot.pause()  # the screen is composed
        yield Opened(app=app, pilot=pilot, screen=screen, results=results, told=told, posted=posted)
