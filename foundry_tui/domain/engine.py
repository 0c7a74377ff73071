"""What is known about an engine's process and the server behind it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from foundry_tui.domain.memory_words import tells_of_no_memory

__all__ = [
    "Capability",
    "EndpointKind",
    "EngineDead",
    "EngineIdle",
    "EngineInfo",
    "EngineReady",
    "EngineStarting",
    "EngineState",
    "ExecutionProvider",
    "HostDeath",
    "ProviderEvent",
    "ProviderProgress",
    "ProvidersRegistered",
]


class EndpointKind(StrEnum):
    """What kind of server answers."""

    MANAGED = "managed"
    """The Foundry Local runtime in our own child process."""
    FOUNDRY_V2 = "foundry-v2"
    FOUNDRY_V1 = "foundry-v1"
    OPENAI = "openai"
    """Any other OpenAI-compatible server."""
    SCRIPTED = "scripted"
    """Replayed answers; synthetic everywhere."""


class Capability(StrEnum):
    """Something that a kind of engine may or may not be able to do."""

    CHAT = "chat"
    LIST = "list"
    LOADED = "loaded"
    LOAD = "load"
    UNLOAD = "unload"
    REGISTER = "register"
    REMOVE = "remove"
    """Take a downloaded model off the disk."""
    DOWNLOAD = "download"
    """Fetch a model for itself, onto a disk that is the server's."""
    PROVIDERS = "providers"
    """Discover and register execution providers."""
    MEMORY = "memory"
    """Its process runs on this machine, so that its memory can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What an engine says of itself when it is ready.

    Attributes:
        url: Base address of the server that chats go to, without ``/v1``.
        pid: The process that holds the models, if it runs here.
        versions: Version by component: foundry-tui, foundry-local-sdk, onnxruntime, python.
        cache_dir: Folder of downloaded models; None if the server does not say.
        start_ns: From starting the process to ready.
        notes: What the user should know, such as what the runtime still reports home.
    """

    kind: EndpointKind
    url: str | None
    pid: int | None
    capabilities: tuple[Capability, ...]
    versions: tuple[tuple[str, str], ...] = ()
    cache_dir: str | None = None
    start_ns: int | None = None
    notes: tuple[str, ...] = ()

    def can(self, capability: Capability) -> bool:
        """Whether the engine offers ``capability``."""
        return capability in self.capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class HostDeath:
    """How the child process ended.

    Attributes:
        exit_code: None if a signal ended it.
        signal_name: Such as ``SIGKILL``; None if it exited by itself.
        last_log: The last lines of its log, oldest first.
        was_loaded: Variant ids that were in memory.
        memory_kills: How many processes around it the system has ended meanwhile for want of memory, as it
            counts itself; None where it does not.
    """

    exit_code: int | None
    signal_name: str | None
    last_log: tuple[str, ...] = ()
    was_loaded: tuple[str, ...] = ()
    memory_kills: int | None = None

    @property
    def is_for_memory(self) -> bool:
        """Whether memory ran out, as the evidence says: the system's own count, or the last words."""
        if self.signal_name == "SIGKILL":
            return bool(self.memory_kills)
        # What cannot allocate and does not catch that ends itself, by SIGABRT or by an exit code.
        has_failed = self.signal_name in (None, "SIGABRT") and self.exit_code != 0
        return has_failed and any(map(tells_of_no_memory, self.last_log))

    @property
    def cause(self) -> str:
        """What became of "the process …", with the likely reason where the evidence supports one."""
        if self.signal_name == "SIGKILL" and self.is_for_memory:
            return "was killed by the system for want of memory"
        if self.signal_name == "SIGKILL":
            return "was killed (SIGKILL): by hand, or by the system for lack of memory"
        if self.is_for_memory:
            how = f"exit code {self.exit_code}" if self.signal_name is None else self.signal_name
            return f"ran out of memory ({how})"
        if self.signal_name is not None:
            return f"was ended by {self.signal_name}"
        return f"exited with code {self.exit_code}"


@dataclass(frozen=True, slots=True)
class EngineIdle:
    """Not started, or stopped in good order."""


@dataclass(frozen=True, slots=True)
class EngineStarting:
    """The process is coming up."""


@dataclass(frozen=True, slots=True)
class EngineReady:
    """Up.

    Attributes:
        is_answering: False while the process is there but does not answer a ping.
    """

    info: EngineInfo
    is_answering: bool = True


@dataclass(frozen=True, slots=True)
class EngineDead:
    """Ended when it should not have, or never came up.

    Attributes:
        reason: One sentence, fit to show.
        remedy: What to do about it.
        death: Facts about the process; None if there was no process.
    """

    reason: str
    remedy: str | None = None
    death: HostDeath | None = None


EngineState: TypeAlias = EngineIdle | EngineStarting | EngineReady | EngineDead


@dataclass(frozen=True, slots=True)
class ExecutionProvider:
    """Something that runs models on one kind of processor and that this machine can have.

    Attributes:
        name: As the runtime calls it, such as ``CUDAExecutionProvider``.
        is_registered: Whether the running engine can use it now; if not, it can be downloaded and registered.
    """

    name: str
    is_registered: bool


@dataclass(frozen=True, slots=True)
class ProviderProgress:
    """How far the download of one execution provider is.

    Attributes:
        percent: From 0 to 100.
    """

    name: str
    percent: float


@dataclass(frozen=True, slots=True)
class ProvidersRegistered:
    """The end of a registration.

    Attributes:
        providers: All that this machine can have, as they are now.
        failed: Names of those that were asked for and are not registered.
    """

    providers: tuple[ExecutionProvider, ...]
    failed: tuple[str, ...] = ()


ProviderEvent: TypeAlias = ProviderProgress | ProvidersRegistered
