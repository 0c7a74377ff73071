"""Frozen dataclasses ⇄ one JSON line.

A dataclass becomes an object whose ``"_"`` names its class; fields that hold their default are left out.
Enums travel by value, tuples as arrays.  The text is ASCII, so a lone surrogate survives and no line
separator of Unicode can split a frame.
"""

import dataclasses
import enum
import json
import types
from collections.abc import Callable
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from foundry_tui.domain import chat, downloads, engine, models
from foundry_tui.engines.hosting import configs, frames

__all__ = ["FrameBroken", "decode_command", "decode_frame", "encode"]

_Json = Any  # what json.loads returns; narrowed by the plans below
_Plan = Callable[[_Json], Any]


class FrameBroken(ValueError):
    """A line is not a frame: the two sides do not speak the same version, or something else wrote."""


def encode(frame: object) -> bytes:
    """``frame`` as one line, the line feed included."""
    return json.dumps(_plain(frame), separators=(",", ":")).encode("ascii") + b"\n"


def decode_command(line: bytes) -> frames.Command:
    """What the parent said.

    Raises:
        FrameBroken: The line is no command.
    """
    value = _decode(line)
    if not isinstance(value, frames.Command):
        raise FrameBroken(f"unexpected {type(value).__name__}")
    return value


def decode_frame(line: bytes) -> frames.Frame:
    """What the child said.

    Raises:
        FrameBroken: The line is no frame.
    """
    value = _decode(line)
    if not isinstance(value, frames.Frame):
        raise FrameBroken(f"unexpected {type(value).__name__}")
    return value


def _decode(line: bytes) -> object:
    try:
        return _dataclass(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FrameBroken(f"not a frame: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    defaults = _DEFAULTS.get(type(value))
    if defaults is None:
        return value
    plain: dict[str, object] = {"_": type(value).__name__}
    for name, default in defaults:
        field = getattr(value, name)
        if field is not default and field != default:
            plain[name] = _plain(field)
    return plain


def _dataclass(raw: _Json) -> Any:
    name = raw.pop("_")
    cls = _CLASSES[name]
    plans = _plans(cls)
    return cls(**{key: plans[key](value) for key, value in raw.items()})


@cache
def _plans(cls: type) -> dict[str, _Plan]:
    return {name: _plan(hint) for name, hint in get_type_hints(cls).items()}


def _plan(hint: Any) -> _Plan:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            item = _plan(arguments[0])
            return lambda raw: tuple(item(entry) for entry in raw)
        items = [_plan(argument) for argument in arguments]
        return lambda raw: tuple(plan(entry) for plan, entry in zip(items, raw, strict=True))
    if origin in (Union, types.UnionType):
        members = [argument for argument in arguments if argument is not type(None)]
        return _union_plan(members)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint
    if dataclasses.is_dataclass(hint):
        return _dataclass
    return lambda raw: raw


def _union_plan(members: list[Any]) -> _Plan:
    if len(members) == 1:
        only = _plan(members[0])
        return lambda raw: None if raw is None else only(raw)
    if not all(dataclasses.is_dataclass(member) for member in members):
        raise TypeError("a union on the wire holds dataclasses, or one type and None")
    return lambda raw: None if raw is None else _dataclass(raw)


def _classes_of(*modules: types.ModuleType) -> dict[str, type]:
    found = (getattr(module, name) for module in modules for name in module.__all__)
    return {cls.__name__: cls for cls in found if isinstance(cls, type) and dataclasses.is_dataclass(cls)}


_CLASSES = _classes_of(chat, configs, downloads, engine, models, frames)
# Paired with a value that nothing equals where there is no default.
_DEFAULTS: dict[type, list[tuple[str, object]]] = {
    cls: [
        (
            field.name,
            object() if field.default is dataclasses.MISSING else field.default,
        )
        for field in dataclasses.fields(cls)
    ]
    for cls in _CLASSES.values()
}
