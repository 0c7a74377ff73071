"""The engine and the machine it runs on."""

from foundry_tui.domain.engine import EngineDead, EngineInfo
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.resources import GpuSample, HostSample
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.facts import Fact, quoted

__all__ = ["gpu_facts", "host_facts", "info_facts", "last_words"]

_LOG_CHARACTERS = 300


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
