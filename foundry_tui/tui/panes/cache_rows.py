"""What takes room on this disk as rows of a table, and what the lines below say of one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len

from foundry_tui.domain.cache import CachedModel, CacheReport
from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadState, Partial
from foundry_tui.domain.health import HealthState, ModelHealth
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, LoadReport, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.cache import (
    ago_in_words,
    health_words,
    load_memory_bytes,
    memory_words,
    partial_words,
    problem_lines,
    share_of,
    share_words,
    total_parts,
)
from foundry_tui.reports.downloads import progress_words, share_in_words, short_words, state_words
from foundry_tui.reports.models import JOBS
from foundry_tui.services.cache.health import HealthProgress
from foundry_tui.services.client import Job, JobKind
from foundry_tui.services.downloads.facade import DownloadQueue, RunningDownload
from foundry_tui.tui.widgets.row_table import Align, Column, Emphasis, Row

__all__ = [
    "COLUMNS",
    "CacheItem",
    "CacheView",
    "detail_lines",
    "foot_parts",
    "foot_words",
    "items_of",
    "row_of",
]

COLUMNS = (
    Column(key="id", label="On this disk", width=22, weight=3, priority=100),
    Column(key="state", label="State", width=13, priority=90),
    Column(key="disk", label="Takes", width=8, align=Align.RIGHT, priority=80),
    Column(key="used", label="Last used", width=10, align=Align.RIGHT, priority=70),
    Column(key="memory", label="In memory", width=9, align=Align.RIGHT, priority=65),
    Column(key="share", label="Of the cache", width=12, align=Align.RIGHT, priority=60),
    Column(key="load", label="Load", width=8, align=Align.RIGHT, priority=40),
    Column(key="kind", label="Kind", width=8, priority=30),
    Column(key="path", label="Folder", width=24, weight=4, priority=20),
)
_STATE_CELLS = 13
_AT_WORK = (DownloadState.RUNNING, DownloadState.VERIFYING)
_OWN = "your own"
_JOBS: Mapping[str, str] = {**JOBS, JobKind.REMOVE: "removing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheItem:
    """Something that takes room, or is about to.

    Attributes:
        key: Of its row: the model's id, else the folder.
        model: As catalogs list it; None if none does.
        is_here: Whether it is a model that is complete, or was; otherwise only a part is here.
        cached: What the disk said of it; None before one looked.
        partial: What is here of an unfinished download.
        download: Its entry in the queue, unless that has ended.
        running: How far that is.
    """

    key: str
    model: ModelVariant | None = None
    is_here: bool = False
    cached: CachedModel | None = None
    partial: Partial | None = None
    download: Download | None = None
    running: RunningDownload | None = None

    @property
    def name(self) -> str:
        """What it is called, as it came."""
        if self.partial is not None and self.partial.model_id is None:
            return self.partial.path
        return self.key if self.model is None else self.model.id

    @property
    def disk_bytes(self) -> int | None:
        """What it takes; None if that is not known."""
        if self.cached is not None:
            return self.cached.disk_bytes
        if self.running is not None:
            return self.running.progress.done_bytes
        if self.partial is not None:
            return self.partial.disk_bytes
        return self.model.disk_bytes if self.model is not None and self.is_here else None

    @property
    def is_own(self) -> bool:
        """Whether it is a folder of the user's own."""
        return self.model is not None and self.model.catalog is CatalogKind.LOCAL

    @property
    def path(self) -> str | None:
        """Its folder; None if it is not known."""
        if self.model is not None and self.model.path:
            return self.model.path
        return None if self.partial is None else self.partial.path

    @property
    def size_bytes(self) -> int | None:
        """What there will be, as the catalog or the queue says."""
        if self.download is not None and self.download.size_bytes:
            return self.download.size_bytes
        return self.model.size_bytes if self.model is not None and self.model.size_bytes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheView:
    """Everything that is known right now.

    Attributes:
        report: What the last look at the disk found; None before it.
        health: What checks found, by model.
        checking: The check under way, whoever began it.
        now_unix: The time of day, in seconds.
        now_ns: ``perf_counter_ns``, for jobs.
    """

    snapshot: CatalogSnapshot
    report: CacheReport | None = None
    health: Mapping[str, ModelHealth] = field(default_factory=dict[str, ModelHealth])
    checking: HealthProgress | None = None
    queue: DownloadQueue | None = None
    jobs: Sequence[Job] = ()
    load_reports: Mapping[str, LoadReport] = field(default_factory=dict[str, LoadReport])
    now_unix: float = 0
    now_ns: int = 0

    def is_damaged(self, model_id: str) -> bool:
        """Whether the last check found damage."""
        health = self.health.get(model_id)
        return health is not None and health.state is HealthState.DAMAGED


def items_of(view: CacheView) -> list[CacheItem]:
    """What is coming, in the order of the queue; then models, then partials, each the largest first."""
    report, entries = view.report, () if view.queue is None else view.queue.entries
    running = None if view.queue is None else view.queue.running
    here = {model.id: model for model in view.snapshot.models if _is_here(model)}
    cached = {} if report is None else {one.model_id: one for one in report.models}
    known = {model.id: model for model in view.snapshot.models}
    open_entries = {entry.model_id: entry for entry in entries if entry.state not in ENDED_STATES}
    partials = {one.path: one for one in (() if report is None else report.partials)}
    partial_of = {one.model_id: one for one in partials.values() if one.model_id is not None}

    def item(model_id: str, *, partial: Partial | None) -> CacheItem:
        entry = open_entries.get(model_id)
        is_running = entry is not None and running is not None and running.download_id == entry.id
        return CacheItem(
            key=model_id,
            model=known.get(model_id),
            is_here=model_id in here,
            cached=cached.get(model_id) if model_id in here else None,
            partial=partial,
            download=entry,
            running=running if is_running else None,
        )

    coming = [
        item(entry.model_id, partial=partial_of.get(entry.model_id))
        for entry in open_entries.values()
        if entry.state in _AT_WORK
    ]
    taken = {one.key for one in coming}
    models = [item(model_id, partial=None) for model_id in here if model_id not in taken]
    models.sort(key=lambda one: -(one.disk_bytes or 0))
    taken |= {one.key for one in models}
    shown = {one.partial.path for one in coming if one.partial is not None}
    left: list[CacheItem] = []
    for partial in sorted(partials.values(), key=lambda one: (-one.disk_bytes, one.path)):
        if partial.path in shown:
            continue
        if partial.model_id is None or partial.model_id in taken:
            left.append(CacheItem(key=partial.path, partial=partial))
        else:
            taken.add(partial.model_id)
            left.append(item(partial.model_id, partial=partial))
    return [*coming, *models, *left]


def row_of(item: CacheItem, view: CacheView) -> Row:
    """The row of one of them."""
    model, load = item.model, view.load_reports.get(item.key)
    is_loaded = model is not None and model.is_loaded is True
    used = None if item.cached is None else item.cached.last_used_unix
    taken = load_memory_bytes(load) if is_loaded else None
    total = None if view.report is None or item.is_own else view.report.total_bytes
    return Row(
        key=item.key,
        cells=(
            item.name,
            _state(item, view),
            "" if not item.is_here and item.disk_bytes is None else bytes_in_words(item.disk_bytes),
            "" if used is None else ago_in_words(used, view.now_unix),
            bytes_in_words(taken, sign=True) if is_loaded else "",
            share_words(share_of(item.disk_bytes, total)),
            "" if load is None else seconds_in_words(load.load_ns / 1e9),
            _OWN if item.is_own else "download" if item.is_here else "partial",
            item.path or "n/a",
        ),
        emphasis=_emphasis(item, view),
    )


def detail_lines(item: CacheItem, view: CacheView) -> list[str]:
    """What there is to say of one of them: what is wrong or under way first, then what it is."""
    model = item.model
    lines: list[str] = []
    if item.download is not None:
        words = f"download {state_words(item.download, item.running, int(view.now_unix * 1000))}"
        lines.append(words if item.running is None else progress_words(item.running))
    if item.partial is not None:
        when = ago_in_words(item.partial.touched_unix, view.now_unix)
        words = f"{partial_words(item.partial, item.size_bytes)}, last written {when}"
        if item.partial.is_locked and item.running is None:
            words += "; a process is at work on it"
        lines.append(words)
    if item.is_here and model is not None:
        lines += _about_model(item, model, view)
    return lines


def foot_words(parts: Sequence[str], cells: int) -> str:
    """As many of ``parts`` as fit, the first ones first."""
    words = ""
    for part in parts:
        longer = f"{words} · {part}" if words else part
        if words and cell_len(longer) > cells:
            break
        words = longer
    return words


def foot_parts(view: CacheView, items: Sequence[CacheItem], *, is_elsewhere: bool) -> list[str]:
    """What the line under the table says, the most wanted first."""
    here = [item for item in items if item.is_here]
    loaded = sum(1 for item in here if item.model is not None and item.model.is_loaded)
    if is_elsewhere:
        return [f"{len(here)} loaded there"]
    damaged = sum(1 for item in here if view.is_damaged(item.key))
    parts = [f"{len(here)} here"]
    if view.report is None:
        known = [item.disk_bytes for item in here if item.disk_bytes is not None]
        total = bytes_in_words(sum(known) if known or not here else None)
        # What could not be measured is not counted as nothing.
        parts.append(f"{total} and more" if known and len(known) < len(here) else total)
    else:
        parts += total_parts(view.report)
    parts.insert(1 if view.report is None else 3, f"{loaded} loaded")
    if damaged:
        parts.insert(1, f"{damaged} damaged")
    return parts


def _is_here(model: ModelVariant) -> bool:
    """What is on disk, what should be, and what an endpoint holds in memory."""
    return bool(model.is_cached or model.is_loaded or model.problem)


def _state(item: CacheItem, view: CacheView) -> str:
    model, checking = item.model, view.checking
    for job in view.jobs:
        if job.model_id == item.key:
            return f"{_JOBS.get(job.kind, 'busy')} {(view.now_ns - job.started_ns) / 1e9:.0f}s"
    if item.download is not None and (item.download.state in _AT_WORK or item.is_here):
        now_ms = int(view.now_unix * 1000)
        return short_words(item.download, item.running, now_ms, cells=_STATE_CELLS) or ""
    if checking is not None and checking.model_id == item.key:
        share = share_of(checking.done_bytes, checking.total_bytes)
        return f"checking {share_in_words(share)}" if share is not None else "checking"
    if not item.is_here:
        if item.partial is not None and item.partial.is_locked:
            return "in use"
        share = share_of(item.disk_bytes, item.size_bytes)
        return "partial" if share is None else f"partial {share_in_words(share)}"
    is_loaded = model is not None and bool(model.is_loaded)
    if view.is_damaged(item.key):
        return "● damaged" if is_loaded else "× damaged"
    if model is not None and model.problem is not None:
        return "× problem"
    return "● loaded" if is_loaded else "○ on disk"


def _emphasis(item: CacheItem, view: CacheView) -> Emphasis:
    if view.is_damaged(item.key) or (item.model is not None and item.model.problem is not None):
        return Emphasis.PROBLEM
    if item.is_here and item.model is not None and item.model.is_loaded:
        return Emphasis.GOOD
    return Emphasis.NORMAL if item.is_here or item.running is not None else Emphasis.DIM


def _about_model(item: CacheItem, model: ModelVariant, view: CacheView) -> list[str]:
    health, lines = view.health.get(item.key), []
    if health is not None and view.is_damaged(item.key):
        first, *more = problem_lines(health) or ["its files are not what they were"]
        remedy = "R takes it as it is" if item.is_own else "R downloads it again"
        lines.append(f"damaged: {first}{f', and {len(more)} more' if more else ''} · {remedy}")
    elif model.problem is not None:
        lines.append(clean_line(model.problem, 300))
    if model.is_loaded:
        lines.append(f"loaded: {memory_words(view.load_reports.get(item.key))}")
    if not view.is_damaged(item.key) and view.report is not None:
        lines.append(health_words(health, view.now_unix))
    if item.cached is not None and item.cached.last_used_unix is None and not model.is_loaded:
        lines.append("no use of it is on record")
    return lines
