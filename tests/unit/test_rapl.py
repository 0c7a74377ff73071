"""Energy of the processors, from made-up counters."""

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from foundry_tui.domain.resources import why_missing
from foundry_tui.resources.host import PsutilHostProbe
from foundry_tui.resources.missing import Unreadable
from foundry_tui.resources.rapl import PackageEnergy


def counted(folder: Path, name: str, energy_uj: int, *, most_uj: int = 262_143_000_000) -> Path:
    folder.mkdir()
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{most_uj}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    return folder / "energy_uj"


def test_all_packages_are_added_up_and_their_parts_and_the_board_are_not(tmp_path: Path) -> None:
    counted(tmp_path / "intel-rapl:0", "package-0", 5_000_000)
    counted(tmp_path / "intel-rapl:1", "package-1", 7_500_000)
    counted(tmp_path / "intel-rapl:0:0", "core", 900_000_000)
    counted(tmp_path / "intel-rapl:2", "psys", 800_000_000)
    (tmp_path / "intel-rapl").mkdir()

    assert PackageEnergy(tmp_path).read_j() == 12.5


def read_every_second(file: Path, energies_uj: Sequence[int]) -> list[float]:
    """What is told of a counter that stands at each of these, a second apart."""
    seconds = count()
    energy = PackageEnergy(file.parent.parent, clock_ns=lambda: next(seconds) * 1_000_000_000)
    found = []
    for energy_uj in energies_uj:
        file.write_text(f"{energy_uj}\n")
        found.append(energy.read_j())
    return found


def test_a_counter_that_wraps_goes_on_rising(tmp_path: Path) -> None:
    file = counted(tmp_path / "intel-rapl:0", "package-0", 9_000_000, most_uj=10_000_000)

    assert read_every_second(file, (9_000_000, 2_000_000, 8_000_000, 1_000_000)) == [9.0, 12.0, 18.0, 21.0]


def test_a_counter_that_begins_anew_steps_back_and_is_not_taken_for_one_that_wraps(tmp_path: Path) -> None:
    file = counted(tmp_path / "intel-rapl:0", "package-0", 0, most_uj=262_143_000_000)
    end_uj = 262_143_000_000

    # After a wrap of 150 J in a second it begins at 0, which would be 257 kJ in a second.
    found = read_every_second(file, (end_uj - 50_000_000, 100_000_000, 5_000_000_000, 7_000_000, 9_000_000))

    assert found == [262_093.0, 262_243.0, 267_143.0, 7.0, 9.0]


def test_a_system_without_counters_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="counts no energy"):
        PackageEnergy(tmp_path / "nowhere").read_j()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_counter_for_root_alone_says_so(tmp_path: Path) -> None:
    counted(tmp_path / "intel-rapl:0", "package-0", 1).chmod(0)

    with pytest.raises(Unreadable, match="for root alone"):
        PackageEnergy(tmp_path).read_j()


def test_the_host_tells_it_or_why_not(tmp_path: Path) -> None:
    without = PsutilHostProbe(energy=PackageEnergy(tmp_path / "nowhere")).sample(None)
    counted(tmp_path / "intel-rapl:0", "package-0", 3_000_000)

    sample = PsutilHostProbe(energy=PackageEnergy(tmp_path)).sample(None)

    assert sample.package_energy_j == 3.0
    assert without.package_energy_j is None
    assert why_missing(without.missing, "package_energy_j") == "the system counts no energy of the processor"
