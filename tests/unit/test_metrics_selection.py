"""Who keeps to limits, who beats whom, and what is unknown all the while."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from foundry_tui.metrics.candidate import Candidate, Dimension, Figure, Latency
from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.selection import (
    Asked,
    Fit,
    Limits,
    State,
    dominates,
    judge,
    standings,
    uncompared,
    weighted,
)
from tests.support.choices import UNKNOWN, a_candidate


@pytest.mark.parametrize(
    ("limits", "dimension"),
    [
        (Limits(max_latency_s=2.0), Dimension.LATENCY),
        (Limits(max_ttft_s=0.2), Dimension.LATENCY),
        (Limits(min_tokens_per_s=10.0), Dimension.THROUGHPUT),
        (Limits(max_memory_bytes=1_300), Dimension.MEMORY),
        (Limits(max_footprint_bytes=500), Dimension.FOOTPRINT),
        (Limits(min_quality=4.0), Dimension.QUALITY),
        (Limits(licenses=("mit",)), Dimension.LICENSE),
    ],
)
def test_a_value_at_its_limit_keeps_to_it(limits: Limits, dimension: Dimension) -> None:
    judged = judge(a_candidate(vram=300), limits)

    assert judged.fit is Fit.FITS
    assert judged.of(dimension).state is State.PASSES


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        (Limits(max_latency_s=1.999), 2.0),
        (Limits(max_ttft_s=0.199), 0.2),
        (Limits(min_tokens_per_s=10.001), 10.0),
        (Limits(max_memory_bytes=1_299), 1_300),
        (Limits(max_footprint_bytes=499), 500),
        (Limits(min_quality=4.001), 4.0),
        (Limits(licenses=("apache-2.0", "MIT License")), "MIT"),
    ],
)
def test_a_value_beyond_its_limit_fails_and_is_told(limits: Limits, value: float | str) -> None:
    judged = judge(a_candidate(vram=300), limits)

    assert judged.fit is Fit.DOES_NOT
    (failed,) = [one for verdict in judged.verdicts for one in verdict.checks if one.state is State.FAILS]
    assert failed.value == value


@pytest.mark.parametrize(
    ("candidate", "limits"),
    [
        (a_candidate(latency=None), Limits(max_latency_s=9.0)),
        (a_candidate(ttft=None), Limits(max_ttft_s=9.0)),
        (a_candidate(rate=None), Limits(min_tokens_per_s=1.0)),
        (a_candidate(memory=None), Limits(max_memory_bytes=9_000)),
        (a_candidate(quality=None), Limits(min_quality=1.0)),
        (a_candidate(footprint=None), Limits(max_footprint_bytes=9_000)),
        (a_candidate(declared=None), Limits(licenses=("mit",))),
    ],
)
def test_what_is_unknown_neither_passes_nor_fails(candidate: Candidate, limits: Limits) -> None:
    judged = judge(candidate, limits)

    assert judged.fit is Fit.NOT_KNOWN
    assert {verdict.state for verdict in judged.verdicts} == {State.NOT_ASKED, State.UNKNOWN}


def test_what_is_unknown_matters_only_where_it_is_asked_for() -> None:
    judged = judge(a_candidate(quality=None, declared=None), Limits(max_latency_s=2.0))

    assert judged.fit is Fit.FITS


def test_one_limit_that_fails_decides_over_others_that_are_unknown() -> None:
    limits = Limits(max_latency_s=2.0, max_ttft_s=1.0, min_quality=1.0)

    judged = judge(a_candidate(latency=3.0, ttft=None, quality=None), limits)

    assert judged.fit is Fit.DOES_NOT
    assert judged.of(Dimension.LATENCY).state is State.FAILS
    assert judged.of(Dimension.QUALITY).state is State.UNKNOWN


def test_a_model_without_an_answer_that_counts_is_not_known_to_fit_even_without_limits() -> None:
    assert judge(a_candidate(answers=0), Limits()).fit is Fit.NOT_KNOWN


@pytest.mark.parametrize(("high", "is_close"), [(2.0, False), (2.1, True)])
def test_an_interval_across_the_limit_is_marked_and_does_not_decide(high: float, is_close: bool) -> None:
    told = Figure(value=1.9, interval=Interval(1.8, high))
    candidate = replace(a_candidate(), latency=Latency(e2e_s=told, ttft_s=UNKNOWN))

    (check,) = judge(candidate, Limits(max_latency_s=2.0)).of(Dimension.LATENCY).checks

    assert (check.asked, check.state, check.is_close) == (Asked.LATENCY, State.PASSES, is_close)


@pytest.mark.parametrize(
    "limits",
    [
        lambda: Limits(max_latency_s=float("nan")),
        lambda: Limits(max_latency_s=float("inf")),
        lambda: Limits(min_tokens_per_s=-1.0),
        lambda: Limits(min_quality=5.1),
        lambda: Limits(min_quality=0.9),
        lambda: Limits(licenses=()),
        lambda: Limits(licenses=("mit", " ")),
    ],
)
def test_limits_that_mean_nothing_are_refused(limits: Callable[[], Limits]) -> None:
    with pytest.raises(ValueError, match=r"quality|licence|number"):
        limits()


def test_one_beats_another_that_is_worse_in_something_and_better_in_nothing() -> None:
    a = a_candidate("a")

    assert dominates(a, a_candidate("b", latency=2.1))
    assert dominates(a, a_candidate("b", characters=49.0))
    assert dominates(a, a_candidate("b", memory=999, vram=2))
    assert dominates(a, a_candidate("b", quality=3.9))
    assert dominates(a, a_candidate("b", footprint=501))
    assert not dominates(a, a_candidate("b", latency=2.1, quality=4.1))


def test_equals_do_not_beat_each_other_and_tokens_and_licences_are_not_compared() -> None:
    a, b = a_candidate("a"), a_candidate("b", rate=5.0, declared="custom")

    assert not dominates(a, b)
    assert not dominates(b, a)


def test_what_is_unknown_of_one_is_not_compared_between_the_two() -> None:
    a, b = a_candidate("a", quality=None), a_candidate("b", latency=3.0, quality=5.0)

    assert dominates(a, b)
    assert uncompared(a, b) == (Dimension.QUALITY,)


def test_with_nothing_known_of_both_nobody_is_beaten() -> None:
    nothing = a_candidate("a", latency=None, characters=None, memory=None, quality=None, footprint=None)

    assert [one.is_on_front for one in standings([nothing, a_candidate("b")])] == [True, True]


def test_the_front_has_whom_nobody_beats_and_the_others_know_who_beats_them() -> None:
    fast, good = a_candidate("fast", quality=3.0), a_candidate("good", latency=4.0)
    slow = a_candidate("slow", latency=4.0, quality=3.5)

    found = standings([slow, fast, good])

    assert [one.is_on_front for one in found] == [False, True, True]
    assert found[0].beaten_by == (good,)


def test_a_circle_that_unknowns_close_takes_nobody_off_the_front_but_by_outsiders() -> None:
    a = a_candidate("a", latency=1.0, memory=2, quality=None, characters=None, footprint=None)
    b = a_candidate("b", latency=2.0, memory=None, quality=5.0, characters=None, footprint=None)
    c = a_candidate("c", latency=None, memory=1, quality=4.0, characters=None, footprint=None)
    outsider = a_candidate("d", latency=0.5, memory=1, quality=None, characters=None, footprint=None)

    assert [one.is_on_front for one in standings([a, b, c])] == [True, True, True]
    assert (dominates(a, b), dominates(b, c), dominates(c, a)) == (True, True, True)
    assert [one.is_on_front for one in standings([a, b, c, outsider])] == [False, False, True, True]


def test_the_order_flips_with_the_quality_that_is_asked_for() -> None:
    hasty = a_candidate("hasty", latency=1.0, quality=3.2)
    careful = a_candidate("careful", latency=2.0, quality=4.4)

    def first(least: float) -> str:
        limits = Limits(min_quality=least)
        fitting = [each for each in (hasty, careful) if judge(each, limits).fit is Fit.FITS]
        return weighted(fitting, {Dimension.LATENCY: 1}).places[0][0].model

    assert (first(3.0), first(4.0)) == ("hasty", "careful")


def test_weights_order_by_ranks_and_leave_out_who_has_none() -> None:
    fast = a_candidate("fast", latency=1.0, quality=3.0)
    good = a_candidate("good", latency=3.0, quality=5.0)
    twin = a_candidate("twin", latency=3.0, quality=5.0)
    blank = a_candidate("blank", quality=None)

    found = weighted([fast, good, twin, blank], {Dimension.LATENCY: 2, Dimension.QUALITY: 1})

    # fast: 2·1 + 1·3 = 5; good and twin: 2·2 + 1·1 = 5, too
    assert found.places == ((fast, good, twin),)
    assert found.left_out == ((blank, (Dimension.QUALITY,)),)
    by_quality = weighted([fast, good, twin], {Dimension.LATENCY: 1, Dimension.QUALITY: 1})
    assert by_quality.places == ((good, twin), (fast,))


@pytest.mark.parametrize(
    "weights", [{}, {Dimension.LATENCY: 0}, {Dimension.LATENCY: float("inf")}, {Dimension.LICENSE: 1}]
)
def test_weights_that_mean_nothing_are_refused(weights: "dict[Dimension, float]") -> None:
    with pytest.raises(ValueError, match="weight"):
        weighted([a_candidate()], weights)
