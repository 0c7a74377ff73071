"""The quality of models in words, as table rows, and as objects for JSON; the words and rows are harmless."""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from foundry_tui.domain.quantities import UNKNOWN, plural, seconds_in_words
from foundry_tui.domain.scoring import HIGHEST, Rubric
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.agreement import NoInterval
from foundry_tui.metrics.intervals import BOOTSTRAP_COUNT, Interval
from foundry_tui.metrics.quality import (
    GoodShare,
    MeanScore,
    ModelQuality,
    NoTimeToGood,
    TimeToGood,
)
from foundry_tui.metrics.run_quality import RunQuality
from foundry_tui.reports.agreement_words import criterion_word, percent_words
from foundry_tui.reports.json_text import interval_list

__all__ = [
    "QUALITY_HEADER",
    "QUALITY_RIGHT",
    "good_words",
    "mean_cells",
    "mean_object",
    "quality_lines",
    "quality_object",
    "quality_rows",
    "quality_words",
    "scored_object",
    "time_to_good_object",
    "time_to_good_words",
]

QUALITY_HEADER = ("MODEL", "CRITERION", "MEAN", "95 %", "SCORED", "PROMPTS")
QUALITY_RIGHT = frozenset({2, 3, 4, 5})

_Object: TypeAlias = dict[str, object]

_ALL = "all"
_NAME_CHARACTERS = 60


def quality_words(found: ModelQuality) -> str:
    """``quality 3.92 [3.61, 4.20] of 5 (36 of 40 answers scored, 12 prompts, 2 people)``."""
    overall = found.overall
    scored = f"{overall.answers} of {plural(overall.scorable, 'answer')} scored"
    if overall.mean is None:
        return f"quality {UNKNOWN}: {_no_mean(found)}"
    ends = "" if overall.interval is None else f" {_ends(overall.interval)}"
    notes = [scored, plural(overall.prompts, "prompt"), _people(found.annotators)]
    if overall.no_interval is not None:
        notes.append(f"no interval: {_no_interval(overall.no_interval)}")
    return f"quality {overall.mean:.2f}{ends} of {HIGHEST} ({', '.join(notes)})"


def good_words(found: GoodShare) -> str:
    """``58 % [42, 75] of the answers good (21 of 36 at 4 or more)``."""
    if found.share is None:
        return f"good answers {UNKNOWN}: none is scored by every criterion"
    ends = ""
    if found.interval is not None:
        ends = f" [{found.interval.low * 100:.0f}, {found.interval.high * 100:.0f}]"
    return (
        f"{percent_words(found.share)}{ends} of the answers good"
        f" ({found.good} of {found.answers} at {found.least:g} or more)"
    )


def time_to_good_words(found: TimeToGood) -> str:
    """``a good answer takes 3.20 s [2.50 s, 5.10 s] (median latency 1.92 s, 21 of 36 at 4 or more)``."""
    if found.seconds is None or found.median_latency_s is None:
        return f"time to a good answer {UNKNOWN}: {_no_time(found)}"
    notes = [
        f"median latency {seconds_in_words(found.median_latency_s)}",
        f"{found.good.good} of {found.good.answers} at {found.good.least:g} or more",
    ]
    ends = ""
    if found.interval is not None:
        low, high = (seconds_in_words(end) for end in (found.interval.low, found.interval.high))
        ends = f" [{low}, {high}]"
    elif found.no_interval is not None:
        notes.append(f"no interval: {_no_interval(found.no_interval)}")
    return f"a good answer takes {seconds_in_words(found.seconds)}{ends} ({', '.join(notes)})"


def quality_lines(found: ModelQuality, time: TimeToGood | None = None) -> list[str]:
    """What is known of one model, a line for each; then what is left out."""
    model = _name(found.model)
    lines = [f"{model}: {quality_words(found)}"]
    if found.overall.answers:
        lines.append(f"{model}: {good_words(found.good)}")
    if time is not None:
        lines.append(f"{model}: {time_to_good_words(time)}")
    left_out = []
    if found.partly and found.overall.answers:
        left_out.append(f"{plural(found.partly, 'answer')} scored by some criteria only")
    if found.other_rubric_scores:
        left_out.append(f"{plural(found.other_rubric_scores, 'score')} under another version of the rubric")
    if found.repeats:
        left_out.append(f"{plural(found.repeats, 'score')} given when an answer was shown again")
    return [*lines, f"{model}: left out: {', '.join(left_out)}"] if left_out else lines


def quality_rows(qualities: Sequence[ModelQuality], *, rubric: Rubric | None = None) -> list[tuple[str, ...]]:
    """Under ``QUALITY_HEADER``: for each model a row for each criterion, then one for all together."""
    rows = []
    for found in qualities:
        model = _name(found.model)
        for criterion, own in found.criteria:
            rows.append((model, criterion_word(criterion, found.rubric_sha256, rubric), *mean_cells(own)))
        rows.append((model, _ALL, *mean_cells(found.overall)))
    return rows


def quality_object(found: ModelQuality, time: TimeToGood | None = None) -> _Object:
    """Everything of one model; unknown is null, with the reason beside it."""
    return {
        "model": found.model,
        "rubric_sha256": found.rubric_sha256,
        "overall": mean_object(found.overall),
        "criteria": [{"id": criterion, **mean_object(own)} for criterion, own in found.criteria],
        "good": _good_object(found.good),
        "partly_scored": found.partly,
        "annotators": found.annotators,
        "other_rubric_scores": found.other_rubric_scores,
        "repeats": found.repeats,
        "time_to_good": None if time is None else time_to_good_object(time),
    }


def scored_object(quality: RunQuality | None, model: str) -> _Object:
    """``quality`` of an entry of the results, if anything of that model is scored; else nothing."""
    pair = None if quality is None else quality.of(model)
    if pair is None or not (pair[0].overall.answers or pair[0].partly):
        return {}
    return {"quality": quality_object(*pair)}


def time_to_good_object(found: TimeToGood) -> _Object:
    """How long a good answer takes, in seconds."""
    return {
        "seconds": found.seconds,
        "no_time": None if found.no_time is None else found.no_time.value,
        "interval": interval_list(found.interval),
        "no_interval": None if found.no_interval is None else found.no_interval.value,
        "median_latency_s": found.median_latency_s,
        "good": _good_object(found.good),
    }


def mean_object(found: MeanScore) -> _Object:
    """What was got by one criterion, or by all."""
    return {
        "mean": found.mean,
        "interval": interval_list(found.interval),
        "no_interval": None if found.no_interval is None else found.no_interval.value,
        "answers": found.answers,
        "scorable": found.scorable,
        "coverage": found.coverage,
        "prompts": found.prompts,
    }


def _good_object(found: GoodShare) -> _Object:
    return {
        "least": found.least,
        "good": found.good,
        "answers": found.answers,
        "share": found.share,
        "interval": interval_list(found.interval),
        "no_interval": None if found.no_interval is None else found.no_interval.value,
    }


def mean_cells(found: MeanScore) -> tuple[str, ...]:
    """Mean, interval, how many are scored, and of how many prompts."""
    return (
        UNKNOWN if found.mean is None else f"{found.mean:.2f}",
        UNKNOWN if found.interval is None else _ends(found.interval),
        f"{found.answers} of {found.scorable}",
        str(found.prompts),
    )


def _ends(interval: Interval) -> str:
    return f"[{interval.low:.2f}, {interval.high:.2f}]"


def _no_mean(found: ModelQuality) -> str:
    if not found.overall.scorable:
        return "it has no answer to score"
    answers = f"none of {plural(found.overall.scorable, 'answer')}"
    if found.partly:
        return f"{answers} is scored by every criterion, {found.partly} by some"
    return f"{answers} is scored"


def _no_time(found: TimeToGood) -> str:
    match found.no_time:
        case NoTimeToGood.NO_LATENCY | None:
            return "no answer has a latency"
        case NoTimeToGood.NO_SCORES:
            return "no answer is scored by every criterion"
        case NoTimeToGood.NO_GOOD_ANSWER:
            scored = plural(found.good.answers, "scored answer")
            return f"none of {scored} is at {found.good.least:g} or more"
        case _:
            assert_never(found.no_time)


def _no_interval(why: NoInterval) -> str:
    match why:
        case NoInterval.TOO_FEW:
            return f"fewer than {BOOTSTRAP_COUNT} scored prompts"
        case NoInterval.NO_SPREAD:
            return "every prompt came to the same, so samples of them tell nothing"
        case NoInterval.UNBOUNDED:
            return "so few answers are good that it has no upper end"
        case _:
            assert_never(why)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _name(text: str) -> str:
    return clean_line(text, _NAME_CHARACTERS)
