"""What loads took on this machine, kept in a small file: an estimate learns from them."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from foundry_tui.domain.loads import LoadRecord, MemoryPlace
from foundry_tui.services.small_files import put_json

__all__ = ["LoadBook"]

_LOG = logging.getLogger(__name__)
_SCHEMA: Final = "foundry-tui/loads@1"
_LIMIT_BYTES: Final = 1_000_000
_KEPT: Final = 300


class LoadBook:
    """Reads and adds; blocks.  A file that cannot be read or written is logged: an estimate goes on without.

    Two instances of the program share it: what the other one added is read again before each addition.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[LoadRecord, ...]:
        """All that can be read, oldest first."""
        try:
            with self._path.open("rb") as file:
                content: object = json.loads(file.read(_LIMIT_BYTES))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, RecursionError) as error:
            _LOG.warning("what earlier loads took cannot be read: %s", error)
            return ()
        if not isinstance(content, dict) or content.get("schema") != _SCHEMA:
            _LOG.warning("what earlier loads took cannot be read: %s is of another kind", self._path)
            return ()
        loads = content.get("loads")
        found = [_record(each) for each in loads] if isinstance(loads, list) else []
        return tuple(record for record in found if record is not None)

    def add(self, record: LoadRecord) -> tuple[LoadRecord, ...]:
        """Keep it with what is there; the oldest beyond three hundred go.  All that is kept then."""
        kept = (*self.read(), record)[-_KEPT:]
        self._write(kept)
        return kept

    def _write(self, records: Sequence[LoadRecord]) -> None:
        content = {"schema": _SCHEMA, "loads": [asdict(record) for record in records]}
        try:
            put_json(self._path, content)
        except OSError as error:
            _LOG.warning("what a load took cannot be kept: %s", error)


def _record(read: object) -> LoadRecord | None:
    """One entry; None where it is not what this version writes."""
    if not isinstance(read, dict):
        return None
    numbers = {name: read.get(name) for name in ("at_unix_ms", "file_bytes", "taken_bytes")}
    estimated, runtime, model_id = read.get("estimated_bytes"), read.get("runtime"), read.get("model_id")
    is_usable = (
        all(type(number) is int for number in numbers.values())
        and (estimated is None or type(estimated) is int)
        and (runtime is None or isinstance(runtime, str))
        and isinstance(model_id, str)
        and isinstance(read.get("is_fresh"), bool)
    )
    if not is_usable:
        return None
    try:
        return LoadRecord(
            model_id=str(model_id),
            runtime=runtime,
            memory=MemoryPlace(str(read.get("memory"))),
            estimated_bytes=estimated,
            is_fresh=bool(read.get("is_fresh")),
            **{name: int(number) for name, number in numbers.items() if number is not None},
        )
    except ValueError:
        return None
