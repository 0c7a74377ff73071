"""Asks for the path of a file, tells what stands there, completes names."""

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, Label, Static

from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.services.paths import (
    Entry,
    Listing,
    PathKind,
    PathState,
    harmless,
    list_folder,
    look_at,
    split,
)
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.fields import LineField

__all__ = ["PathPurpose", "PathScreen"]

_NAMES_SHOWN = 60
_LONGEST = 4_096  # characters; no system knows longer paths


class PathPurpose(StrEnum):
    """What the path is asked for."""

    READ = "read"
    """A file that is there."""
    WRITE = "write"
    """A file that is not there yet."""


class PathField(LineField):
    """A field for a path: Tab completes, and what it shows is harmless while it stands for the exact name."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "complete", "Complete", id="path.complete")]

    @dataclass
    class CompletionWanted(Message):
        """The user pressed Tab; its screen knows the names."""

    def __init__(self, path: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        self._exact: dict[str, str] = {}  # by what is shown, where that is something else
        super().__init__(self.stand_in(path), id=id, compact=True, max_length=_LONGEST)

    @property
    def path(self) -> str:
        """What is meant by what is shown."""
        shown = self.value
        if not self._exact:
            return shown
        # The longest beginning that stands for something else, as far as a whole name goes.
        ends = [len(shown), *(at for at in range(len(shown), 0, -1) if shown[at - 1] in (os.sep, os.altsep))]
        for end in ends:
            if (exact := self._exact.get(shown[:end])) is not None:
                return exact + shown[end:]
        return shown

    def stand_in(self, path: str, shown: str | None = None) -> str:
        """What is shown for ``path``, and understood as it from now on."""
        shown = harmless(path) if shown is None else shown
        if shown != path:
            self._exact[shown] = path
        else:
            self._exact.pop(shown, None)
        return shown

    def action_complete(self) -> None:
        """Go on as far as there is only one way."""
        self.post_message(self.CompletionWanted())

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default().stop()
        lines = event.text.strip("\r\n")[:_LONGEST]
        if self.selected_text == self.value:
            self.value = self.stand_in(lines)
            self.cursor_position = len(self.value)
        else:
            self.replace(harmless(lines), *self.selection)


class PathScreen(Overlay[str]):
    """Closes with the path as the file system has it, not made absolute; ``~`` is left to whoever opens it.

    Args:
        title: What is being done.
        label: What the path is of.
        purpose: Whether something must stand there, or nothing may.
        default: What the field begins with, the name of its file selected.
        suffixes: The name must end in one of them, and only such names are offered; empty allows any.
    """

    DEFAULT_CSS = """
    PathScreen #path-label { width: 100%; }
    PathScreen #path-hint { height: auto; max-height: 3; color: $text-muted; }
    PathScreen #path-hint.-refused { color: $text-error; }
    PathScreen #path-names { height: auto; max-height: 8; color: $text-muted; margin-top: 1; }
    """

    def __init__(
        self,
        title: str,
        label: str,
        *,
        purpose: PathPurpose,
        default: str = "",
        suffixes: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self._title = title
        self._label = label
        self._purpose = purpose
        self._default = default
        self._suffixes = suffixes
        self._folder: str | None = None
        self._listing = Listing()

    @property
    def field(self) -> PathField:
        """Where the path is written."""
        return self.query_one(PathField)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = self._title
            box.border_subtitle = "Enter accepts, Tab completes, Esc leaves"
            yield Label(self._label, id="path-label", markup=False)
            yield PathField(self._default, id="path")
            yield Static(id="path-hint", markup=False)
            yield Static(id="path-names", markup=False)

    def on_mount(self) -> None:
        """Begin with the name selected, so that typing replaces it and keeps its folder and suffix."""
        field = self.field
        field.select_on_focus = False
        field.focus()
        folder, name = split(field.value)
        stem = name.rpartition(".")[0] or name
        field.selection = type(field.selection)(len(folder), len(folder) + len(stem))
        self._follow()

    @on(Input.Changed, "#path")
    def _changed(self, message: Input.Changed) -> None:
        message.stop()
        self._follow()

    @on(Input.Submitted, "#path")
    def _submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self._accept()

    @on(PathField.CompletionWanted)
    def _tab(self, message: PathField.CompletionWanted) -> None:
        message.stop()
        self._complete()

    @work(exclusive=True, group="path")
    async def _follow(self) -> None:
        """Say what stands there, and which names could follow."""
        if self._is_gone():
            return  # the last of what was typed comes after the key that closes
        shown = self.field.value
        state = await look_at(self.field.path) if shown.strip() else None
        if not self._is_gone():
            self._tell(state)
            await self._list(again=False)

    @work(exclusive=True, group="path")
    async def _complete(self) -> None:
        if self._is_gone() or not await self._list(again=True):
            return
        field = self.field
        folder, typed = split(field.value)
        if folder + typed == "~":
            field.value = f"~{os.sep}"
            field.cursor_position = len(field.value)
            return
        entries = self._offered(typed)
        # Names, not paths: character by character is meant.
        common = os.path.commonprefix([entry.shown for entry in entries])  # noqa: RUF071
        if len(entries) == 1:
            common += os.sep if entries[0].is_folder else ""
        if len(common) < len(typed) or not entries:
            return  # they differ in case only so far
        if not folder and common.startswith("~"):
            folder = f".{os.sep}"  # a name, and nobody's home
            self._stand_for(folder, folder, entries)
        field.value = folder + common
        field.cursor_position = len(field.value)

    @work(exclusive=True, group="path")
    async def _accept(self) -> None:
        # Until then a name is not known to stand for another.
        if self._is_gone() or not await self._list(again=False):
            return
        path = self.field.path
        if not path.strip():
            self._refuse("type a path, such as ~/notes.md")
            return
        state = await look_at(path)
        if self._is_gone():
            return
        if (refusal := self._refusal(path, state)) is None:
            self.dismiss(path)
        else:
            self._refuse(refusal)

    def _is_gone(self) -> bool:
        """Whether this was closed while something was looked up."""
        return not self.is_open

    async def _list(self, *, again: bool) -> bool:
        """Show which names could follow; False if this was closed meanwhile."""
        field = self.field
        folder, typed = split(field.value)
        exact, _ = split(field.path)
        if again or folder != self._folder:
            listing = await list_folder(exact)
            if self._is_gone():
                return False
            self._folder, self._listing = folder, listing
            self._stand_for(folder, exact, listing.entries)
        self._show_names(typed)
        return True

    def _stand_for(self, folder: str, exact: str, entries: tuple[Entry, ...]) -> None:
        for entry in entries:
            if (folder, entry.shown) != (exact, entry.name):
                end = os.sep if entry.is_folder else ""
                self.field.stand_in(exact + entry.name + end, folder + entry.shown + end)

    def _offered(self, typed: str) -> tuple[Entry, ...]:
        entries = self._listing.beginning_with(typed)
        if not self._suffixes:
            return entries
        return tuple(entry for entry in entries if entry.is_folder or self._is_named_well(entry.name))

    def _is_named_well(self, name: str) -> bool:
        return not self._suffixes or name.lower().endswith(self._suffixes)

    def _show_names(self, typed: str) -> None:
        names = self.query_one("#path-names", Static)
        entries = self._offered(typed)
        if self._listing.reason:
            names.update("")
            return
        shown = [entry.shown + (os.sep if entry.is_folder else "") for entry in entries[:_NAMES_SHOWN]]
        more = len(entries) - len(shown)
        names.update("   ".join(shown) + (f"   … and {more} more" if more else ""))

    def _tell(self, state: PathState | None) -> None:
        hint = self.query_one("#path-hint", Static)
        hint.remove_class("-refused")
        hint.update("" if state is None else self._words(state))

    def _refuse(self, words: str) -> None:
        hint = self.query_one("#path-hint", Static)
        hint.add_class("-refused")
        hint.update(f"Not yet: {words}")

    def _words(self, state: PathState) -> str:
        refusal = self._refusal(self.field.path, state)
        if refusal is not None:
            return refusal
        if state.kind is PathKind.FILE:
            return f"a file of {bytes_in_words(state.size_bytes)}"
        return f"a new file in {harmless(str(state.path.parent))}"

    def _refusal(self, path: str, state: PathState) -> str | None:
        """Why this path will not do; None if it will."""
        is_writing = self._purpose is PathPurpose.WRITE
        match state.kind:
            case PathKind.CLOSED:
                return f"it cannot be looked at: {harmless(state.reason)}"
            case PathKind.ASTRAY:
                return f"there is no folder {harmless(str(state.path.parent))}"
            case PathKind.FOLDER:
                return "this is a folder: name a file in it"
            case PathKind.OTHER:
                return "this is no regular file"
            case PathKind.FILE if is_writing:
                size = bytes_in_words(state.size_bytes)
                return f"exists already ({size}): nothing is overwritten, give another name"
            case PathKind.MISSING if not is_writing:
                return "no such file"
        return (
            None
            if self._is_named_well(path)
            else f"expected a name that ends in {' or '.join(self._suffixes)}"
        )
