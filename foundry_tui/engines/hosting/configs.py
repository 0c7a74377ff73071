"""Which engine a child process is to bring up, and how."""

from dataclasses import dataclass, field
from typing import TypeAlias

from foundry_tui.domain.chat import Outcome

__all__ = ["EndpointConfig", "HostConfig", "ManagedConfig", "ScriptedConfig"]


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
        offered: Ids of models that it lists and fetches for itself, as an older service does.  Half-way the
            download of one whose alias ends in ``broken`` is given up, of ``endless`` stands still.
    """

    pieces: tuple[str, ...] = ("Hello", ", ", "world")
    gap_ms: int = 0
    fail_with: Outcome | None = None
    die_after: int | None = None
    hold: bool = False
    public: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()


HostConfig: TypeAlias = ManagedConfig | EndpointConfig | ScriptedConfig
