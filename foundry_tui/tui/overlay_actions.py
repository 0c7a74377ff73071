"""What can be done on the screen that is open over the workspace, for the command palette."""

from collections.abc import Mapping

from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen

from foundry_tui.tui.actions import Action, actions_of

__all__ = ["overlay_actions"]


def overlay_actions(
    screen: Screen[object], keys: Mapping[str, str]
) -> list[tuple[str, DOMNode, list[Action]]]:
    """Title, place and actions of ``screen`` and of what has its focus; empty where none is open.

    Only what can be done now: who opens the palette there has the keys of that screen before them.
    """
    if not isinstance(screen, ModalScreen):
        return []
    places = [screen, *([screen.focused] if screen.focused is not None else [])]
    return [
        ("Here", place, [action for action in actions_of(type(place), keys) if _is_offered(place, action)])
        for place in places
    ]


def _is_offered(place: DOMNode, action: Action) -> bool:
    name = action.name.partition("(")[0]
    return place.check_action(name, ()) is True
