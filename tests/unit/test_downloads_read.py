"""What a reader makes of the words that a downloading process leaves, without one."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.downloads import DownloadFailure, DownloadPhase
from foundry_tui.engines.downloads.runner import ChildDownloads, reading_of
from foundry_tui.engines.downloads.words import Word, write_word
from foundry_tui.engines.hosting.configs import ManagedConfig

MIB = 1024 * 1024
GIB = 1024 * MIB
FLOWING = Word(
    model_id="m:1",
    pid=4711,
    mark="m",
    cache_dir="/c",
    phase=DownloadPhase.FLOWING,
    percent=50.0,
    total_bytes=GIB,
)


def runner_of(folder: Path) -> ChildDownloads:
    config = ManagedConfig(
        data_dir=str(folder / "data"), cache_dir=str(folder / "cache"), logs_dir=str(folder / "logs")
    )
    return ChildDownloads(config, state_dir=folder / "words", log_dir=folder / "logs")


def word_in(folder: Path, name: str = "1-a", **changes: object) -> Path:
    path = folder / "words" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    word = replace(
        Word(model_id="m:1", pid=2**22 + 5, mark="long-gone", cache_dir=str(folder / "cache")),
        **changes,  # type: ignore[arg-type]
    )
    write_word(path, word)
    return path


@pytest.mark.parametrize(
    ("allocated", "done"),
    [
        (None, 512 * MIB),
        (100 * MIB, 512 * MIB),
        (515 * MIB, 515 * MIB),
        # After a kill some pieces come again: their blocks are there and do not count.
        (800 * MIB, 520 * MIB),
    ],
)
def test_blocks_add_no_more_than_the_pieces_under_way(allocated: int | None, done: int) -> None:
    assert reading_of(FLOWING, allocated, is_settled=True).done_bytes == done


def test_what_was_kept_is_told_while_the_runtime_has_not_counted_it_yet() -> None:
    begun = replace(FLOWING, percent=0.001)

    assert reading_of(begun, 800 * MIB, is_settled=False).done_bytes == 800 * MIB
    assert reading_of(begun, None, is_settled=False).done_bytes == GIB // 100_000


def test_without_a_total_the_blocks_alone_are_told() -> None:
    reading = reading_of(replace(FLOWING, total_bytes=None), 7 * MIB, is_settled=True)

    assert (reading.done_bytes, reading.total_bytes) == (7 * MIB, None)


@pytest.mark.parametrize("phase", [DownloadPhase.STARTING, DownloadPhase.WAITING, DownloadPhase.DIED])
def test_where_nothing_is_reported_the_blocks_are_told(phase: DownloadPhase) -> None:
    assert (
        reading_of(replace(FLOWING, phase=phase, percent=0.0), 300 * MIB, is_settled=True).done_bytes
        == 300 * MIB
    )


def test_no_more_is_told_than_there_will_be() -> None:
    assert (
        reading_of(replace(FLOWING, percent=0.0, total_bytes=MIB), 5 * MIB, is_settled=False).done_bytes
        == MIB
    )
    assert reading_of(replace(FLOWING, phase=DownloadPhase.DONE), 2 * MIB, is_settled=True).done_bytes == GIB


def test_a_reason_is_told_of_a_failure_only() -> None:
    said = replace(FLOWING, failure=DownloadFailure.NETWORK, message="no route")

    assert reading_of(said, None, is_settled=True).message is None
    assert reading_of(replace(said, phase=DownloadPhase.FAILED), None, is_settled=True).message == "no route"


def test_words_of_processes_that_are_gone_read_as_died(tmp_path: Path) -> None:
    word_in(tmp_path, phase=DownloadPhase.FLOWING)

    (found,) = runner_of(tmp_path).running()

    assert (found.model_id, found.look().phase) == ("m:1", DownloadPhase.DIED)


def test_the_oldest_comes_first_and_each_is_the_same_each_time(tmp_path: Path) -> None:
    word_in(tmp_path, "2-a", model_id="second:1")
    word_in(tmp_path, "1-z", model_id="first:1")
    runner = runner_of(tmp_path)

    found = runner.running()

    assert [download.model_id for download in found] == ["first:1", "second:1"]
    assert [one is other for one, other in zip(found, runner.running(), strict=True)] == [True, True]


def test_words_about_another_cache_and_nonsense_are_left_alone(tmp_path: Path) -> None:
    other = word_in(tmp_path, "1-a", cache_dir="/elsewhere")
    nonsense = tmp_path / "words" / "2-b.json"
    nonsense.write_text("{")

    assert runner_of(tmp_path).running() == ()
    assert other.exists()
    assert nonsense.exists()


def test_forgetting_takes_the_word_off_the_disk_and_not_out_of_the_mouth(tmp_path: Path) -> None:
    path = word_in(tmp_path, phase=DownloadPhase.FAILED, failure=DownloadFailure.NETWORK, message="no route")
    runner = runner_of(tmp_path)
    (found,) = runner.running()

    found.forget()
    found.forget()

    assert not path.exists()
    assert found.look().message == "no route"
    assert runner.running() == ()


@pytest.mark.parametrize(
    "place", [("..", "x"), ("a", "b/c"), ("/etc", "x"), ("..",), ("a", "b", "c"), ("", "")]
)
def test_a_word_cannot_lead_out_of_the_cache(tmp_path: Path, place: tuple[str, ...]) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "big").write_bytes(b"x" * 100_000)
    word_in(tmp_path, place=place)

    (found,) = runner_of(tmp_path).running()

    assert found.look().done_bytes == 0


def test_a_stranger_who_has_the_number_of_a_dead_download_is_not_killed(tmp_path: Path) -> None:
    sleeper = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(sleeper, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stranger:
        assert stranger.stdout is not None
        stranger.stdout.readline()
        word_in(tmp_path, pid=stranger.pid, mark="of-another-start")
        (found,) = runner_of(tmp_path).running()

        found.kill()

        assert found.look().phase is DownloadPhase.DIED
        assert stranger.poll() is None
