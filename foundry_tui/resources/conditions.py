"""What changes slowly or costs much to read: sensors, power, clocks, disks, what only one process has."""

import time
from collections.abc import Callable
from pathlib import Path

from foundry_tui.domain.resources import Conditions, PowerSource, Temperature
from foundry_tui.domain.text import clean_line
from foundry_tui.resources.disk import disk_space
from foundry_tui.resources.missing import Reasons, Unreadable
from foundry_tui.resources.processes import UniqueMemory
from foundry_tui.resources.surroundings import Sensors, sensible_temperatures

__all__ = ["LocalConditionsProbe"]

_CPUS = Path("/sys/devices/system/cpu")
_WORD_CELLS = 40


class LocalConditionsProbe:
    """Reads this machine.  Blocks for some milliseconds, and for as long as a disk does not answer.

    Args:
        folder: On the disk that is told of; it need not be there yet.
        cpus: Where Linux keeps what it knows of the processors; elsewhere it does not exist.
        sensors: Reads the sensors of the mainboard by chip, in place of psutil's.
        clock_ns: Of ``at_ns``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cpus: Path = _CPUS,
        sensors: Sensors | None = None,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        import psutil  # here and not above: 30 ms that the first frame must not wait for

        self._psutil = psutil
        self._folder = folder
        self._cpus = cpus
        self._sensors = sensors
        self._clock_ns = clock_ns
        self._unique = UniqueMemory(clock_ns=clock_ns)

    def sample(self, pid: int | None) -> Conditions:
        """See ``ports.ConditionsProbe``."""
        at_ns, missing = self._clock_ns(), Reasons()
        uss = missing.take(lambda: self._uss(pid), "uss_bytes", "uss_at_ns")
        power = missing.take(self._power, "power_source", "battery_share")
        if power is not None and power[0] is None:
            missing.note("power_source", "the system does not tell it")
        clocks = missing.take(self._clocks, "frequency_mhz", "frequency_max_mhz")
        if clocks is not None and clocks[1] is None:
            missing.note("frequency_max_mhz", "the system does not tell it")
        space = missing.take(self._space, "disk_total_bytes", "disk_free_bytes")
        moved = missing.take(self._moved, "disk_read_bytes", "disk_written_bytes")
        return Conditions(
            at_ns=at_ns,
            pid=pid,
            uss_bytes=None if uss is None else uss[0],
            uss_at_ns=None if uss is None else uss[1],
            temperatures=missing.take(self._temperatures, "temperatures"),
            power_source=None if power is None else power[0],
            battery_share=None if power is None else power[1],
            governor=missing.take(self._governor, "governor"),
            frequency_mhz=None if clocks is None else clocks[0],
            frequency_max_mhz=None if clocks is None else clocks[1],
            disk_total_bytes=None if space is None else space[0],
            disk_free_bytes=None if space is None else space[1],
            disk_read_bytes=None if moved is None else moved[0],
            disk_written_bytes=None if moved is None else moved[1],
            missing=missing.all(),
        )

    def _uss(self, pid: int | None) -> tuple[int, int]:
        if pid is None:
            raise Unreadable("no engine of this machine runs")
        return self._unique.read(pid)

    def _power(self) -> tuple[PowerSource | None, float]:
        # Not every system has the function, and a desktop on mains reads as one whose battery is unknown.
        battery = self._psutil.sensors_battery()
        if battery is None:
            raise Unreadable("the system tells of no battery")
        return _source(battery.power_plugged), battery.percent / 100

    def _clocks(self) -> tuple[float, float | None]:
        clocks = self._psutil.cpu_freq()
        if not clocks.current:  # as in some virtual machines; in others there are none at all
            raise Unreadable("the system does not tell it")
        return float(clocks.current), float(clocks.max) or None

    def _governor(self) -> str:
        """Of all cores; where they differ, each that there is."""
        files = sorted(self._cpus.glob("cpu[0-9]*/cpufreq/scaling_governor"))
        words = {clean_line(file.read_text(errors="replace").strip(), _WORD_CELLS) for file in files}
        if not words:
            raise Unreadable("the system does not tell it")
        return ", ".join(sorted(words))

    def _temperatures(self) -> tuple[Temperature, ...]:
        found = sensible_temperatures(self._sensors)
        if not found:
            raise Unreadable("no sensor of a processor can be read")
        return tuple(Temperature(name=name, celsius=celsius) for name, celsius in found)

    def _space(self) -> tuple[int, int]:
        space = disk_space(self._folder)
        if space is None:
            raise Unreadable("the disk cannot be read")
        return space.total_bytes, space.free_bytes

    def _moved(self) -> tuple[int, int]:
        counted = self._psutil.disk_io_counters()
        if counted is None:
            raise Unreadable("the system counts no disk")
        return int(counted.read_bytes), int(counted.write_bytes)


def _source(is_plugged: bool | None) -> PowerSource | None:
    """None where the driver of the battery does not know."""
    if is_plugged is None:
        return None
    return PowerSource.MAINS if is_plugged else PowerSource.BATTERY
