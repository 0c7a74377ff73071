"""What is asked side by side, and whom: the page before the answers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.style import Style
from textual.widgets import Static, TextArea

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.reports.errors import error_words
from foundry_tui.services.bench.beside import FEWEST, MOST, Question
from foundry_tui.tui.screens.bench.names import names_within
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.fields import TextField
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import Column, Row, place

__all__ = ["Asked", "BesideAskScreen", "Picked"]

_COLUMNS = (
    Column(key="mark", label="", width=1, priority=3),
    Column(key="name", label="Model", width=20, weight=1, priority=4),
    Column(key="device", label="Device", width=6, priority=2),
    Column(key="memory", label="In memory", width=9, priority=1),
)
_MARK = "✓"
_NO_MODELS = "No model is here yet.\n\nEsc goes back; in the catalog, d downloads one."
_NO_TEXT = "There is no question yet: write one above, then Enter in the list asks it."
_NO_SECOND = "One model is here, and two are needed: in the catalog, d downloads another."
_NAMES_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """What stands on the page at first.

    Attributes:
        models: Taken already, as far as they are here.
    """

    text: str = ""
    models: tuple[str, ...] = ()
    is_blind: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that is being answered.

    Attributes:
        run_id: Of the benchmark that it is.
        variants: Those that are asked.
    """

    question: Question
    run_id: str
    variants: tuple[ModelVariant, ...]


class _Models(RowTable):
    """Those that are here; Enter asks those that are taken."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "screen.mark", "Take/leave", key_display="␣", id="beside.mark"),
        Binding("b", "screen.blind", "Blind/open", id="beside.blind"),
        Binding("enter", "screen.ask", "Ask", key_display="⏎", id="beside.ask"),
    ]


class BesideAskScreen(Overlay[Asked]):
    """Asks for a question and two to four models, and closes with the run that it has begun.

    Args:
        models: Variants that are here.
        picked: What is filled in at first.
        begin: Begins it and gives the id of the run; what it raises is shown on the page.
    """

    HELP = (
        "Space takes the model under the cursor, or leaves it; two to four are asked, one after the other. "
        "Blind, no model is named until all is judged. Only what stands in the field is sent, with the "
        "system prompt, temperature and longest answer of the chat (Ctrl+O there), and not what was said "
        "before."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "ask", "Ask", show=False, priority=True, id="beside.ask_anywhere"),
    ]
    DEFAULT_CSS = """
    BesideAskScreen #beside-text {
        height: auto; min-height: 3; max-height: 40%; background: $panel; margin-bottom: 1;
    }
    BesideAskScreen RowTable { height: 1fr; min-height: 3; }
    BesideAskScreen #beside-size, BesideAskScreen #beside-switch { height: 1; color: $text-muted; }
    BesideAskScreen #beside-problem { height: auto; max-height: 4; color: $text-error; }
    """

    def __init__(
        self,
        models: Sequence[ModelVariant],
        picked: Picked,
        begin: Callable[[Question], Awaitable[str]],
    ) -> None:
        super().__init__()
        self._variants = {model.id: model for model in models}
        here = [name for name in picked.models if name in self._variants]
        self._taken = dict.fromkeys(here[:MOST])
        self._first = picked
        self._left_out = [name for name in picked.models if name not in self._taken]
        self._is_blind = picked.is_blind
        self._begin = begin
        self._is_beginning = False

    @property
    def table(self) -> RowTable:
        """The models that are here."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(classes="full") as box:
            box.border_title = "Ask side by side"
            box.border_subtitle = "Space takes or leaves · Enter or Ctrl+S asks · Tab ↔ · Esc leaves"
            yield TextField(
                clean_text(self._first.text), id="beside-text", compact=True, tab_behavior="focus"
            )
            yield _Models(_COLUMNS, empty_text=_NO_MODELS, id="beside-models")
            yield Static(id="beside-size", markup=False)
            yield Static(id="beside-switch", markup=False)
            yield Static(id="beside-problem", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Begin with what is missing: the question, else the models."""
        self._show()
        if self._taken:
            self.table.move_cursor_to(next(iter(self._taken)))
        self._say(self._first_words)
        has_text = bool(self._first.text.strip())
        (self.table if has_text else self.query_one("#beside-text", TextArea)).focus()

    def on_resize(self) -> None:
        """Names are cut to the new width."""
        self.call_after_refresh(self._show)

    def action_mark(self) -> None:
        """Take the model under the cursor, or leave it."""
        key = self.table.cursor_key
        if key is None:
            return
        if key in self._taken:
            del self._taken[key]
        elif len(self._taken) == MOST:
            self._say(f"{MOST} are taken, which is the most: Space on one of them leaves it.")
            return
        else:
            self._taken[key] = None
        self._say("")
        self._show()

    def action_blind(self) -> None:
        """Name the models from the beginning, or not."""
        self._is_blind = not self._is_blind
        self._show()

    def action_ask(self) -> None:
        """Begin, or say what is missing."""
        if not self._is_beginning:
            self._ask()

    @on(RowTable.RowActivated)
    def _double_clicked(self, message: RowTable.RowActivated) -> None:
        message.stop()
        self.action_mark()

    @work(group="begin")
    async def _ask(self) -> None:
        text, taken = self.query_one("#beside-text", TextArea).text, tuple(self._taken)
        if not text.strip():
            self._say(_NO_TEXT)
            self.query_one("#beside-text", TextArea).focus()
            return
        if len(taken) < FEWEST:
            self._say(self._few_words)
            self.table.focus()
            return
        question = Question(text=text, models=taken, is_blind=self._is_blind)
        self._is_beginning = True
        self._say("Beginning …")
        try:
            run_id = await self._begin(question)
        except FoundryTuiError as error:
            self._say(error_words(error))
        else:
            variants = tuple(self._variants[name] for name in taken)
            self.dismiss(Asked(question=question, run_id=run_id, variants=variants))
        finally:
            self._is_beginning = False

    @property
    def _few_words(self) -> str:
        if len(self._variants) < FEWEST:
            return _NO_SECOND if self._variants else _NO_MODELS.replace("\n\n", " ")
        return f"Take {FEWEST} to {MOST} models: Space takes the one under the cursor."

    @property
    def _first_words(self) -> str:
        if len(self._variants) < FEWEST:
            return self._few_words
        if not self._left_out:
            return ""
        names = clean_line(", ".join(self._left_out), _NAMES_CHARACTERS)
        return f"Left out, for it is not here, or {MOST} are taken: {names}"

    def _show(self) -> None:
        if not self.is_open:
            return
        table = self.table
        width = table.scrollable_content_region.width
        room = next((one.width for one in place(_COLUMNS, width) if one.column.key == "name"), 20)
        names = names_within([clean_line(name) for name in self._variants], room)
        table.set_rows(
            [
                Row(
                    key=model.id,
                    cells=(
                        _MARK if model.id in self._taken else "",
                        name,
                        "" if model.device is None else model.device.value,
                        "yes" if model.is_loaded else "",
                    ),
                )
                for name, model in zip(names, self._variants.values(), strict=True)
            ]
        )
        size = f"{len(self._taken)} taken, {FEWEST} to {MOST} are asked"
        self.query_one("#beside-size", Static).update(size, layout=False)
        words = f"[{'x' if self._is_blind else ' '}] b blind: no model is named until all is judged"
        switch = Content(words).stylize(Style.from_meta({"@click": "screen.blind"}))
        self.query_one("#beside-switch", Static).update(switch, layout=False)

    def _say(self, words: str) -> None:
        line = self.query_one("#beside-problem", Static)
        line.display = bool(words)
        line.update(words)
