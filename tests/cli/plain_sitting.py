"""Plain mode over a scripted engine: all lines at once as from a pipe, or one by one as from a keyboard."""

import asyncio
import io
import queue
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from foundry_tui.aio import Feed
from foundry_tui.cli.plain import run_plain
from foundry_tui.config.settings_file import TomlSettingsFile
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.domain.resources import GpuSamples, HostSample
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.opened import Services
from foundry_tui.services.sampling import ResourceSampler
from foundry_tui.services.settings import SettingsService
from foundry_tui.services.setup import LicensePolicy
from tests.support.downloads import ScriptedDownloads
from tests.support.memory_store import MemoryStore
from tests.support.services import SETUP
from tests.support.services import services_over as over
from tests.support.supervised import SupervisedScript

__all__ = ["MODEL", "SHELF", "Keyboard", "Paper", "Sitting", "heard", "services_over", "sitting"]

SOON_S = 10.0
"""A safety net: what is waited for here takes milliseconds."""
MODEL = SCRIPTED_MODEL_ID
SHIPPED = Path(__file__).parents[2] / "config"
SHELF = (
    ModelVariant(
        id="small-instruct-cpu:1",
        alias="small",
        catalog=CatalogKind.PUBLIC,
        license="apache-2.0",
        device=Device.CPU,
        size_bytes=135_000_000,
        context_tokens=None,
        is_cached=True,
        is_loaded=False,
    ),
    ModelVariant(
        id="large-instruct-npu:3",
        alias="large",
        catalog=CatalogKind.PUBLIC,
        license="MIT",
        device=Device.NPU,
        size_bytes=9_000_000_000,
        context_tokens=131_072,
        is_cached=False,
        is_loaded=False,
    ),
)


class SteadyHost:
    """A machine on which nothing happens."""

    def sample(self, pid: int | None) -> HostSample:
        return HostSample(cpu_share=0.25, ram_total_bytes=8 * 1024**3, ram_used_bytes=2 * 1024**3)


class NoGpu:
    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(absence="no driver")

    def close(self) -> None:
        """Nothing was opened."""


class Paper(io.StringIO):
    """Keeps what is written, and wakes whoever waits for it.

    Attributes:
        length: In characters.
    """

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.length = Feed(0)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str, /) -> int:
        written = super().write(text)
        self.length.publish(self.length.value + written)
        return written


class Keyboard(io.StringIO):
    """A terminal's input: a line is there once it is typed."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: queue.SimpleQueue[str | Exception] = queue.SimpleQueue()

    def isatty(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]  # of bytes, says its base
        line = self._typed.get()
        if isinstance(line, Exception):
            raise line
        return line

    def type(self, line: str) -> None:
        self._typed.put(f"{line}\n")

    def break_down(self, error: Exception) -> None:
        self._typed.put(error)

    def hang_up(self) -> None:
        """What Ctrl+D does."""
        self._typed.put("")


@dataclass(kw_only=True)
class Sitting:
    """Plain mode, and everything behind it that a test looks at."""

    services: Services
    engine: SupervisedScript
    store: MemoryStore
    keyboard: Keyboard
    paper: Paper
    downloads: ScriptedDownloads
    ending: "asyncio.Future[int]"

    @property
    def text(self) -> str:
        """All that was written so far."""
        return self.paper.getvalue()

    def type(self, *lines: str) -> None:
        for line in lines:
            self.keyboard.type(line)

    async def until(self, text: str) -> None:
        """Wait until ``text`` was written."""
        await self.until_holds(lambda: text in self.text)

    async def until_holds(self, holds: Callable[[], bool]) -> None:
        """Wait for something that holds once something more was written."""
        try:
            async with asyncio.timeout(SOON_S):
                async for _ in self.paper.length.watch():
                    if holds():
                        return
        except TimeoutError:
            raise AssertionError(f"it never came:\n{self.text}") from None

    async def code(self) -> int:
        """Wait for the end."""
        async with asyncio.timeout(SOON_S):
            return await self.ending


@dataclass(frozen=True, kw_only=True)
class Heard:
    """How a script of lines ended, and what was written."""

    code: int
    text: str
    services: Services
    engine: SupervisedScript
    store: MemoryStore

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@asynccontextmanager
async def services_over(
    engine: SupervisedScript,
    store: MemoryStore,
    folder: Path,
    *,
    start_with: str | None = MODEL,
    chat: ChatOptions | None = None,
    is_kept: bool = True,
    downloads: ScriptedDownloads | None = None,
    licenses: LicensePolicy | None = None,
) -> AsyncGenerator[Services, None]:
    """Services as the app gets them, over a scripted engine and a store in memory."""
    setup = replace(
        SETUP,
        chat=chat or ChatOptions(),
        start_with=start_with,
        settings_path=folder / "settings.toml",
        keeps_conversations=is_kept,
        licenses=licenses or LicensePolicy(),
    )
    downloads = downloads or ScriptedDownloads()
    async with over(engine, folder, setup=setup, store=store, downloads=downloads) as services:
        sampler = ResourceSampler(lambda: (SteadyHost(), NoGpu()), pid=lambda: None)
        with sampler.heard_by(services.client.chronicle.take):
            yield replace(
                services,
                settings=SettingsService(TomlSettingsFile((folder / "config", SHIPPED))),
                sampler=sampler,
                reread=lambda: replace(services.setup, chat=ChatOptions(max_tokens=256)),
            )


async def heard(
    folder: Path,
    *lines: str,
    engine: SupervisedScript | None = None,
    store: MemoryStore | None = None,
    start_with: str | None = MODEL,
    chat: ChatOptions | None = None,
    is_kept: bool = True,
    downloads: ScriptedDownloads | None = None,
    licenses: LicensePolicy | None = None,
    change: Callable[[Services], Services] = lambda services: services,
) -> Heard:
    """Give ``lines`` as a pipe does, and wait for the end; ``change`` replaces some of the services."""
    engine, store = engine or SupervisedScript(models=SHELF), store or MemoryStore()
    script, paper = io.StringIO("".join(f"{line}\n" for line in lines)), Paper(is_terminal=False)
    async with services_over(
        engine,
        store,
        folder,
        start_with=start_with,
        chat=chat,
        is_kept=is_kept,
        downloads=downloads,
        licenses=licenses,
    ) as opened:
        services = change(opened)
        async with asyncio.timeout(SOON_S):
            code = await run_plain(services, input=script, output=paper)
    return Heard(code=code, text=paper.getvalue(), services=services, engine=engine, store=store)


@asynccontextmanager
async def sitting(
    folder: Path,
    *,
    engine: SupervisedScript | None = None,
    store: MemoryStore | None = None,
    start_with: str | None = MODEL,
    busy_s: float = SOON_S,
    change: Callable[[Services], Services] = lambda services: services,
) -> AsyncGenerator[Sitting, None]:
    """Sit at a terminal for the length of the block; whatever was typed is at an end then."""
    engine, store = engine or SupervisedScript(models=SHELF), store or MemoryStore()
    keyboard, paper, downloads = Keyboard(), Paper(is_terminal=True), ScriptedDownloads()
    async with services_over(engine, store, folder, start_with=start_with, downloads=downloads) as opened:
        services = change(opened)
        ending = asyncio.ensure_future(run_plain(services, input=keyboard, output=paper, busy_s=busy_s))
        sat = Sitting(
            services=services,
            engine=engine,
            store=store,
            keyboard=keyboard,
            paper=paper,
            downloads=downloads,
            ending=ending,
        )
        try:
            yield sat
        finally:
            keyboard.hang_up()
            if not ending.done():
                ending.cancel()
                await asyncio.wait([ending])
