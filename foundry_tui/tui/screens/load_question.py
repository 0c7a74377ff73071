"""Before a load that would take more memory than the limit: the arithmetic, and what else could be done."""

from enum import StrEnum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.fit import fit_lines
from foundry_tui.services.engine.load_question import LoadQuestion
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["LoadAnswer", "LoadQuestionScreen"]

_NAME_CHARACTERS = 60
_NAMED = 3


class LoadAnswer(StrEnum):
    """What the user wants."""

    LOAD = "load"
    MAKE_ROOM = "make room"


class LoadQuestionScreen(Overlay[LoadAnswer]):
    """Closes with what is wanted; without anything where it is not to be loaded."""

    DEFAULT_CSS = """
    LoadQuestionScreen { align: center middle; }
    LoadQuestionScreen > #load-box {
        width: 100%;
        max-width: 96;
        height: 100%;
        max-height: 26;
        border: round $warning;
        background: $surface;
        padding: 0 1;
    }
    LoadQuestionScreen #load-buttons { height: 1; margin-top: 1; }
    LoadQuestionScreen Button { margin-right: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "load", "Load it all the same", id="load.anyway"),
        Binding("u", "make_room", "Unload what is in its way, and load", id="load.make_room"),
    ]

    def __init__(self, question: LoadQuestion) -> None:
        super().__init__()
        self._question = question

    @property
    def is_waited_for(self) -> bool:
        return True

    def compose(self) -> ComposeResult:
        with Vertical(id="load-box") as box:
            box.border_title = "Not enough room in memory"
            box.border_subtitle = "↑ ↓ scroll · Esc does not load it"
            yield Sheet(id="load-sheet")
            with Horizontal(id="load-buttons"):
                yield Button("y  Load all the same", id="load-anyway", compact=True)
                if self._question.to_unload:
                    yield Button("u  Unload and load", id="load-make-room", variant="primary", compact=True)
                yield Button("Esc  Do not load", id="load-cancel", compact=True)

    def on_mount(self) -> None:
        """Nothing that is pressed by chance loads: the text has the focus, and the l of before is no key."""
        sheet = self.query_one(Sheet)
        sheet.set_paragraphs(self._paragraphs())
        sheet.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There may be nothing to unload."""
        return action != "make_room" or bool(self._question.to_unload)

    def action_load(self) -> None:
        """Load it without making room."""
        self.dismiss(LoadAnswer.LOAD)

    def action_make_room(self) -> None:
        """Unload what was named, then load it."""
        self.dismiss(LoadAnswer.MAKE_ROOM)

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        message.stop()
        match message.button.id:
            case "load-anyway":
                self.action_load()
            case "load-make-room":
                self.action_make_room()
            case _:
                self.dismiss(None)

    def _paragraphs(self) -> list[Paragraph]:
        question = self._question
        said = [Paragraph(text=f"{question.words}.", tone=Tone.WARNING), Paragraph(text="")]
        if question.to_unload:
            names = ", ".join(_taken(one.model_id, one.taken_bytes) for one in question.to_unload[:_NAMED])
            more = len(question.to_unload) - _NAMED
            words = f"{names}, and {more} more" if more > 0 else names
            said.append(Paragraph(label="Unload", text=words))
        else:
            said.append(Paragraph(label="Unload", text="no other model is in memory", tone=Tone.MUTED))
        for other in question.smaller[:_NAMED]:
            size = bytes_in_words((other.disk_bytes if other.is_cached else None) or other.size_bytes)
            here = "here" if other.is_cached else "not here"
            said.append(
                Paragraph(label="Smaller", text=f"{clean_line(other.id, _NAME_CHARACTERS)}, {size}, {here}")
            )
        if question.shorter is not None:
            words = (
                f"a conversation of {question.shorter.conversation_tokens:,} tokens at most needs"
                f" {bytes_in_words(question.shorter.need_bytes)}, which is within the limit"
            )
            said.append(Paragraph(label="Shorter", text=words))
        said.append(Paragraph(label="Limit", text="memory_limit_percent in the settings (F2)"))
        return [
            *said,
            Paragraph(text=""),
            Paragraph(text="\n".join(fit_lines(question.fit)), tone=Tone.MUTED),
        ]


def _taken(model_id: str, taken_bytes: int | None) -> str:
    name = clean_line(model_id, _NAME_CHARACTERS)
    return name if taken_bytes is None else f"{name} (its load took {bytes_in_words(taken_bytes)})"
