"""Automatic checks in words, as table rows, and as objects for JSON; the words and rows are harmless."""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from foundry_tui.domain.check_form import check_object
from foundry_tui.domain.checks import (
    Check,
    Contains,
    ContainsNot,
    Extent,
    FollowsSchema,
    InLanguage,
    IsJson,
    Matches,
    Needs,
    NumberIs,
    Which,
)
from foundry_tui.domain.quantities import UNKNOWN, plural
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.checks import CheckedAnswer, ModelChecks, Passed
from foundry_tui.metrics.intervals import Interval
from foundry_tui.reports.agreement_words import percent_words
from foundry_tui.reports.json_text import interval_list

__all__ = [
    "CHECKS_HEADER",
    "CHECKS_RIGHT",
    "check_words",
    "checks_lines",
    "checks_object",
    "checks_rows",
    "finding_lines",
    "summary_checks_object",
    "unanswered_lines",
]

CHECKS_HEADER = ("MODEL", "PASSED", "SHARE", "95 %", "ANSWERS", "95 %", "N/A")
CHECKS_RIGHT = frozenset({1, 2, 3, 4, 5, 6})

_Object: TypeAlias = dict[str, object]

_NAME_CHARACTERS = 60
_TEXT_CHARACTERS = 40
_WHY_CHARACTERS = 200


def checks_rows(models: Sequence[ModelChecks]) -> list[tuple[str, ...]]:
    """Under ``CHECKS_HEADER``: how many checks passed, and how many answers passed all of theirs."""
    return [
        (
            _name(found.model),
            f"{found.passed}/{found.made}",
            UNKNOWN if found.share is None else percent_words(found.share),
            _ends(found.interval),
            f"{found.answers_passed}/{found.answers_made}",
            _ends(found.answers_interval),
            str(found.not_applicable),
        )
        for found in models
    ]


def checks_lines(models: Sequence[ModelChecks]) -> list[str]:
    """``alpha: 12 of 14 checks passed, 86 % [60, 96]``, for each model that has any."""
    lines = []
    for found in models:
        if found.share is not None:
            ends = "" if found.interval is None else f" {_ends(found.interval)}"
            count = f"{found.passed} of {plural(found.made, 'check')} passed"
            lines.append(f"{_name(found.model)}: {count}, {percent_words(found.share)}{ends}")
    return lines


def finding_lines(models: Sequence[ModelChecks], passed: Passed) -> list[str]:
    """``arithmetic, alpha: one number, 165: expected 165, found 155``: prompt by prompt, a line for each."""
    answers = [answer for found in models for answer in found.answers]
    prompts = dict.fromkeys(answer.prompt_id for answer in answers)
    return [
        line
        for prompt_id in prompts
        for answer in answers
        if answer.prompt_id == prompt_id
        for line in _lines_of(answer, passed)
    ]


def unanswered_lines(models: Sequence[ModelChecks]) -> list[str]:
    """Which prompts with checks a model has no answer to, a line for each model."""
    return [
        f"{_name(found.model)}: no answer to {clean_line(', '.join(found.unanswered), _WHY_CHARACTERS)}"
        for found in models
        if found.unanswered
    ]


def check_words(check: Check) -> str:
    """What is asked for, in a few words: ``one number, 165``."""
    match check:
        case Contains(texts=texts, needs=needs):
            return f"contains {_quoted(texts, ' or ' if needs is Needs.ANY else ' and ')}"
        case ContainsNot(texts=texts):
            return f"does not contain {_quoted(texts, ' or ')}"
        case Matches(pattern=pattern):
            return f"matches {clean_line(pattern, _TEXT_CHARACTERS)}"
        case IsJson():
            return "is JSON"
        case FollowsSchema():
            return "is JSON of the schema"
        case NumberIs(equals=equals, tolerance=tolerance, which=which):
            room = f" ± {tolerance:g}" if tolerance else ""
            return f"{_WHICH_WORDS[which]}, {equals:.15g}{room}"
        case Extent(unit=unit, low=low, high=high):
            if high is None:
                return f"at least {plural(low or 0, unit.singular)}"
            if low is None:
                return f"at most {plural(high, unit.singular)}"
            ends = "exactly" if low == high else f"{low} to"
            return f"{ends} {plural(high, unit.singular)}"
        case InLanguage(language=language):
            return f"is in {language}"
        case _:
            assert_never(check)


def checks_object(found: ModelChecks) -> _Object:
    """Everything of one model; unknown is null."""
    return {
        "model": found.model,
        "passed": found.passed,
        "made": found.made,
        "not_applicable": found.not_applicable,
        "share": found.share,
        "interval": interval_list(found.interval),
        "answers_passed": found.answers_passed,
        "answers_made": found.answers_made,
        "answers_interval": interval_list(found.answers_interval),
        "unanswered": list(found.unanswered),
        "answers": [
            {
                "number": answer.number,
                "prompt_id": answer.prompt_id,
                "passed": answer.is_passed,
                "findings": [
                    {"check": check_object(each.check), "result": each.passed.value, "why": each.why}
                    for each in answer.findings
                ],
            }
            for answer in found.answers
        ],
    }


def summary_checks_object(model: str, checks: Sequence[ModelChecks]) -> _Object:
    """``checks`` of an entry of ``summary``: null where the model has none."""
    own = next((found for found in checks if found.model == model), None)
    return {"checks": None if own is None else checks_object(own)}


_WHICH_WORDS = {Which.ONLY: "one number", Which.LAST: "the last number", Which.ANY: "any number"}


def _lines_of(answer: CheckedAnswer, passed: Passed) -> list[str]:
    where = f"{_name(answer.prompt_id)}, {_name(answer.model)}"
    return [
        f"{where}: {check_words(each.check)}: {clean_line(each.why or '', _WHY_CHARACTERS)}"
        for each in answer.findings
        if each.passed is passed
    ]


def _name(text: str) -> str:
    return clean_line(text, _NAME_CHARACTERS)


def _quoted(texts: Sequence[str], between: str) -> str:
    shown = [f"“{clean_line(text, _TEXT_CHARACTERS)}”" for text in texts[:3]]
    rest = len(texts) - len(shown)
    return between.join(shown) + (f" and {plural(rest, 'other')}" if rest else "")


def _ends(interval: Interval | None) -> str:
    if interval is None:
        return UNKNOWN
    return f"[{interval.low * 100:.0f}, {interval.high * 100:.0f}]"
