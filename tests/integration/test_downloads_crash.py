"""kill -9 of an app that runs the queue of downloads, at every write: what the next start makes of it."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from foundry_tui.domain.downloads import DownloadState
from foundry_tui.services.downloads.facade import DownloadQueue
from foundry_tui.storage import Database, FileLock, StoredDownloads
from tests.integration.queue_that_dies import opened_rig
from tests.support.download_rig import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

END_S = 30.0
"""A safety net: what is waited for here takes a second at most."""
ROOT = Path(__file__).parents[2]
WRITES = 10
"""Two adds; begun and failed; then each begun, being checked, done."""
MOMENTS = ("before", "within", "after")
HOLDER = """
import sys
from pathlib import Path
from foundry_tui.services.downloads.facade import DownloadQueue
from foundry_tui.storage import FileLock
print(FileLock(Path(sys.argv[1])).acquire("the holder"), flush=True)
sys.stdin.read()
"""


async def ran(folder: Path, write: int, moment: str) -> tuple[list[str], int]:
    """What the program said until it ended, and its exit code."""
    program = ("-m", "tests.integration.queue_that_dies", str(folder), str(write), moment)
    process = await asyncio.create_subprocess_exec(sys.executable, *program, stdout=PIPE, cwd=ROOT)
    async with asyncio.timeout(END_S):
        said, _ = await process.communicate()
    assert process.returncode is not None
    return said.decode().split(), process.returncode


def left_done(queue: DownloadQueue, count: int) -> bool:
    done = [entry for entry in queue.entries if entry.state is DownloadState.DONE]
    return len(queue.entries) == len(done) == count


async def test_left_alone_the_program_writes_as_often_as_is_assumed_here(tmp_path: Path) -> None:
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    alone.mkdir()
    killed.mkdir()

    (said, code), (_, last) = await asyncio.gather(
        ran(alone, WRITES + 1, "before"), ran(killed, WRITES, "after")
    )

    assert (said, code) == (["a:1", "b:1", "finished"], 0)
    assert last == -signal.SIGKILL


@pytest.mark.parametrize("write", range(1, WRITES + 1))
async def test_killed_at_any_write_it_loses_nothing_and_the_next_start_fetches_the_rest(
    tmp_path: Path, write: int
) -> None:
    said, code = await ran(tmp_path, write, MOMENTS[write % len(MOMENTS)])
    database = Database(tmp_path / "foundry-tui.db")
    left = await StoredDownloads(database).downloads()
    rig = opened_rig(tmp_path, database)

    async with asyncio.timeout(END_S), rig.opened() as downloads:
        open_ones = [entry for entry in left if entry.state is not DownloadState.DONE]
        to_fetch = [entry for entry in open_ones if entry.state is not DownloadState.VERIFYING]
        for times in range(1, len(to_fetch) + 1):
            (await rig.begun(downloads, times)).finish()
        queue = await until(downloads, lambda queue: left_done(queue, len(left)))
    await database.aclose()

    assert code == -signal.SIGKILL
    models = [entry.model_id for entry in queue.entries]
    assert models == [f"{name}:1" for name in "ab"][: len(models)]
    assert len(models) >= len(said)
    assert [entry.id for entry in queue.entries] == [entry.id for entry in left]
    assert sorted(rig.ready) == sorted(entry.model_id for entry in open_ones)


async def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "downloads.lock"
    lock = FileLock(path)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(path), stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    async with asyncio.timeout(END_S):
        said = await process.stdout.readline()
        while_it_lived = lock.acquire("me"), lock.holder()
        process.kill()
        await process.communicate()

    assert said == b"True\n"
    assert while_it_lived == (False, "the holder")
    assert lock.holder() is None
    assert lock.acquire("me")
    lock.release()
