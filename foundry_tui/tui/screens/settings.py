"""The settings screen: every key of ``settings.toml``, where its value comes from, edited and saved."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.settings import SettingKind
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.reports.errors import error_words
from foundry_tui.services.settings import SettingsService
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.screens.settings_draft import KeyedAction, SettingsDraft, is_heading, unknown_key
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.folding import shown_line
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import Column, RowTable
from foundry_tui.tui.widgets.setting_field import SettingField
from foundry_tui.tui.widgets.table_parts import cut_within

__all__ = ["KeyedAction", "SettingsScreen", "SettingsTable"]

_THEME = "screen.theme"
_COLUMNS = (
    Column(key="mark", label="", width=1, priority=9),
    Column(key="name", label="Setting", width=23, weight=1, priority=9),
    Column(key="value", label="Value", width=20, weight=2, priority=8),
    Column(key="origin", label="From", width=22, weight=0, priority=1),
)


class SettingsTable(RowTable):
    """The settings under the headings of their tables; the cursor passes over headings."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "Edit", id="settings.edit"),
        Binding("space,right", "screen.cycle(1)", "Next", key_display="space", id="settings.next"),
        Binding("left", "screen.cycle(-1)", "Previous", show=False, id="settings.previous"),
        Binding("r,delete", "screen.reset_one", "Default", key_display="r", id="settings.reset"),
        Binding("u", "screen.undo_one", "Undo", id="settings.undo"),
        Binding("slash", "screen.filter", "Filter", key_display="/", id="settings.filter"),
    ]

    def action_move_by(self, rows: int) -> None:
        """Move the cursor down by ``rows``, up if negative, and on from a heading."""
        super().action_move_by(rows)
        if is_heading(self.cursor_key):
            super().action_move_by(1 if rows >= 0 else -1)
            if is_heading(self.cursor_key):  # the first row, which has nothing above it
                super().action_move_by(1)


class _Target(Widget):
    """Where it is all saved: whole where there is room, else without its middle.

    Attributes:
        path: Harmless; "" until it is known.
    """

    path: reactive[str] = reactive("")

    def render(self) -> Content:
        """The path as far as it fits."""
        return Content(cut_within(f"saved to {self.path}", self.content_size.width) if self.path else "")


class SettingsScreen(Overlay[frozenset[str]]):
    """Shows and changes all settings; its result is the keys that were saved, None where none were.

    A theme is tried on while it is chosen, and taken back if it is not saved.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save all", priority=True, id="settings.save"),
    ]
    DEFAULT_CSS = """
    SettingsScreen #settings-box {
        width: 100%;
        max-width: 120;
        height: 1fr;
        border: round $primary;
        background: $surface;
        padding: 0 1;
    }
    SettingsScreen #settings-filter { height: 1; display: none; }
    SettingsScreen #settings-filter.-open { display: block; }
    SettingsScreen #settings-about { height: 4; margin-top: 1; }
    SettingsScreen #settings-about.-hidden { display: none; }
    SettingsScreen #settings-words { height: 2; }
    SettingsScreen #settings-facts { height: 2; color: $text-muted; }
    SettingsScreen SettingField { margin-top: 1; min-height: 4; }
    SettingsScreen #settings-foot { height: 1; }
    SettingsScreen #settings-foot Button { min-width: 9; margin-right: 1; }
    SettingsScreen #settings-target { width: 1fr; height: 1; color: $text-muted; }
    """

    def __init__(
        self,
        service: SettingsService,
        *,
        themes: Sequence[str] = (),
        actions: Sequence[KeyedAction] = (),
    ) -> None:
        """Make the screen; the file is read when it is opened.

        Args:
            service: The settings.
            themes: Names to choose from.
            actions: Whatever can be given other keys.
        """
        super().__init__()
        self._service = service
        self._themes = tuple(themes)
        self._actions = tuple(actions)
        self._draft = SettingsDraft(())
        self._edited: tuple[str, str] | None = None
        self._theme_before: str | None = None

    @property
    def table(self) -> SettingsTable:
        """The list of settings."""
        return self.query_one(SettingsTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="settings-box") as box:
            box.border_title = "Settings"
            box.border_subtitle = "Esc leaves"
            yield LineField(placeholder="words that the setting has", id="settings-filter", compact=True)
            yield SettingsTable(_COLUMNS, empty_text="reading the settings …", id="settings-table")
            with Vertical(id="settings-about"):
                yield Static(id="settings-words", markup=False)
                yield Static(id="settings-facts", markup=False)
            yield SettingField()
            with Horizontal(id="settings-foot"):
                yield Button("Save", id="settings-save", variant="primary", compact=True)
                yield Button("Default", id="settings-default", compact=True)
                yield Button("Close", id="settings-close", compact=True)
                yield _Target(id="settings-target")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read the file."""
        self._theme_before = self.app.theme
        self.table.focus()
        self._read()

    def on_unmount(self) -> None:
        """Take back a theme that was only tried on."""
        if self._theme_before is not None and self.app.theme != self._theme_before:
            self.app.theme = self._theme_before

    def action_cycle(self, step: int) -> None:
        """Set the next of a few choices."""
        key = self._key()
        if key is not None and (text := self._draft.cycled(key, step)) is not None:
            self._change(key, text)

    def action_reset_one(self) -> None:
        """Let the default hold."""
        if (key := self._key()) is not None:
            self._change(key, None)

    def action_undo_one(self) -> None:
        """Take back what was changed and not saved."""
        if (key := self._key()) is not None:
            self._draft.undo(key)
            self._changed(key)

    def action_filter(self) -> None:
        """Show only the settings that have the words one types."""
        field = self.query_one("#settings-filter", LineField)
        field.add_class("-open")
        field.focus()

    def action_save(self) -> None:
        """Write all changes, an open one too, and close."""
        self._save()

    def escape(self) -> bool:
        """Leave the field one is in; else the screen, after a question if something would be lost."""
        if self._edited is not None:
            self._stop_editing()
        elif self.query_one("#settings-filter").has_class("-open"):
            self._stop_filtering()
        elif not self._draft.changes:
            return False
        else:
            count = len(self._draft.changes)
            question = f"{count} change{'s are' if count > 1 else ' is'} not saved."
            self.app.push_screen(ConfirmScreen(question, "Leave all the same"), self._leave)
        return True

    def _leave(self, is_sure: bool | None) -> None:
        if is_sure:
            self.dismiss(None)

    @work(group="settings-read", exclusive=True)
    async def _read(self) -> None:
        try:
            entries = await self._service.entries([action.id for action in self._actions])
            target = await self._service.target()
        except FoundryTuiError as error:
            self.table.empty_text = error_words(error)
            return
        self._draft = SettingsDraft(entries, themes=self._themes, actions=self._actions)
        self.query_one(_Target).path = shown_line(str(target))
        self._show_rows()

    def _show_rows(self) -> None:
        words = self.query_one("#settings-filter", LineField).value
        self.table.empty_text = "no setting has all these words"
        self.table.set_rows(self._draft.rows(words))
        if is_heading(self.table.cursor_key):
            self.table.action_move_by(1)
        count = len(self._draft.changes)
        self.query_one("#settings-box").border_title = (
            f"Settings · {count} not saved" if count else "Settings"
        )
        self._show_about()

    def _show_about(self) -> None:
        key = self._key()
        words = facts = ""
        if key is not None:
            words = f"{key}  {self._draft.description(key)}"
            facts = self._draft.facts(key)
        self.query_one("#settings-words", Static).update(clean_text(words))
        self.query_one("#settings-facts", Static).update(clean_text(facts))

    def _key(self) -> str | None:
        """The setting under the cursor."""
        key = self.table.cursor_key
        return key if key is not None and self._draft.entry(key) is not None else None

    def _change(self, key: str, text: str | None) -> None:
        self._draft.change(key, text)
        self._changed(key)

    def _changed(self, key: str) -> None:
        theme = self._draft.current(key) if key in self._draft.changes else self._theme_before
        if key == _THEME and theme in self.app.available_themes:
            self.app.theme = theme
        self._show_rows()

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_about()

    @on(RowTable.RowActivated)
    def _activated(self, message: RowTable.RowActivated) -> None:
        message.stop()
        if (entry := self._draft.entry(message.key)) is None:
            return
        if self._draft.choices(entry.key):
            self.action_cycle(1)
            return
        text = self._draft.current(entry.key) or ""
        is_prose = entry.kind is SettingKind.PROSE
        shown = clean_text(text) if is_prose else clean_line(text)
        self._edited = (entry.key, shown)
        self.query_one("#settings-about").add_class("-hidden")
        # Whoever clicks into the list meanwhile would leave a field with unfinished text behind.
        self.table.disabled = True
        default = "none" if entry.default is None else entry.default
        leaves = "takes the keys away" if entry.kind is SettingKind.KEYS else f"the default: {default}"
        self.query_one(SettingField).open(
            f"{entry.key}   Enter accepts, Esc leaves it",
            shown,
            placeholder=f"empty: {clean_line(leaves)}",
            is_prose=is_prose,
        )

    @on(SettingField.Typed)
    def _typed(self, message: SettingField.Typed) -> None:
        message.stop()
        self._check(message.text)

    @on(SettingField.Entered)
    def _entered(self, message: SettingField.Entered) -> None:
        message.stop()
        self._accept()

    @work(group="settings-check", exclusive=True)
    async def _check(self, text: str) -> None:
        problem = await self._problem(text)
        self.query_one(SettingField).show_problem(problem)

    @work(group="settings-check", exclusive=True)
    async def _accept(self) -> None:
        await self._accepted()

    async def _accepted(self) -> bool:
        """Take over what stands in an open field; False where it is not allowed, which is said then."""
        if self._edited is None:
            return True
        field = self.query_one(SettingField)
        key, before = self._edited
        text = field.text
        if (problem := await self._problem(text)) is not None:
            field.show_problem(problem)
            return False
        if self._edited != (key, before):
            return True  # left while it was checked
        self._stop_editing()
        # Untouched, it stays as it came, even where it could not be shown so.
        if text != before:
            self._change(key, None if self._means_default(key, text) else text)
        return True

    async def _problem(self, text: str) -> str | None:
        if self._edited is None:
            return None
        key, before = self._edited
        if text == before or self._means_default(key, text):
            return None
        entry = self._draft.entry(key)
        if entry is not None and entry.kind is SettingKind.KEYS:
            return await self._service.check(key, text) or unknown_key(text)
        return await self._service.check(key, text)

    def _means_default(self, key: str, text: str) -> bool:
        entry = self._draft.entry(key)
        return not text.strip() and entry is not None and entry.kind is not SettingKind.KEYS

    def _stop_editing(self) -> None:
        self._edited = None
        self.query_one(SettingField).close()
        self.query_one("#settings-about").remove_class("-hidden")
        self.table.disabled = False
        self.table.focus()

    @on(Input.Changed, "#settings-filter")
    def _filter_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._show_rows()

    @on(Input.Submitted, "#settings-filter")
    def _filter_entered(self, message: Input.Submitted) -> None:
        message.stop()
        self.table.focus()

    def _stop_filtering(self) -> None:
        field = self.query_one("#settings-filter", LineField)
        field.value = ""
        field.remove_class("-open")
        self.table.focus()

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        message.stop()
        match message.button.id:
            case "settings-save":
                self.action_save()
            case "settings-default":
                self.action_reset_one()
                self.table.focus()
            case _:
                if not self.escape():
                    self.dismiss(None)

    @work(group="settings-save", exclusive=True)
    async def _save(self) -> None:
        if not await self._accepted():
            return
        changes = dict(self._draft.changes)
        if not changes:
            self.dismiss(None)
            return
        try:
            path = await self._service.save(changes)
        except FoundryTuiError as error:
            complain(self, error)
            return
        words = f"{len(changes)} setting{'s' if len(changes) > 1 else ''} saved to {path}"
        if later := self._draft.later():
            words += f"\n{', '.join(later)}: at the next start"
        tell(self, words)
        if _THEME in changes:
            self._theme_before = None  # to stay as it is
        self.dismiss(frozenset(changes))
