"""Numbers as options take them; each refuses with what was expected."""

import argparse
import math
from collections.abc import Callable

from foundry_tui.domain.quantities import bytes_from_words

__all__ = ["concurrencies", "percent", "positive", "seconds", "share", "size", "temperature", "whole"]


def positive(text: str) -> int:
    """A whole number from 1 on.

    Raises:
        ArgumentTypeError: ``text`` is none, as in all of these.
    """
    return whole(1)(text)


def whole(low: int | None = None, high: int | None = None) -> Callable[[str], int]:
    """Reads a whole number from ``low`` to ``high``; None sets no end."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or (low is not None and value < low) or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{_expected(low, high)}, not {text!r}")
        return value

    return read


def concurrencies(text: str) -> tuple[int, ...]:
    """Numbers of requests at once, from 1 to 64, with commas between them: ``1,2,4,8``; each once."""
    read = whole(1, 64)
    return tuple(dict.fromkeys(read(part) for part in text.split(",")))


def temperature(text: str) -> float:
    """A number from 0 to 2."""
    value = _number(text)
    if not 0 <= value <= 2:
        raise argparse.ArgumentTypeError(f"a number from 0 to 2, not {text!r}")
    return value


def share(text: str) -> float:
    """A share between 0 and 1 from ``5`` or ``5%``."""
    value = _number(text.strip().removesuffix("%")) / 100
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"a percentage such as 5 or 5%, not {text!r}")
    return value


def percent(text: str) -> float:
    """A percentage from 0 on, from ``10`` or ``10%``."""
    value = _number(text.strip().removesuffix("%"))
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"a percentage such as 10 or 10%, not {text!r}")
    return value


def seconds(text: str) -> float:
    """A positive number of seconds."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"a positive number of seconds, not {text!r}")
    return value


def size(text: str) -> int:
    """Bytes from ``5GB``, ``500 MiB``, ``2g`` or a bare number of them."""
    read = bytes_from_words(text)
    if read is None:
        raise argparse.ArgumentTypeError(f"a size such as 5GB or 500MB, not {text!r}")
    return read


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _expected(low: int | None, high: int | None) -> str:
    if low is None:
        return "a whole number"
    return f"a whole number from {low} on" if high is None else f"a whole number from {low} to {high}"
