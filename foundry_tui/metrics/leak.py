"""Whether memory comes back: what is left after an unload, and how much each request adds."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.bench import ModelRun, Phase, RequestRun
from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.residual import MemoryKind, Residual
from foundry_tui.metrics.trend import Point, rise_p, slope

__all__ = ["Growth", "GrowthVerdict", "MemoryKind", "Residual", "growth", "residuals"]

_MIB = 1 << 20
_LEAST_SLOPE = _MIB
_ALPHA = 0.01
_GOES_ON_SHARE = 0.25
_MOST = 200
"""Requests that enter a slope, thinned out evenly: their pairs grow as the square."""


class GrowthVerdict(StrEnum):
    """What can be said of memory from request to request."""

    GROWS = "grows"
    FLAT = "flat"
    """No growth was shown, which is not that there is none."""
    TOO_FEW = "too-few"
    """No outcome of so few requests could show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How much one kind of memory grows with each request of a model.

    Attributes:
        requests: How many were read.
        bytes_per_request: The median over all pairs of one prompt; None without a pair.
        interval: Of it, 95 %; None where the requests are too few.
        p: How likely such a growth is where there is none; None without a pair.
    """

    kind: MemoryKind
    verdict: GrowthVerdict
    requests: int
    bytes_per_request: float | None
    interval: Interval | None
    p: float | None


def residuals(model: ModelRun, requests: Sequence[RequestRun]) -> tuple[Residual, ...]:
    """Each kind of memory that was read around the model, RSS first.

    They are the process's; only where it held no other model meanwhile are they that model's.
    """
    rss = [request.peak_rss_bytes for request in requests if request.phase is Phase.TIMED]
    vram = [request.peak_vram_bytes for request in requests if request.phase is Phase.TIMED]
    found = (
        Residual(
            kind=MemoryKind.RSS,
            before_bytes=model.rss_before_bytes,
            loaded_bytes=model.rss_loaded_bytes,
            peak_bytes=_highest(rss),
            after_bytes=model.rss_after_bytes,
        ),
        Residual(
            kind=MemoryKind.USS,
            before_bytes=model.uss_before_bytes,
            loaded_bytes=model.uss_loaded_bytes,
            peak_bytes=None,
            after_bytes=model.uss_after_bytes,
        ),
        Residual(
            kind=MemoryKind.VRAM,
            before_bytes=model.vram_before_bytes,
            loaded_bytes=model.vram_loaded_bytes,
            peak_bytes=_highest(vram),
            after_bytes=model.vram_after_bytes,
        ),
    )
    return tuple(
        each
        for each in found
        if any(
            known is not None
            for known in (each.before_bytes, each.loaded_bytes, each.peak_bytes, each.after_bytes)
        )
    )


def growth(requests: Sequence[RequestRun], kind: MemoryKind) -> Growth | None:
    """What each request of one model adds to the highest reading, by the timed ones; None if none was read.

    GROWS where Kendall's one-sided exact p over the pairs of the same prompt is below 0.01, the median slope
    (Theil and Sen) is at least 1 MiB a request, and the later half of the requests still rises a quarter as
    fast: what an engine sets aside at its first requests, and then keeps, is no leak.  TOO_FEW where even
    readings that rise without a break would not reach that p.  Requests of every phase count as steps.
    """
    readings = [
        (place, request)
        for place, request in enumerate(requests)
        if request.phase is Phase.TIMED and _peak(request, kind) is not None
    ]
    if not readings:
        return None
    thinned = readings[:: max(1, math.ceil(len(readings) / _MOST))]
    groups = _by_prompt(thinned, kind)
    values = [[value for _, value in group] for group in groups]
    found, p = slope(groups), rise_p(values)
    best = 1 / math.prod(math.factorial(len(group)) for group in groups)
    return Growth(
        kind=kind,
        verdict=_verdict(groups, None if found is None else found.value, p, best),
        requests=len(readings),
        bytes_per_request=None if found is None else found.value,
        interval=None if found is None else found.interval,
        p=None if found is None else p,
    )


def _verdict(
    groups: Sequence[Sequence[Point]], bytes_per_request: float | None, p: float, best: float
) -> GrowthVerdict:
    if bytes_per_request is None or best >= _ALPHA:
        return GrowthVerdict.TOO_FEW
    if p >= _ALPHA or bytes_per_request < _LEAST_SLOPE:
        return GrowthVerdict.FLAT
    later = slope([group[len(group) // 2 :] for group in groups])
    if later is not None and later.value < _GOES_ON_SHARE * bytes_per_request:
        return GrowthVerdict.FLAT
    return GrowthVerdict.GROWS


def _by_prompt(readings: Sequence[tuple[int, RequestRun]], kind: MemoryKind) -> list[list[Point]]:
    groups: defaultdict[str, list[Point]] = defaultdict(list)
    for place, request in readings:
        value = _peak(request, kind)
        if value is not None:
            groups[request.prompt_id].append((place, value))
    return list(groups.values())


def _peak(request: RequestRun, kind: MemoryKind) -> int | None:
    # Of USS none is read over a request: reading it takes too long.
    match kind:
        case MemoryKind.RSS:
            return request.peak_rss_bytes
        case MemoryKind.VRAM:
            return request.peak_vram_bytes
        case MemoryKind.USS:
            return None


def _highest(values: Sequence[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
