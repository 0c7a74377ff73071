"""What the settings screen shows: the settings as they are, what was changed since, all in words."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType

from textual.keys import REPLACED_KEYS, Keys, key_to_character

from foundry_tui.domain.settings import SettingEntry, SettingKind, SettingOrigin, TakesEffect
from foundry_tui.domain.text import clean_line
from foundry_tui.tui.widgets.row_table import Emphasis, Row

__all__ = ["KeyedAction", "SettingsDraft", "is_heading", "unknown_key"]

_HEADING = "[]"
_NONE = "not set"
_MODIFIERS = frozenset({"alt", "ctrl", "hyper", "meta", "shift", "super"})
# The first part of an action's id says where it can be done; these are for more than one pane or screen.
_EVERYWHERE = frozenset({"app", "pane"})
_NAMED_KEYS = sorted({*(key.value for key in Keys if key.value.isalnum()), *REPLACED_KEYS})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedAction:
    """An action whose keys can be chosen.

    Attributes:
        id: Its binding's, such as ``chat.new``.
        label: What it does, in a few words.
        keys: The keys it has by itself, separated by commas.
    """

    id: str
    label: str
    keys: str


class SettingsDraft:
    """The settings and what is to be saved of them; nothing here is on disk yet."""

    def __init__(
        self,
        entries: Sequence[SettingEntry],
        *,
        themes: Sequence[str] = (),
        actions: Sequence[KeyedAction] = (),
    ) -> None:
        self._themes = tuple(themes)
        self._labels = {f"keys.{action.id}": action.label for action in actions}
        defaults = {f"keys.{action.id}": action.keys for action in actions}
        self._entries = {entry.key: _with_default(entry, defaults) for entry in entries}
        self._changes: dict[str, str | None] = {}

    @property
    def changes(self) -> Mapping[str, str | None]:
        """What differs from the file, by key; None takes the key out of it."""
        return MappingProxyType(self._changes)

    def entry(self, key: str) -> SettingEntry | None:
        """The setting of that key; None for a heading."""
        return self._entries.get(key)

    def change(self, key: str, text: str | None) -> None:
        """Let ``text`` be saved under ``key``, None the default; what the file says already is no change."""
        self._changes[key] = text
        if text == self._entries[key].stored:
            del self._changes[key]

    def undo(self, key: str) -> None:
        """Let the file keep what it says under ``key``."""
        self._changes.pop(key, None)

    def current(self, key: str) -> str | None:
        """What would hold under ``key`` if this were saved, and nothing stood above the file."""
        entry = self._entries[key]
        text = self._changes.get(key, entry.stored)
        return entry.default if text is None else text

    def choices(self, key: str) -> tuple[str, ...]:
        """What ``key`` can be, if that is one of a few words."""
        match self._entries[key].kind:
            case SettingKind.TRUTH:
                return ("false", "true")
            case SettingKind.CHOICE:
                return self._themes
            case _:
                return ()

    def cycled(self, key: str, step: int) -> str | None:
        """The choice that is ``step`` further round; None where there is nothing to choose from."""
        choices, current = self.choices(key), self.current(key)
        if not choices:
            return None
        if current not in choices:
            return choices[0 if step > 0 else -1]
        return choices[(choices.index(current) + step) % len(choices)]

    def rows(self, words: str = "") -> list[Row]:
        """One row for each setting that has all of ``words`` somewhere, under the heading of its table."""
        wanted = words.casefold().split()
        shown = [entry for entry in self._entries.values() if self._has(entry, wanted)]
        rows: list[Row] = []
        for table, entries in groupby(shown, key=lambda entry: entry.table):
            members = list(entries)
            cells = ("", f"[{table}]", members[0].group, "")
            rows.append(Row(key=f"{_HEADING}{table}", cells=cells, runs_on=True))
            rows += [self._row(entry) for entry in members]
        return rows

    def description(self, key: str) -> str:
        """What a setting means."""
        entry = self._entries[key]
        if entry.kind is not SettingKind.KEYS:
            return entry.description
        label = self._labels.get(key, "No action has this id; reset it to be rid of it")
        return f"{label}.  {entry.description}"

    def facts(self, key: str) -> str:
        """Default, origin, what stands above the file, and when it is heeded."""
        entry = self._entries[key]
        parts = [f"Default: {_shown(entry.default)}"]
        if entry.takes_effect is TakesEffect.NEXT_START:
            parts.append("takes effect at the next start")
        if others := self._sharing(key):
            parts.append(f"same key: {', '.join(others)}")
        if key in self._changes:
            is_new = entry.stored is None
            parts.append("not in the file yet" if is_new else f"in the file: {_shown(entry.stored)}")
        elif entry.origin is SettingOrigin.FILE:
            parts.append(f"from {entry.origin_detail}")  # last, as it may be long
        facts = " · ".join(parts)
        if entry.origin in (SettingOrigin.OPTION, SettingOrigin.ENVIRONMENT):
            facts += (
                f"\n{entry.origin_detail} decided {_shown(entry.value)}; what is saved here holds without it"
            )
        return facts

    def later(self) -> list[str]:
        """The changed keys that are heeded at the next start only."""
        return [key for key in self._changes if self._entries[key].takes_effect is TakesEffect.NEXT_START]

    def _sharing(self, key: str) -> list[str]:
        """What else in the same place, or everywhere, has one of the keys that ``key`` gives."""
        own = self._keys(key)
        others = (other for other in self._labels if other != key and _may_meet(key, other))
        return [self._labels[other] for other in others if own & self._keys(other)]

    def _keys(self, key: str) -> set[str]:
        if self._entries[key].kind is not SettingKind.KEYS:
            return set()
        return {name.strip() for name in (self.current(key) or "").split(",")} - {""}

    def _has(self, entry: SettingEntry, wanted: Sequence[str]) -> bool:
        cells = (entry.key, entry.value or "", self.description(entry.key), self._origin(entry))
        text = "\n".join(cells).casefold()
        return all(word in text for word in wanted)

    def _row(self, entry: SettingEntry) -> Row:
        is_changed = entry.key in self._changes
        is_unknown = entry.kind is SettingKind.KEYS and entry.key not in self._labels
        mark = "*" if is_changed else "!" if is_unknown else ""
        value = self.current(entry.key) if is_changed else entry.value
        emphasis = Emphasis.DIM if entry.origin is SettingOrigin.DEFAULT else Emphasis.NORMAL
        if is_changed or is_unknown:
            emphasis = Emphasis.GOOD if is_changed else Emphasis.PROBLEM
        cells = (mark, entry.name, _shown(value), self._origin(entry))
        return Row(key=entry.key, cells=cells, emphasis=emphasis)

    def _origin(self, entry: SettingEntry) -> str:
        if entry.key in self._changes:
            return "changed, not saved"
        match entry.origin:
            case SettingOrigin.DEFAULT:
                return "default"
            case SettingOrigin.FILE:
                return "file" if entry.line is None else f"file, line {entry.line}"
            case _:
                return entry.origin_detail


def is_heading(key: str | None) -> bool:
    """Whether a row's key is that of a heading."""
    return key is not None and key.startswith(_HEADING)


def unknown_key(keys: str) -> str | None:
    """What is wrong with a list of key names, in words; None if each is a key that there is."""
    for name in filter(None, (part.strip() for part in keys.split(","))):
        *modifiers, base = name.split("+") if name != "+" else [name]
        for modifier in modifiers:
            if modifier not in _MODIFIERS:
                return f"no key is held as {clean_line(modifier, 20)!r}: {', '.join(sorted(_MODIFIERS))}"
        character = base if len(base) == 1 else key_to_character(base) if base else None
        if base not in _NAMED_KEYS and (character is None or not character.isprintable()):
            likest = difflib.get_close_matches(base, _NAMED_KEYS, n=1)
            guess = f"; did you mean {likest[0]}?" if likest else ""
            return f"no key is called {clean_line(base, 20)!r}{guess}"
    return None


def _may_meet(key: str, other: str) -> bool:
    places = {name.split(".")[1] for name in (key, other)}
    return len(places) == 1 or not places.isdisjoint(_EVERYWHERE)


def _with_default(entry: SettingEntry, defaults: Mapping[str, str]) -> SettingEntry:
    """``entry``, with the keys that its action has by itself, which no file knows."""
    if entry.key not in defaults:
        return entry
    default = defaults[entry.key]
    value = default if entry.origin is SettingOrigin.DEFAULT else entry.value
    return replace(entry, default=default, value=value)


def _shown(text: str | None) -> str:
    return _NONE if text is None else clean_line(text) or "none"
