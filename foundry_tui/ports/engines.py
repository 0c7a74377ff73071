"""What talks to models."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol, runtime_checkable

from foundry_tui.domain.chat import ChatEvent, ChatRequest
from foundry_tui.domain.downloads import DownloadReading
from foundry_tui.domain.engine import EngineInfo, EngineState, ExecutionProvider, ProviderEvent
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, Registration

__all__ = [
    "Engine",
    "HostableEngine",
    "ModelFetcher",
    "ModelKeeper",
    "ModelManager",
    "ProviderManager",
    "SupervisedEngine",
]


class Engine(Protocol):
    """Something that turns a prompt into text."""

    # A plain ``def``: calling it gives the generator itself, not a coroutine.
    def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """Yield one ``ClockRead(CALL)``, readings and chunks in order, one ``GenerationFinished``.

        Closing the generator stops the work and frees whatever it held.

        Raises:
            GenerationFailed: The request ended without a complete answer.  No event follows.
            EngineError: It could not be sent at all.
        """
        ...


class ModelManager(Protocol):
    """The control side of an engine: which models there are, and which are in memory."""

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        """All models; ``public=False`` leaves out whatever would need the network."""
        ...

    async def load(self, model_id: str) -> LoadReport:
        """Bring the exact variant into memory.

        Raises:
            ModelNotFound: No such variant.
            ModelRefused: It cannot be loaded; the message has the runtime's reason.
            NotSupported: This engine loads nothing on demand.
        """
        ...

    async def unload(self, model_id: str) -> None:
        """Take the exact variant out of memory; no error if it was not there.

        Raises:
            ModelRefused: A session still uses it.
        """
        ...

    async def register(self, registration: Registration) -> ModelVariant:
        """List a folder as a model of the user's own; a registration whose folder is gone is replaced.

        Raises:
            ModelRefused: The folder or the id is not usable; the message has the reason.
        """
        ...

    async def unregister(self, model_id: str) -> None:
        """Forget a registered folder; its files stay.

        Raises:
            ModelNotFound: It was not registered.
            ModelRefused: It is in memory.
        """
        ...


@runtime_checkable
class ModelKeeper(Protocol):
    """An engine whose downloaded models are ours to remove.  Those with ``Capability.REMOVE`` are."""

    async def remove(self, model_id: str) -> None:
        """Delete the files of a downloaded variant; no error if there are none.

        Raises:
            ModelNotFound: No such variant.
            ModelRefused: It is in memory, it is being downloaded, or it is a folder of the user's own.
        """
        ...


@runtime_checkable
class ModelFetcher(Protocol):
    """A server that fetches models for itself.  Those with ``Capability.DOWNLOAD`` do."""

    def download(self, model_id: str) -> AsyncGenerator[DownloadReading, None]:
        """Readings as the server tells them, the last in phase ``DONE``; closing it takes the order back.

        Raises:
            ModelNotFound: It is in no catalog of the server's.
            EngineError: The server refused it, gave up or went away; ``NotSupported`` where it never fetches.
        """
        ...


@runtime_checkable
class ProviderManager(Protocol):
    """An engine that can be given execution providers.  Those with ``Capability.PROVIDERS`` can."""

    async def providers(self) -> tuple[ExecutionProvider, ...]:
        """Those that this machine can have beside the CPU's; empty where there are none."""
        ...

    def register_providers(self, names: tuple[str, ...]) -> AsyncGenerator[ProviderEvent, None]:
        """Download and register those (none named: all); progress, then one ``ProvidersRegistered``.

        Closing it asks the engine to stop at its next progress, and does not wait for that.

        Raises:
            NotSupported: One of that name cannot be had here.
            EngineError: The engine could not do it.
        """
        ...


class HostableEngine(Engine, ModelManager, Protocol):
    """What the child process can host, already open.  It may be keeper, fetcher, provider manager too."""

    @property
    def info(self) -> EngineInfo:
        """What it is and can do."""
        ...

    async def aclose(self) -> None:
        """Let go of connections.  The process ends next, so native parts may be left to it."""
        ...


class SupervisedEngine(Engine, ModelManager, ModelKeeper, ModelFetcher, ProviderManager, Protocol):
    """An engine in a process of its own, with its life in our hands; ``NotSupported`` for what it is not."""

    @property
    def state(self) -> EngineState:
        """The state right now."""
        ...

    def states(self) -> AsyncIterator[EngineState]:
        """The state at once, then the newest after each change."""
        ...

    async def start(self) -> EngineInfo:
        """Bring it up, or return at once if it is up.

        Raises:
            EngineUnavailable: It did not come up; the message says why.
        """
        ...

    async def stop(self) -> None:
        """Stop it in good order, by force after a grace period.  Safe at any time."""
        ...
