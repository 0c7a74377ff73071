"""One NVIDIA GPU, or one instance of a divided one: everything that its driver tells of it."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from foundry_tui.domain.resources import GpuSample, Throttle
from foundry_tui.domain.text import clean_line
from foundry_tui.resources.missing import Reasons, Unreadable
from foundry_tui.resources.nvml_library import (
    GPU_DIE,
    GPU_LOST,
    PERMANENT,
    NvmlLibrary,
    NvmlProcess,
    code_of,
    reading_words,
)
from foundry_tui.resources.nvml_others import OthersLoad

__all__ = ["NvmlDevice", "bytes_of", "devices_of"]

T = TypeVar("T")

_SM_CLOCK = 1
_MEMORY_CLOCK = 2
_MIG_ON = 1
# nvmlClocksEventReasons; that it idles (1) holds back nothing.
_IDLE = 0x1
_THROTTLES = {
    0x2: Throttle.SET_CLOCKS,
    0x4: Throttle.POWER_LIMIT,
    0x8: Throttle.HARDWARE,
    0x10: Throttle.SYNC_BOOST,
    0x20: Throttle.HEAT,
    0x40: Throttle.HEAT_HARDWARE,
    0x80: Throttle.POWER_BRAKE,
    0x100: Throttle.DISPLAY_CLOCKS,
}
_DIVIDED = "of a divided GPU (MIG) the driver tells no load by process"
_INSTANCE = "of the whole GPU only, not of one of its instances (MIG)"


class NvmlDevice:
    """Reads one device; what it says that it cannot tell it is not asked for again.

    Args:
        library: The driver's.
        handle: Of the device, or of the instance.
        board: Of the device that an instance belongs to; its heat and clocks are those of the instance.
        others: How busy others keep it.
    """

    def __init__(
        self,
        library: NvmlLibrary,
        handle: object,
        *,
        board: object | None = None,
        others: OthersLoad | None = None,
    ) -> None:
        self._library = library
        self._handle = handle
        self._board = handle if board is None else board
        self._is_instance = board is not None
        self._others = others or OthersLoad()
        self._never: dict[str, str] = {}
        self._max_mhz: float | None = None
        self.name = clean_line(library.nvmlDeviceGetName(handle))

    def read(
        self,
        *,
        own_pids: Callable[[], Collection[int]],
        above_bytes: Callable[[int], int],
    ) -> GpuSample:
        """One reading.

        Args:
            own_pids: The watched process and those below it, as the driver counts; raises ``Unreadable``.
            above_bytes: What is in use, above what was before the process; raises ``Unreadable``.

        Raises:
            Exception: pynvml's or ctypes', where not even the memory can be read.
        """
        library, handle, board, missing = self._library, self._handle, self._board, Reasons(_words)
        memory = library.nvmlDeviceGetMemoryInfo(handle)

        def take(field: str, ask: Callable[[], T], *, of_board: bool = False) -> T | None:
            if of_board and self._is_instance:
                missing.note(field, _INSTANCE)
                return None
            return self._take(missing, field, ask)

        def of_process() -> int:
            return bytes_of(
                own_pids(),
                library.nvmlDeviceGetComputeRunningProcesses(handle),
                library.nvmlDeviceGetGraphicsRunningProcesses(handle),
            )

        def of_others() -> float:
            if self._is_instance:
                raise Unreadable(_DIVIDED)
            return self._others.share(library, handle, own_pids(), busy)

        busy = take("busy_share", lambda: library.nvmlDeviceGetUtilizationRates(handle).gpu / 100)
        power_mw = take("power_w", lambda: library.nvmlDeviceGetPowerUsage(board), of_board=True)
        limit_mw = take(
            "power_limit_w", lambda: library.nvmlDeviceGetEnforcedPowerLimit(board), of_board=True
        )
        energy_mj = take(
            "energy_j", lambda: library.nvmlDeviceGetTotalEnergyConsumption(board), of_board=True
        )
        bits = take("throttles", lambda: library.nvmlDeviceGetCurrentClocksThrottleReasons(board))
        return GpuSample(
            name=self.name,
            total_bytes=memory.total,
            used_bytes=memory.used,
            process_bytes=take("process_bytes", of_process),
            above_baseline_bytes=take("above_baseline_bytes", lambda: above_bytes(memory.used)),
            busy_share=busy,
            temperature_c=take(
                "temperature_c", lambda: float(library.nvmlDeviceGetTemperature(board, GPU_DIE))
            ),
            power_w=_thousandth(power_mw),
            power_limit_w=_thousandth(limit_mw),
            energy_j=_thousandth(energy_mj),
            sm_clock_mhz=take(
                "sm_clock_mhz", lambda: float(library.nvmlDeviceGetClockInfo(board, _SM_CLOCK))
            ),
            sm_clock_max_mhz=take("sm_clock_max_mhz", self._max_clock_mhz),
            memory_clock_mhz=take(
                "memory_clock_mhz", lambda: float(library.nvmlDeviceGetClockInfo(board, _MEMORY_CLOCK))
            ),
            throttles=None if bits is None else _throttles(bits),
            foreign_busy_share=take("foreign_busy_share", of_others),
            missing=missing.all(),
        )

    def _max_clock_mhz(self) -> float:
        if self._max_mhz is None:  # it never changes, and each question takes the driver its time
            self._max_mhz = float(self._library.nvmlDeviceGetMaxClockInfo(self._board, _SM_CLOCK))
        return self._max_mhz

    def _take(self, missing: Reasons, field: str, ask: Callable[[], T]) -> T | None:
        if (known := self._never.get(field)) is not None:
            missing.note(field, known)
            return None

        def remembered() -> T:
            try:
                return ask()
            except Exception as error:  # border: whatever the driver raises is noted, and raised on
                code = code_of(error)
                if code in PERMANENT:
                    self._never[field] = reading_words(error)
                raise

        return missing.take(remembered, field)


def devices_of(library: NvmlLibrary, handle: object, *, is_misread: bool = False) -> list[NvmlDevice]:
    """The device, or, if it is divided, each of its instances that we may use.

    Args:
        library: The driver's.
        handle: Of the device.
        is_misread: Whether the load of processes cannot be read through it.
    """
    try:
        is_divided = library.nvmlDeviceGetMigMode(handle)[0] == _MIG_ON
    except Exception:  # noqa: BLE001 - border: most devices cannot be divided, and old drivers know of none
        is_divided = False
    whole = NvmlDevice(library, handle, others=OthersLoad(is_misread=is_misread))
    if not is_divided:
        return [whole]
    found: list[NvmlDevice] = []
    for index in range(library.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            instance = library.nvmlDeviceGetMigDeviceHandleByIndex(handle, index)
        except Exception as error:  # border: the driver's own kind of error has its code
            if code_of(error) == GPU_LOST:
                raise
            continue  # there is none of this number, or it is somebody else's
        found.append(NvmlDevice(library, instance, board=handle))
    return found or [whole]


def bytes_of(pids: Collection[int], computing: Sequence[NvmlProcess], drawing: Sequence[NvmlProcess]) -> int:
    """Memory of all ``pids`` on a device; 0 where the driver hides nobody and lists none of them.

    Each list gives all memory of a process, so one that is on both counts once; one that is several times on
    the same list has several parts.

    Raises:
        Unreadable: The driver does not tell it by process.
    """
    on_lists = []
    for processes in (computing, drawing):
        known: dict[int, int] = dict.fromkeys(pids, 0)
        for process in processes:
            if process.usedGpuMemory is None:
                raise Unreadable("Windows manages the memory of this GPU (WDDM): nobody tells it by process")
            if process.pid in known:
                known[process.pid] += process.usedGpuMemory
        on_lists.append(known)
    return sum(max(known[pid] for known in on_lists) for pid in set(pids))


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, Unreadable) else reading_words(error)


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000


def _throttles(bits: int) -> tuple[Throttle, ...]:
    found = [reason for bit, reason in _THROTTLES.items() if bits & bit]
    if bits & ~(_IDLE | sum(_THROTTLES)):
        found.append(Throttle.OTHER)
    return tuple(found)
