"""What a model's own folder says: its real context, its shape and its size on disk.  No runtime needed."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from foundry_tui.engines.model_files.onnx_header import OnnxProblem, read_onnx_header
from foundry_tui.metrics.fit import ModelShape

__all__ = ["model_shape", "named_files", "read_config", "real_context_tokens", "size_on_disk_bytes"]

_CONFIG_LIMIT_BYTES: Final = 4_000_000
_DEPTH_LIMIT: Final = 8


def read_config(folder: Path) -> dict[str, object]:
    """``genai_config.json`` as it stands; empty if it is missing, too large or no JSON object.

    What follows the object is let pass, as the runtime does.
    """
    path = folder / "genai_config.json"
    try:
        if path.stat().st_size > _CONFIG_LIMIT_BYTES:
            return {}
        config, _ = json.JSONDecoder().raw_decode(path.read_text(encoding="utf-8").lstrip())
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def real_context_tokens(folder: Path) -> int | None:
    """``model.context_length`` of ``genai_config.json``: prompt plus answer must fit into it.

    Measured on runtime 2.2.1: this value decides, neither ``search.max_length`` nor the catalog's
    ``context_length``.  None if the file is missing or says nothing usable.
    """
    return _positive(_table(read_config(folder), "model"), "context_length")


def named_files(config: dict[str, object]) -> tuple[str, ...]:
    """Every file that the ``model`` part of a configuration names, each once; not to be trusted as paths."""
    return tuple(dict.fromkeys(_filenames(config.get("model"), 0)))


def model_shape(folder: Path) -> ModelShape | None:
    """The sizes that decide how much memory a model takes beside its weights.

    From ``model.decoder`` of ``genai_config.json``; the type of the cache from the inputs of the ONNX file.
    None if the configuration does not say them.
    """
    model = _table(read_config(folder), "model")
    decoder = _table(model, "decoder")
    layers = _positive(decoder, "num_hidden_layers")
    heads = _positive(decoder, "num_attention_heads")
    kv_heads = _positive(decoder, "num_key_value_heads") or heads
    head_size = _positive(decoder, "head_size")
    hidden = _positive(decoder, "hidden_size")
    if head_size is None and hidden is not None and heads is not None:
        head_size = hidden // heads
    if layers is None or kv_heads is None or not head_size:
        return None
    return ModelShape(
        layers=layers,
        kv_heads=kv_heads,
        head_size=head_size,
        cache_value_bytes=_cache_value_bytes(folder, decoder.get("filename")),
        context_tokens=_positive(model, "context_length"),
        vocabulary=_positive(model, "vocab_size"),
    )


def size_on_disk_bytes(folder: Path) -> int | None:
    """Bytes that the files below ``folder`` take up, hard links once; None if it is not a folder.

    Allocated blocks where the platform tells them, else file sizes.
    """
    if not os.path.isdir(folder):  # noqa: PTH112 - no error for a name that no file system takes
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


def _filenames(value: object, depth: int) -> Iterator[str]:
    if depth > _DEPTH_LIMIT:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and (key == "filename" or str(key).endswith("_filename")):
                if inner:
                    yield inner
            else:
                yield from _filenames(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _filenames(inner, depth + 1)


def _cache_value_bytes(folder: Path, name: object) -> int | None:
    if not isinstance(name, str) or not name or Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    try:
        return read_onnx_header(folder / name).cache_value_bytes
    except (OnnxProblem, OSError, ValueError):
        return None


def _table(record: dict[str, object], key: str) -> dict[str, object]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _positive(record: dict[str, object], key: str) -> int | None:
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
