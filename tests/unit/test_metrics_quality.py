"""Quality by scores: what enters a mean, what is left out, and how long a good answer takes."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean, median

import pytest

from foundry_tui.domain.bench import Phase
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.scoring import Criterion, Rubric, Score
from foundry_tui.metrics.agreement import NoInterval
from foundry_tui.metrics.quality import (
    NoTimeToGood,
    ScorableAnswer,
    model_quality,
    scorable,
    time_to_good_s,
    unmatched_scores,
)
from tests.support.scores import RUBRIC, score
from tests.support.timed import request, trace


def answers(
    count: int, *, model: str = "phi", first: int = 1, per_prompt: int = 1, latency_s: float | None = 2.0
) -> list[ScorableAnswer]:
    """So many answers of one model from that number on, a prompt for every few of them."""
    return [
        ScorableAnswer(
            run_id="run",
            number=first + place,
            model=model,
            prompt_id=f"p{place // per_prompt}",
            latency_s=latency_s,
        )
        for place in range(count)
    ]


def scored(values: Iterable[int], *, first: int = 1) -> list[Score]:
    return [score(number, value) for number, value in enumerate(values, first)]


def rubric(*criteria: str) -> Rubric:
    return Rubric(
        name="short", criteria=tuple(Criterion(id=one, name=one, low="bad", high="good") for one in criteria)
    )


def test_the_mean_of_an_answer_is_over_its_annotators_first() -> None:
    scores = [score(1, 5), score(1, 4, "bob"), score(1, 3, "cyd"), score(2, 1)]

    found = model_quality(scores, answers(2), "phi")

    # (4 + 1)/2, not (5 + 4 + 3 + 1)/4.
    assert found.overall.mean == 2.5
    assert found.annotators == 3


def test_the_overall_mean_is_over_the_criteria_of_answers_that_have_all_of_them() -> None:
    scores = [
        *(score(1, 5), score(1, 2, criterion="brevity")),
        *(score(2, 3), score(2, 3, criterion="brevity")),
        score(3, 5),  # brevity is still to come: it enters its own mean only
    ]

    found = model_quality(scores, answers(4), "phi")

    assert {name: own.mean for name, own in found.criteria} == {
        "brevity": 2.5,
        "correctness": pytest.approx(13 / 3),
    }
    assert found.overall.mean == 3.25
    assert (found.overall.answers, found.overall.scorable, found.overall.coverage) == (2, 4, 0.5)
    assert dict(found.criteria)["correctness"].coverage == 0.75
    assert found.partly == 1


def test_what_is_unscored_is_unknown_and_never_0() -> None:
    scores = scored([4], first=9)

    found = model_quality(scores, [*answers(3), *answers(1, model="qwen", first=9)], "phi")

    assert (found.overall.mean, found.overall.interval, found.good.share) == (None, None, None)
    assert [own.mean for _, own in found.criteria] == [None]
    assert (found.overall.answers, found.overall.coverage) == (0, 0.0)
    assert found.annotators == 0
    assert model_quality([], [], "phi").overall.coverage is None
    assert model_quality([], [], "phi").rubric_sha256 is None


def test_the_second_occasion_enters_no_mean() -> None:
    scores = [score(1, 2), score(1, 5, occasion=2), score(2, 5, "bob", occasion=2)]

    found = model_quality(scores, answers(2), "phi")

    assert found.overall.mean == 2
    assert (found.overall.answers, found.annotators) == (1, 1)
    assert found.repeats == 2


def test_the_newest_version_of_the_rubric_is_that_of_all_models_and_others_are_counted() -> None:
    known = [*answers(2), *answers(2, model="qwen", first=3)]
    scores = [
        *(score(number, 5, rubric="old", at=1) for number in (1, 2, 3)),
        score(2, 1, rubric="new", at=2),
    ]

    phi, qwen = (model_quality(scores, known, model) for model in ("phi", "qwen"))

    assert (phi.rubric_sha256, phi.overall.mean, phi.other_rubric_scores) == ("new", 1, 2)
    assert (qwen.rubric_sha256, qwen.overall.mean, qwen.other_rubric_scores) == ("new", None, 1)


def test_a_rubric_that_is_given_says_which_scores_and_which_criteria() -> None:
    asked = rubric("correctness", "brevity")
    scores = [score(1, 4, rubric=asked.sha256, at=1), score(1, 1, rubric="newer", at=2)]

    found = model_quality(scores, answers(1), "phi", rubric=asked)

    assert [(name, own.mean) for name, own in found.criteria] == [("correctness", 4), ("brevity", None)]
    assert (found.overall.mean, found.partly) == (None, 1)


def test_scores_of_no_answer_are_in_no_figure_but_are_told() -> None:
    scores = [*scored([3, 5]), score(77, 1, rubric="newer", at=9)]

    found = model_quality(scores, answers(2), "phi")

    assert (found.overall.mean, found.rubric_sha256) == (4, RUBRIC.sha256)
    assert unmatched_scores(scores, answers(2)) == 1


def test_an_answer_is_good_from_a_mean_of_4_on_exactly() -> None:
    # (12/3 + 13/3 + 11/3)/3 in floating point is a little less than 4.
    values = {"a": (4, 4, 4), "b": (4, 4, 5), "c": (4, 4, 3)}
    scores = [
        score(1, value, who, criterion=criterion)
        for criterion, of_people in values.items()
        for who, value in zip(("ann", "bob", "cyd"), of_people, strict=True)
    ]
    below = [replace(one, number=2, value=3 if one.value == 3 else 4) for one in scores]

    found = model_quality([*scores, *below], answers(2), "phi")

    assert (found.good.good, found.good.answers, found.good.share) == (1, 2, 0.5)
    assert model_quality(scores, answers(2), "phi", least=4.1).good.good == 0


def test_the_interval_is_over_prompts_and_not_over_scores() -> None:
    values = [1, 5, 3, 2, 4, 5, 5, 1]
    alone = model_quality(scored(values), answers(8), "phi")
    thrice = model_quality(
        scored([value for value in values for _ in range(3)]), answers(24, per_prompt=3), "phi"
    )

    # Each answer three times over is no more than eight prompts tell.
    assert (thrice.overall.answers, thrice.overall.prompts) == (24, 8)
    assert thrice.overall.interval is not None
    assert alone.overall.interval is not None
    assert thrice.overall.interval.half_width == pytest.approx(alone.overall.interval.half_width)


def test_the_interval_is_the_percentiles_of_the_mean_over_drawn_prompts() -> None:
    draw = random.Random(7)
    values = [draw.choice((1, 2, 4, 5)) for _ in range(30)]
    known = [replace(one, prompt_id=f"p{min(one.number // 2, 11)}") for one in answers(30)]
    by_prompt: dict[str, list[int]] = {}
    for answer, value in zip(known, values, strict=True):
        by_prompt.setdefault(answer.prompt_id, []).append(value)
    means = sorted(
        fmean([value for own in draw.choices(list(by_prompt.values()), k=12) for value in own])
        for _ in range(4_000)
    )

    found = model_quality(scored(values), known, "phi").overall

    assert found.prompts == len(by_prompt) == 12
    assert found.mean == pytest.approx(fmean(values))
    assert found.interval is not None
    assert found.interval.low == pytest.approx(means[100], abs=0.05)
    assert found.interval.high == pytest.approx(means[-100], abs=0.05)


@pytest.mark.parametrize(
    ("values", "why"), [([1, 2, 3, 4, 5], NoInterval.TOO_FEW), ([5] * 8, NoInterval.NO_SPREAD)]
)
def test_an_interval_that_would_claim_too_much_is_withheld_with_the_reason(
    values: list[int], why: NoInterval
) -> None:
    found = model_quality(scored(values), answers(len(values)), "phi").overall

    assert found.mean is not None
    assert (found.interval, found.no_interval) == (None, why)


def test_the_order_of_scores_and_answers_changes_nothing() -> None:
    draw = random.Random(3)
    known = [replace(one, latency_s=draw.uniform(1, 5)) for one in answers(24, per_prompt=2)]
    scores = [
        score(number, draw.randint(1, 5), who, criterion=criterion)
        for number in range(1, 25)
        for who in ("ann", "bob")
        for criterion in ("correctness", "brevity")
    ]
    other_scores, other_answers = draw.sample(scores, len(scores)), draw.sample(known, len(known))

    quality, time = model_quality(scores, known, "phi"), time_to_good_s(scores, known, "phi", least=3)

    assert quality.overall.interval is not None
    assert time.interval is not None
    assert model_quality(other_scores, other_answers, "phi") == quality
    assert time_to_good_s(other_scores, other_answers, "phi", least=3) == time


def test_a_mean_stays_between_the_least_and_the_greatest_score_and_inside_of_its_interval() -> None:
    draw = random.Random(4)

    for _ in range(20):
        values = [draw.randint(1, 5) for _ in range(draw.randint(6, 20))]
        found = model_quality(scored(values), answers(len(values)), "phi").overall

        assert found.mean is not None
        assert found.interval is not None
        assert min(values) <= found.interval.low <= found.mean <= found.interval.high <= max(values)


def test_what_can_be_scored_is_timed_answers_that_ended_well() -> None:
    requests = [
        request(1, trace((500.0, 500.0), ttft_ms=1000)),
        request(2, phase=Phase.WARMUP),
        request(3, trace(outcome=Outcome.TRUNCATED), round_=2),
        request(4, trace(outcome=Outcome.STALLED), round_=3),
        replace(request(5, round_=1), attempt=2),
    ]

    found = scorable("run", requests)

    # The first of them was measured again by the last one.
    assert [one.number for one in found] == [3, 5]
    assert scorable("run", requests[:1])[0].latency_s == pytest.approx(2.0)
    assert scorable("run", requests[:1])[0].key == ("run", 1)


def test_the_time_to_a_good_answer_is_the_median_latency_by_the_share_of_good_ones() -> None:
    known = [replace(one, latency_s=seconds) for one, seconds in zip(answers(4), (1, 2, 4, 9), strict=True)]

    found = time_to_good_s(scored([5, 1, 2]), known, "phi")

    assert found.median_latency_s == 3
    assert found.good.share == pytest.approx(1 / 3)
    assert found.seconds == pytest.approx(9)
    assert (found.interval, found.no_interval) == (None, NoInterval.TOO_FEW)


def test_the_faster_of_two_models_is_the_later_one_with_a_good_answer_where_more_is_asked_of_it() -> None:
    fast = answers(12, model="fast", latency_s=1.0)
    slow = answers(12, model="slow", first=13, latency_s=3.0)
    scores = [*scored([3] * 8 + [5, 4, 1, 3]), *scored([4] * 10 + [5, 3], first=13)]

    def order(least: float) -> Sequence[str]:
        times = [time_to_good_s(scores, [*fast, *slow], one, least=least) for one in ("fast", "slow")]
        return [one.model for one in sorted(times, key=lambda one: one.seconds or 0)]

    # From 3 on: 1/(11/12) = 1.1 s and 3 s; from 4 on: 1/(2/12) = 6 s and 3/(11/12) = 3.3 s.
    assert order(3) == ["fast", "slow"]
    assert order(4) == ["slow", "fast"]


@pytest.mark.parametrize(
    ("values", "latency_s", "why"),
    [
        ([3, 1, 2, 3, 3, 3, 3], 2.0, NoTimeToGood.NO_GOOD_ANSWER),
        ([], 2.0, NoTimeToGood.NO_SCORES),
        ([5], None, NoTimeToGood.NO_LATENCY),
    ],
)
def test_without_a_good_answer_a_score_or_a_latency_the_time_is_unknown_with_the_reason(
    values: list[int], latency_s: float | None, why: NoTimeToGood
) -> None:
    found = time_to_good_s(scored(values), answers(8, latency_s=latency_s), "phi")

    assert (found.seconds, found.interval, found.no_interval) == (None, None, None)
    assert found.no_time is why


def test_the_interval_of_the_time_draws_latencies_and_scores_of_a_prompt_together() -> None:
    draw = random.Random(8)
    known = [replace(one, latency_s=draw.uniform(1, 5)) for one in answers(40, per_prompt=2)]
    values = [draw.choice((2, 4, 5)) for _ in known]
    del values[-4:]  # two prompts are unscored: their latencies count all the same
    by_prompt: dict[str, list[tuple[float, int | None]]] = {}
    for answer, value in zip(known, [*values, *[None] * 4], strict=True):
        by_prompt.setdefault(answer.prompt_id, []).append((answer.latency_s or 0, value))
    times = []
    for _ in range(4_000):
        sample = [one for own in draw.choices(list(by_prompt.values()), k=20) for one in own]
        marks = [value >= 4 for _, value in sample if value is not None]
        times.append(median([seconds for seconds, _ in sample]) / (sum(marks) / len(marks)))
    times.sort()

    found = time_to_good_s(scored(values), known, "phi", seed=1)

    assert found.interval is not None
    assert found.interval.low == pytest.approx(times[100], rel=0.03)
    assert found.interval.high == pytest.approx(times[-100], rel=0.03)
    assert time_to_good_s(scored(values), known, "phi", seed=1) == found
    assert time_to_good_s(scored(values), known, "phi", seed=2).interval != found.interval


def test_a_median_over_prompts_with_unlike_numbers_of_answers_takes_each_answer_once() -> None:
    # One prompt of nine slow answers, seven of one fast answer each: every answer is good.
    known = [
        replace(one, prompt_id=f"p{max(0, one.number - 9)}", latency_s=9.0 if one.number < 10 else 1.0)
        for one in answers(16)
    ]

    found = time_to_good_s(scored([5] * 16), known, "phi")

    assert found.seconds == 9
    assert found.interval is not None
    # Without the slow prompt in a sample, and with it; nothing lies in between, nor beyond.
    assert (found.interval.low, found.interval.high) == (1, 9)


def test_a_median_of_an_even_number_of_latencies_lies_between_the_two_in_the_middle() -> None:
    # Each prompt has one answer of 1 s and one of 3 s, so each sample has a median of 2 s.
    known = [replace(one, latency_s=3.0 - one.number % 2 * 2) for one in answers(24, per_prompt=2)]
    scores = scored([5, 5, 1, 1] * 6)

    found, good = time_to_good_s(scores, known, "phi"), model_quality(scores, known, "phi").good

    assert found.seconds == 4
    assert found.interval is not None
    assert good.interval is not None
    assert found.interval.low == pytest.approx(2 / good.interval.high)
    assert found.interval.high == pytest.approx(2 / good.interval.low)


def test_a_time_that_is_the_same_in_every_sample_has_no_interval() -> None:
    found = time_to_good_s(scored([5] * 8), answers(8), "phi")

    assert found.seconds == 2
    assert (found.interval, found.no_interval) == (None, NoInterval.NO_SPREAD)


def test_what_a_person_gave_last_is_what_they_gave() -> None:
    found = model_quality([score(1, 5, at=2), score(1, 1, at=1)], answers(1), "phi")

    assert found.overall.mean == 5


def test_where_hardly_an_answer_is_good_the_time_has_no_upper_end() -> None:
    # No good answer is in (7/8)^8 = 34 % of the samples.
    found = time_to_good_s(scored([5, 1, 1, 1, 1, 1, 1, 1]), answers(8), "phi")

    assert found.seconds == 16
    assert (found.interval, found.no_interval) == (None, NoInterval.UNBOUNDED)
