"""What the services need from the outside world, each port as small as its callers' use of it."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from foundry_tui.domain.chat import ChatEvent, ChatOptions, ChatRequest
from foundry_tui.domain.conversations import Conversation, ConversationSummary, SavedPrompt, Turn
from foundry_tui.domain.downloads import Download, DownloadReading, Partial
from foundry_tui.domain.engine import EngineInfo, EngineState, ExecutionProvider, ProviderEvent
from foundry_tui.domain.health import ModelHealth
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, Registration
from foundry_tui.domain.resources import GpuSamples, HostSample
from foundry_tui.domain.settings import SettingEntry

__all__ = [
    "AcceptedLicenses",
    "ConversationStore",
    "DownloadProcess",
    "DownloadRunner",
    "DownloadStore",
    "Engine",
    "GpuProbe",
    "HostProbe",
    "HostableEngine",
    "InputHistory",
    "ModelChecker",
    "ModelFetcher",
    "ModelKeeper",
    "ModelManager",
    "ProcessLock",
    "PromptLibrary",
    "ProviderManager",
    "SettingsStore",
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


class ConversationStore(Protocol):
    """Where conversations outlive the program.  What a method was given is on disk when it returns.

    Every method raises ``StorageProblem`` where the store cannot be read or written; nothing is half done.
    """

    async def create(self, conversation: Conversation) -> None:
        """Keep a conversation that is new here, with all its turns.

        Raises:
            BadInput: One of that id is here already.
        """
        ...

    async def add_turn(self, conversation_id: str, turn: Turn) -> None:
        """Add a turn, which becomes the head."""
        ...

    async def extend_turn(self, turn_id: str, *, text: str, reasoning: str) -> None:
        """Add to the end of an answer that is being made."""
        ...

    async def finish_turn(self, turn: Turn) -> None:
        """Put the finished answer in the place of what was kept of it."""
        ...

    async def set_head(self, conversation_id: str, turn_id: str | None) -> None:
        """Remember which branch is being read."""
        ...

    async def set_options(self, conversation_id: str, options: ChatOptions) -> None:
        """Remember what the next request carries."""
        ...

    async def set_title(self, conversation_id: str, title: str) -> None:
        """Rename."""
        ...

    async def set_tags(self, conversation_id: str, tags: tuple[str, ...]) -> None:
        """Replace all tags."""
        ...

    async def delete(self, conversation_id: str) -> None:
        """Remove a conversation with all its turns; no error if it is not there."""
        ...

    async def load(self, conversation_id: str) -> Conversation | None:
        """The whole conversation; None if it is not there."""
        ...

    async def find(
        self, *, text: str = "", tag: str | None = None, limit: int = 500, offset: int = 0
    ) -> tuple[ConversationSummary, ...]:
        """Conversations that have all words of ``text`` in title, tags or a turn, most recently used first.

        The last word may be the beginning of one.
        """
        ...

    async def count(self, *, text: str = "", tag: str | None = None) -> int:
        """How many ``find`` would give without a limit."""
        ...

    async def tags(self) -> tuple[tuple[str, int], ...]:
        """Every tag in use and the number of its conversations, alphabetically."""
        ...


class PromptLibrary(Protocol):
    """The user's saved prompts.  Raises ``StorageProblem`` as ``ConversationStore`` does."""

    async def prompts(self) -> tuple[SavedPrompt, ...]:
        """All of them, the most recently used first, those never used last, by name."""
        ...

    async def save_prompt(self, prompt: SavedPrompt) -> None:
        """Add it, or put it in the place of the one of its id.

        Raises:
            BadInput: Another one has that name.
        """
        ...

    async def delete_prompt(self, prompt_id: str) -> None:
        """Remove it; no error if it is not there."""
        ...


class InputHistory(Protocol):
    """What was written into the prompt.  Raises ``StorageProblem`` as ``ConversationStore`` does."""

    async def inputs(self, limit: int) -> tuple[str, ...]:
        """The newest ``limit`` inputs, oldest first, none twice."""
        ...

    async def remember_input(self, text: str, *, keep: int) -> None:
        """Add one at the end and forget all but the newest ``keep``; one that was there moves to the end."""
        ...


class SettingsStore(Protocol):
    """The user's settings on disk.  Blocks, so not on the event loop."""

    def target(self) -> Path:
        """The file that ``save`` writes, whether it is there yet or not."""
        ...

    def entries(self, actions: Iterable[str] = ()) -> tuple[SettingEntry, ...]:
        """Every setting as it is now, the keys of ``actions`` and of others in the file among them.

        Raises:
            BadInput: The file cannot be read, or says what is not allowed.
        """
        ...

    def check(self, key: str, text: str) -> str | None:
        """Why ``text`` cannot be saved under ``key``, in words; None if it can."""
        ...

    def save(self, changes: Mapping[str, str | None]) -> Path:
        """Write these keys, None for the default, and nothing else; where they were written.

        Raises:
            BadInput: A text is not allowed, or the file is broken; nothing was written.
            StorageProblem: It cannot be written.
        """
        ...


class DownloadProcess(Protocol):
    """A process that downloads one model and says on disk how far it is.  All methods block for milliseconds.

    It may have been started by an earlier life of the app.
    """

    @property
    def model_id(self) -> str:
        """The variant that it fetches."""
        ...

    def look(self) -> DownloadReading:
        """How far it is now; the same last words each time once it has ended."""
        ...

    def kill(self) -> None:
        """End it at once, whatever it is doing; what it fetched stays and can be resumed."""
        ...

    def let_live(self) -> None:
        """Let it go on when this process ends; until then it ends with it."""
        ...

    def forget(self) -> None:
        """Take its last words off the disk, once they were acted upon.  The process must have ended."""
        ...


class DownloadRunner(Protocol):
    """Starts downloads, and finds those that others started.  Blocks, so not on the event loop."""

    def begin(self, model_id: str, *, total_bytes: int | None) -> DownloadProcess:
        """Start to fetch that variant, or go on with what is there of it.

        Raises:
            EngineUnavailable: No process could be started.
        """
        ...

    def running(self) -> tuple[DownloadProcess, ...]:
        """Those whose word is on disk: living ones, and ended ones that nobody has acted upon."""
        ...

    def partials(self) -> tuple[Partial, ...]:
        """Downloads that were left in the middle, the ones under way among them."""
        ...

    def remove_partial(self, path: str) -> int:
        """Delete what is there of an unfinished download; the bytes that this freed.

        Raises:
            ModelRefused: A process is at work on it, or it is no unfinished download.
            StorageProblem: It cannot be deleted.
        """
        ...


class DownloadStore(Protocol):
    """The queue on disk, one for all processes.  Raises ``StorageProblem`` as ``ConversationStore`` does."""

    async def downloads(self) -> tuple[Download, ...]:
        """All entries, those that ended among them, by place."""
        ...

    async def put_download(self, download: Download) -> None:
        """Add it, or put it in the place of the one of its id."""
        ...

    async def drop_download(self, download_id: str) -> None:
        """Forget it; no error if it is not there."""
        ...


class AcceptedLicenses(Protocol):
    """Which licence texts were agreed to.  Raises ``StorageProblem`` as ``ConversationStore`` does."""

    async def is_accepted(self, text_sha256: str) -> bool:
        """Whether the text of that hash was agreed to."""
        ...

    async def accept(self, text_sha256: str, *, name: str, at_unix_ms: int) -> None:
        """Remember that it was; ``name`` is what the catalog calls it.  Twice is once."""
        ...


class ModelChecker(Protocol):
    """Looks into the files of a model.  Blocks, for as long as reading them takes if it is deep."""

    def check(self, model_id: str, folder: Path, *, is_deep: bool) -> ModelHealth:
        """Look at them; a deep check reads all contents and compares them with the hashes that were kept.

        Where none were kept yet and nothing is wrong, a deep check keeps them.
        """
        ...

    def last(self, model_id: str) -> ModelHealth:
        """What the last check found, from disk."""
        ...

    def forget(self, model_id: str) -> None:
        """Drop what is kept of that model: it was removed, or is fetched anew."""
        ...


class ProcessLock(Protocol):
    """A lock among processes, which the system takes from one that dies.  Does not block."""

    def acquire(self, label: str) -> bool:
        """Take it and leave ``label`` for others to read; False if another process has it."""
        ...

    def release(self) -> None:
        """Give it back; no error if it was not held."""
        ...

    def holder(self) -> str | None:
        """The label of the process that has it; None if nobody does."""
        ...
