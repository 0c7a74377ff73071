"""A TOML text with some keys changed and everything else, comments and order, as it was.

Imports tomlkit: import this module late.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import tomlkit
from tomlkit.exceptions import TOMLKitError

from foundry_tui.config.toml_lines import commented_out, end_of_table, key_places
from foundry_tui.domain.settings import SettingValue

__all__ = ["Change", "Reset", "SetTo", "changed_content", "edited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTo:
    """Give the key this value."""

    value: SettingValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Let the default hold, which the comment that stays behind then shows; None has nothing to show."""

    default: SettingValue | None


Change: TypeAlias = SetTo | Reset


def edited(text: str, changes: Mapping[tuple[str, str], Change]) -> str:
    """``text`` with the ``changes``, by table and key.

    A key that stands in a comment, as in the shipped file, is set on that line; a key that is reset becomes a
    comment again.  ``text`` is valid TOML whose tables hold plain values; line ends stay what they are.

    Raises:
        ValueError: The text is written in a way that cannot be changed without changing more.
    """
    is_crlf = "\r\n" in text and text.count("\r\n") == text.count("\n")
    result = text.replace("\r\n", "\n") if is_crlf else text
    try:
        for (table, name), change in changes.items():
            match change:
                case SetTo(value=value):
                    result = _with_value(_with_key(result, table, name), table, name, value)
                case Reset(default=default):
                    result = _without(result, table, name, default)
        says = tomllib.loads(result)
    except (TOMLKitError, tomllib.TOMLDecodeError) as error:
        raise ValueError(str(error)) from error
    if _filled(says) != _filled(changed_content(tomllib.loads(text), changes)):
        raise ValueError("the changed text would not say what was meant")
    return result.replace("\n", "\r\n") if is_crlf else result


def changed_content(
    content: Mapping[str, object], changes: Mapping[tuple[str, str], Change]
) -> dict[str, object]:
    """What a file that says ``content`` says after ``changes``."""
    tables = {name: dict(table) if isinstance(table, dict) else table for name, table in content.items()}
    for (name, key), change in changes.items():
        table = tables.setdefault(name, {})
        if not isinstance(table, dict):
            continue  # refused when the whole is checked
        match change:
            case SetTo(value=value):
                table[key] = value
            case Reset():
                table.pop(key, None)
    return tables


def _with_value(text: str, table: str, name: str, value: SettingValue) -> str:
    document = tomlkit.parse(text)
    if table not in document:
        document[table] = tomlkit.table()
    item = (
        tomlkit.string(value, multiline="\n" in value and "\r" not in value)
        if isinstance(value, str)
        else tomlkit.item(value)
    )
    document[table][name] = item
    return tomlkit.dumps(document)


def _without(text: str, table: str, name: str, default: SettingValue | None) -> str:
    place = key_places(text).get((table, name))
    if place is None:
        return text
    if not place.is_alone:
        document = tomlkit.parse(text)
        del document[table][name]
        return tomlkit.dumps(document)
    if default is not None:
        text = _with_value(text, table, name, default)
        place = key_places(text)[table, name]
    lines = text[place.start : place.end].split("\n")
    return text[: place.start] + "\n".join(f"# {line}" for line in lines) + text[place.end :]


def _with_key(text: str, table: str, name: str) -> str:
    """``text`` with a line for the key, whatever that says, where ``[table]`` has a place for it."""
    if (table, name) in key_places(text):
        return text
    if (found := commented_out(text, table, name)) is not None:
        place, statement = found
        return text[: place.start] + statement + text[place.end :]
    # tomlkit would add it behind comments that are about the next table.
    if (end := end_of_table(text, table)) is not None:
        return f"{text[:end]}\n{tomlkit.key(name).as_string()} = 0{text[end:]}"
    return text


def _filled(content: Mapping[str, object]) -> dict[str, object]:
    """``content`` without empty tables, which say nothing."""
    return {name: table for name, table in content.items() if table != {}}
