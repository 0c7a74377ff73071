"""Kendall's test and the median slope, against counts made by hand."""

import random
from itertools import permutations

import pytest

from foundry_tui.metrics.trend import fall_p, rise_p, slope


def counted(group: tuple[float, ...]) -> float:
    """The share of all orders of ``group`` with no more falling pairs than it has."""

    def falls(order: tuple[float, ...]) -> int:
        return sum(order[j] < order[i] for i in range(len(order)) for j in range(i + 1, len(order)))

    orders = list(permutations(group))
    return sum(falls(order) <= falls(group) for order in orders) / len(orders)


def test_a_rise_without_a_break_is_one_order_of_all() -> None:
    p = rise_p([[1, 2, 3, 4, 5]])

    assert p == pytest.approx(1 / 120)
    assert fall_p([[1, 2, 3, 4, 5]]) == 1
    assert fall_p([[5, 4, 3, 2, 1]]) == pytest.approx(1 / 120)


@pytest.mark.parametrize(
    "group",
    [(1.0, 3.0, 2.0, 5.0, 4.0), (1.0, 1.0, 2.0, 2.0, 1.0), (2.0, 1.0, 2.0, 3.0), (7.0, 7.0, 7.0, 7.0, 9.0)],
)
def test_with_ties_and_without_p_is_that_of_all_orders_counted_one_by_one(group: tuple[float, ...]) -> None:
    assert rise_p([group]) == pytest.approx(counted(group))


def test_groups_are_never_held_against_each_other() -> None:
    apart = rise_p([[1, 2, 3], [101, 102, 103], [51, 52, 53]])

    assert apart == pytest.approx(1 / 6**3)


@pytest.mark.parametrize("groups", [[], [[1.0]], [[1.0], [5.0]], [[3.0, 3.0, 3.0]]])
def test_without_a_pair_that_differs_nothing_is_shown(groups: list[list[float]]) -> None:
    assert rise_p(groups) == 1


def test_beyond_500_pairs_the_normal_approximation_takes_over_smoothly() -> None:
    dice = random.Random(3)
    group = [dice.random() + place / 60 for place in range(32)]  # 496 pairs, exact
    longer = [*group, dice.random() + 32 / 60]  # 528 pairs

    exact, approximate = rise_p([group]), rise_p([longer])

    assert exact == pytest.approx(approximate, abs=0.01)
    assert approximate < 0.05


def test_the_slope_is_the_median_one_whatever_one_reading_does() -> None:
    straight = [(float(x), 10.0 + 3.0 * x) for x in range(9)]
    spoilt = [*straight[:4], (4.0, 1e9), *straight[5:]]

    found = slope([spoilt])

    assert found is not None
    assert found.value == pytest.approx(3.0)
    assert found.interval is not None
    assert found.interval.holds(3.0)


def test_a_slope_of_two_readings_has_no_interval_and_of_one_reading_there_is_none() -> None:
    two = slope([[(0.0, 1.0), (2.0, 5.0)]])

    assert two is not None
    assert two.value == 2.0
    assert two.interval is None
    assert slope([[(0.0, 1.0)], [(1.0, 9.0)]]) is None


def test_the_interval_holds_the_true_slope_in_about_95_of_100_cases() -> None:
    dice = random.Random(11)
    held = 0
    for _ in range(300):
        found = slope([[(float(x), 2.0 * x + dice.gauss(0, 5)) for x in range(15)]])
        assert found is not None
        assert found.interval is not None
        held += found.interval.holds(2.0)

    assert 0.92 <= held / 300 <= 0.99
