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
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, LoadReport, ModelVariant, SnapshotOrigin
from foundry_tui.domain.quantities import bytes_in_words, count_in_words, seconds_in_words
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.metrics.tokens import ContextUse
from foundry_tui.services.client import Job, JobKind

__all__ = [
    "age_in_words",
    "catalog_line",
    "chat_line",
    "death_words",
    "detail_lines",
    "engine_facts",
    "engine_words",
    "error_words",
    "job_words",
    "load_words",
    "resource_parts",
    "state_of",
]

_JOBS = {JobKind.LOAD: "loading", JobKind.UNLOAD: "unloading", JobKind.REFRESH: "asking the catalog"}
_ORIGINS = {
    CatalogKind.PUBLIC: "the public Foundry Local catalog",
    CatalogKind.LOCAL: "a folder of yours",
    CatalogKind.ENDPOINT: "told by the endpoint",
}


def state_of(model: ModelVariant, jobs: Sequence[Job], now_ns: int | None = None) -> str:
    """Where the model is: the job under way, else loaded, on disk, or not here."""
    for job in jobs:
        if job.model_id == model.id:
            return job_words(job, now_ns)
    if model.problem is not None:
        return "problem"
    if model.is_loaded:
        return "● loaded"
    if model.is_cached:
        return "○ on disk"
    return "n/a" if model.is_cached is None else "not here"


def job_words(job: Job, now_ns: int | None = None) -> str:
    """What is being done, and for how long already."""
    elapsed_s = ((now_ns or time.perf_counter_ns()) - job.started_ns) / 1e9
    return f"{_JOBS[job.kind]} {elapsed_s:.0f}s"


def load_words(report: LoadReport) -> str:
    """Time and memory of a load."""
    if report.was_loaded:
        return f"{report.model_id} was loaded already"
    words = f"{report.model_id} loaded in {seconds_in_words(report.load_ns / 1e9)}"
    if report.rss_before_bytes is None or report.rss_after_bytes is None:
        return words
    return f"{words}, memory {bytes_in_words(report.rss_after_bytes - report.rss_before_bytes, sign=True)}"


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


def engine_facts(info: EngineInfo) -> list[tuple[str, str]]:
    """What the engine said of itself, and what the user should know of it."""
    facts = [("Kind", info.kind.value), ("Address", clean_line(info.url or "n/a"))]
    if info.pid is not None:
        facts.append(("Process", str(info.pid)))
    facts += [(clean_line(name), clean_line(number)) for name, number in info.versions]
    facts += [("Models in", clean_line(info.cache_dir or "n/a"))]
    facts += [("Note", clean_line(note)) for note in info.notes]
    return facts


def death_words(state: EngineDead) -> str:
    """Why the engine is down, what it had loaded, and what to do about it."""
    lines = [f"{state.reason}."]
    death = state.death
    if death is not None and death.last_log:
        lines.append(f"Last log line: {death.last_log[-1]}")
    if death is not None and death.was_loaded:
        lines.append(f"It had loaded: {', '.join(death.was_loaded)}.")
    lines.append("Ctrl+R restarts it and loads again what was loaded." if death else f"→ {state.remedy}")
    return "\n".join(lines)


def chat_line(model_id: str | None, options: ChatOptions, use: ContextUse, *, note: str | None = None) -> str:
    """Whom one talks to, what the next request carries, and how much of the context it takes."""
    temperature = "engine's own" if options.temperature is None else f"{options.temperature:g}"
    parts = [] if note is None else [note]
    parts += [_context_words(use, options.max_tokens), clean_line(model_id or "no model")]
    parts += [f"temperature {temperature}", f"max {options.max_tokens}"]
    if options.seed is not None:
        parts.append(f"seed {options.seed}")
    if options.system_prompt:
        parts.append("system prompt set")
    return " · ".join(parts)


def _context_words(use: ContextUse, max_tokens: int) -> str:
    if use.context_tokens is None or use.left_tokens is None:
        return f"~{count_in_words(use.prompt_tokens)} tokens"
    words = f"~{count_in_words(use.prompt_tokens)} of {count_in_words(use.context_tokens)} tokens"
    if not use.left_tokens:
        return f"{words}: too long for this model"
    if use.left_tokens < max_tokens:
        return f"{words}: {count_in_words(use.left_tokens)} left for the answer"
    return words


def error_words(error: FoundryTuiError) -> str:
    """What went wrong, and below it what to do about it."""
    words = clean_text(error.message)
    return words if error.remedy is None else f"{words}\n→ {clean_text(error.remedy)}"


def resource_parts(sample: ResourceSample | None) -> list[tuple[str, str]]:
    """CPU and RAM of the machine, memory of the engine, VRAM: each in full and in short."""
    if sample is None:
        return [("reading resources …", "…")]
    host, gpu = sample.host, sample.gpu
    cpu = "CPU n/a" if host.cpu_share is None else f"CPU {host.cpu_share:.0%}"
    used, total = bytes_in_words(host.ram_used_bytes), bytes_in_words(host.ram_total_bytes)
    engine = f"engine {bytes_in_words(host.process_rss_bytes)}"
    parts = [(cpu, cpu), (f"RAM {used} of {total}", f"RAM {used}"), (engine, engine)]
    if gpu.absence is not None:
        parts.append((f"VRAM: {gpu.absence}", "no VRAM reading"))
    for card in gpu.gpus:
        own = "" if card.process_bytes is None else f" (engine {bytes_in_words(card.process_bytes)})"
        vram = f"VRAM {bytes_in_words(card.used_bytes)}"
        parts.append((f"{vram} of {bytes_in_words(card.total_bytes)}{own}", vram))
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


def detail_lines(model: ModelVariant, report: LoadReport | None) -> list[tuple[str, str]]:
    """Everything known about one variant, as label and value; unknown is n/a."""

    def said(text: str | None) -> str:
        return clean_line(text, 2000) if text else "n/a"

    context = count_in_words(model.context_tokens)
    if model.context_tokens:
        context += " tokens"
    if model.advertised_context_tokens not in (None, model.context_tokens):
        context += f" (the catalog says {count_in_words(model.advertised_context_tokens)})"
    lines = [
        ("Id", said(model.id)),
        ("Name", said(model.display_name)),
        ("Alias", said(model.alias)),
        ("From", _ORIGINS[model.catalog]),
        ("Publisher", said(model.publisher)),
        ("Task", said(model.task)),
        ("Device", model.device.value if model.device else "n/a"),
        ("Execution provider", said(model.execution_provider)),
        ("Quantization", said(model.quantization)),
        ("Context", context),
        ("Longest answer", count_in_words(model.max_output_tokens)),
        ("Can", ", ".join(clean_line(part) for part in model.capabilities) or "n/a"),
        ("Download size", bytes_in_words(model.size_bytes)),
        ("On disk", bytes_in_words(model.disk_bytes)),
        ("Folder", said(model.path)),
        ("State", state_of(model, ())),
    ]
    if model.problem is not None:
        lines.append(("Problem", said(model.problem)))
    if report is not None:
        lines.append(("Last load", load_words(report)))
    lines.append(("Licence", said(model.license)))
    if model.license_text:
        lines.append(("Licence text", said(model.license_text)))
    return lines
