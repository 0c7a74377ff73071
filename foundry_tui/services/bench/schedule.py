"""Which timed request follows which."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import BenchPlan, Order, Phase, RequestRun
from foundry_tui.domain.chat import Outcome

__all__ = ["Slot", "done_slots", "order_of_models", "timed_slots"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One timed request to be made; ``round`` counts from 1."""

    model: str
    prompt_id: str
    round: int


def timed_slots(plan: BenchPlan, models: Sequence[str], rounds: Iterable[int]) -> Iterator[Slot]:
    """The slots of ``rounds`` for those models, which the plan names, in the order of the plan."""
    rounds = tuple(rounds)
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


def done_slots(requests: Iterable[RequestRun]) -> frozenset[Slot]:
    """What an earlier life of the run has made, well or badly; what was stopped in the middle is not done."""
    return frozenset(
        Slot(model=request.model, prompt_id=request.prompt_id, round=request.round)
        for request in requests
        if request.phase is Phase.TIMED and request.trace.outcome is not Outcome.CANCELLED
    )
