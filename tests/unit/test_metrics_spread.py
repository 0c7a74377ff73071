"""Spreads, percentiles and intervals of the median, recomputed by numpy and by counting."""

import math
import random
import statistics
from collections.abc import Callable

import numpy as np
import pytest

from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.percentiles import P95_COUNT, P99_COUNT, percentile
from foundry_tui.metrics.spread import median_interval, spread

# Of the workshop's notebook: its table says max 39.057 and p95 39.191.
NOTEBOOK_S = [38.499, 38.889, 39.057]


def lists(count: int, *, longest: int = 400) -> list[list[float]]:
    """Lists of readings of several shapes, among them equal, tiny, huge and negative ones."""
    draw = random.Random(11)
    shapes: list[Callable[[], float]] = [
        lambda: draw.lognormvariate(0, 1),
        lambda: draw.gauss(0, 1e-9),
        lambda: draw.uniform(-1e12, 1e12),
        lambda: float(draw.randint(0, 3)),
        lambda: 0.1,
    ]
    return [
        [shape() for _ in range(draw.randint(1, longest))]
        for number in range(count)
        for shape in [shapes[number % len(shapes)]]
    ]


def test_the_numbers_are_those_of_numpy() -> None:
    for values in lists(200):
        found = spread(values)

        assert found is not None
        assert found.n == len(values)
        scale = max(map(abs, values))
        assert found.mean == pytest.approx(np.mean(values), rel=1e-12, abs=1e-12 * scale)
        assert found.median == pytest.approx(np.median(values), rel=1e-12, abs=1e-14 * scale)
        assert found.p95 == pytest.approx(np.percentile(values, 95), rel=1e-12, abs=1e-14 * scale)
        assert (found.min, found.max) == (min(values), max(values))
        if len(values) > 1:
            assert found.stdev == pytest.approx(np.std(values, ddof=1), rel=1e-9, abs=1e-12 * scale)


def test_nothing_lies_outside_of_what_was_read() -> None:
    for values in lists(500, longest=12):
        found = spread(values)

        assert found is not None
        assert found.min <= found.median <= found.p95 <= found.max
        assert found.min <= found.mean <= found.max


def test_percentiles_of_equal_ends_do_not_leave_them_by_rounding() -> None:
    draw = random.Random(5)

    for _ in range(2000):
        ordered = sorted(draw.uniform(0.1, 0.3) for _ in range(draw.randint(2, 5)))
        assert ordered[0] <= percentile(ordered, draw.random()) <= ordered[-1]
        assert percentile(ordered, 1.0) == ordered[-1]
        assert percentile(ordered, 0.0) == ordered[0]


def test_the_notebooks_p95_above_its_maximum_does_not_come_out() -> None:
    found = spread(NOTEBOOK_S)

    assert found is not None
    assert statistics.quantiles(NOTEBOOK_S, n=20)[-1] == pytest.approx(39.1914)
    assert found.p95 == pytest.approx(39.0402)
    assert found.p95 <= found.max == 39.057
    assert not found.p95_supported


@pytest.mark.parametrize(("n", "expected"), [(3, False), (58, False), (59, True), (60, True)])
def test_p95_is_supported_from_59_readings_on(n: int, expected: bool) -> None:
    found = spread([float(value) for value in range(n)])

    assert found is not None
    assert found.p95_supported is expected


def test_of_nothing_there_is_no_spread() -> None:
    assert spread([]) is None


def test_a_single_reading_has_neither_deviation_nor_interval() -> None:
    found = spread([2.5])

    assert found is not None
    assert (found.mean, found.median, found.p95, found.min, found.max) == (2.5,) * 5
    assert found.stdev is None
    assert found.mean_interval is None
    assert found.median_interval is None


def test_the_interval_of_the_mean_is_students() -> None:
    found = spread([1.0, 2.0, 3.0, 4.0])

    # Mean 2.5, stdev √(5/3), t(0.975, 3) = 3.18244630528
    reach = 3.18244630528 * math.sqrt(5 / 3) / 2
    assert found is not None
    assert found.mean_interval is not None
    assert found.mean_interval.low == pytest.approx(2.5 - reach, rel=1e-9)
    assert found.mean_interval.high == pytest.approx(2.5 + reach, rel=1e-9)


def test_the_interval_of_the_mean_holds_the_truth_95_times_in_100() -> None:
    draw = random.Random(2)

    hits = 0
    for _ in range(2000):
        found = spread([draw.gauss(7, 2) for _ in range(5)])
        assert found is not None
        assert found.mean_interval is not None
        hits += found.mean_interval.holds(7)

    assert 0.94 <= hits / 2000 <= 0.96


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_rather_than_counted(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        spread([1.0, value])


@pytest.mark.parametrize(
    ("n", "place"),
    # The k of the tables of the sign test: the k-th smallest to the k-th largest.
    [(6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (15, 4), (20, 6), (25, 8), (30, 10), (50, 18), (100, 40)],
)
def test_the_interval_of_the_median_is_that_of_the_tables(n: int, place: int) -> None:
    assert median_interval([float(value) for value in range(1, n + 1)]) == Interval(place, n + 1 - place)


def test_the_interval_of_the_median_covers_95_of_100_and_is_the_shortest_that_does() -> None:
    for n in [*range(6, 60), 1001]:
        found = median_interval([float(value) for value in range(n)])

        assert found is not None
        below = int(found.low)
        outside = 2 * sum(math.comb(n, k) for k in range(below + 1))
        assert outside * 1000 <= 50 * 2**n
        assert (outside + 2 * math.comb(n, below + 1)) * 1000 > 50 * 2**n
        assert found.high == n - 1 - below


@pytest.mark.parametrize("n", [0, 1, 5])
def test_of_fewer_than_six_readings_the_median_has_no_interval(n: int) -> None:
    assert median_interval([1.0] * n) is None


@pytest.mark.parametrize(("count", "share"), [(P95_COUNT, 0.95), (P99_COUNT, 0.99)])
def test_a_percentile_is_told_from_the_least_count_whose_largest_is_above_it_nineteen_times_in_twenty(
    count: int, share: float
) -> None:
    assert 1 - share ** (count - 1) < 0.95 <= 1 - share**count


def test_a_percentile_needs_a_value() -> None:
    with pytest.raises(ValueError, match="value"):
        percentile([], 0.5)
