"""Which process a number belongs to: numbers are given again, a number with the time of its start is not."""

import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

__all__ = ["mark_by_proc", "mark_by_ps", "start_mark"]

_ENDED = ("Z", "X", "x")


def start_mark(pid: int) -> str | None:
    """What tells the living process ``pid`` from every other that had or will have its number.

    None if there is no such process, or only what its parent has not collected yet of one that ended.
    """
    if pid <= 0:
        return None
    return _mark_of(pid)


def mark_by_proc(pid: int) -> str | None:
    """``start_mark`` from what Linux shows of every process."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name stands in brackets and may hold any: what follows the last one is plain.
    fields = line.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in _ENDED:
        return None
    # Clock ticks since this boot of the machine.
    return f"{_boot_id()}-{fields[19]}"


@cache
def _boot_id() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return "unknown"


def mark_by_ps(pid: int) -> str | None:
    """``start_mark`` from ``ps``, to the second; takes some milliseconds."""
    try:
        done = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            env={"LC_ALL": "C", "TZ": "UTC0", "PATH": "/bin:/usr/bin"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    state, _, started = done.stdout.decode("ascii", errors="replace").strip().partition(" ")
    return None if not started or state.startswith(_ENDED) else " ".join(started.split())


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    def _mark_of(pid: int) -> str | None:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        kernel.OpenProcess.argtypes = [wintypes.DWORD, wintypes.BOOL, wintypes.DWORD]
        kernel.CloseHandle.argtypes = [wintypes.HANDLE]
        kernel.WaitForSingleObject.argtypes = [wintypes.HANDLE, wintypes.DWORD]
        kernel.WaitForSingleObject.restype = wintypes.DWORD
        kernel.GetProcessTimes.argtypes = [wintypes.HANDLE, *[ctypes.POINTER(wintypes.FILETIME)] * 4]
        # SYNCHRONIZE and PROCESS_QUERY_LIMITED_INFORMATION
        handle = kernel.OpenProcess(0x0010_0000 | 0x1000, False, pid)
        if not handle:
            return None
        try:
            created, *others = (wintypes.FILETIME() for _ in range(4))
            has_ended = kernel.WaitForSingleObject(handle, 0) == 0
            if has_ended or not kernel.GetProcessTimes(
                handle, ctypes.byref(created), *(ctypes.byref(other) for other in others)
            ):
                return None
            return str(created.dwHighDateTime << 32 | created.dwLowDateTime)
        finally:
            kernel.CloseHandle(handle)
elif sys.platform == "linux":
    _mark_of = mark_by_proc
else:
    _mark_of = mark_by_ps
