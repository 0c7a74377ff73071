"""Models, engine and machine in words fit to be spoken."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter_ns
from typing import assert_never

from foundry_tui.cli.plain_words import count_words, duration_words, listed, sentence, spoken
from foundry_tui.domain.engine import (
    EngineDead,
    EngineIdle,
    EngineInfo,
    EngineReady,
    EngineStarting,
    EngineState,
)
from foundry_tui.domain.model_filter import download_or_disk_bytes
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, LoadReport, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words, count_in_words
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.domain.text import clean_line
from foundry_tui.services.client import Job, JobKind

__all__ = [
    "SORT_KEYS",
    "catalog_line",
    "comparison_lines",
    "death_lines",
    "engine_lines",
    "fact_lines",
    "load_line",
    "model_line",
    "resource_lines",
]

_UNKNOWN = "unknown"
_NAME_CHARACTERS = 120
_TEXT_CHARACTERS = 2_000
_JOBS = {JobKind.LOAD: "loading", JobKind.UNLOAD: "unloading", JobKind.REFRESH: "asking the catalog"}
_SOURCES = {
    CatalogKind.PUBLIC: "the public Foundry Local catalog",
    CatalogKind.LOCAL: "a folder of yours",
    CatalogKind.ENDPOINT: "told by the endpoint",
}
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
    parts = [
        f"{number}: {clean_line(model.id, _NAME_CHARACTERS)}",
        _state(model, jobs),
        _size(download_or_disk_bytes(model)),
        _device(model),
        f"context {_tokens(model.context_tokens)}",
        f"licence {_said(model.license)}",
    ]
    return f"{', '.join(parts)}."


def fact_lines(model: ModelVariant, report: LoadReport | None, jobs: Sequence[Job]) -> list[str]:
    """Everything known about one model."""
    context = _tokens(model.context_tokens)
    if model.advertised_context_tokens not in (None, model.context_tokens):
        context += f"; the catalog says {_tokens(model.advertised_context_tokens)}"
    facts = [
        ("Id", _said(model.id)),
        ("Name", _said(model.display_name)),
        ("Alias", _said(model.alias)),
        ("From", _SOURCES[model.catalog]),
        ("Publisher", _said(model.publisher)),
        ("Task", _said(model.task)),
        ("Device", _device(model)),
        ("Execution provider", _said(model.execution_provider)),
        ("Quantization", _said(model.quantization)),
        ("Context", context),
        ("Longest answer", _tokens(model.max_output_tokens)),
        ("It can", _said(", ".join(model.capabilities))),
        ("Download size", _bytes(model.size_bytes)),
        ("On disk", _bytes(model.disk_bytes)),
        ("Folder", _said(model.path)),
        ("State", _state(model, jobs)),
        ("Licence", _said(model.license)),
    ]
    if report is not None:
        facts.append(("Last load", load_line(report)))
    if model.license_text:
        facts.append(("Licence text", clean_line(model.license_text, _TEXT_CHARACTERS)))
    return [f"{label}: {value.rstrip('.')}." for label, value in facts]


def comparison_lines(models: Sequence[ModelVariant], reports: Mapping[str, LoadReport]) -> list[str]:
    """The facts of several models, one line for each, and whether they differ in it."""
    facts: list[tuple[str, list[str]]] = [
        ("Device", [_device(model) for model in models]),
        ("Size", [_bytes(model.size_bytes) for model in models]),
        ("On disk", [_bytes(model.disk_bytes) for model in models]),
        ("Context", [_tokens(model.context_tokens) for model in models]),
        ("Longest answer", [_tokens(model.max_output_tokens) for model in models]),
        ("Licence", [_said(model.license) for model in models]),
        ("Quantization", [_said(model.quantization) for model in models]),
        ("Provider", [_said(model.execution_provider) for model in models]),
        ("Task", [_said(model.task) for model in models]),
        ("Can", [_said(", ".join(model.capabilities)) for model in models]),
        ("Publisher", [_said(model.publisher) for model in models]),
        ("From", [_SOURCES[model.catalog] for model in models]),
        ("State", [_state(model, ()) for model in models]),
        ("Load time", [_load_time(reports.get(model.id)) for model in models]),
    ]
    names = ", ".join(
        f"{n}: {clean_line(model.id, _NAME_CHARACTERS)}" for n, model in enumerate(models, start=1)
    )
    return [f"Compared: {names}.", *(_compared(label, values) for label, values in facts)]


def catalog_line(snapshot: CatalogSnapshot) -> str:
    """How many models there are, and why some may be missing."""
    here = sum(1 for model in snapshot.models if model.is_cached)
    loaded = sum(1 for model in snapshot.models if model.is_loaded)
    words = f"{count_words(len(snapshot.models), 'model')}, {here} on disk, {loaded} loaded"
    if snapshot.notice is not None:
        words += f"; {clean_line(snapshot.notice, 200)}"
    return sentence(words)


def load_line(report: LoadReport) -> str:
    """Time and memory of a load."""
    name = clean_line(report.model_id, _NAME_CHARACTERS)
    if report.was_loaded:
        return f"{name} was loaded already."
    words = f"{name} was loaded in {duration_words(report.load_ns / 1e9)}"
    if report.rss_before_bytes is None or report.rss_after_bytes is None:
        return f"{words}."
    more = bytes_in_words(report.rss_after_bytes - report.rss_before_bytes, sign=True)
    return f"{words}, memory {more}."


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
            return [f"The engine, {place}, {words}.", *_info_lines(info)]
        case EngineDead():
            return death_lines(state)
        case _:
            assert_never(state)


def death_lines(state: EngineDead) -> list[str]:
    """Why the engine is down, what it had loaded, and what to do about it."""
    lines = [sentence(f"the engine is down: {clean_line(state.reason)}")]
    death = state.death
    if death is not None and death.last_log:
        lines.append(f"Its last log line: {clean_line(death.last_log[-1], 300)}")
    if death is None:
        if state.remedy is not None:
            lines.append(f"What to do: {spoken(clean_line(state.remedy)).rstrip('.')}.")
        lines.append("/restart tries again.")
    elif death.was_loaded:
        loaded = listed([clean_line(name, _NAME_CHARACTERS) for name in death.was_loaded], "and")
        lines.append(f"/restart brings it back with what was loaded: {loaded}.")
    else:
        lines.append("/restart brings it back.")
    return lines


def resource_lines(sample: ResourceSample | None) -> list[str]:
    """Processors and memory of the machine, memory of the engine, of each GPU."""
    if sample is None:
        return ["Processors and memory cannot be read."]
    host, gpu = sample.host, sample.gpu
    cpu = _UNKNOWN if host.cpu_share is None else f"{100 * host.cpu_share:.0f} percent busy"
    used, total = bytes_in_words(host.ram_used_bytes), bytes_in_words(host.ram_total_bytes)
    lines = [f"CPU {cpu}, memory {used} of {total} in use, engine {_bytes(host.process_rss_bytes)}."]
    if gpu.absence is not None:
        lines.append(sentence(f"GPU memory unknown: {clean_line(gpu.absence, 200)}"))
    for card in gpu.gpus:
        own = "" if card.process_bytes is None else f", engine {bytes_in_words(card.process_bytes)}"
        busy = "" if card.busy_share is None else f", {100 * card.busy_share:.0f} percent busy"
        vram = f"{bytes_in_words(card.used_bytes)} of {bytes_in_words(card.total_bytes)}"
        lines.append(f"GPU {clean_line(card.name, _NAME_CHARACTERS)}: memory {vram} in use{own}{busy}.")
    return lines


def _info_lines(info: EngineInfo) -> list[str]:
    process = "" if info.pid is None else f", process {info.pid}"
    lines = [f"Kind {info.kind.value}, address {_said(info.url)}{process}."]
    if info.versions:
        lines.append(
            f"Versions: {', '.join(f'{_said(name)} {_said(number)}' for name, number in info.versions)}."
        )
    lines.append(f"Models are kept in: {_said(info.cache_dir)}.")
    return [*lines, *(f"Note: {sentence(clean_line(note, 400))}" for note in info.notes)]


def _state(model: ModelVariant, jobs: Sequence[Job]) -> str:
    for job in jobs:
        if job.model_id == model.id:
            return f"{_JOBS[job.kind]}, {duration_words((perf_counter_ns() - job.started_ns) / 1e9)} so far"
    if model.problem is not None:
        return f"problem: {clean_line(model.problem, 300)}"
    if model.is_loaded:
        return "loaded"
    if model.is_cached is None:
        return "state unknown"
    return "on disk" if model.is_cached else "not on this machine"


def _size(count: int | None) -> str:
    return "size unknown" if count is None else bytes_in_words(count)


def _bytes(count: int | None) -> str:
    return _UNKNOWN if count is None else bytes_in_words(count)


def _device(model: ModelVariant) -> str:
    return "device unknown" if model.device is None else model.device.upper()


def _tokens(count: int | None) -> str:
    return _UNKNOWN if count is None else f"{count_in_words(count)} tokens"


def _said(text: str | None) -> str:
    return clean_line(text, _TEXT_CHARACTERS) if text else _UNKNOWN


def _load_time(report: LoadReport | None) -> str:
    known = report is not None and not report.was_loaded
    return duration_words(report.load_ns / 1e9) if known and report is not None else _UNKNOWN


def _compared(label: str, values: list[str]) -> str:
    if len(set(values)) == 1:
        return f"{label}: the same, {values[0]}."
    return f"{label}: {'; '.join(f'{n}, {value}' for n, value in enumerate(values, start=1))}."
