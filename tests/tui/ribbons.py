"""A ribbon of gaps and nothing else, and chunks whose gaps are known."""

from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip

from foundry_tui.domain.chat import (
    ChunkKind,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    TokenUsage,
)
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon

__all__ = [
    "EVERY_CLASS",
    "MS",
    "N1",
    "SENT_NS",
    "RibbonApp",
    "chunks_after",
    "finished",
    "recorded",
    "resized",
    "rows",
    "settled",
]

MS = 1_000_000
SENT_NS = 1000 * MS
N1 = (10, 10, 400, 10)
EVERY_CLASS = (3, 5, 10, 20, 40, 80, 160, 240)


class CountedRibbon(GapRibbon):
    """Counts how often its first row was asked for."""

    drawings = 0

    def render_line(self, y: int) -> Strip:
        self.drawings += y == 0
        return super().render_line(y)


class RibbonApp(App[None]):
    """One ribbon and what it posted."""

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"
        self.ribbon = CountedRibbon()
        self.moves: list[int | None] = []

    def compose(self) -> ComposeResult:
        yield self.ribbon

    def on_gap_ribbon_cursor_moved(self, event: GapRibbon.CursorMoved) -> None:
        assert event.control is self.ribbon
        self.moves.append(event.index)


def chunks_after(
    gaps_ms: Sequence[float],
    *,
    first_ms: float = 200,
    text: str = "word",
    kind: ChunkKind = ChunkKind.CONTENT,
) -> list[ChunkReceived]:
    """A first chunk and one more after each gap; a gap of 0 is a shared read."""
    at_ms, read = 1000 + first_ms, 1
    chunks = [ChunkReceived(at_ns=round(at_ms * MS), text=text, kind=kind, read=read)]
    for gap_ms in gaps_ms:
        at_ms += gap_ms
        read += bool(gap_ms)
        chunks.append(ChunkReceived(at_ns=round(at_ms * MS), text=text, kind=kind, read=read))
    return chunks


def recorded(chunks: Sequence[ChunkReceived], *, completion: int | None = None) -> GenerationTrace:
    """The record of an answer of these chunks."""
    builder = TraceBuilder()
    builder.observe(ClockRead(moment=Moment.SENT, at_ns=SENT_NS))
    for chunk in chunks:
        builder.observe(chunk)
    builder.observe(finished(completion))
    return builder.finish()


def finished(completion: int | None = None) -> GenerationFinished:
    """How every answer here ends."""
    return GenerationFinished(
        outcome=Outcome.COMPLETED,
        finish_reason="stop",
        end_ns=10**15,
        usage=None if completion is None else TokenUsage(completion_tokens=completion),
    )


def rows(ribbon: GapRibbon) -> tuple[str, str]:
    """Both rows of the ribbon."""
    first, second = (ribbon.render_line(y).text.rstrip() for y in range(2))
    return first, second


async def settled(app: RibbonApp, pilot: Pilot[None]) -> None:
    """All that came is drawn."""
    await pilot.pause()
    while not app.ribbon.is_idle:
        await pilot.pause()


async def resized(app: RibbonApp, pilot: Pilot[None], width: int) -> None:
    """The ribbon, so wide."""
    await pilot.resize_terminal(width, 24)
    while app.ribbon.outer_size.width != width:
        await pilot.pause()
    await pilot.pause()  # the widget hears of its size after it has got it
