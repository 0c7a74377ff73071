"""How the parts of a transcript look: the names of its component classes and their defaults."""

from rich.style import Style
from textual.widget import Widget

from foundry_tui.tui.widgets.transcript_messages import Role

__all__ = ["COMPONENT_CLASSES", "DEFAULT_CSS", "read_palette"]

# These stand on rows of their own and carry a background; the others only lend colour and emphasis.
_ROW_STYLES = (*Role, "hint", "code-block", "table-header")
_INLINE_STYLES = (
    "h1",
    "h2",
    "h3",
    "code",
    "quote",
    "rule",
    "bullet",
    "url",
    "code-comment",
    "code-keyword",
    "code-name",
    "code-number",
    "code-string",
)
COMPONENT_CLASSES = {f"transcript--{name}" for name in (*_ROW_STYLES, *_INLINE_STYLES)}
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
Transcript > .transcript--h1 { color: $text-primary; text-style: bold underline; }
Transcript > .transcript--h2 { color: $text-primary; text-style: bold; }
Transcript > .transcript--h3 { text-style: bold; }
Transcript > .transcript--code { color: $text-accent; }
Transcript > .transcript--code-block { background: $panel; }
Transcript > .transcript--quote { text-style: italic; }
Transcript > .transcript--rule { color: $primary; }
Transcript > .transcript--bullet { color: $text-primary; }
Transcript > .transcript--table-header { text-style: bold; }
Transcript > .transcript--url { color: $text-secondary; }
Transcript > .transcript--code-comment { text-style: italic dim; }
Transcript > .transcript--code-keyword { color: $text-primary; text-style: bold; }
Transcript > .transcript--code-name { color: $text-accent; }
Transcript > .transcript--code-number { color: $text-warning; }
Transcript > .transcript--code-string { color: $text-success; }
"""


def read_palette(widget: Widget) -> dict[str, Style]:
    """The styles that ``widget`` has now, by the ends of their component classes' names."""
    palette: dict[str, Style] = {}
    for names, partial in ((_ROW_STYLES, False), (_INLINE_STYLES, True)):
        for name in names:
            palette[name] = widget.get_component_rich_style(f"transcript--{name}", partial=partial)
    return palette
