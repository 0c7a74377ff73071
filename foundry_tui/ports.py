"""What the services need from the outside world, each port as small as its callers' use of it."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from foundry_tui.domain.chat import ChatEvent, ChatRequest
from foundry_tui.domain.engine import EngineInfo, EngineState
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, Registration
from foundry_tui.domain.resources import GpuSamples, HostSample

__all__ = ["Engine", "GpuProbe", "HostProbe", "HostableEngine", "ModelManager", "SupervisedEngine"]


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


class HostableEngine(Engine, ModelManager, Protocol):
    """What the child process can host: an engine with its control side, already open."""

    @property
    def info(self) -> EngineInfo:
        """What it is and can do."""
        ...

    async def aclose(self) -> None:
        """Let go of connections.  The process ends next, so native parts may be left to it."""
        ...


class SupervisedEngine(Engine, ModelManager, Protocol):
    """An engine in a process of its own, with its life in our hands."""

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


class HostProbe(Protocol):
    """Reads the machine and one process."""

    def sample(self, pid: int | None) -> HostSample:
        """One reading; blocks for well under a millisecond, so not on the event loop."""
        ...


class GpuProbe(Protocol):
    """Reads the GPUs, where there are any."""

    def sample(self, pid: int | None) -> GpuSamples:
        """One reading, or the reason why there is none; never raises.  Not on the event loop."""
        ...

    def close(self) -> None:
        """Let go of the driver."""
        ...
