"""A process that takes and gives back memory when it is told to: ``python -m tests.support.allocator``.

Each line of its stdin is a number of MiB to hold from then on, of a file if a path follows; it answers
``held`` once it holds them.
"""

import mmap
import sys
from pathlib import Path

__all__ = ["main", "taken"]

_MIB = 1024 * 1024
_PAGE = 4096


def taken(mib: int, path: Path | None = None) -> mmap.mmap:
    """Resident memory, of nobody else or of a file of that size."""
    if path is None:
        held = mmap.mmap(-1, mib * _MIB)
    else:
        with path.open("r+b") as file:
            held = mmap.mmap(file.fileno(), mib * _MIB)
    for at in range(0, mib * _MIB, _PAGE):
        held[at] = 1  # a page that was never written is not resident
    return held


def main() -> None:
    """Obey until stdin ends."""
    held: mmap.mmap | None = None
    for line in sys.stdin:
        if held is not None:
            held.close()  # a mapping goes back to the system at once; what malloc frees may stay
            held = None
        mib, _, path = line.rstrip("\n").partition(" ")
        if int(mib):
            held = taken(int(mib), Path(path) if path else None)
        sys.stdout.write("held\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
