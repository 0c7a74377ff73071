"""Readings of a process that holds known amounts of memory, next to ``/proc`` and ``ps`` at that moment."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundry_tui.domain.resources import HostSample, ProcessSample, why_missing
from foundry_tui.resources.conditions import LocalConditionsProbe
from foundry_tui.resources.host import PsutilHostProbe
from foundry_tui.resources.processes import ProcessTree
from tests.support.allocator import taken

MIB = 1024 * 1024
ROOT = Path(__file__).parents[2]
TOLERANCE_BYTES = 2 * MIB
"""What the interpreter may take or give back meanwhile, and the kernel's counting in batches per core."""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")


class Allocator:
    """The process, and what it was told."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.allocator"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def hold(self, mib: int, path: Path | None = None) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{mib}\n" if path is None else f"{mib} {path}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "held\n"

    def end(self) -> None:
        self._process.communicate()


@pytest.fixture
def allocator() -> Iterator[Allocator]:
    allocator = Allocator()
    allocator.hold(0)
    yield allocator
    allocator.end()


def process_of(sample: HostSample) -> ProcessSample:
    assert sample.process is not None
    return sample.process


def uss_bytes(pid: int, tmp_path: Path) -> int:
    found = LocalConditionsProbe(tmp_path).sample(pid).uss_bytes
    assert found is not None
    return found


def test_resident_and_unique_memory_follow_what_is_taken_and_given_back(
    allocator: Allocator, tmp_path: Path
) -> None:
    probe = PsutilHostProbe()
    before, unique_before = process_of(probe.sample(allocator.pid)), uss_bytes(allocator.pid, tmp_path)

    for mib in (64, 160, 0):
        allocator.hold(mib)
        now, unique = process_of(probe.sample(allocator.pid)), uss_bytes(allocator.pid, tmp_path)

        assert now.rss_bytes - before.rss_bytes == pytest.approx(mib * MIB, abs=TOLERANCE_BYTES)
        assert unique - unique_before == pytest.approx(mib * MIB, abs=TOLERANCE_BYTES)


@linux_only
def test_memory_that_two_processes_share_is_resident_in_each_and_unique_to_none(
    allocator: Allocator, tmp_path: Path
) -> None:
    probe, shared = PsutilHostProbe(), tmp_path / "shared"
    shared.write_bytes(bytes(64 * MIB))
    before, unique_before = process_of(probe.sample(allocator.pid)), uss_bytes(allocator.pid, tmp_path)

    with taken(64, shared):
        allocator.hold(64, shared)
        now, unique = process_of(probe.sample(allocator.pid)), uss_bytes(allocator.pid, tmp_path)

    assert now.rss_bytes - before.rss_bytes == pytest.approx(64 * MIB, abs=TOLERANCE_BYTES)
    assert unique - unique_before == pytest.approx(0, abs=TOLERANCE_BYTES)


@linux_only
def test_the_peak_stays_when_the_memory_is_given_back(allocator: Allocator) -> None:
    probe = PsutilHostProbe()
    before = process_of(probe.sample(allocator.pid))

    allocator.hold(96)
    allocator.hold(0)
    after = process_of(probe.sample(allocator.pid))

    assert after.rss_bytes - before.rss_bytes == pytest.approx(0, abs=TOLERANCE_BYTES)
    assert after.peak_rss_bytes is not None
    assert after.peak_rss_bytes - before.rss_bytes == pytest.approx(96 * MIB, abs=TOLERANCE_BYTES)


@linux_only
def test_readings_are_those_of_proc_at_the_same_moment(allocator: Allocator) -> None:
    allocator.hold(32)

    process = process_of(PsutilHostProbe().sample(allocator.pid))
    status = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{allocator.pid}/status").read_text().splitlines()
        if ":" in line
    )

    assert process.rss_bytes == pytest.approx(int(status["VmRSS"].split()[0]) * 1024, abs=TOLERANCE_BYTES)
    assert process.peak_rss_bytes == int(status["VmHWM"].split()[0]) * 1024
    assert process.threads == int(status["Threads"])


@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps")
def test_readings_are_those_of_ps_at_the_same_moment(allocator: Allocator) -> None:
    allocator.hold(32)

    process = process_of(PsutilHostProbe().sample(allocator.pid))
    told = subprocess.run(
        ["ps", "-o", "rss=,time=", "-p", str(allocator.pid)], check=True, capture_output=True, text=True
    ).stdout.split()

    assert process.rss_bytes == pytest.approx(int(told[0]) * 1024, abs=TOLERANCE_BYTES)
    assert process.cpu_s is not None
    assert process.cpu_s < 60
    assert told[1].rpartition(":")[2] in {f"{int(process.cpu_s):02}", f"{int(process.cpu_s) + 1:02}"}


def test_children_are_counted_apart_from_the_process_itself(allocator: Allocator) -> None:
    allocator.hold(48)

    here = process_of(PsutilHostProbe().sample(os.getpid()))

    assert here.children >= 1
    assert here.children_rss_bytes >= 48 * MIB
    assert allocator.pid in ProcessTree().below(os.getpid())


def test_of_a_process_that_has_ended_nothing_is_read_and_the_reason_is_named(tmp_path: Path) -> None:
    allocator = Allocator()
    allocator.end()

    host = PsutilHostProbe().sample(allocator.pid)
    conditions = LocalConditionsProbe(tmp_path).sample(allocator.pid)

    assert (host.process, host.process_rss_bytes, host.process_cpu_s) == (None, None, None)
    assert why_missing(host.missing, "process_rss_bytes") == "the process has ended"
    assert conditions.uss_bytes is None
    assert why_missing(conditions.missing, "uss_bytes") == "the process has ended"
