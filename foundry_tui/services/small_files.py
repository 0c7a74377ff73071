"""Small files of our own, put in the place of what was there at once: a crash leaves the one or the other."""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

__all__ = ["put_json"]


def put_json(path: Path, content: object) -> None:
    """Write ``content`` where ``path`` is; another instance of the program may do the same.

    Raises:
        OSError: It cannot be written; what was there is there still, and nothing beside it.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        part.write_text(json.dumps(content, indent=1), encoding="utf-8")
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
