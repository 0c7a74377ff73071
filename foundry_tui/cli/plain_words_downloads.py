"""Downloads in words fit to be spoken."""

from collections.abc import Sequence

from foundry_tui.cli.plain_words import count_words, sentence, spoken
from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadPhase, DownloadState, Partial
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.fit import Fit
from foundry_tui.reports.cache import ago_in_words
from foundry_tui.reports.download_offer import machine_words, room_facts
from foundry_tui.reports.downloads import Running, detail_lines, progress_words
from foundry_tui.reports.facts import Fact
from foundry_tui.reports.fit import fit_lines, fit_words
from foundry_tui.services.downloads.facade import DownloadQueue, Preflight

__all__ = [
    "busy_words",
    "download_line",
    "end_line",
    "fetch_words",
    "left_line",
    "license_lines",
    "memory_lines",
    "name_of",
    "need_lines",
    "queue_heading",
    "room_lines",
]

_NAME_CHARACTERS = 120


def name_of(one: Download | Partial | ModelVariant) -> str:
    """What it is called, harmless."""
    match one:
        case Partial():
            return clean_line(one.model_id or one.path, _NAME_CHARACTERS)
        case Download():
            return clean_line(one.model_id, _NAME_CHARACTERS)
        case ModelVariant():
            return clean_line(one.id, _NAME_CHARACTERS)


def queue_heading(entries: Sequence[Download], left: Sequence[Partial]) -> str:
    """How many there are, and how many of them come still."""
    if not entries and not left:
        return "Nothing is being downloaded."
    under_way = sum(1 for entry in entries if entry.state not in ENDED_STATES)
    words = f"{count_words(len(entries), 'download')}, {under_way} not ended"
    if left:
        words += f"; {count_words(len(left), 'unfinished download')} on disk beside them"
    return sentence(words)


def download_line(number: int, entry: Download, queue: DownloadQueue, here_bytes: int, now_ms: int) -> str:
    """One entry of the queue: how far it is, and why it is no farther."""
    running = _running(entry, queue)
    said = detail_lines(entry, running, now_ms, here_bytes=here_bytes, is_runner=queue.is_runner)
    first, *more = [spoken(line.removeprefix("→ ")).rstrip(".") for line in said]
    return f"{number}: {name_of(entry)}, {' '.join([f'{first}.', *map(sentence, more)])}"


def left_line(number: int, partial: Partial, now_ms: int) -> str:
    """What was left on disk and is in no entry."""
    words = f"left in the middle, {bytes_in_words(partial.disk_bytes)} on disk"
    words += f", last written {spoken(ago_in_words(partial.touched_unix, now_ms / 1000))}"
    if partial.is_locked:
        words += "; a process that is not ours is at work on it"
    return f"{number}: {name_of(partial)}, {words}."


def end_line(entry: Download) -> str:
    """That a download has ended, and how."""
    if entry.state is DownloadState.DONE:
        return f"{name_of(entry)} is downloaded, checked and on this machine."
    reason = "" if entry.problem is None else f": {clean_line(entry.problem)}"
    words = sentence(spoken(f"the download of {name_of(entry)} was given up{reason}"))
    return words if entry.remedy is None else f"{words} {sentence(spoken(clean_line(entry.remedy)))}"


def busy_words(entry: Download, running: Running | None) -> str:
    """What is said now and then of the download that is under way."""
    if entry.state is DownloadState.VERIFYING:
        return f"Checking {name_of(entry)}"
    if running is None or running.phase is not DownloadPhase.FLOWING:
        return f"Waiting for {name_of(entry)}"
    return f"{name_of(entry)}, {spoken(progress_words(running))}"


def fetch_words(running: Running) -> str:
    """How far a server is with a download of its own."""
    return spoken(progress_words(running))


def room_lines(room: Preflight) -> list[str]:
    """Size, what is needed, what is free, and the verdict."""
    return [_fact(fact) for fact in room_facts(room)]


def need_lines(model: ModelVariant, need: Fit) -> list[str]:
    """What it would run on, and the memory it would take with the sum behind that."""
    return [f"Runs on: {spoken(machine_words(model))}.", *memory_lines(need)]


def memory_lines(need: Fit) -> list[str]:
    """The memory that a model would take, with the sum behind that."""
    said = [line for line in fit_lines(need) if not line.startswith("~")]
    # Terms begin with a sign or blanks; what is a sentence of its own does not.
    terms = [_term(" ".join(line.split())) for line in said if not line[:1].isalpha()]
    return [
        f"Memory: {spoken(fit_words(need))}.",
        *([f"That is: {spoken(', '.join(terms))}."] if terms else []),
        *(f"{spoken(line)}." for line in said if line[:1].isalpha()),
    ]


def license_lines(words: str, text: str | None) -> list[str]:
    """The licence and its whole text; the text is the catalog's own and said as it is."""
    return [f"Licence: {spoken(words)}.", text or "The catalog has no text of it."]


def _running(entry: Download, queue: DownloadQueue) -> Running | None:
    running = queue.running
    return running if running is not None and running.download_id == entry.id else None


def _term(line: str) -> str:
    for sign, word in (("+ ", "plus "), ("= ", "together ")):
        if line.startswith(sign):
            return word + line.removeprefix(sign)
    return line


def _fact(fact: Fact) -> str:
    value = "unknown" if fact.value is None else spoken(fact.value.replace("×", "times"))
    return f"{fact.label}: {value}."
