"""From a file to plain objects: reading, JSON and TOML syntax.  What they mean is checked elsewhere."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line

__all__ = [
    "Document",
    "Syntax",
    "file_problem",
    "parse_toml",
    "pointer",
    "read_bytes",
    "read_json",
    "read_toml",
]

_LIMIT_BYTES = 16_000_000
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_JSON_EXPECTED = {
    "Expecting value": "a value",
    "Expecting property name enclosed in double quotes": "a key in double quotes",
    "Expecting ':' delimiter": "a colon",
    "Expecting ',' delimiter": "a comma",
    "Extra data": "the end of the file",
    "Unterminated string starting at": "a string that is closed",
    "Illegal trailing comma before end of object": "a key in double quotes after the comma",
    "Illegal trailing comma before end of array": "a value after the comma",
}


class Syntax(StrEnum):
    """How a file is written."""

    JSON = "JSON"
    TOML = "TOML"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file that parsed.

    Attributes:
        path: As the user would name it.
        content: Mappings, lists, texts, numbers, booleans, None; in TOML also dates.
    """

    path: Path
    syntax: Syntax
    content: object


class _Mapping(dict[str, object]):
    """A JSON object in which a key was repeated; plain ``json`` would drop all but the last."""

    repeated: str | None = None


def read_json(path: Path) -> Document:
    """Read one JSON file.

    Raises:
        BadInput: It cannot be read, is not JSON, or repeats a key in one object.
    """
    text = _decoded(path, read_bytes(path))
    repeats: list[str] = []

    def to_mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
        mapping = _Mapping(pairs)
        if len(mapping) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            mapping.repeated = next(key for key, count in counts.items() if count > 1)
            repeats.append(mapping.repeated)
        return mapping

    def refuse(constant: str) -> NoReturn:
        raise file_problem(path, f"expected numbers that JSON knows, found {constant}")

    try:
        content: object = json.loads(text, object_pairs_hook=to_mapping, parse_constant=refuse)
    except json.JSONDecodeError as error:
        expected = _JSON_EXPECTED.get(error.msg, f"valid JSON ({error.msg})")
        raise file_problem(path, _syntax_problem(text, error.lineno, error.colno, expected)) from error
    except (ValueError, RecursionError) as error:
        raise _unparsable(path, Syntax.JSON, error) from error
    if repeats:
        place, key = next(_repeats(content))
        raise file_problem(path, f"{place}: expected each key once, found {json.dumps(key)} again")
    return Document(path=path, syntax=Syntax.JSON, content=content)


def read_toml(path: Path) -> Document:
    """Read one TOML file.

    Raises:
        BadInput: It cannot be read or is not TOML.
    """
    return parse_toml(path, read_bytes(path))


def parse_toml(path: Path, data: bytes) -> Document:
    """What ``data``, the content of ``path``, says.

    Raises:
        BadInput: It is not TOML.
    """
    text = _decoded(path, data)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise file_problem(path, _toml_problem(text, str(error))) from error
    except (ValueError, RecursionError) as error:
        raise _unparsable(path, Syntax.TOML, error) from error
    return Document(path=path, syntax=Syntax.TOML, content=content)


def file_problem(path: Path, problem: str, remedy: str = "Correct the file and try again.") -> BadInput:
    """The error that names ``path`` and says ``problem``, fit to show."""
    return BadInput(clean_line(f"{path}: {problem}"), remedy=remedy)


def pointer(*keys: str | int) -> str:
    """The JSON pointer (RFC 6901) to a value; for the whole document, ``""`` there, words instead."""
    escaped = (str(key).replace("~", "~0").replace("/", "~1") for key in keys)
    return "".join(f"/{key}" for key in escaped) or "the whole file"


def read_bytes(path: Path) -> bytes:
    """The content of a file of sane size.

    Raises:
        BadInput: It cannot be read, or is too large to be one of ours.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT_BYTES + 1)
    except FileNotFoundError as error:
        raise file_problem(path, "no such file", "Check the path.") from error
    except (OSError, ValueError) as error:
        if isinstance(error, IsADirectoryError) or _is_folder(path):
            raise file_problem(path, "expected a file, found a folder", "Name a file.") from error
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise file_problem(
            path, f"cannot be read: {reason}", "Check the path and its permissions."
        ) from error
    if len(data) > _LIMIT_BYTES:
        raise file_problem(path, "expected at most 16 MB, found more", "Is this the right file?")
    return data


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")  # Windows editors like to begin with a byte order mark
    except UnicodeDecodeError as error:
        line, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
        raise file_problem(
            path, f"line {line}: expected UTF-8 text, found the byte 0x{byte:02x}", "Save the file as UTF-8."
        ) from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _toml_problem(text: str, message: str) -> str:
    place = _TOML_PLACE.search(message)
    reason = message[: place.start()] if place else message
    if place and place[1]:
        line, column = int(place[1]), int(place[2])
    else:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    if reason.startswith("Expected "):
        expected = reason.removeprefix("Expected ")
    elif reason == "Invalid value":
        expected = "a value (text needs quotes)"
    else:
        expected = f"valid TOML ({reason})"
    return _syntax_problem(text, line, column, expected)


def _syntax_problem(text: str, line: int, column: int, expected: str) -> str:
    lines = text.split("\n")
    rest = lines[line - 1][column - 1 :].rstrip("\r") if line <= len(lines) else ""
    # One character and not the rest of the line: what stands there may be a secret in the wrong place.
    end = "the end of the line" if line < len(lines) else "the end of the file"
    found = json.dumps(rest[0], ensure_ascii=False) if rest else end
    return f"line {line}, column {column}: expected {expected}, found {found}"


def _unparsable(path: Path, syntax: Syntax, error: Exception) -> BadInput:
    what = "too many brackets inside each other" if isinstance(error, RecursionError) else "too long a number"
    return file_problem(path, f"expected {syntax} of a sane size, found {what}")


def _repeats(content: object) -> Iterator[tuple[str, str]]:
    """Where a key is repeated, outermost first, and the key."""
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), content)]
    for keys, value in waiting:  # grows while it is walked
        if isinstance(value, _Mapping):
            if value.repeated is not None:
                yield pointer(*keys), value.repeated
            waiting += [((*keys, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [((*keys, index), item) for index, item in enumerate(value)]
