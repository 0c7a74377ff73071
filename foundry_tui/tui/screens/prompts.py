"""The prompt library: found, read, put into the field, written, deleted."""

import time
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static

from foundry_tui.domain.conversations import SavedPrompt
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.text import clean_line, clean_text, shorten
from foundry_tui.ports.storage import PromptLibrary
from foundry_tui.reports.conversation import when_in_words
from foundry_tui.reports.errors import error_words
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.placeholders import fill, placeholders
from foundry_tui.tui.screens.kept_overlay import KeptOverlay
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.prompt_form import GapsScreen, PromptForm, Written
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import Column, Row, RowTable
from foundry_tui.tui.widgets.table_parts import cut

__all__ = ["PromptsScreen"]

# No preview shows more; a prompt may have a whole file in it.
_PREVIEWED = 5_000


class _Table(RowTable):
    """Its Enter is shown, for it is what one comes for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "activate", "Use", id="prompts.use")]


class PromptsScreen(KeptOverlay[SavedPrompt]):
    """Lists the saved prompts; closes with the one to be put into the field, its gaps filled.

    Args:
        library: Where they are.
        draft: What stands in the field; it can be saved.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="prompts.filter", key_display="/"),
        Binding("n", "new", "New", id="prompts.new"),
        Binding("s", "save_draft", "Save the field", id="prompts.save_draft"),
        Binding("e", "edit", "Edit", id="prompts.edit"),
        Binding("d,delete", "delete", "Delete", id="prompts.delete"),
        Binding("r", "reload", "Look again", show=False, id="prompts.reload"),
    ]
    FIELD = "#prompts-filter"
    LIST = "#prompts-table"
    DEFAULT_CSS = """
    PromptsScreen #prompts-filter { height: 1; }
    PromptsScreen #prompts-preview { height: 40%; border-top: solid $panel; }
    PromptsScreen #prompts-text { height: auto; }
    PromptsScreen #prompts-state { height: 1; color: $text-muted; }
    """
    COLUMNS = (
        Column(key="name", label="Name", width=24, weight=3, priority=100),
        Column(key="tags", label="Tags", width=14, weight=2, priority=80),
        Column(key="used", label="Used", width=10, priority=90),
    )

    def __init__(self, library: PromptLibrary, draft: str) -> None:
        super().__init__()
        self._library = library
        self._draft = draft
        self._prompts: dict[str, SavedPrompt] = {}
        self._is_read = False
        self._unsaved: Written | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="prompts-box", classes="full") as box:
            box.border_title = "Prompts"
            box.border_subtitle = "Esc closes"
            yield LineField(placeholder="/ filters: name, #tag, text", id="prompts-filter", compact=True)
            yield _Table(self.COLUMNS, empty_text="Looking …", id="prompts-table")
            with VerticalScroll(id="prompts-preview"):
                yield Static(id="prompts-text", markup=False)
            yield Static(id="prompts-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show them all."""
        self.table.focus()
        self.act(self._read)

    def action_reload(self) -> None:
        """Ask the library again."""
        self.act(self._read)

    def action_new(self) -> None:
        """Write a new prompt."""
        unsaved = self._unsaved
        written = unsaved if unsaved is not None and unsaved.prompt is None else Written()
        self.act(lambda: self._edit(written))

    def action_save_draft(self) -> None:
        """Save what stands in the prompt field."""
        if self._draft.strip():
            self.act(lambda: self._edit(Written(text=clean_text(self._draft))))
        else:
            tell(self, "The prompt field is empty: n writes a new prompt", is_warning=True)

    def action_edit(self) -> None:
        """Change the prompt under the cursor."""
        prompt, unsaved = self._current(), self._unsaved
        if prompt is not None:
            is_unsaved = unsaved is not None and unsaved.prompt is not None and unsaved.prompt.id == prompt.id
            written = unsaved if unsaved is not None and is_unsaved else Written.of(prompt)
            self.act(lambda: self._edit(written))

    def action_delete(self) -> None:
        """Delete the prompt under the cursor, after a question."""
        prompt = self._current()
        if prompt is not None:
            self.act(lambda: self._delete(prompt))

    @on(Input.Changed, "#prompts-filter")
    def _filtered(self, message: Input.Changed) -> None:
        message.stop()
        self._show(at_top=True)

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_text()

    @on(RowTable.RowActivated)
    def _chosen(self, message: RowTable.RowActivated) -> None:
        message.stop()
        prompt = self._prompts.get(message.key)
        if prompt is not None:
            self.act(lambda: self._use(prompt))

    async def _read(self) -> None:
        try:
            prompts = await self._library.prompts()
        except StorageProblem as error:
            self._prompts, self._is_read = {}, False
            self._show(at_top=True)
            self.table.empty_text = f"{error_words(error)}\n\nr tries again."
            return
        self._prompts, self._is_read = {prompt.id: prompt for prompt in prompts}, True
        self._show(at_top=False)

    async def _use(self, prompt: SavedPrompt) -> None:
        text = prompt.text
        if names := placeholders(text):
            values = await self.app.push_screen_wait(GapsScreen(prompt.name, names))
            if values is None:
                return
            text = fill(text, values)
            if not text.strip():
                tell(self, "Nothing is left of it without a value", is_warning=True)
                return
        used = replace(prompt, used_unix_ms=time.time_ns() // 1_000_000)
        try:
            await self._library.save_prompt(used)
        except (BadInput, StorageProblem) as error:
            complain(self, error)  # it is used all the same; only its place in the list is an old one
        self.dismiss(replace(used, text=text))

    async def _edit(self, written: Written) -> None:
        known = dict.fromkeys(tag for prompt in self._prompts.values() for tag in prompt.tags)
        form = PromptForm(written, sorted(known, key=str.casefold), self._library.save_prompt)
        saved = await self.app.push_screen_wait(form)
        if saved is None:
            self._keep_unsaved(written, form.written)
            return
        self._unsaved = None
        await self._read()
        self.table.move_cursor_to(saved.id)

    def _keep_unsaved(self, first: Written, last: Written) -> None:
        """What was written is not lost by one key."""
        if last == first:
            return
        self._unsaved = last
        key = "n" if last.prompt is None else "e"
        tell(self, f"It was not saved; {key} brings back what you wrote, as long as this list is open")

    async def _delete(self, prompt: SavedPrompt) -> None:
        # A line each, for no line of the question is wrapped.
        name = cut(clean_line(prompt.name), 48)
        question = f"Delete this prompt?\n“{name}”\nIt cannot be brought back."
        if await self.app.push_screen_wait(ConfirmScreen(question, "Delete")):
            await self._library.delete_prompt(prompt.id)
            self._prompts.pop(prompt.id, None)
            self._show(at_top=False)

    def _show(self, *, at_top: bool) -> None:
        words = self.query_one("#prompts-filter", Input).value.casefold().split()
        wanted = [prompt for prompt in self._prompts.values() if _has(prompt, words)]
        table = self.table
        if self._is_read:
            table.empty_text = _NO_HIT if words else _EMPTY
        now = time.time_ns() // 1_000_000
        table.set_rows([_row(prompt, now) for prompt in wanted])
        if at_top and wanted:
            table.move_cursor_to(wanted[0].id)
        self._show_text()
        some = f"{len(wanted):,} of " if len(wanted) < len(self._prompts) else ""
        noun = "prompt" if len(self._prompts) == 1 else "prompts"
        self.query_one("#prompts-state", Static).update(f"{some}{len(self._prompts):,} {noun}")

    def _show_text(self) -> None:
        prompt = self._current()
        text = "" if prompt is None else clean_text(shorten(prompt.text, _PREVIEWED))
        self.query_one("#prompts-text", Static).update(text)
        self.query_one("#prompts-preview", VerticalScroll).scroll_home(animate=False)

    def _current(self) -> SavedPrompt | None:
        key = self.table.cursor_key
        return None if key is None else self._prompts.get(key)


_EMPTY = "No prompt is saved yet.\n\nn writes one, s saves what stands in the prompt field."
_NO_HIT = "No prompt has all these words in its name, tags or text.\n\n/ goes back to the filter."


def _has(prompt: SavedPrompt, words: list[str]) -> bool:
    hay = "\n".join((prompt.name, *(f"#{tag}" for tag in prompt.tags), prompt.text)).casefold()
    return all(word in hay for word in words)


def _row(prompt: SavedPrompt, now_unix_ms: int) -> Row:
    used = "never" if prompt.used_unix_ms is None else when_in_words(prompt.used_unix_ms, now_unix_ms)
    return Row(key=prompt.id, cells=(prompt.name, " ".join(f"#{tag}" for tag in prompt.tags), used))
