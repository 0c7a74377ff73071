"""A choice in words: who fits, who does not and why, the Pareto list, and how far all that holds.

What is told here is harmless to a terminal; it is no Markdown yet.
"""

from collections.abc import Callable, Sequence

from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, rate_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.candidate import COMPARED, Candidate, Dimension, Figure, Unknown, worth
from foundry_tui.metrics.intervals import BOOTSTRAP_COUNT
from foundry_tui.metrics.rank_stability import Stability, drawn_of
from foundry_tui.metrics.selection import Asked, Check, Fit, Judged, Limits, Standing, State, uncompared
from foundry_tui.reports.choice import Choice

__all__ = [
    "CHOICE_HEADER",
    "Namer",
    "caveat_lines",
    "cell",
    "characters_words",
    "choice_rows",
    "figure_words",
    "front_lines",
    "limit_lines",
    "limit_words",
    "mean_words",
    "missing",
    "namer",
    "share_words",
    "standing_line",
    "value_words",
    "weights_line",
    "why_lines",
    "why_lines_of",
]

Namer = Callable[[Candidate], str]
"""Calls a candidate by a harmless name."""

CHOICE_HEADER = (
    "MODEL",
    "FITS",
    "ANSWERS",
    *(dimension.value.upper() for dimension in Dimension),
    "TIME TO A GOOD ANSWER",
)
"""Of a table as wide as it comes out."""

_FIT_WORDS = {Fit.FITS: "yes", Fit.DOES_NOT: "no", Fit.NOT_KNOWN: "not known"}
_ASKED_WORDS = {
    Asked.LATENCY: "latency",
    Asked.TTFT: "TTFT",
    Asked.RATE: "decode rate",
    Asked.MEMORY: "memory",
    Asked.FOOTPRINT: "footprint",
    Asked.QUALITY: "quality",
    Asked.LICENSES: "license",
}
_WHY_CHARACTERS = 200


def namer(candidates: Sequence[Candidate]) -> Namer:
    """Calls each by its exact variant; by its run, too, where they are of several."""
    has_several = len({candidate.run_id for candidate in candidates}) > 1

    def name(candidate: Candidate) -> str:
        words = clean_line(candidate.model_id or candidate.model)
        return f"{words} in {clean_line(candidate.run_id[:8])}" if has_several else words

    return name


def _own(found: Choice, name: Namer | None) -> Namer:
    """``name``, else what calls the candidates by their variants."""
    return name or namer([judged.candidate for judged in found.judged])


def choice_rows(found: Choice) -> list[tuple[str, ...]]:
    """A row for each candidate under ``CHOICE_HEADER``; a cell that fails says why."""
    name = namer([judged.candidate for judged in found.judged])
    return [
        (
            name(judged.candidate),
            _FIT_WORDS[judged.fit],
            f"{judged.candidate.answers}/{judged.candidate.tried}",
            *(cell(judged, dimension) for dimension in Dimension),
            figure_words(judged.candidate.time_to_good, seconds_in_words),
        )
        for judged in found.judged
    ]


def cell(judged: Judged, dimension: Dimension) -> str:
    """``1.92 s [1.85 s, 2.00 s]``, ``2.31 s (fails: over 2 s)``, ``n/a (asked for)``."""
    value = value_words(judged.candidate, dimension)
    verdict = judged.of(dimension)
    if verdict.state is State.FAILS:
        why = "; ".join(_cell_why(check) for check in verdict.checks if check.state is State.FAILS)
        return f"{value} (fails: {why})"
    return f"{value} (asked for)" if verdict.state is State.UNKNOWN else value


def limit_lines(limits: Limits) -> list[str]:
    """Each limit in words, ``latency at most 2.00 s``; one that says so where there is none."""
    return [f"{_ASKED_WORDS[asked]} {limit_words(asked, limit)}" for asked, limit in limits.given()] or [
        "no limit: every model with an answer fits"
    ]


def why_lines(found: Choice) -> list[str]:
    """Why each of the others does not fit, or is not known to, and who fits or fails only just."""
    return [line for judged in found.judged for line in why_lines_of(found, judged)]


def why_lines_of(found: Choice, judged: Judged, name: Namer | None = None) -> list[str]:
    """The same of one candidate; none where it simply fits."""
    who = _own(found, name)(judged.candidate)
    checks = [each for one in judged.verdicts for each in one.checks]
    fails = [_breach_words(check) for check in checks if check.state is State.FAILS]
    unknown = [_unknown_words(check) for check in checks if check.state is State.UNKNOWN]
    if not judged.candidate.answers and not fails:
        unknown = ["none of its answers counts", *unknown]
    lines: list[str] = []
    if fails:
        lines.append(f"{who} does not fit: {'; '.join(fails)}")
    if unknown:
        begin = f"{who}, besides" if fails else f"{who} is not known to fit"
        lines.append(f"{begin}: {'; '.join(unknown)}")
    return [*lines, *(f"{who}: {_close_words(check)}" for check in checks if check.is_close)]


def front_lines(found: Choice) -> list[str]:
    """The Pareto list with its stability, what beats the others that fit, and what was not compared."""
    ordered = sorted(found.standings, key=lambda each: not each.is_on_front)
    return [*(standing_line(found, each) for each in ordered), *caveat_lines(found)]


def standing_line(found: Choice, standing: Standing, name: Namer | None = None) -> str:
    """Whether one that fits is on the front or what beats it, and in which share of the resamples."""
    name = _own(found, name)
    words = "on the Pareto front" if standing.is_on_front else _beaten_words(standing, name)
    return f"{name(standing.candidate)}: {words}{_stability_words(found, standing.candidate)}"


def caveat_lines(found: Choice, name: Namer | None = None) -> list[str]:
    """What was not drawn anew and not compared, of those that fit."""
    name = _own(found, name)
    lines: list[str] = []
    if found.stability is not None:
        lines += _undrawn_lines(found, name)
    if len(found.standings) > 1:
        lines += _uncompared_lines(found, name)
    if found.standings and found.stability is None:
        lines.append("how far that holds cannot be told: it takes 6 answers of a run or more")
    return lines


def weights_line(found: Choice, name: Namer | None = None) -> str | None:
    """The order by weights, which stands beside the Pareto list and never for it; None without weights."""
    if found.order is None:
        return None
    name = _own(found, name)
    given = ", ".join(f"{dimension.value}={weight:g}" for dimension, weight in found.weights)
    places, place = [], 1
    for shared in found.order.places:
        places.append(f"{place}. {' and '.join(map(name, shared))}")
        place += len(shared)
    left_out = "; ".join(
        f"{name(candidate)} is left out, {' and '.join(each.value for each in lacking)} unknown"
        for candidate, lacking in found.order.left_out
    )
    words = f"by the weights {given} (ranks, no distances): {', '.join(places) or 'nobody'}"
    return f"{words}; {left_out}" if left_out else words


def missing(candidate: Candidate, dimension: Dimension) -> Unknown | None:
    """Why ``candidate`` is not compared in ``dimension``; None where it is."""
    if worth(candidate, dimension) is not None:
        return None
    match dimension:
        case Dimension.LATENCY:
            value: object = candidate.latency
        case Dimension.THROUGHPUT:
            rates = candidate.throughput
            value = rates if isinstance(rates, Unknown) else rates.characters_per_s
        case Dimension.MEMORY:
            value = candidate.memory
        case Dimension.QUALITY:
            value = candidate.quality
        case _:
            value = candidate.footprint_bytes
    return value if isinstance(value, Unknown) else None


def figure_words(figure: Figure | Unknown, words: Callable[[float], str]) -> str:
    """``1.92 s [1.85 s, 2.00 s]``."""
    if isinstance(figure, Unknown):
        return UNKNOWN
    value = f"{'~' if figure.is_estimate else ''}{words(figure.value)}"
    if figure.interval is None:
        return value
    return f"{value} [{words(figure.interval.low)}, {words(figure.interval.high)}]"


def limit_words(asked: Asked, limit: float | tuple[str, ...]) -> str:
    """``at most 2 s``, ``one of MIT, apache-2.0``."""
    if isinstance(limit, tuple):
        return f"one of {_names(limit)}"
    return f"at {'most' if asked.is_most else 'least'} {_in_unit(asked, limit)}"


def mean_words(mean: float) -> str:
    """``4.12``; of 5."""
    return f"{mean:.2f}"


def characters_words(rate: float) -> str:
    """``165 char/s``."""
    return f"{rate:,.0f} char/s"


def value_words(candidate: Candidate, dimension: Dimension) -> str:
    """What is known of ``candidate`` in ``dimension``, on one line."""
    match dimension:
        case Dimension.LATENCY:
            waits = candidate.latency
            if isinstance(waits, Unknown):
                return UNKNOWN
            tail = "" if waits.p95_s is None else f", p95 {seconds_in_words(waits.p95_s)}"
            return f"{figure_words(waits.e2e_s, seconds_in_words)}{tail}"
        case Dimension.THROUGHPUT:
            rates = candidate.throughput
            if isinstance(rates, Unknown):
                return UNKNOWN
            tokens = figure_words(rates.tokens_per_s, rate_in_words)
            if isinstance(rates.characters_per_s, Unknown):
                return tokens
            return f"{tokens}, {characters_words(rates.characters_per_s.value)}"
        case Dimension.MEMORY:
            memory = candidate.memory
            if isinstance(memory, Unknown):
                return UNKNOWN
            rss = bytes_in_words(memory.rss_bytes)
            return rss if memory.vram_bytes is None else f"{rss} + VRAM {bytes_in_words(memory.vram_bytes)}"
        case Dimension.QUALITY:
            return figure_words(candidate.quality, mean_words)
        case Dimension.FOOTPRINT:
            size = candidate.footprint_bytes
            return UNKNOWN if isinstance(size, Unknown) else bytes_in_words(size)
        case Dimension.LICENSE:
            return UNKNOWN if isinstance(candidate.license, Unknown) else clean_line(candidate.license, 60)


def _breach_words(check: Check) -> str:
    name, value = _ASKED_WORDS[check.asked], _in_unit(check.asked, check.value)
    if isinstance(check.limit, tuple):
        return f"{name} {value} is not among {_names(check.limit)}"
    limit = _in_unit(check.asked, check.limit)
    if value == limit:  # as rounded; what breaks a limit by a hair must not look as if it kept to it
        value, limit = str(check.value), str(check.limit)
    return f"{name} {value} is {'over' if check.asked.is_most else 'under'} {limit}"


def _cell_why(check: Check) -> str:
    """The same beside a value; only the one that does not stand there is told once more."""
    if check.asked is Asked.TTFT:
        return _breach_words(check)
    if isinstance(check.limit, tuple):
        return f"not among {_names(check.limit)}"
    return f"{'over' if check.asked.is_most else 'under'} {_in_unit(check.asked, check.limit)}"


def _close_words(check: Check) -> str:
    does = "keeps to" if check.state is State.PASSES else "breaks"
    return f"its {_ASKED_WORDS[check.asked]} {does} the limit only just: its 95 % interval reaches across it"


def _unknown_words(check: Check) -> str:
    why = _why(check.value) if isinstance(check.value, Unknown) else UNKNOWN
    return f"{_ASKED_WORDS[check.asked]}: {why}"


def _in_unit(asked: Asked, value: float | str | Unknown) -> str:
    if isinstance(value, str):
        return clean_line(value, 60)
    if isinstance(value, Unknown):
        return UNKNOWN
    match asked:
        case Asked.LATENCY | Asked.TTFT:
            return f"{value:.4g} s"
        case Asked.RATE:
            return f"{value:.4g} tok/s"
        case Asked.MEMORY | Asked.FOOTPRINT:
            return bytes_in_words(round(value))
        case _:
            return f"{value:.4g}"


def _names(names: Sequence[str]) -> str:
    return ", ".join(clean_line(name, 60) for name in names)


def _why(unknown: Unknown) -> str:
    return clean_line(unknown.why, _WHY_CHARACTERS)


def _beaten_words(standing: Standing, name: Namer) -> str:
    parts = []
    for other in standing.beaten_by:
        better = [each.value for each in COMPARED if _is_better(other, standing.candidate, each)]
        aside = [each.value for each in uncompared(other, standing.candidate)]
        words = f"{name(other)} is better in {', '.join(better)} and worse in nothing"
        parts.append(f"{words} (not compared: {', '.join(aside)})" if aside else words)
    return "; ".join(parts)


def _uncompared_lines(found: Choice, name: Namer) -> list[str]:
    """``not compared in quality: a, b (not scored)``; those of one reason on one line."""
    lacking: dict[tuple[Dimension, str], list[str]] = {}
    for dimension in COMPARED:
        for standing in found.standings:
            if (unknown := missing(standing.candidate, dimension)) is not None:
                lacking.setdefault((dimension, _why(unknown)), []).append(name(standing.candidate))
    return [
        f"not compared in {dimension.value}: {', '.join(names)} ({why})"
        for (dimension, why), names in lacking.items()
    ]


def _undrawn_lines(found: Choice, name: Namer) -> list[str]:
    """Whose quality is the same in every resample, though it is not certain."""
    undrawn = [
        name(each.candidate)
        for each in found.standings
        if not isinstance(each.candidate.quality, Unknown)
        and Dimension.QUALITY not in drawn_of(each.candidate)
    ]
    if not undrawn:
        return []
    why = f"fewer than {BOOTSTRAP_COUNT} of its prompts are scored"
    return [f"quality stays as it is in the resamples: {', '.join(undrawn)} ({why})"]


def _is_better(a: Candidate, b: Candidate, dimension: Dimension) -> bool:
    mine, other = worth(a, dimension), worth(b, dimension)
    return mine is not None and other is not None and mine > other


def _stability_words(found: Choice, candidate: Candidate) -> str:
    held = found.stability_of(candidate)
    if held is None:
        return ""
    firsts = [
        f"{dimension.value} in {share_words(share)}"
        for dimension, share in held.first
        # What is not drawn is first always or never, which the table shows.
        if share and (dimension in drawn_of(candidate) or share < 1)
    ]
    first = f"; first in {', '.join(firsts)}" if firsts else ""
    return f"; of {found.resamples:,} resamples it {_held_words(held)}{first}"


def _held_words(held: Stability) -> str:
    front = f"is on the front in {share_words(held.on_front)}"
    return front if held.fits == 1 else f"fits in {share_words(held.fits)} and {front}"


def share_words(share: float) -> str:
    """``83 %``; only what held always is 100 %, and only what never did 0 %."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return "more than 99 %" if 0.99 < share < 1 else f"{share * 100:.0f} %"
