"""Downloads by the real runtime on their bad days: nothing corrupt, nothing lost, and no process left."""

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from foundry_tui.domain.downloads import DownloadFailure, DownloadPhase, DownloadReading
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.engines.downloads.runner import ChildDownload, ChildDownloads
from foundry_tui.engines.hosting.configs import ManagedConfig
from tests.contract.chats import ask, hear
from tests.contract.runtime import hosted
from tests.support.downloading import (
    downloaders,
    downloads_from,
    no_downloader_left,
    until,
    until_phase,
)
from tests.support.hub import (
    NONSENSE,
    Delayed,
    Expired,
    Fault,
    Hub,
    HubModel,
    Missing,
    Place,
    Slow,
    Stalled,
    Status,
    demo_model,
    managed_config,
    sha256,
    synthetic_model,
)
from tests.support.processes import until_gone

MB = 1_000_000
MODEL = demo_model(padding_bytes=40 * MB)
TOTAL = MODEL.size_bytes
ROOT = Path(__file__).parents[2]
KILLED_WITHIN_S = 2.0

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with no_downloader_left(), Hub([MODEL]) as hub:
        for name, value in hub.environment().items():
            monkeypatch.setenv(name, value)
        yield hub


def folder_of(runner_folder: Path, model: HubModel = MODEL) -> Path:
    return runner_folder / "cache" / model.publisher / model.id.replace(":", "-")


def assert_equal_bytes(folder: Path, model: HubModel = MODEL) -> None:
    found = {path.name: path for path in folder.iterdir()}
    wanted = {name: sha256(content) for name, content in model.files.items()}

    assert set(found) - set(wanted) == {"inference_model.json"}
    assert {name: hashlib.sha256(found[name].read_bytes()).hexdigest() for name in wanted} == wanted


def killed_within_s(download: ChildDownload, *, others: int = 0) -> float:
    """How long a kill took, after which its process is gone and no other is."""
    started_s = time.monotonic()
    download.kill()
    took_s = time.monotonic() - started_s
    assert len(downloaders()) == others
    return took_s


def at_work(runner: ChildDownloads) -> ChildDownload:
    return runner.begin(MODEL.id, total_bytes=TOTAL)


async def test_a_downloaded_model_is_equal_byte_for_byte_and_answers_in_a_fresh_host(
    hub: Hub, tmp_path: Path
) -> None:
    download = at_work(downloads_from(hub, tmp_path))
    until_phase(download, DownloadPhase.DONE)

    assert_equal_bytes(folder_of(tmp_path))
    async with hosted(managed_config(hub, tmp_path), tmp_path) as engine:
        await engine.load(MODEL.id)
        heard = await hear(engine, ask(model=MODEL.id))
    assert heard.error is None
    assert heard.text


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_was_killed_part_way_is_resumed_to_equal_bytes(hub: Hub, tmp_path: Path, share: float) -> None:
    runner = downloads_from(hub, tmp_path)
    hub.fault(MODEL.id, Stalled(after_bytes=int(TOTAL * share)))
    killed = at_work(runner)
    hub.wait_until(lambda: hub.stalled(MODEL.id))
    (process,) = downloaders()
    process.kill()
    last = until_phase(killed, DownloadPhase.DIED)
    killed.forget()
    hub.mend()

    again = at_work(runner)
    done = until_phase(again, DownloadPhase.DONE)

    assert 0 < last.done_bytes < TOTAL
    assert done.done_bytes == TOTAL
    assert_equal_bytes(folder_of(tmp_path))
    assert runner.partials() == ()


def test_a_flowing_download_is_killed_at_once(hub: Hub, tmp_path: Path) -> None:
    hub.fault(MODEL.id, Slow(bytes_per_s=8 * MB))
    download = at_work(downloads_from(hub, tmp_path))
    hub.wait_sent(MODEL.id, at_least_bytes=2 * MB)

    assert killed_within_s(download) < KILLED_WITHIN_S


def test_a_download_on_a_dead_network_is_killed_at_once(hub: Hub, tmp_path: Path) -> None:
    hub.fault(MODEL.id, Slow(bytes_per_s=8 * MB))
    download = at_work(downloads_from(hub, tmp_path))
    hub.wait_sent(MODEL.id, at_least_bytes=2 * MB)
    hub.down()

    assert killed_within_s(download) < KILLED_WITHIN_S


def test_a_download_that_is_starting_is_killed_at_once(hub: Hub, tmp_path: Path) -> None:
    hub.fault(Place.CATALOG, Delayed(seconds=60))
    download = at_work(downloads_from(hub, tmp_path))
    hub.wait_until(lambda: hub.asked(Place.CATALOG))
    assert download.look().phase is DownloadPhase.STARTING

    assert killed_within_s(download) < KILLED_WITHIN_S


def test_a_download_that_has_not_said_a_word_yet_is_killed_at_once(hub: Hub, tmp_path: Path) -> None:
    download = at_work(downloads_from(hub, tmp_path))

    assert killed_within_s(download) < KILLED_WITHIN_S
    assert download.look().phase is DownloadPhase.DIED


def test_a_download_that_waits_for_another_process_is_killed_at_once_and_the_other_goes_on(
    hub: Hub, tmp_path: Path
) -> None:
    hub.fault(MODEL.id, Stalled(after_bytes=10 * MB))
    other = at_work(downloads_from(hub, tmp_path))
    hub.wait_until(lambda: hub.stalled(MODEL.id))
    download = at_work(downloads_from(hub, tmp_path, state_dir=tmp_path / "second"))
    waiting = until_phase(download, DownloadPhase.WAITING)

    took_s = killed_within_s(download, others=1)
    hub.mend()
    until_phase(other, DownloadPhase.DONE)

    assert 0 < waiting.done_bytes < TOTAL
    assert took_s < KILLED_WITHIN_S
    assert_equal_bytes(folder_of(tmp_path))


def test_one_that_waited_is_done_when_the_other_is(hub: Hub, tmp_path: Path) -> None:
    hub.fault(MODEL.id, Stalled(after_bytes=10 * MB))
    other = at_work(downloads_from(hub, tmp_path))
    hub.wait_until(lambda: hub.stalled(MODEL.id))
    download = at_work(downloads_from(hub, tmp_path, state_dir=tmp_path / "second"))
    until_phase(download, DownloadPhase.WAITING)

    hub.mend()
    until_phase(other, DownloadPhase.DONE)
    until_phase(download, DownloadPhase.DONE)

    # Each byte was asked for once.
    assert hub.sent_bytes(MODEL.id) < TOTAL * 1.1


def test_a_download_goes_on_by_itself_when_the_network_is_back(hub: Hub, tmp_path: Path) -> None:
    hub.fault(MODEL.id, Slow(bytes_per_s=20 * MB))
    download = at_work(downloads_from(hub, tmp_path))
    hub.wait_sent(MODEL.id, at_least_bytes=10 * MB)
    hub.down()
    stopped = download.look()
    threading.Event().wait(3.0)
    dead = download.look()
    hub.mend()
    hub.up()

    until_phase(download, DownloadPhase.DONE, within_s=60.0)

    assert stopped.phase is dead.phase is DownloadPhase.FLOWING
    assert dead.done_bytes < TOTAL
    assert_equal_bytes(folder_of(tmp_path))


def test_a_full_disk_is_told_and_what_is_there_is_kept_and_resumed(hub: Hub, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "16m") as disk:
        runner = downloads_from(hub, disk)

        failed = until_phase(at_work(runner), DownloadPhase.FAILED)
        (left,) = runner.partials()
        enlarge(disk, "64m")
        until_phase(at_work(runner), DownloadPhase.DONE)

        assert failed.failure is DownloadFailure.DISK_FULL
        assert "disk is full" in (failed.message or "")
        assert (left.model_id, left.is_locked) == (MODEL.id, False)
        assert left.disk_bytes > 8 * MB
        assert_equal_bytes(folder_of(disk))


@pytest.mark.parametrize(
    ("fault", "at", "failure"),
    [
        (Status(code=404), Place.REGISTRY, DownloadFailure.NOT_FOUND),
        (Status(code=429), Place.REGISTRY, DownloadFailure.NETWORK),
        (Missing(is_listed=True), Place.BLOBS, DownloadFailure.NOT_FOUND),
        (Expired(), Place.BLOBS, DownloadFailure.NETWORK),
        (Status(code=403, methods=("HEAD", "GET")), Place.BLOBS, DownloadFailure.NETWORK),
    ],
    ids=["registry-404", "registry-429", "blobs-404", "link-expired", "blobs-403"],
)
def test_a_refusal_is_told_for_what_it_is(
    hub: Hub, tmp_path: Path, fault: Fault, at: Place, failure: DownloadFailure
) -> None:
    hub.fault(MODEL.id, fault, at=at)

    failed = until_phase(at_work(downloads_from(hub, tmp_path)), DownloadPhase.FAILED)

    assert failed.failure is failure
    assert failed.message
    assert "\n" not in failed.message
    assert ".cc:" not in failed.message


def test_a_catalog_that_answers_nonsense_is_no_proof_that_a_model_is_gone(hub: Hub, tmp_path: Path) -> None:
    hub.fault(Place.CATALOG, NONSENSE["html"])

    failed = until_phase(at_work(downloads_from(hub, tmp_path)), DownloadPhase.FAILED)

    assert failed.failure is DownloadFailure.NETWORK


def test_a_variant_that_this_machine_cannot_run_is_downloaded(hub: Hub, tmp_path: Path) -> None:
    model = synthetic_model("other", "qnn-npu", size_bytes=3 * MB)
    hub.put(model)
    runner = downloads_from(hub, tmp_path)

    until_phase(runner.begin(model.id, total_bytes=None), DownloadPhase.DONE)

    assert_equal_bytes(folder_of(tmp_path, model), model)


def test_the_size_is_the_catalogs_where_nobody_gives_it(hub: Hub, tmp_path: Path) -> None:
    hub.fault(MODEL.id, Stalled(after_bytes=10 * MB))
    download = downloads_from(hub, tmp_path).begin(MODEL.id, total_bytes=None)

    seen = until(download, is_flowing)
    download.kill()

    # The runtime tells it in whole megabytes.
    assert seen.total_bytes is not None
    assert abs(seen.total_bytes - TOTAL) < 1_100_000


def test_blocks_show_what_comes_between_two_reports(hub: Hub, tmp_path: Path) -> None:
    # Four pieces of 2 MiB are under way at once, and none of them is whole.
    hub.fault(MODEL.id, Stalled(after_bytes=6 * MB), blob="padding.bin")
    download = at_work(downloads_from(hub, tmp_path))
    hub.wait_until(lambda: len(hub.stalled(MODEL.id)) == 4)

    seen = until(download, lambda reading: reading.done_bytes > 6 * MB)
    download.kill()

    assert seen.phase is DownloadPhase.FLOWING
    assert seen.done_bytes < 10 * MB


def test_a_download_ends_when_its_parent_is_killed(hub: Hub, tmp_path: Path) -> None:
    hub.fault(MODEL.id, Stalled(after_bytes=10 * MB))
    with parent_of_a_download(hub, tmp_path) as (parent, process):
        parent.kill()
        left = until_gone([process])

    (found,) = downloads_from(hub, tmp_path).running()
    assert left == []
    assert found.look().phase is DownloadPhase.DIED


def test_one_that_is_let_live_goes_on_when_its_parent_is_killed_and_is_found_again(
    hub: Hub, tmp_path: Path
) -> None:
    hub.fault(MODEL.id, Stalled(after_bytes=10 * MB))
    with parent_of_a_download(hub, tmp_path, "--let-live") as (parent, process):
        parent.kill()
        parent.wait()
        (found,) = downloads_from(hub, tmp_path).running()
        flowing = found.look()
        hub.mend()
        until_phase(found, DownloadPhase.DONE)
        left = until_gone([process])
    found.forget()

    assert flowing.phase is DownloadPhase.FLOWING
    assert left == []
    assert_equal_bytes(folder_of(tmp_path))
    assert list((tmp_path / "downloads").iterdir()) == []


def test_one_that_another_life_began_is_killed_at_once(hub: Hub, tmp_path: Path) -> None:
    hub.fault(MODEL.id, Stalled(after_bytes=10 * MB))
    with parent_of_a_download(hub, tmp_path, "--let-live") as (parent, process):
        parent.kill()
        parent.wait()
        (found,) = downloads_from(hub, tmp_path).running()
        started_s = time.monotonic()
        found.kill()
        took_s = time.monotonic() - started_s
        is_gone = not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

    assert is_gone
    assert took_s < KILLED_WITHIN_S


def test_a_stopped_download_is_alive_and_can_be_killed(hub: Hub, tmp_path: Path) -> None:
    hub.fault(MODEL.id, Stalled(after_bytes=10 * MB))
    runner = downloads_from(hub, tmp_path)
    download = at_work(runner)
    until(download, is_flowing)
    (process,) = downloaders()
    process.suspend()

    stopped = download.look()
    took_s = killed_within_s(download)

    assert stopped.phase is DownloadPhase.FLOWING
    assert took_s < KILLED_WITHIN_S


def test_no_process_is_started_where_the_words_cannot_be_written(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "downloads").write_text("a file in the folder's place")

    with pytest.raises(EngineUnavailable, match="downloads"):
        at_work(downloads_from(hub, tmp_path))


def test_offline_by_choice_begins_no_download(tmp_path: Path) -> None:
    config = ManagedConfig(data_dir="d", cache_dir="c", logs_dir="l", offline=True)

    with pytest.raises(EngineUnavailable, match="offline by choice"):
        ChildDownloads(config, state_dir=tmp_path, log_dir=tmp_path).begin("m:1", total_bytes=None)


def is_flowing(reading: DownloadReading) -> bool:
    return reading.phase is DownloadPhase.FLOWING


@contextmanager
def parent_of_a_download(
    hub: Hub, folder: Path, *options: str
) -> Iterator[tuple["subprocess.Popen[bytes]", psutil.Process]]:
    """A program that downloads, and the process that does it for the program; both are gone afterwards."""
    module = "tests.integration.parent_of_a_download"
    command = [sys.executable, "-m", module, MODEL.id, str(folder), hub.catalog_url, hub.catalog_region]
    with subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        process = psutil.Process(int(parent.stdout.readline()))
        try:
            yield parent, process
        finally:
            parent.kill()
            if process.is_running():
                process.kill()
            until_gone([process])


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own; needs the right to mount one."""
    folder.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", f"size={size}", "small", str(folder))
    if mounted is not None:
        pytest.skip(f"no file system can be mounted here: {mounted}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def enlarge(folder: Path, size: str) -> None:
    assert _mount("-o", f"remount,size={size}", str(folder)) is None


def _mount(*arguments: str) -> str | None:
    """Why it could not be mounted; None if it was."""
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.strip() or "mount failed"
