"""Options of ``bench`` for a run that is left to itself, and for what counts as fast enough."""

import argparse
import math
import re

from foundry_tui.cli.numbers import size
from foundry_tui.domain.bench import GoodputLimits, MemoryRescue, RunLimits
from foundry_tui.metrics.goodput import LIMITS

__all__ = ["GIVEN", "add_limits", "limits_of"]

GIVEN = ("on_out_of_memory", "stop_repetition", "goodput")
"""What an interrupted run has decided already, by option; its limits may be others when it goes on."""

_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_GOODPUT_KEYS = {"ttft": "ttft_s", "per-token": "per_token_s"}


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add them, in groups of their own."""
    alone = parser.add_argument_group("left to itself: each limit ends the run so that --resume goes on")
    alone.add_argument(
        "--time-limit", metavar="SPAN", type=_span, help="begin no request after 8h, 90m or 3600 s"
    )
    alone.add_argument(
        "--min-free-disk", metavar="SIZE", type=size, help="nor with less than 5GB left where runs are kept"
    )
    alone.add_argument(
        "--max-temperature",
        metavar="C",
        type=_degrees,
        help="ask nothing while the machine is hotter than C °C; end if it does not cool down",
    )
    alone.add_argument(
        "--on-out-of-memory",
        choices=[rescue.value for rescue in MemoryRescue],
        help="unload for a model without memory: none, own (what was loaded for the run; default), or all",
    )
    alone.add_argument(
        "--stop-repetition",
        action=argparse.BooleanOptionalAction,
        help="end an answer that goes round in circles (default: only where the runtime is our own)",
    )
    parser.add_argument(
        "--goodput",
        metavar="LIMITS",
        type=_goodput,
        help=f"count answers that were fast enough: {', '.join(LIMITS)}, or such as ttft=1.5,per-token=0.1 in"
        " seconds",
    )


def limits_of(arguments: argparse.Namespace, entry: RunLimits | None) -> RunLimits:
    """Options over what the plan file says."""
    known = entry or RunLimits()
    return RunLimits(
        max_s=known.max_s if arguments.time_limit is None else arguments.time_limit,
        min_free_disk_bytes=(
            known.min_free_disk_bytes if arguments.min_free_disk is None else arguments.min_free_disk
        ),
        max_temperature_c=(
            known.max_temperature_c if arguments.max_temperature is None else arguments.max_temperature
        ),
    )


def _span(text: str) -> float:
    """Seconds from ``90``, ``90s``, ``15m``, ``8h``, ``1h30m`` or ``2d``."""
    parts = _SPAN.findall(text.strip().lower())
    is_whole = "".join("".join(part) for part in parts) == re.sub(r"\s", "", text.lower())
    total = sum(float(number) * _SECONDS.get(unit, math.nan) for number, unit in parts)
    # A bare number among others, as in 1h30, may mean minutes or seconds.
    is_bare = len(parts) > 1 and any(not unit for _, unit in parts)
    if not is_whole or is_bare or not 0 < total < math.inf:
        raise argparse.ArgumentTypeError(f"a span such as 8h, 90m or 3600, not {text!r}")
    return total


def _degrees(text: str) -> float:
    """A temperature in °C, from ``85`` or ``85C``."""
    try:
        limits = RunLimits(max_temperature_c=float(text.strip().lower().removesuffix("c").removesuffix("°")))
    except ValueError:
        limits = RunLimits()
    if limits.max_temperature_c is None:
        raise argparse.ArgumentTypeError(f"a temperature from 20 to 150 °C, not {text!r}")
    return limits.max_temperature_c


def _goodput(text: str) -> GoodputLimits:
    """Limits by their name, or one by one."""
    known = LIMITS.get(text.strip().lower())
    if known is not None:
        return known
    values: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        key = _GOODPUT_KEYS.get(name.strip().lower())
        try:
            value = float(number.strip().lower().removesuffix("s"))
        except ValueError:
            value = math.nan
        if key is None or key in values or not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(
                f"{', '.join(LIMITS)}, or limits such as ttft=1.5,per-token=0.1, not {text!r}"
            )
        values[key] = value
    # Its own words in one order: the same limits have the same name, however they were given.
    name = ",".join(f"{word}={values[key]:g}" for word, key in _GOODPUT_KEYS.items() if key in values)
    return GoodputLimits(name=name, ttft_s=values.get("ttft_s"), per_token_s=values.get("per_token_s"))
