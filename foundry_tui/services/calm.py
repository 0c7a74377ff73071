"""When Python looks for garbage: in quiet moments, never in the middle of something that is felt.

A full collection walks through everything that lives and stops the whole program meanwhile: for 20 to 50 ms,
with 20,000 models for 90 to 140.  Without one, closed screens stay in memory, for they refer to themselves.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["begin", "calm", "leave_out", "tidy"]

_NEVER = 1_000_000_000
_SELDOM = (700, 10, 1000)
"""The last resort, for a program that is never quiet: a full collection after some 7,000,000 new objects."""
_DUE = 60
"""Collections of the middle generation after which a quiet moment is used; some 25 MB of closed screens."""
_OVERDUE = 300
"""And after which it is done quiet or not: 30 ms once in a minute of unbroken typing."""
_MANY = 10
"""Collections of the middle generation, each of some 7,000 objects: a list of several thousand models.

What else lives when a list is left out stays for ever if it refers to itself, so a short one is not worth it.
"""
_lock = threading.Lock()
_holders = 0
_threshold = _SELDOM
_leaves_out = False


def begin() -> None:
    """Leave what was imported out of all collections to come, and make full ones a hundred times rarer."""
    gc.freeze()
    gc.set_threshold(*_SELDOM)


def leave_out() -> None:
    """Let the next tidying leave what it finds alive out of later ones: it is here to stay."""
    global _leaves_out
    _leaves_out = True


def tidy(*, is_quiet: bool) -> None:
    """Collect fully if it is time; called once in a while by whoever knows whether anything is going on."""
    global _leaves_out
    made = gc.get_count()[2]
    if _holders or made < (_DUE if is_quiet else _OVERDUE):
        return
    gc.collect()
    if _leaves_out:
        _leaves_out = False
        gc.freeze()


@contextmanager
def calm() -> Iterator[None]:
    """Put off full collections for the length of the block; a long list made in it is left out of later ones.

    What is left out is freed all the same once nobody refers to it.  May be entered by several at once.
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
            if gc.get_count()[2] > count + _MANY:
                leave_out()
            if _holders == 0:
                gc.set_threshold(*_threshold)
