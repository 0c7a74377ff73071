"""GPUs that nobody reads are named, and stand in nobody's way."""

from pathlib import Path

import pytest

from foundry_tui.domain.resources import GpuSamples
from foundry_tui.ports.machine import GpuProbe
from foundry_tui.resources.gpus import LocalGpuProbe, unread_gpus
from foundry_tui.resources.nvml import NvmlGpuProbe
from tests.support.scripted_nvml import ScriptedGpu, ScriptedNvml

AMD = "AMD GPU not read: no kept library"
INTEL = "Intel GPU not read: no kept library"


def drm(folder: Path, *vendors: str) -> Path:
    for number, vendor in enumerate(vendors):
        device = folder / f"card{number}" / "device"
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{vendor}\n")
    (folder / "card0-HDMI-A-1").mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize(
    ("vendors", "expected"),
    [
        ((), ()),
        (("0x10de",), ()),
        (("0x1002", "0x1002"), (AMD,)),
        (("0x8086", "0x10de", "0x1002"), (AMD, INTEL)),
    ],
)
def test_on_linux_each_maker_is_told_once(
    tmp_path: Path, vendors: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert unread_gpus(drm(tmp_path / "drm", *vendors) if vendors else tmp_path, system="linux") == expected


def test_an_apple_gpu_is_told_of_and_an_older_mac_has_none_to_tell(tmp_path: Path) -> None:
    (words,) = unread_gpus(tmp_path, system="darwin", machine="arm64")

    assert words.startswith("Apple GPU not read")
    assert unread_gpus(tmp_path, system="darwin", machine="x86_64") == ()


def test_where_no_gpu_can_be_read_the_reason_names_those_that_are_there() -> None:
    probe: GpuProbe = LocalGpuProbe(NvmlGpuProbe(ScriptedNvml()), unread=(AMD,))

    assert probe.sample(None) == GpuSamples(absence=f"{AMD}; no NVIDIA GPU")


def test_beside_a_gpu_that_can_be_read_the_others_are_no_trouble() -> None:
    library = ScriptedNvml([ScriptedGpu()])
    probe = LocalGpuProbe(NvmlGpuProbe(library), unread=(INTEL,))

    samples = probe.sample(None)
    probe.close()

    assert len(samples.gpus) == 1
    assert (samples.absence, samples.troubles) == (None, ())
    assert library.shutdowns == 1
