"""Facts in words for the panes: pure functions, no widgets."""

import time
from collections.abc import Sequence

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.engine import (
    EngineDead,
    EngineIdle,
    EngineInfo,
    EngineReady,
    EngineStarting,
    EngineState,
)
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, SnapshotOrigin
from foundry_tui.domain.predictions import ModelPrediction
from foundry_tui.domain.quantities import UNKNOWN
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.fit import Fit
from foundry_tui.metrics.tokens import ContextUse
from foundry_tui.reports.chat import context_in_words
from foundry_tui.reports.engine import gpu_facts, host_facts, info_facts, last_words
from foundry_tui.reports.facts import Fact
from foundry_tui.reports.fit import fit_facts
from foundry_tui.reports.models import JOBS, ModelState, model_facts, model_state
from foundry_tui.reports.prediction_words import prediction_facts
from foundry_tui.services.client import Job, JobKind

__all__ = [
    "age_in_words",
    "catalog_line",
    "chat_line",
    "death_words",
    "detail_facts",
    "engine_facts",
    "engine_words",
    "fact_words",
    "job_words",
    "resource_parts",
    "state_of",
]

_STATES = {
    ModelState.LOADED: "● loaded",
    ModelState.ON_DISK: "○ on disk",
    ModelState.ELSEWHERE: "not here",
    ModelState.PROBLEM: "problem",
    None: UNKNOWN,
}


def state_of(model: ModelVariant, jobs: Sequence[Job], now_ns: int | None = None) -> str:
    """Where the model is: the job under way, else loaded, on disk, or not here."""
    for job in jobs:
        if job.model_id == model.id:
            return job_words(job, now_ns)
    return _STATES[model_state(model)]


def job_words(job: Job, now_ns: int | None = None) -> str:
    """What is being done, and for how long already."""
    elapsed_s = ((now_ns or time.perf_counter_ns()) - job.started_ns) / 1e9
    return f"{JOBS[job.kind]} {elapsed_s:.0f}s"


def engine_words(state: EngineState, where: str) -> str:
    """The engine's state in a few words."""
    match state:
        case EngineIdle():
            return f"{where}: not started"
        case EngineStarting():
            return f"{where}: starting …"
        case EngineReady(info, is_answering):
            if not is_answering:
                return f"{where}: does not answer, Ctrl+R restarts"
            kind = info.kind.value
            return where if kind == "managed" else f"{clean_line(where, 40)} ({kind})"
        case EngineDead():
            return f"{where}: down, Ctrl+R restarts"


def fact_words(fact: Fact) -> str:
    """What is known, else n/a."""
    return UNKNOWN if fact.value is None else fact.value


def engine_facts(info: EngineInfo) -> list[tuple[str, str]]:
    """What the engine said of itself, as label and value."""
    return [(fact.label, fact_words(fact)) for fact in info_facts(info)]


def death_words(state: EngineDead) -> str:
    """Why the engine is down, what it had loaded, and what to do about it."""
    remedy = f"→ {state.remedy}"
    if state.death is not None:
        remedy = "Ctrl+R restarts it and loads again what was loaded."
    return "\n".join([f"{state.reason}.", *last_words(state), remedy])


def chat_line(model_id: str | None, options: ChatOptions, use: ContextUse, *, note: str | None = None) -> str:
    """Whom one talks to, what the next request carries, and how much of the context it takes."""
    temperature = "engine's own" if options.temperature is None else f"{options.temperature:g}"
    parts = [] if note is None else [note]
    parts += [context_in_words(use, options.max_tokens), clean_line(model_id or "no model")]
    parts += [f"temperature {temperature}", f"max {options.max_tokens}"]
    if options.seed is not None:
        parts.append(f"seed {options.seed}")
    if options.system_prompt:
        parts.append("system prompt set")
    return " · ".join(parts)


def resource_parts(sample: ResourceSample | None) -> list[tuple[str, str]]:
    """CPU and RAM of the machine, memory of the engine, VRAM: each in full and in short."""
    if sample is None:
        return [("reading resources …", "…")]
    vram = [gpu_facts(card)[0] for card in sample.gpu.gpus]
    parts = []
    for fact in (*host_facts(sample.host), *vram):
        words = fact_words(fact)
        parts.append((f"{fact.label} {words}", f"{fact.label} {words.partition(' of ')[0]}"))
    if sample.gpu.absence is not None:
        parts.append((f"VRAM: {sample.gpu.absence}", "no VRAM reading"))
    return parts


def catalog_line(snapshot: CatalogSnapshot, shown: int, jobs: Sequence[Job], now_unix: float) -> str:
    """What the list holds, how old it is, and why something may be missing."""
    total = len(snapshot.models)
    of_total = "" if shown == total else f"{shown} of "
    parts = [f"{of_total}{total} {'variant' if total == 1 else 'variants'}"]
    if any(job.kind is JobKind.REFRESH for job in jobs):
        parts.append("asking the catalog …")
    elif snapshot.notice is not None:
        parts.append(clean_line(snapshot.notice, 120))
    elif snapshot.origin is SnapshotOrigin.FILE:
        parts.append("from disk, the engine is starting")
    dead = [source for source in snapshot.sources if source.problem is not None]
    if len(dead) == 1:
        parts.append(f"{clean_line(dead[0].host, 40)}: {clean_line(dead[0].problem or '', 60)}")
    elif dead:
        parts.append(f"{', '.join(clean_line(source.host, 40) for source in dead)} did not answer")
    if snapshot.saved_at_unix is not None:
        parts.append(f"catalog of {age_in_words(now_unix - snapshot.saved_at_unix)} ago")
    return " · ".join(parts)


def age_in_words(seconds: float) -> str:
    """A span as one rounded unit: ``5 min``, ``3 h``, ``12 d``."""
    if seconds < 90:
        return "a minute"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} d"


def detail_facts(
    model: ModelVariant,
    report: LoadReport | None,
    need: Fit | None = None,
    prediction: ModelPrediction | None = None,
) -> tuple[Fact, ...]:
    """Everything known of one variant, its state in the signs of the screen, and what is expected of it."""
    facts = list(model_facts(model, report, state=state_of(model, ())))
    # Before the licence, whose text may be long.
    place = next((n for n, fact in enumerate(facts) if fact.label == "Licence"), len(facts))
    memory = () if need is None else fit_facts(need)
    speed = () if prediction is None else prediction_facts(prediction)
    return (*facts[:place], *memory, *speed, *facts[place:])
