"""The plan page filled in for a race: one model on processor, GPU and NPU."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from foundry_tui.domain.bench import Order
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.services.bench.order import MemoryOrder, order_here
from foundry_tui.services.bench.race import FEW_PROMPTS, Race, rounds_of_race
from foundry_tui.services.opened import Services
from foundry_tui.tui.screens.bench.draft import BenchDraft, Switch

__all__ = ["RacePlan", "draft_of_race", "lone_words", "planned_race"]

_ALIAS_CHARACTERS = 40
_NAME_CHARACTERS = 60
_WHY_CHARACTERS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class RacePlan:
    """What the plan page says and offers of a race beside its draft.

    Attributes:
        title: Of the page; harmless, as ``notes``.
        notes: Who is not in it and why, and why they are not interleaved where they are not.
        missing: Those that a download would bring in.
        offer: Opens the dialog that offers a download.
    """

    title: str
    notes: tuple[str, ...]
    missing: tuple[ModelVariant, ...]
    offer: Callable[[ModelVariant], None]


async def planned_race(
    services: Services, race: Race, *, offer: Callable[[ModelVariant], None]
) -> tuple[BenchDraft, RacePlan]:
    """What the page is filled in with; weighs the runners and reads the prompts."""
    order = await order_here(services.client, race.runners)
    prompt_ids: tuple[str, ...] = ()
    with suppress(FoundryTuiError):  # the page reads them too, and says it
        prompts = await asyncio.to_thread(services.bench_prompts, "")
        prompt_ids = tuple(prompt.id for prompt in prompts)
    plan = RacePlan(
        title=f"Race the variants of {clean_line(race.alias, _ALIAS_CHARACTERS)}",
        notes=_notes(race, order),
        missing=tuple(one.model for one in race.left_out if one.can_download),
        offer=offer,
    )
    return draft_of_race(race, order, prompt_ids), plan


def draft_of_race(race: Race, order: MemoryOrder, prompt_ids: Sequence[str]) -> BenchDraft:
    """All runners on few prompts, in as many rounds as show a difference; the rest as it is by default."""
    few = tuple(prompt_ids[:FEW_PROMPTS])
    return BenchDraft(
        models=tuple(model.id for model in race.runners),
        prompt_ids=few,
        fields=(
            ("rounds", str(rounds_of_race(len(few)))),
            ("name", clean_line(f"race {race.alias}", _NAME_CHARACTERS)),
        ),
        switches=frozenset({Switch.BLOCKED} if order.order is Order.BLOCKED else ()),
    )


def lone_words(race: Race) -> str:
    """Why there is no race: nobody to run against, or nobody that could run here."""
    alias = clean_line(race.alias, _ALIAS_CHARACTERS)
    others = _left_out_words(race)
    if not race.left_out:
        return f"{alias} has one variant only: there is nothing to race it against"
    return f"no two variants of {alias} can run here: {others}"


def _notes(race: Race, order: MemoryOrder) -> tuple[str, ...]:
    notes = [f"Measured {order.why}"] if order.why is not None else []
    if race.left_out:
        offer = "; o offers the download" if any(one.can_download for one in race.left_out) else ""
        notes.append(f"Not in it: {_left_out_words(race)}{offer}")
    if len(race.runners) < 2:
        notes.append("A race needs two variants that are here")
    return tuple(notes)


def _left_out_words(race: Race) -> str:
    return ", ".join(
        f"{clean_line(one.model.id, _NAME_CHARACTERS)} ({clean_line(one.why, _WHY_CHARACTERS)})"
        for one in race.left_out
    )
