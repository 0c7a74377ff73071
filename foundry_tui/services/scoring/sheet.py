"""Which answers of a run are scored, and in which order: blind, shuffled, some of them twice."""

import hashlib
from collections.abc import Sequence
from random import Random

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.scoring import SheetItem
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.measures import is_counted

__all__ = ["REPEATED_SHARE", "answers_by_key", "answers_to_score", "sheet_items"]

REPEATED_SHARE = 0.1
"""So many of the answers come a second time, silently: how well a person agrees with himself."""
_KEY_CHARACTERS = 12


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
    of_prompt: dict[str, list[RequestRun]] = {}
    for request in answers_to_score(run, requests):
        of_prompt.setdefault(request.prompt_id, []).append(request)
    prompts = {prompt.id: prompt.text for prompt in run.plan.prompts}
    order = list(of_prompt)
    draw.shuffle(order)
    ordered: list[RequestRun] = []
    for prompt_id in order:
        draw.shuffle(of_prompt[prompt_id])
        ordered += of_prompt[prompt_id]
    count = len(ordered)
    again = draw.sample(ordered, max(1, round(REPEATED_SHARE * count))) if count >= 5 else []
    return tuple(
        SheetItem(
            key=_key(run.id, request.number, occasion),
            number=request.number,
            occasion=occasion,
            prompt_id=request.prompt_id,
            prompt=prompts.get(request.prompt_id, ""),
            answer=request.trace.text,
        )
        for occasion, part in ((1, ordered), (2, again))
        for request in part
    )


def answers_by_key(run: Run, requests: Sequence[RequestRun]) -> dict[str, tuple[int, int]]:
    """Number and occasion of all that a sheet of the run may name, whatever its seed."""
    return {
        _key(run.id, request.number, occasion): (request.number, occasion)
        for request in answers_to_score(run, requests)
        for occasion in (1, 2)
    }


def _key(run_id: str, number: int, occasion: int) -> str:
    """Tells nothing of the model, nor that an answer comes twice."""
    return hashlib.sha256(f"{run_id}/{number}/{occasion}".encode()).hexdigest()[:_KEY_CHARACTERS]
