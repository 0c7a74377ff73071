"""Where in a TOML text each key stands, and where one is only mentioned in a comment.

No library tells: ``tomllib`` forgets the places, ``tomlkit`` knows no line numbers.  The text is cut into its
statements, which takes no more than knowing strings, comments and brackets; what each one says ``tomllib``
tells.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Place", "commented_out", "end_of_table", "key_places"]

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{1,2})?'
    r"|'''.*?'''(?:'{1,2})?"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\r\n]*"
    r"|[\[{]|[\]}]|\r?\n"
    r"|[^\"'#\[\]{}\r\n]+",
    re.DOTALL,
)
_COMMENT = re.compile(r"([ \t]*)# ?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a statement stands.

    Attributes:
        line: Its first line, counted from 1.
        start: Offset of its first character.
        end: Offset of the line end after it, or of the end of the text.
        is_alone: It stands under its table's header and sets this one key, so it can be commented out.
    """

    line: int
    start: int
    end: int
    is_alone: bool


def key_places(text: str) -> dict[tuple[str, str], Place]:
    """Where each key of each table is set, by table and key; ``text`` is valid TOML."""
    places: dict[tuple[str, str], Place] = {}
    for table, line, start, end in _statements(text):
        statement = text[start:end]
        if _is_header(statement) or _is_empty(statement):
            continue
        content = tomllib.loads(statement)
        for name, value in content.items():
            if table is not None:
                places[table, name] = Place(line=line, start=start, end=end, is_alone=True)
            elif isinstance(value, dict):  # chat.seed = 3, or chat = { seed = 3 }
                for inner in value:
                    places[name, inner] = Place(line=line, start=start, end=end, is_alone=False)
    return places


def commented_out(text: str, table: str, name: str) -> tuple[Place, str] | None:
    """The first comment under ``[table]`` that is ``name = value`` behind its sign, and that statement."""
    for current, line, start, end in _statements(text):
        comment = _COMMENT.fullmatch(text, start, end) if current == table else None
        if comment is None or name not in comment[2]:
            continue
        try:
            content = tomllib.loads(comment[2])
        except (tomllib.TOMLDecodeError, RecursionError):
            continue  # a comment in words
        if list(content) == [name]:
            return Place(line=line, start=start, end=end, is_alone=True), comment[1] + comment[2]
    return None


def end_of_table(text: str, table: str) -> int | None:
    """The offset behind the last line that belongs to ``[table]``; None where there is no such header.

    Comments behind a blank line are taken to be about what follows them.
    """
    last: int | None = None
    is_behind = False
    for current, _, start, end in _statements(text):
        if current != table:
            continue
        statement = text[start:end].strip()
        if not statement:
            is_behind = True
        elif not (is_behind and statement.startswith("#")):
            last, is_behind = end, False
    return last


def _statements(text: str) -> Iterator[tuple[str | None, int, int, int]]:
    """Table (None before the first header), first line, start and end of each statement, comment or blank."""
    table: str | None = None
    start, first_line, line, depth = 0, 1, 1, 0
    for token in _TOKEN.finditer(text):
        line += token[0].count("\n")
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
        elif depth == 0 and token[0] in ("\n", "\r\n"):
            table = _table_of(text[start : token.start()], table)
            yield table, first_line, start, token.start()
            start, first_line = token.end(), line
    if start < len(text):
        yield _table_of(text[start:], table), first_line, start, len(text)


def _table_of(statement: str, table: str | None) -> str | None:
    """The table that holds from this statement on."""
    return next(iter(tomllib.loads(statement))) if _is_header(statement) else table


def _is_header(statement: str) -> bool:
    return statement.lstrip().startswith("[")


def _is_empty(statement: str) -> bool:
    stripped = statement.strip()
    return not stripped or stripped.startswith("#")
