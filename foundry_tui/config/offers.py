"""What can be set, read from the shapes; and a setting's value as text, and back.

Imports pydantic: import this module late.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from foundry_tui.config.problems import value_problem
from foundry_tui.config.shapes import SettingsFile
from foundry_tui.domain.settings import SettingKind, SettingValue, TakesEffect

__all__ = ["KEYS_TABLE", "Offer", "find_offer", "fixed_offers", "text_of", "text_problem", "value_of"]

KEYS_TABLE = "keys"
"""The one table whose keys are not known here: the ids of the screen's actions."""

_KINDS: Mapping[object, SettingKind] = {
    bool: SettingKind.TRUTH,
    int: SettingKind.WHOLE,
    float: SettingKind.NUMBER,
    str: SettingKind.TEXT,
}
_WHOLE = re.compile(r"[+-]?\d{1,300}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One key that can be set.

    Attributes:
        group: What its table is about.
        default: None where the default is to have none.
    """

    table: str
    name: str
    group: str
    description: str
    kind: SettingKind
    default: SettingValue | None
    takes_effect: TakesEffect

    @property
    def key(self) -> str:
        """Table and name, as in ``chat.max_tokens``."""
        return f"{self.table}.{self.name}"


def fixed_offers() -> tuple[Offer, ...]:
    """Every key that is known without the screen, in the order of its declaration."""
    return tuple(
        _offer(table, group, name, field)
        for table, group in SettingsFile.model_fields.items()
        if table != KEYS_TABLE
        for name, field in _shape_of(group).model_fields.items()
    )


def find_offer(key: str) -> Offer | None:
    """What ``key`` offers, any action's keys included; None where nothing of that name can be set."""
    table, _, name = key.partition(".")
    if table == KEYS_TABLE:
        return _keys_offer(name) if name else None
    return next((offer for offer in fixed_offers() if offer.key == key), None)


def text_of(value: SettingValue | None) -> str | None:
    """``value`` as a user would type it."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def value_of(offer: Offer, text: str) -> SettingValue:
    """The value that ``text`` means; the text itself where it means none, for ``text_problem`` to refuse."""
    stripped = text.strip()
    match offer.kind:
        case SettingKind.TRUTH if stripped in ("true", "false"):
            return stripped == "true"
        case SettingKind.NUMBER | SettingKind.WHOLE if _WHOLE.fullmatch(stripped):
            return int(stripped)
        case SettingKind.NUMBER | SettingKind.WHOLE if _NUMBER.fullmatch(stripped):
            return float(stripped)
        case SettingKind.PROSE:
            return text
        case _:
            return stripped


def text_problem(offer: Offer, text: str) -> str | None:
    """Why ``text`` cannot be set, in words: what was expected, what was found."""
    try:
        SettingsFile.model_validate({offer.table: {offer.name: value_of(offer, text)}})
    except ValidationError as error:
        return value_problem(error)
    return None


def _keys_offer(action_id: str) -> Offer:
    field = SettingsFile.model_fields[KEYS_TABLE]
    key_names = get_args(field.annotation)[1]
    return Offer(
        table=KEYS_TABLE,
        name=action_id,
        group=field.description or "",
        description=next(
            part.description or "" for part in get_args(key_names) if isinstance(part, FieldInfo)
        ),
        kind=SettingKind.KEYS,
        default=None,
        takes_effect=TakesEffect.NOW,
    )


def _offer(table: str, group: FieldInfo, name: str, field: FieldInfo) -> Offer:
    kinds = [mark for mark in field.metadata if isinstance(mark, SettingKind)]
    effects = [mark for mark in field.metadata if isinstance(mark, TakesEffect)]
    return Offer(
        table=table,
        name=name,
        group=group.description or "",
        description=field.description or "",
        kind=kinds[0] if kinds else _kind_of(field.annotation),
        default=field.default,
        takes_effect=effects[0] if effects else TakesEffect.NOW,
    )


def _shape_of(field: FieldInfo) -> type[BaseModel]:
    shape = field.annotation
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        raise TypeError(f"a table of settings is a shape of its own, not {shape}")
    return shape


def _kind_of(annotation: object) -> SettingKind:
    """The kind of a type that may be annotated and may allow None."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    for part in (annotation, *get_args(annotation)):
        plain = get_args(part)[0] if get_origin(part) is Annotated else part
        if plain in _KINDS:
            return _KINDS[plain]
    raise TypeError(f"the settings screen has no kind for {annotation}")
