"""One model over its runs: how it stood in each, what changed in between, and whether that shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench_history import MeasuredModel
from foundry_tui.domain.quantities import UNKNOWN, rate_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.comparison import Comparison, compared
from foundry_tui.metrics.measures import Measure, is_counted, read
from foundry_tui.metrics.spread import MEDIAN_INTERVAL_COUNT, Spread, spread
from foundry_tui.reports.comparison_words import comparison_sentence
from foundry_tui.reports.conversation_markdown import utc_moment
from foundry_tui.reports.json_text import interval_list
from foundry_tui.reports.run_matching import (
    Difference,
    Side,
    changes_between,
    difference_words,
    is_of_an_update,
)

__all__ = [
    "HISTORY_HEADER",
    "HISTORY_MEASURES",
    "HISTORY_RIGHT",
    "HISTORY_SCHEMA",
    "HistoryPoint",
    "chart_lines",
    "history",
    "history_object",
    "history_rows",
    "since_lines",
]

HISTORY_SCHEMA = "foundry-tui/run-history@1"
HISTORY_MEASURES = {"ttft": Measure.TTFT, "latency": Measure.LATENCY, "decode": Measure.DECODE_RATE}
"""What a history can be of, by the short name that people type."""
HISTORY_HEADER = ("RUN", "BEGUN", "VARIANT", "VERSION", "DRIVER", "EP", "DEVICE", "MEDIAN", "95 %", "N")
HISTORY_RIGHT = frozenset({7, 8, 9})

# Which of the versions that a run knows is the engine's own, the nearest to it first.
_ENGINES = ("onnxruntime-genai-core", "onnxruntime", "foundry-local-sdk", "foundry-tui")
_SHORT_ID = 8
_LEAST_CELLS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """One model in one run.

    Attributes:
        values: Of the requests that count; None where there is none, or the measure is undefined for all.
        is_estimate: Whether a value among them rests on an estimated count.
        before: What it is held against: the same variant in the run before, else what that run had of the
            model.  None for the first run.
        changes: What was not the same there, as far as it is known of both.
        comparison: Seen from ``before``; None where ``refused`` says why, and for the first run.
        refused: Those of ``changes`` that forbid a comparison: the plan, or the machine.
    """

    side: Side
    measure: Measure
    values: Spread | None
    is_estimate: bool
    before: Side | None
    changes: tuple[Difference, ...]
    comparison: Comparison | None
    refused: tuple[Difference, ...]


def history(measured: Sequence[MeasuredModel], measure: Measure) -> tuple[HistoryPoint, ...]:
    """A point for each of ``measured``, the oldest run first as they come."""
    points: list[HistoryPoint] = []
    last_run: list[MeasuredModel] = []
    own_run: list[MeasuredModel] = []
    for one in measured:
        if own_run and own_run[-1].run.id != one.run.id:
            last_run, own_run = own_run, []
        own_run.append(one)
        points.append(_point(one, _counterpart(one, last_run), measure))
    return tuple(points)


def history_rows(points: Sequence[HistoryPoint]) -> list[tuple[str, ...]]:
    """A row for each point, under ``HISTORY_HEADER``; harmless."""
    return [
        (
            clean_line(point.side.run.id[:_SHORT_ID]),
            utc_moment(point.side.run.started_unix_ms)[:16].replace("T", " "),
            clean_line(point.side.model.model_id or point.side.model.model),
            clean_line(_version(point.side)),
            clean_line(_fact(point.side.run.environment, "gpu_driver")),
            clean_line(_fact(point.side.model.facts, "execution_provider")),
            clean_line(_fact(point.side.model.facts, "device")),
            _value_words(point, None if point.values is None else point.values.median),
            _interval_words(point),
            "0" if point.values is None else str(point.values.n),
        )
        for point in points
    ]


def since_lines(points: Sequence[HistoryPoint]) -> list[str]:
    """For each point behind the first: what changed since the run before, and what can be said of it."""
    label = _labels(points)
    lines: list[str] = []
    for point in points:
        if point.before is not None:
            between = f"{label(point.before)} → {label(point.side)}"
            lines.append(f"{between}: {_changes_words(point)}; {_verdict_words(point, label)}")
    return lines


def chart_lines(points: Sequence[HistoryPoint], *, cells: int) -> list[str]:
    """A line for each point on one scale, ``cells`` wide in all, and the scale below them.

    ``●`` is the median; ``├──┤`` its 95 % interval, ``···`` from the smallest to the largest where there are
    too few readings for one.
    """
    known = [point.values for point in points if point.values is not None]
    if not known:
        return []
    ends = [end for values in known for end in _ends(values)]
    low, high = min(ends), max(ends)
    label = _labels(points)
    names = [clean_line(label(point.side), cells // 2) for point in points]
    head = max(map(len, names)) + 2
    wide = max(_LEAST_CELLS, cells - head)
    lines = [
        name.ljust(head) + ("" if point.values is None else _bar(point.values, low, high, wide))
        for name, point in zip(names, points, strict=True)
    ]
    first, last = (_value_words(points[0], end) for end in (low, high))
    scale = first if low == high else first + last.rjust(max(len(last) + 2, wide - len(first)))
    return [*(line.rstrip() for line in lines), " " * head + scale]


def history_object(model: str, measure: Measure, points: Sequence[HistoryPoint]) -> dict[str, object]:
    """Everything; ``foundry-tui schema run-history`` says what."""
    return {
        "schema": HISTORY_SCHEMA,
        "model": model,
        "measure": measure.value,
        "runs": [_point_object(point) for point in points],
    }


def _point(one: MeasuredModel, before: MeasuredModel | None, measure: Measure) -> HistoryPoint:
    readings = [
        reading
        for request in one.requests
        if is_counted(request) and (reading := read(request.trace, measure))
    ]
    side = Side(run=one.run, model=one.model)
    earlier = None if before is None else Side(run=before.run, model=before.model)
    changes = () if earlier is None else changes_between(earlier, side)
    refused = tuple(change for change in changes if not is_of_an_update(change.field))
    comparison = None
    if before is not None and not refused:
        comparison = compared(before.requests, one.requests, measure=measure)
    return HistoryPoint(
        side=side,
        measure=measure,
        values=spread([reading.value for reading in readings]),
        is_estimate=any(reading.is_estimate for reading in readings),
        before=earlier,
        changes=changes,
        comparison=comparison,
        refused=refused,
    )


def _counterpart(one: MeasuredModel, last_run: Sequence[MeasuredModel]) -> MeasuredModel | None:
    for other in last_run:
        if other.model.variant == one.model.variant:
            return other
    return last_run[0] if last_run else None


def _changes_words(point: HistoryPoint) -> str:
    if not point.changes:
        return "nothing changed that is known"
    return ", ".join(difference_words(change, sign="→") for change in point.changes)


def _verdict_words(point: HistoryPoint, label: Callable[[Side], str]) -> str:
    if point.refused:
        return f"not comparable: {', '.join(difference_words(change) for change in point.refused)}"
    if point.comparison is None or point.before is None:
        return UNKNOWN
    return comparison_sentence(point.comparison, label(point.before), label(point.side))


def _labels(points: Sequence[HistoryPoint]) -> Callable[[Side], str]:
    """What tells them apart: the run, and the variant too where there is more than one."""
    is_enough = len({point.side.model.variant for point in points}) < 2

    def label(side: Side) -> str:
        name = side.run.id[:_SHORT_ID]
        return clean_line(name if is_enough else f"{name} {side.model.variant}")

    return label


def _version(side: Side) -> str:
    """Of the engine, and of the model behind it, where they are known."""
    known = dict(side.run.environment)
    engine = next((f"{name} {known[name]}" for name in _ENGINES if known.get(name)), UNKNOWN)
    own = side.model.version
    return engine if own is None else f"{engine}, model {own}"


def _fact(facts: Sequence[tuple[str, str]], name: str) -> str:
    return dict(facts).get(name, "") or UNKNOWN


def _value_words(point: HistoryPoint, value: float | None) -> str:
    if point.measure.is_time:
        return seconds_in_words(value)
    return rate_in_words(value, is_estimate=point.is_estimate)


def _interval_words(point: HistoryPoint) -> str:
    if point.values is None:
        return UNKNOWN
    interval = point.values.median_interval
    if interval is None:
        return f"needs {_needed(point.values)} more"
    low, high = _value_words(point, interval.low), _value_words(point, interval.high)
    number, _, unit = low.rpartition(" ")
    return f"{number if high.endswith(f' {unit}') else low} to {high}"


def _needed(values: Spread) -> int:
    return MEDIAN_INTERVAL_COUNT - values.n


def _ends(values: Spread) -> tuple[float, float]:
    interval = values.median_interval
    return (values.min, values.max) if interval is None else (interval.low, interval.high)


def _bar(values: Spread, low: float, high: float, cells: int) -> str:
    def place(value: float) -> int:
        return 0 if high <= low else round((value - low) / (high - low) * (cells - 1))

    first, last = map(place, _ends(values))
    is_range = values.median_interval is None
    signs = [" "] * cells
    signs[first : last + 1] = ("·" if is_range else "─") * (last + 1 - first)
    if not is_range and first < last:
        signs[first], signs[last] = "├", "┤"
    signs[place(values.median)] = "●"
    return "".join(signs)


def _point_object(point: HistoryPoint) -> dict[str, object]:
    values, comparison = point.values, point.comparison
    interval = None if values is None else values.median_interval
    return {
        "run": point.side.run.id,
        "name": point.side.run.name or None,
        "started_at": utc_moment(point.side.run.started_unix_ms),
        "model": point.side.model.model,
        "model_id": point.side.model.model_id,
        "conditions": {name: value for name, value in point.side.conditions().items() if name != "prompts"},
        "n": 0 if values is None else values.n,
        "median": None if values is None else values.median,
        "interval": interval_list(interval),
        "min": None if values is None else values.min,
        "max": None if values is None else values.max,
        "estimated": point.is_estimate,
        "since": None
        if point.before is None
        else {
            "run": point.before.run.id,
            "model": point.before.model.model,
            "changes": [
                {"field": change.field, "before": change.a, "after": change.b} for change in point.changes
            ],
            "not_comparable": [change.field for change in point.refused],
            "verdict": None if comparison is None else comparison.verdict.value,
            "sentence": _verdict_words(point, _labels([point])),
            "ratio": None if comparison is None else comparison.ratio,
            "interval": None if comparison is None else interval_list(comparison.interval),
            "wilcoxon_p": None if comparison is None else comparison.wilcoxon_p,
            "pairs": 0 if comparison is None else comparison.pairs,
            "more_pairs": None if comparison is None else comparison.more_pairs,
        },
    }
