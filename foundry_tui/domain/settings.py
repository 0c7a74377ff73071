"""What a user can set, as it is shown: the value in force, where it comes from, what may stand there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

__all__ = ["SettingEntry", "SettingKind", "SettingOrigin", "SettingOverride", "SettingValue", "TakesEffect"]

SettingValue: TypeAlias = str | int | float | bool


class SettingOrigin(StrEnum):
    """Who decided a value, from the strongest to the weakest."""

    OPTION = "option"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


class SettingKind(StrEnum):
    """What may stand in a setting, and so how it is edited."""

    TEXT = "text"
    """One line."""
    PROSE = "prose"
    """Text of any number of lines."""
    NUMBER = "number"
    WHOLE = "whole"
    TRUTH = "truth"
    CHOICE = "choice"
    """One of some names, which only the screen knows."""
    KEYS = "keys"
    """Keys of one action, separated by commas; the empty text means none."""


class TakesEffect(StrEnum):
    """When a saved value is heeded."""

    NOW = "now"
    NEXT_START = "next start"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingOverride:
    """What the command line or the environment decided, whatever the file says.

    Attributes:
        detail: The option or variable, such as ``--offline``.
        value: None where it was decided that there is none.
    """

    origin: SettingOrigin
    detail: str
    value: SettingValue | None

    def __post_init__(self) -> None:
        if self.origin not in (SettingOrigin.OPTION, SettingOrigin.ENVIRONMENT):
            raise ValueError("only an option or the environment stands above the file")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingEntry:
    """One setting as it is now.  Texts are as a user would type them; None is none.

    Attributes:
        key: Table and name, such as ``chat.max_tokens`` or ``keys.chat.new``.
        group: What its table is about.
        value: In force.
        stored: What the file says; None where it says nothing.
        default: What holds where nobody says anything.
        origin_detail: ``--offline``, ``FOUNDRY_LOCAL_ENDPOINT``, ``/path/settings.toml line 12``; empty
            for a default.
        line: The line of the file that it stands on; None where it says nothing.
    """

    key: str
    group: str
    description: str
    kind: SettingKind
    value: str | None
    stored: str | None
    default: str | None
    origin: SettingOrigin
    origin_detail: str
    line: int | None
    takes_effect: TakesEffect

    @property
    def table(self) -> str:
        """The table that it stands in."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """Its key within the table."""
        return self.key.partition(".")[2]
