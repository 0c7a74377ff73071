"""Which answers of a run are scored, and in which order: blind, shuffled, some of them twice."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, groupby
from random import Random
from typing import TypeVar

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.scoring import PairItem, SheetItem
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.measures import is_counted

__all__ = ["REPEATED_SHARE", "answers_by_key", "answers_to_score", "pair_items", "sheet_items"]

REPEATED_SHARE = 0.1
"""So many of the answers come a second time, silently: how well a person agrees with himself."""
_KEY_CHARACTERS = 12
_LEAST_TO_REPEAT = 5
"""Of fewer everybody would remember the one that came before."""

T = TypeVar("T")
ItemT = TypeVar("ItemT")


def answers_to_score(run: Run, requests: Sequence[RequestRun]) -> tuple[RequestRun, ...]:
    """One answer of each model to each prompt, the first that stands, ended well and has text.

    Further rounds of a prompt say the same again, or nearly: scoring all would cost hours and show little.
    """
    first: dict[tuple[str, str], RequestRun] = {}
    for request in standing(requests):
        if is_counted(request) and request.trace.text.strip():
            first.setdefault((request.model, request.prompt_id), request)
    places = {name: place for place, name in enumerate(run.plan.models)}
    known = [request for request in first.values() if request.model in places]
    return tuple(sorted(known, key=lambda request: request.number))


def sheet_items(run: Run, requests: Sequence[RequestRun], *, seed: int = 0) -> tuple[SheetItem, ...]:
    """All answers of a run that are scored, in an order drawn from ``seed``.

    Prompts in a drawn order, and the answers to each in one of their own; after all of them a tenth once
    more, at least one where there are five.  The keys are the same whatever the seed.
    """
    draw = Random(f"{run.id}/{seed}")
    return _once_and_again(_drawn(run, requests, draw), draw, _item_of(run))


def pair_items(run: Run, requests: Sequence[RequestRun], *, seed: int = 0) -> tuple[PairItem, ...]:
    """All pairs of answers to one prompt, in an order drawn from ``seed``, each with a drawn left side.

    Pairs of one prompt lie beside each other; after all of them a tenth once more, with the sides changed.
    """
    draw = Random(f"{run.id}/pairs/{seed}")
    item = _item_of(run)
    pairs = [
        pair
        for _, answers in groupby(_drawn(run, requests, draw), key=lambda request: request.prompt_id)
        for pair in _shuffled(combinations(answers, 2), draw)
    ]
    return _once_and_again(
        pairs,
        draw,
        lambda pair, occasion: PairItem(
            left=item(pair[occasion - 1], occasion),
            right=item(pair[2 - occasion], occasion),
            occasion=occasion,
        ),
    )


def answers_by_key(run: Run, requests: Sequence[RequestRun]) -> dict[str, tuple[int, int]]:
    """Number and occasion of all that a sheet of the run may name, whatever its seed."""
    return {
        _key(run.id, request.number, occasion): (request.number, occasion)
        for request in answers_to_score(run, requests)
        for occasion in (1, 2)
    }


def _drawn(run: Run, requests: Sequence[RequestRun], draw: Random) -> list[RequestRun]:
    """All answers that are scored, those to one prompt beside each other."""
    of_prompt: dict[str, list[RequestRun]] = {}
    for request in answers_to_score(run, requests):
        of_prompt.setdefault(request.prompt_id, []).append(request)
    return [
        request
        for prompt_id in _shuffled(of_prompt, draw)
        for request in _shuffled(of_prompt[prompt_id], draw)
    ]


def _shuffled(things: Iterable[T], draw: Random) -> list[T]:
    shuffled = list(things)
    draw.shuffle(shuffled)
    return shuffled


def _once_and_again(things: Sequence[T], draw: Random, item: Callable[[T, int], ItemT]) -> tuple[ItemT, ...]:
    """All of them, and a tenth once more."""
    few = len(things) < _LEAST_TO_REPEAT
    again = [] if few else draw.sample(things, max(1, round(REPEATED_SHARE * len(things))))
    return tuple(item(thing, occasion) for occasion, part in ((1, things), (2, again)) for thing in part)


def _item_of(run: Run) -> Callable[[RequestRun, int], SheetItem]:
    prompts = {prompt.id: prompt.text for prompt in run.plan.prompts}

    def item(request: RequestRun, occasion: int) -> SheetItem:
        return SheetItem(
            key=_key(run.id, request.number, occasion),
            number=request.number,
            occasion=occasion,
            prompt_id=request.prompt_id,
            prompt=prompts.get(request.prompt_id, ""),
            answer=request.trace.text,
        )

    return item


def _key(run_id: str, number: int, occasion: int) -> str:
    """Tells nothing of the model, nor that an answer comes twice."""
    return hashlib.sha256(f"{run_id}/{number}/{occasion}".encode()).hexdigest()[:_KEY_CHARACTERS]
