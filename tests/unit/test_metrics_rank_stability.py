"""How often a candidate is on the front, and first, when its answers are drawn anew."""

from foundry_tui.metrics.candidate import Dimension
from foundry_tui.metrics.rank_stability import Stability, drawn_of, rank_stability
from foundry_tui.metrics.selection import Limits
from tests.support.choices import a_candidate, samples, scores_of

STEADY = (2.0, 2.0, 2.0, 2.0, 2.0, 2.0)
UNSTEADY = (1.0, 1.0, 1.0, 1.0, 3.0, 3.0)


def held(found: tuple[Stability, ...] | None) -> tuple[Stability, ...]:
    assert found is not None
    return found


def first_in_latency(one: Stability) -> float:
    return dict(one.first)[Dimension.LATENCY]


def test_the_same_seed_gives_the_same_shares_and_another_one_others() -> None:
    both = [a_candidate("a", drawn=samples(STEADY)), a_candidate("b", drawn=samples(UNSTEADY))]

    once, again, other = (held(rank_stability(both, Limits(), seed=seed)) for seed in (1, 1, 2))

    assert once == again
    assert once != other


def test_the_share_is_that_of_the_draws_whose_median_is_less() -> None:
    both = [a_candidate("a", drawn=samples(STEADY)), a_candidate("b", drawn=samples(UNSTEADY))]

    a, b = held(rank_stability(both, Limits(), seed=3))

    # Under 2 s where at most two of six draws are 3 s, P = 496/729; at 2 s where three are, P = 160/729.
    assert abs(first_in_latency(b) - (496 + 160) / 729) < 0.05
    assert abs(first_in_latency(a) - (73 + 160) / 729) < 0.05


def test_models_of_one_run_are_drawn_together() -> None:
    slower = tuple(latency + 0.001 for latency in UNSTEADY)
    both = [a_candidate("a", drawn=samples(UNSTEADY)), a_candidate("b", drawn=samples(slower))]

    a, b = held(rank_stability(both, Limits(), seed=3))

    assert (first_in_latency(a), first_in_latency(b)) == (1.0, 0.0)
    assert (a.on_front, b.on_front) == (1.0, 0.0)


def test_whole_prompts_are_drawn_and_not_only_their_rounds() -> None:
    # One prompt is slow in all of its rounds: only draws of prompts make it come and go.
    slow_prompt = (1.0, 9.0, 1.0, 9.0, 1.0, 9.0)
    (one,) = held(
        rank_stability(
            [a_candidate(drawn=samples(slow_prompt, prompts=2))], Limits(max_latency_s=5.0), seed=3
        )
    )

    # Of two prompts drawn twice a quarter is fast, a half mixed (5 s, at the limit) and a quarter slow.
    assert abs(one.fits - 0.75) < 0.05


def test_limits_are_held_against_each_draw_and_who_breaks_them_is_first_in_nothing() -> None:
    both = [a_candidate("a", drawn=samples(STEADY)), a_candidate("b", quality=3.0, drawn=samples(UNSTEADY))]

    a, b = held(rank_stability(both, Limits(min_quality=3.5), seed=3))

    assert (a.fits, a.on_front, first_in_latency(a)) == (1.0, 1.0, 1.0)
    assert (b.fits, b.on_front, set(dict(b.first).values())) == (0.0, 0.0, {0.0})


def test_a_dimension_that_is_unknown_has_no_share() -> None:
    (one,) = held(rank_stability([a_candidate(quality=None, drawn=samples(STEADY))], Limits(), seed=3))

    assert Dimension.QUALITY not in dict(one.first)


def test_fewer_than_six_answers_tell_nothing() -> None:
    assert rank_stability([a_candidate(drawn=samples(STEADY[:5]))], Limits(), seed=3) is None
    assert rank_stability([a_candidate()], Limits(), seed=3) is None


def test_a_model_that_failed_half_of_its_rounds_is_drawn_with_the_others() -> None:
    both = [a_candidate("a", drawn=samples(STEADY)), a_candidate("b", drawn=samples((1.0,)))]

    a, b = held(rank_stability(both, Limits(), seed=3))

    # Its one answer of six is in 1 - (5/6)^6 of the draws; in the others it has no latency.
    assert abs(first_in_latency(b) - (1 - (5 / 6) ** 6)) < 0.05
    assert abs(first_in_latency(a) - (5 / 6) ** 6) < 0.05


def first_in_quality(one: Stability) -> float:
    return dict(one.first)[Dimension.QUALITY]


def test_quality_is_drawn_by_prompts_each_with_all_its_scored_answers() -> None:
    drawn = samples(STEADY, prompts=6)
    a = a_candidate("a", quality=3.5, drawn=drawn, scores=scores_of(3.5, 3.5, 3.5, 3.5, 3.5, 3.5))
    b = a_candidate("b", quality=10 / 3, drawn=drawn, scores=scores_of(5, 3, 3, 3, 3, 3))

    first, second = held(rank_stability([a, b], Limits(), seed=3))

    # b is at (18 + 2k)/6 where its good prompt is drawn k times of six: above 3.5 from k = 2 on.
    above = 1 - (5 / 6) ** 6 - 6 * (1 / 6) * (5 / 6) ** 5
    assert abs(first_in_quality(second) - above) < 0.05
    assert abs(first_in_quality(first) - (1 - above)) < 0.05


def test_the_quality_that_is_asked_for_is_held_against_each_draw() -> None:
    scores = scores_of(5, 3, 3, 3, 3, 3)
    one = a_candidate(quality=10 / 3, drawn=samples(STEADY, prompts=6), scores=scores)

    (found,) = held(rank_stability([one], Limits(min_quality=3.3), seed=3))

    assert abs(found.fits - (1 - (5 / 6) ** 6)) < 0.05


def test_below_six_scored_prompts_quality_stays_as_it_is() -> None:
    few = a_candidate(quality=3.4, drawn=samples(STEADY, prompts=6), scores=scores_of(5, 3, 3, 3, 3))

    (found,) = held(rank_stability([few], Limits(min_quality=3.3), seed=3))

    assert found.fits == 1.0
    assert drawn_of(few) == (Dimension.LATENCY, Dimension.THROUGHPUT)


def test_a_draw_without_a_scored_prompt_does_not_pass_for_a_quality() -> None:
    drawn = samples(STEADY * 2, prompts=12)
    scored = a_candidate(quality=5.0, drawn=drawn, scores=scores_of(5, 5, 5, 5, 5, 5))

    (found,) = held(rank_stability([scored], Limits(min_quality=4), seed=3))

    # Half of the prompts have no score: all twelve draws are of these in 2^-12 of the resamples.
    assert 0.99 < found.fits <= 1.0
