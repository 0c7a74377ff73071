"""One question to two models side by side on the real runtime, judged and kept."""

from pathlib import Path
from random import Random

import pytest

from foundry_tui.domain.bench import Order
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.models import Registration
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.services.bench.beside import Doing, Question, answer_of, in_columns, plan_of
from foundry_tui.services.scoring.spot import SpotSession
from foundry_tui.storage import Database, StoredRuns, StoredScores
from tests.contract.runtime import copy_of_demo, offline_runtime
from tests.support.scores import RUBRIC
from tests.support.services import services_over

MODELS = ("first-generic-cpu:1", "second-generic-cpu:1")


@pytest.mark.native
@pytest.mark.parametrize("order", list(Order))
async def test_two_models_answer_one_after_the_other_and_one_is_preferred(
    tmp_path: Path, order: Order
) -> None:
    engine = HostedEngine(offline_runtime(tmp_path), log_dir=tmp_path / "host-logs")
    database = Database(tmp_path / "runs.db")
    runs, scores = StoredRuns(database), StoredScores(database)
    try:
        async with services_over(engine, tmp_path / "own", runs=runs, scores=scores) as services:
            await services.client.start()
            for model in MODELS:
                folder = copy_of_demo(tmp_path / model.partition("-")[0])
                await engine.register(Registration(path=str(folder), model_id=model))
            await services.client.refresh(public=False)
            question = Question(text="hello", models=MODELS)
            run_id = await services.bench.begin(
                plan_of(question, ChatOptions(max_tokens=8), order, Random(1))
            )
            state = await services.bench.finished()

            answers = [answer_of(state, model) for model in in_columns(state.run, is_blind=True)]
            requests = await runs.requests(run_id)
            spot = await SpotSession.open(
                scores,
                state.run,
                requests,
                RUBRIC,
                "Ada",
                shown=[one.request.number for one in answers if one.request is not None],
            )
            await spot.prefer("right")

            assert [one.doing for one in answers] == [Doing.DONE, Doing.DONE]
            assert len(requests) == 2
            assert all(one.trace.sent_ns is not None and one.trace.text for one in requests)
            assert len(await scores.preferences(run_id)) == 1
    finally:
        await database.aclose()
