"""``bench --race``: all variants of one model that can run here, against each other."""

import argparse
from dataclasses import replace

from foundry_tui.cli.bench_wishes import Wishes
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line
from foundry_tui.services.bench.order import order_here
from foundry_tui.services.bench.race import LeftOut, Race, race_of
from foundry_tui.services.opened import Services

__all__ = ["add_race", "raced"]

_NAME_CHARACTERS = 80
_WHY_CHARACTERS = 200


def add_race(what: "argparse._ArgumentGroup") -> None:
    """Add the option to the group of what is measured."""
    what.add_argument(
        "--race",
        metavar="ALIAS",
        help="every variant of that model that can run here, CPU, GPU and NPU, in as many rounds as show a"
        " difference; the others are named with why they cannot",
    )


async def raced(services: Services, wishes: Wishes, name: str) -> Wishes:
    """``wishes`` for a race of the variants of what is called ``name``.

    Args:
        services: Started.
        wishes: What was said beside it; an order that was named is kept.
        name: An alias, or one of its variants.

    Raises:
        BadInput: Nothing is called so, or fewer than two of its variants can run here.
        EngineError: Models cannot be listed.
    """
    client = services.client
    if client.catalog.value.find(name) is None:
        await client.refresh()
    race = race_of(client.catalog.value.models, name)
    if race is None:
        raise BadInput(
            f"no model is called {clean_line(name, _NAME_CHARACTERS)!r}",
            remedy="foundry-tui models list names all that there are",
        )
    if len(race.runners) < 2:
        raise _lone(race)
    notes = [*wishes.notes, *(f"not in the race: {_words(one)}" for one in race.left_out)]
    order = wishes.order
    if order is None:
        found = await order_here(client, race.runners)
        order = found.order
        notes += [f"the variants are measured {found.why}"] if found.why is not None else []
    return replace(
        wishes,
        name=wishes.name or f"race {race.alias}",
        models=tuple(model.id for model in race.runners),
        order=order,
        notes=tuple(notes),
    )


def _lone(race: Race) -> BadInput:
    alias = clean_line(race.alias, _NAME_CHARACTERS)
    here = ", ".join(clean_line(one.id, _NAME_CHARACTERS) for one in race.runners) or "none"
    others = f"; not {', '.join(map(_words, race.left_out))}" if race.left_out else ""
    fetch = next((one for one in race.left_out if one.can_download), None)
    return BadInput(
        f"a race needs two variants of {alias} that can run here: {here} can{others}",
        remedy="foundry-tui bench --models measures one alone"
        if fetch is None
        else f"foundry-tui models pull {clean_line(fetch.model.id, _NAME_CHARACTERS)} fetches one more",
    )


def _words(one: LeftOut) -> str:
    return f"{clean_line(one.model.id, _NAME_CHARACTERS)} ({clean_line(one.why, _WHY_CHARACTERS)})"
