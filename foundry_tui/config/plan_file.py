"""A plan of a benchmark in a file: what is to be measured, as far as it says so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from foundry_tui.config.check_entries import checks_at
from foundry_tui.config.documents import Document, file_problem, pointer, read_json
from foundry_tui.domain.bench import (
    GoodputLimits,
    MemoryRescue,
    Order,
    PlannedPrompt,
    PrecisionRule,
    RunLimits,
)
from foundry_tui.metrics.goodput import LIMITS

__all__ = ["PlanEntries", "load_plan"]

_RESULTS = "foundry-tui/results@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntries:
    """What a plan file says; None where it says nothing.

    Attributes:
        has_temperature: Whether ``temperature`` is said, None then leaving it to the engine.
        timeouts: Phase and seconds, such as ``first_token_s`` and 60.0; only those that are said.
    """

    name: str | None = None
    models: tuple[str, ...] | None = None
    prompts: tuple[PlannedPrompt, ...] | None = None
    rounds: int | None = None
    warmup: int | None = None
    max_tokens: int | None = None
    has_temperature: bool = False
    temperature: float | None = None
    seed: int | None = None
    concurrency: int | None = None
    order: Order | None = None
    is_deterministic: bool | None = None
    has_probes: bool | None = None
    has_cold_start: bool | None = None
    unloads: bool | None = None
    precision: PrecisionRule | None = None
    stops_repetition: bool | None = None
    rescue: MemoryRescue | None = None
    limits: RunLimits | None = None
    goodput: GoodputLimits | None = None
    timeouts: Mapping[str, float] | None = None


def load_plan(path: Path) -> PlanEntries:
    """Read a plan, or that of a results file.

    Raises:
        BadInput: The file cannot be read, is not of that form, or names a prompt that it does not have.
    """
    document = _plan_of(read_json(path))

    # Late, and after the file has parsed: pydantic is slow to import.
    from pydantic import ValidationError

    from foundry_tui.config.problems import shape_problem
    from foundry_tui.config.shapes import PlanFile

    try:
        checked = PlanFile.model_validate(document.content)
    except ValidationError as error:
        raise shape_problem(document, PlanFile, error, "plan") from error
    texts = None if checked.prompts is None else tuple(checked.prompts)
    known = (
        None
        if checked.prompt_set is None
        else tuple(
            PlannedPrompt(
                id=entry.id,
                text=entry.text,
                system=entry.system,
                aspects=tuple(entry.aspects),
                checks=checks_at(document, entry.checks, "prompt_set", index, "checks"),
            )
            for index, entry in enumerate(checked.prompt_set)
        )
    )
    _refuse_repeats(document, "models", checked.models or ())
    _refuse_repeats(document, "prompt_set", [prompt.id for prompt in known or ()], "id")
    rule, timeouts, limits = checked.precision, checked.timeouts, checked.limits
    goodput = LIMITS[checked.goodput] if isinstance(checked.goodput, str) else checked.goodput
    if goodput is not None and not isinstance(goodput, GoodputLimits):
        goodput = GoodputLimits(**goodput.model_dump())
    return PlanEntries(
        name=checked.name,
        models=None if checked.models is None else tuple(checked.models),
        prompts=_prompts(document, texts, known),
        rounds=checked.rounds,
        warmup=checked.warmup,
        max_tokens=checked.max_tokens,
        has_temperature="temperature" in checked.model_fields_set,
        temperature=checked.temperature,
        seed=checked.seed,
        concurrency=checked.concurrency,
        order=None if checked.order is None else Order(checked.order),
        is_deterministic=checked.deterministic,
        has_probes=checked.probes,
        has_cold_start=checked.cold_start,
        unloads=checked.unloads,
        precision=None if rule is None else PrecisionRule(**rule.model_dump()),
        stops_repetition=checked.stops_repetition,
        rescue=None if checked.out_of_memory is None else MemoryRescue(checked.out_of_memory),
        limits=None if limits is None else RunLimits(**limits.model_dump()),
        goodput=goodput,
        timeouts=None if timeouts is None else timeouts.model_dump(exclude_none=True),
    )


def _plan_of(document: Document) -> Document:
    """The plan inside of a results file; any other file as it is."""
    content = document.content
    if not isinstance(content, dict) or content.get("schema") != _RESULTS:
        return document
    run = content.get("run")
    plan = run.get("plan") if isinstance(run, dict) else None
    if plan is None:
        raise file_problem(document.path, f"{pointer('run', 'plan')}: expected a plan, found nothing")
    return replace(document, content=plan)


def _prompts(
    document: Document, texts: tuple[str, ...] | None, known: tuple[PlannedPrompt, ...] | None
) -> tuple[PlannedPrompt, ...] | None:
    if known is None:
        if texts is None:
            return None
        return tuple(PlannedPrompt(id=f"p{number}", text=text) for number, text in enumerate(texts, start=1))
    if texts is None:
        return known
    by_id = {prompt.id: prompt for prompt in known}
    for index, name in enumerate(texts):
        if name not in by_id:
            place = pointer("prompts", index)
            raise file_problem(
                document.path,
                f"{place}: expected the id of a prompt in {pointer('prompt_set')}, found another",
            )
    _refuse_repeats(document, "prompts", texts)
    return tuple(by_id[name] for name in texts)


def _refuse_repeats(document: Document, key: str, names: "tuple[str, ...] | list[str]", *inner: str) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            place = pointer(key, index, *inner)
            raise file_problem(document.path, f"{place}: expected each name once, found one again")
