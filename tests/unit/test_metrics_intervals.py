import random
import subprocess
import sys
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from foundry_tui.metrics.intervals import Interval, bootstrap_interval, wilson_interval

Rows: TypeAlias = NDArray[np.float64]


def means(rows: Rows) -> Rows:
    found: Rows = rows.mean(axis=1)
    return found


def medians(rows: Rows) -> Rows:
    found: Rows = np.median(rows, axis=1)
    return found


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    # Of scipy 1.17.1, binomtest(k, n).proportion_ci(method="wilson").
    [
        (0, 3, 0.0, 0.5614970317550454),
        (3, 3, 0.4385029682449546, 1.0),
        (5, 10, 0.236593090512564, 0.7634069094874361),
        (29, 30, 0.8332960900859083, 0.9940914096183875),
    ],
)
def test_wilsons_interval_is_that_of_the_literature(
    successes: int, count: int, low: float, high: float
) -> None:
    found = wilson_interval(successes, count)

    assert found is not None
    assert found.low == pytest.approx(low, abs=1e-12)
    assert found.high == pytest.approx(high, abs=1e-12)


def test_wilsons_interval_holds_the_rate_and_stays_between_0_and_1() -> None:
    for count in range(1, 80):
        for successes in range(count + 1):
            found = wilson_interval(successes, count)

            assert found is not None
            assert 0 <= found.low <= successes / count <= found.high <= 1


def test_without_a_try_there_is_no_rate() -> None:
    assert wilson_interval(0, 0) is None


@pytest.mark.parametrize(("successes", "count"), [(4, 3), (-1, 3)])
def test_more_successes_than_tries_are_refused(successes: int, count: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson_interval(successes, count)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = [random.Random(1).gauss(0, 1) for _ in range(12)]
    values = [value + number for number, value in enumerate(values)]

    assert bootstrap_interval(values, means, seed=7) == bootstrap_interval(values, means, seed=7)
    assert bootstrap_interval(values, means, seed=7) != bootstrap_interval(values, means, seed=8)


def test_the_bootstrap_of_a_mean_agrees_with_the_normal_interval_where_there_are_many_values() -> None:
    values = np.random.default_rng(3).normal(10, 2, 1500).tolist()

    found = bootstrap_interval(values, means, seed=1)

    reach = 1.96 * np.std(values) / np.sqrt(len(values))
    assert found is not None
    assert found.low == pytest.approx(np.mean(values) - reach, abs=0.05 * reach)
    assert found.high == pytest.approx(np.mean(values) + reach, abs=0.05 * reach)


def test_any_statistic_can_be_given() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 100.0, 5.0, 6.0]

    found = bootstrap_interval(values, medians, seed=1)

    assert found is not None
    assert 1 <= found.low <= 4 <= found.high <= 100


def test_too_few_values_have_no_bootstrap_interval() -> None:
    assert bootstrap_interval([1.0, 2.0, 3.0, 4.0, 5.0], means, seed=1) is None
    assert bootstrap_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], means, seed=1) is not None


def test_an_interval_begins_before_it_ends() -> None:
    with pytest.raises(ValueError, match="begins"):
        Interval(2, 1)

    assert Interval(1, 4).half_width == 1.5


def test_to_import_a_statistic_imports_no_numpy() -> None:
    # In a process of its own: in this one it is loaded already.
    program = (
        "import pkgutil, sys, foundry_tui.metrics as room\n"
        "for module in pkgutil.iter_modules(room.__path__): __import__(f'{room.__name__}.{module.name}')\n"
        "print('foundry_tui.metrics.comparison' in sys.modules, 'numpy' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "False"]
