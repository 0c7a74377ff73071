"""What is kept."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from foundry_tui.domain.bench import ModelRun, RequestRun, ResourceReading, Run, RunStatus, RunSummary
from foundry_tui.domain.bench_reruns import Rerun
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.conversations import Conversation, ConversationSummary, SavedPrompt, Turn
from foundry_tui.domain.downloads import Download
from foundry_tui.domain.judging import Judgement, JudgePreference
from foundry_tui.domain.scoring import AnswerMark, AnswerNote, Preference, Rubric, Said, Score
from foundry_tui.domain.settings import SettingEntry

__all__ = [
    "AcceptedLicenses",
    "ConversationStore",
    "DownloadStore",
    "InputHistory",
    "JudgeStore",
    "PromptLibrary",
    "RunStore",
    "ScoreStore",
    "SettingsStore",
]


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


class ScoreStore(Protocol):
    """Where scores outlive the program, beside the runs that they are of.

    Every method raises ``StorageProblem`` where the store cannot be read or written; nothing is half done.
    """

    async def keep(self, rubric: Rubric, said: Said, *, gone: Said | None = None) -> None:
        """Keep all that is said or nothing, each in the place of what the same person gave the same before.

        Args:
            rubric: That the scores are given by.
            said: What holds from now on.
            gone: What is taken back in the same moment, whatever its value; what is not there stays so.

        Raises:
            BadInput: A run is not there.
        """
        ...

    async def scores(self, run_id: str) -> tuple[Score, ...]:
        """All of a run, by answer and person, whatever the rubric; empty of a run that is not there."""
        ...

    async def notes(self, run_id: str) -> tuple[AnswerNote, ...]:
        """All of a run, by answer and person; likewise."""
        ...

    async def marks(self, run_id: str) -> tuple[AnswerMark, ...]:
        """All of a run, by answer and person; likewise."""
        ...

    async def preferences(self, run_id: str) -> tuple[Preference, ...]:
        """All of a run, by pair and person; likewise."""
        ...

    async def rubric(self, sha256: str) -> Rubric | None:
        """What some scores were given by; None if nothing was given by it."""
        ...


class JudgeStore(Protocol):
    """Where what judges gave outlives the program, apart from the scores of people.

    Every method raises ``StorageProblem`` where the store cannot be read or written; what was kept is on the
    disk when it returns.
    """

    async def keep_judgement(self, rubric: Rubric, judgement: Judgement) -> None:
        """Keep it, in the place of what the same version gave the same answer before.

        Raises:
            BadInput: The run is not there.
        """
        ...

    async def keep_preference(self, rubric: Rubric, preference: JudgePreference) -> None:
        """Keep it, in the place of what the same version said of the same answers in that order before.

        Raises:
            BadInput: The run is not there.
        """
        ...

    async def judgements(self, run_id: str) -> tuple[Judgement, ...]:
        """All of a run, by answer and version; empty of a run that is not there."""
        ...

    async def preferences(self, run_id: str) -> tuple[JudgePreference, ...]:
        """All of a run, by answers and version; likewise."""
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


class DownloadStore(Protocol):
    """The queue on disk, one for all processes.  Raises ``StorageProblem`` as ``ConversationStore`` does."""

    async def downloads(self) -> tuple[Download, ...]:
        """All entries, those that ended among them, by place."""
        ...

    async def change_downloads(
        self, change: Callable[[tuple[Download, ...]], tuple[Download, ...]]
    ) -> tuple[Download, ...]:
        """Make the queue what ``change`` makes of it, and nobody else writes in between; what it is then.

        ``change`` may be called in any thread.  If it raises, nothing is changed and the error passes on.
        """
        ...


class AcceptedLicenses(Protocol):
    """Which licence texts were agreed to.  Raises ``StorageProblem`` as ``ConversationStore`` does."""

    async def is_accepted(self, text_sha256: str) -> bool:
        """Whether the text of that hash was agreed to."""
        ...

    async def accept(self, text_sha256: str, *, name: str, at_unix_ms: int) -> None:
        """Remember that it was; ``name`` is what the catalog calls it.  Twice is once."""
        ...


class RunStore(Protocol):
    """Benchmarks that were made.  All methods raise ``StorageProblem``; what they return is committed.

    What writes to a run that is not there, or takes an id or a number that is taken, raises ``BadInput``.
    """

    async def create_run(self, run: Run) -> None:
        """Begin to keep ``run`` and its models; its id must be new."""
        ...

    async def put_model(self, run_id: str, model: ModelRun) -> None:
        """Replace what is known of the model of that name."""
        ...

    async def add_request(self, run_id: str, request: RequestRun) -> None:
        """Keep one request; its number must be new in the run.  On the disk when this returns."""
        ...

    async def end_run(
        self, run_id: str, status: RunStatus, *, at_unix_ms: int | None, reason: str | None = None
    ) -> None:
        """Say how it stands with the run, and why; RUNNING without a time or reason when it is resumed."""
        ...

    async def begin_rerun(self, run_id: str, rerun: Rerun) -> None:
        """Say that marked rounds are measured again, and the run RUNNING; its attempt must be new."""
        ...

    async def describe_run(self, run_id: str, *, name: str, note: str, tags: tuple[str, ...]) -> None:
        """Change what people wrote to it."""
        ...

    async def run(self, run_id: str) -> Run | None:
        """The run without its requests; None if there is none of that id."""
        ...

    async def run_ids(self, beginning: str) -> tuple[str, ...]:
        """Ids that begin so, at most ten."""
        ...

    async def runs(self, *, limit: int = 100, offset: int = 0) -> tuple[RunSummary, ...]:
        """The newest first."""
        ...

    async def runs_of(self, model: str, *, limit: int = 100) -> tuple[str, ...]:
        """Ids of the runs with a model that is called so, by ``ModelRun.is_called``; the newest first."""
        ...

    async def requests(
        self, run_id: str, *, after: int = 0, model: str | None = None
    ) -> tuple[RequestRun, ...]:
        """All requests of the run with a number above ``after``, in order of their numbers.

        ``model`` is a name in the plan, to have those of that one alone.
        """
        ...

    async def add_resources(self, run_id: str, readings: Sequence[ResourceReading]) -> None:
        """Keep them behind those that are there; any number of them at once."""
        ...

    async def resources(self, run_id: str) -> tuple[ResourceReading, ...]:
        """All of the run, in the order in which they were added: within one life of it that of time."""
        ...

    async def import_run(
        self, run: Run, requests: Sequence[RequestRun], resources: Sequence[ResourceReading] = ()
    ) -> None:
        """Keep all of it or nothing; its id must be new."""
        ...

    async def delete_run(self, run_id: str) -> None:
        """Drop it with its requests and resources; no error if it is gone."""
        ...
