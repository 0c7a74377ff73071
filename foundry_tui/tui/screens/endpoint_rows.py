"""The rows of the switcher, and what there is to say of one of them: pure functions, no widgets."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.engine import KIND_ABILITIES, KIND_NAMES, exposure_words, models_in_words
from foundry_tui.services.discovery import FoundServer
from foundry_tui.tui.widgets.sheet import Paragraph, Tone
from foundry_tui.tui.widgets.table_parts import Align, Column, Emphasis, Row

__all__ = ["COLUMNS", "OwnEngine", "about", "rows_of"]

COLUMNS = (
    Column(key="server", label="Server", width=26, weight=3, priority=3),
    Column(key="kind", label="What it is", width=25, weight=2, priority=2),
    Column(key="models", label="Models", width=6, align=Align.RIGHT, priority=1),
    Column(key="how", label="Found by", width=9, weight=1),
)
_NAME_CHARACTERS = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEngine:
    """An engine of this app's own, which is always there to be used.

    Attributes:
        key: What ``EndpointsScreen`` is told when it is the one in use.
        title: What it is called in the list.
        words: What it is good for.
        use: Switches to it.
    """

    key: str
    title: str
    words: str
    use: Callable[[], Awaitable[EngineInfo]]


def rows_of(
    own: Iterable[OwnEngine], servers: Iterable[FoundServer], current: str, info: EngineInfo | None
) -> list[Row]:
    """Own engines first, then what was found; the server in use too where nothing found it.

    Args:
        own: Always there.
        servers: Each address once.
        current: Key or address of the one in use.
        info: What that one said of itself; None unless it is up.
    """
    rows = [_row(one.key, one.title, KIND_NAMES[EndpointKind.MANAGED], "", "", current) for one in own]
    for server in servers:
        kind = KIND_NAMES[server.kind] if server.software is None else server.software
        models = "key" if server.wants_key else "n/a" if server.models is None else f"{server.models:,}"
        rows.append(_row(server.url, server.url, kind, models, server.how, current))
    if all(row.key != current for row in rows):
        kind = "n/a" if info is None else KIND_NAMES[info.kind]
        rows.append(_row(current, current, kind, "", "", current))
    return rows


def about(
    one: OwnEngine | str, server: FoundServer | None, info: EngineInfo | None, *, fate: str | None
) -> list[Paragraph]:
    """Everything to know before one switches.

    Args:
        one: An own engine, or the address of a server.
        server: What was found there; None where nothing was.
        info: What the engine in use said of itself.
        fate: What becomes of the models in memory; None of the one in use.
    """
    said: list[Paragraph] = []
    kind = None if server is None else server.kind
    if isinstance(one, OwnEngine):
        said += [Paragraph(label="Server", text=one.title), Paragraph(label="", text=one.words)]
    else:
        said.append(Paragraph(label="Server", text=clean_line(one)))
        if kind is None and info is not None:
            kind = info.kind
    if server is not None:
        software = "" if server.software is None else f": {clean_line(server.software, _NAME_CHARACTERS)}"
        listed = "" if server.models is None else f", lists {models_in_words(server.models)}"
        how = f"; found by {clean_line(server.how, _NAME_CHARACTERS)}"
        said.append(Paragraph(label="Is", text=f"{KIND_NAMES[server.kind]}{software}{listed}{how}"))
    if kind is not None:
        said.append(Paragraph(label="Can", text=KIND_ABILITIES[kind]))
    if isinstance(one, str) and (warning := exposure_words(one)) is not None:
        said.append(Paragraph(label="Warning", text=warning, tone=Tone.WARNING))
    if server is not None and server.wants_key:
        text = "wants one: Enter tries the system's keyring; else name its variable below"
        said.append(Paragraph(label="Key", text=text, tone=Tone.WARNING))
    if fate is None:
        said.append(Paragraph(label="In use", text="it is the one in use", tone=Tone.GOOD))
    else:
        said.append(Paragraph(label="Loaded", text=fate))
    return said


def _row(key: str, server: str, kind: str, models: str, how: str, current: str) -> Row:
    is_current = key == current
    return Row(
        key=key,
        cells=(server, kind, models, "in use" if is_current else how),
        emphasis=Emphasis.GOOD if is_current else Emphasis.NORMAL,
    )
