"""The services that a front end is handed, already open."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from foundry_tui.aio import Tasks
from foundry_tui.domain.bench import PlannedPrompt
from foundry_tui.domain.engine import EngineInfo
from foundry_tui.domain.scoring import Rubric
from foundry_tui.ports.storage import ConversationStore, InputHistory, JudgeStore, PromptLibrary, ScoreStore
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.client import ClientService
from foundry_tui.services.dialogue import Dialogue
from foundry_tui.services.discovery import Discovery
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.services.keep_warm import KeepWarm
from foundry_tui.services.logbook import LogBook
from foundry_tui.services.model_care import ModelCare
from foundry_tui.services.recorder import Recorder
from foundry_tui.services.remembering import LayoutMemory
from foundry_tui.services.sampling import ResourceSampler
from foundry_tui.services.settings import SettingsService
from foundry_tui.services.setup import Setup

__all__ = ["Services", "at_hand"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything shared; whoever opened it closes it.

    Attributes:
        dialogue: The conversation that is talked in.
        recorder: Writes behind whatever must be kept.
        conversations: All that were kept; as with prompts and history, the first use opens the database.
        bench: Runs benchmarks and keeps them.
        bench_prompts: What one can ask: of the ready set of that name, for an empty one ``BENCH_PROMPT`` if
            it is set, and all of ``prompts.json``; reads it anew, so not on the event loop.
        bench_sets: Names of the ready sets; likewise.
        bench_targets: The models that ``models.json`` has for chats, by alias, in the order of priority;
            likewise.
        scores: What people said of answers, kept beside the runs.
        judgements: What judges said of them.
        rubric: What answers are scored by; reads it anew, so not on the event loop.
        care: Looks after the models on this disk; None where they lie on a server of somebody else's.
        licenses: What was agreed to, for models that come here or onto a server.
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
    bench: Benchmarks
    bench_prompts: Callable[[str], tuple[PlannedPrompt, ...]]
    bench_sets: Callable[[], tuple[str, ...]]
    bench_targets: Callable[[], tuple[str, ...]]
    scores: ScoreStore
    judgements: JudgeStore
    rubric: Callable[[], Rubric]
    care: ModelCare | None
    licenses: Licenses
    discovery: Discovery
    keep_warm: KeepWarm
    connect: Callable[[str | None, str | None], Awaitable[EngineInfo]]
    targets: Callable[[], tuple[str, ...]]
    setup: Setup
    reread: Callable[[], Setup]


def at_hand(services: Services) -> Callable[[], Awaitable[Services]]:
    """What opens services that are open already."""

    async def opened() -> Services:
        return services

    return opened
