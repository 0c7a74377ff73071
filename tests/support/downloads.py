"""Downloads without a process, a network or a disk: a test says byte by byte what happens to them.

::

    runner = ScriptedDownloads(clock_ns=lambda: clock.now_ns)
    download = runner.begin("tiny:1", total_bytes=1000)      # or the code under test does; it is runner.last
    download.flow(400); download.look()                      # advance; not to advance is a stall
    download.wait()                                          # another process holds the model's lock
    download.finish(); download.fail(DownloadFailure.NETWORK, "no route"); download.die()
    later = runner.later_life()                              # the app ended; what lives on, and what is told
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from foundry_tui.domain.downloads import DownloadFailure, DownloadPhase, DownloadReading, Partial
from foundry_tui.domain.errors import EngineUnavailable, ModelRefused

__all__ = ["ScriptedDownload", "ScriptedDownloads"]

_ENDED = frozenset({DownloadPhase.DONE, DownloadPhase.FAILED, DownloadPhase.DIED})


@dataclass(kw_only=True)
class ScriptedDownload:
    """Implements ``ports.DownloadProcess``.

    Attributes:
        phase: Where it is; the methods below move it, none leaves an ended one.
        kills: How often ``kill`` was called.
        lives_on: Whether ``let_live`` was called.
        is_forgotten: Whether its last words were taken off the disk.
    """

    model_id: str
    total_bytes: int | None
    done_bytes: int = 0
    clock_ns: Callable[[], int] = time.perf_counter_ns
    phase: DownloadPhase = DownloadPhase.STARTING
    failure: DownloadFailure | None = None
    message: str | None = None
    kills: int = 0
    lives_on: bool = False
    is_forgotten: bool = False

    @property
    def has_ended(self) -> bool:
        return self.phase in _ENDED

    # What a test makes happen

    def flow(self, more_bytes: int = 0) -> None:
        """So many bytes more have come; 0 says that it flows and nothing has come yet."""
        self._move(DownloadPhase.FLOWING)
        self.done_bytes += more_bytes

    def wait(self) -> None:
        """Another process downloads the same model."""
        self._move(DownloadPhase.WAITING)

    def finish(self) -> None:
        """All is here."""
        self._move(DownloadPhase.DONE)
        self.done_bytes = self.done_bytes if self.total_bytes is None else self.total_bytes

    def fail(self, failure: DownloadFailure, message: str = "it failed") -> None:
        """It ends, and says why."""
        self._move(DownloadPhase.FAILED)
        self.failure, self.message = failure, message

    def die(self) -> None:
        """It ends without a word."""
        self._move(DownloadPhase.DIED)

    # What the port promises

    def look(self) -> DownloadReading:
        return DownloadReading(
            at_ns=self.clock_ns(),
            phase=self.phase,
            done_bytes=self.done_bytes,
            total_bytes=self.total_bytes,
            failure=self.failure,
            message=self.message,
        )

    def kill(self) -> None:
        self.kills += 1
        if not self.has_ended:
            self.die()

    def let_live(self) -> None:
        self.lives_on = True

    def forget(self) -> None:
        assert self.has_ended, "its last words are not said yet"
        self.is_forgotten = True

    def _move(self, phase: DownloadPhase) -> None:
        assert not self.has_ended, f"{self.model_id} has ended: {self.phase}"
        self.phase = phase


@dataclass(kw_only=True)
class ScriptedDownloads:
    """Implements ``ports.DownloadRunner``.

    Attributes:
        begun: Every download begun here or in an earlier life, oldest first, the forgotten among them.
        refuse: Raised by ``begin`` in place of beginning.
        left: Partials of downloads that nobody here has begun.
        freed: Folders of the partials that were removed.
    """

    clock_ns: Callable[[], int] = time.perf_counter_ns
    begun: list[ScriptedDownload] = field(default_factory=list[ScriptedDownload])
    refuse: EngineUnavailable | None = None
    left: list[Partial] = field(default_factory=list[Partial])
    freed: list[str] = field(default_factory=list[str])

    @property
    def last(self) -> ScriptedDownload:
        """The one that was begun last."""
        return self.begun[-1]

    def of(self, model_id: str) -> ScriptedDownload:
        """The one of that model that was begun last."""
        return next(download for download in reversed(self.begun) if download.model_id == model_id)

    def later_life(self) -> "ScriptedDownloads":
        """The runner of the next start of the app: who was not let live has died with the last one."""
        for download in self.begun:
            if not download.has_ended and not download.lives_on:
                download.die()
        return ScriptedDownloads(
            clock_ns=self.clock_ns, begun=list(self.begun), left=list(self.left), freed=list(self.freed)
        )

    def begin(self, model_id: str, *, total_bytes: int | None) -> ScriptedDownload:
        if self.refuse is not None:
            raise self.refuse
        kept = next((partial for partial in self.partials() if partial.model_id == model_id), None)
        download = ScriptedDownload(
            model_id=model_id,
            total_bytes=total_bytes,
            done_bytes=0 if kept is None else kept.disk_bytes,
            clock_ns=self.clock_ns,
        )
        self.begun.append(download)
        return download

    def running(self) -> tuple[ScriptedDownload, ...]:
        return tuple(download for download in self.begun if not download.is_forgotten)

    def partials(self) -> tuple[Partial, ...]:
        newest = {download.model_id: download for download in self.begun}
        # A download that has ended with the model leaves nothing of those before it.
        mine = [
            Partial(
                model_id=download.model_id,
                path=_folder(download.model_id),
                disk_bytes=download.done_bytes,
                touched_unix=0.0,
                is_locked=not download.has_ended,
            )
            for download in newest.values()
            if download.done_bytes > 0 and download.phase is not DownloadPhase.DONE
        ]
        there = {partial.path for partial in mine}
        return (*(one for one in self.left if one.path not in there), *mine)

    def remove_partial(self, path: str) -> int:
        found = next((partial for partial in self.partials() if partial.path == path), None)
        if found is None:
            raise ModelRefused(f"{path} holds no unfinished download")
        if found.is_locked:
            raise ModelRefused(f"{path} is being downloaded", remedy="cancel the download first")
        self.left = [partial for partial in self.left if partial.path != path]
        for download in self.begun:
            if _folder(download.model_id) == path and download.has_ended:
                download.done_bytes = 0
        self.freed.append(path)
        return found.disk_bytes


def _folder(model_id: str) -> str:
    """Where a model would lie."""
    return f"/cache/Loopback/{model_id.replace(':', '-')}"
