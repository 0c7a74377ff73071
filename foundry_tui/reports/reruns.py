"""Rounds that were measured again: in words, and as objects of the results format.

Everything in the words is harmless.
"""

from collections.abc import Sequence
from typing import TypeAlias

from foundry_tui.domain.bench import Phase, Run
from foundry_tui.domain.bench_reruns import Rerun, RoundAgain
from foundry_tui.domain.quantities import UNKNOWN, rate_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.attempts import Remeasured
from foundry_tui.reports.conversation_markdown import utc_moment
from foundry_tui.reports.json_reading import JsonNode
from foundry_tui.reports.run_cost_words import flag_words, rounds_words
from foundry_tui.reports.run_results import ModelResult

__all__ = [
    "again_lines",
    "again_object",
    "marked_words",
    "replaced_by",
    "reruns_object",
    "reruns_of",
]

_Object: TypeAlias = dict[str, object]

_BY_RESULT = (
    "nothing but their own numbers marked some of these rounds: that choice was made on results, and favours"
    " fast ones; the first measurement is the one that nobody chose"
)
_APART = (
    "not every model was measured again in these rounds: there a comparison pairs answers of different times"
)


def marked_words(rounds: Sequence[RoundAgain], *, behind: str = "") -> str:
    """``rounds 6 to 10 (a GPU was held back)``, of one model or several; ``behind`` follows the numbers."""
    numbers = sorted({one.round for one in rounds})
    reasons = dict.fromkeys(reason for one in rounds for reason in one.reasons)
    return f"{rounds_words(numbers)}{behind} ({', '.join(map(flag_words, reasons))})"


def again_lines(results: Sequence[ModelResult]) -> list[str]:
    """What was measured again, why, and what it came to before and then: a few lines for each time."""
    lines = [line for result in results for found in result.again for line in _lines(result.name, found)]
    rounds = {
        frozenset((found.attempt, one.round) for found in result.again for one in found.rounds)
        for result in results
    }
    # What interleaving gives, that both of a pair were measured in the same minute, is lost there.
    return [*lines, _APART] if len(rounds) > 1 else lines


def replaced_by(results: Sequence[ModelResult]) -> dict[int, int]:
    """By the number of each request that is superseded, that of the one that stands in its slot."""
    found: dict[int, int] = {}
    for result in results:
        stands = {
            (one.prompt_id, one.round): one.number for one in result.requests if one.phase is Phase.TIMED
        }
        found |= {one.number: stands[one.prompt_id, one.round] for one in result.superseded}
    return found


def reruns_object(run: Run) -> list[_Object]:
    """Of ``run``, what is added to it."""
    return [
        {
            "attempt": rerun.attempt,
            "started_at": utc_moment(rerun.started_unix_ms),
            "started_unix_ms": rerun.started_unix_ms,
            "rounds": [
                {"model": one.model, "round": one.round, "reasons": list(one.reasons)} for one in rerun.rounds
            ],
        }
        for rerun in run.reruns
    ]


def again_object(result: ModelResult) -> list[_Object]:
    """What is added to the summary of a model: both medians, each time that rounds were measured again."""
    return [
        {
            "attempt": found.attempt,
            "rounds": [one.round for one in found.rounds],
            "by_result": found.is_by_result,
            "measure": found.measure.value,
            "before_median": found.before,
            "after_median": found.after,
            "slots": found.slots,
            "made": found.made,
            "standing": found.stands,
            "mended": found.mended,
            "estimated": found.is_estimate,
        }
        for found in result.again
    ]


def reruns_of(run: JsonNode) -> tuple[Rerun, ...]:
    """Of ``run`` in a results file; none in one of an earlier version.

    Raises:
        BadInput: Something of it is not what the format has there.
    """
    if not isinstance(run.value, dict) or "reruns" not in run.value:
        return ()
    return tuple(_rerun(node) for node in run.field("reruns").items())


def _rerun(node: JsonNode) -> Rerun:
    try:
        return Rerun(
            attempt=node.field("attempt").whole(low=2),
            started_unix_ms=node.field("started_unix_ms").unix_ms(),
            rounds=tuple(
                RoundAgain(
                    model=entry.field("model").text(),
                    round=entry.field("round").whole(low=1),
                    reasons=tuple(reason.text() for reason in entry.field("reasons").items()),
                )
                for entry in node.field("rounds").items()
            ),
        )
    except ValueError as error:
        raise node.problem(f"rounds that were measured again ({error})") from error


def _lines(name: str, found: Remeasured) -> list[str]:
    model, marked = clean_line(name), marked_words(found.rounds)
    if not found.made:
        return [f"{model}: {marked} were to be measured again, and no answer came of it: the first stand"]
    lines = [
        f"{model}: {marked}: {_value(found, found.before)}; measured again: {_value(found, found.after)};"
        f" {_stands_words(found)}"
    ]
    if found.made < found.slots:
        lines.append(
            f"{model}: of {found.slots} requests of these rounds {found.made} were answered again; for the"
            " others what was measured before stands"
        )
    if found.mended:
        lines.append(f"{model}: {found.mended} of these had not ended well before, and count as answered now")
    if found.is_by_result:
        lines.append(f"{model}: {_BY_RESULT}")
    return lines


def _stands_words(found: Remeasured) -> str:
    if found.stands == found.made:
        return "the numbers use the second of these, and both are kept"
    if not found.stands:
        return "these were measured once more in their turn, and all are kept"
    return f"the numbers use {found.stands} of the {found.made} second answers, and all are kept"


def _value(found: Remeasured, value: float | None) -> str:
    if not found.measure.is_time:
        return rate_in_words(value, is_estimate=found.is_estimate)
    return UNKNOWN if value is None else f"{seconds_in_words(value)} latency"
