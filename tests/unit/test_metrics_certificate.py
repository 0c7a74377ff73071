from collections.abc import Sequence

import pytest

from foundry_tui.domain.bench import RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.certificate import Grade, Unchanged, answers_unchanged, certificate
from tests.support.timed import request, trace


@pytest.mark.parametrize(
    ("zero", "hot", "seeded", "expected"),
    [
        ("aaa", "bc", "", Grade.D3),
        ("aaa", "bb", "", Grade.D3),
        ("aaa", "ab", "", Grade.D3),
        ("aaa", "aa", "", Grade.D2),
        ("aaa", "aa", "bb", Grade.D2),
        ("aab", "cd", "ee", Grade.D1),
        ("abc", "de", "fg", Grade.D0),
        ("abc", "de", "", Grade.D0),
        ("abc", "de", "f", Grade.D0),
    ],
)
def test_the_grade_follows_from_which_answers_are_alike(
    zero: str, hot: str, seeded: str, expected: Grade
) -> None:
    found = certificate(list(zero), list(hot), list(seeded))

    assert found.grade is expected
    assert found.zero == tuple(zero)


@pytest.mark.parametrize(
    ("zero", "hot"),
    [("", ""), ("aa", "bc"), ("aaa", ""), ("aaa", "a")],
    ids=["no answer", "two at 0", "none at 1", "one at 1 that is the same"],
)
def test_too_few_answers_have_no_grade(zero: str, hot: str) -> None:
    assert certificate(list(zero), list(hot)).grade is None


@pytest.mark.parametrize(("zero", "hot", "expected"), [("ab", "", Grade.D0), ("aaa", "b", Grade.D3)])
def test_answers_that_differ_settle_it_however_few_they_are(zero: str, hot: str, expected: Grade) -> None:
    assert certificate(list(zero), list(hot)).grade is expected


def answers(texts: Sequence[str], *, model: str = "tiny") -> list[RequestRun]:
    return [request(n, trace((), text=text), model=model) for n, text in enumerate(texts, 1)]


def test_unchanged_answers_are_counted_by_prompt_and_round() -> None:
    before, after = answers("abcd"), answers("abxd")

    assert answers_unchanged(before, after) == Unchanged(unchanged=3, compared=4, left_out=0)


def test_answers_without_a_counterpart_are_left_out_and_counted() -> None:
    after = [*answers("ab"), request(3, trace(outcome=Outcome.TIMEOUT)), request(9)]

    assert answers_unchanged(answers("abc"), after) == Unchanged(unchanged=2, compared=2, left_out=2)


def test_where_nothing_can_be_compared_nothing_is_said() -> None:
    assert answers_unchanged([], answers("a")) is None
    assert answers_unchanged(answers("a"), [request(5)]) is None
