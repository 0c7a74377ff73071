"""What the benchmark page says of a run: its table, and the lines around it."""

from collections.abc import Sequence

from foundry_tui.domain.bench import ModelRun, Phase, RunStatus
from foundry_tui.domain.chat import ChunkReceived, Outcome
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, rate_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.latency import live_rate
from foundry_tui.metrics.measures import Measure
from foundry_tui.metrics.spread import Spread
from foundry_tui.reports.errors import error_words
from foundry_tui.services.bench.state import BenchState, Step, UnderWay
from foundry_tui.tui.presenters import left_in_words
from foundry_tui.tui.screens.bench_tally import ModelTally, RunTally
from foundry_tui.tui.widgets.table_parts import Align, Column, Emphasis, Row, cut, cut_within

__all__ = [
    "COLUMNS",
    "detail_lines",
    "histogram",
    "idle_words",
    "rows_of",
    "spread_cell",
    "state_words",
    "under_way_words",
]

COLUMNS = (
    Column(key="model", label="Model", width=11, weight=3, priority=9),
    Column(key="state", label="Status", width=12, priority=8),
    Column(key="left", label="ETA", width=9, align=Align.RIGHT, priority=3),
    Column(key="ttft", label="TTFT ms", width=14, align=Align.RIGHT, priority=5),
    Column(key="rate", label="tok/s", width=15, align=Align.RIGHT, priority=7),
    Column(key="latency", label="Latency s", width=14, align=Align.RIGHT, priority=6),
    Column(key="memory", label="Peak", width=8, align=Align.RIGHT, priority=2),
    Column(key="spread", label="Latencies", width=20, weight=1, priority=1),
)
_NAME_CELLS = 48
_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = "123456789"
_BAR_CELLS = 16
_WIDE = 100
_NS_PER_S = 1_000_000_000
_SECONDS, _MILLISECONDS = 1.0, 1000.0
_MOST_DIGITS = 3
_SIGNIFICANT = 3
_PHASES = {
    Phase.PROBE: "probe",
    Phase.CALIBRATION: "calibration",
    Phase.CERTIFICATE: "certificate",
    Phase.WARMUP: "warm-up",
    Phase.TIMED: "asking",
}


def rows_of(state: BenchState, tally: RunTally, *, name_cells: int, is_plain: bool) -> list[Row]:
    """One row for each model of the plan."""
    return [
        _row(state, model, tally.of(model.model), name_cells=name_cells, is_plain=is_plain)
        for model in state.run.models
    ]


def spread_cell(found: Spread | None, measure: Measure, *, scale: float = 1.0, mark: str = "") -> str:
    """The median ± half of its 95 % interval; of too few readings the worst and their number."""
    if found is None:
        return UNKNOWN
    interval = found.median_interval
    if interval is None:
        word, worst = ("max", found.max) if measure.is_time else ("min", found.min)
        return f"{mark}{word} {_number(worst * scale)} (n={found.n})"
    half = interval.half_width * scale
    digits = max(_digits(found.median * scale), _half_digits(half))
    return f"{mark}{found.median * scale:.{digits}f} ± {half:.{digits}f}"


def histogram(values: Sequence[float], cells: int, *, is_plain: bool = False) -> str:
    """How ``values`` spread from the least to the greatest, one cell for each part of the way.

    An empty cell had none; the highest had most.  Of equal values there is one cell.
    """
    if not values:
        return ""
    low, high = min(values), max(values)
    signs = _PLAIN_BARS if is_plain else _BARS
    if not high > low:
        return signs[-1]
    counts = [0] * cells
    for value in values:
        counts[min(cells - 1, int((value - low) / (high - low) * cells))] += 1
    most = max(counts)
    return "".join(" " if not count else signs[(count * len(signs) - 1) // most] for count in counts)


def state_words(state: BenchState) -> str:
    """How far the run is, on one line."""
    run, doing = state.run, _doing(state)
    if state.step is Step.ENDED:
        made = f"{state.done} timed requests" if state.done != 1 else "1 timed request"
        return f"{doing} · {made}"
    parts = [doing, f"{state.done} of {state.planned} timed"]
    if state.eta_s is not None:
        parts.append(f"about {left_in_words(state.eta_s)} left")
    if state.stops:
        parts.append("ends after this request")
    elif state.pauses and state.step is not Step.PAUSED:
        parts.append("pauses after this request")
    if run.plan.precision is not None:
        parts.append(f"until within ±{run.plan.precision.half_width_share * 100:g} %")
    return " · ".join(parts)


def under_way_words(one: UnderWay, others: int, sent_ns: int | None) -> str:
    """The request in flight: how fast, who counts, what for, and whose."""
    if one.phase is Phase.TIMED:
        what = f"prompt {clean_line(one.prompt_id, 24)}, round {one.round}"
    else:
        what = f"{_PHASES[one.phase]} {one.round}"
    parts = [_live_words(one.trace.chunks, sent_ns), what]
    if others:
        parts.append(f"{others} more at once")
    return " · ".join([*parts, clean_line(one.model, _NAME_CELLS)])


def idle_words(state: BenchState) -> str:
    """What stands there while there is no request in flight: what went wrong, or what one can do next."""
    if state.problem is not None:
        return error_words(state.problem)
    if state.step is not Step.ENDED:
        return "no request in flight"
    if not state.requests:
        return "nothing was asked: see above what became of each model"
    return f"e exports it here; in a shell: foundry-tui report {clean_line(state.run.id[:8])}"


def detail_lines(
    state: BenchState, model: ModelRun, tally: ModelTally, *, cells: int, is_plain: bool
) -> list[str]:
    """Three lines about one model: what it is, how its latencies spread, what became of it."""
    bars = _BAR_CELLS if cells < _WIDE else 2 * _BAR_CELLS
    lines = (_identity(model), _distribution(tally, bars, is_plain=is_plain), _fate(state, model, tally))
    return [cut(line, cells) for line in lines]


def _row(state: BenchState, model: ModelRun, tally: ModelTally, *, name_cells: int, is_plain: bool) -> Row:
    planned = _planned(state, tally)
    rate_mark = "~" if Measure.DECODE_RATE in tally.estimated else ""
    return Row(
        key=model.model,
        cells=(
            cut_within(clean_line(model.model), name_cells),
            _status_cell(state, model, tally.done, planned),
            _left(state, model, tally, planned),
            spread_cell(tally.spread(Measure.TTFT), Measure.TTFT, scale=_MILLISECONDS),
            spread_cell(tally.spread(Measure.DECODE_RATE), Measure.DECODE_RATE, mark=rate_mark),
            spread_cell(tally.spread(Measure.LATENCY), Measure.LATENCY, scale=_SECONDS),
            bytes_in_words(tally.peak_rss_bytes),
            histogram(tally.readings[Measure.LATENCY], _BAR_CELLS, is_plain=is_plain),
        ),
        emphasis=_emphasis(state, model, tally),
    )


def _planned(state: BenchState, tally: ModelTally) -> int:
    plan = state.run.plan
    return max(plan.rounds, tally.highest_round) * len(plan.prompts)


def _status_cell(state: BenchState, model: ModelRun, done: int, planned: int) -> str:
    if model.outcome is Outcome.OUT_OF_MEMORY:
        return "no memory"  # the usual words do not fit
    if model.outcome not in (None, Outcome.COMPLETED):
        return _status(state, model)
    return f"{done}/{planned} {_status(state, model)}"


def _status(state: BenchState, model: ModelRun) -> str:
    if model.outcome is not None:
        return "done" if model.outcome is Outcome.COMPLETED else model.outcome.value.replace("_", " ")
    if model.model in state.skipped:
        return "skipped"
    if state.step is Step.ENDED:
        return "not done"
    own = [one.phase for one in state.under_way if one.model == model.model]
    if own:
        return _PHASES[own[0]]
    if state.model == model.model and state.step in (Step.LOADING, Step.UNLOADING):
        return state.step.value
    return "paused" if state.step is Step.PAUSED else "waits"


def _emphasis(state: BenchState, model: ModelRun, tally: ModelTally) -> Emphasis:
    if model.outcome is Outcome.COMPLETED:
        return Emphasis.PROBLEM if tally.failed else Emphasis.GOOD
    if model.outcome is Outcome.SKIPPED or model.model in state.skipped:
        return Emphasis.DIM
    if model.outcome is not None:
        return Emphasis.PROBLEM
    is_its_turn = state.model == model.model or any(one.model == model.model for one in state.under_way)
    return Emphasis.NORMAL if is_its_turn or tally.done else Emphasis.DIM


def _left(state: BenchState, model: ModelRun, tally: ModelTally, planned: int) -> str:
    if model.outcome is not None or model.model in state.skipped or state.step is Step.ENDED:
        return "-"
    left = planned - tally.done
    if not left:
        return "-"
    return left_in_words(
        left * tally.span_s / tally.spans / state.run.plan.concurrency if tally.spans else None
    )


def _doing(state: BenchState) -> str:
    name = "" if state.model is None else f" {clean_line(state.model, _NAME_CELLS)}"
    match state.step:
        case Step.STARTING:
            return "Starting"
        case Step.LOADING:
            return f"Loading{name or ' the engine anew'}"
        case Step.ASKING:
            return "Measuring"
        case Step.PAUSED:
            return "Paused: p goes on"
        case Step.UNLOADING:
            return f"Unloading{name}"
        case Step.ENDED:
            return _ENDS[state.run.status]


_ENDS = {
    RunStatus.RUNNING: "Not ended: r resumes it",
    RunStatus.COMPLETED: "Complete",
    RunStatus.INTERRUPTED: "Stopped before its end: r resumes it",
    RunStatus.FAILED: "Failed",
}


def _identity(model: ModelRun) -> str:
    facts = dict(model.facts)
    loaded = None if model.load_ns is None else f"loaded in {seconds_in_words(model.load_ns / _NS_PER_S)}"
    wanted = (model.model_id or model.model, facts.get("device"), loaded, facts.get("execution_provider"))
    return " · ".join(clean_line(value, 2 * _NAME_CELLS) for value in wanted if value)


def _distribution(tally: ModelTally, cells: int, *, is_plain: bool) -> str:
    found = tally.spread(Measure.LATENCY)
    if found is None:
        return "no latency yet"
    if found.n == 1:
        return f"latency {seconds_in_words(found.max)} (n=1)"
    bars = histogram(tally.readings[Measure.LATENCY], cells, is_plain=is_plain)
    ends = f"{seconds_in_words(found.min)} {bars} {seconds_in_words(found.max)}"
    return f"latency {ends} · median {seconds_in_words(found.median)} (n={found.n})"


def _fate(state: BenchState, model: ModelRun, tally: ModelTally) -> str:
    if model.outcome not in (None, Outcome.COMPLETED):
        why = f": {model.reason}" if model.reason else ""
        return clean_line(f"{_status(state, model)} after {tally.done} of its requests{why}")
    if model.warnings:
        more = f" (and {len(model.warnings) - 1} more)" if len(model.warnings) > 1 else ""
        return f"warning: {clean_line(model.warnings[-1])}{more}"
    if tally.failed:
        return f"{tally.failed} of {tally.done} failed and enter no number: Enter shows them"
    if tally.hidden:
        return f"{tally.hidden} answers hold hidden tokens and have no rate"
    vram = f" · VRAM {bytes_in_words(tally.peak_vram_bytes)}"
    return f"peak memory of the engine {bytes_in_words(tally.peak_rss_bytes)}{vram}"


def _live_words(chunks: Sequence[ChunkReceived], sent_ns: int | None) -> str:
    if not chunks:
        return "waiting for the first token"
    rate = live_rate(chunks)
    words = "… tok/s" if rate is None else rate_in_words(rate.tokens_per_s, is_estimate=rate.is_estimate)
    if rate is not None:
        words += f" ({rate.source.value})"
    first = "" if sent_ns is None else f"TTFT {seconds_in_words((chunks[0].at_ns - sent_ns) / _NS_PER_S)} · "
    return f"{first}{words}"


def _number(value: float) -> str:
    return f"{value:.{_digits(value)}f}"


def _digits(value: float) -> int:
    """Decimals for three significant digits, at most two."""
    return 0 if value >= 99.95 else 1 if value >= 9.995 else 2


def _half_digits(half: float) -> int:
    """Decimals that show at least one digit of ``half``, at most three: only one of no width reads ± 0."""
    return next((digits for digits in range(_MOST_DIGITS) if half >= 10**-digits), _MOST_DIGITS)
