import random
from itertools import product

import pytest

from foundry_tui.metrics.paired_tests import sign_test_p, wilcoxon_p


def counted_wilcoxon(differences: list[float]) -> float:
    """The same p, from every assignment of signs one by one."""
    sizes = sorted(abs(difference) for difference in differences if difference)
    ranks = {size: (2 * sizes.index(size) + sizes.count(size) + 1) / 2 for size in sizes}
    observed = sum(ranks[difference] for difference in differences if difference > 0)
    sums = [
        sum(ranks[size] for size, is_above in zip(sizes, signs, strict=True) if is_above)
        for signs in product((False, True), repeat=len(sizes))
    ]
    tails = sum(one <= observed for one in sums), sum(one >= observed for one in sums)
    return min(1.0, 2 * min(tails) / len(sums))


def test_wilcoxons_p_counts_every_assignment_of_signs() -> None:
    draw = random.Random(8)

    for number in range(60):
        digits = 1 if number % 2 else 6  # with ties and zeros, and without
        differences = [round(draw.gauss(0.4, 1), digits) for _ in range(draw.randint(1, 11))]
        assert wilcoxon_p(differences) == pytest.approx(counted_wilcoxon(differences), rel=1e-12)


@pytest.mark.parametrize(("n", "expected"), [(4, 0.125), (5, 0.0625), (6, 0.03125), (10, 0.001953125)])
def test_the_smallest_p_of_n_pairs_is_2_in_2_to_the_n(n: int, expected: float) -> None:
    one_sided = [float(number) for number in range(1, n + 1)]

    assert wilcoxon_p(one_sided) == expected
    assert sign_test_p(one_sided) == expected


def test_the_sign_test_counts_heads() -> None:
    # Two of ten: 2·(1 + 10 + 45)/1024
    assert sign_test_p([1.0] * 8 + [-1.0] * 2) == 112 / 1024
    assert sign_test_p([1.0] * 8 + [0.0] * 5 + [-1.0] * 2) == 112 / 1024
    assert sign_test_p([1.0, -1.0]) == 1.0


@pytest.mark.parametrize("differences", [[], [0.0, 0.0]])
def test_without_a_difference_nothing_is_unlikely(differences: list[float]) -> None:
    assert sign_test_p(differences) == 1.0
    assert wilcoxon_p(differences) == 1.0


def test_swapping_the_sides_changes_no_p() -> None:
    draw = random.Random(9)

    for _ in range(50):
        differences = [draw.gauss(0.3, 1) for _ in range(draw.randint(1, 30))]
        swapped = [-difference for difference in differences]
        assert wilcoxon_p(swapped) == wilcoxon_p(differences)
        assert sign_test_p(swapped) == sign_test_p(differences)


def test_of_many_pairs_p_is_that_of_the_normal_approximation() -> None:
    # 60 ties among 150; scipy 1.17.1: wilcoxon(…, method="approx", correction=True).
    differences = [float(value) for value in range(-60, 91)]

    assert wilcoxon_p(differences) == pytest.approx(0.00013752984498633885, rel=1e-9)
