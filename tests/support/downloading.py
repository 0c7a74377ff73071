"""Downloads by real processes: which live, and waiting for what they say."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from foundry_tui.domain.downloads import DownloadPhase, DownloadReading
from foundry_tui.engines.downloads.runner import ChildDownloads
from foundry_tui.ports.downloads import DownloadProcess
from tests.support.hub import Hub, managed_config
from tests.support.processes import until_gone

__all__ = ["WITHIN_S", "downloaders", "downloads_from", "no_downloader_left", "until", "until_phase"]

WITHIN_S = 20.0
"""A safety net: what is waited for here takes a second at most, where no test says more."""

_MODULE = "foundry_tui.engines.downloads.child"
_LOOK_EVERY_S = 0.01


def downloads_from(hub: Hub, folder: Path, *, state_dir: Path | None = None) -> ChildDownloads:
    """A runner that keeps everything below ``folder`` and asks ``hub``, whose environment must be set."""
    return ChildDownloads(
        managed_config(hub, folder),
        state_dir=state_dir or folder / "downloads",
        log_dir=folder / "download-logs",
    )


def until(
    download: DownloadProcess, holds: Callable[[DownloadReading], bool], *, within_s: float = WITHIN_S
) -> DownloadReading:
    """The first look of which ``holds`` is true.

    Raises:
        TimeoutError: None was, with the last one.
    """
    until_s = time.monotonic() + within_s
    while not holds(reading := download.look()):
        if time.monotonic() > until_s:
            raise TimeoutError(f"{download.model_id} is still at {reading}")
        threading.Event().wait(_LOOK_EVERY_S)
    return reading


def until_phase(
    download: DownloadProcess, *phases: DownloadPhase, within_s: float = WITHIN_S
) -> DownloadReading:
    """The first look in one of ``phases``; an end in another is none."""
    ended = {DownloadPhase.DONE, DownloadPhase.FAILED, DownloadPhase.DIED}
    reading = until(download, lambda seen: seen.phase in ended.union(phases), within_s=within_s)
    assert reading.phase in phases, reading
    return reading


def downloaders(parent_pid: int | None = None) -> list[psutil.Process]:
    """The living downloading processes that ``parent_pid`` (None: this process) has started."""
    return [child for child in psutil.Process(parent_pid).children() if _is_downloader(child)]


@contextmanager
def no_downloader_left() -> Iterator[None]:
    """See that every download that is begun within ends; those that do not are killed."""
    yield
    # One that has said its last word ends a moment later.
    assert until_gone(downloaders()) == [], "this test left a download behind"


def _is_downloader(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and _MODULE in process.cmdline()
    except psutil.Error:
        return False
