"""The machine and one process on it, read on this very machine; control groups from made-up files."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from foundry_tui.ports.machine import HostProbe
from foundry_tui.resources.cgroup import MemoryGroups, MemoryLimit
from foundry_tui.resources.host import PsutilHostProbe

MIB = 1024 * 1024


def write_group(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def v2_group(limit: str, current: int, inactive: int) -> dict[str, str]:
    return {
        "memory.max": f"{limit}\n",
        "memory.current": f"{current}\n",
        "memory.stat": f"anon 1\nfile 2\ninactive_file {inactive}\n",
    }


def v1_group(limit: int, usage: int, inactive: int) -> dict[str, str]:
    return {
        "memory.limit_in_bytes": f"{limit}\n",
        "memory.usage_in_bytes": f"{usage}\n",
        "memory.stat": f"inactive_file 7\ntotal_inactive_file {inactive}\n",
    }


@pytest.fixture
def membership(tmp_path: Path) -> Path:
    return tmp_path / "membership"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


@pytest.fixture
def unlimited(tmp_path: Path) -> PsutilHostProbe:
    nowhere = tmp_path / "nowhere"
    return PsutilHostProbe(cgroup_root=nowhere, cgroup_membership=nowhere)


def test_our_own_process_has_resident_memory(unlimited: PsutilHostProbe) -> None:
    probe: HostProbe = unlimited

    sample = probe.sample(os.getpid())

    assert sample.process_rss_bytes is not None
    assert 5 * MIB < sample.process_rss_bytes < sample.ram_total_bytes


def test_the_time_that_a_process_has_taken_grows_as_the_system_counts_it(unlimited: PsutilHostProbe) -> None:
    def counted_s() -> float:
        spent = psutil.Process().cpu_times()
        return float(spent.user + spent.system)

    before = counted_s()
    while counted_s() - before < 0.1:
        pass

    found = unlimited.sample(os.getpid()).process_cpu_s

    assert found is not None
    assert before + 0.1 <= found <= counted_s()


def test_without_a_limit_the_machine_is_what_there_is(unlimited: PsutilHostProbe) -> None:
    sample = unlimited.sample(None)

    assert sample.ram_total_bytes == psutil.virtual_memory().total
    assert 0 < sample.ram_used_bytes < sample.ram_total_bytes
    assert sample.process_rss_bytes is None


def test_the_first_sample_has_no_cpu_share_and_a_later_one_has(unlimited: PsutilHostProbe) -> None:
    first = unlimited.sample(None)
    before = sum(psutil.cpu_times())
    # The kernel counts in ticks of 10 ms: burn until it has counted some.
    while sum(psutil.cpu_times()) - before < 0.2:
        pass
    second = unlimited.sample(None)

    assert first.cpu_share is None
    assert second.cpu_share is not None
    assert 0 < second.cpu_share <= 1


def test_two_probes_do_not_cut_each_others_windows(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    one = PsutilHostProbe(cgroup_root=nowhere, cgroup_membership=nowhere)
    other = PsutilHostProbe(cgroup_root=nowhere, cgroup_membership=nowhere)

    one.sample(None)

    assert other.sample(None).cpu_share is None


def test_a_process_that_is_gone_has_no_memory(unlimited: PsutilHostProbe) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()

    assert unlimited.sample(child.pid).process_rss_bytes is None
    assert unlimited.sample(child.pid).process_cpu_s is None


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="no zombies here")
def test_a_process_that_ended_but_was_not_collected_has_no_memory(unlimited: PsutilHostProbe) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ends, and stays a zombie

    rss_bytes = unlimited.sample(child.pid).process_rss_bytes
    child.wait()

    assert rss_bytes is None


def test_a_lower_group_limit_replaces_the_machines_memory(root: Path, membership: Path) -> None:
    membership.write_text("0::/app\n")
    write_group(root / "app", v2_group(str(64 * MIB), 40 * MIB, 10 * MIB))

    sample = PsutilHostProbe(cgroup_root=root, cgroup_membership=membership).sample(None)

    assert sample.ram_total_bytes == 64 * MIB
    assert sample.ram_used_bytes == 30 * MIB


def test_a_limit_above_the_machines_memory_is_none(root: Path, membership: Path) -> None:
    membership.write_text("4:memory:/\n")
    write_group(root / "memory", v1_group(9223372036854771712, 40 * MIB, 0))

    sample = PsutilHostProbe(cgroup_root=root, cgroup_membership=membership).sample(None)

    assert sample.ram_total_bytes == psutil.virtual_memory().total


def test_an_outer_group_of_version_2_binds_the_inner(root: Path, membership: Path) -> None:
    membership.write_text("0::/outer/inner\n")
    write_group(root.parent, v2_group("5", 5, 0))  # not a group: above the mount
    write_group(root / "outer", v2_group("1000", 900, 100))
    write_group(root / "outer" / "inner", v2_group("max", 300, 50))

    assert MemoryGroups(root, membership).lowest(below_bytes=64 * MIB) == MemoryLimit(
        limit_bytes=1000, used_bytes=800
    )


def test_version_1_is_read_from_the_memory_hierarchy(root: Path, membership: Path) -> None:
    membership.write_text("5:cpu,cpuacct:/job\n4:memory:/job\n0::/\n")
    write_group(root / "memory" / "job", v1_group(1000, 700, 200))

    assert MemoryGroups(root, membership).lowest(below_bytes=64 * MIB) == MemoryLimit(
        limit_bytes=1000, used_bytes=500
    )


def test_a_path_of_the_host_falls_back_to_the_top_of_the_mount(root: Path, membership: Path) -> None:
    membership.write_text("4:memory:/docker/0123\n")
    write_group(root / "memory", v1_group(1000, 700, 0))

    assert MemoryGroups(root, membership).lowest(below_bytes=64 * MIB) == MemoryLimit(
        limit_bytes=1000, used_bytes=700
    )


def test_a_group_path_that_climbs_out_of_the_mount_is_harmless(root: Path, membership: Path) -> None:
    membership.write_text("0::/../sibling\n")
    write_group(root, v2_group("max", 1, 0))

    assert MemoryGroups(root, membership).lowest(below_bytes=64 * MIB) is None


def test_unreadable_numbers_are_no_limit(root: Path, membership: Path) -> None:
    membership.write_text("0::/\n")
    write_group(root, {"memory.max": "many\n", "memory.current": "1\n", "memory.stat": ""})

    assert MemoryGroups(root, membership).lowest(below_bytes=64 * MIB) is None


def test_a_limit_that_is_set_later_is_found_at_the_next_look_and_the_use_is_read_each_time(
    root: Path, membership: Path
) -> None:
    membership.write_text("0::/\n")
    write_group(root, v2_group("max", 300, 0))
    now_s = [100.0]
    groups = MemoryGroups(root, membership, clock_s=lambda: now_s[0])
    found = [groups.lowest(below_bytes=64 * MIB)]

    write_group(root, v2_group("1000", 300, 0))
    for now_s[0], current in ((104.0, 400), (105.0, 500), (106.0, 600)):
        write_group(root, v2_group("1000", current, 0))
        found.append(groups.lowest(below_bytes=64 * MIB))

    limit = MemoryLimit(limit_bytes=1000, used_bytes=500)
    assert found == [None, None, limit, MemoryLimit(limit_bytes=1000, used_bytes=600)]
