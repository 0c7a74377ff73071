"""What the machine gives and what a session did with it, in words; shared by all front ends."""

from collections.abc import Mapping, Sequence

from foundry_tui.domain.engine import Capability, EngineDead, EngineReady, EngineState
from foundry_tui.domain.quantities import (
    UNKNOWN,
    bytes_in_words,
    rate_in_words,
    seconds_in_words,
)
from foundry_tui.domain.resources import RamScope, ResourceSample, why_missing
from foundry_tui.domain.text import clean_line
from foundry_tui.domain.timeline import Happening, HappeningKind
from foundry_tui.metrics.machine_history import MachineHistory, Series
from foundry_tui.metrics.stays import Stay, StayEnd, Taken
from foundry_tui.metrics.vram import VramBasis, engine_vram

__all__ = [
    "absence_lines",
    "absences",
    "cost_words",
    "happening_words",
    "remote_words",
    "share_words",
    "shared_note",
    "stay_words",
    "taken_words",
    "trouble_words",
    "value_words",
]

_NAME_CHARACTERS = 60
_WHY_CHARACTERS = 160
_BYTES = frozenset({Series.RAM, Series.ENGINE_RAM, Series.VRAM, Series.ENGINE_VRAM})
_WATTS = frozenset({Series.POWER, Series.PACKAGE_POWER})
_STAY_ENDS: Mapping[StayEnd | None, str] = {
    None: "in memory",
    StayEnd.UNLOADED: "unloaded",
    StayEnd.ENGINE_ENDED: "gone with the engine",
}
# Of those whose own word does not take the model behind it.
_HEADS: Mapping[HappeningKind, str] = {
    HappeningKind.LOADING: "loading",
    HappeningKind.NOT_LOADED: "could not load",
    HappeningKind.ASKED: "asked",
    HappeningKind.ANSWERED: "answered by",
    HappeningKind.NOT_ANSWERED: "not answered by",
    HappeningKind.STALLED: "stall of",
    HappeningKind.DOWNLOADING: "downloading",
    HappeningKind.DOWNLOAD_ENDED: "download ended",
}
_GPU_FIELDS: Mapping[Series, str] = {Series.GPU: "busy_share", Series.POWER: "power_w"}


def value_words(series: Series, value: float | None) -> str:
    """``25 %``, ``5.12 GiB``, ``142 W``."""
    if value is None:
        return UNKNOWN
    if series in _BYTES:
        return bytes_in_words(round(value))
    if series in _WATTS:
        return f"{value:.0f} W"
    return f"{value:.0%}".replace("%", " %")


def share_words(sample: ResourceSample) -> list[str]:
    """Whose memory it is: of the machine, and of the GPUs where there are any."""
    host = sample.host
    where = "RAM" if host.ram_scope is RamScope.MACHINE else "RAM of this control group"
    lines = [_shares(where, host.ram_used_bytes, host.ram_total_bytes, host.process_rss_bytes, None)]
    if gpus := sample.gpu.gpus:
        vram = engine_vram(sample.gpu)
        name = "VRAM" if len(gpus) == 1 else f"VRAM of {len(gpus)} GPUs"
        used, total = sum(gpu.used_bytes for gpu in gpus), sum(gpu.total_bytes for gpu in gpus)
        lines.append(_shares(name, used, total, vram.total_bytes, vram.basis))
    return lines


def _shares(name: str, used: int, total: int, engine: int | None, basis: VramBasis | None) -> str:
    words = f"{name} {bytes_in_words(used)} of {bytes_in_words(total)}"
    if engine is None:
        return words
    # Pages that several processes share count for each of them.
    others = max(0, used - engine)
    about = "about " if basis is VramBasis.ABOVE_BASELINE else ""
    return f"{words}: engine {about}{bytes_in_words(engine)}, others {bytes_in_words(others)}"


def absences(
    sample: ResourceSample | None, history: MachineHistory, state: EngineState
) -> list[tuple[str, list[Series]]]:
    """What there is no line of, by the reason; each series that was known at any time has a line."""
    found: dict[str, list[Series]] = {}
    for series in Series:
        if sample is None or history.has(series):
            continue
        if (why := _why(series, sample, state)) is not None:
            found.setdefault(clean_line(why, _WHY_CHARACTERS), []).append(series)
    return list(found.items())


def absence_lines(sample: ResourceSample | None, history: MachineHistory, state: EngineState) -> list[str]:
    """One line for each reason why something cannot be had."""
    return [f"{', '.join(missing)}: {UNKNOWN}, {why}" for why, missing in absences(sample, history, state)]


def _why(series: Series, sample: ResourceSample, state: EngineState) -> str | None:
    if series in (Series.CPU, Series.RAM):
        return why_missing(sample.host.missing, "cpu_share")
    if series is Series.ENGINE_RAM:
        return remote_words(state) or _engine_why(sample, state)
    if series is Series.PACKAGE_POWER:
        # Without a reason there is an energy, and the reading after it makes a power of it.
        return why_missing(sample.host.missing, "package_energy_j")
    gpus = sample.gpu.gpus
    if not gpus:
        return sample.gpu.absence or "no GPU that can be read"
    if series is Series.ENGINE_VRAM:
        return remote_words(state) or _engine_why(sample, state, is_ram=False)
    reasons = (why_missing(gpu.missing, _GPU_FIELDS.get(series, "")) for gpu in gpus)
    return next((why for why in reasons if why is not None), "the driver does not tell it")


def _engine_why(sample: ResourceSample, state: EngineState, *, is_ram: bool = True) -> str:
    match state:
        case EngineReady():
            pass
        case EngineDead():
            return "the engine is down"
        case _:
            return "the engine is not up yet"
    if not is_ram:
        return engine_vram(sample.gpu).why or "not read yet"
    return why_missing(sample.host.missing, "process_rss_bytes") or "not read yet"


def remote_words(state: EngineState) -> str | None:
    """What to say where models run on a machine that cannot be read; None where they run here."""
    if not isinstance(state, EngineReady) or state.info.can(Capability.MEMORY):
        return None
    where = f" at {clean_line(state.info.url, _NAME_CHARACTERS)}" if state.info.url else ""
    return f"the engine{where} is not measurable from here; the machine shown is this one"


def trouble_words(sample: ResourceSample | None) -> list[str]:
    """What does not answer or cannot be read beside what can."""
    if sample is None:
        return []
    return [clean_line(words, _WHY_CHARACTERS) for words in (*sample.troubles, *sample.gpu.troubles)]


def cost_words(share: float | None) -> str | None:
    """``the readings take 0.62 % of a core``; None while that is not known."""
    return None if share is None else f"the readings take {share * 100:.2g} % of a core"


def happening_words(one: Happening) -> str:
    """What has happened, to whom, and what it took: ``loaded small-1 in 1.92 s, memory +231 MiB``."""
    who = "" if one.model_id is None else f" {clean_line(one.model_id, _NAME_CHARACTERS)}"
    words = f"{_HEADS.get(one.kind, one.kind.value)}{who}"
    parts: list[str] = []
    if one.took_ns is not None:
        took = seconds_in_words(one.took_ns / 1e9)
        words += f": nothing for {took}" if one.kind is HappeningKind.STALLED else f" in {took}"
    if one.grown_bytes is not None:
        parts.append(f"memory {bytes_in_words(one.grown_bytes, sign=True)}")
    if one.tokens_per_s is not None:
        parts.append(rate_in_words(one.tokens_per_s, is_estimate=one.is_estimate))
    if one.why is not None:
        parts.append(clean_line(one.why, _WHY_CHARACTERS))
    return ", ".join([words, *parts])


def taken_words(taken: Taken, *, sign: bool = False) -> str:
    """``288 MiB``, and of GPUs ``+ 4.91 GiB GPU`` where it is known and more than nothing."""
    words = bytes_in_words(taken.rss_bytes, sign=sign)
    if taken.vram_bytes:
        words += f", GPU {bytes_in_words(taken.vram_bytes, sign=sign)}"
    return words


def stay_words(stay: Stay) -> str:
    """Where the model is now."""
    words = _STAY_ENDS[stay.end]
    return f"{words}, shared" if stay.is_shared else words


def shared_note(stays: Sequence[Stay]) -> str | None:
    """What "shared" means, where it is said."""
    if not any(stay.is_shared for stay in stays):
        return None
    return "shared: other models were in memory too, and peak and residual are those of all together"
