"""That memory ran out, in loading or in answering, said with the need, what is free, and what to do."""

from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.engine import HostDeath
from foundry_tui.domain.errors import (
    EngineDied,
    EngineError,
    GenerationFailed,
    KilledForMemory,
    ModelRefused,
    OutOfMemory,
)
from foundry_tui.domain.memory_words import tells_of_no_memory
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.fit import Fit
from foundry_tui.services.engine.load_question import need_words, short_name

__all__ = ["explained_answer", "explained_load", "is_for_memory"]

_REASON_CHARACTERS = 300


def is_for_memory(error: EngineError) -> bool:
    """Whether memory ran out, as far as the error itself tells."""
    match error:
        case KilledForMemory() | OutOfMemory():
            return True
        case GenerationFailed():
            return error.outcome is Outcome.OUT_OF_MEMORY
        case ModelRefused():
            return tells_of_no_memory(error.message)
        case _:
            return False


def explained_load(
    error: EngineError, model_id: str, found: Fit, death: HostDeath | None, remedy: str
) -> EngineError:
    """What is raised in the place of ``error``, which kept a model from being loaded.

    Args:
        error: As it came; itself if memory has nothing to do with it.
        model_id: The model.
        found: Weighed just before.
        death: Of the engine, if it is down.
        remedy: What may help.
    """
    reason, name, needs = (
        clean_line(error.message, _REASON_CHARACTERS),
        short_name(model_id),
        found.load_bytes,
    )
    helps = _with_limit(remedy, found, needs)
    if isinstance(error, EngineDied):
        is_told = isinstance(error, KilledForMemory)
        if not is_told and not _is_likely(found, death):
            return error
        how = "" if is_told else "very likely "
        return KilledForMemory(
            f"there was {how}not enough memory for {name}: {need_words(found, needs)} ({reason})",
            remedy=f"restart the engine; {helps}",
        )
    if isinstance(error, OutOfMemory) or not is_for_memory(error):
        return error
    return OutOfMemory(
        f"there is not enough memory for {name}: {need_words(found, needs)} ({reason})", remedy=helps
    )


def explained_answer(error: EngineError, model_id: str, found: Fit, remedy: str) -> EngineError:
    """What is raised in the place of ``error``, which ended an answer and is for memory.

    Args:
        error: As it came.
        model_id: The model.
        found: Weighed for that conversation.
        remedy: What may help.
    """
    needs = found.need_bytes
    # The model itself is in memory already, unless it went with the process.
    if needs is not None and found.load_bytes is not None and isinstance(error, GenerationFailed):
        needs -= found.load_bytes
    reason = clean_line(error.message, _REASON_CHARACTERS)
    words = (
        f"there is not enough memory to answer with {short_name(model_id)} in a conversation of"
        f" {found.conversation_tokens:,} tokens: {need_words(found, needs)} ({reason})"
    )
    helps = _with_limit(remedy, found, needs)
    if isinstance(error, GenerationFailed):
        return GenerationFailed(
            words, outcome=error.outcome, end_ns=error.end_ns, response_id=error.response_id, remedy=helps
        )
    return KilledForMemory(words, remedy=f"restart the engine; {helps}")


def _is_likely(found: Fit, death: HostDeath | None) -> bool:
    """Whether a SIGKILL that nobody counts was for memory: there was less than the load needed."""
    is_uncounted = death is not None and death.signal_name == "SIGKILL" and death.memory_kills is None
    has_less = (
        found.load_bytes is not None
        and found.available_bytes is not None
        and found.load_bytes > found.available_bytes
    )
    return is_uncounted and has_less


def _with_limit(remedy: str, found: Fit, needs: int | None) -> str:
    """The machine may have as much, so that something forbids the process to take it."""
    if needs is None or found.available_bytes is None or needs >= found.available_bytes:
        return remedy
    return f"raise what the engine's process may take (ulimit -v, its control group), or {remedy}"
