"""A model of the usual kind on the real runtime: weights in a file of their own, a context of thousands."""

from pathlib import Path

import pytest

from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.models import Registration
from tests.contract.chats import ask, hear
from tests.contract.runtime import hosted, offline_runtime

MODEL = "smollm2-135m-generic-cpu:1"

pytestmark = [pytest.mark.native, pytest.mark.smollm]


async def test_a_bigger_model_loads_and_answers(smollm_folder: Path, tmp_path: Path) -> None:
    async with hosted(offline_runtime(tmp_path), tmp_path) as engine:
        model = await engine.register(Registration(path=str(smollm_folder), model_id=MODEL))
        await engine.load(MODEL)
        heard = await hear(engine, ask("What is the capital of France?", model=MODEL, max_tokens=24))

    assert model.context_tokens is not None
    assert "Paris" in heard.text
    assert heard.finish.outcome in (Outcome.COMPLETED, Outcome.TRUNCATED)
    assert heard.finish.usage is not None
    assert heard.finish.usage.completion_tokens is not None
    assert heard.finish.usage.completion_tokens >= len(heard.chunks) > 1
