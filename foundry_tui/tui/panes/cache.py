"""The cache: what is on this disk, how much room it takes, whether it is sound, and what is in memory."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from textual.worker import Worker

from foundry_tui.domain.cache import CacheReport, DiskSpace, UnfinishedMove
from foundry_tui.domain.downloads import DownloadState
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.health import HealthState
from foundry_tui.domain.models import CatalogSnapshot
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.cache import is_low, unfinished_words
from foundry_tui.reports.downloads import share_in_words
from foundry_tui.services.cache.health import HealthProgress, HealthService
from foundry_tui.services.cache.service import CacheService
from foundry_tui.services.client import ClientService, Job
from foundry_tui.services.downloads.facade import Downloads
from foundry_tui.tui.notices import tell
from foundry_tui.tui.panes.cache_actions import CacheActions, CacheTools
from foundry_tui.tui.panes.cache_rows import (
    COLUMNS,
    CacheItem,
    CacheView,
    detail_lines,
    foot_parts,
    foot_words,
    items_of,
    row_of,
)
from foundry_tui.tui.panes.folder_opener import open_folder
from foundry_tui.tui.panes.models import ModelsPane
from foundry_tui.tui.widgets.row_table import Column, Row, RowTable
from foundry_tui.tui.widgets.table_parts import cut_within

__all__ = ["CachePane"]

_REDRAW_S = 0.25
_LOOK_S = 0.5
"""Between two looks at the disk, however much happens."""
_GROWING_S = 5.0
"""Between two looks while a download makes the numbers grow."""
_NOT_HERE = "the models lie on the server's own disk: nothing here can be done to them"


class CachePane(ModelsPane):
    """Lists what takes room on this disk, and follows it.

    Args:
        client: As for all panes.
        id: Of the widget.
        cache: Looks at the disk, removes, moves; None where the models are not on this machine.
        health: Checks files; likewise.
        downloads: The queue, whose parts take room too.
        remove_partial: Deletes what is here of an unfinished download that is in no queue, and tells the
            bytes that this freed; blocks.
        on_repair: Has a damaged model downloaded again; raises what keeps it from that.
        switch: Makes the program use another cache directory from now on, as ``CacheService.move`` wants it.
        space: What a disk has left; blocks.
        opener: Shows a folder in a window; False if it cannot.
        unix_s: The time of day.
    """

    DEFAULT_CSS = """
    CachePane #cache-detail { height: 2; color: $text-muted; }
    CachePane #cache-detail.-warning { color: $text-error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,x", "remove", "Remove", key_display="del", id="cache.remove"),
        Binding("v", "verify", "Verify", id="cache.verify"),
        Binding("V", "verify_all", "Verify all", show=False, id="cache.verify_all"),
        Binding("R", "repair", "Repair", id="cache.repair"),
        Binding("f", "open_folder", "Open the folder", show=False, id="cache.folder"),
        Binding("m", "move", "Move all models", show=False, id="cache.move"),
    ]
    HELP = (
        "v reads every file of a model and compares it with what was downloaded, V does so with all of them;"
        " Esc stops that. R downloads a damaged one again. m brings all models to another folder or disk."
    )
    COLUMNS: ClassVar[tuple[Column, ...]] = COLUMNS

    def __init__(
        self,
        client: ClientService,
        *,
        id: str,  # noqa: A002 - Textual's name
        cache: CacheService | None = None,
        health: HealthService | None = None,
        downloads: Downloads | None = None,
        remove_partial: Callable[[str], int] | None = None,
        on_repair: Callable[[str], Awaitable[object]] | None = None,
        switch: Callable[[Path], Awaitable[None]] | None = None,
        space: Callable[[Path], DiskSpace | None] | None = None,
        opener: Callable[[str], Awaitable[bool]] = open_folder,
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(client, id=id)
        self._cache = cache
        self._health = health
        self._downloads = downloads
        self._opener = opener
        self._unix_s = unix_s
        self._report: CacheReport | None = None
        self._problem: FoundryTuiError | None = None
        self._unfinished: UnfinishedMove | None = None
        self._items: dict[str, CacheItem] = {}
        self._checking: HealthProgress | None = None
        self._check: Worker[None] | None = None
        self._recalled: set[str] = set()
        self._is_look_wanted = asyncio.Event()
        self._is_acting = False
        tools = CacheTools(
            client=client,
            cache=cache,
            health=health,
            downloads=downloads,
            remove_partial=remove_partial,
            on_repair=on_repair,
            switch=switch,
            space=space,
        )
        self._actions = CacheActions(self, tools)

    @property
    def report(self) -> CacheReport | None:
        """What the last look at the disk found; None before it."""
        return self._report

    @property
    def is_checking(self) -> bool:
        """Whether a check that was asked for here is under way."""
        return self._check is not None and not self._check.is_finished

    def compose(self) -> ComposeResult:
        table, line = super().compose()
        yield table
        yield Static(id="cache-detail", markup=False)
        yield line

    def on_mount(self) -> None:
        """Follow the feeds, and look at the disk."""
        super().on_mount()
        self._growing = self.set_interval(_GROWING_S, self.look, pause=True)
        if self._cache is not None:
            self._begin(self._cache)
            self._keep_looking(self._cache)
        if self._health is not None:
            self._follow_results(self._health)
            self._follow_progress(self._health)
        if self._downloads is not None:
            self._follow_queue(self._downloads)

    def look(self) -> None:
        """Look at the disk soon; at once if that was not done for a moment."""
        self._is_look_wanted.set()

    def stop_check(self) -> bool:
        """Stop the check that was asked for here; False if there is none.  For the Esc key."""
        if not self.is_checking or self._check is None:
            return False
        self._check.cancel()
        tell(self, "The check was stopped; what it had found before stays")
        return True

    # --- what is shown

    async def take(self, snapshot: CatalogSnapshot) -> None:
        await super().take(snapshot)
        self.look()
        if self._health is not None:
            self._recall(self._health)

    def rows(self, snapshot: CatalogSnapshot, jobs: Sequence[Job]) -> list[Row]:
        view = self._view(snapshot, jobs)
        items = items_of(view)
        self._items = {item.key: item for item in items}
        return [row_of(item, view) for item in items]

    def line(self, snapshot: CatalogSnapshot, shown: int, jobs: Sequence[Job]) -> str:
        cells = max(20, self.size.width - 2)
        if self.is_checking:
            return self._check_words(cells)
        if self._problem is not None:
            return clean_line(f"the disk cannot be read: {self._problem.message}")
        if self._cache is not None and (progress := self._cache.progress.value) is not None:
            return f"the models are being moved: {progress.phase.value}"
        parts = foot_parts(
            self._view(snapshot, jobs), list(self._items.values()), is_elsewhere=self._is_elsewhere
        )
        if self._unfinished is not None:
            parts.insert(0, "a move is unfinished: m")
        return foot_words(parts, cells)

    def redraw(self) -> None:
        """Show the newest state, below the table too."""
        super().redraw()
        if len(self.query(f"#{self.id}-line, #cache-detail")) < 2:
            return  # the app is being left, and its parts go one by one
        space = None if self._report is None else self._report.space
        is_warning = is_low(None if space is None else space.free_bytes)
        self.query_one(f"#{self.id}-line", Static).set_class(
            is_warning or self._problem is not None or self._unfinished is not None, "-warning"
        )
        self._show_detail()

    def empty_words(self, snapshot: CatalogSnapshot) -> str:
        if self._is_elsewhere:
            return (
                "The endpoint keeps its models on its own disk and does not show it.\n\n"
                "What it has loaded stands here, if it tells."
            )
        if self._cache is not None and self._report is None and self._problem is None:
            return "Looking at the disk …"
        return (
            "Nothing on this disk yet.\n\nDownload a model from the catalog, or register a folder of your"
            " own:\nfoundry-tui models register DIR --id my-model:1"
        )

    @property
    def _is_elsewhere(self) -> bool:
        """Whether the models lie on a server that does not show us its disk."""
        info = self._client.engine_info
        return info is not None and not info.can(Capability.REGISTER)

    def _view(self, snapshot: CatalogSnapshot, jobs: Sequence[Job]) -> CacheView:
        return CacheView(
            snapshot=snapshot,
            report=self._report,
            health={} if self._health is None else self._health.results.value,
            checking=self._checking,
            queue=None if self._downloads is None else self._downloads.queue.value,
            jobs=jobs,
            load_reports=self._client.load_reports,
            now_unix=self._unix_s(),
            now_ns=time.perf_counter_ns(),
        )

    def _show_detail(self) -> None:
        item = self._items.get(self.table.cursor_key or "")
        lines: list[str] = []
        is_damaged = False
        if item is not None:
            view = self._view(self._snapshot, self._jobs)
            lines, is_damaged = detail_lines(item, view), view.is_damaged(item.key)
            if item.path is not None and len(lines) < 2:
                lines.append(cut_within(clean_line(item.path), max(20, self.size.width - 2)))
        detail = self.query_one("#cache-detail", Static)
        detail.set_class(is_damaged, "-warning")
        detail.update("\n".join(lines), layout=False)

    def _check_words(self, cells: int) -> str:
        progress = self._checking
        if progress is None:
            return "checking … · Esc stops"
        share = None
        if progress.total_bytes:
            share = share_in_words(min(1.0, progress.done_bytes / progress.total_bytes))
        place = f" {progress.place} of {progress.count}" if progress.count > 1 else ""
        how_far = "" if share is None else f" {share}"
        end = f"{how_far} · Esc stops"
        name = cut_within(clean_line(progress.model_id), max(8, cells - len(place) - len(end) - 10))
        return f"checking{place} {name}{end}"

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_detail()

    @on(RowTable.RowActivated)
    def _opened(self, message: RowTable.RowActivated) -> None:
        item = self._items.get(message.key)
        if item is not None and not item.is_here:
            message.stop()
            message.prevent_default()  # one cannot talk to half a model
            tell(self, f"{clean_line(item.name)} is not complete: it cannot be talked to", is_warning=True)

    def on_show(self, event: events.Show) -> None:
        """What one comes to look at is fresh."""
        self.look()

    def on_descendant_focus(self) -> None:
        """Likewise."""
        self.look()

    def on_resize(self) -> None:
        """As much as fits is said anew."""
        self.redraw()

    # --- what can be done

    def action_remove(self) -> None:
        """Ask, naming what becomes free, and remove what is under the cursor."""
        self._act(self._actions.remove)

    def action_repair(self) -> None:
        """Have the damaged model under the cursor downloaded again."""
        self._act(self._actions.repair)

    def action_open_folder(self) -> None:
        """Show the folder in a window; where there is none, copy its path."""
        self._act(self._open_folder)

    def action_verify(self) -> None:
        """Read all files of the model under the cursor and compare them."""
        item = self._items.get(self.table.cursor_key or "")
        if item is not None and not item.is_here:
            tell(self, f"{clean_line(item.name)} is not complete: there is nothing to check yet")
        elif item is not None:
            self._start_check([item.key])

    def action_verify_all(self) -> None:
        """Likewise for all models."""
        self._start_check([item.key for item in self._items.values() if item.is_here])

    def action_move(self) -> None:
        """Bring all models to another folder, or finish a move that was interrupted."""
        self._act(self._move)

    @work(group="act")
    async def _act(self, do: Callable[[CacheItem | None], Awaitable[None]]) -> None:
        if self._is_acting:
            return  # a second press, before the question has come
        self._is_acting = True
        try:
            if self._cache is None and do != self._open_folder:
                tell(self, _NOT_HERE, is_warning=True)
            else:
                await self._actions.guarded(do(self._items.get(self.table.cursor_key or "")))
        finally:
            self._is_acting = False
            self.look()

    async def _move(self, item: CacheItem | None) -> None:
        await self._actions.move(self._unfinished)
        if self._cache is not None:
            self._unfinished = await self._cache.unfinished_move()
            self.redraw()

    async def _open_folder(self, item: CacheItem | None) -> None:
        path = item.path if item is not None else None
        if path is None and self._report is not None and not self._is_elsewhere:
            path = self._report.folder
        if path is None:
            tell(self, "no folder of it is known on this machine", is_warning=True)
        elif await self._opener(path):
            tell(self, f"{clean_line(path)} was opened")
        elif path.isprintable():
            self.app.copy_to_clipboard(path)
            tell(self, f"No window can be opened here. The path was copied: {path}")
        else:
            tell(self, f"No window can be opened here. The folder is {clean_line(path)}")

    def _start_check(self, model_ids: list[str]) -> None:
        if self._health is None:
            tell(self, _NOT_HERE, is_warning=True)
        elif self.is_checking:
            tell(self, "A check is under way: Esc stops it")
        elif model_ids:
            self._check = self._verify(self._health, model_ids)
            self.redraw()

    # --- what is followed

    @work(group="check")
    async def _verify(self, health: HealthService, model_ids: list[str]) -> None:
        try:
            await self._actions.guarded(self._actions.verify(health, model_ids))
        finally:
            self.call_later(self.redraw)

    @work(group="begin")
    async def _begin(self, cache: CacheService) -> None:
        """Find what an earlier life was interrupted in."""
        self._unfinished = await cache.unfinished_move()
        if self._unfinished is not None:
            words = f"{unfinished_words(self._unfinished)} In the cache, m offers what can be done."
            tell(self, words, is_warning=True)
        await cache.tidy()
        self.redraw()

    @work(group="look")
    async def _keep_looking(self, cache: CacheService) -> None:
        while True:
            await self._is_look_wanted.wait()
            self._is_look_wanted.clear()
            try:
                self._report, self._problem = await cache.report(), None
            except FoundryTuiError as error:
                self._problem = error
            self.redraw()
            await asyncio.sleep(_LOOK_S)  # what is wanted meanwhile is one look

    @work(group="recall", exclusive=True)
    async def _recall(self, health: HealthService) -> None:
        """Learn what earlier checks found of models that have not been seen yet."""
        seen = {model.id for model in self._snapshot.models if model.is_cached and model.path is not None}
        if not (new := seen - self._recalled):
            return
        await health.recall(new)
        self._recalled |= new
        if any(one.state is HealthState.DAMAGED for key, one in health.results.value.items() if key in new):
            await self._client.look_again()

    @work(group="results")
    async def _follow_results(self, health: HealthService) -> None:
        async for _ in health.results.watch():
            self.redraw()

    @work(group="progress")
    async def _follow_progress(self, health: HealthService) -> None:
        async for progress in health.progress.watch():
            self._checking = progress
            self.redraw()
            await asyncio.sleep(_REDRAW_S)  # what comes meanwhile is one change

    @work(group="queue")
    async def _follow_queue(self, downloads: Downloads) -> None:
        states: tuple[tuple[str, DownloadState], ...] | None = None
        async for queue in downloads.queue.watch():
            now = tuple((entry.id, entry.state) for entry in queue.entries)
            if now != states:
                states = now
                self.look()
            if queue.running is None:
                self._growing.pause()
            else:
                self._growing.resume()
            self.redraw()
            await asyncio.sleep(_REDRAW_S)
