"""Asks before a load that would take more memory than the limit."""

from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_words import sentence, spoken
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.errors import ModelRefused
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line

__all__ = ["need_load_wanted"]


async def need_load_wanted(session: Session, model: ModelVariant) -> None:
    """Ask whether the model is to be loaded; only beyond the limit, and once.

    Raises:
        ModelRefused: The user does not want it.
    """
    info = session.client.engine_info
    if model.is_loaded or info is None or not info.can(Capability.LOAD):
        return
    question = await session.client.memory.question(model)
    if question is None:
        return
    session.say(f"{sentence(spoken(question.words))} {sentence(spoken(question.remedy))}")
    if not await session.confirm("Load it all the same?"):
        raise ModelRefused(f"{clean_line(model.id, 120)} was not loaded", remedy=question.remedy)
    session.client.memory.allow(model.id)
