"""Models on the disk: fetched and checked."""

from pathlib import Path
from typing import Protocol

from foundry_tui.domain.downloads import DownloadReading, Partial
from foundry_tui.domain.health import ModelHealth

__all__ = ["DownloadProcess", "DownloadRunner", "ModelChecker"]


class DownloadProcess(Protocol):
    """A process that downloads one model and says on disk how far it is.  All methods block for milliseconds.

    It may have been started by an earlier life of the app.
    """

    @property
    def model_id(self) -> str:
        """The variant that it fetches."""
        ...

    def look(self) -> DownloadReading:
        """How far it is now; the same last words each time once it has ended."""
        ...

    def kill(self) -> None:
        """End it at once, whatever it is doing; what it fetched stays and can be resumed."""
        ...

    def let_live(self) -> None:
        """Let it go on when this process ends; until then it ends with it."""
        ...

    def forget(self) -> None:
        """Take its last words off the disk, once they were acted upon.  The process must have ended."""
        ...


class DownloadRunner(Protocol):
    """Starts downloads, and finds those that others started.  Blocks, so not on the event loop."""

    def begin(self, model_id: str, *, total_bytes: int | None) -> DownloadProcess:
        """Start to fetch that variant, or go on with what is there of it.

        Raises:
            EngineUnavailable: No process could be started.
        """
        ...

    def running(self) -> tuple[DownloadProcess, ...]:
        """Those whose word is on disk: living ones, and ended ones that nobody has acted upon."""
        ...

    def partials(self) -> tuple[Partial, ...]:
        """Downloads that were left in the middle, the ones under way among them."""
        ...

    def remove_partial(self, path: str) -> int:
        """Delete what is there of an unfinished download; the bytes that this freed.

        Raises:
            ModelRefused: A process is at work on it, or it is no unfinished download.
            StorageProblem: It cannot be deleted.
        """
        ...


class ModelChecker(Protocol):
    """Looks into the files of a model.  Blocks, for as long as reading them takes if it is deep."""

    def check(self, model_id: str, folder: Path, *, is_deep: bool) -> ModelHealth:
        """Look at them; a deep check reads all contents and compares them with the hashes that were kept.

        Where none were kept yet and nothing is wrong, a deep check keeps them.
        """
        ...

    def last(self, model_id: str) -> ModelHealth:
        """What the last check found, from disk."""
        ...

    def forget(self, model_id: str) -> None:
        """Drop what is kept of that model: it was removed, or is fetched anew."""
        ...
