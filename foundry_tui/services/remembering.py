"""Remembers the layout from one start to the next, in a small file of its own."""

import asyncio
import json
import logging
from dataclasses import asdict, fields
from pathlib import Path

from foundry_tui.domain.layout import Layout
from foundry_tui.services.small_files import put_json

__all__ = ["LayoutMemory"]

_LOG = logging.getLogger(__name__)
_LIMIT_BYTES = 100_000


class LayoutMemory:
    """Reads once and writes after each change.

    A layout is a convenience: a file that cannot be read or written is logged, and nobody is kept waiting.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._layout = Layout()
        self._lock = asyncio.Lock()

    @property
    def layout(self) -> Layout:
        """The layout as it is now."""
        return self._layout

    async def recall(self) -> Layout:
        """What was left; the default where there is nothing, or nothing legible."""
        self._layout = await asyncio.to_thread(self._read)
        return self._layout

    async def remember(self, layout: Layout) -> None:
        """Write it down, if it is another."""
        if layout == self._layout:
            return
        self._layout = layout
        async with self._lock:
            if layout is self._layout:  # else a newer one waits for its turn
                await asyncio.to_thread(self._write, layout)

    def _read(self) -> Layout:
        try:
            with self._path.open("rb") as file:
                read: object = json.loads(file.read(_LIMIT_BYTES))
        except FileNotFoundError:
            return Layout()
        except (OSError, ValueError, RecursionError) as error:
            _LOG.warning("the remembered layout cannot be read: %s", error)
            return Layout()
        return _layout(read)

    def _write(self, layout: Layout) -> None:
        try:
            put_json(self._path, asdict(layout))
        except OSError as error:
            _LOG.warning("the layout cannot be remembered: %s", error)


def _layout(read: object) -> Layout:
    """What can be used of it; the rest, of an older or newer program, is left out."""
    if not isinstance(read, dict):
        return Layout()
    kept: dict[str, object] = {}
    default = Layout()
    for field in fields(Layout):
        value = read.get(field.name)
        if field.name == "columns" and isinstance(value, list):
            kept["columns"] = tuple(name for name in value if isinstance(name, str))
        elif field.name == "sort" and (value is None or isinstance(value, str)):
            kept["sort"] = value
        elif value is not None and type(value) is type(getattr(default, field.name)):
            kept[field.name] = value
    try:
        return Layout(**kept)  # type: ignore[arg-type]  # each value was compared with its default's type
    except ValueError:
        return default
