"""The chat: prompts go out, answers stream in, their numbers stand below them."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static
from textual.worker import Worker

from foundry_tui.domain.chat import ChatMessage, ChatOptions, ChunkKind, ChunkReceived, Moment, Role
from foundry_tui.domain.engine import EngineDead, EngineState
from foundry_tui.domain.errors import EngineDied, EngineError, StorageProblem
from foundry_tui.metrics.tokens import ContextUse, context_use
from foundry_tui.reports.answer import describe, describe_live
from foundry_tui.reports.chat import overlong_in_words
from foundry_tui.reports.errors import capitalised, error_words
from foundry_tui.reports.models import load_words
from foundry_tui.services.dialogue import ModelLoaded, ModelLoading
from foundry_tui.services.opened import Services
from foundry_tui.services.setup import Setup
from foundry_tui.tui.load_guard import may_load
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.panes.composer import Composer
from foundry_tui.tui.panes.reader import Reader
from foundry_tui.tui.panes.turns import TurnsOnScreen
from foundry_tui.tui.presenters import chat_line, death_words
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from foundry_tui.tui.widgets.prompt_input import PromptInput
from foundry_tui.tui.widgets.transcript import MessageKind, Transcript

__all__ = ["ChatPane"]

_LIVE_LINE_S = 0.25
_NO_MODEL = (
    "No model chosen yet.\n\n"
    "1 goes to the catalog: Enter talks to a model, l only loads it.\n"
    "Ctrl+L opens an earlier conversation, F1 shows all keys."
)
_READY = (
    "Ask {model}.\n\n"
    "Enter sends, Ctrl+J makes a new line, Esc stops an answer.\n"
    "Ctrl+O sets temperature and more, Ctrl+T has your saved prompts, F5 attaches a file."
)
_BUSY = "Stop the answer first: Esc"


class ChatPane(Vertical):
    """One conversation with the active model, on one of its branches."""

    HELP = (
        "One conversation, kept as it goes. Tab goes to the transcript: [ and ] walk through its messages,"
        " Space folds, c copies, e edits a prompt and g asks for an answer again, each beside the old one;"
        " < and > show the other branches."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "new_conversation", "New", id="chat.new"),
        Binding("e", "edit", "Edit and resend", show=False, id="chat.edit"),
        Binding("g", "regenerate", "Ask again", show=False, id="chat.regenerate"),
        Binding("less_than_sign", "branch(-1)", "Branch before", show=False, id="chat.branch_before"),
        Binding("greater_than_sign", "branch(1)", "Branch after", show=False, id="chat.branch_after"),
    ]

    active_model: reactive[str | None] = reactive(None)

    @dataclass
    class Reopened(Message):
        """A kept conversation is shown again; ``model_id`` answered in it last, None if none did."""

        model_id: str | None

    def __init__(self, services: Services, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="pane")
        self._client = services.client
        self._dialogue = services.dialogue
        self._recorder = services.recorder
        self._conversations = services.conversations
        self._history = services.history
        self._history_size = services.setup.history_size
        self._warn_share = services.setup.warn_at_context_share
        self._key = 0
        self._editing: str | None = None
        self._overlong: str | None = None
        self._is_stopping = False
        self._generation: Worker[None] | None = None
        self._told_death: EngineDead | None = None

    @property
    def is_generating(self) -> bool:
        """Whether an answer is being made: from the key that asked for it until everything is free again."""
        # Its state does not tell: a worker that is cancelled before its first step is running for ever.
        return self._generation is not None and self._generation in self.workers

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """The conversation as the next request will carry it."""
        return self._dialogue.conversation.messages()

    @property
    def options(self) -> ChatOptions:
        """What the next request carries beside the messages."""
        return self._dialogue.options

    @options.setter
    def options(self, options: ChatOptions) -> None:
        self._dialogue.options = options
        self._show_line()

    @property
    def transcript(self) -> Transcript:
        """Where the conversation shows."""
        return self.query_one(Transcript)

    @property
    def composer(self) -> Composer:
        """Where the next prompt is put together."""
        return self.query_one(Composer)

    @property
    def ribbon(self) -> GapRibbon:
        """Where the times between chunks show."""
        return self.query_one(GapRibbon)

    def compose(self) -> ComposeResult:
        yield Reader(empty_hint=_NO_MODEL, id="reader")
        yield GapRibbon(id="ribbon")
        yield Static(id="chat-line", classes="pane-line", markup=False)
        yield Composer(id="composer")

    def on_mount(self) -> None:
        """Show the state; the live line's timer rests until something streams."""
        self._turns = TurnsOnScreen(self.transcript, self._dialogue)
        self._live_timer = self.set_interval(_LIVE_LINE_S, self._show_live, pause=True)
        self._show_line()

    def focus_prompt(self) -> None:
        """Put the cursor where one writes."""
        self.composer.prompt.focus()

    def apply(self, setup: Setup) -> None:
        """Take what the settings say about the chat."""
        self._history_size = setup.history_size
        self._warn_share = setup.warn_at_context_share
        self.transcript.flush_gap_s = 1 / setup.flush_hz
        self._show_line()

    def watch_active_model(self, model_id: str | None) -> None:
        """Say whom one talks to."""
        prompt = self.composer.prompt
        prompt.placeholder = "Pick a model first" if model_id is None else "Ask anything; Enter sends"
        self.transcript.empty_hint = _NO_MODEL if model_id is None else _READY.format(model=model_id)
        self._show_line()

    def show_engine(self, state: EngineState) -> None:
        """Tell in the conversation what happened to the engine."""
        if isinstance(state, EngineDead) and not self.is_generating:
            self._show_death(state)

    def stop(self) -> bool:
        """Stop the answer under way; False if there is none."""
        if not self.is_generating:
            return False
        # Once only: a second cancellation would cut short the wait for the engine to let go.
        if not self._is_stopping:
            self._is_stopping = True
            self.workers.cancel_group(self, "generation")
        return True

    def leave_mode(self) -> bool:
        """Let go of the ribbon's cursor, else stop searching, else stop editing; False if none was done."""
        if self.ribbon.cursor is not None:
            self.ribbon.move_cursor(None)
            return True
        if self.query_one(Reader).leave_find():
            return True
        if self._editing is None:
            return False
        self._editing = None
        self.composer.prompt.put("")
        self._show_line()
        return True

    def tell(self, text: str, *, is_problem: bool = False) -> None:
        """Put a remark into the conversation; no request carries it."""
        kind = MessageKind.PROBLEM if is_problem else MessageKind.NOTICE
        words = capitalised(text) if is_problem else text
        self.transcript.add_message("Problem" if is_problem else "Note", words, kind=kind)

    def find(self) -> None:
        """Search in the transcript."""
        self.query_one(Reader).find()

    @on(PromptInput.HistoryWanted)
    def _go_back(self, message: PromptInput.HistoryWanted) -> None:
        message.stop()
        self._recall_inputs(message.step)

    @work(group="history")
    async def _recall_inputs(self, step: int) -> None:
        """Fetch what was written in earlier sessions, once; not at the start, for it opens the database."""
        prompt = self.composer.prompt
        try:
            prompt.set_history(await self._history.inputs(self._history_size))
        except StorageProblem as error:
            complain(self, error)
        prompt.action_recall(step)

    @work(exclusive=True, group="open")
    async def open_conversation(self, conversation_id: str, turn_id: str | None = None) -> None:
        """Show a kept conversation, on the branch of ``turn_id`` and with that turn in view."""
        if self._is_busy():
            return
        await self._recorder.settled()
        try:
            conversation = await self._conversations.load(conversation_id)
        except StorageProblem as error:
            complain(self, error)
            return
        if conversation is None:
            tell(self, "That conversation is gone: it was deleted meanwhile", is_warning=True)
            return
        if self.is_generating:
            return
        self._dialogue.adopt(conversation)
        if turn_id is not None and turn_id not in {turn.id for turn in conversation.path()}:
            self._dialogue.go_to(conversation.tip_below(turn_id))
        self._editing = None
        self._show_from(0)
        if turn_id is not None:
            self._turns.reveal(turn_id)
        answered = [turn.model_id for turn in self._dialogue.conversation.path() if turn.model_id]
        self.post_message(self.Reopened(answered[-1] if answered else None))
        self.focus_prompt()

    def forget(self, conversation_id: str) -> None:
        """Begin another conversation if this one was deleted."""
        if conversation_id == self._dialogue.conversation.id and not self.is_generating:
            self.action_new_conversation()

    def action_new_conversation(self) -> None:
        """Begin another conversation; this one stays in the list of Ctrl+L."""
        if self._is_busy():
            return
        self._dialogue.new()
        self._editing = None
        self._show_from(0)
        self.focus_prompt()

    def action_edit(self) -> None:
        """Put the prompt at the cursor, or the last, back into the field; it goes out as another branch."""
        if self._is_busy():
            return
        turn = self._turns.at_cursor(Role.USER)
        if turn is None:
            tell(self, "There is no prompt to edit yet")
            return
        self._editing = turn.id
        self.composer.clear_attachments()
        self.composer.prompt.put(turn.text)
        self.focus_prompt()
        self._show_line()

    def action_regenerate(self) -> None:
        """Ask for the answer at the cursor, or the last one, again; both are kept."""
        if self._is_busy():
            return
        turn = self._turns.at_cursor(Role.ASSISTANT)
        if turn is None or self.active_model is None:
            tell(self, "There is no answer to ask for again" if turn is None else "Pick a model first")
            return
        self._dialogue.step_before(turn.id)
        self._turns.drop_from(turn.id)
        self._begin_answer(self.active_model)

    def action_branch(self, step: int) -> None:
        """Show what was said instead at the cursor, or at the last point where there is a choice."""
        if self._is_busy():
            return
        conversation = self._dialogue.conversation
        forks = [turn for turn in conversation.path() if len(conversation.siblings(turn)) > 1]
        at_cursor = self._turns.at_cursor()
        turn = at_cursor if at_cursor in forks else forks[-1] if forks else None
        if turn is None:
            tell(self, "There is one branch only; e edits a prompt, g asks for an answer again")
        elif self._dialogue.switch(turn.id, step):
            path = self._dialogue.conversation.path()
            place = len(conversation.path_to(turn.id)) - 1
            self._turns.drop_from(turn.id)
            self._show_from(place)
            self._turns.reveal(path[place].id)
        else:
            tell(self, "That was the last branch" if step > 0 else "That was the first branch")

    @on(Composer.Submitted)
    def _ask(self, message: Composer.Submitted) -> None:
        message.stop()
        if (refusal := self._refusal(message.text)) is not None:
            self.composer.give_back(message)
            tell(self, refusal, is_warning=True)
            return
        self._overlong = None
        self.composer.clear_attachments()
        if self._editing is not None:
            self._dialogue.step_before(self._editing)
            self._turns.drop_from(self._editing)
            self._editing = None
        if self._history_size:
            self._recorder.submit(
                lambda: self._history.remember_input(message.written, keep=self._history_size)
            )
        self._turns.add(self._dialogue.say(message.text))
        self._begin_answer(self.active_model or "")

    @on(Composer.Changed)
    def _composed(self, message: Composer.Changed) -> None:
        message.stop()
        self._show_line()

    @on(Transcript.CursorMoved)
    def _read(self, message: Transcript.CursorMoved) -> None:
        message.stop()
        self._show_ribbon()

    def _is_busy(self) -> bool:
        if self.is_generating:
            tell(self, _BUSY, is_warning=True)
        return self.is_generating

    def _refusal(self, text: str) -> str | None:
        if self.is_generating:
            return "An answer is being made: wait, or stop it with Esc"
        if self.active_model is None:
            return "Pick a model first: 1 goes to the catalog"
        if isinstance(self._client.engine_state, EngineDead):
            return "The engine is down: Ctrl+R restarts it"
        use = self._context_use(text)
        if use.share is not None and use.share > 1 and text != self._overlong:
            self._overlong = text
            return overlong_in_words(use, anew="Ctrl+N", again="Enter again")
        return None

    def _begin_answer(self, model_id: str) -> None:
        self._is_stopping = False
        self._generation = self._generate(model_id)

    @work(group="generation")
    async def _generate(self, model_id: str) -> None:
        transcript = self.transcript
        self._key = key = transcript.begin_answer(model_id)
        self._live_timer.resume()
        transcript.scroll_end(animate=False)
        error: EngineError | None = None
        try:
            async with self._dialogue.answer(
                model_id, may_load=partial(may_load, self, self._client)
            ) as events:
                self._turns.adopt(key, self._dialogue.conversation.head_id or "")
                self.ribbon.begin(model_id)
                async for event in events:
                    match event:
                        case ModelLoading():
                            transcript.set_footer(key, f"loading {event.model_id} …")
                            continue
                        case ModelLoaded():
                            transcript.set_footer(key, load_words(event.report))
                            continue
                        case ChunkReceived(kind=ChunkKind.REASONING):
                            transcript.append_reasoning(key, event.text)
                        case ChunkReceived():
                            transcript.append(key, event.text)
                        case _:
                            pass
                    if self._shows_live:
                        self.ribbon.observe(event)
        except EngineError as caught:
            error = caught
        finally:
            self._end(key, error)

    def _end(self, key: int, error: EngineError | None) -> None:
        """However it ended: what arrived stays, its numbers below it."""
        if not self.is_attached:
            return  # the app has been left meanwhile
        self._live_timer.pause()
        transcript = self.transcript
        transcript.finish_answer(key)
        turn = self._turns.turn_of(key)
        if turn is not None and turn.trace is not None:
            transcript.set_footer(key, describe(turn.trace), problem=error is not None)
        self._show_ribbon()
        if isinstance(error, EngineDied) and isinstance(self._client.engine_state, EngineDead):
            self._show_death(self._client.engine_state)
        elif error is not None:
            self.tell(error_words(error), is_problem=True)
        self._show_line()

    def _show_death(self, state: EngineDead) -> None:
        if state is self._told_death:
            return  # the engine's watcher and an answer's end both learn of it
        self._told_death = state
        self.tell(death_words(state), is_problem=True)

    def _show_from(self, place: int) -> None:
        self._turns.show_from(place)
        self._show_ribbon()
        self._show_line()

    @property
    def _shows_live(self) -> bool:
        """Whether the ribbon shows the answer that is being made, and not one that is read again."""
        return self.is_generating and self.transcript.cursor_key in (None, self._key)

    def _show_ribbon(self) -> None:
        trace = self._dialogue.trace
        if self._shows_live and trace is not None:
            self.ribbon.begin(self.active_model or "")
            for event in trace.events():
                self.ribbon.observe(event)
            return
        turn = self._turns.at_cursor(Role.ASSISTANT)
        if turn is None or turn.trace is None:
            self.ribbon.clear()
        elif self.ribbon.is_live and turn is self._turns.turn_of(self._key):
            self.ribbon.finish(turn.trace)
        else:
            self.ribbon.show_trace(turn.trace, turn.model_id or "")

    def _show_live(self) -> None:
        trace = self._dialogue.trace
        if trace is not None and trace.moment_ns(Moment.CALL) is not None:
            self.transcript.set_footer(self._key, describe_live(trace.chunks, trace.moment_ns(Moment.SENT)))

    def _context_use(self, text: str) -> ContextUse:
        conversation = self._dialogue.conversation
        model = None if self.active_model is None else self._client.catalog.value.find(self.active_model)
        return context_use(
            conversation.carried(), text, system_prompt=self.options.system_prompt, model=model
        )

    def _show_line(self) -> None:
        use = self._context_use(self.composer.text)
        line = self.query_one("#chat-line", Static)
        note = "editing: Enter sends it as another branch, Esc leaves it" if self._editing else None
        line.update(chat_line(self.active_model, self.options, use, note=note))
        line.set_class(use.share is not None and use.share >= self._warn_share, "-warning")
