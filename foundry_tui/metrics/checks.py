"""What checks find in answers: passed, failed with the reason, or not applicable with the reason.

Nothing here is a score: these are counts of assertions, kept apart from what people and judges give.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, TypeAlias, assert_never

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
    Unit,
    Which,
)
from foundry_tui.domain.json_shape import misfit
from foundry_tui.domain.quantities import plural
from foundry_tui.metrics.answer_length import characters_in, sentences_in, words_in
from foundry_tui.metrics.answer_numbers import WrittenNumber, numbers_in
from foundry_tui.metrics.intervals import Interval, wilson_interval
from foundry_tui.metrics.language import LEAST_WORDS, language_of

__all__ = [
    "LEAST_FOR_INTERVAL",
    "CheckedAnswer",
    "Finding",
    "Found",
    "ModelChecks",
    "Passed",
    "TriedPattern",
    "finding",
    "model_checks",
]

LEAST_FOR_INTERVAL = 6
"""The least n for an interval of a share: with fewer it would reach over nearly everything."""

_FENCE = re.compile(r"```[\w+-]*[ \t]*\r?\n(?P<inside>.*?)\r?\n?```", re.DOTALL)
# What is longer is no answer to anything: only its length is checked.
_LONGEST = 100_000
_SHOWN_CHARACTERS = 60
_SHOWN_NUMBERS = 5


class Passed(StrEnum):
    """What became of a check."""

    YES = "passed"
    NO = "failed"
    NOT_APPLICABLE = "n/a"
    """It could not be made, or told nothing: neither passed nor failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found in one answer.

    Attributes:
        why: Why it failed or does not apply, in words; None where it passed.  It may quote the answer.
    """

    check: Check
    passed: Passed
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedPattern:
    """What came of looking for a regular expression.

    Attributes:
        is_found: None where ``why`` says why nobody knows.
    """

    is_found: bool | None
    why: str | None = None


Found: TypeAlias = Callable[[Matches, str], TriedPattern]
"""Looks for a regular expression in an answer, or knows what came of it.

It is somebody else's to do that, for one that goes back over a long answer again and again has no end, and
holds up the whole process meanwhile.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAnswer:
    """One answer with what the checks of its prompt found in it.

    Attributes:
        number: The request in the run.
    """

    number: int
    model: str
    prompt_id: str
    findings: tuple[Finding, ...]

    @property
    def is_passed(self) -> bool | None:
        """Whether no check failed; None where none could be made."""
        found = {finding.passed for finding in self.findings}
        return None if found <= {Passed.NOT_APPLICABLE} else Passed.NO not in found


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChecks:
    """The checks of one model in a few numbers.

    Attributes:
        passed: How many checks passed, of ``made``: those that passed or failed.
        not_applicable: How many are in neither.
        share: ``passed/made``, from 0 to 1; None where none was made.
        interval: Of ``share``, 95 %, Wilson's; None below ``LEAST_FOR_INTERVAL``.  It takes the checks for
            independent; those of one answer are not, so that it is rather too narrow.
        answers_passed: How many answers failed no check, of ``answers_made``, those with a check that was
            made; ``answers_interval`` is of that share, and of independent answers.
        unanswered: Prompts with checks that the model has no answer to.
        answers: All of them, in the order in which they were given.
    """

    model: str
    passed: int
    made: int
    not_applicable: int
    share: float | None
    interval: Interval | None
    answers_passed: int
    answers_made: int
    answers_interval: Interval | None
    unanswered: tuple[str, ...]
    answers: tuple[CheckedAnswer, ...]


def finding(check: Check, answer: str, found: Found) -> Finding:
    """What ``check`` finds in ``answer``, the visible text of it as it came.

    An answer is hostile text: whatever it is, this ends soon, and ``found`` sees to it that patterns do.
    """
    if len(answer) > _LONGEST and not isinstance(check, Extent):
        return _not_applicable(check, f"the answer has {len(answer):,} characters, more than {_LONGEST:,}")
    match check:
        case Contains():
            missing = [text for text in check.texts if not _has(answer, text, check)]
            if not missing or (check.needs is Needs.ANY and len(missing) < len(check.texts)):
                return _passed(check)
            is_choice = check.needs is Needs.ANY and len(missing) > 1
            return _failed(check, "it has none of them" if is_choice else f"it has not {_quoted(missing)}")
        case ContainsNot():
            there = [text for text in check.texts if _has(answer, text, check)]
            return _failed(check, f"it has {_quoted(there)}") if there else _passed(check)
        case Matches():
            tried = found(check, answer)
            if tried.is_found is None:
                return _not_applicable(check, tried.why or "the pattern could not be tried")
            return _passed(check) if tried.is_found else _failed(check, "the pattern is not found in it")
        case IsJson():
            why = _json_or_why(answer, check.allows_fence)[1]
            return _passed(check) if why is None else _failed(check, why)
        case FollowsSchema():
            return _schema_finding(check, answer)
        case NumberIs():
            why = _wrong_number(check, numbers_in(answer))
            return _passed(check) if why is None else _failed(check, why)
        case Extent():
            return _extent_finding(check, answer)
        case InLanguage():
            return _language_finding(check, answer)
        case _:
            assert_never(check)


def model_checks(
    model: str, answers: Sequence[CheckedAnswer], *, unanswered: Sequence[str] = ()
) -> ModelChecks:
    """What the checks of one model come to; of ``answers`` those of it are taken."""
    own = tuple(answer for answer in answers if answer.model == model)
    found = [finding.passed for answer in own for finding in answer.findings]
    passed, failed = found.count(Passed.YES), found.count(Passed.NO)
    whole = [answer.is_passed for answer in own if answer.is_passed is not None]
    return ModelChecks(
        model=model,
        passed=passed,
        made=passed + failed,
        not_applicable=found.count(Passed.NOT_APPLICABLE),
        share=passed / (passed + failed) if passed + failed else None,
        interval=_interval(passed, passed + failed),
        answers_passed=sum(whole),
        answers_made=len(whole),
        answers_interval=_interval(sum(whole), len(whole)),
        unanswered=tuple(unanswered),
        answers=own,
    )


def _interval(passed: int, made: int) -> Interval | None:
    return wilson_interval(passed, made) if made >= LEAST_FOR_INTERVAL else None


def _has(answer: str, text: str, how: Contains | ContainsNot) -> bool:
    """Whether ``text`` is there, however its accents are put together."""
    inside, wanted = _composed(answer, how.ignores_case), _composed(text, how.ignores_case)
    if not how.whole_words:
        return wanted in inside
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", inside) is not None


def _composed(text: str, ignores_case: bool) -> str:
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", composed.casefold()) if ignores_case else composed


def _schema_finding(check: FollowsSchema, answer: str) -> Finding:
    value, why = _json_or_why(answer, check.allows_fence)
    if why is None:
        try:
            why = misfit(value, json.loads(check.schema))
        except RecursionError:
            why = "its JSON has too many brackets inside each other"
    return _passed(check) if why is None else _failed(check, why)


def _json_or_why(answer: str, allows_fence: bool) -> tuple[object, str | None]:
    """The value that the whole answer is, or why it is none."""
    text = answer.strip()
    fenced = _FENCE.fullmatch(text)
    if fenced is not None:
        if not allows_fence:
            return None, "its JSON is in a code fence"
        text = fenced["inside"]
    if not text:
        return None, "it is empty"
    try:
        value: object = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return None, f"it is not JSON: {error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError):
        return None, "it is not JSON of a sane size"
    return value, None


def _refuse(constant: str) -> NoReturn:
    raise json.JSONDecodeError(f"{constant} is no number of JSON", "", 0)


def _wrong_number(check: NumberIs, numbers: Sequence[WrittenNumber]) -> str | None:
    """Why the numbers are not what is wanted; None if they are."""
    if not numbers:
        return "it has no number"
    match check.which:
        case Which.ONLY:
            if len(numbers) > 1:
                return f"it has {len(numbers)} numbers where one is wanted: {_listed(numbers)}"
            meant = numbers
        case Which.LAST:
            meant = numbers[-1:]
        case Which.ANY:
            meant = numbers
        case _:
            assert_never(check.which)
    if any(number.is_near(check.equals, check.tolerance) for number in meant):
        return None
    room = f" ± {check.tolerance:g}" if check.tolerance else ""
    return f"expected {check.equals:.15g}{room}, found {_listed(meant)}"


def _listed(numbers: Sequence[WrittenNumber]) -> str:
    more = ", …" if len(numbers) > _SHOWN_NUMBERS else ""
    return ", ".join(number.text for number in numbers[:_SHOWN_NUMBERS]) + more


def _extent_finding(check: Extent, answer: str) -> Finding:
    match check.unit:
        case Unit.CHARACTERS:
            count = characters_in(answer)
        case Unit.WORDS:
            count = words_in(answer)
        case Unit.SENTENCES:
            count = sentences_in(answer)
        case _:
            assert_never(check.unit)
    if check.low is not None and count < check.low:
        return _failed(check, f"expected at least {plural(check.low, check.unit.singular)}, found {count}")
    if check.high is not None and count > check.high:
        return _failed(check, f"expected at most {plural(check.high, check.unit.singular)}, found {count}")
    return _passed(check)


def _language_finding(check: InLanguage, answer: str) -> Finding:
    guess = language_of(answer)
    if guess.language == check.language:
        return _passed(check)
    if guess.language is not None:
        return _failed(check, f"expected {check.language}, found {guess.language}")
    if guess.is_latin is None:
        return _not_applicable(check, "the language is unknown: it has no letters")
    if not guess.is_latin:
        return _failed(check, f"expected {check.language}, found another script")
    return _not_applicable(
        check, f"the language is unknown: fewer than {LEAST_WORDS} common words of one, or of several alike"
    )


def _passed(check: Check) -> Finding:
    return Finding(check=check, passed=Passed.YES)


def _failed(check: Check, why: str) -> Finding:
    return Finding(check=check, passed=Passed.NO, why=why)


def _not_applicable(check: Check, why: str) -> Finding:
    return Finding(check=check, passed=Passed.NOT_APPLICABLE, why=why)


def _quoted(texts: Sequence[str]) -> str:
    return " and ".join(f"“{text[:_SHOWN_CHARACTERS]}”" for text in texts)
