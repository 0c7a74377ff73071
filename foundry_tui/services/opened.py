"""The services that a front end is handed, already open."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from foundry_tui.aio import Tasks
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.engine import EngineInfo
from foundry_tui.ports import ConversationStore, InputHistory, PromptLibrary
from foundry_tui.services.client import ClientService
from foundry_tui.services.dialogue import Dialogue
from foundry_tui.services.discovery import Discovery
from foundry_tui.services.downloads.licenses import LicensePolicy
from foundry_tui.services.keep_warm import KeepWarm, WarmthOptions
from foundry_tui.services.logbook import LogBook
from foundry_tui.services.model_care import ModelCare
from foundry_tui.services.recorder import Recorder
from foundry_tui.services.remembering import LayoutMemory
from foundry_tui.services.sampling import ResourceSampler
from foundry_tui.services.settings import SettingsService

__all__ = ["Services", "Setup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What was decided before anything opened, as far as a front end shows or uses it.

    Attributes:
        where: The engine's place in a few words.
        start_with: Variant to load and talk to at once; None leaves the choice to the user.
        settings_path: The file that the settings come from.
        logs_dir: Logs of the child processes and of the runtime.
        keys: Action ids and the keys that the user gave them, in the settings' own words.
        history_size: Prompts remembered from session to session.
        keeps_conversations: Whether what is said is written down.
        warn_at_context_share: Share of a model's context at which the prompt warns.
        flush_hz: Drawings of streaming text in a second, at most.
        strip_hz: Drawings of the resource strip in a second.
        plain_ribbon: Whether the time between tokens shows as digits, without colour.
        licenses: Which licences need no question, and which are refused.
        quiet_hour: Hour of the day, local time, at which downloads that wait for quiet begin.
        warmth: Whether idle models are kept warm, or unloaded.
    """

    chat: ChatOptions
    theme: str
    where: str
    is_offline: bool
    start_with: str | None
    settings_path: Path
    data_dir: Path
    logs_dir: Path
    keys: tuple[tuple[str, str], ...] = ()
    history_size: int = 500
    keeps_conversations: bool = True
    warn_at_context_share: float = 0.9
    flush_hz: float = 25
    strip_hz: float = 1
    plain_ribbon: bool = False
    animations: bool = True
    licenses: LicensePolicy = field(default_factory=LicensePolicy)
    quiet_hour: int = 2
    warmth: WarmthOptions = field(default_factory=WarmthOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything shared; whoever opened it closes it.

    Attributes:
        dialogue: The conversation that is talked in.
        recorder: Writes behind whatever must be kept.
        conversations: All that were kept; as with prompts and history, the first use opens the database.
        care: Looks after the models on this disk; None where they lie on a server of somebody else's.
        connect: Uses the server at an address from now on, with the key in the variable that is named, if
            any; no address is our own runtime.  Raises ``BadInput`` and ``EngineError``; the old one stays.
        targets: The models that ``models.json`` names; reads it anew, so not on the event loop.
        reread: What the settings say by now; blocks, so not on the event loop.
    """

    client: ClientService
    dialogue: Dialogue
    recorder: Recorder
    conversations: ConversationStore
    prompts: PromptLibrary
    history: InputHistory
    settings: SettingsService
    layout: LayoutMemory
    log: LogBook
    sampler: ResourceSampler
    background: Tasks
    care: ModelCare | None
    discovery: Discovery
    keep_warm: KeepWarm
    connect: Callable[[str | None, str | None], Awaitable[EngineInfo]]
    targets: Callable[[], tuple[str, ...]]
    setup: Setup
    reread: Callable[[], Setup]
