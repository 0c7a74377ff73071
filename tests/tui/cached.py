"""The cache pane in an app of its own, over a real folder of models and an engine that a test decides on."""

import asyncio
import os
import shutil
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from textual._context import visible_screen_stack
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.notifications import Notify
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Footer

import foundry_tui.tui.app
from foundry_tui.domain.cache import DiskSpace
from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.health import FileProblem, HealthState, ModelHealth
from foundry_tui.domain.models import ModelVariant
from foundry_tui.services.cache.health import HealthService
from foundry_tui.services.cache.service import CacheService
from foundry_tui.services.client import ClientService
from foundry_tui.services.downloads.facade import Downloads
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.tui.panes.cache import CachePane
from foundry_tui.tui.screens.overlay import Overlay
from tests.support.caches import CacheSetting, downloaded
from tests.support.supervised import SupervisedScript

__all__ = [
    "GIB",
    "NARROW",
    "NOW",
    "WIDE",
    "Cached",
    "Checks",
    "DeletingEngine",
    "Rig",
    "cached",
    "lying",
    "partial",
]

NARROW = (80, 24)
WIDE = (120, 40)
SOON_S = 10.0
"""A safety net: what is waited for here takes milliseconds."""
NOW = 1_767_355_200
"""Noon UTC on 2 January 2026."""
GIB = 1 << 30


@dataclass
class Checks:
    """Implements ``WatchfulChecker`` without reading anything.

    Attributes:
        damaged: What is found wrong, by model.
        before: What an earlier life found.
        gate: If set, a check waits for it after its first progress.
        asked: Models that were checked, and whether deeply.
    """

    damaged: dict[str, tuple[FileProblem, ...]] = field(default_factory=dict[str, tuple[FileProblem, ...]])
    before: dict[str, ModelHealth] = field(default_factory=dict[str, ModelHealth])
    gate: threading.Event | None = None
    asked: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    forgotten: list[str] = field(default_factory=list[str])

    def check(
        self,
        model_id: str,
        folder: Path,
        *,
        is_deep: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> ModelHealth:
        self.asked.append((model_id, is_deep))
        if progress is not None:
            progress(42, 100)
            while self.gate is not None and not self.gate.wait(0.002):
                progress(42, 100)  # raises once nobody waits for the result any more
        return self.found(model_id, is_deep=is_deep)

    def found(self, model_id: str, *, is_deep: bool = True) -> ModelHealth:
        problems = self.damaged.get(model_id, ())
        return ModelHealth(
            model_id=model_id,
            state=HealthState.DAMAGED if problems else HealthState.SOUND,
            checked_unix_ms=(NOW - 3 * 86_400) * 1000,
            is_deep=is_deep,
            files=12,
            problems=problems,
        )

    def last(self, model_id: str) -> ModelHealth:
        return self.before.get(model_id) or ModelHealth(model_id=model_id, state=HealthState.UNKNOWN)

    def forget(self, model_id: str) -> None:
        self.forgotten.append(model_id)
        self.before.pop(model_id, None)

    def is_unchanged(self, model_id: str, folder: Path) -> bool:
        return model_id in self.before


class DeletingEngine(SupervisedScript):
    """Removes as the runtime does: the files go, and an empty folder stays."""

    async def remove(self, model_id: str) -> None:
        model = next(one for one in (await self.list_models(public=False)).models if one.id == model_id)
        await super().remove(model_id)
        if model.path is not None:
            await asyncio.to_thread(_empty, Path(model.path))


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def lying(cache: Path, name: str, data_bytes: int, **known: object) -> ModelVariant:
    """A model with a file of that size in ``cache``."""
    folder = cache / "Loopback Inc" / f"{name}-1"
    folder.mkdir(parents=True)
    (folder / "model.onnx.data").write_bytes(os.urandom(data_bytes))
    model = replace(downloaded(cache, name), is_loaded=False, size_bytes=data_bytes)
    return replace(model, **known)  # type: ignore[arg-type] # each by its name, as the tests give them


def partial(model_id: str | None, path: str, disk_bytes: int, *, is_locked: bool = False) -> Partial:
    return Partial(
        model_id=model_id, path=path, disk_bytes=disk_bytes, touched_unix=NOW - 7200, is_locked=is_locked
    )


class SomeDisk:
    """Sizes that are the same on every machine: each folder takes what a test says, else its files' sizes."""

    def __init__(self, free_bytes: int = 88 * GIB) -> None:
        self.free_bytes = free_bytes
        self.sizes: dict[str, int] = {}

    def space(self, path: Path) -> DiskSpace | None:
        return DiskSpace(total_bytes=512 * GIB, free_bytes=self.free_bytes)

    def allocated(self, folder: Path) -> int | None:
        if not folder.is_dir():
            return None
        if folder.name in self.sizes:
            return self.sizes[folder.name]
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    def freed(self, folder: Path) -> int | None:
        return self.allocated(folder)


@dataclass(kw_only=True)
class Rig:
    """What the pane stands on; a test sets it up before it opens.

    Attributes:
        models: What the engine lists.
        repaired: Ids that ``on_repair`` was called with.
        opens: Whether a folder can be shown in a window.
        shown: Folders that were to be shown.
        switched: Folders that the program was told to use.
        switch_gate: If set, the switch waits for it.
        switch_fails: Raised by it.
        is_elsewhere: Whether the pane gets no services at all.
    """

    folder: Path
    models: list[ModelVariant] = field(default_factory=list[ModelVariant])
    partials: list[Partial] = field(default_factory=list[Partial])
    checks: Checks = field(default_factory=Checks)
    disk: SomeDisk = field(default_factory=SomeDisk)
    downloads: Downloads | None = None
    repaired: list[str] = field(default_factory=list[str])
    removed_partials: list[str] = field(default_factory=list[str])
    opens: bool = False
    shown: list[str] = field(default_factory=list[str])
    switched: list[Path] = field(default_factory=list[Path])
    switch_gate: asyncio.Event | None = None
    switch_fails: FoundryTuiError | None = None
    is_elsewhere: bool = False

    def __post_init__(self) -> None:
        self.cache_dir.mkdir(parents=True, exist_ok=True)

    @property
    def cache_dir(self) -> Path:
        return self.folder / "cache"

    def remove_partial(self, path: str) -> int:
        self.removed_partials.append(path)
        self.partials[:] = [one for one in self.partials if one.path != path]
        return 1_000_000

    async def repair(self, model_id: str) -> None:
        self.repaired.append(model_id)

    async def open(self, path: str) -> bool:
        self.shown.append(path)
        return self.opens

    async def switch(self, folder: Path) -> None:
        self.switched.append(folder)
        if self.switch_gate is not None:
            await self.switch_gate.wait()
        if self.switch_fails is not None:
            raise self.switch_fails


@dataclass(kw_only=True)
class Cached:
    """The pane and everything behind it.

    Attributes:
        told: Words of the notifications, oldest first.
    """

    app: "PaneApp"
    pilot: Pilot[None]
    pane: CachePane
    client: ClientService
    engine: SupervisedScript
    rig: Rig
    cache: CacheService
    health: HealthService
    setting: CacheSetting
    told: list[str]

    def lines(self) -> list[str]:
        """The screen from top to bottom."""
        # What lies below an overlay shows through only where the screens below are named, as the app does
        # before it paints.
        visible_screen_stack.set(self.app._background_screens)
        # What the compositor joins is what goes to the terminal; it has no public door.
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def shows(self, text: str) -> bool:
        """Whether ``text`` stands on one line of the screen."""
        return any(text in line for line in self.lines())

    def says(self, text: str) -> bool:
        """Whether one was told ``text``."""
        return any(text in words for words in self.told)

    def cells(self, key: str) -> tuple[str, ...]:
        """What stands in that row; nothing if it is not there."""
        return next((row.cells for row in self.pane.table.rows if row.key == key), ())

    async def until(self, holds: Callable[[], object]) -> None:
        """Let the app go on until something holds."""
        async with asyncio.timeout(SOON_S):
            while not holds():
                await self.pilot.pause()  # a turn for all that is under way

    async def on(self, key: str) -> None:
        """Put the cursor on that row."""
        await self.until(lambda: self.pane.table.move_cursor_to(key))
        self.pane.table.focus()
        await self.pilot.pause()  # the focus moves

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def asked(self, words: str) -> None:
        """Wait until a question is open and says ``words``."""
        await self.until(lambda: isinstance(self.app.screen, ModalScreen) and self.shows(words))

    async def closed(self) -> None:
        """Wait until nothing is open over the pane."""
        await self.until(lambda: not isinstance(self.app.screen, ModalScreen))


class PaneApp(App[None]):
    """Only the pane, with the looks and the Esc key of the real app."""

    CSS_PATH = Path(foundry_tui.tui.app.__file__).parent / "css" / "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "escape", "Back", priority=True, show=False)]

    def __init__(self, pane: CachePane) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        yield self._pane
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        self._pane.table.focus()

    def action_escape(self) -> None:
        screen = self.screen
        if isinstance(screen, ModalScreen):
            if not (isinstance(screen, Overlay) and screen.escape()):
                screen.dismiss(None)
        else:
            self._pane.stop_check()


@asynccontextmanager
async def cached(
    rig: Rig,
    *,
    size: tuple[int, int] = WIDE,
    engine: SupervisedScript | None = None,
    prepare: Callable[[Cached], Awaitable[None]] | None = None,
    models: Sequence[ModelVariant] = (),
) -> AsyncGenerator[Cached, None]:
    """Run the pane for the length of the block, over the models of ``rig``.

    Args:
        rig: What it stands on.
        size: Of the terminal.
        engine: One that lists the models of ``rig`` if left out.
        prepare: Called before the app runs.
        models: More than ``rig`` has.
    """
    engine = engine or DeletingEngine(models=[*rig.models, *models])
    client = ClientService(engine, EngineLease(), wants_public=False)
    setting = CacheSetting(rig.cache_dir, rig.folder / "data", disk=rig.disk)
    health = HealthService(
        rig.checks,
        lambda model_id: next(
            (Path(m.path) for m in client.catalog.value.models if m.id == model_id and m.path), None
        ),
    )
    setting.health = health
    cache = CacheService(
        rig.cache_dir,
        journal=rig.folder / "data" / "cache-move.json",
        models=lambda: client.catalog.value.models,
        downloading=lambda: (),
        partials=lambda: tuple(rig.partials),
        disk=rig.disk,
        health=health,
        used=setting.used,
    )
    pane = CachePane(
        client,
        id="cache",
        cache=None if rig.is_elsewhere else cache,
        health=None if rig.is_elsewhere else health,
        downloads=rig.downloads,
        remove_partial=rig.remove_partial,
        on_repair=rig.repair,
        switch=rig.switch,
        space=rig.disk.space,
        opener=rig.open,
        unix_s=lambda: NOW,
    )
    told: list[str] = []

    def listen(message: Message) -> None:
        if isinstance(message, Notify):
            notification = message.notification
            told.append(f"{notification.title}\n{notification.message}".strip())

    app = PaneApp(pane)
    app.animation_level = "none"
    try:
        await client.start()
        async with app.run_test(size=size, notifications=True, message_hook=listen) as pilot:
            user = Cached(
                app=app,
                pilot=pilot,
                pane=pane,
                client=client,
                engine=engine,
                rig=rig,
                cache=cache,
                health=health,
                setting=setting,
                told=told,
            )
            if prepare is not None:
                await prepare(user)
            if not rig.is_elsewhere:
                await user.until(lambda: pane.report is not None)
            yield user
    finally:
        await client.aclose()
        await setting.used.aclose()
