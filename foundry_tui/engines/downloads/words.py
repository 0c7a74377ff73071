"""What a downloading process says on disk, and how it is written and read: a small file, replaced whole."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from foundry_tui.domain.downloads import DownloadFailure, DownloadPhase
from foundry_tui.engines.hosting.configs import ManagedConfig

__all__ = [
    "ENDED_PHASES",
    "FAILURE_CODES",
    "LET_LIVE",
    "THREADS",
    "Order",
    "Word",
    "order_line",
    "read_order",
    "read_word",
    "write_word",
]

ENDED_PHASES: Final = frozenset({DownloadPhase.DONE, DownloadPhase.FAILED, DownloadPhase.DIED})
FAILURE_CODES: Final = {failure: 20 + number for number, failure in enumerate(DownloadFailure)}
"""Exit codes: on a full disk they may be all that gets through."""

LET_LIVE: Final = b"live\n"
"""What the parent writes after the order to let the process go on without it."""
THREADS: Final = 4
"""Pieces under way at once.  With the runtime's own 64 nothing is reported for the first hundreds of MB."""

_VERSION: Final = 1
_LIMIT_BYTES: Final = 65_536
# Longer than any: written over in place where there is no room for another file, the new text covers the old.
_PADDED_BYTES: Final = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The first line that a downloading process reads.

    Attributes:
        word_path: Where it says how far it is.
        log_path: Its own stderr.
    """

    config: ManagedConfig
    model_id: str
    total_bytes: int | None
    word_path: str
    log_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """How far a process is, in its own words.

    Attributes:
        mark: ``start_mark`` of the process.
        cache_dir: Where its models go.
        place: See ``model_place``; empty until it is known.
        percent: As the runtime reports it, 0 to 100.
        total_bytes: As given, else as the catalog says; None if neither does.
    """

    model_id: str
    pid: int
    mark: str | None
    cache_dir: str
    phase: DownloadPhase = DownloadPhase.STARTING
    place: tuple[str, ...] = ()
    percent: float = 0.0
    total_bytes: int | None = None
    failure: DownloadFailure | None = None
    message: str | None = None


def write_word(path: Path, word: Word) -> None:
    """Put ``word`` in the place of what ``path`` says; blocks for less than a millisecond.

    Raises:
        OSError: It cannot be written, not even over the old one.
    """
    said = {
        "version": _VERSION,
        "model_id": word.model_id,
        "pid": word.pid,
        "mark": word.mark,
        "cache_dir": word.cache_dir,
        "phase": word.phase.value,
        "place": word.place,
        "percent": word.percent,
        "total_bytes": word.total_bytes,
        "failure": None if word.failure is None else word.failure.value,
        "message": word.message,
    }
    data = json.dumps(said).encode("ascii").ljust(_PADDED_BYTES) + b"\n"
    fresh = path.with_suffix(".new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError:
        # No room for a second file, or (Windows) somebody is reading this one.
        with path.open("r+b") as file:
            file.write(data)
            file.truncate()


def read_word(path: Path) -> Word | None:
    """What ``path`` says; None if it is not there or says nothing that can be understood."""
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(_LIMIT_BYTES))
        return _word(said)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def order_line(order: Order) -> bytes:
    """``order`` as the one line that ``read_order`` reads."""
    config = order.config
    said = {
        "config": {
            "data_dir": config.data_dir,
            "cache_dir": config.cache_dir,
            "logs_dir": config.logs_dir,
            "catalog_urls": config.catalog_urls,
            "catalog_region": config.catalog_region,
        },
        "model_id": order.model_id,
        "total_bytes": order.total_bytes,
        "word_path": order.word_path,
        "log_path": order.log_path,
    }
    return json.dumps(said).encode("ascii") + b"\n"


def read_order(line: bytes) -> Order:
    """What the parent orders.

    Raises:
        ValueError: The line is no order.
    """
    try:
        said = json.loads(line)
        config = said["config"]
        return Order(
            config=ManagedConfig(
                data_dir=config["data_dir"],
                cache_dir=config["cache_dir"],
                logs_dir=config["logs_dir"],
                catalog_urls=tuple(config["catalog_urls"]),
                catalog_region=config["catalog_region"],
            ),
            model_id=said["model_id"],
            total_bytes=said["total_bytes"],
            word_path=said["word_path"],
            log_path=said["log_path"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no order: {error}") from error


def _word(said: dict[str, Any]) -> Word:
    pid, percent, total = said["pid"], said["percent"], said["total_bytes"]
    texts = (said["model_id"], said["cache_dir"], *said["place"])
    maybe_texts = (said["mark"], said["message"])
    if said["version"] != _VERSION or not all(isinstance(text, str) for text in texts):
        raise ValueError("not ours")
    if not all(text is None or isinstance(text, str) for text in maybe_texts):
        raise ValueError("not ours")
    # To signal a number below 2 is to signal a group, everybody or the machine's first process.
    if not isinstance(pid, int) or pid < 2 or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        raise ValueError("not ours")
    if total is not None and (not isinstance(total, int) or total < 0):
        raise ValueError("not ours")
    failure = said["failure"]
    return Word(
        model_id=said["model_id"],
        pid=pid,
        mark=said["mark"],
        cache_dir=said["cache_dir"],
        phase=DownloadPhase(said["phase"]),
        place=tuple(said["place"]),
        percent=float(percent),
        total_bytes=total,
        failure=None if failure is None else DownloadFailure(failure),
        message=said["message"],
    )
