"""The models on this disk in words: what they take, when they were used, whether their files are sound."""

from collections.abc import Sequence
from typing import assert_never

from foundry_tui.domain.cache import CacheReport, MoveOutcome, MovePhase, MoveProgress, UnfinishedMove
from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.health import HealthState, ModelHealth
from foundry_tui.domain.models import LoadReport
from foundry_tui.domain.quantities import bytes_in_words, count_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.downloads import bar, bytes_of_bytes, share_in_words

__all__ = [
    "LOW_BYTES",
    "ago_in_words",
    "check_words",
    "file_words",
    "health_object",
    "health_words",
    "is_low",
    "left_words",
    "load_memory_bytes",
    "memory_words",
    "move_line",
    "partial_words",
    "problem_lines",
    "share_of",
    "share_words",
    "summary_words",
    "total_parts",
    "unfinished_words",
]

LOW_BYTES = 1_073_741_824
"""A disk with less free than this is said to be short of room."""
_NAME_CHARACTERS = 120
_WHAT_CHARACTERS = 200
_SHARE_CELLS = 6
_PHASES = {
    MovePhase.COPYING: "Copying",
    MovePhase.COMPARING: "Comparing",
    MovePhase.SWITCHING: "Switching",
    MovePhase.REMOVING: "Removing the old files",
}


# --- one model


def ago_in_words(at_unix: float, now_unix: float) -> str:
    """``just now``, ``5 min ago``, ``3 h ago``, ``12 d ago``; a time to come is now."""
    seconds = now_unix - at_unix
    if seconds < 90:
        return "just now"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min ago"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.0f} h ago"
    return f"{seconds / 86400:.0f} d ago"


def load_memory_bytes(report: LoadReport | None) -> int | None:
    """What the engine's process grew by while the model was loaded; None if it was not measured."""
    if report is None or report.was_loaded:
        return None
    if report.rss_before_bytes is None or report.rss_after_bytes is None:
        return None
    return report.rss_after_bytes - report.rss_before_bytes


def memory_words(report: LoadReport | None) -> str:
    """``its load took +312 MiB of memory``, or that this is not known."""
    taken = load_memory_bytes(report)
    if taken is None:
        return "what its load took of memory was not measured"
    return f"its load took {bytes_in_words(taken, sign=True)} of memory"


def share_of(part_bytes: int | None, total_bytes: int | None) -> float | None:
    """``part / total``, at most 1; None where either is not known, or there is nothing to share."""
    if part_bytes is None or not total_bytes:
        return None
    return min(1.0, part_bytes / total_bytes)


def share_words(share: float | None) -> str:
    """``42 % ━━╸───``, to be set right; empty where it is not known."""
    return "" if share is None else f"{share_in_words(share)} {bar(share, _SHARE_CELLS)}"


def health_words(health: ModelHealth | None, now_unix: float) -> str:
    """What the last check found, and when; damage file by file is ``problem_lines``."""
    if health is None or health.checked_unix_ms is None:
        return "never checked"
    when = ago_in_words(health.checked_unix_ms / 1000, now_unix)
    files = f"{count_in_words(health.files)} {'file' if health.files == 1 else 'files'}"
    match health.state:
        case HealthState.SOUND if health.is_deep:
            return f"sound: all of {files} read {when}"
        case HealthState.SOUND:
            return f"nothing wrong with names, sizes and headers of {files}, looked at {when}"
        case HealthState.DAMAGED:
            problems = len(health.problems)
            return f"damaged: {problems} {'problem' if problems == 1 else 'problems'}, found {when}"
        case HealthState.UNKNOWN:
            return f"not known: it was written while it was read, {when}"
        case _:
            assert_never(health.state)


def check_words(health: ModelHealth) -> str:
    """The outcome of a check that has just been made."""
    files = f"{count_in_words(health.files)} {'file' if health.files == 1 else 'files'}"
    match health.state:
        case HealthState.SOUND:
            return f"sound, {files} read" if health.is_deep else f"sound at a look, {files}"
        case HealthState.DAMAGED:
            first = problem_lines(health)[:1]
            more = len(health.problems) - 1
            words = f"damaged: {first[0]}" if first else "damaged"
            return f"{words}, and {more} more" if more > 0 else words
        case HealthState.UNKNOWN:
            return "not known: it was written while it was read; check it again"
        case _:
            assert_never(health.state)


def problem_lines(health: ModelHealth) -> list[str]:
    """What is wrong, a file a line; names of files come with the model and are made harmless."""
    return [f"{file_words(one.file)} {clean_line(one.what, _WHAT_CHARACTERS)}" for one in health.problems]


def file_words(name: str) -> str:
    """A file within a model's folder, or the folder itself."""
    return "its folder" if name == "." else clean_line(name, _NAME_CHARACTERS)


def health_object(health: ModelHealth) -> dict[str, object]:
    """The result of a check as JSON; text as it came."""
    return {
        "id": health.model_id,
        "state": health.state.value,
        "deep": health.is_deep,
        "files": health.files,
        "checked_unix_ms": health.checked_unix_ms,
        "problems": [{"file": one.file, "what": one.what} for one in health.problems],
    }


def partial_words(partial: Partial, size_bytes: int | None) -> str:
    """``partial, 41 % of 2.10 GiB``; what is here where the whole is not known."""
    share = share_of(partial.disk_bytes, size_bytes)
    if share is None:
        return f"partial, {bytes_in_words(partial.disk_bytes)}"
    return f"partial, {share_in_words(share)} of {bytes_in_words(size_bytes)}"


# --- all of them


def summary_words(results: Sequence[ModelHealth]) -> str:
    """``5 models checked: 4 sound, 1 damaged``."""
    counts = ((sum(1 for one in results if one.state is state), state.value) for state in HealthState)
    words = ", ".join(
        f"{count} {'not known' if name == 'unknown' else name}" for count, name in counts if count
    )
    noun = "model" if len(results) == 1 else "models"
    return f"{len(results)} {noun} checked{f': {words}' if words else ''}"


def total_parts(report: CacheReport) -> list[str]:
    """What all of it takes, what of that are partials, what is free; the most wanted first."""
    parts = [f"{bytes_in_words(report.total_bytes)} in all"]
    free = None if report.space is None else report.space.free_bytes
    parts.append(f"{bytes_in_words(free)} free{', which is little' if is_low(free) else ''}")
    if report.partials:
        count, taken = len(report.partials), sum(one.disk_bytes for one in report.partials)
        parts.append(f"{count} {'partial' if count == 1 else 'partials'} {bytes_in_words(taken)}")
    return parts


def is_low(free_bytes: int | None) -> bool:
    """Whether a disk is short of room, as far as that is known."""
    return free_bytes is not None and free_bytes < LOW_BYTES


# --- moving them


def move_line(progress: MoveProgress, *, cells: int = 20) -> str:
    """``Copying  ━━━━━╸────  42 %  5.20 GiB of 12.3 GiB``."""
    words = _PHASES[progress.phase]
    if progress.phase is MovePhase.SWITCHING:
        return f"{words}: the engine starts anew on the new folder"
    share = share_of(progress.done_bytes, progress.total_bytes)
    amount = bytes_of_bytes(progress.done_bytes, progress.total_bytes)
    return f"{words}  {bar(share, cells)} {share_in_words(share):>5}  {amount}"


def unfinished_words(found: UnfinishedMove) -> str:
    """What an interrupted move has left, and which folder is in force."""
    source, target = clean_line(found.source), clean_line(found.target)
    if found.is_switched:
        return f"The models were moved to {target}. The old files in {source} are still there."
    return f"A move of the models from {source} to {target} was interrupted. The first is in force."


def left_words(outcome: MoveOutcome) -> str | None:
    """What could not be removed from the old folder; None if nothing is left."""
    if not outcome.left:
        return None
    named = ", ".join(clean_line(name, _NAME_CHARACTERS) for name in outcome.left[:3])
    more = len(outcome.left) - 3
    return (
        f"{clean_line(outcome.source)} still has {named}{f' and {more} more' if more > 0 else ''}:"
        " they came or changed after they were copied"
    )
