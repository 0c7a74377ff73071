"""A moment of a recorded request in words, for the screen and the command line."""

from typing import assert_never

from foundry_tui.domain.bench import RequestRun, ResourceReading
from foundry_tui.domain.quantities import (
    UNKNOWN,
    bytes_in_words,
    count_in_words,
    rate_in_words,
    seconds_in_words,
)
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.gaps import WaitKind
from foundry_tui.metrics.replay import Replay, ReplayMoment, ReplayPhase

__all__ = [
    "chunk_words",
    "clock_words",
    "nothing_words",
    "phase_words",
    "rate_words",
    "request_words",
    "resource_words",
    "speed_words",
]

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000
_NAME_CHARACTERS = 60
# Shorter silences are the rhythm itself.
_SILENCE_NS = 250 * _NS_PER_MS


def request_words(request: RequestRun) -> str:
    """Which request it is: number, what for, prompt, round and model, on one line."""
    what = f"{request.phase.value}, prompt {clean_line(request.prompt_id, 24)}, round {request.round}"
    return f"request {request.number}: {what} · {clean_line(request.model, _NAME_CHARACTERS)}"


def clock_words(replay: Replay, moment: ReplayMoment, speed: float) -> str:
    """Where the player is: ``1.234 s of 2.410 s at 4x``."""
    at_s, length_s = moment.at_ns / _NS_PER_S, replay.length_ns / _NS_PER_S
    return f"{at_s:,.3f} s of {length_s:,.3f} s at {speed_words(speed)}"


def speed_words(speed: float) -> str:
    """``0.25x``, ``4x``."""
    return f"{speed:g}x"


def phase_words(replay: Replay, moment: ReplayMoment) -> str:
    """What was waited for, or how it ended."""
    match moment.phase:
        case ReplayPhase.HEADERS:
            return "waiting for the server"
        case ReplayPhase.PREFILL:
            return "waiting for the first token"
        case ReplayPhase.STREAMING:
            return "streaming"
        case ReplayPhase.ENDED:
            return f"ended: {replay.trace.outcome.words}"
        case phase:
            assert_never(phase)


def chunk_words(replay: Replay, moment: ReplayMoment) -> str:
    """How many chunks had come and when the newest of them, or for how long nothing has."""
    total = count_in_words(len(replay.chunks))
    parts = [f"chunk {count_in_words(moment.count)} of {total}"]
    if moment.count:
        parts.append(_wait_words(moment))
    if moment.silent_ns >= _SILENCE_NS:
        parts.append(f"silent for {seconds_in_words(moment.silent_ns / _NS_PER_S)}")
    return " · ".join(parts)


def rate_words(replay: Replay, moment: ReplayMoment) -> str:
    """The running rate with its source, as a live screen tells it, and TTFT once it is known."""
    rate = moment.rate
    if rate is None:
        words = f"{UNKNOWN if moment.phase is ReplayPhase.ENDED else '…'} tok/s"
    else:
        words = rate_in_words(rate.tokens_per_s, is_estimate=rate.is_estimate)
        words = f"{words} ({rate.source.value})"
    if not moment.count or replay.first_ns is None or replay.trace.sent_ns is None:
        return words
    return f"{words} · TTFT {seconds_in_words(replay.first_ns / _NS_PER_S)}"


def resource_words(reading: ResourceReading | None) -> str:
    """Memory and processor at a moment: ``memory 612 MiB · VRAM n/a · CPU 1.9 cores · free 7.10 GiB``."""
    if reading is None:
        return f"memory {UNKNOWN}"
    cores = UNKNOWN if reading.cpu_share is None else f"{reading.cpu_share:.1f} cores"
    return " · ".join(
        [
            f"memory {bytes_in_words(reading.rss_bytes)}",
            f"VRAM {bytes_in_words(reading.vram_bytes)}",
            f"CPU {cores}",
            f"free {bytes_in_words(reading.available_bytes)}",
        ]
    )


def nothing_words(replay: Replay) -> str:
    """Why there is no text to play."""
    after = f" after {seconds_in_words(replay.length_ns / _NS_PER_S)}" if replay.length_ns else ""
    why = f": {replay.trace.error}" if replay.trace.error else ""
    return f"No text came. It ended{after} with the status {replay.trace.outcome.words}{why}"


def _wait_words(moment: ReplayMoment) -> str:
    if moment.kind is WaitKind.SAME_READ:
        return "same read"
    if moment.gap_ns is None:
        return UNKNOWN
    words = f"+{moment.gap_ns / _NS_PER_MS:,.1f} ms"
    return f"{words}, a stall" if moment.kind is WaitKind.STALL else words
