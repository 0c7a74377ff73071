"""What every store of benchmarks keeps of predictions."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.bench import ModelRun
from foundry_tui.domain.loads import MemoryPlace
from foundry_tui.domain.predictions import (
    MemoryPrediction,
    ModelPrediction,
    NoSpeed,
    SpeedBasis,
    SpeedPrediction,
)
from foundry_tui.ports.storage import RunStore
from foundry_tui.storage import Database, StoredRuns
from tests.support.memory_runs import MemoryRuns
from tests.support.runs import a_run

ODD = "null \x00, a lone \ud83d, \x1b[31m, '; DROP TABLE run; --"
FULL = ModelPrediction(
    model_id=f"alpha-cpu:1 {ODD}",
    made_unix_ms=1_780_000_000_000,
    speed=SpeedPrediction(
        tokens_per_s=1 / 3,
        low=1 / 7,
        high=2 / 3,
        basis=SpeedBasis.BANDWIDTH,
        models=3,
        runs=4,
        answers=81,
        newest_unix_ms=1,
        provider=ODD,
        is_same_runtime=False,
        is_estimate=True,
        is_fallback=True,
    ),
    speed_error_share=1 / 9,
    checked_speeds=10,
    memory=MemoryPrediction(
        kind=MemoryPlace.GPU,
        load_bytes=2**40,
        loads=3,
        is_assumed=True,
        worst_error_share=0.1,
        checked_loads=4,
    ),
)
NONE = ModelPrediction(model_id=None, made_unix_ms=0, no_speed=NoSpeed.NOT_FOUND)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[RunStore, None]:
    if request.param == "memory":
        yield MemoryRuns()
        return
    database = Database(tmp_path / "runs.db")
    yield StoredRuns(database)
    await database.aclose()


async def test_predictions_are_kept_as_they_were_made(store: RunStore) -> None:
    models = tuple(
        ModelRun(model=name, prediction=one) for name, one in (("alpha", FULL), ("beta", NONE), ("c", None))
    )
    await store.create_run(a_run(models=models))

    kept = await store.run("a1")

    assert kept is not None
    assert [model.prediction for model in kept.models] == [FULL, NONE, None]


async def test_what_becomes_of_a_model_changes_no_prediction(store: RunStore) -> None:
    model = ModelRun(model="alpha", prediction=FULL)
    await store.create_run(a_run(models=(model,)))

    await store.put_model("a1", replace(model, model_id="alpha-cpu:1", load_ns=5))

    kept = await store.run("a1")
    assert kept is not None
    assert kept.models[0] == replace(model, model_id="alpha-cpu:1", load_ns=5)
