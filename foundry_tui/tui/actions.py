"""Every action with its keys, gathered from the bindings: so help, palette and remapping agree."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key

from foundry_tui.tui import screens

__all__ = ["Action", "actions_of", "every_action", "key_words", "keymap"]

# A key that no terminal sends: whoever sets an action's keys to nothing takes them away.
_NO_KEY = "unbound"
_NAMES = {
    "escape": "Esc",
    "pageup": "PageUp",
    "pagedown": "PageDown",
    "ctrl": "Ctrl",
    "shift": "Shift",
    "alt": "Alt",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "space": "Space",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something the user can do at a place.

    Attributes:
        id: What ``[keys]`` in the settings calls it.
        keys: As Textual names them, separated by commas; "" if none leads there.
        name: Textual's name of the action, with its arguments.
        place: The class whose bindings lead to it.
    """

    id: str
    label: str
    keys: str
    name: str
    place: type[DOMNode]


def actions_of(place: type[DOMNode], keys: Mapping[str, str]) -> list[Action]:
    """What can be done at ``place``, its own first, then what it inherits; ``keys`` as in the settings."""
    found: dict[str, Action] = {}
    for owner in place.__mro__:
        if not owner.__module__.startswith("foundry_tui."):
            continue
        for binding in vars(owner).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id is not None and binding.description:
                chosen = keys.get(binding.id, binding.key)
                action = Action(
                    id=binding.id, label=binding.description, keys=chosen, name=binding.action, place=place
                )
                found.setdefault(binding.id, action)
    return list(found.values())


def every_action() -> list[Action]:
    """Of all our widgets and screens, those over the workspace among them; by id, once for each place."""
    for module in walk_packages(screens.__path__, f"{screens.__name__}."):
        import_module(module.name)
    classes: list[type[DOMNode]] = [DOMNode]
    for place in classes:  # grows while it is walked
        classes += place.__subclasses__()
    actions = [action for place in classes for action in actions_of(place, {})]
    return sorted(actions, key=lambda action: action.id)


def keymap(keys: Mapping[str, str], ids: Container[str]) -> tuple[dict[str, str], list[str]]:
    """The settings' keys as Textual takes them, and what is wrong with them, in words."""
    problems = [f"no action {name!r} (settings.toml, [keys])" for name in keys if name not in ids]
    return {name: chosen or _NO_KEY for name, chosen in keys.items() if name in ids}, problems


def key_words(keys: str) -> str:
    """``ctrl+n,slash`` as a person reads it: ``Ctrl+N, /``."""
    return ", ".join(_one_key(key.strip()) for key in keys.split(",") if key.strip())


def _one_key(key: str) -> str:
    *modifiers, last = key.split("+")
    character = format_key(last)  # a comma for "comma", but a sign of its own for "enter"
    if last in _NAMES:
        name = _NAMES[last]
    elif len(last) > 1 and (len(character) > 1 or character.isalnum() or not character.isascii()):
        name = last.capitalize()
    else:
        name = character.upper() if modifiers else character
    return "+".join([*(_NAMES.get(modifier, modifier.capitalize()) for modifier in modifiers), name])
