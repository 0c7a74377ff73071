"""What a model's own folder says: its real context and its size on disk.  No runtime needed."""

import json
from pathlib import Path

__all__ = ["real_context_tokens", "size_on_disk_bytes"]

_CONFIG_LIMIT_BYTES = 4_000_000


def real_context_tokens(folder: Path) -> int | None:
    """``model.context_length`` of ``genai_config.json``: prompt plus answer must fit into it.

    Measured on runtime 2.2.1: this value decides, neither ``search.max_length`` nor the catalog's
    ``context_length``.  None if the file is missing or says nothing usable.
    """
    path = folder / "genai_config.json"
    try:
        if path.stat().st_size > _CONFIG_LIMIT_BYTES:
            return None
        config = json.loads(path.read_text(encoding="utf-8"))
        length = config["model"]["context_length"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return length if isinstance(length, int) and not isinstance(length, bool) and length > 0 else None


def size_on_disk_bytes(folder: Path) -> int | None:
    """Bytes that the files below ``folder`` take up, hard links once; None if it is not a folder.

    Allocated blocks where the platform tells them, else file sizes.
    """
    if not folder.is_dir():
        return None
    total = 0
    seen: set[tuple[int, int]] = set()
    for path in folder.rglob("*"):
        try:
            facts = path.lstat()
        except OSError:
            continue  # gone between listing and looking
        if path.is_dir() or (facts.st_dev, facts.st_ino) in seen:
            continue
        if facts.st_ino:
            seen.add((facts.st_dev, facts.st_ino))
        blocks = getattr(facts, "st_blocks", None)
        total += facts.st_size if blocks is None else blocks * 512
    return total
