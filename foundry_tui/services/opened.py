"""The services that a front end is handed, already open."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foundry_tui.aio import Tasks
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.ports import ConversationStore, InputHistory, PromptLibrary
from foundry_tui.services.client import ClientService
from foundry_tui.services.dialogue import Dialogue
from foundry_tui.services.logbook import LogBook
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything shared; whoever opened it closes it.

    Attributes:
        dialogue: The conversation that is talked in.
        recorder: Writes behind whatever must be kept.
        conversations: All that were kept; as with prompts and history, the first use opens the database.
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
    setup: Setup
    reread: Callable[[], Setup]
