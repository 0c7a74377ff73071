"""Hashes of models and results of checks, kept on disk: one small file of each kind for a model.

A file is named by the hash of the model's id, never by the id itself, which comes from the network.
"""

import hashlib
import json
import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from foundry_tui.domain.health import FileProblem, HealthState, ModelHealth

__all__ = ["CheckRecord", "FileHash", "FileStamp", "Manifests"]

_LOG = logging.getLogger(__name__)
_LIMIT_BYTES: Final = 8_000_000
_MANIFEST: Final = "foundry-tui/manifest@1"
_CHECK: Final = "foundry-tui/check@1"


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells cheaply whether a file was written since: its size and when."""

    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class FileHash:
    """What a file held when it was sound; the hash is SHA-256 in hexadecimal digits."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """The last check and the stamps that the files had at its end."""

    health: ModelHealth
    stamps: Mapping[str, FileStamp]


class Manifests:
    """Reads and writes them below ``folder``, which is made at the first write.

    What cannot be read counts as not there; what cannot be written is logged, for a check has a result
    nevertheless.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hashes(self, model_id: str) -> dict[str, FileHash]:
        """What the files held when they were first hashed, by name; empty where nothing is kept."""
        files = self._read(model_id, _MANIFEST).get("files")
        if not isinstance(files, dict):
            return {}
        return {name: found for name, entry in files.items() if (found := _hash(entry)) is not None}

    def keep_hashes(self, model_id: str, hashes: Mapping[str, FileHash]) -> None:
        """Write them, whole or not at all."""
        files = {name: {"size_bytes": one.size_bytes, "sha256": one.sha256} for name, one in hashes.items()}
        self._write(model_id, _MANIFEST, {"files": files})

    def check(self, model_id: str) -> CheckRecord | None:
        """The last check; None where there was none."""
        content = self._read(model_id, _CHECK)
        try:
            state = HealthState(str(content.get("state")))
        except ValueError:
            return None
        problems, stamps = content.get("problems"), content.get("stamps")
        if not isinstance(problems, list) or not isinstance(stamps, dict):
            return None
        health = ModelHealth(
            model_id=model_id,
            state=state,
            checked_unix_ms=_count(content.get("checked_unix_ms")),
            is_deep=content.get("is_deep") is True,
            files=_count(content.get("files")) or 0,
            problems=tuple(problem for entry in problems if (problem := _problem(entry)) is not None),
        )
        legible = {name: stamp for name, entry in stamps.items() if (stamp := _stamp(entry)) is not None}
        return CheckRecord(health, legible)

    def keep_check(self, record: CheckRecord) -> None:
        """Put it in the place of the one before."""
        health = record.health
        content: dict[str, object] = {
            "state": health.state.value,
            "checked_unix_ms": health.checked_unix_ms,
            "is_deep": health.is_deep,
            "files": health.files,
            "problems": [[problem.file, problem.what] for problem in health.problems],
            "stamps": {name: [stamp.size_bytes, stamp.mtime_ns] for name, stamp in record.stamps.items()},
        }
        self._write(health.model_id, _CHECK, content)

    def forget(self, model_id: str) -> None:
        """Remove all that is kept of it."""
        for schema in (_MANIFEST, _CHECK):
            try:
                self._path(model_id, schema).unlink(missing_ok=True)
            except OSError as error:
                _LOG.warning("what is kept of the model's files cannot be removed: %s", error)

    def _path(self, model_id: str, schema: str) -> Path:
        name = hashlib.sha256(model_id.encode("utf-8", errors="surrogatepass")).hexdigest()[:40]
        return self._folder / f"{name}.{'hashes' if schema is _MANIFEST else 'check'}.json"

    def _read(self, model_id: str, schema: str) -> dict[str, object]:
        path = self._path(model_id, schema)
        try:
            with path.open("rb") as file:
                content: object = json.loads(file.read(_LIMIT_BYTES))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            _LOG.warning("%s cannot be read and counts as missing: %s", path, error)
            return {}
        is_ours = isinstance(content, dict) and content.get("schema") == schema
        return content if is_ours and isinstance(content, dict) and content.get("model") == model_id else {}

    def _write(self, model_id: str, schema: str, content: dict[str, object]) -> None:
        path = self._path(model_id, schema)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        text = json.dumps({"schema": schema, "model": model_id, **content}, indent=1)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            _LOG.warning("the result of a check cannot be kept: %s", error)
            with suppress(OSError):
                part.unlink(missing_ok=True)


def _hash(entry: object) -> FileHash | None:
    if not isinstance(entry, dict):
        return None
    size_bytes, digest = _count(entry.get("size_bytes")), entry.get("sha256")
    if size_bytes is None or not isinstance(digest, str):
        return None
    return FileHash(size_bytes, digest)


def _stamp(entry: object) -> FileStamp | None:
    match entry:
        case [int() as size_bytes, int() as mtime_ns]:
            return FileStamp(size_bytes, mtime_ns)
    return None


def _problem(entry: object) -> FileProblem | None:
    match entry:
        case [str() as file, str() as what]:
            return FileProblem(file, what)
    return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
