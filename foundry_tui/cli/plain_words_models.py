"""Models, engine and machine in words fit to be spoken."""

import time
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns
from typing import assert_never

from foundry_tui.cli.plain_words import count_words, sentence, spoken
from foundry_tui.domain.cache import CachedModel
from foundry_tui.domain.engine import EngineDead, EngineIdle, EngineReady, EngineStarting, EngineState
from foundry_tui.domain.model_filter import download_or_disk_bytes
from foundry_tui.domain.models import CatalogSnapshot, Device, LoadReport, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words, seconds_in_words
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.cache import ago_in_words, health_words
from foundry_tui.reports.catalogs import missing_lines
from foundry_tui.reports.engine import gpu_facts, host_facts, info_facts, last_words
from foundry_tui.reports.facts import Fact
from foundry_tui.reports.models import (
    JOBS,
    Compared,
    comparison,
    load_cost,
    model_facts,
    model_state,
)
from foundry_tui.services.client import Job

__all__ = [
    "SORT_KEYS",
    "cached_line",
    "catalog_line",
    "comparison_lines",
    "death_lines",
    "engine_lines",
    "fact_lines",
    "load_line",
    "model_line",
    "resource_lines",
]

_NAME_CHARACTERS = 120
# A voice would read them as words.
_SPELT = {device.value: device.value.upper() for device in Device}
SORT_KEYS: Mapping[str, Callable[[ModelVariant], int | str | None]] = {
    "name": lambda model: model.id,
    "size": download_or_disk_bytes,
    "context": lambda model: model.context_tokens,
    "device": lambda model: model.device,
    "licence": lambda model: model.license,
    "publisher": lambda model: model.publisher,
}
"""What a list of models can be put in order by."""


def model_line(number: int, model: ModelVariant, jobs: Sequence[Job]) -> str:
    """One model of a list: where it is, how big it is, what it runs on, how long its context is."""
    said = {fact.label: _said(fact) for fact in _facts(model, None, jobs)}
    size = download_or_disk_bytes(model)
    parts = [
        f"{number}: {clean_line(model.id, _NAME_CHARACTERS)}",
        said["State"] if model.problem is None else f"problem: {clean_line(model.problem, 300)}",
        "size unknown" if size is None else bytes_in_words(size),
        "device unknown" if model.device is None else said["Device"],
        f"context {said['Context']}",
        f"licence {said['Licence']}",
    ]
    if model.unavailable is not None:
        parts.append(f"cannot run here: {clean_line(model.unavailable, 300)}")
    return f"{', '.join(parts)}."


def cached_line(number: int, one: CachedModel, now_unix: float) -> str:
    """What a model on this disk takes, when it was used last, and whether it is sound."""
    size = "size unknown" if one.disk_bytes is None else bytes_in_words(one.disk_bytes)
    last = one.last_used_unix
    used = "never used that is known" if last is None else f"used {ago_in_words(last, now_unix)}"
    parts = [clean_line(one.model_id, _NAME_CHARACTERS), size, used, health_words(one.health, now_unix)]
    if one.is_own:
        parts.append("a folder of yours, never removed")
    return f"{number}: {', '.join([parts[0], *map(spoken, parts[1:])])}."


def fact_lines(model: ModelVariant, report: LoadReport | None, jobs: Sequence[Job]) -> list[str]:
    """Everything known about one model."""
    return [_line(fact) for fact in _facts(model, report, jobs)]


def comparison_lines(models: Sequence[ModelVariant], reports: Mapping[str, LoadReport]) -> list[str]:
    """The facts of several models, one line for each, and whether they differ in it."""
    names = ", ".join(
        f"{n}: {clean_line(model.id, _NAME_CHARACTERS)}" for n, model in enumerate(models, start=1)
    )
    rows = comparison([_facts(model, reports.get(model.id), ()) for model in models])
    return [f"Compared: {names}.", *map(_compared, rows)]


def catalog_line(snapshot: CatalogSnapshot) -> str:
    """How many models there are, and why some may be missing."""
    here = sum(1 for model in snapshot.models if model.is_cached)
    loaded = sum(1 for model in snapshot.models if model.is_loaded)
    words = f"{count_words(len(snapshot.models), 'model')}, {here} on disk, {loaded} loaded"
    missing = missing_lines(snapshot, time.time())
    return " ".join(sentence(spoken(line)) for line in (words, *missing))


def load_line(report: LoadReport) -> str:
    """Time and memory of a load."""
    name, cost = clean_line(report.model_id, _NAME_CHARACTERS), load_cost(report)
    return f"{name} was loaded already." if cost is None else f"{name} was loaded in {spoken(cost)}."


def engine_lines(state: EngineState, where: str) -> list[str]:
    """The engine's state and, if it is up, what it said of itself."""
    place = clean_line(where, 200)
    match state:
        case EngineIdle():
            return [f"The engine, {place}, is not started; /restart starts it."]
        case EngineStarting():
            return [f"The engine, {place}, is starting."]
        case EngineReady(info, is_answering):
            words = "is ready" if is_answering else "does not answer; /restart restarts it"
            return [f"The engine, {place}, {words}.", *map(_line, info_facts(info))]
        case EngineDead():
            return death_lines(state)
        case _:
            assert_never(state)


def death_lines(state: EngineDead) -> list[str]:
    """Why the engine is down, what it had loaded, and what to do about it."""
    lines = [sentence(f"the engine is down: {clean_line(state.reason)}"), *last_words(state)]
    if state.death is not None:
        return [*lines, "/restart brings it back with what was loaded."]
    if state.remedy is not None:
        lines.append(f"What to do: {spoken(clean_line(state.remedy)).rstrip('.')}.")
    return [*lines, "/restart tries again."]


def resource_lines(sample: ResourceSample | None) -> list[str]:
    """Processors and memory of the machine, memory of the engine, of each GPU."""
    if sample is None:
        return ["Processors and memory cannot be read."]
    lines = [_together(host_facts(sample.host))]
    if sample.gpu.absence is not None:
        lines.append(sentence(f"GPU memory unknown: {clean_line(sample.gpu.absence, 200)}"))
    for card in sample.gpu.gpus:
        lines.append(f"GPU {clean_line(card.name, _NAME_CHARACTERS)}: {_together(gpu_facts(card))}")
    return lines


def _facts(model: ModelVariant, report: LoadReport | None, jobs: Sequence[Job]) -> tuple[Fact, ...]:
    return model_facts(model, report, state=_state(model, jobs))


def _state(model: ModelVariant, jobs: Sequence[Job]) -> str | None:
    for job in jobs:
        if job.model_id == model.id:
            return f"{JOBS[job.kind]}, {seconds_in_words((perf_counter_ns() - job.started_ns) / 1e9)} so far"
    return model_state(model)


def _said(fact: Fact) -> str:
    if fact.value is None:
        return "unknown"
    return fact.value if fact.is_quoted else spoken(_SPELT.get(fact.value, fact.value))


def _line(fact: Fact) -> str:
    return f"{fact.label}: {_said(fact).rstrip('.')}."


def _together(facts: Sequence[Fact]) -> str:
    return f"{', '.join(f'{fact.label} {_said(fact)}' for fact in facts)}."


def _compared(row: Compared) -> str:
    if not row.differs:
        return f"{row.label}: the same, {_said(row.facts[0])}."
    return f"{row.label}: {'; '.join(f'{n}, {_said(fact)}' for n, fact in enumerate(row.facts, start=1))}."
