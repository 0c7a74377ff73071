"""What a long run may have to stop for: the disk that it writes to, and the heat of the machine."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from foundry_tui.domain.text import clean_line
from foundry_tui.resources.disk import disk_space
from foundry_tui.resources.nvml import NvmlThermometer

__all__ = ["LocalSurroundings", "SensorReading", "Sensors", "sensible_temperatures"]

# Chips that measure processors.  Others of a mainboard have inputs that nothing is connected to, which read
# as 127 °C for ever.
_CHIPS = (
    *("coretemp", "k10temp", "zenpower", "cpu", "soc", "bigcore", "littlecore", "x86_pkg_temp"),
    *("acpitz", "amdgpu", "radeon", "nouveau", "gpu"),
)
_SENSIBLE_C = (1.0, 150.0)
_NAME_CELLS = 40


class SensorReading(Protocol):
    """One reading as psutil gives it; a sensor without a label has an empty one."""

    @property
    def label(self) -> str:
        """What the sensor is called."""
        ...

    @property
    def current(self) -> float | None:
        """Degrees Celsius; some drivers give nonsense."""
        ...


Sensors: TypeAlias = Callable[[], Mapping[str, Sequence[SensorReading]]]
"""Reads every sensor of the mainboard, by chip."""


class LocalSurroundings:
    """Implements ``ports.Surroundings`` on this machine.  Blocks for some milliseconds.

    Args:
        folder: On the disk that is watched; it need not be there yet.
        sensors: Reads the sensors of the mainboard by chip, in place of psutil's.
        gpus: Reads the GPUs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        sensors: Sensors | None = None,
        gpus: NvmlThermometer | None = None,
    ) -> None:
        self._folder = folder
        self._sensors = sensors
        self._gpus = gpus or NvmlThermometer()

    def free_disk_bytes(self) -> int | None:
        """See ``ports.Surroundings``."""
        space = disk_space(self._folder)
        return None if space is None else space.free_bytes

    def temperatures_c(self) -> tuple[tuple[str, float], ...]:
        """See ``ports.Surroundings``."""
        try:
            of_sensors = sensible_temperatures(self._sensors)
        except Exception:  # noqa: BLE001 - border: a driver of some chip, and none is worth a run
            of_sensors = ()
        return (*of_sensors, *filter(_is_sensible, self._gpus.temperatures_c()))


def sensible_temperatures(sensors: Sensors | None = None) -> tuple[tuple[str, float], ...]:
    """Name and degrees of each processor that the mainboard has a sensor for.

    Args:
        sensors: In place of psutil's.

    Raises:
        Exception: Whatever a driver raises; AttributeError on systems that psutil knows no sensors of.
    """
    chips = (sensors or _psutil_sensors())()
    found = (
        (clean_line(f"{chip} {reading.label}".strip(), _NAME_CELLS), float(reading.current or 0))
        for chip, readings in chips.items()
        if chip.lower().startswith(_CHIPS)
        for reading in readings
    )
    return tuple(filter(_is_sensible, found))


def _is_sensible(reading: tuple[str, float]) -> bool:
    low, high = _SENSIBLE_C
    return low <= reading[1] <= high


def _psutil_sensors() -> Sensors:
    """The function of psutil; some systems have none.

    Raises:
        AttributeError: This is one of them.
    """
    import psutil  # here and not above: 30 ms that the first frame must not wait for

    read: Sensors = psutil.sensors_temperatures
    return read
