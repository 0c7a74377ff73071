"""What parent and child say to each other.

The parent writes ``Configure`` once, then ``Call``, ``Cancel`` and ``Stop`` as it likes.  The child
answers ``HostReady`` or ``HostFailed`` once, then for each call any number of ``Streamed`` and exactly one
``Replied`` or ``Refused``, which says that everything the call held is free again.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from foundry_tui.domain.chat import ChatEvent, ChatRequest, Outcome
from foundry_tui.domain.engine import EngineInfo, ExecutionProvider, ProviderEvent
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, Registration

__all__ = [
    "Call",
    "Cancel",
    "Chat",
    "Command",
    "Configure",
    "DiscoverProviders",
    "EndpointConfig",
    "Frame",
    "HostConfig",
    "HostFailed",
    "HostReady",
    "ListModels",
    "LoadModel",
    "ManagedConfig",
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
    "ScriptedConfig",
    "Stop",
    "StreamEvent",
    "Streamed",
    "UnloadModel",
    "UnregisterModel",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedConfig:
    """How to bring up the Foundry Local runtime.

    Attributes:
        cache_dir: Model folders and registrations; what two processes must share to see the same models.
        port: Of the runtime's web service on 127.0.0.1; 0 takes a free one.
        offline: Never ask the network: not for the catalog, and nothing is let out on the runtime's behalf.
    """

    data_dir: str
    cache_dir: str
    logs_dir: str
    catalog_urls: tuple[str, ...] = ()
    catalog_region: str | None = None
    port: int = 0
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """A server that somebody else runs.

    Attributes:
        url: Base address without ``/v1``.
        api_key: Sent as bearer token; never shown, logged or recorded.
    """

    url: str
    api_key: str | None = field(default=None, repr=False)
    connect_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedConfig:
    """Replayed answers, for tests: marked synthetic wherever they show.

    Attributes:
        gap_ms: Pause before each piece.
        fail_with: A failure after the last piece, in place of the finish.
        die_after: Pieces after which the process kills itself; None never.
        hold: Whether to keep the stream open after the last piece until it is cancelled.
        public: Ids of downloaded models that a made-up catalog lists beside the registered ones.
        providers: Execution providers that can be registered; those whose name ends in ``Broken`` cannot.
    """

    pieces: tuple[str, ...] = ("Hello", ", ", "world")
    gap_ms: int = 0
    fail_with: Outcome | None = None
    die_after: int | None = None
    hold: bool = False
    public: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()


HostConfig: TypeAlias = ManagedConfig | EndpointConfig | ScriptedConfig


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


StreamEvent: TypeAlias = ChatEvent | ProviderEvent | ModelsListed


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


Frame: TypeAlias = HostReady | HostFailed | Streamed | Replied | Refused
