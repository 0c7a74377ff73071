"""Counting the aspects that people found in answers."""

from foundry_tui.domain.scoring import AnswerMark, MarkKind
from foundry_tui.metrics.aspects import AspectCount, aspect_counts
from foundry_tui.reports.aspect_words import aspect_lines
from tests.support.scores import score

ASPECTS = ("is right", "is brief")
ANSWERS = {1: ("alpha", ASPECTS), 2: ("beta", ASPECTS), 3: ("alpha", ()), 4: ("beta", ("is short",))}


def tick(number: int, aspect: str, annotator: str = "ann", occasion: int = 1) -> AnswerMark:
    return AnswerMark(
        run_id="run",
        number=number,
        annotator=annotator,
        occasion=occasion,
        kind=MarkKind.ASPECT,
        aspect=aspect,
        at_unix_ms=1,
    )


def test_what_was_looked_at_counts_once_for_each_person_with_all_its_aspects() -> None:
    marks = [tick(1, "is right"), tick(1, "is right", "bob"), tick(1, "is brief", "bob")]
    scores = [score(2, 4), score(3, 4), score(2, 1, "bob")]

    found = aspect_counts(marks, scores, ANSWERS, ("alpha", "beta"))

    assert found == (
        AspectCount(model="alpha", met=3, asked=4),
        AspectCount(model="beta", met=0, asked=4),
    )
    assert aspect_lines(found) == [
        "alpha: 3 of 4 aspects found (75 %)",
        "beta: 0 of 4 aspects found (0 %)",
    ]


def test_repeats_flags_old_aspects_and_answers_that_stand_no_more_count_nothing() -> None:
    flag = AnswerMark(run_id="run", number=1, annotator="ann", occasion=1, kind=MarkKind.FLAG, at_unix_ms=1)
    marks = [tick(1, "is right", occasion=2), tick(2, "was asked before"), flag, tick(9, "is right")]

    found = aspect_counts(marks, [score(1, 3, occasion=2)], ANSWERS, ("alpha", "beta"))

    assert found == (AspectCount(model="beta", met=0, asked=2),)
