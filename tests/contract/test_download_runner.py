"""What every runner of downloads promises: the real one on the runtime and a hub, and the scripted one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from foundry_tui.domain.downloads import DownloadFailure, DownloadPhase
from foundry_tui.domain.errors import ModelRefused
from foundry_tui.ports.downloads import DownloadProcess, DownloadRunner
from tests.support.downloading import downloads_from, no_downloader_left, until, until_phase
from tests.support.downloads import ScriptedDownloads
from tests.support.hub import Hub, Place, Stalled, Status, synthetic_model

MB = 1_000_000
MODEL = synthetic_model("some", size_bytes=20 * MB)
MODEL_ID = MODEL.id
TOTAL = MODEL.size_bytes
UNKNOWN_ID = "nobody-generic-cpu:1"


class Stage(Protocol):
    """A runner, and a hand on what happens to its downloads."""

    @property
    def runner(self) -> DownloadRunner:
        """Its runner, in this life."""

    def hold_in_the_middle(self) -> None:
        """Let downloads that are begun from now on stand still when half has come."""

    def reach_the_middle(self, download: DownloadProcess) -> None:
        """Return when half has come, and nothing more comes."""

    def reach_the_end(self, download: DownloadProcess) -> None:
        """Let everything come; return when it has ended."""

    def fail_to_find(self, download: DownloadProcess) -> None:
        """Return when it was told that there is no such model."""

    def be_refused(self) -> DownloadProcess:
        """Begin one that the server refuses for now; return when that was understood."""

    def later_life(self) -> DownloadRunner:
        """What the next start of the app has; the one before has come to its end."""


class ScriptedStage:
    def __init__(self) -> None:
        self.runner: ScriptedDownloads = ScriptedDownloads()

    def hold_in_the_middle(self) -> None:
        pass

    def reach_the_middle(self, download: DownloadProcess) -> None:
        self.runner.of(download.model_id).flow(TOTAL // 2)

    def reach_the_end(self, download: DownloadProcess) -> None:
        self.runner.of(download.model_id).finish()

    def fail_to_find(self, download: DownloadProcess) -> None:
        self.runner.of(download.model_id).fail(DownloadFailure.NOT_FOUND, "no catalog has it")

    def be_refused(self) -> DownloadProcess:
        download = self.runner.begin(MODEL_ID, total_bytes=TOTAL)
        download.fail(DownloadFailure.NETWORK, "HTTP 503")
        return download

    def later_life(self) -> DownloadRunner:
        self.runner = self.runner.later_life()
        return self.runner


class HubStage:
    def __init__(self, hub: Hub, folder: Path) -> None:
        self._hub = hub
        self._folder = folder
        self.runner = downloads_from(hub, folder)

    def hold_in_the_middle(self) -> None:
        self._hub.fault(MODEL_ID, Stalled(after_bytes=TOTAL // 2))

    def reach_the_middle(self, download: DownloadProcess) -> None:
        self._hub.wait_until(lambda: self._hub.stalled(MODEL_ID))
        until(download, lambda seen: seen.phase is DownloadPhase.FLOWING and seen.done_bytes > TOTAL // 4)

    def reach_the_end(self, download: DownloadProcess) -> None:
        self._hub.mend()
        until_phase(download, DownloadPhase.DONE)

    def fail_to_find(self, download: DownloadProcess) -> None:
        until_phase(download, DownloadPhase.FAILED)

    def be_refused(self) -> DownloadProcess:
        self._hub.fault(MODEL_ID, Status(code=503), at=Place.REGISTRY)
        download = self.runner.begin(MODEL_ID, total_bytes=TOTAL)
        until_phase(download, DownloadPhase.FAILED)
        return download

    def later_life(self) -> DownloadRunner:
        # What is not let live ends with its parent; the tests of the runtime kill one to show it.
        return downloads_from(self._hub, self._folder)


@pytest.fixture(params=["scripted", pytest.param("runtime", marks=pytest.mark.native)])
def stage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    if request.param == "scripted":
        yield ScriptedStage()
        return
    with no_downloader_left(), Hub([MODEL]) as hub:
        for name, value in hub.environment().items():
            monkeypatch.setenv(name, value)
        staged = HubStage(hub, tmp_path)
        yield staged
        for download in staged.runner.running():
            download.kill()


def test_a_download_starts_flows_and_is_done(stage: Stage) -> None:
    stage.hold_in_the_middle()

    download = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)
    first = download.look()
    stage.reach_the_middle(download)
    middle = download.look()
    stage.reach_the_end(download)
    last = download.look()

    assert download.model_id == MODEL_ID
    assert (first.phase, first.done_bytes, first.total_bytes) == (DownloadPhase.STARTING, 0, TOTAL)
    assert middle.phase is DownloadPhase.FLOWING
    assert 0 < middle.done_bytes < TOTAL
    assert (last.phase, last.done_bytes, last.total_bytes) == (DownloadPhase.DONE, TOTAL, TOTAL)
    assert first.at_ns < middle.at_ns < last.at_ns


def test_one_that_has_ended_says_the_same_each_time(stage: Stage) -> None:
    download = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)
    stage.reach_the_end(download)

    words = {(seen.phase, seen.done_bytes, seen.message) for seen in (download.look() for _ in range(3))}
    download.kill()
    after = download.look()

    assert words == {(DownloadPhase.DONE, TOTAL, None)}
    assert after.phase is DownloadPhase.DONE


def test_a_killed_one_has_died_and_leaves_what_it_fetched(stage: Stage) -> None:
    stage.hold_in_the_middle()
    download = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)
    stage.reach_the_middle(download)
    (at_work,) = stage.runner.partials()

    download.kill()

    (left,) = stage.runner.partials()
    assert download.look().phase is DownloadPhase.DIED
    assert (at_work.model_id, at_work.is_locked) == (MODEL_ID, True)
    assert (left.model_id, left.path, left.is_locked) == (MODEL_ID, at_work.path, False)
    assert TOTAL // 4 < left.disk_bytes < TOTAL
    assert download.look().done_bytes == left.disk_bytes


def test_what_was_killed_goes_on_to_its_end(stage: Stage) -> None:
    stage.hold_in_the_middle()
    killed = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)
    stage.reach_the_middle(killed)
    killed.kill()

    again = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)
    first = again.look()
    stage.reach_the_end(again)

    assert (first.phase, first.done_bytes) == (DownloadPhase.STARTING, killed.look().done_bytes)
    assert again.look().phase is DownloadPhase.DONE
    assert killed.look().phase is DownloadPhase.DIED
    assert stage.runner.partials() == ()


def test_living_and_ended_ones_are_found_until_they_are_forgotten(stage: Stage) -> None:
    stage.hold_in_the_middle()
    download = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)

    begun = stage.runner.running()
    stage.reach_the_middle(download)
    living = stage.runner.running()
    download.kill()
    ended = stage.runner.running()
    download.forget()

    assert [[seen.model_id for seen in found] for found in (begun, living, ended)] == [[MODEL_ID]] * 3
    assert ended[0].look().phase is DownloadPhase.DIED
    assert stage.runner.running() == ()
    assert stage.later_life().running() == ()


def test_one_that_is_let_live_is_found_by_the_next_life_and_can_be_killed_there(stage: Stage) -> None:
    stage.hold_in_the_middle()
    download = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)
    stage.reach_the_middle(download)
    download.let_live()

    (found,) = stage.later_life().running()
    living = found.look()
    found.kill()

    assert (found.model_id, living.phase) == (MODEL_ID, DownloadPhase.FLOWING)
    assert living.done_bytes > TOTAL // 4
    assert found.look().phase is DownloadPhase.DIED


def test_the_next_life_sees_it_done_and_forgets_it(stage: Stage) -> None:
    stage.hold_in_the_middle()
    download = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)
    stage.reach_the_middle(download)
    download.let_live()
    later = stage.later_life()

    stage.reach_the_end(download)
    (found,) = later.running()
    seen = found.look()
    found.forget()

    assert (seen.phase, seen.done_bytes) == (DownloadPhase.DONE, TOTAL)
    assert later.running() == ()


def test_a_model_that_no_catalog_has_fails_so(stage: Stage) -> None:
    download = stage.runner.begin(UNKNOWN_ID, total_bytes=None)

    stage.fail_to_find(download)

    seen = download.look()
    assert (seen.phase, seen.failure) == (DownloadPhase.FAILED, DownloadFailure.NOT_FOUND)
    assert seen.message
    assert stage.runner.partials() == ()


def test_a_server_that_refuses_is_told_with_its_reason(stage: Stage) -> None:
    download = stage.be_refused()

    seen = download.look()
    assert (seen.phase, seen.failure) == (DownloadPhase.FAILED, DownloadFailure.NETWORK)
    assert "503" in (seen.message or "")


def test_a_partial_is_removed_and_what_it_took_is_free(stage: Stage) -> None:
    stage.hold_in_the_middle()
    download = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)
    stage.reach_the_middle(download)
    download.kill()
    (left,) = stage.runner.partials()

    freed = stage.runner.remove_partial(left.path)

    assert freed == left.disk_bytes
    assert stage.runner.partials() == ()


def test_a_partial_that_is_worked_at_is_not_removed(stage: Stage) -> None:
    stage.hold_in_the_middle()
    download = stage.runner.begin(MODEL_ID, total_bytes=TOTAL)
    stage.reach_the_middle(download)
    (left,) = stage.runner.partials()

    with pytest.raises(ModelRefused):
        stage.runner.remove_partial(left.path)

    stage.reach_the_end(download)
    assert download.look().phase is DownloadPhase.DONE


def test_what_is_no_partial_is_not_removed(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused):
        stage.runner.remove_partial(str(tmp_path / "cache" / "Loopback" / "other-1"))
