"""A screen draws half as often while its own event loop is late."""

import pytest

from foundry_tui.tui.paint_budget import PaintBudget


def test_it_draws_four_times_a_second_while_all_is_well() -> None:
    budget = PaintBudget()
    budget.slept(0.25, 0.26)

    assert budget.period_s == 0.25
    assert budget.lag_s == pytest.approx(0.01)
    assert not budget.is_late


def test_before_the_first_sleep_nobody_knows_how_late_it_is() -> None:
    budget = PaintBudget()
    unknown = budget.lag_s
    budget.slept(0.25, 0.4)
    budget.forget()

    assert (unknown, budget.lag_s, budget.period_s) == (None, None, 0.25)


def test_above_20_ms_it_tells_its_lag_and_draws_half_as_often() -> None:
    budget = PaintBudget()
    budget.slept(0.25, 0.285)

    assert budget.period_s == 0.5
    assert budget.lag_s == pytest.approx(0.035)
    assert budget.is_late


def test_one_good_drawing_does_not_change_its_mind_and_eight_do() -> None:
    budget = PaintBudget()
    budget.slept(0.25, 0.35)
    for _ in range(7):
        budget.slept(0.5, 0.5)
    was_late = budget.lag_s
    budget.slept(0.5, 0.5)

    assert was_late == pytest.approx(0.1)
    assert (budget.period_s, budget.lag_s) == (0.25, 0.0)
