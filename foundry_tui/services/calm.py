"""Long lists made without a full garbage collection in the middle, which would hold everybody up."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["calm"]

_NEVER = 1_000_000_000
_MANY = 1
"""Collections of the middle generation, each of some 7,000 objects: short lists are left to the collector."""
_lock = threading.Lock()
_holders = 0
_threshold = gc.get_threshold()


@contextmanager
def calm() -> Iterator[None]:
    """Put off full collections for the length of the block, and leave what was made in it out of later ones.

    Measured: with 20,000 models one took 90 to 140 ms on a busy machine.  What is left out is freed all the
    same once nobody refers to it; only what refers to itself is not.  May be entered by several at once.
    """
    global _holders, _threshold
    with _lock:
        if _holders == 0:
            _threshold = gc.get_threshold()
            gc.set_threshold(_threshold[0], _threshold[1], _NEVER)
        _holders += 1
    count = gc.get_count()[2]
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                if gc.get_count()[2] > count + _MANY:
                    gc.freeze()
                gc.set_threshold(*_threshold)
