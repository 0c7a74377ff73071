"""What the last self-test found, kept for the foot of every report: a small file of its own."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from foundry_tui.services.small_files import put_json

__all__ = ["Facts", "KeptOwnError", "OwnErrorFile", "is_wanted"]

_LOG = logging.getLogger(__name__)
_SCHEMA = "foundry-tui/own-error@1"
_LIMIT_BYTES = 100_000
_MAX_AGE_MS = 30 * 24 * 60 * 60 * 1000
_OFF = frozenset({"0", "false", "no", "off"})

Facts: TypeAlias = tuple[tuple[str, str], ...]


def is_wanted(said: str | None, *, default: bool) -> bool:
    """Whether a benchmark makes a short self-test first; ``said`` is ``BENCH_SELFTEST``, None if unset."""
    return default if said is None or not said.strip() else said.strip().casefold() not in _OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOwnError:
    """What one self-test found.

    Attributes:
        version: Of this program.
        machine: What identifies the machine that it ran on, as name and value.
        facts: What a run's environment gets.
    """

    measured_unix_ms: int
    version: str
    machine: Facts
    facts: Facts

    def is_fresh(self, *, version: str, now_unix_ms: int) -> bool:
        """Whether it is this version's and at most 30 days old; one of the future is not."""
        return self.version == version and 0 <= now_unix_ms - self.measured_unix_ms <= _MAX_AGE_MS


class OwnErrorFile:
    """Reads and writes it; blocks.  A file that cannot be read or written is logged: nothing rests on it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, machine: Facts) -> KeptOwnError | None:
        """What was kept last; None if nothing was, or not of this machine."""
        try:
            with self._path.open("rb") as file:
                kept = _kept(json.loads(file.read(_LIMIT_BYTES)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            _LOG.warning("the last self-test cannot be read: %s", error)
            return None
        return kept if kept.machine == machine else None

    def write(self, kept: KeptOwnError) -> None:
        """Put it in the place of the one before."""
        content = {
            "schema": _SCHEMA,
            "measured_unix_ms": kept.measured_unix_ms,
            "version": kept.version,
            "machine": kept.machine,
            "facts": kept.facts,
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            put_json(self._path, content)
        except OSError as error:
            _LOG.warning("the self-test cannot be kept: %s", error)


def _kept(read: dict[str, object]) -> KeptOwnError:
    """Raises ValueError, LookupError or TypeError where it is not what was written."""
    measured, version = read["measured_unix_ms"], read["version"]
    if read["schema"] != _SCHEMA or type(measured) is not int or not isinstance(version, str):
        raise ValueError("it is of another kind")
    return KeptOwnError(
        measured_unix_ms=measured,
        version=version,
        machine=_pairs(read["machine"]),
        facts=_pairs(read["facts"]),
    )


def _pairs(read: object) -> Facts:
    if not isinstance(read, Sequence):
        raise TypeError("no pairs")
    pairs = tuple((name, value) for name, value in read)
    if not all(isinstance(name, str) and isinstance(value, str) for name, value in pairs):
        raise TypeError("no pairs of texts")
    return pairs
