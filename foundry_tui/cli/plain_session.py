"""The state of plain mode, and how it speaks and listens; what is done with it stands in the commands."""

from collections.abc import Sequence

from foundry_tui.cli.plain_commands import CommandTable, number_in
from foundry_tui.cli.plain_input import Lines
from foundry_tui.cli.plain_signals import Interrupts
from foundry_tui.cli.plain_voice import Busy, Phrases, Voice
from foundry_tui.cli.plain_words import error_lines, listed, nearest
from foundry_tui.cli.plain_words_downloads import end_line
from foundry_tui.cli.plain_words_models import SORT_KEYS, death_lines
from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import ConversationSummary, SavedPrompt, Turn
from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadState, Partial
from foundry_tui.domain.engine import EngineDead, EngineReady
from foundry_tui.domain.errors import (
    BadInput,
    EngineDied,
    EngineUnavailable,
    FoundryTuiError,
    ModelNotFound,
    StorageProblem,
)
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.services.files import TextFile
from foundry_tui.services.opened import Services

__all__ = ["Session"]

# More than this is not heard at once, unless nobody could ask for more.
_PAGE_LINES = 20
_END_OF_LONG = "."


class Session:
    """One sitting in plain mode.

    Attributes:
        setup: As the settings say now.
        model_id: Whom questions go to; None until one is chosen.
        draft: What goes in front of the next question.
        files: What goes below it.
        overlong: What was refused for its length; once more it is sent all the same.
        speaks_phrases: Whether answers are written a phrase at a time.
        order: What lists of models are sorted by; None leaves the catalog's order.
        listed_models: Ids in the order in which they were listed last.
        listed_downloads: What a number means in the last list of downloads.
        listed_servers: Addresses in the order in which they were listed last; None is the managed runtime.
        place: Where models run, in a few words.
        key_name: The environment variable with the key of the server in use; None where it wants none.
        listed_conversations: What a number means in the last list of them.
        listed_prompts: Likewise.
        last_written: The last question as it was written, without what was attached; "" before the first.
        follows_engine_log: Whether the lines of the engine's process are read along.
        is_listening: Whether a line is awaited.
        is_leaving: Whether the user has asked for the end.
        has_failed: Whether anything that was asked for did not work.
    """

    def __init__(
        self,
        services: Services,
        *,
        voice: Voice,
        lines: Lines,
        interrupts: Interrupts,
        commands: CommandTable,
        busy_s: float,
    ) -> None:
        self.services = services
        self.client = services.client
        self.dialogue = services.dialogue
        self.setup = services.setup
        self.interrupts = interrupts
        self.commands = commands
        self.model_id = services.setup.start_with
        self.draft = ""
        self.files: list[TextFile] = []
        self.overlong: str | None = None
        self.speaks_phrases = True
        self.order: str | None = None
        self.listed_models: tuple[str, ...] = ()
        self.listed_downloads: tuple[Download | Partial, ...] = ()
        self.listed_servers: tuple[str | None, ...] = ()
        self.place = services.setup.where
        self.key_name: str | None = None
        self.listed_conversations: tuple[ConversationSummary, ...] = ()
        self.listed_prompts: tuple[SavedPrompt, ...] = ()
        self.last_written = ""
        self.follows_engine_log = False
        self.is_listening = False
        self.is_leaving = False
        self.has_failed = False
        self._voice = voice
        self._lines = lines
        self._busy_s = busy_s
        self._unread: list[str] = []
        self._told_state: EngineDead | EngineReady | None = None
        self._told_problem: StorageProblem | BadInput | None = None
        self._awaited_downloads: set[str] = set()

    @property
    def is_interactive(self) -> bool:
        """Whether somebody sits at a terminal; otherwise lines come from a file or another program."""
        return self._lines.is_terminal

    def say(self, text: str) -> None:
        """Speak; whatever is hostile in ``text`` is made harmless."""
        self._voice.say(text)

    def fail(self, error: FoundryTuiError) -> None:
        """Say what did not work and what to do about it."""
        self.has_failed = True
        state = self.client.engine_state
        is_news = isinstance(state, EngineDead) and state is not self._told_state
        if is_news and isinstance(error, EngineDied | EngineUnavailable):
            self.tell_engine()
        else:
            self.say(error_lines(error))

    def read_out(self, lines: Sequence[str]) -> None:
        """Speak many lines: at a terminal the first of them, and ``more`` the rest."""
        self._unread = list(lines)
        self.more()

    def more(self) -> bool:
        """Speak the next lines of what was read out last; False if there are none."""
        count = _PAGE_LINES if self.is_interactive else len(self._unread)
        now, self._unread = self._unread[:count], self._unread[count:]
        if now:
            self.say("\n".join(now))
        if self._unread:
            self.say(f"{len(self._unread)} more lines: /more reads on.")
        return bool(now)

    def busy(self, words: str) -> Busy:
        """Say now and then that something takes its time; for a ``with`` block."""
        return Busy(self._voice, words, first_s=self._busy_s)

    def phrases(self) -> Phrases:
        """An answer to be written as it streams."""
        return Phrases(self._voice, whole=self.speaks_phrases)

    async def read(self) -> str | None:
        """What is typed next, joined with the lines that go on after a backslash; None at the end.

        Raises:
            BadInput: It is no text.
        """
        parts: list[str] = []
        while True:
            line = await self._line()
            if line is None:
                return "\n".join(parts) if parts else None
            # An even number of them is text: a line of TeX ends so.
            goes_on = (len(line) - len(line.rstrip("\\"))) % 2 == 1
            parts.append(line[:-1] if goes_on else line)
            if not goes_on:
                return "\n".join(parts)

    async def read_long(self) -> str:
        """All lines up to one that is a single dot, or up to the end."""
        lines: list[str] = []
        while (line := await self._line()) not in (None, _END_OF_LONG):
            lines.append(line or "")
        return "\n".join(lines)

    async def ask(self, question: str) -> str:
        """Ask for a text of the user's; "" if none was given."""
        self.say(question)
        given = await self.read()
        return await self.read_long() if given == "/long" else given or ""

    async def confirm(self, question: str) -> bool:
        """Ask what must be meant; only a clear yes is one."""
        self.say(f"{question} Yes or no?")
        given = await self.read()
        return given is not None and given.strip().casefold() in ("yes", "y")

    def end_line(self) -> None:
        """Whatever is said next stands on a line of its own."""
        self._voice.end_line()

    def tell_engine(self) -> None:
        """Say how the engine is, if that is bad news, or good news after bad, that was not told yet."""
        state = self.client.engine_state
        if state is self._told_state:
            return
        if isinstance(state, EngineDead):
            self.has_failed = True
            self.say("\n".join(death_lines(state)))
            self._told_state = state
        elif isinstance(state, EngineReady) and not state.is_answering:
            self.say("The engine does not answer at present. /restart restarts it.")
            self._told_state = state
        elif isinstance(state, EngineReady):
            if isinstance(self._told_state, EngineReady):
                self.say("The engine answers again.")
            self._told_state = None

    def tell_recorder(self) -> None:
        """Say that what is said cannot be written down, or can again, if that was not told yet."""
        problem = self.services.recorder.problem.value
        if str(problem) == str(self._told_problem):
            return
        if problem is not None:
            self.has_failed = True
            self.say(f"The conversation cannot be written down at present.\n{error_lines(problem)}")
        elif isinstance(self._told_problem, StorageProblem):
            self.say("The conversation is written down again.")
        self._told_problem = problem

    def await_download(self, download_id: str) -> None:
        """Have the end of a download told, whichever it is."""
        self._awaited_downloads.add(download_id)

    def tell_downloads(self) -> None:
        """Say which downloads have ended that had not when this sitting first saw them, if not told yet."""
        care = self.services.care
        for entry in () if care is None else care.downloads.queue.value.entries:
            if entry.state not in ENDED_STATES:
                self._awaited_downloads.add(entry.id)
            elif entry.id in self._awaited_downloads:
                self._awaited_downloads.discard(entry.id)
                if entry.state is not DownloadState.CANCELLED:  # whoever cancelled it knows
                    self.has_failed = self.has_failed or entry.state is DownloadState.FAILED
                    self.say(end_line(entry))

    def model(self, name: str) -> ModelVariant:
        """The model of that name or number in the last list; without a name the one that is talked to.

        Raises:
            BadInput: None was named, or none has that number.
            ModelNotFound: None has that name; names the nearest.
        """
        models = self.client.catalog.value
        wanted = name or self.model_id
        if wanted is None:
            raise BadInput("no model was chosen yet", remedy="/models lists them, /use NAME chooses one")
        if (found := models.find(wanted)) is not None:
            return found
        if wanted.isdecimal():
            wanted = self.listed_models[
                number_in(wanted, len(self.listed_models), "model", "in the last list") - 1
            ]
            if (found := models.find(wanted)) is not None:
                return found
        names = [one for model in models.models for one in (model.id, model.alias)]
        close = [clean_line(one) for one in nearest(wanted, names)]
        raise ModelNotFound(
            f"there is no model {clean_line(wanted, 120)}",
            remedy=f"did you mean {listed(close)}?"
            if close
            else "/models lists them, /refresh asks the catalog",
        )

    def ordered(self, models: Sequence[ModelVariant]) -> list[ModelVariant]:
        """``models`` as they are to be listed; what is unknown of them comes last."""
        if self.order is None:
            return list(models)
        key = SORT_KEYS[self.order]
        known = [model for model in models if key(model) is not None]
        unknown = [model for model in models if key(model) is None]

        def by(model: ModelVariant) -> tuple[int, str]:
            value = key(model)
            return (value, "") if isinstance(value, int) else (0, str(value).casefold())

        return [*sorted(known, key=by), *unknown]

    def turn(self, number: str, role: Role | None = None) -> Turn:
        """The message of that number; without one the last, of ``role`` if that is given.

        Raises:
            BadInput: There is none, or it is somebody else's.
        """
        what = {None: "message", Role.ASSISTANT: "answer", Role.USER: "question"}[role]
        path = self.dialogue.conversation.path()
        if not number:
            found = next((turn for turn in reversed(path) if role in (None, turn.role)), None)
            if found is None:
                raise BadInput(f"there is no {what} yet", remedy="ask something")
            return found
        turn = path[number_in(number, len(path), "message") - 1]
        if role not in (None, turn.role):
            raise BadInput(f"message {number} is no {what}", remedy="/messages lists them with their numbers")
        return turn

    async def _line(self) -> str | None:
        self._voice.prompt()
        self.is_listening = True
        try:
            line = await self._lines.next()
        except BadInput:
            self._voice.line_was_read()
            raise
        finally:
            self.is_listening = False
        if line is None:
            self._voice.end_line()
        else:
            self._voice.line_was_read()
        return line
