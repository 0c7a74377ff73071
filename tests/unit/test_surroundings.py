"""Disk and heat of this machine; the sensors are made up, for hardly two machines have the same."""
# ruff: noqa: N802 - the names of the library's functions are its own

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from foundry_tui.ports.machine import Surroundings
from foundry_tui.resources.nvml import NvmlThermometer
from foundry_tui.resources.surroundings import LocalSurroundings, SensorReading


@dataclass(frozen=True)
class Read:
    label: str
    current: float | None


class Gpus:
    """Three GPUs, of which one has gone."""

    def nvmlInit(self) -> None:
        """Open it."""

    def nvmlDeviceGetCount(self) -> int:
        return 3

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> object:
        return index

    def nvmlDeviceGetName(self, handle: object, /) -> str:
        return f"RTX\x1b[31m {handle}"

    def nvmlDeviceGetTemperature(self, handle: object, sensor: int, /) -> float:
        if handle == 1:
            raise OSError("GPU lost")
        return 60 + int(str(handle)) + sensor


class NoDriver(Gpus):
    def nvmlInit(self) -> None:
        raise OSError("no driver library")


def around(
    chips: Mapping[str, Sequence[SensorReading]], gpus: Gpus | None = None, folder: Path = Path()
) -> Surroundings:
    return LocalSurroundings(folder, sensors=lambda: chips, gpus=NvmlThermometer(gpus or NoDriver()))


def test_processors_and_gpus_are_read_with_harmless_names() -> None:
    chips = {"coretemp": [Read("Package id 0", 71.0), Read("", 68.5)], "k10temp": [Read("Tctl\x1b]8", 50)]}

    found = around(chips, Gpus()).temperatures_c()

    assert dict(found)["coretemp Package id 0"] == 71
    assert dict(found)["coretemp"] == 68.5
    assert [value for name, value in found if name.startswith("RTX")] == [60, 62]
    assert not any("\x1b" in name for name, _ in found)


@pytest.mark.parametrize("nonsense", [None, 0.0, -273.0, 255.0])
def test_a_sensor_that_reads_nonsense_is_left_out(nonsense: float | None) -> None:
    assert around({"coretemp": [Read("", nonsense), Read("core", 40)]}).temperatures_c() == (
        ("coretemp core", 40),
    )


def test_inputs_that_nothing_is_connected_to_are_left_out() -> None:
    assert around({"nct6798": [Read("AUXTIN1", 127)], "nvme": [Read("", 84)]}).temperatures_c() == ()


def test_a_machine_without_sensors_has_none() -> None:
    def none() -> Mapping[str, Sequence[SensorReading]]:
        raise OSError("no such thing here")

    surroundings = LocalSurroundings(Path(), sensors=none, gpus=NvmlThermometer(NoDriver()))

    assert surroundings.temperatures_c() == ()


def test_this_machine_can_be_read_whatever_it_has(tmp_path: Path) -> None:
    surroundings = LocalSurroundings(tmp_path / "not" / "there")

    assert (surroundings.free_disk_bytes() or 0) > 0
    assert all(0 < value < 151 for _, value in surroundings.temperatures_c())
