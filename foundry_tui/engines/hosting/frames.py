"""What parent and child say to each other.

The parent writes ``Configure`` once, then ``Call``, ``Cancel`` and ``Stop`` as it likes.  The child
answers ``HostReady`` or ``HostFailed`` once, then for each call any number of ``Streamed`` and exactly one
``Replied`` or ``Refused``, which says that everything the call held is free again.
"""

from dataclasses import dataclass
from typing import TypeAlias

from foundry_tui.domain.chat import ChatEvent, ChatRequest, Outcome
from foundry_tui.domain.downloads import DownloadReading
from foundry_tui.domain.engine import EngineInfo, ExecutionProvider, ProviderEvent
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, Registration
from foundry_tui.engines.hosting.configs import HostConfig

__all__ = [
    "Call",
    "Cancel",
    "Chat",
    "Command",
    "Configure",
    "DiscoverProviders",
    "DownloadModel",
    "Frame",
    "HostFailed",
    "HostReady",
    "ListModels",
    "LoadModel",
    "ModelsListed",
    "Operation",
    "Ping",
    "ProviderList",
    "Refused",
    "RegisterModel",
    "RegisterProviders",
    "RemoveModel",
    "Replied",
    "ReplyValue",
    "Stop",
    "StreamEvent",
    "Streamed",
    "UnloadModel",
    "UnregisterModel",
]


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""


@dataclass(frozen=True, slots=True)
class ListModels:
    """See ``ModelManager.list_models``."""

    public: bool


@dataclass(frozen=True, slots=True)
class LoadModel:
    """See ``ModelManager.load``."""

    model_id: str


@dataclass(frozen=True, slots=True)
class UnloadModel:
    """See ``ModelManager.unload``."""

    model_id: str


@dataclass(frozen=True, slots=True)
class RegisterModel:
    """See ``ModelManager.register``."""

    registration: Registration


@dataclass(frozen=True, slots=True)
class UnregisterModel:
    """See ``ModelManager.unregister``."""

    model_id: str


@dataclass(frozen=True, slots=True)
class RemoveModel:
    """See ``ModelKeeper.remove``."""

    model_id: str


@dataclass(frozen=True, slots=True)
class DownloadModel:
    """See ``ModelFetcher.download``; its readings are ``Streamed``."""

    model_id: str


@dataclass(frozen=True, slots=True)
class DiscoverProviders:
    """See ``ProviderManager.providers``."""


@dataclass(frozen=True, slots=True)
class RegisterProviders:
    """See ``ProviderManager.register_providers``; its events are ``Streamed``."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chat:
    """See ``Engine.stream_chat``; its events are ``Streamed``."""

    request: ChatRequest


Operation: TypeAlias = (
    Ping
    | ListModels
    | LoadModel
    | UnloadModel
    | RegisterModel
    | UnregisterModel
    | RemoveModel
    | DownloadModel
    | DiscoverProviders
    | RegisterProviders
    | Chat
)


@dataclass(frozen=True, slots=True)
class Configure:
    """The parent's first line."""

    config: HostConfig


@dataclass(frozen=True, slots=True)
class Call:
    """Begin an operation; ``call`` is the parent's number for it."""

    call: int
    operation: Operation


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop a call; its ``Replied`` or ``Refused`` still comes."""

    call: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End in good order."""


Command: TypeAlias = Configure | Call | Cancel | Stop


@dataclass(frozen=True, slots=True)
class ProviderList:
    """What ``DiscoverProviders`` found."""

    providers: tuple[ExecutionProvider, ...]


ReplyValue: TypeAlias = CatalogSnapshot | LoadReport | ModelVariant | ProviderList | None


@dataclass(frozen=True, slots=True)
class ModelsListed:
    """A part of a long list; the reply holds the last part."""

    models: tuple[ModelVariant, ...]


StreamEvent: TypeAlias = ChatEvent | DownloadReading | ProviderEvent | ModelsListed


@dataclass(frozen=True, slots=True)
class HostReady:
    """The engine is up."""

    info: EngineInfo


@dataclass(frozen=True, slots=True)
class HostFailed:
    """The engine did not come up; the process ends."""

    message: str
    remedy: str | None


@dataclass(frozen=True, slots=True)
class Streamed:
    """One event of a call that takes its time."""

    call: int
    event: StreamEvent


@dataclass(frozen=True, slots=True)
class Replied:
    """The call is done."""

    call: int
    value: ReplyValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The call ended with an engine error; ``error`` is the name of its class."""

    call: int
    error: str
    message: str
    remedy: str | None
    outcome: Outcome | None = None
    end_ns: int | None = None
    response_id: str | None = None


Frame: TypeAlias = HostReady | HostFailed | Streamed | Replied | Refused
