"""Readings of the machine, some at a time in few bytes, and back to equal ones.

Whole numbers are kept as differences, of each kind side by side.  Nothing is rounded or left out.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice

from foundry_tui.domain.bench import ResourceReading

__all__ = ["batches", "pressed_batch", "unpressed_batch"]

_FORMAT = 1
_MOST = 600
"""Readings in a row: of a minute, where they come all at once."""


def batches(readings: Sequence[ResourceReading]) -> Iterator[Sequence[ResourceReading]]:
    """``readings`` in the pieces that make a row each; none of nothing."""
    rest = iter(readings)
    while batch := tuple(islice(rest, _MOST)):
        yield batch


def pressed_batch(readings: Sequence[ResourceReading]) -> bytes:
    """All of them in one piece: a second of ten takes about 200 bytes."""
    columns = [
        _FORMAT,
        _differences([reading.at_ns for reading in readings]),
        _differences([reading.rss_bytes for reading in readings]),
        _differences([reading.vram_bytes for reading in readings]),
        [reading.cpu_share for reading in readings],
        _differences([reading.available_bytes for reading in readings]),
    ]
    # A checksum of its own stands at the end of what zlib makes.
    return zlib.compress(json.dumps(columns, separators=(",", ":")).encode())


def unpressed_batch(data: bytes) -> Iterator[ResourceReading]:
    """What ``pressed_batch`` was given.

    Raises:
        ValueError: It is damaged, or written by another format; some other error of its kind may come too.
    """
    try:
        found, at_ns, rss_bytes, vram_bytes, cpu_share, available_bytes = json.loads(zlib.decompress(data))
    except zlib.error as error:
        raise ValueError("a damaged piece") from error
    if found != _FORMAT:
        raise ValueError("another format")
    columns = (_sums(rss_bytes), _sums(vram_bytes), cpu_share, _sums(available_bytes))
    for at, rss, vram, cpu, available in zip(accumulate(at_ns), *columns, strict=True):
        yield ResourceReading(
            at_ns=at, rss_bytes=rss, vram_bytes=vram, cpu_share=cpu, available_bytes=available
        )


def _differences(values: Sequence[int | None]) -> list[int | None]:
    """How much each is more than the last one that is known."""
    before, differences = 0, list[int | None]()
    for value in values:
        differences.append(None if value is None else value - before)
        before = before if value is None else value
    return differences


def _sums(differences: Sequence[int | None]) -> Iterator[int | None]:
    value = 0
    for difference in differences:
        if difference is None:
            yield None
        else:
            value += difference
            yield value
