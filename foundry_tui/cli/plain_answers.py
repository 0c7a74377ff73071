"""Questions and their answers, through the same dialogue that the app talks in."""

from dataclasses import replace

from foundry_tui.cli.plain_load_guard import need_load_wanted
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_voice import Busy, Phrases
from foundry_tui.cli.plain_words_chat import answer_line, context_line, overlong_line
from foundry_tui.cli.plain_words_models import load_line
from foundry_tui.domain.chat import ChunkKind, ChunkReceived
from foundry_tui.domain.engine import EngineDead
from foundry_tui.domain.errors import BadInput, EngineError, EngineUnavailable
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.tokens import ContextUse, context_use
from foundry_tui.services.attachments import with_attachments
from foundry_tui.services.dialogue import AnswerEvent, ModelLoaded, ModelLoading

__all__ = ["answer", "ask", "need_somebody", "prepared", "use_of"]

_WAITING, _THINKING, _MORE = "Waiting for the answer", "Thinking", "Waiting for more of the answer"


def prepared(session: Session, written: str) -> str:
    """What would be sent: the draft, what is written, and the attached files below it."""
    parts = [part for part in (session.draft, written) if part.strip()]
    return with_attachments("\n".join(parts), session.files)


def use_of(session: Session, text: str, *, instead_of: str | None = None) -> ContextUse:
    """How much of the model's context a request takes that adds ``text``."""
    conversation = session.dialogue.conversation
    if instead_of is not None and (turn := conversation.turn(instead_of)) is not None:
        conversation = replace(conversation, head_id=turn.parent_id)
    model = None if session.model_id is None else session.client.catalog.value.find(session.model_id)
    return context_use(
        conversation.carried(), text, system_prompt=session.dialogue.options.system_prompt, model=model
    )


async def ask(session: Session, written: str, *, instead_of: str | None = None) -> None:
    """Send a question and write its answer.

    Args:
        session: What it is asked in.
        written: Without draft and attachments; an edited question has none.
        instead_of: The question that this one is to stand beside, on a branch of its own.

    Raises:
        FoundryTuiError: It was not sent; nothing that was written is lost.
    """
    text = written if instead_of is not None else prepared(session, written)
    if not text.strip():
        raise BadInput("there is nothing to send", remedy="type a question")
    need_somebody(session)
    use = use_of(session, text, instead_of=instead_of)
    if use.share is not None and use.share > 1 and text != session.overlong:
        session.overlong = text
        session.has_failed = True
        session.say(overlong_line(use))
        return
    session.overlong = None
    if use.share is not None and use.share >= session.setup.warn_at_context_share:
        session.say(context_line(use, session.dialogue.options.max_tokens))
    if instead_of is not None:
        session.dialogue.step_before(instead_of)
    else:
        session.draft = ""
        session.files.clear()
    _remember(session, written)
    session.dialogue.say(text)
    await answer(session)


async def answer(session: Session) -> None:
    """Have the head answered by the model that is talked to, and write that as it comes.

    Raises:
        FoundryTuiError: Nobody can be asked.
    """
    need_somebody(session)
    model_id = session.model_id or ""
    if (model := session.client.catalog.value.find(model_id)) is not None:
        await need_load_wanted(session, model)
    error: EngineError | None = None
    turn_id: str | None = None
    session.say(f"{clean_line(model_id, 120)} answers:")
    phrases = session.phrases()
    with session.busy(_WAITING) as busy:
        async with session.interrupts.stoppable():
            try:
                async with session.dialogue.answer(model_id) as events:
                    turn_id = session.dialogue.conversation.head_id
                    async for event in events:
                        _take(session, event, phrases, busy)
            except EngineError as caught:
                error = caught
            finally:
                phrases.end()
    turn = None if turn_id is None else session.dialogue.conversation.turn(turn_id)
    if turn is not None:
        session.say(answer_line(turn))
    if error is not None:
        session.fail(error)


def _take(session: Session, event: AnswerEvent, phrases: Phrases, busy: Busy) -> None:
    match event:
        case ModelLoading(model_id):
            session.say(f"Loading {clean_line(model_id, 120)}.")
            busy.now(f"Loading {clean_line(model_id, 120)}")
        case ModelLoaded(report):
            session.say(load_line(report))
            busy.now(_WAITING)
        case ChunkReceived(kind=ChunkKind.REASONING):
            if busy.words != _THINKING:
                session.say("It is thinking; /thoughts reads that afterwards.")
                busy.now(_THINKING)
        case ChunkReceived():
            if phrases.take(event.text):
                busy.now(_MORE)
        case _:
            pass


def need_somebody(session: Session) -> None:
    """Make sure that there is a model to ask, and an engine that may answer.

    Raises:
        FoundryTuiError: There is not.
    """
    if session.model_id is None:
        raise BadInput("no model was chosen yet", remedy="/models lists them, /use NAME chooses one")
    if isinstance(session.client.engine_state, EngineDead):
        raise EngineUnavailable("the engine is down, and nothing was sent", remedy="/restart restarts it")


def _remember(session: Session, written: str) -> None:
    session.last_written = written or session.last_written
    size, history = session.setup.history_size, session.services.history
    if size and written.strip():
        session.services.recorder.submit(lambda: history.remember_input(written, keep=size))
