"""Numbers as a person reads them; unknown reads n/a."""

import math
import re

__all__ = [
    "bytes_from_words",
    "bytes_in_words",
    "count_in_words",
    "plural",
    "rate_in_words",
    "seconds_in_words",
    "span_in_words",
]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
UNKNOWN = "n/a"
_PREFIXES = "kmgt"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def bytes_in_words(count: int | None, *, sign: bool = False) -> str:
    """Binary units with three significant digits: ``117 MiB``, ``2.61 GiB``; ``sign`` writes a plus."""
    if count is None:
        return UNKNOWN
    value, unit = float(abs(count)), 0
    while value >= 1023.5 and unit < len(_UNITS) - 1:
        value /= 1024
        unit += 1
    digits = 0 if unit == 0 or value >= 99.95 else 1 if value >= 9.995 else 2
    mark = "-" if count < 0 else "+" if sign else ""
    return f"{mark}{value:.{digits}f} {_UNITS[unit]}"


def bytes_from_words(text: str) -> int | None:
    """Bytes from ``5GB``, ``500 MiB``, ``2g`` or a bare number of them; None where it is no size.

    ``kb`` are 1000, ``k`` and ``kib`` 1024, and so on.
    """
    found = _SIZE.fullmatch(text.strip().lower())
    factor = None if found is None else _unit_bytes(found[2])
    count = math.inf if found is None or factor is None else float(found[1]) * factor
    return None if math.isinf(count) else round(count)


def count_in_words(count: int | None) -> str:
    """Digits in groups: ``131,072``."""
    return UNKNOWN if count is None else f"{count:,}"


def seconds_in_words(seconds: float | None) -> str:
    """``12.3 ms`` below a second, ``1.92 s`` below a minute, ``2 min 05 s`` from there."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0.9995:
        milliseconds = seconds * 1000
        return f"{milliseconds:.0f} ms" if milliseconds >= 99.95 else f"{milliseconds:.1f} ms"
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def span_in_words(seconds: float | None) -> str:
    """A stretch of hours as one speaks of it: ``45 s``, ``12 min``, ``7 h 40 min``, ``2 d 3 h``."""
    if seconds is None:
        return UNKNOWN
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def rate_in_words(tokens_per_s: float | None, *, is_estimate: bool = False) -> str:
    """``812 tok/s``, ``41.3 tok/s``; an estimate carries ``~``."""
    if tokens_per_s is None:
        return f"{UNKNOWN} tok/s"
    digits = 0 if tokens_per_s >= 99.95 else 1
    return f"{'~' if is_estimate else ''}{tokens_per_s:,.{digits}f} tok/s"


def plural(count: int, thing: str) -> str:
    """``1 request``, ``2,000 requests``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _unit_bytes(unit: str) -> int | None:
    if unit in ("", "b"):
        return 1
    power, rest = _PREFIXES.find(unit[0]) + 1, unit[1:]
    if not power or rest not in ("", "b", "ib"):
        return None
    base = 1000 if rest == "b" else 1024
    return int(base**power)
