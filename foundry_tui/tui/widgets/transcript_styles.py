"""How the parts of a transcript look: the names of its component classes and their defaults."""

from rich.style import Style
from textual.widget import Widget

from foundry_tui.tui.widgets.markdown_code import SHADES
from foundry_tui.tui.widgets.transcript_messages import Role

__all__ = ["COMPONENT_CLASSES", "DEFAULT_CSS", "read_palette"]

# These stand on rows of their own and carry a background; the others only lend colour and emphasis.
_ROW_STYLES = (*Role, "code-block", "table-header", "note")
_INLINE_STYLES = (
    "h1",
    "h2",
    "h3",
    "code",
    "quote",
    "rule",
    "bullet",
    "link",
    "url",
    *SHADES[1:],
)
# Put over rows that are drawn already, so that they may change, with the focus for one, at no cost.
_OVERLAYS = ("hint", "fold", "match", "match-current", "mark", "mark-code", "mark-match", "mark-thought")
COMPONENT_CLASSES = {f"transcript--{name}" for name in (*_ROW_STYLES, *_INLINE_STYLES, *_OVERLAYS)}
DEFAULT_CSS = """
Transcript {
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-gutter: stable;
    background: $surface;
    color: $foreground;
}
Transcript > .transcript--user-heading { color: $text-accent; text-style: bold; }
Transcript > .transcript--answer-heading { color: $text-primary; text-style: bold; }
Transcript > .transcript--reasoning { color: $foreground-muted; text-style: italic; }
Transcript > .transcript--notice { color: $foreground-muted; }
Transcript > .transcript--problem { color: $text-error; }
Transcript > .transcript--footer { color: $foreground-muted; }
Transcript > .transcript--hint { color: $foreground-muted; }
Transcript > .transcript--fold { color: $text-secondary; }
Transcript > .transcript--h1 { color: $text-primary; text-style: bold underline; }
Transcript > .transcript--h2 { color: $text-primary; text-style: bold; }
Transcript > .transcript--h3 { text-style: bold; }
Transcript > .transcript--code { color: $text-accent; }
Transcript > .transcript--code-block { background: $panel; }
Transcript > .transcript--quote { text-style: italic; }
Transcript > .transcript--rule { color: $primary; }
Transcript > .transcript--bullet { color: $text-primary; }
Transcript > .transcript--table-header { text-style: bold; }
Transcript > .transcript--link { text-style: underline; }
Transcript > .transcript--url { color: $text-secondary; }
Transcript > .transcript--note { color: $foreground-muted; text-style: not bold; }
Transcript > .transcript--match { background: $warning-muted; color: $text-warning; }
Transcript > .transcript--match-current {
    background: $warning; color: $background; text-style: bold underline;
}
Transcript > .transcript--mark { color: $primary; }
Transcript:focus > .transcript--mark { color: $accent; }
Transcript > .transcript--mark-code { color: $accent; text-style: bold; }
Transcript > .transcript--mark-thought { color: $foreground-muted; }
Transcript > .transcript--mark-match { color: $text-warning; text-style: bold; }
Transcript > .transcript--code-comment { text-style: italic dim; }
Transcript > .transcript--code-keyword { color: $text-primary; text-style: bold; }
Transcript > .transcript--code-name { color: $text-accent; }
Transcript > .transcript--code-number { color: $text-warning; }
Transcript > .transcript--code-string { color: $text-success; }
"""


def read_palette(widget: Widget) -> dict[str, Style]:
    """The styles in which ``widget`` has its parts drawn now, by the ends of the names of their classes."""
    palette: dict[str, Style] = {}
    for names, partial in ((_ROW_STYLES, False), (_INLINE_STYLES, True)):
        for name in names:
            palette[name] = widget.get_component_rich_style(f"transcript--{name}", partial=partial)
    return palette
