"""What answers are judged by, in full."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from foundry_tui.domain.scoring import HIGHEST, LOWEST, Rubric
from foundry_tui.domain.text import clean_line
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["RubricScreen"]

_NAME_CHARACTERS = 60
_VERSION_CHARACTERS = 12


class RubricScreen(Overlay[None]):
    """Every criterion with what the lowest and the highest score mean."""

    DEFAULT_CSS = """
    RubricScreen .box { height: 80%; }
    """

    def __init__(self, rubric: Rubric) -> None:
        super().__init__()
        self._rubric = rubric

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = Content(f"Rubric: {clean_line(self._rubric.name, _NAME_CHARACTERS)}")
            box.border_subtitle = "Esc goes back"
            yield Sheet(label_cells=4, id="rubric-sheet")

    def on_mount(self) -> None:
        """Show it."""
        paragraphs = []
        for one in self._rubric.criteria:
            paragraphs += [
                Paragraph(text=one.name, tone=Tone.GOOD),
                Paragraph(label=f"  {LOWEST}", text=one.low),
                Paragraph(label=f"  {HIGHEST}", text=one.high),
                Paragraph(text=""),
            ]
        version = self._rubric.sha256[:_VERSION_CHARACTERS]
        paragraphs.append(
            Paragraph(
                text=f"Version {version}. Scores under two versions are never put together.", tone=Tone.MUTED
            )
        )
        sheet = self.query_one(Sheet)
        sheet.set_paragraphs(paragraphs)
        sheet.focus()
