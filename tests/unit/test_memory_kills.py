"""The kernel's counts of kills for want of memory, read from files of both versions of control groups."""

from pathlib import Path

import pytest

from foundry_tui.domain.engine import HostDeath
from foundry_tui.engines.hosting.memory_kills import MemoryKills

PID = 4711


class Machine:
    """The files of a kernel that a test writes."""

    def __init__(self, folder: Path, membership: str) -> None:
        self.folder = folder
        (folder / "proc" / str(PID)).mkdir(parents=True)
        (folder / "proc" / str(PID) / "cgroup").write_text(membership)

    def count(self, path: str, kills: int) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"oom 7\noom_kill {kills}\noom_group_kill 9\n")

    def watched(self) -> MemoryKills:
        kills = MemoryKills(PID, proc=self.folder / "proc", groups=self.folder / "groups")
        kills.look()
        return kills


@pytest.mark.parametrize(
    ("membership", "file"),
    [
        ("0::/user/app\n", "groups/user/app/memory.events"),
        ("9:cpu:/x\n4:memory:/box/app\n0::/\n", "groups/memory/box/app/memory.oom_control"),
        ("0::/not/mounted/here\n", "groups/memory.events"),
        ("", "proc/vmstat"),
    ],
)
def test_a_kill_is_seen_where_the_kernel_counts_it(tmp_path: Path, membership: str, file: str) -> None:
    machine = Machine(tmp_path, membership)
    machine.count(file, 3)
    kills = machine.watched()
    before = kills.since()

    machine.count(file, 4)

    assert (before, kills.since()) == (0, 1)


def test_a_kill_is_still_seen_if_somebody_looked_between_it_and_its_telling(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "")
    machine.count("proc/vmstat", 3)
    kills = machine.watched()
    machine.count("proc/vmstat", 4)

    kills.look()

    assert kills.since() == 1


def test_a_kill_of_long_ago_is_not_taken_for_this_one(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "")
    machine.count("proc/vmstat", 3)
    kills = machine.watched()
    machine.count("proc/vmstat", 4)

    kills.look()
    kills.look()

    assert kills.since() == 0


def test_a_group_that_the_process_came_into_later_counts_from_then_on(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "0::/\n")
    machine.count("groups/memory.events", 0)
    machine.count("groups/tight/memory.events", 5)
    kills = machine.watched()
    (tmp_path / "proc" / str(PID) / "cgroup").write_text("0::/tight\n")
    kills.look()

    machine.count("groups/tight/memory.events", 6)

    assert kills.since() == 1


def test_where_nobody_counts_nothing_is_claimed(tmp_path: Path) -> None:
    assert Machine(tmp_path, "").watched().since() is None


@pytest.mark.parametrize(
    ("death", "words"),
    [
        (
            HostDeath(exit_code=None, signal_name="SIGKILL", memory_kills=1),
            "was killed by the system for want of memory",
        ),
        (
            HostDeath(exit_code=None, signal_name="SIGKILL", memory_kills=0),
            "was killed (SIGKILL): by hand, or by the system for lack of memory",
        ),
        (
            HostDeath(exit_code=None, signal_name="SIGABRT", last_log=("what(): std::bad_alloc",)),
            "ran out of memory (SIGABRT)",
        ),
        (
            HostDeath(exit_code=None, signal_name="SIGABRT", last_log=("Out of memory.", "")),
            "ran out of memory (SIGABRT)",
        ),
        (HostDeath(exit_code=None, signal_name="SIGABRT", last_log=("core",)), "was ended by SIGABRT"),
        (
            HostDeath(exit_code=1, signal_name=None, last_log=("std::bad_alloc",)),
            "ran out of memory (exit code 1)",
        ),
        (
            HostDeath(exit_code=None, signal_name="SIGSEGV", last_log=("std::bad_alloc",), memory_kills=1),
            "was ended by SIGSEGV",
        ),
    ],
)
def test_a_death_is_told_with_the_cause_that_the_evidence_supports(death: HostDeath, words: str) -> None:
    assert death.cause == words
    assert death.is_for_memory == ("for want of" in words or "ran out" in words)
