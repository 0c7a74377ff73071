"""A program that runs the queue of downloads on a real database and kills itself at a chosen write.

``python -m tests.integration.queue_that_dies FOLDER WRITE MOMENT``

It adds two models, the first of which fails once, and fetches both from a scripted runner.  At write number
WRITE, counted from 1, it ends itself as ``kill -9`` would: ``before`` it, ``within`` its transaction, or
``after`` it was done and before anybody was told.  Each model is printed once it was acknowledged, and
``finished`` at the end, if it comes to that.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from foundry_tui.domain.downloads import DownloadFailure, DownloadState
from foundry_tui.services.downloads.changes import Change, Entries
from foundry_tui.services.downloads.facade import RetryPolicy
from foundry_tui.storage import Database, FileLock, StoredDownloads
from tests.support.download_rig import Rig, model, until

__all__ = ["opened_rig"]


class DyingQueue:
    """Implements ``DownloadStore`` by handing on to one; dies at the write of that number."""

    def __init__(self, store: StoredDownloads, write: int, moment: str) -> None:
        self._store = store
        self._left = write
        self._moment = moment
        self.downloads = store.downloads

    async def change_downloads(self, change: Change) -> Entries:
        self._left -= 1
        is_the_one = self._left == 0
        if is_the_one and self._moment == "before":
            _die()

        def within(entries: Entries) -> Entries:
            changed = change(entries)
            if is_the_one and self._moment == "within":
                _die()
            return changed

        entries = await self._store.change_downloads(within)
        if is_the_one:
            _die()
        return entries


def opened_rig(folder: Path, database: Database) -> Rig:
    """What the program, and who comes after it, run the queue with."""
    return Rig(
        store=StoredDownloads(database),
        lock=FileLock(folder / "downloads.lock"),
        policy=RetryPolicy(first_s=0),
        prefix=f"{os.getpid()}-",
    )


async def main(folder: Path, write: int, moment: str) -> None:
    """Fetch the models ``a`` and ``b``."""
    database = Database(folder / "foundry-tui.db")
    rig = opened_rig(folder, database)
    rig.store = DyingQueue(StoredDownloads(database), write, moment)
    async with rig.opened() as downloads:
        for name in "ab":
            await downloads.add(model(name))
            _say(f"{name}:1")
        (await rig.begun(downloads)).fail(DownloadFailure.NETWORK)
        for times in (2, 3):
            process = await rig.begun(downloads, times)
            process.flow(500)
            process.finish()
        await until(
            downloads,
            lambda queue: all(entry.state is DownloadState.DONE for entry in queue.entries),
        )
    await database.aclose()
    _say("finished")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # in another thread than the one that the signal ends first


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("write", type=int)
    parser.add_argument("moment", choices=["before", "within", "after"])
    given = parser.parse_args()
    asyncio.run(main(given.folder, given.write, given.moment))
