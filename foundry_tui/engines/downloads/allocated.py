"""How much of a folder is really on the disk: the runtime makes its files at full size, with holes."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["allocated_bytes", "files_below"]

_SIDECAR_SUFFIX = ".dlstate"
_BLOCK_BYTES = 512
_SPARSE = 0x200
_DEEPEST = 8


def allocated_bytes(folder: Path) -> int:
    """Bytes that the disk holds of the files below ``folder``, links not followed; 0 if there is none."""
    return sum(_allocated(entry) for entry in files_below(folder))


def files_below(folder: Path, deepest: int = _DEEPEST) -> Iterator["os.DirEntry[str]"]:
    """All that is no folder below ``folder``, links among it; what cannot be read is left out."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        if not _is_folder(entry):
            yield entry
        elif deepest > 0:
            yield from files_below(Path(entry.path), deepest - 1)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _allocated(entry: "os.DirEntry[str]") -> int:
    try:
        return _allocated_file(entry)
    except OSError:
        return 0  # gone between listing and looking


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    def _allocated_file(entry: "os.DirEntry[str]") -> int:
        facts = entry.stat(follow_symlinks=False)
        is_sparse = bool(facts.st_file_attributes & _SPARSE)
        if not is_sparse and Path(entry.path + _SIDECAR_SUFFIX).exists():
            # Allocated whole at its start: only the runtime's own count tells what has come.
            return 0
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.GetCompressedFileSizeW.argtypes = [wintypes.LPCWSTR, ctypes.POINTER(wintypes.DWORD)]
        kernel.GetCompressedFileSizeW.restype = wintypes.DWORD
        high = wintypes.DWORD(0)
        low: int = kernel.GetCompressedFileSizeW(entry.path, ctypes.byref(high))
        if low == 0xFFFF_FFFF and ctypes.get_last_error() != 0:
            return facts.st_size
        return high.value << 32 | low

else:

    def _allocated_file(entry: "os.DirEntry[str]") -> int:
        return entry.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
