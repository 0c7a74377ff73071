"""What is said of one answer among several."""

from collections.abc import Mapping, Sequence

from foundry_tui.domain.chat import ChunkKind, Moment, Outcome
from foundry_tui.domain.scoring import Rubric
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.answer import describe, describe_live
from foundry_tui.services.bench.beside import Answer, Doing

__all__ = ["LETTERS", "answer_words", "score_words", "tabs_words", "text_of"]

LETTERS = "ABCD"
"""What the answers are called from left to right."""
_REASON_CHARACTERS = 300
_BLANK = "–"


def answer_words(answer: Answer, *, is_told: bool) -> str:
    """How far an answer is; its numbers only where the model may be known, for its speed may tell it.

    A reason may name the model: whoever shows it covers that.
    """
    match answer.doing:
        case Doing.LOADING:
            return "loading …"
        case Doing.ANSWERING:
            return _under_way(answer) if is_told else "answering …"
        case Doing.DONE if answer.request is not None:
            trace = answer.request.trace
            if is_told:
                return clean_line(describe(trace))
            return "done, cut at max tokens" if trace.outcome is Outcome.TRUNCATED else "done"
        case Doing.FAILED:
            return f"failed: {clean_line(answer.reason or 'nobody knows why', _REASON_CHARACTERS)}"
        case Doing.LEFT_OUT if answer.reason is not None:
            return f"{answer.doing}: {clean_line(answer.reason, _REASON_CHARACTERS)}"
        case _:
            return answer.doing.value


def text_of(answer: Answer) -> str:
    """What has arrived of the answer itself."""
    return "".join(chunk.text for chunk in answer.chunks if chunk.kind is ChunkKind.CONTENT)


def tabs_words(answers: Sequence[Answer], at: int) -> str:
    """How far all of them are on one line, for where one of them shows at a time."""
    parts = [f"{letter} {answer.doing}" for letter, answer in zip(LETTERS, answers, strict=False)]
    parts[at] = f"[{parts[at]}]"
    return " · ".join([*parts, "tab changes"])


def score_words(values: Mapping[str, int], rubric: Rubric) -> str:
    """The scores in the order of the criteria; "" where there is none."""
    if not values:
        return ""
    return " ".join(str(values.get(one.id, _BLANK)) for one in rubric.criteria)


def _under_way(answer: Answer) -> str:
    if answer.under_way is None:
        return answer.doing.value
    trace = answer.under_way.trace
    return describe_live(trace.chunks, trace.moment_ns(Moment.SENT))
