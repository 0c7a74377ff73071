"""Brings a model into memory for a command that asks it something."""

from foundry_tui.cli.models import need_here
from foundry_tui.cli.output import say
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.models import ModelVariant
from foundry_tui.reports.models import load_words
from foundry_tui.services.opened import Services

__all__ = ["load_if_needed"]


async def load_if_needed(services: Services, model: ModelVariant) -> None:
    """Load it and say what that cost, unless it is in memory, or its server loads by itself.

    Raises:
        ModelRefused: It is not here, or does not load.
        EngineError: The engine failed.
    """
    info = services.client.engine_info
    if model.is_loaded or info is None or not info.can(Capability.LOAD):
        return
    need_here(model)
    if (question := await services.client.memory.question(model)) is not None:
        say(f"warning: {question.words}")
    say(f"loading {model.id} …")
    report = await services.client.load(model.id)
    say(load_words(report))
