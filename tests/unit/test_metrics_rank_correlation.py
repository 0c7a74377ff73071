"""Rank correlation: against an independent library, and where it is undefined."""

import random

import pytest

from foundry_tui.metrics.agreement import NoInterval
from foundry_tui.metrics.rank_correlation import (
    NoCorrelation,
    Placed,
    partial_spearman,
    rank_correlation,
    spearman,
)

ANN = "113222151541112255152542453124332231141335314514153535211231"
BOB = "114242151541112455151532552124544231142435333414152545211231"


def pairs(one: str, other: str) -> list[tuple[int, int]]:
    """A digit for each thing."""
    return [(int(first), int(second)) for first, second in zip(one, other, strict=True)]


def placed(one: str, other: str, *, of_a_group: int = 1) -> list[Placed]:
    return [
        Placed(group=number // of_a_group, one=first, other=second)
        for number, (first, second) in enumerate(pairs(one, other))
    ]


@pytest.mark.parametrize(
    ("one", "other", "rho"),
    # Of scipy 1.17.1, scipy.stats.spearmanr(one, other).statistic.
    [
        ("12345", "12345", 0.9999999999999999),
        ("54321", "12345", -0.9999999999999999),
        ("1223334444", "1122334455", 0.9424259475771382),
        ("3141592653", "2718281828", 0.13471506281091267),
        ("1112", "1222", 0.3333333333333333),
        (ANN, BOB, 0.9034073915215427),
    ],
)
def test_rho_is_that_of_an_independent_library(one: str, other: str, rho: float) -> None:
    assert spearman(pairs(one, other)) == pytest.approx(rho, abs=1e-12)


def test_the_partial_correlation_is_that_of_what_is_left_of_the_ranks() -> None:
    values = list(zip(*(map(int, text) for text in ("3141592653", "2718281828", "1414213562")), strict=True))

    # Of scipy 1.17.1 and numpy: Pearson's r of the residuals of scipy.stats.rankdata over the third's ranks.
    assert partial_spearman(values) == pytest.approx(0.16832624846702726, abs=1e-12)


def test_where_it_is_undefined_it_is_none_and_says_why() -> None:
    few = rank_correlation(placed("12", "12"))
    same = rank_correlation(placed("1234", "3333"))

    assert (few.rho, few.no_rho, few.interval) == (None, NoCorrelation.TOO_FEW, None)
    assert (same.rho, same.no_rho, same.interval) == (None, NoCorrelation.NO_VARIANCE, None)
    assert partial_spearman([(1, 1, 1), (2, 2, 2), (3, 3, 3)]) is None


def test_only_the_order_of_the_values_matters() -> None:
    draw = random.Random(1)
    values = [(draw.random(), draw.randint(1, 5)) for _ in range(30)]

    rho = spearman(values)

    assert spearman([(one**3 + 7, other**2) for one, other in values]) == rho
    assert spearman([(-one, other) for one, other in values]) == -(rho or 0)


def test_the_interval_is_the_percentiles_of_rho_over_drawn_things() -> None:
    values, draw = pairs(ANN, BOB), random.Random(5)
    drawn = sorted(spearman(draw.choices(values, k=60)) or 0 for _ in range(4_000))

    interval = rank_correlation(placed(ANN, BOB)).interval

    assert interval is not None
    assert interval.low == pytest.approx(drawn[100], abs=0.01)
    assert interval.high == pytest.approx(drawn[-100], abs=0.01)
    assert rank_correlation(placed(ANN, BOB), seed=1).interval != interval


def test_things_of_one_group_are_drawn_together() -> None:
    values, draw = pairs(ANN, BOB), random.Random(6)
    groups = [values[start : start + 6] for start in range(0, 60, 6)]
    drawn = sorted(
        spearman([pair for group in draw.choices(groups, k=10) for pair in group]) or 0 for _ in range(4_000)
    )

    found = rank_correlation(placed(ANN, BOB, of_a_group=6))

    assert (found.n, found.groups) == (60, 10)
    assert found.interval is not None
    assert found.interval.low == pytest.approx(drawn[100], abs=0.015)
    assert found.interval.high == pytest.approx(drawn[-100], abs=0.015)


def test_there_is_no_interval_of_few_groups_nor_of_what_is_the_same_in_every_sample() -> None:
    few = rank_correlation(placed("12345", "13245"))
    certain = rank_correlation(placed("123456", "123456"))

    assert few.rho == pytest.approx(0.9)
    assert (few.interval, few.no_interval) == (None, NoInterval.TOO_FEW)
    assert (certain.rho, certain.interval, certain.no_interval) == (1, None, NoInterval.NO_SPREAD)
