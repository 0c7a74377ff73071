from dataclasses import replace

import pytest

from foundry_tui.domain.bench import BenchPlan, ModelRun, Phase, PrecisionRule, RequestRun, Run
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.metrics.estimate import Earlier, answer_s, estimate
from foundry_tui.services.bench.estimate import estimated_s
from tests.support.benches import plan
from tests.support.memory_runs import MemoryRuns
from tests.support.runs import a_run
from tests.support.timed import request, trace


def answered(number: int = 1, *, tokens: int | None = 10, cut: bool = False, model: str = "a") -> RequestRun:
    """Ten tokens in ten chunks: 100 ms to the first, 10 ms for each further one."""
    outcome = Outcome.TRUNCATED if cut else Outcome.COMPLETED
    return request(number, trace(completion=tokens, outcome=outcome), model=model)


def earlier(*requests: RequestRun, concurrency: int = 1, load_s: float | None = None) -> Earlier:
    return Earlier(run_id="r1", concurrency=concurrency, load_s=load_s, requests=requests)


def only(**changes: object) -> BenchPlan:
    """One model, two prompts, two rounds, no warm-up, ten tokens."""
    return plan(models=("a",), **{"max_tokens": 10, "warmup": 0, **changes})


@pytest.mark.parametrize(
    ("cut", "max_tokens", "seconds"),
    [
        (False, 10, 0.19),  # as it was
        (False, 100, 0.19),  # it ended by itself, and would again
        (False, 5, 0.14),  # 100 ms and four times 10
        (True, 100, 1.09),  # it was cut off, and would fill the new limit: 100 ms and 99 times 10
        (True, 5, 0.14),
        (True, 1, 0.1),
    ],
)
def test_an_answer_takes_as_long_as_its_tokens(cut: bool, max_tokens: int, seconds: float) -> None:
    assert answer_s(answered(cut=cut), max_tokens) == pytest.approx(seconds)


def test_an_answer_of_one_token_takes_what_it_took() -> None:
    one = request(1, trace((), completion=1))

    assert answer_s(one, 500) == pytest.approx(0.1)


def test_without_text_nothing_can_be_judged() -> None:
    assert answer_s(request(1, trace(has_text=False)), 10) is None


def test_the_time_is_that_of_the_probes_the_warm_up_and_the_timed_requests() -> None:
    known = {"a": earlier(answered(), answered(2), load_s=2.0)}

    found = estimate(only(warmup=3), known)

    # Loaded in 2 s; 10 tokens of 48 in 0.19 s for the probe, 4 in 0.13 s twice; then 3 + 4 times 0.19 s.
    assert found is not None
    assert found.seconds == pytest.approx(2 + 0.19 + 2 * 0.13 + 3 * 0.19 + 4 * 0.19)
    assert (found.requests, found.run_ids, found.unknown, found.is_least) == (2, ("r1",), (), False)


def test_requests_at_once_overlap_only_as_they_were_seen_to() -> None:
    seen_alone = estimate(only(concurrency=4), {"a": earlier(answered())})
    seen_together = estimate(only(concurrency=4), {"a": earlier(answered(), concurrency=4)})

    assert seen_alone is not None
    assert seen_together is not None
    assert seen_alone.seconds - seen_together.seconds == pytest.approx(4 * 0.19 * 3 / 4)


def test_a_certificate_and_a_cold_start_take_their_time() -> None:
    known = {"a": earlier(answered(cut=True))}
    plain, more = estimate(only(), known), estimate(only(is_deterministic=True, has_cold_start=True), known)

    # Seven times 64 tokens, once 8, at 100 ms and 10 ms for each further one.
    assert plain is not None
    assert more is not None
    assert more.seconds - plain.seconds == pytest.approx(7 * 0.73 + 0.17)


def test_what_was_never_measured_is_named_and_of_nothing_there_is_no_estimate() -> None:
    two = plan(models=("a", "b"), precision=PrecisionRule())

    found = estimate(two, {"a": earlier(answered())})

    assert found is not None
    assert (found.unknown, found.is_least) == (("b",), True)
    assert estimate(two, {}) is None


# --- from the runs that are kept


def variant(name: str) -> ModelVariant:
    return ModelVariant(id=f"{name}-generic-cpu:1", alias=name, catalog=CatalogKind.LOCAL)


async def kept(runs: MemoryRuns, run_id: str, at: int, *requests: RequestRun, load_s: float = 0.0) -> None:
    model_ids = dict.fromkeys(one.model_id for one in requests)
    models = tuple(
        ModelRun(model=model_id, model_id=model_id, load_ns=int(load_s * 1e9)) for model_id in model_ids
    )
    made: Run = replace(a_run(run_id, started_unix_ms=at), models=models)
    await runs.import_run(made, requests)


async def test_each_model_is_judged_by_the_newest_run_in_which_that_variant_answered() -> None:
    runs = MemoryRuns()
    await kept(runs, "old", 1, answered(1), answered(2, model="b"))
    await kept(runs, "new", 2, answered(1, cut=True), answered(2, cut=True), load_s=3.0)
    failed = request(1, trace(outcome=Outcome.TIMEOUT), model="a")
    await kept(runs, "newest", 3, failed, request(2, trace(), model="a", phase=Phase.WARMUP))

    found = await estimated_s(runs, plan(models=("a", "b", "c")), [variant("a"), variant("b"), None])

    assert found is not None
    assert (found.run_ids, found.requests, found.unknown) == (("new", "old"), 3, ("c",))


async def test_another_variant_of_the_alias_says_nothing() -> None:
    runs = MemoryRuns()
    await kept(runs, "r", 1, answered(1))
    other = replace(variant("a"), id="a-cuda-gpu:1")

    assert await estimated_s(runs, only(), [other]) is None
    assert await estimated_s(runs, only(), [None]) is None
    assert await estimated_s(MemoryRuns(), only(), [variant("a")]) is None


async def test_a_run_that_was_imported_from_another_machine_says_nothing() -> None:
    runs = MemoryRuns()
    await kept(runs, "mine", 1, answered(1))
    runs.kept["mine"] = replace(runs.kept["mine"], environment=(("cpu", "slow"), ("os", "older")))
    await kept(runs, "theirs", 2, answered(1))
    runs.kept["theirs"] = replace(runs.kept["theirs"], environment=(("cpu", "fast"),))

    found = await estimated_s(
        runs, only(), [variant("a")], here=(("engine", "managed"), ("cpu", "slow"), ("os", "newer"))
    )

    assert found is not None
    assert found.run_ids == ("mine",)
