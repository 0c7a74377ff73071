"""Draws an answer and its gaps as the app does, for a terminal that does not exist: work, nothing to see."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.geometry import Size

from foundry_tui.aio import Tasks
from foundry_tui.domain.chat import ChatEvent, ChunkReceived, ClockRead, GenerationFinished, Moment
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from foundry_tui.tui.widgets.transcript import Transcript

__all__ = ["UnseenDrawing", "unseen_drawing"]

_CELLS = (120, 40)


class UnseenDrawing:
    """Implements ``services.selftest.Drawing``."""

    def __init__(self, app: "_UnseenApp") -> None:
        self._app = app

    @property
    def frames(self) -> int:
        """What a terminal would have been sent so far, in writes."""
        return self._app.frames

    def show(self, event: ChatEvent) -> None:
        """Have ``event`` drawn, soon."""
        self._app.call_later(self._app.take, event)


@asynccontextmanager
async def unseen_drawing(
    on_write: Callable[[str], None] = lambda _: None,
) -> AsyncGenerator[UnseenDrawing, None]:
    """A screen of 120 x 40 with a transcript and the ribbon of gaps, for the length of the block.

    Text that is printed meanwhile is lost, as it is while any app of Textual's runs.

    Args:
        on_write: Given what a terminal would be sent.
    """
    app = _UnseenApp(on_write)
    tasks = Tasks()
    running = tasks.start("unseen screen", _run(app))
    try:
        await app.is_mounted_event.wait()
        yield UnseenDrawing(app)
    finally:
        app.call_later(app.exit)
        await asyncio.wait([running])
        await tasks.aclose()


async def _run(app: "_UnseenApp") -> None:
    try:
        await app.run_async(size=_CELLS)
    finally:
        app.is_mounted_event.set()  # nobody shall wait for what has ended


class _UnseenDriver(Driver):
    """Takes what would be written, and keeps none of it.

    Textual's own headless driver will not do: with it nothing is made into what a terminal understands.
    """

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)

    def write(self, data: str) -> None:
        """Tell of it."""
        if isinstance(self._app, _UnseenApp):
            self._app.written(data)

    def start_application_mode(self) -> None:
        """Say how large the screen is."""
        size = Size(*_CELLS)
        self.send_message(events.Resize(size, size))

    def disable_input(self) -> None:
        """There is none."""

    def stop_application_mode(self) -> None:
        """There is no terminal to restore."""


class _UnseenApp(App[None]):
    CSS = "Transcript { height: 1fr; }"

    def __init__(self, on_write: Callable[[str], None]) -> None:
        super().__init__(driver_class=_UnseenDriver)
        self.frames = 0
        self._on_write = on_write
        self.is_mounted_event = asyncio.Event()
        self._transcript = Transcript()
        self._ribbon = GapRibbon()
        self._key: int | None = None

    def compose(self) -> ComposeResult:
        yield self._transcript
        yield self._ribbon

    def on_mount(self) -> None:
        self.is_mounted_event.set()

    def written(self, data: str) -> None:
        """Count what a terminal would have been sent."""
        self.frames += 1
        self._on_write(data)

    def take(self, event: ChatEvent) -> None:
        """Show one event of an answer; the first of each begins a new message."""
        if isinstance(event, ClockRead) and event.moment is Moment.CALL:
            self._key = self._transcript.begin_answer("self-test")
            self._ribbon.begin("self-test")
        self._ribbon.observe(event)
        if self._key is None:
            return
        match event:
            case ChunkReceived():
                self._transcript.append(self._key, event.text)
            case GenerationFinished():
                self._transcript.finish_answer(self._key)
            case ClockRead():
                pass
