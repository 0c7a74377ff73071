"""What the benchmark page says of a run: its table, and the lines around it."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from foundry_tui.domain.bench import ModelRun, Phase, RunLimits, RunStatus
from foundry_tui.domain.chat import ChunkReceived, Outcome
from foundry_tui.domain.quantities import (
    UNKNOWN,
    bytes_in_words,
    rate_in_words,
    seconds_in_words,
    span_in_words,
)
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.latency import live_rate
from foundry_tui.metrics.measures import Measure
from foundry_tui.metrics.spread import Spread
from foundry_tui.reports.errors import error_words
from foundry_tui.reports.hidden_words import answers_words
from foundry_tui.reports.prediction_words import measured_speed_words
from foundry_tui.services.bench.state import BenchState, Step, UnderWay
from foundry_tui.tui.paint_budget import PaintBudget
from foundry_tui.tui.screens.bench.names import names_within
from foundry_tui.tui.screens.bench.tally import ModelTally, RunTally
from foundry_tui.tui.widgets.table_parts import Align, Column, Emphasis, Row, cut, place

__all__ = [
    "COLUMNS",
    "TIGHT_COLUMNS",
    "blank_words",
    "columns_for",
    "detail_lines",
    "idle_words",
    "lag_words",
    "rows_of",
    "run_limit_words",
    "spread_cell",
    "state_words",
    "under_way_words",
]

COLUMNS = (
    Column(key="model", label="Model", width=18, weight=3, priority=9),
    Column(key="state", label="Status", width=14, priority=8),
    Column(key="left", label="ETA", width=10, align=Align.RIGHT, priority=3),
    Column(key="ttft", label="TTFT ms", width=14, align=Align.RIGHT, priority=5),
    Column(key="rate", label="tok/s", width=15, align=Align.RIGHT, priority=7),
    Column(key="latency", label="Latency s", width=14, align=Align.RIGHT, priority=6),
    Column(key="memory", label="Peak RAM", width=8, align=Align.RIGHT, priority=2),
    Column(key="load", label="Load", width=8, align=Align.RIGHT, priority=1),
)
_TIGHT_WIDTHS = {"state": 11, "ttft": 12, "rate": 13, "latency": 12}
TIGHT_COLUMNS = tuple(
    replace(column, width=_TIGHT_WIDTHS.get(column.key, column.width)) for column in COLUMNS
)
"""The same where 80 cells must hold names, status and the three measures."""
_ROOMY = 86
_NAME_CELLS = 48
_MARK = "✓"
_NS_PER_S = 1_000_000_000
_MILLISECONDS = 1000.0
_MOST_DIGITS = 3
_UNTIMED = frozenset({"probe", "calibration", "certificate", "warm-up", "skipped"})
_PHASES = {
    Phase.PROBE: "probe",
    Phase.CALIBRATION: "calibration",
    Phase.CERTIFICATE: "certificate",
    Phase.WARMUP: "warm-up",
    Phase.TIMED: "asking",
}


def columns_for(width: int) -> tuple[Column, ...]:
    """What a table of that many cells shows."""
    return COLUMNS if width >= _ROOMY else TIGHT_COLUMNS


def rows_of(state: BenchState, tally: RunTally, *, width: int, marked: Collection[str] = ()) -> list[Row]:
    """One row for each model of the plan, for a table of ``width`` cells."""
    models, columns = state.run.models, columns_for(width)
    placed = place(columns, width)
    room = next((one.width for one in placed if one.column.key == "model"), columns[0].width)
    names = names_within([clean_line(model.model) for model in models], room)
    is_tight = columns is TIGHT_COLUMNS
    return [
        _row(state, model, name, tally.of(model.model), is_tight=is_tight, is_marked=model.model in marked)
        for model, name in zip(models, names, strict=True)
    ]


def spread_cell(
    found: Spread | None, measure: Measure, *, scale: float = 1.0, mark: str = "", is_tight: bool = False
) -> str:
    """The median ± half of its 95 % interval; of too few readings the worst and their number."""
    if found is None:
        return UNKNOWN
    interval = found.median_interval
    if interval is None:
        word, worst = ("max", found.max) if measure.is_time else ("min", found.min)
        number = f"n={found.n}" if is_tight else f"(n={found.n})"
        return f"{mark}{word} {_number(worst * scale)} {number}"
    half = interval.half_width * scale
    digits = max(_digits(found.median * scale), _half_digits(half))
    reach = f"{half:.{digits}f}"
    if half > 0 and not float(reach):  # it has a width
        digits = min(digits, 2) if is_tight else digits
        reach = f"<{10**-digits:.{digits}f}"
    return f"{mark}{found.median * scale:.{digits}f} ±{'' if is_tight else ' '}{reach}"


def state_words(state: BenchState) -> str:
    """How far the run is and what it does next, on one line."""
    run, doing = state.run, _doing(state)
    if state.step is Step.ENDED:
        made = f"{state.done} timed requests" if state.done != 1 else "1 timed request"
        again = sum(one.attempt > 1 and one.phase is Phase.TIMED for one in state.requests)
        return f"{doing} · {made}" + (f", {again} of them measured again" if again else "")
    parts = [doing, f"{state.done} of {state.planned} timed"]
    if state.stops:
        parts.append("ends after this request")
    elif state.pauses and state.step is not Step.PAUSED:
        parts.append("pauses after this request")
    if state.eta_s is not None:
        parts.append(f"about {span_in_words(state.eta_s)} left")
    if run.plan.precision is not None:
        parts.append(f"until within ±{run.plan.precision.half_width_share * 100:g} %")
    return " · ".join([*parts, *run_limit_words(run.plan.limits)])


def run_limit_words(limits: RunLimits) -> list[str]:
    """What ends a run or makes it wait, each in a few words."""
    said: list[str] = []
    if limits.max_s is not None:
        said.append(f"ends after {span_in_words(limits.max_s)}")
    if limits.min_free_disk_bytes is not None:
        said.append(f"ends below {bytes_in_words(limits.min_free_disk_bytes)} free")
    if limits.max_temperature_c is not None:
        said.append(f"waits above {limits.max_temperature_c:g} °C")
    return said


def blank_words(state: BenchState | None) -> str:
    """All that stands there while nothing is painted: it changes only with what the user wants of the run."""
    parts = ["Nothing is painted: o paints again"]
    if state is not None:
        models = len(state.run.plan.models)
        parts.append(f"the benchmark of {models} model{'s' if models != 1 else ''} goes on")
        if state.stops:
            parts[-1] += " to the end of this request"
        elif state.pauses:
            parts[-1] = "the benchmark is paused: p goes on"
    return " · ".join(parts)


def lag_words(budget: PaintBudget) -> str:
    """How late the screen's own event loop is, and what is done about it; "" before that is known."""
    if budget.lag_s is None:
        return ""
    words = f"this screen is {budget.lag_s * 1000:.0f} ms late"
    return f"{words} and draws half as often" if budget.is_late else words


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


def detail_lines(state: BenchState, model: ModelRun, tally: ModelTally, *, cells: int) -> list[str]:
    """Two lines about one model: what it is, and what became of it."""
    return [cut(line, cells) for line in (_identity(model), _fate(state, model, tally))]


def _row(
    state: BenchState, model: ModelRun, name: str, tally: ModelTally, *, is_tight: bool, is_marked: bool
) -> Row:
    planned = _planned(state, tally)
    status = _status_cell(state, model, tally.done, planned, is_tight=is_tight)

    def spread(measure: Measure, scale: float = 1.0) -> str:
        mark = "~" if measure in tally.estimated else ""
        return spread_cell(tally.spread(measure), measure, scale=scale, mark=mark, is_tight=is_tight)

    return Row(
        key=model.model,
        cells=(
            name,
            f"{_MARK}{status}" if is_marked else status,
            _left(state, model, tally, planned),
            spread(Measure.TTFT, _MILLISECONDS),
            spread(Measure.DECODE_RATE),
            spread(Measure.LATENCY),
            bytes_in_words(tally.peak_rss_bytes),
            seconds_in_words(None if model.load_ns is None else model.load_ns / _NS_PER_S),
        ),
        emphasis=_emphasis(state, model, tally),
    )


def _planned(state: BenchState, tally: ModelTally) -> int:
    plan = state.run.plan
    return max(plan.rounds, tally.highest_round) * len(plan.prompts)


def _status_cell(state: BenchState, model: ModelRun, done: int, planned: int, *, is_tight: bool) -> str:
    if model.outcome is Outcome.OUT_OF_MEMORY:
        return "no memory"  # the usual words do not fit
    if model.outcome not in (None, Outcome.COMPLETED):
        return _status(state, model)
    status = _status(state, model)
    # The number of timed ones is not what is waited for then.
    if status in _UNTIMED:
        return status
    words = f"{done}/{planned} {status}"
    if is_tight and len(words) > _TIGHT_WIDTHS["state"]:
        return f"{done}/{planned}" + (" …" if status == _PHASES[Phase.TIMED] else "")
    return words


def _status(state: BenchState, model: ModelRun) -> str:
    is_again = bool(state.run.reruns) and state.step is not Step.ENDED and _is_its_turn(state, model)
    if model.outcome is not None and not is_again:
        return "done" if model.outcome is Outcome.COMPLETED else model.outcome.words
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


def _is_its_turn(state: BenchState, model: ModelRun) -> bool:
    return state.model == model.model or any(one.model == model.model for one in state.under_way)


def _emphasis(state: BenchState, model: ModelRun, tally: ModelTally) -> Emphasis:
    if model.outcome is Outcome.COMPLETED:
        return Emphasis.PROBLEM if tally.failed else Emphasis.GOOD
    if model.outcome is Outcome.SKIPPED or model.model in state.skipped:
        return Emphasis.DIM
    if model.outcome is not None:
        return Emphasis.PROBLEM
    return Emphasis.NORMAL if _is_its_turn(state, model) or tally.done else Emphasis.DIM


def _left(state: BenchState, model: ModelRun, tally: ModelTally, planned: int) -> str:
    if model.outcome is not None or model.model in state.skipped or state.step is Step.ENDED:
        return "-"
    left = planned - tally.done
    if not left:
        return "-"
    return span_in_words(
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
            return "Measuring marked rounds again" if state.run.reruns else "Measuring"
        case Step.PAUSED:
            return "Paused: p goes on" if state.hold is None else f"Waits: {clean_line(state.hold)}"
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


def _fate(state: BenchState, model: ModelRun, tally: ModelTally) -> str:
    if model.outcome not in (None, Outcome.COMPLETED):
        why = f": {model.reason}" if model.reason else ""
        return clean_line(f"{_status(state, model)} after {tally.done} of its requests{why}")
    if model.warnings:
        more = f" (and {len(model.warnings) - 1} more)" if len(model.warnings) > 1 else ""
        return f"warning: {clean_line(model.warnings[-1])}{more}"
    if tally.failed:
        return f"{tally.failed} of {tally.done} failed and enter no number: Enter shows them"
    hidden = tally.hidden_answers()
    if hidden is not None:
        return f"no rate where tokens are hidden ({hidden.answers}): {answers_words(hidden)}"
    vram = f" · VRAM {bytes_in_words(tally.peak_vram_bytes)}"
    words = f"peak memory of the engine {bytes_in_words(tally.peak_rss_bytes)}{vram}"
    expected = model.prediction
    if expected is None or expected.speed is None or expected.model_id != model.model_id:
        return words
    rates = tally.spread(Measure.DECODE_RATE)
    measured = None if rates is None else rates.median
    is_estimate = Measure.DECODE_RATE in tally.estimated
    return f"{measured_speed_words(expected, measured, is_estimate=is_estimate)} · {words}"


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
    """Decimals that show at least one digit of ``half``, at most three."""
    return next((digits for digits in range(_MOST_DIGITS) if half >= 10**-digits), _MOST_DIGITS)
