"""Limits and weights on one line, as a person types them: ``latency<=2s memory<=4gb license:mit``."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.quantities import bytes_from_words
from foundry_tui.domain.scoring import HIGHEST, LOWEST
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.candidate import COMPARED, Dimension
from foundry_tui.metrics.selection import Asked, Limits

__all__ = ["LIMIT_EXAMPLE", "Wanted", "just_kept", "limit_line", "read_limit_line", "with_limit"]

LIMIT_EXAMPLE = "latency<=2s memory<=4gb quality>=3.5 license:mit"

_NAMES = {
    Asked.LATENCY: "latency",
    Asked.TTFT: "ttft",
    Asked.RATE: "rate",
    Asked.MEMORY: "memory",
    Asked.FOOTPRINT: "disk",
    Asked.QUALITY: "quality",
    Asked.LICENSES: "license",
}
_OTHER_NAMES = {
    "ram": Asked.MEMORY,
    "throughput": Asked.RATE,
    "footprint": Asked.FOOTPRINT,
    "licence": Asked.LICENSES,
}
_BY_NAME = {name: asked for asked, name in _NAMES.items()} | _OTHER_NAMES
_WEIGHTS = "weights"
_SIGN = r"<=|>=|≤|≥|<|>|:|="
_BLANKS = re.compile(rf"\s*({_SIGN})\s*")
_PART = re.compile(rf'(\w+)({_SIGN})("[^"]*"|\S+)')
_SECONDS = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(ms|s|min|)")
_UNITS_S = {"": 1.0, "ms": 0.001, "s": 1.0, "min": 60.0}
_SHOWN = 40
_MIB = 1 << 20
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a line asks for.

    Attributes:
        weights: By what candidates are put in order beside the Pareto list; empty where none are given.
    """

    limits: Limits = field(default_factory=Limits)
    weights: Mapping[Dimension, float] = field(default_factory=dict)


def read_limit_line(line: str) -> Wanted:
    """What ``line`` asks for; an empty one asks nothing.

    Raises:
        BadInput: A part of it cannot be meant; it says which one, and what was expected.
    """
    limits: dict[str, float | tuple[str, ...]] = {}
    weights: Mapping[Dimension, float] = {}
    rest = _BLANKS.sub(r"\1", line).strip()
    while rest:
        found = _PART.match(rest)
        if found is None:
            raise _bad(rest.split()[0], f"is no limit, such as {LIMIT_EXAMPLE}")
        part, (name, sign, value) = found[0], found.groups()
        rest = rest[found.end() :].lstrip()
        if name.casefold() == _WEIGHTS:
            weights = _weights(part, value)
            continue
        asked = _BY_NAME.get(name.casefold())
        if asked is None:
            raise _bad(part, f"is of none of {', '.join(_NAMES.values())}")
        if asked.value in limits:
            raise _bad(part, f"comes after another limit of {_NAMES[asked]}")
        if sign not in _signs(asked):
            raise _bad(part, f"cannot be: {_NAMES[asked]} takes {_signs(asked)[0]}")
        limits[asked.value] = _READ[asked](part, value.strip('"'))
    return Wanted(limits=replace(Limits(), **limits), weights=weights)  # type: ignore[arg-type]  # by its name


def limit_line(wanted: Wanted) -> str:
    """The line that ``read_limit_line`` reads as ``wanted``."""
    parts = []
    for asked, limit in wanted.limits.given():
        if isinstance(limit, tuple):
            names = ",".join(limit)
            parts.append(f'license:"{names}"' if re.search(r"\s", names) else f"license:{names}")
        else:
            parts.append(f"{_NAMES[asked]}{_signs(asked)[0]}{_value_words(asked, limit)}")
    if wanted.weights:
        given = ",".join(f"{dimension.value}={weight:g}" for dimension, weight in wanted.weights.items())
        parts.append(f"{_WEIGHTS}:{given}")
    return " ".join(parts)


def just_kept(asked: Asked, value: float | str) -> float | tuple[str, ...]:
    """The limit that ``value`` just keeps to, rounded to what a person would write."""
    if isinstance(value, str):
        return (value,)
    if asked is Asked.QUALITY:
        return math.floor(value * 100 + _ROUNDING) / 100
    if asked in (Asked.MEMORY, Asked.FOOTPRINT):
        return math.ceil(value / _MIB) * _MIB
    step = Decimal(1).scaleb(Decimal(repr(value)).adjusted() - 2) if value > 0 else Decimal(1)
    rounding = ROUND_CEILING if asked.is_most else ROUND_FLOOR
    return float((Decimal(repr(value)) / step).to_integral_value(rounding) * step)


def with_limit(wanted: Wanted, asked: Asked, limit: float | tuple[str, ...] | None) -> Wanted:
    """The same with another limit of ``asked``; None takes it away."""
    changed = replace(wanted.limits, **{asked.value: limit})  # type: ignore[arg-type]  # by its name
    return replace(wanted, limits=changed)


def _signs(asked: Asked) -> tuple[str, ...]:
    """How a limit is written; ours first."""
    if asked is Asked.LICENSES:
        return (":", "=")
    return ("<=", "≤", "<") if asked.is_most else (">=", "≥", ">")


def _value_words(asked: Asked, limit: float) -> str:
    """As exact as the limit is: what is read again is the same."""
    if asked in (Asked.LATENCY, Asked.TTFT):
        return f"{_digits(limit)}s"
    if asked in (Asked.MEMORY, Asked.FOOTPRINT):
        for unit, factor in (("gib", 1 << 30), ("gb", 10**9), ("mib", 1 << 20), ("mb", 10**6)):
            if limit >= factor and limit % factor == 0:
                return f"{limit / factor:.0f}{unit}"
        return f"{limit:.0f}b"
    return _digits(limit)


def _digits(value: float) -> str:
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _seconds(part: str, value: str) -> float:
    found = _SECONDS.fullmatch(value.casefold())
    read = None if found is None else float(found[1]) * _UNITS_S[found[2]]
    if read is None or not 0 < read < math.inf:
        raise _bad(part, "has no time such as 2s or 500ms")
    return read


def _rate(part: str, value: str) -> float:
    read = _number(value.casefold().removesuffix("tok/s"))
    if not 0 < read < math.inf:
        raise _bad(part, "has no number of tokens a second above 0")
    return read


def _bytes(part: str, value: str) -> int:
    read = bytes_from_words(value)
    if read is None:
        raise _bad(part, "has no size such as 4gb or 500mb")
    return read


def _quality(part: str, value: str) -> float:
    read = _number(value)
    if not LOWEST <= read <= HIGHEST:
        raise _bad(part, f"has no number from {LOWEST} to {HIGHEST}")
    return read


def _licenses(part: str, value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
    if not all(names):
        raise _bad(part, "has no names of licences such as mit,apache-2.0")
    return names


def _weights(part: str, value: str) -> dict[Dimension, float]:
    known = {dimension.value: dimension for dimension in COMPARED}
    weights: dict[Dimension, float] = {}
    for one in value.split(","):
        name, _, number = one.partition("=")
        dimension, weight = known.get(name.casefold()), _number(number)
        if dimension is None or dimension in weights or not 0 < weight < math.inf:
            raise _bad(part, f"is not such as weights:latency=2,memory=1, each once, of {', '.join(known)}")
        weights[dimension] = weight
    return weights


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _bad(part: str, why: str) -> BadInput:
    return BadInput(f"{clean_line(part, _SHOWN)} {why}")


_READ: Mapping[Asked, Callable[[str, str], float | tuple[str, ...]]] = {
    Asked.LATENCY: _seconds,
    Asked.TTFT: _seconds,
    Asked.RATE: _rate,
    Asked.MEMORY: _bytes,
    Asked.FOOTPRINT: _bytes,
    Asked.QUALITY: _quality,
    Asked.LICENSES: _licenses,
}
