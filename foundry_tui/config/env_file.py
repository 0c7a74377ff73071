"""The workshop's ``.env``: what it says of a benchmark, and nothing else of it."""

import re
from collections.abc import Mapping
from pathlib import Path

from foundry_tui.config.documents import file_problem, read_bytes

__all__ = ["with_env_file"]

_NAME = ".env"
# A file that lies in whatever folder one is in must not say where requests go, or with which key.
_TAKEN = re.compile(r"(?:export[ \t]+)?(BENCH_[A-Z_]+)[ \t]*=(.*)")
_COMMENT = re.compile(r"(?:^|[ \t])#.*")


def with_env_file(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """``environment`` over the ``BENCH_*`` variables of ``folder/.env``, if there is one.

    A value may stand in quotes, which end it; else it ends at `` #``.  Of one name the last line counts.

    Raises:
        BadInput: The file cannot be read, or is no UTF-8.
    """
    path = folder / _NAME
    if not path.is_file():
        return dict(environment)
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise file_problem(
            path,
            f"expected UTF-8 text, found the byte 0x{error.object[error.start]:02x}",
            "Save it as UTF-8.",
        ) from error
    found: dict[str, str] = {}
    for line in text.splitlines():
        if (match := _TAKEN.fullmatch(line.strip())) is not None:
            found[match[1]] = _value(match[2].strip())
    return found | dict(environment)


def _value(text: str) -> str:
    for quote in ('"', "'"):
        if text.startswith(quote) and (end := text.find(quote, 1)) > 0:
            return text[1:end]
    return _COMMENT.sub("", text).strip()
