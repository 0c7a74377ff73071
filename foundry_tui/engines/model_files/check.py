"""Finds what the runtime does not look for: files of a model that are missing, cut off, zeroed or changed.

The runtime takes whatever a server sends: an empty container and one full of zeros both count as downloaded,
and some damage only shows as wrong answers.
"""

import hashlib
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from foundry_tui.domain.health import FileProblem, HealthState, ModelHealth
from foundry_tui.engines.model_files.folders import named_files, read_config
from foundry_tui.engines.model_files.json_shape import json_problem
from foundry_tui.engines.model_files.manifests import CheckRecord, FileHash, FileStamp, Manifests
from foundry_tui.engines.model_files.onnx_header import OnnxProblem, read_onnx_header

__all__ = ["FileModelChecker"]

_LOG = logging.getLogger(__name__)
_CONFIG: Final = "genai_config.json"
_UNFINISHED: Final = "download.tmp"
# What a download leaves beside the model's own files while it is under way.
_PASSING_SUFFIXES: Final = (".dlstate", ".download.lock")
_TOKENIZERS: Final = (
    "tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.txt", "vocab.json",
    "tokenizer.tiktoken", "tiktoken.model", "qwen.tiktoken",
)  # fmt: skip
# The runtime refuses to load a model that has neither (measured on 2.2.1).
_TOKENIZER_CONFIGS: Final = ("tokenizer_config.json", "tokenizer_module.json")
_TEXT_SUFFIXES: Final = (".json", ".jinja", ".txt", ".model", ".tiktoken", ".onnx")
_FILE_LIMIT: Final = 10_000
_PROBLEM_LIMIT: Final = 100
_HEAD_BYTES: Final = 4_096
_LOOKS: Final = 64
_CHUNK_BYTES: Final = 1_048_576


class FileModelChecker:
    """Implements ``ports.ModelChecker``.

    Args:
        folder: Where hashes and results are kept.
        now_unix_ms: The clock that dates a check.
    """

    def __init__(
        self, folder: Path, *, now_unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._kept = Manifests(folder)
        self._now_unix_ms = now_unix_ms

    def check(
        self,
        model_id: str,
        folder: Path,
        *,
        is_deep: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> ModelHealth:
        """See ``ports.ModelChecker``.

        A check that is not deep compares sizes with those that were kept, and keeps what a deep one found for
        as long as no file was written since.

        Args:
            model_id: By which the result is kept.
            folder: Is only read.
            is_deep: Whether to read everything.
            progress: Told bytes read and bytes to read, once for each megabyte and file; what it raises,
                unless it is an ``OSError``, ends the check without a result.
        """
        stamps = _stamps(folder)
        kept = self._kept.hashes(model_id)
        problems = _quick_problems(folder, stamps)
        if not any(problem.file == _UNFINISHED for problem in problems):
            problems += _unlike_kept(stamps, kept, {problem.file for problem in problems})
        state = HealthState.DAMAGED if problems else HealthState.SOUND
        before = self._kept.check(model_id)
        is_known_deeper = before is not None and before.health.is_deep and before.stamps == stamps
        if is_deep:
            found, hashes = _hashed(folder, stamps, kept, progress)
            problems += [one for one in found if one.file not in {problem.file for problem in problems}]
            changed = [name for name, stamp in _stamps(folder).items() if stamps.get(name) != stamp]
            if changed:
                state = HealthState.UNKNOWN
                problems = [FileProblem(name, "was written while it was read") for name in changed]
            else:
                state = HealthState.DAMAGED if problems else HealthState.SOUND
            if state is HealthState.SOUND and not kept:
                self._kept.keep_hashes(model_id, hashes)
        elif before is not None and is_known_deeper and before.health.state in (state, HealthState.DAMAGED):
            return before.health
        health = ModelHealth(
            model_id=model_id,
            state=state,
            checked_unix_ms=self._now_unix_ms(),
            is_deep=is_deep,
            files=len(stamps),
            problems=tuple(problems[:_PROBLEM_LIMIT]),
        )
        self._kept.keep_check(CheckRecord(health, stamps))
        return health

    def last(self, model_id: str) -> ModelHealth:
        """See ``ports.ModelChecker``; ``is_unchanged`` tells whether it still counts."""
        record = self._kept.check(model_id)
        return ModelHealth(model_id=model_id, state=HealthState.UNKNOWN) if record is None else record.health

    def is_unchanged(self, model_id: str, folder: Path) -> bool:
        """Whether every file has the size and the time of writing that it had at the last check.

        Costs a look into the folder, not into its files.  False where there was no check.
        """
        record = self._kept.check(model_id)
        return record is not None and record.stamps == _stamps(folder)

    def forget(self, model_id: str) -> None:
        """See ``ports.ModelChecker``."""
        self._kept.forget(model_id)


def _stamps(folder: Path) -> dict[str, FileStamp]:
    """Every file of the model, by its path within the folder; links count as what they lead to."""
    stamps: dict[str, FileStamp] = {}
    for path in _files(folder):
        try:
            facts = path.stat()
        except OSError:
            continue  # a link into nothing; whoever needs the file will miss it
        if stat.S_ISREG(facts.st_mode):
            stamps[path.relative_to(folder).as_posix()] = FileStamp(facts.st_size, facts.st_mtime_ns)
    return stamps


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(_PASSING_SUFFIXES):
                continue
            count += 1
            if count > _FILE_LIMIT:
                return
            yield Path(parent, name)


def _quick_problems(folder: Path, stamps: Mapping[str, FileStamp]) -> list[FileProblem]:
    if not os.path.isdir(folder):  # noqa: PTH112 - no error for a name that no file system takes
        return [FileProblem(".", "is missing")]
    if _UNFINISHED in stamps:
        return [FileProblem(_UNFINISHED, "tells that the download was not finished")]
    found: dict[str, str] = {}
    for name in stamps:
        if name.endswith(_TEXT_SUFFIXES) and "/" not in name:
            _note(found, name, _begins_with_zeros(folder / name))
    _note(found, _CONFIG, _json_file(folder, _CONFIG))
    if _CONFIG not in found:
        _check_named(folder, found)
    _check_tokenizer(folder, found)
    return [FileProblem(name, what) for name, what in found.items()]


def _check_named(folder: Path, found: dict[str, str]) -> None:
    """The files that the configuration names, and those that they name."""
    names = named_files(read_config(folder))
    if not names:
        found[_CONFIG] = "names no model file"
    for name in names:
        path = _inside(folder, folder, name)
        if path is None:
            found[_CONFIG] = "names a file outside the model's folder"
        elif (problem := _missing(path)) is not None:
            _note(found, name, problem)
        elif name.endswith(".json"):
            _note(found, name, _json_file(folder, name))
        elif name.endswith(".onnx"):
            _check_onnx(folder, path, name, found)
        else:
            _note(found, name, _zeroed(path))


def _check_onnx(folder: Path, path: Path, name: str, found: dict[str, str]) -> None:
    if name in found:
        return
    try:
        header = read_onnx_header(path)
    except OnnxProblem as error:
        found[name] = str(error)
        return
    except OSError as error:
        found[name] = _unreadable(error)
        return
    for part in header.external:
        data = _inside(folder, path.parent, part.location)
        if data is None:
            found[name] = "names weights outside the model's folder"
            continue
        shown = data.relative_to(folder).as_posix()
        problem = _missing(data)
        if problem is None and (size := data.stat().st_size) < part.end_bytes:
            problem = f"is cut off: it has {size:,} bytes of at least {part.end_bytes:,}"
        _note(found, shown, problem or _zeroed(data))


def _check_tokenizer(folder: Path, found: dict[str, str]) -> None:
    here = [name for name in _TOKENIZERS if _missing(folder / name) is None]
    if not here:
        # Named by what was found wrong with it, if it is there.
        _note(found, _TOKENIZERS[0], _missing(folder / _TOKENIZERS[0]) or "cannot be read")
    for name in here:
        if name.endswith(".json"):
            _note(found, name, _json_file(folder, name))
    settings = [name for name in _TOKENIZER_CONFIGS if (folder / name).exists()]
    for name in settings or _TOKENIZER_CONFIGS[:1]:
        _note(found, name, _json_file(folder, name))


def _json_file(folder: Path, name: str) -> str | None:
    try:
        return _missing(folder / name) or json_problem(folder / name)
    except OSError as error:
        return _unreadable(error)


def _missing(path: Path) -> str | None:
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    except (OSError, ValueError) as error:
        return _unreadable(error)
    if not stat.S_ISREG(facts.st_mode):
        return "is no file"
    return None if facts.st_size else "is empty"


def _begins_with_zeros(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        return _unreadable(error)
    return "begins with nothing but zeros" if head and not head.strip(b"\0") else None


def _zeroed(path: Path) -> str | None:
    """Whether nothing but zeros is seen at any of 64 places from beginning to end.

    A single stretch of zeros is no proof: weights may well begin with some.
    """
    try:
        with path.open("rb", buffering=0) as file:
            last = max(0, file.seek(0, os.SEEK_END) - _HEAD_BYTES)
            for look in range(_LOOKS):
                file.seek(last * look // (_LOOKS - 1))
                if (file.read(_HEAD_BYTES) or b"").strip(b"\0"):
                    return None
    except OSError as error:
        return _unreadable(error)
    return "holds nothing but zeros"


def _unlike_kept(
    stamps: Mapping[str, FileStamp], kept: Mapping[str, FileHash], known: set[str]
) -> list[FileProblem]:
    """What is missing or has another size than when it was hashed."""
    problems: list[FileProblem] = []
    for name, before in kept.items():
        now = stamps.get(name)
        if name in known or (now is not None and now.size_bytes == before.size_bytes):
            continue
        what = "is missing" if now is None else f"has {now.size_bytes:,} bytes of {before.size_bytes:,}"
        problems.append(FileProblem(name, what))
    return problems


def _hashed(
    folder: Path,
    stamps: Mapping[str, FileStamp],
    kept: Mapping[str, FileHash],
    progress: Callable[[int, int], None] | None,
) -> tuple[list[FileProblem], dict[str, FileHash]]:
    """What cannot be read or has other contents than were kept, and the hash of all that can be read."""
    problems: list[FileProblem] = []
    hashes: dict[str, FileHash] = {}
    total, done = sum(stamp.size_bytes for stamp in stamps.values()), 0
    buffer = bytearray(_CHUNK_BYTES)
    view = memoryview(buffer)
    for name in stamps:
        digest, size = hashlib.sha256(), 0
        try:
            with (folder / name).open("rb", buffering=0) as file:
                # Reading and hashing both let other threads run meanwhile.
                while count := file.readinto(buffer) or 0:
                    digest.update(view[:count])
                    size, done = size + count, done + count
                    if progress is not None:
                        progress(done, max(total, done))
        except OSError as error:
            problems.append(FileProblem(name, _unreadable(error)))
            continue
        hashes[name] = FileHash(size, digest.hexdigest())
        if name in kept and kept[name] != hashes[name]:
            problems.append(FileProblem(name, "has other contents than when it was first checked"))
    return problems, hashes


def _inside(folder: Path, start: Path, name: str) -> Path | None:
    """``name`` seen from ``start``; None where it would leave ``folder``."""
    parts = name.replace("\\", "/").split("/")
    if not name or "\0" in name or parts[0] == "" or ":" in parts[0] or ".." in parts:
        return None
    path = start.joinpath(*parts)
    return path if path.is_relative_to(folder) else None


def _note(found: dict[str, str], name: str, problem: str | None) -> None:
    if problem is not None:
        found.setdefault(name, problem)


def _unreadable(error: OSError | ValueError) -> str:
    return f"cannot be read: {(error.strerror if isinstance(error, OSError) else None) or error}"
