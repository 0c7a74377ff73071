"""The whole app under a pilot, on an engine whose life the test decides."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from inspect import CORO_CREATED, getcoroutinestate

from textual import events
from textual._context import visible_screen_stack
from textual.message import Message
from textual.messages import ExitApp
from textual.notifications import Notification, Notify
from textual.pilot import Pilot
from textual.worker import Worker

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.engine import EngineReady
from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.launching import default_data_dir
from foundry_tui.ports.storage import RunStore, ScoreStore
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.engine.memory import MemorySources
from foundry_tui.services.opened import Services, at_hand
from foundry_tui.services.setup import Setup
from foundry_tui.tui.app import FoundryApp
from foundry_tui.tui.panes.cache import CachePane
from foundry_tui.tui.panes.catalog import CatalogPane
from foundry_tui.tui.panes.chat import ChatPane
from foundry_tui.tui.screens.workspace import WorkspaceScreen
from foundry_tui.tui.widgets.prompt_input import PromptInput
from tests.support.downloads import ScriptedDownloads
from tests.support.memory_store import MemoryStore
from tests.support.services import SETUP, services_over
from tests.support.supervised import SupervisedScript

__all__ = ["HUGE", "MEDIUM", "NARROW", "SHELF", "WIDE", "Driven", "driven"]

NARROW = (80, 24)
WIDE = (120, 40)
HUGE = (200, 60)
SOON_S = 10.0
"""A safety net: what is waited for here takes milliseconds."""
MEDIUM = "medium-instruct-cuda-gpu:2"


def _variant(
    model_id: str,
    *,
    size_bytes: int | None,
    context_tokens: int | None,
    device: Device,
    license_name: str,
    is_cached: bool,
) -> ModelVariant:
    return ModelVariant(
        id=model_id,
        alias=model_id.partition("-")[0],
        catalog=CatalogKind.PUBLIC,
        display_name=f"Model {model_id.partition('-')[0]}",
        publisher="Some Lab",
        license=license_name,
        task="chat-completion",
        device=device,
        size_bytes=size_bytes,
        context_tokens=context_tokens,
        is_cached=is_cached,
        is_loaded=False,
    )


SHELF = (
    _variant(
        MEDIUM,
        size_bytes=5_000_000_000,
        context_tokens=32_768,
        device=Device.GPU,
        license_name="MIT",
        is_cached=True,
    ),
    _variant(
        "small-instruct-generic-cpu:1",
        size_bytes=800_000_000,
        context_tokens=None,
        device=Device.CPU,
        license_name="apache-2.0",
        is_cached=True,
    ),
    _variant(
        "large-instruct-qnn-npu:3",
        size_bytes=9_000_000_000,
        context_tokens=131_072,
        device=Device.NPU,
        license_name="MIT",
        is_cached=False,
    ),
)
"""Three more variants, told apart by everything a catalog can be sorted and filtered by."""


@dataclass(kw_only=True)
class Driven:
    """The running app and everything behind it that a test looks at.

    Attributes:
        told: Notifications, oldest first.
        leaving: Set once the app was told to end.
    """

    app: FoundryApp
    pilot: Pilot[None]
    engine: SupervisedScript
    client: ClientService
    lease: EngineLease
    workspace: WorkspaceScreen
    store: MemoryStore
    services: Services
    downloads: ScriptedDownloads
    told: list[Notification]
    leaving: asyncio.Event

    @property
    def chat(self) -> ChatPane:
        return self.workspace.query_one(ChatPane)

    @property
    def catalog(self) -> CatalogPane:
        return self.workspace.query_one(CatalogPane)

    @property
    def cache(self) -> CachePane:
        return self.workspace.query_one(CachePane)

    @property
    def prompt(self) -> PromptInput:
        return self.workspace.query_one(PromptInput)

    @property
    def transcript(self) -> str:
        """The whole conversation as it reads."""
        self.chat.transcript.flush()
        return self.chat.transcript.plain_text

    @property
    def conversation(self) -> str:
        """The same in one line, wherever it was wrapped."""
        return " ".join(self.transcript.split())

    @property
    def words_told(self) -> str:
        """All notifications in one text."""
        return "\n".join(f"{notification.title}\n{notification.message}" for notification in self.told)

    def lines(self) -> list[str]:
        """The screen from top to bottom, overlays and notifications included."""
        # What lies below an overlay shows through only where the screens below are named, as the app does
        # before it paints.
        visible_screen_stack.set(self.app._background_screens)
        # What the compositor joins is what goes to the terminal; it has no public door.
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def panes(self) -> set[str]:
        """The names of the panes that have room on the screen."""
        panes = (self.catalog, self.cache, self.chat)
        return {str(pane.id) for pane in panes if pane.region}

    def shows(self, text: str) -> bool:
        """Whether ``text`` stands on one line of the screen."""
        return any(text in line for line in self.lines())

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the app go on until something holds."""
        async with asyncio.timeout(SOON_S):
            while not holds():
                await self.pilot.pause()  # a turn for all that is under way

    async def up(self) -> None:
        """Wait until the engine is up and its models are listed."""
        await self.until(lambda: isinstance(self.engine.state, EngineReady) and not self.client.jobs.value)
        await self.until(lambda: bool(self.catalog.table.rows))

    async def talking_to(self, model_id: str) -> None:
        """Wait until ``model_id`` is loaded and one can write to it."""
        await self.until(lambda: self.workspace.active_model == model_id and bool(self.is_loaded(model_id)))
        await self.until(lambda: not self.client.jobs.value and self.prompt.has_focus)

    def is_loaded(self, model_id: str) -> bool | None:
        found = self.client.catalog.value.find(model_id)
        return None if found is None else found.is_loaded

    async def send(self, text: str) -> None:
        """Write ``text`` and press Enter; the answer has begun, or was refused, by the return."""
        assert self.prompt.has_focus
        self.prompt.text = text
        await self.pilot.press("enter")

    async def ask(self, text: str) -> None:
        """Send ``text`` and wait for the end of the answer."""
        asked = len(self.engine.seen)
        await self.send(text)
        await self.until(lambda: len(self.engine.seen) > asked and not self.chat.is_generating)

    async def leave(self, key: str) -> None:
        """Press a key that ends the app and wait for the end; the pilot has no screen to wait for then."""
        self.app.simulate_key(key)
        async with asyncio.timeout(SOON_S):
            await self.leaving.wait()

    async def stop(self) -> None:
        """Press Esc and wait for the end of the answer."""
        await self.pilot.press("escape")
        await self.until(lambda: not self.chat.is_generating)

    async def arrived(self, text: str) -> None:
        """Wait until ``text`` has streamed in."""
        await self.until(lambda: text in self.conversation)


@asynccontextmanager
async def driven(
    engine: SupervisedScript | None = None,
    *,
    start_with: str | None = None,
    chat: ChatOptions | None = None,
    size: tuple[int, int] = WIDE,
    where: str = "scripted",
    early: Sequence[Message] = (),
    setup: Setup = SETUP,
    store: MemoryStore | None = None,
    has_disk: bool = True,
    memory: MemorySources | None = None,
    runs: RunStore | None = None,
    scores: ScoreStore | None = None,
) -> AsyncGenerator[Driven, None]:
    """Run the app for the length of the block, over services of its own.

    Args:
        engine: Has ``SHELF`` if left out.
        start_with: As in ``Setup``.
        early: Typed or pasted before the workspace is there.
        setup: Everything else that was decided.
        store: Where conversations are kept; an empty one if left out.
        has_disk: Whether models are on a disk of this machine's, and not on somebody else's server.
        memory: Where it is read what loads need and what is free; without it nothing is asked.
        runs: Where runs are kept, and ``scores`` those of their answers; without them there are none.
    """
    downloads = ScriptedDownloads()
    engine = engine or SupervisedScript(models=SHELF)
    lease = EngineLease()
    setup = replace(setup, start_with=start_with, where=where, chat=chat or setup.chat)
    told: list[Notification] = []
    leaving = asyncio.Event()
    unsent = list(early)

    def listen(message: Message) -> None:
        match message:
            case events.ScreenResume():
                while unsent:
                    app.post_message(unsent.pop(0))
            case Notify():
                told.append(message.notification)
            case ExitApp():
                leaving.set()

    # The folder is this test's own: see tests/conftest.py.
    folder = default_data_dir()
    store = store or MemoryStore()
    async with services_over(
        engine,
        folder,
        setup=setup,
        store=store,
        lease=lease,
        downloads=downloads if has_disk else None,
        memory=memory,
        runs=runs,
        scores=scores,
    ) as services:
        app = FoundryApp(services.setup, at_hand(services))
        async with app.run_test(size=size, notifications=True, message_hook=listen) as pilot:
            workspace = app.screen_stack[-1]
            while not isinstance(workspace, WorkspaceScreen):
                await pilot.pause()  # the workspace is pushed by the app's first message
                workspace = app.screen_stack[-1]
            yield Driven(
                app=app,
                pilot=pilot,
                engine=engine,
                client=services.client,
                lease=lease,
                workspace=workspace,
                store=store,
                services=services,
                downloads=downloads,
                told=told,
                leaving=leaving,
            )
            # As the app does when it is quit.  Textual's harness takes the widgets away first, and what
            # still follows something would look for them in vain.
            while not all(map(_has_begun, app.workers)):
                await pilot.pause()
            app.workers.cancel_all()


def _has_begun(worker: "Worker[object]") -> bool:
    """Whether its coroutine has taken its first step: one that is ended before leaves it unawaited."""
    task = worker._task
    return task is not None and (task.done() or getcoroutinestate(task.get_coro()) != CORO_CREATED)  # type: ignore[arg-type]  # a coroutine, as Textual makes it
