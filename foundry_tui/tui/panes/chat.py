"""The chat: prompts go out, answers stream in, their numbers stand below them."""

import asyncio
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widgets import Static

from foundry_tui.domain.chat import (
    ChatMessage,
    ChatOptions,
    ChunkKind,
    ChunkReceived,
    Moment,
    Role,
)
from foundry_tui.domain.engine import Capability, EngineDead, EngineStarting, EngineState
from foundry_tui.domain.errors import EngineDied, EngineError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.reports.answer import describe, describe_live
from foundry_tui.services.client import ClientService
from foundry_tui.tui.notices import tell
from foundry_tui.tui.presenters import error_words, load_words
from foundry_tui.tui.widgets.prompt_input import PromptInput
from foundry_tui.tui.widgets.transcript import MessageKind, Transcript

__all__ = ["ChatPane"]

_LIVE_LINE_S = 0.25
_NO_MODEL = (
    "No model chosen yet.\n\n"
    "1 goes to the catalog: Enter talks to a model, l only loads it.\n"
    "F1 shows all keys."
)
_READY = (
    "Ask {model}.\n\n"
    "Enter sends, Ctrl+J makes a new line, Esc stops an answer.\n"
    "Ctrl+O sets temperature and more."
)


class ChatPane(Vertical):
    """One conversation with the active model; several turns."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "new_conversation", "New"),
    ]

    active_model: reactive[str | None] = reactive(None)
    options: reactive[ChatOptions] = reactive(ChatOptions())

    def __init__(self, client: ClientService, options: ChatOptions, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="pane")
        self.set_reactive(ChatPane.options, options)
        self._client = client
        self._messages: tuple[ChatMessage, ...] = ()
        self._trace: TraceBuilder | None = None
        self._key = 0
        self._is_stopping = False
        self._told_death: EngineDead | None = None

    @property
    def is_generating(self) -> bool:
        """Whether an answer is being made."""
        return self._trace is not None

    @property
    def messages(self) -> tuple[ChatMessage, ...]:
        """The conversation as the next request will carry it."""
        return self._messages

    @property
    def transcript(self) -> Transcript:
        """Where the conversation shows."""
        return self.query_one(Transcript)

    def compose(self) -> ComposeResult:
        yield Transcript(empty_hint=_NO_MODEL, id="transcript")
        yield Static(id="chat-line", classes="pane-line", markup=False)
        yield PromptInput(
            placeholder="Pick a model first", id="prompt", compact=True, highlight_cursor_line=False
        )

    def on_mount(self) -> None:
        """Show the state; the live line's timer rests until something streams."""
        self._live_timer = self.set_interval(_LIVE_LINE_S, self._show_live, pause=True)
        self._show_line()

    def focus_prompt(self) -> None:
        """Put the cursor where one writes."""
        self.query_one(PromptInput).focus()

    def watch_active_model(self, model_id: str | None) -> None:
        """Say whom one talks to."""
        prompt = self.query_one(PromptInput)
        prompt.placeholder = "Pick a model first" if model_id is None else "Ask anything; Enter sends"
        self.transcript.empty_hint = _NO_MODEL if model_id is None else _READY.format(model=model_id)
        self._show_line()

    def watch_options(self) -> None:
        """Show what the next request carries."""
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

    def tell(self, text: str, *, is_problem: bool = False) -> None:
        """Put a remark into the conversation; no request carries it."""
        kind = MessageKind.PROBLEM if is_problem else MessageKind.NOTICE
        words = text[:1].upper() + text[1:] if is_problem else text
        self.transcript.add_message("Problem" if is_problem else "Note", words, kind=kind)

    def action_new_conversation(self) -> None:
        """Forget the conversation; not while an answer is being made."""
        if self.is_generating:
            tell(self, "Stop the answer first: Esc", is_warning=True)
            return
        self._messages = ()
        self.transcript.clear()
        self.focus_prompt()

    @on(PromptInput.Sent)
    def _ask(self, message: PromptInput.Sent) -> None:
        message.stop()
        if (refusal := self._refusal()) is not None:
            self.query_one(PromptInput).text = message.text  # nothing written is lost
            self.query_one(PromptInput).move_cursor(self.query_one(PromptInput).document.end)
            tell(self, refusal, is_warning=True)
            return
        self._generate(message.text)

    def _refusal(self) -> str | None:
        if self.is_generating:
            return "An answer is being made: wait, or stop it with Esc"
        if self.active_model is None:
            return "Pick a model first: 1 goes to the catalog"
        state = self._client.engine_state
        if isinstance(state, EngineDead):
            return "The engine is down: Ctrl+R restarts it"
        if isinstance(state, EngineStarting):
            return "The engine is still starting"
        return None

    @work(group="generation")
    async def _generate(self, prompt: str) -> None:
        model_id = self.active_model or ""
        asked = (*self._messages, ChatMessage(role=Role.USER, text=prompt))
        transcript = self.transcript
        transcript.add_message("You", prompt, kind=MessageKind.USER)
        self._key = key = transcript.begin_answer(model_id)
        self._trace = trace = TraceBuilder()
        self._live_timer.resume()
        transcript.scroll_end(animate=False)
        error: EngineError | None = None
        try:
            await self._stream(model_id, asked, trace, key)
            done = trace.finish()
        except EngineError as caught:
            error, done = caught, trace.failed(caught)
        except asyncio.CancelledError:
            self._end(key, trace.cancelled(), asked, None)
            raise
        self._end(key, done, asked, error)

    async def _stream(
        self, model_id: str, asked: tuple[ChatMessage, ...], trace: TraceBuilder, key: int
    ) -> None:
        model = await self._loaded(self._client.find(model_id), key)
        request = self._client.prepare(model, asked, self.options)
        transcript = self.transcript
        async with self._client.chat(request) as events:
            async for event in events:
                trace.observe(event)
                if isinstance(event, ChunkReceived):
                    if event.kind is ChunkKind.REASONING:
                        transcript.append_reasoning(key, event.text)
                    else:
                        transcript.append(key, event.text)

    async def _loaded(self, model: ModelVariant, key: int) -> ModelVariant:
        info = self._client.engine_info
        if model.is_loaded or info is None or not info.can(Capability.LOAD):
            return model
        self.transcript.set_footer(key, f"loading {model.id} …")
        report = await self._client.load(model.id)
        self.transcript.set_footer(key, load_words(report))
        return self._client.find(model.id)

    def _end(
        self,
        key: int,
        trace: GenerationTrace,
        asked: tuple[ChatMessage, ...],
        error: EngineError | None,
    ) -> None:
        """However it ended: what arrived stays, its numbers below it."""
        self._trace = None
        self._is_stopping = False
        if not self.is_attached:
            return  # the app has been left meanwhile
        self._live_timer.pause()
        transcript = self.transcript
        transcript.finish_answer(key)
        transcript.set_footer(key, describe(trace), problem=error is not None)
        if trace.text:
            # A partial answer stays part of the conversation, as the reader sees it.
            self._messages = (*asked, ChatMessage(role=Role.ASSISTANT, text=trace.text))
        if isinstance(error, EngineDied) and isinstance(self._client.engine_state, EngineDead):
            self._show_death(self._client.engine_state)
        elif error is not None:
            self.tell(error_words(error), is_problem=True)
        self._show_line()

    def _show_death(self, state: EngineDead) -> None:
        if state is self._told_death:
            return  # the engine's watcher and an answer's end both learn of it
        self._told_death = state
        lines = [f"{state.reason}."]
        death = state.death
        if death is not None and death.last_log:
            lines.append(f"Last log line: {death.last_log[-1]}")
        if death is not None and death.was_loaded:
            lines.append(f"It had loaded: {', '.join(death.was_loaded)}.")
        lines.append("Ctrl+R restarts it and loads again what was loaded." if death else f"→ {state.remedy}")
        self.tell("\n".join(lines), is_problem=True)

    def _show_live(self) -> None:
        trace = self._trace
        if trace is not None and trace.moment_ns(Moment.CALL) is not None:
            self.transcript.set_footer(self._key, describe_live(trace.chunks, trace.moment_ns(Moment.SENT)))

    def _show_line(self) -> None:
        options = self.options
        temperature = "engine's own" if options.temperature is None else f"{options.temperature:g}"
        parts = [
            clean_line(self.active_model or "no model"),
            f"temperature {temperature}",
            f"max {options.max_tokens} tokens",
        ]
        if options.seed is not None:
            parts.append(f"seed {options.seed}")
        if options.system_prompt:
            parts.append("system prompt set")
        self.query_one("#chat-line", Static).update(" · ".join(parts))
