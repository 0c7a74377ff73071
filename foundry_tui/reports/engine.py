"""The engine and the machine it runs on."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from foundry_tui.domain import addresses
from foundry_tui.domain.engine import EndpointKind, EngineDead, EngineInfo, ExecutionProvider
from foundry_tui.domain.quantities import bytes_in_words, count_in_words, seconds_in_words
from foundry_tui.domain.resources import GpuSample, GpuSamples, HostSample
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.facts import Fact, quoted

__all__ = [
    "KIND_ABILITIES",
    "KIND_NAMES",
    "exposure_words",
    "gpu_facts",
    "host_facts",
    "info_facts",
    "last_words",
    "machine_gpus",
    "models_in_words",
    "names_in_words",
    "no_providers_words",
    "pace_in_words",
    "provider_words",
    "switch_words",
    "warmth_words",
    "warnings_of",
]

KIND_NAMES: Mapping[EndpointKind, str] = {
    EndpointKind.MANAGED: "Foundry Local in this app",
    EndpointKind.FOUNDRY_V2: "Foundry Local service v2",
    EndpointKind.FOUNDRY_V1: "Foundry Local service v1",
    EndpointKind.OPENAI: "OpenAI-compatible server",
    EndpointKind.SCRIPTED: "replayed answers, synthetic",
}
"""What a kind of engine is, in a few words."""

KIND_ABILITIES: Mapping[EndpointKind, str] = {
    EndpointKind.MANAGED: "chat, list, download, load, unload, remove, register folders",
    EndpointKind.FOUNDRY_V2: "chat, list, load and unload; it downloads with its own tools",
    EndpointKind.FOUNDRY_V1: "chat, list, download, load and unload",
    EndpointKind.OPENAI: "chat and list; what it loads is its own affair",
    EndpointKind.SCRIPTED: "everything, without a model behind it",
}
"""What can be done with a kind of engine."""

_LOG_CHARACTERS = 300
_NAME_CHARACTERS = 60
_NAMES_SHOWN = 3
_MINUTE_S = 60


def info_facts(info: EngineInfo) -> tuple[Fact, ...]:
    """What the engine said of itself, and what the user should know of it."""
    process = () if info.pid is None else (Fact("Process", str(info.pid)),)
    return (
        Fact("Kind", info.kind),
        quoted("Address", info.url),
        *process,
        *(quoted(clean_line(name), number) for name, number in info.versions),
        quoted("Models in", info.cache_dir),
        *(quoted("Note", note) for note in info.notes),
    )


def last_words(state: EngineDead) -> list[str]:
    """The last line that a dead engine wrote, and what it had loaded; as far as there is such a thing."""
    death = state.death
    if death is None:
        return []
    lines = [f"Last log line: {clean_line(line, _LOG_CHARACTERS)}" for line in death.last_log[-1:]]
    if death.was_loaded:
        lines.append(f"It had loaded: {', '.join(map(clean_line, death.was_loaded))}.")
    return lines


def host_facts(host: HostSample) -> tuple[Fact, ...]:
    """Processors and memory of the machine, memory of the engine."""
    return (
        Fact("CPU", _share(host.cpu_share)),
        Fact("RAM", f"{bytes_in_words(host.ram_used_bytes)} of {bytes_in_words(host.ram_total_bytes)}"),
        Fact("engine", None if host.process_rss_bytes is None else bytes_in_words(host.process_rss_bytes)),
    )


def gpu_facts(card: GpuSample) -> tuple[Fact, ...]:
    """Memory of one GPU, the engine's part of it, and how busy it is."""
    own = "" if card.process_bytes is None else f" (engine {bytes_in_words(card.process_bytes)})"
    return (
        Fact("VRAM", f"{bytes_in_words(card.used_bytes)} of {bytes_in_words(card.total_bytes)}{own}"),
        Fact("busy", _share(card.busy_share)),
    )


def _share(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"


def models_in_words(count: int | None) -> str:
    """How many models a server lists: ``3 models``; n/a if it did not tell."""
    return f"{count_in_words(count)} {'model' if count == 1 else 'models'}"


def names_in_words(names: Sequence[str]) -> str:
    """The first few names, harmless, and how many more there are."""
    shown = [clean_line(name, _NAME_CHARACTERS) for name in names[:_NAMES_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def exposure_words(url: str) -> str | None:
    """The warning that chatting with ``url`` deserves; None where nobody can read along."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None  # no address: nothing can be sent there
    return addresses.exposure_words(parts.scheme, host)


def warnings_of(info: EngineInfo) -> tuple[str, ...]:
    """What is told of somebody else's server without being asked for: who can read along, whose key it gets.

    As it came, to be cleaned where it is shown.
    """
    return () if info.kind in (EndpointKind.MANAGED, EndpointKind.SCRIPTED) else info.notes


def switch_words(kind: EndpointKind | None, loaded: Sequence[str]) -> str:
    """What becomes of the models in memory when another engine is used in place of one of ``kind``.

    Args:
        kind: Of the engine in use; None where none is up.
        loaded: Ids of what it has in memory.
    """
    if kind is None or not loaded:
        return "nothing is in memory, so nothing is lost"
    several = len(loaded) != 1
    if kind in (EndpointKind.MANAGED, EndpointKind.SCRIPTED):
        return (
            f"{names_in_words(loaded)} {'are' if several else 'is'} unloaded, and the memory becomes free;"
            " coming back does not load again"
        )
    return f"{names_in_words(loaded)} {'stay' if several else 'stays'} loaded on the server"


def provider_words(provider: ExecutionProvider) -> str:
    """Whether the running engine can use it."""
    return "registered" if provider.is_registered else "not registered"


def machine_gpus(gpu: GpuSamples | None) -> str:
    """Which GPUs can be read here, or why there is none to read."""
    if gpu is None:
        return "not read yet"
    if not gpu.gpus:
        return f"none that can be read: {clean_line(gpu.absence or 'no reason known')}"
    cards = [
        f"{clean_line(card.name, _NAME_CHARACTERS)} with {bytes_in_words(card.total_bytes)}"
        for card in gpu.gpus
    ]
    return ", ".join(cards)


def no_providers_words(gpu: GpuSamples | None) -> str:
    """Why there may be no execution provider beside the CPU's, and what to do about it."""
    if gpu is not None and gpu.gpus:
        return (
            "The runtime offers none for this machine, though it has a GPU: for CUDA it wants nvidia-smi to"
            " work. Look at the driver, and at the log for what the runtime says."
        )
    return (
        "The runtime offers none for this machine: it found no GPU or NPU that it knows. Models for the CPU"
        " need none."
    )


def warmth_words(
    *,
    warm_every_s: float | None,
    unload_after_s: float | None,
    is_busy: bool = False,
    warmed: int = 0,
    since_warm_s: float | None = None,
    problem: str | None = None,
) -> str:
    """What is done to keep models warm, or to unload what nobody uses; ``off`` where that is nothing.

    Args:
        warm_every_s: Between two light prompts, in seconds; None is off.
        unload_after_s: Idle time after which models are unloaded; None is off.
        is_busy: Whether it is being done right now.
        warmed: Light prompts answered so far.
        since_warm_s: Since the last of them; None if there was none.
        problem: Why the last attempt failed, as it came.
    """
    parts: list[str] = []
    if warm_every_s is not None:
        has_warmed = warmed > 0 and since_warm_s is not None
        so_far = f" ({warmed:,} so far, the last one {pace_in_words(since_warm_s or 0)} ago)"
        parts.append(f"a light prompt every {pace_in_words(warm_every_s)}{so_far if has_warmed else ''}")
    if unload_after_s is not None:
        parts.append(f"unloaded after {pace_in_words(unload_after_s)} without use")
    if not parts:
        return "off"
    if is_busy:
        parts.append("at it right now")
    if problem is not None:
        parts.append(f"the last attempt failed: {clean_line(problem, _LOG_CHARACTERS)}")
    return "; ".join(parts)


def pace_in_words(seconds: float) -> str:
    """A span that one waits for: ``12 s``, ``4 min``, ``1 min 30 s``."""
    if seconds < _MINUTE_S:
        return f"{seconds:.0f} s"
    return seconds_in_words(seconds) if seconds % _MINUTE_S else f"{seconds / _MINUTE_S:.0f} min"
