"""All keys, those of the place one is at first."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Label, Static

from foundry_tui.tui.actions import Action, actions_of, key_words
from foundry_tui.tui.screens.overlay import Overlay

__all__ = ["HelpScreen", "HelpSection", "overlay_help", "place_help"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpSection:
    """What there is to know about one place.

    Attributes:
        words: A sentence or two; "" for none.
        facts: What else stands there, as label and text.
    """

    title: str
    words: str = ""
    actions: Sequence[Action] = ()
    facts: Sequence[tuple[str, str]] = ()


class HelpScreen(Overlay[None]):
    """Scrolls through sections, in the order in which they are handed over."""

    def __init__(self, sections: Sequence[HelpSection]) -> None:
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=True) as box:
            box.border_title = "Keys"
            box.border_subtitle = "Esc closes"
            for section in self._sections:
                yield Label(section.title, classes="help-title", markup=False)
                if section.words:
                    yield Static(section.words, classes="help-words", markup=False)
                for action in section.actions:
                    yield from _line(key_words(action.keys) or "(no key)", action.label)
                for label, text in section.facts:
                    yield from _line(label, text)


def overlay_help(screen: Screen[object], keys: Mapping[str, str]) -> list[HelpSection]:
    """What can be done on a screen over the workspace, and where its focus is; with its own words."""
    sections = [HelpSection(title="Here", words=screen.HELP or "", actions=actions_of(type(screen), keys))]
    if screen.focused is not None and (actions := actions_of(type(screen.focused), keys)):
        sections.append(HelpSection(title="In the list or field", actions=actions))
    return sections


def place_help(
    places: Iterable[tuple[str, DOMNode, Sequence[Action]]], here: Container[DOMNode]
) -> list[HelpSection]:
    """What can be done at each place: first at those in ``here``, from where the focus is outwards."""
    near: list[HelpSection] = []
    far: list[HelpSection] = []
    for title, place, actions in places:
        is_near = place in here and isinstance(place, Widget) and not isinstance(place, Screen)
        words = getattr(place, "HELP", None) or ""
        section = HelpSection(title=f"{title} (here)" if is_near else title, words=words, actions=actions)
        (near if is_near else far).append(section)
    return [*near, *far]


def _line(label: str, text: str) -> ComposeResult:
    with Horizontal(classes="fact"):
        yield Label(label, classes="fact-label", markup=False)
        yield Static(text, classes="fact-value", markup=False)
