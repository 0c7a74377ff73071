"""Which timed request follows which."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import BenchPlan, Order

__all__ = ["Slot", "order_of_models", "timed_slots"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One timed request to be made; ``round`` counts from 1."""

    model: str
    prompt_id: str
    round: int


def timed_slots(plan: BenchPlan, models: Sequence[str], rounds: Sequence[int]) -> Iterator[Slot]:
    """The slots of ``rounds`` for those models, which the plan names, in the order of the plan."""
    if plan.order is Order.BLOCKED:
        for model in models:
            for number in rounds:
                for prompt in plan.prompts:
                    yield Slot(model=model, prompt_id=prompt.id, round=number)
        return
    for number in rounds:
        for prompt in plan.prompts:
            for model in order_of_models(plan, models, prompt.id, number):
                yield Slot(model=model, prompt_id=prompt.id, round=number)


def order_of_models(plan: BenchPlan, models: Sequence[str], prompt_id: str, number: int) -> list[str]:
    """Who comes when for one prompt of one round.

    Drawn from the seed for each prompt and every two rounds; the second of the two goes backwards (ABBA), so
    that a steady drift takes from each model as much as it gives.  A resumed run draws the same.
    """
    order = list(models)
    pair, is_second = divmod(number - 1, 2)
    random.Random(f"{plan.seed}/{prompt_id}/{pair}").shuffle(order)
    return order[::-1] if is_second else order
