"""A model of the usual kind on the real runtime: weights in a file of their own, a context of thousands."""

from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from foundry_tui.domain.chat import ChunkReceived, Outcome
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


async def test_leaving_an_answer_stops_the_decoding(smollm_folder: Path, tmp_path: Path) -> None:
    async with hosted(offline_runtime(tmp_path), tmp_path) as engine:
        await engine.register(Registration(path=str(smollm_folder), model_id=MODEL))
        await engine.load(MODEL)
        pid = (await engine.start()).pid
        request = ask("Write a very long story about ten ships.", model=MODEL, max_tokens=3000)
        async with aclosing(engine.stream_chat(request)) as events:
            while not isinstance(await anext(events), ChunkReceived):
                continue

        # Left to itself it would decode for twenty seconds; the processor tells that it does not.
        host = psutil.Process(pid)
        idle = [host.cpu_percent(interval=0.1) for _ in range(10)]

    assert min(idle[:5]) < 50
    assert sum(idle[5:]) / 5 < 20
