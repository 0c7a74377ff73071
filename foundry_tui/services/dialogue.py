"""The conversation that is under way: asked, answered, branched, and kept while it happens."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

from foundry_tui.domain.chat import ChatEvent, ChatOptions, ChunkKind, ChunkReceived, Role
from foundry_tui.domain.conversations import Conversation, Turn, new_id, title_from
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.errors import EngineError, ModelRefused
from foundry_tui.domain.models import LoadReport, ModelVariant
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.metrics.tokens import context_use
from foundry_tui.ports.storage import ConversationStore
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.load_question import LoadQuestion
from foundry_tui.services.recorder import Recorder, Write

__all__ = ["AnswerEvent", "Dialogue", "MayLoad", "ModelLoaded", "ModelLoading"]

# Half of what a crash may cost: the write itself takes some milliseconds more.
_DRAFT_S = 0.5


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """The answer waits for its model to come into memory."""

    model_id: str


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """The model has come into memory."""

    report: LoadReport


AnswerEvent: TypeAlias = ModelLoading | ModelLoaded | ChatEvent
MayLoad: TypeAlias = Callable[[LoadQuestion], Awaitable[bool]]
"""Asks the user; False if the model is not to be loaded."""


class Dialogue:
    """Holds one conversation, the one that is talked in; every front end talks through it.

    Args:
        client: Answers.
        store: Where conversations are kept.
        recorder: Writes behind; None keeps nothing.
        options: What a new conversation begins with.
    """

    def __init__(
        self,
        client: ClientService,
        store: ConversationStore,
        recorder: Recorder | None,
        options: ChatOptions,
    ) -> None:
        self._client = client
        self._store = store
        self._recorder = recorder
        self._first_options = options
        self._conversation = _empty(options)
        self._answering: str | None = None
        self._trace: TraceBuilder | None = None

    @property
    def conversation(self) -> Conversation:
        """As it stands."""
        return self._conversation

    @property
    def is_kept(self) -> bool:
        """Whether what is said is written down."""
        return self._recorder is not None

    @property
    def trace(self) -> TraceBuilder | None:
        """Readings of the answer that is being made; None while none is."""
        return self._trace

    @property
    def options(self) -> ChatOptions:
        """What the next request carries."""
        return self._conversation.options

    @options.setter
    def options(self, options: ChatOptions) -> None:
        self._conversation = replace(self._conversation, options=options)
        if self._conversation.turns:
            conversation_id = self._conversation.id
            self._write(lambda: self._store.set_options(conversation_id, options))

    def begin_with(self, options: ChatOptions) -> None:
        """What conversations begin with from now on; the one that lies open too while nothing was said."""
        self._first_options = options
        if not self._conversation.turns and self._answering is None:
            self._conversation = replace(self._conversation, options=options)

    def new(self, options: ChatOptions | None = None) -> None:
        """Begin another conversation with ``options``, or those of the last; kept once anything is said."""
        self._refuse_while_answering()
        self._conversation = _empty(options or self.options)

    def adopt(self, conversation: Conversation) -> None:
        """Go on with a conversation that was kept; its time-outs are those of today."""
        self._refuse_while_answering()
        options = replace(conversation.options, timeouts=self._first_options.timeouts)
        self._conversation = replace(conversation, options=options)

    def rename(self, title: str) -> None:
        """Give the conversation another title."""
        title = title_from(title)
        self._conversation = replace(self._conversation, title=title)
        if self._conversation.turns:
            conversation_id = self._conversation.id
            self._write(lambda: self._store.set_title(conversation_id, title))

    def tag(self, tags: tuple[str, ...]) -> None:
        """Give the conversation these tags in place of those it has."""
        self._conversation = replace(self._conversation, tags=tags)
        if self._conversation.turns:
            conversation_id = self._conversation.id
            self._write(lambda: self._store.set_tags(conversation_id, tags))

    def note(
        self, conversation_id: str, *, title: str | None = None, tags: tuple[str, ...] | None = None
    ) -> None:
        """Learn what was changed in the store, if it is about the conversation that lies open."""
        if conversation_id == self._conversation.id:
            title = self._conversation.title if title is None else title
            tags = self._conversation.tags if tags is None else tags
            self._conversation = replace(self._conversation, title=title, tags=tags)

    def say(self, text: str) -> Turn:
        """Add what the user says after the head."""
        self._refuse_while_answering()
        if not self._conversation.turns:
            self._conversation = replace(
                self._conversation, title=self._conversation.title or title_from(text)
            )
            created = self._conversation
            self._write(lambda: self._store.create(created))
        return self._add(self._turn(Role.USER, text=text))

    def step_before(self, turn_id: str) -> None:
        """Put the head before that turn, so that what is said next stands beside it.

        For a prompt that is edited, and for an answer that is asked for again.
        """
        self._refuse_while_answering()
        turn = self._conversation.turn(turn_id)
        if turn is not None:
            self._conversation = replace(self._conversation, head_id=turn.parent_id)

    def switch(self, turn_id: str, step: int) -> bool:
        """Go ``step`` branches to the right of that turn, along to the newest end; False at the border."""
        self._refuse_while_answering()
        turn = self._conversation.turn(turn_id)
        if turn is None:
            return False
        siblings = self._conversation.siblings(turn)
        index = siblings.index(turn) + step
        if not 0 <= index < len(siblings):
            return False
        self.go_to(self._conversation.tip_below(siblings[index].id))
        return True

    def go_to(self, turn_id: str | None) -> None:
        """Read the branch that ends with that turn."""
        self._conversation = replace(self._conversation, head_id=turn_id)
        conversation_id = self._conversation.id
        if self._conversation.turns:
            self._write(lambda: self._store.set_head(conversation_id, turn_id))

    @asynccontextmanager
    async def answer(
        self, model_name: str, *, may_load: MayLoad | None = None
    ) -> AsyncGenerator[AsyncIterator[AnswerEvent], None]:
        """Have the head answered; read the events with ``async for`` inside the block.

        However the block ends, what arrived is a turn with its readings.  Leaving it early stops the engine.

        Args:
            model_name: Loaded if it is not.
            may_load: Asked before a load beyond the limit of memory; None loads all the same.

        Raises:
            EngineError: No answer, or none to its end; raised while reading.
        """
        self._refuse_while_answering()
        turn = self._add(self._turn(Role.ASSISTANT, text="", model_id=model_name))
        self._answering = turn.id
        self._trace = trace = TraceBuilder()
        draft = _Draft(self, turn.id)
        try:
            async with aclosing(self._events(model_name, trace, draft, may_load)) as events:
                yield events
            done = trace.finish()
        except EngineError as error:
            self._finish(turn.id, trace.failed(error), draft)
            raise
        except BaseException:
            self._finish(turn.id, trace.cancelled(), draft)
            raise
        else:
            self._finish(turn.id, done, draft)

    async def _events(
        self, model_name: str, trace: TraceBuilder, draft: "_Draft", may_load: MayLoad | None
    ) -> AsyncGenerator[AnswerEvent, None]:
        messages = self._conversation.messages()
        await self._client.start()  # it may still be on its way
        model = self._client.find(model_name)
        if self._must_load(model):
            question = None if may_load is None else await self._client.memory.question(model)
            if may_load is not None and question is not None and not await may_load(question):
                raise ModelRefused(f"{model.id} was not loaded", remedy=question.remedy)
            yield ModelLoading(model.id)
            yield ModelLoaded(await self._client.load(model.id))
            model = self._client.find(model.id)
        use = context_use(
            self._conversation.carried(), "", system_prompt=self.options.system_prompt, model=model
        )
        request = self._client.prepare(model, messages, self.options, prompt_tokens=use.prompt_tokens)
        async with self._client.chat(request) as events:
            async for event in events:
                trace.observe(event)
                if isinstance(event, ChunkReceived):
                    draft.take(event)
                yield event

    def _must_load(self, model: ModelVariant) -> bool:
        info = self._client.engine_info
        return not model.is_loaded and info is not None and info.can(Capability.LOAD)

    def _finish(self, turn_id: str, trace: GenerationTrace, draft: "_Draft") -> None:
        draft.drop()
        self._answering = self._trace = None
        turn = self._conversation.turn(turn_id)
        if turn is None:
            return
        done = replace(turn, text=trace.text, reasoning=trace.reasoning, trace=trace)
        self._conversation = replace(self._conversation.with_turn(done), updated_unix_ms=_now_unix_ms())
        self._write(lambda: self._store.finish_turn(done))

    def keep_draft(self, turn_id: str, text: str, reasoning: str) -> None:
        """Write down what has arrived of an answer since the last time."""
        self._write(lambda: self._store.extend_turn(turn_id, text=text, reasoning=reasoning))

    def _turn(self, role: Role, *, text: str, model_id: str | None = None) -> Turn:
        return Turn(
            id=new_id(),
            parent_id=self._conversation.head_id,
            role=role,
            text=text,
            at_unix_ms=_now_unix_ms(),
            model_id=model_id,
        )

    def _add(self, turn: Turn) -> Turn:
        self._conversation = replace(
            self._conversation.with_turn(turn), head_id=turn.id, updated_unix_ms=turn.at_unix_ms
        )
        conversation_id = self._conversation.id
        self._write(lambda: self._store.add_turn(conversation_id, turn))
        return turn

    def _refuse_while_answering(self) -> None:
        if self._answering is not None:
            raise RuntimeError("an answer is being made")

    def _write(self, write: Write) -> None:
        if self._recorder is not None:
            self._recorder.submit(write)


class _Draft:
    """What has arrived of an answer and is not written down yet; never older than ``_DRAFT_S``."""

    def __init__(self, dialogue: Dialogue, turn_id: str) -> None:
        self._dialogue = dialogue
        self._turn_id = turn_id
        self._pieces: dict[ChunkKind, list[str]] = {ChunkKind.CONTENT: [], ChunkKind.REASONING: []}
        self._timer: asyncio.TimerHandle | None = None

    def take(self, chunk: ChunkReceived) -> None:
        if chunk.kind in self._pieces:
            self._pieces[chunk.kind].append(chunk.text)
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(_DRAFT_S, self._keep)

    def drop(self) -> None:
        """The whole answer is written instead."""
        if self._timer is not None:
            self._timer.cancel()

    def _keep(self) -> None:
        self._timer = None
        text, reasoning = ("".join(pieces) for pieces in self._pieces.values())
        for pieces in self._pieces.values():
            pieces.clear()
        self._dialogue.keep_draft(self._turn_id, text, reasoning)


def _empty(options: ChatOptions) -> Conversation:
    now = _now_unix_ms()
    return Conversation(id=new_id(), title="", created_unix_ms=now, updated_unix_ms=now, options=options)


def _now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
