"""An app that is nothing but a transcript, and what can be read off its screen."""

from collections.abc import Iterator

from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.pilot import Pilot

from foundry_tui.tui.widgets.transcript import MessageKind, SearchState, Transcript

__all__ = [
    "DOCUMENT",
    "MARGIN",
    "TranscriptApp",
    "conversation",
    "lines",
    "looked_through",
    "marks_on_screen",
    "resized",
    "rows_on_screen",
    "settled",
    "unmarked_rows",
]

MARGIN = 1
DOCUMENT = """# Title

Some *plain* words with `code`.

- one
- two

| name | value |
|------|-------|
| a    | 1     |

```python
def f(x):
    return x  # same
```
"""


class TranscriptApp(App[None]):
    """A transcript and nothing else.

    Attributes:
        posted: What the transcript told of, but for its searches, oldest first.
        states: What it told of its searches, oldest first.
    """

    CSS = "Vertical { height: 1fr; }"

    def __init__(self, hint: str = "") -> None:
        super().__init__()
        self.animation_level = "none"
        self.transcript = Transcript(empty_hint=hint)
        self.posted: list[Message] = []
        self.states: list[SearchState] = []

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self.transcript

    def on_transcript_cursor_moved(self, message: Transcript.CursorMoved) -> None:
        self.posted.append(message)

    def on_transcript_copy_wanted(self, message: Transcript.CopyWanted) -> None:
        self.posted.append(message)

    def on_transcript_link_pressed(self, message: Transcript.LinkPressed) -> None:
        self.posted.append(message)

    def on_transcript_search_wanted(self, message: Transcript.SearchWanted) -> None:
        self.posted.append(message)

    def on_transcript_search_changed(self, message: Transcript.SearchChanged) -> None:
        self.states.append(message.state)

    @property
    def copied(self) -> tuple[str, str]:
        """The last copy that was asked for."""
        copies = [message for message in self.posted if isinstance(message, Transcript.CopyWanted)]
        return copies[-1].text, copies[-1].what

    @property
    def pressed(self) -> list[str]:
        """The addresses that were pressed."""
        return [message.url for message in self.posted if isinstance(message, Transcript.LinkPressed)]


async def looked_through(app: TranscriptApp, pilot: Pilot[None]) -> None:
    """All that is there is drawn, looked through and coloured."""
    while not app.transcript.is_idle:
        await pilot.pause()


async def settled(app: TranscriptApp, pilot: Pilot[None]) -> None:
    """The same, of what was only just put in."""
    await pilot.pause()
    await looked_through(app, pilot)


async def resized(app: TranscriptApp, pilot: Pilot[None], width: int) -> None:
    """Twelve rows, so wide."""
    await pilot.resize_terminal(width, 12)
    while app.transcript.outer_size.width != width:
        await pilot.pause()
    await pilot.pause()  # the widget hears of its size after it has got it


def rows_on_screen(transcript: Transcript) -> list[str]:
    """The text of the rows, without the margin."""
    rows = range(transcript.scrollable_content_region.height)
    return [transcript.render_line(y).text[MARGIN:].rstrip() for y in rows]


def unmarked_rows(transcript: Transcript) -> list[str]:
    """The same, where the margin must be empty unless the reader went somewhere."""
    assert transcript.cursor_key is not None or marks_on_screen(transcript).isspace()
    return rows_on_screen(transcript)


def marks_on_screen(transcript: Transcript) -> str:
    """The signs of the margin, from top to bottom."""
    rows = range(transcript.scrollable_content_region.height)
    return "".join(transcript.render_line(y).text[:MARGIN] for y in rows)


def lines(word: str, count: int) -> str:
    """So many lines of one word each."""
    return "\n".join(f"{word}{n:02}" for n in range(count))


def conversation(transcript: Transcript, count: int = 4) -> Iterator[int]:
    """Messages of ten rows and a heading."""
    for n in range(count):
        yield transcript.add_message(f"heading{n}", lines(f"m{n}r", 10), kind=MessageKind.USER)
