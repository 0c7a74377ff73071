"""Whether a file is JSON as far as its shape goes.

Looked at in pieces, so that one of 30 MB neither fills the memory nor stops the other threads.
"""

import json
import re
from pathlib import Path
from typing import Final

__all__ = ["json_problem"]

_PIECE_BYTES: Final = 65_536
# Up to here it is parsed in earnest, which takes three milliseconds at most.
_PARSED_BYTES: Final = 262_144
# Possessive: one that does not end is given up at once, however long it is.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BLANK: Final = b" \t\r\n"


def json_problem(path: Path) -> str | None:
    """Why the file is no JSON object, in words that go on from its name; None if it seems to be one.

    A small file is parsed; text after the object is let pass, as the runtime does.  Of a larger one strings
    and brackets are counted: that finds what transfers do to files, not every error of writing.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_PARSED_BYTES + 1)
        if not head:
            return "is empty"
        if not head.strip(b"\0"):
            return "holds nothing but zeros"
        if not head.lstrip(_BLANK).startswith(b"{"):
            return "is no JSON object"
        if len(head) <= _PARSED_BYTES:
            return _parsed(head)
        depth, rest, piece = 0, b"", head
        while piece:
            if b"\0" in piece:  # allowed nowhere, not even in a string
                return "is not valid JSON: it has zeros in it"
            depth, rest, problem = _counted(depth, rest + piece)
            if problem is not None:
                return problem
            piece = file.read(_PIECE_BYTES)
    return "is cut off" if rest or depth else None


def _parsed(content: bytes) -> str | None:
    try:
        found, _ = json.JSONDecoder().raw_decode(content.decode("utf-8").lstrip())
    except (ValueError, RecursionError) as error:
        return f"is not valid JSON: {error}"
    return None if isinstance(found, dict) else "is no JSON object"


def _counted(depth: int, text: bytes) -> tuple[int, bytes, str | None]:
    """The depth behind ``text``, what must be looked at again with more behind it, and what is wrong."""
    bare = _STRING.sub(b"", text)
    rest = b""
    if (quote := bare.find(b'"')) >= 0:
        # A string goes on in the next piece; it is the last thing in the text.
        rest, bare = text[len(text) - (len(bare) - quote) :], bare[:quote]
        if len(rest) > 4 * _PIECE_BYTES:
            return depth, b"", "is not valid JSON: a string in it does not end"
    depth += bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")
    return depth, rest, "is not valid JSON: brackets do not match" if depth < 0 else None
