"""Asks the user before a load that would take more memory than the limit."""

import asyncio

from textual.widget import Widget

from foundry_tui.domain.models import ModelVariant
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.load_question import LoadQuestion

__all__ = ["is_load_wanted", "may_load"]


async def is_load_wanted(owner: Widget, client: ClientService, model: ModelVariant) -> bool:
    """Whether the model is to be loaded; asks only beyond the limit, and once.  From a worker only.

    Raises:
        EngineError: Room was to be made, and could not be.
    """
    question = await client.memory.question(model)
    return question is None or await may_load(owner, client, question)


async def may_load(owner: Widget, client: ClientService, question: LoadQuestion) -> bool:
    """Ask ``question``, and unload what is to make room.  From a worker only.

    Raises:
        EngineError: Something could not be unloaded.
    """
    # Late: few sessions come so far.
    from foundry_tui.tui.screens.load_question import LoadAnswer, LoadQuestionScreen

    screen, told = LoadQuestionScreen(question), asyncio.get_running_loop().create_future()
    owner.app.push_screen(screen, lambda answer: None if told.done() else told.set_result(answer))
    try:
        answer: LoadAnswer | None = await told
    finally:
        screen.dismiss(None)  # nothing if it was answered: it is closed then
    if answer is None:
        return False
    client.memory.allow(question.model.id)
    if answer is LoadAnswer.MAKE_ROOM:
        for other in question.to_unload:
            await client.unload(other.model_id)
    return True
