"""Readings of the machine for tests of whatever keeps or shows them."""

import random

from foundry_tui.domain.bench import ResourceReading

__all__ = ["some_readings"]


def some_readings(count: int, *, seed: int = 1, begin_ns: int = 1_000_000_000) -> tuple[ResourceReading, ...]:
    """``count`` of them, ten a second but for what a busy machine adds; now and then something is unknown."""
    dice = random.Random(seed)
    readings: list[ResourceReading] = []
    for place in range(count):
        rss_bytes = 300_000_000 + dice.randrange(50_000) * 4096
        readings.append(
            ResourceReading(
                at_ns=begin_ns + place * 100_000_000 + dice.randrange(20_000_000),
                rss_bytes=dice.choice((None, rss_bytes, rss_bytes, rss_bytes)),
                vram_bytes=dice.choice((None, 0, 2**33 + dice.randrange(1000))),
                cpu_share=dice.choice((None, 0.0, round(dice.random() * 4, 3))),
                available_bytes=dice.choice((None, 2**34 - dice.randrange(2**30))),
            )
        )
    return tuple(readings)
