"""The queue, accepted licences and a lock among processes in memory: three ports without a file."""

from collections.abc import Callable
from dataclasses import dataclass, field

from foundry_tui.domain.downloads import Download
from foundry_tui.domain.errors import StorageProblem

__all__ = ["MemoryDownloads", "MemoryLicenses", "MemoryLock"]


@dataclass
class MemoryDownloads:
    """Implements ``DownloadStore``; several services may share one, as processes share a database.

    Attributes:
        fail_with: Raised by every call that writes; for tests of what happens when the disk is full.
        unreadable: Raised by every call that reads.
        reads: How often all entries were read.
    """

    kept: dict[str, Download] = field(default_factory=dict[str, Download])
    fail_with: StorageProblem | None = None
    unreadable: StorageProblem | None = None
    reads: int = 0

    async def downloads(self) -> tuple[Download, ...]:
        self.reads += 1
        if self.unreadable is not None:
            raise self.unreadable
        return self._all()

    async def change_downloads(
        self, change: Callable[[tuple[Download, ...]], tuple[Download, ...]]
    ) -> tuple[Download, ...]:
        self._check()
        self.kept = {entry.id: entry for entry in change(self._all())}
        return self._all()

    def _all(self) -> tuple[Download, ...]:
        return tuple(sorted(self.kept.values(), key=lambda one: (one.place, one.added_unix_ms, one.id)))

    def _check(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with


@dataclass
class MemoryLicenses:
    """Implements ``AcceptedLicenses``.

    Attributes:
        accepted: Name and time by the hash of the text.
    """

    accepted: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])

    async def is_accepted(self, text_sha256: str) -> bool:
        return text_sha256 in self.accepted

    async def accept(self, text_sha256: str, *, name: str, at_unix_ms: int) -> None:
        self.accepted.setdefault(text_sha256, (name, at_unix_ms))


@dataclass
class MemoryLock:
    """Implements ``ProcessLock``; ``other`` is the lock as another process has it."""

    _labels: list[str] = field(default_factory=list[str])
    _has_it: bool = False

    def other(self) -> "MemoryLock":
        """The same lock in another process."""
        return MemoryLock(self._labels)

    def acquire(self, label: str) -> bool:
        if not self._has_it and self._labels:
            return False
        self._labels[:] = [label]
        self._has_it = True
        return True

    def release(self) -> None:
        if self._has_it:
            self._labels.clear()
            self._has_it = False

    def holder(self) -> str | None:
        return self._labels[0] if self._labels else None
