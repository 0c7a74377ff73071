"""One question to several models: what is shown, what is kept, and that nobody is named before the end."""

import asyncio

import pytest

from tests.tui.beside import MODELS, Beside, beside
from tests.tui.harness import NARROW, WIDE

NAMES = tuple(model.removesuffix("-cpu:1")[:5] for model in MODELS)


def text_of(user: Beside) -> str:
    return "\n".join(user.driven.lines())


def named(user: Beside) -> list[str]:
    """The models that are named on the screen; a name may be cut at its end."""
    screen = text_of(user).casefold()
    return [name for name in NAMES if name in screen]


async def test_two_models_answer_and_their_run_is_kept_as_any_other() -> None:
    async with beside() as user:
        await user.asked("What is a bridge?")

        run = await user.runs.run(user.run.id)

        assert run is not None
        assert sorted(run.plan.models) == sorted(MODELS[:2])
        assert [prompt.text for prompt in run.plan.prompts] == ["What is a bridge?"]
        assert run.name == "side by side: What is a bridge?"
        requests = await user.runs.requests(run.id)
        assert sorted(one.model for one in requests) == sorted(MODELS[:2])
        assert len(user.engine.seen) == 2  # no probe, no warm-up
