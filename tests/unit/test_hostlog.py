"""The child's stderr in a file of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from foundry_tui.engines.hosting.hostlog import HostLog


def test_a_new_log_is_an_empty_file_in_a_folder_that_is_made(tmp_path: Path) -> None:
    log = HostLog.create(tmp_path / "a" / "logs")

    assert log.path.parent == tmp_path / "a" / "logs"
    assert log.path.read_bytes() == b""
    assert log.tail(5) == ()


def test_two_lives_have_two_logs(tmp_path: Path) -> None:
    assert HostLog.create(tmp_path).path != HostLog.create(tmp_path).path


def test_what_a_child_writes_to_stderr_is_there_after_it_has_ended(tmp_path: Path) -> None:
    log = HostLog.create(tmp_path)

    with log.open_for_child() as stderr:
        subprocess.run(
            [sys.executable, "-c", "import os; os.write(2, b'one\\ntwo\\n')"], stderr=stderr, check=True
        )

    assert log.tail(5) == ("one", "two")
    assert stderr.closed


def test_a_second_opening_writes_behind_the_first(tmp_path: Path) -> None:
    log = HostLog.create(tmp_path)

    for line in (b"one\n", b"two\n"):
        with log.open_for_child() as file:
            file.write(line)

    assert log.tail(5) == ("one", "two")


def test_the_tail_has_the_last_lines_that_are_not_blank_and_none_is_obeyed(tmp_path: Path) -> None:
    log = HostLog.create(tmp_path)
    log.path.write_bytes(b"zero\none\n\n  \n\x1b[31mtwo\r\n\xff three\n\x00\n")

    assert log.tail(3) == ("␛[31mtwo", "\N{REPLACEMENT CHARACTER} three", "␀")


def test_a_long_line_is_cut_and_of_a_long_log_only_the_end_is_read(tmp_path: Path) -> None:
    log = HostLog.create(tmp_path)
    log.path.write_bytes(b"early\n" + b"x" * 1_000_000 + b"\nlast\n")

    first, second = log.tail(5)

    assert (len(first), first[-1]) == (400, "…")
    assert second == "last"


def test_a_log_that_is_gone_has_no_tail(tmp_path: Path) -> None:
    log = HostLog.create(tmp_path)
    log.path.unlink()

    assert log.tail(5) == ()


def test_of_many_logs_the_twenty_newest_are_kept_and_other_files_are_left_alone(tmp_path: Path) -> None:
    for number in range(30):
        path = tmp_path / f"host-{number}.log"
        path.touch()
        # Named against their age, so that only the age can have decided.
        os.utime(path, (1000 - number, 1000 - number))
    (tmp_path / "foundry_local_2026-01-01.log").touch()

    log = HostLog.create(tmp_path)

    kept = {path.name for path in tmp_path.glob("host-*.log")}
    assert kept == {log.path.name, *(f"host-{number}.log" for number in range(19))}
    assert (tmp_path / "foundry_local_2026-01-01.log").exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="file"):
        HostLog.create(tmp_path / "file" / "logs")
