"""In which order a benchmark asks its models."""

from collections import Counter
from itertools import product

import pytest

from foundry_tui.domain.bench import BenchPlan, Order
from foundry_tui.services.bench.schedule import Slot, timed_slots
from tests.support.benches import plan

MODELS = ("x", "y", "z")


def asked(planned: BenchPlan, *rounds: int) -> list[str]:
    """The slots of ``rounds``, each as round, prompt and model."""
    return [
        f"{slot.round}{slot.prompt_id}{slot.model}" for slot in timed_slots(planned, planned.models, rounds)
    ]


def models_of(planned: BenchPlan, number: int, prompt_id: str) -> list[str]:
    slots = timed_slots(planned, planned.models, [number])
    return [slot.model for slot in slots if slot.prompt_id == prompt_id]


def test_blocked_each_model_is_asked_everything_before_the_next_one() -> None:
    assert asked(plan(models=("x", "y"), order=Order.BLOCKED), 1, 2) == [
        *("1ax", "1bx", "2ax", "2bx"),
        *("1ay", "1by", "2ay", "2by"),
    ]


def test_interleaved_the_models_take_turns_as_drawn_and_backwards_in_every_second_round() -> None:
    # As it was drawn when the first runs were made: another order would ask what they resume twice or never.
    assert asked(plan(models=MODELS, seed=5), 1, 2) == [
        *("1ax", "1ay", "1az", "1by", "1bz", "1bx"),
        *("2az", "2ay", "2ax", "2bx", "2bz", "2by"),
    ]


@pytest.mark.parametrize("prompt_id", ["a", "b"])
@pytest.mark.parametrize("seed", range(6))
def test_of_every_two_rounds_the_second_goes_backwards(seed: int, prompt_id: str) -> None:
    planned = plan(models=MODELS, seed=seed)

    for first in (1, 3, 5):
        assert models_of(planned, first + 1, prompt_id) == models_of(planned, first, prompt_id)[::-1]


def test_each_pair_of_rounds_each_prompt_and_each_seed_is_drawn_anew() -> None:
    draws = Counter(
        tuple(models_of(plan(models=MODELS, seed=seed), number, prompt_id))
        for seed, number, prompt_id in product(range(50), (1, 3, 5), ("a", "b"))
    )

    # 300 draws of six orders: each 50 times, give or take four standard deviations.
    assert len(draws) == 6
    assert all(24 <= count <= 76 for count in draws.values())


@pytest.mark.parametrize("order", Order)
def test_everything_is_asked_once_each_whatever_the_order(order: Order) -> None:
    planned = plan(models=MODELS, order=order)

    slots = Counter(timed_slots(planned, planned.models, range(1, 4)))

    assert slots == Counter(
        Slot(model=model, prompt_id=prompt_id, round=number)
        for model, prompt_id, number in product(MODELS, ("a", "b"), (1, 2, 3))
    )


def test_rounds_that_are_asked_later_are_asked_as_they_would_have_been() -> None:
    planned = plan(models=MODELS, seed=9)

    assert asked(planned, 1, 2) + asked(planned, 3, 4) == asked(planned, 1, 2, 3, 4)
