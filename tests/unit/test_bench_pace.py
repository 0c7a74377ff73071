"""What a request costs the loop that measures does not grow with the requests before it."""

import asyncio
import sys
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType

import pytest

from foundry_tui.aio import Feed
from foundry_tui.domain.bench import ModelRun, Phase, RequestRun, Run, RunStatus
from foundry_tui.services.bench.kept import Kept
from foundry_tui.services.bench.ledger import Ledger
from foundry_tui.services.bench.state import BenchState
from tests.support.benches import plan
from tests.support.memory_runs import MemoryRuns
from tests.support.runs import a_request

MODELS = ("alpha", "beta")
MANY, FEW = 20_000, 200


class Forgetful(MemoryRuns):
    """Keeps nothing, so that what is counted is not its work."""

    async def add_request(self, run_id: str, request: RequestRun) -> None:
        """Taken for kept."""


def a_ledger() -> Ledger:
    run = Run(
        id="r",
        name="",
        plan=plan(models=MODELS, rounds=MANY),
        status=RunStatus.RUNNING,
        started_unix_ms=0,
        models=tuple(ModelRun(model=model) for model in MODELS),
    )
    return Ledger(Forgetful(), Feed(BenchState(run=run)))


def requests(count: int) -> list[RequestRun]:
    made = [a_request(model=model) for model in MODELS]
    return [
        replace(made[number % 2], number=number, round=number // 4 + 1, prompt_id="ab"[number // 2 % 2])
        for number in range(1, count + 1)
    ]


async def keep(ledger: Ledger, made: Sequence[RequestRun]) -> None:
    for request in made:
        await ledger.keep(request)
        ledger.is_done(request.model)
        ledger.failed(request.model)
        assert ledger.state.done


def steps_of(ledger: Ledger, made: Sequence[RequestRun]) -> int:
    """How many lines of Python are run for it, those of comprehensions at each turn."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> object:
        nonlocal count
        count += event == "line"
        return trace

    loop = asyncio.new_event_loop()
    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]  # its own type cannot be written down
    try:
        loop.run_until_complete(keep(ledger, made))
    finally:
        sys.settrace(before)
        loop.close()
    return count


def test_the_twothousandth_request_takes_as_many_steps_as_the_hundredth() -> None:
    ledger, made = a_ledger(), requests(2_020)
    asyncio.run(keep(ledger, made[:100]))
    early = steps_of(ledger, made[100:120])
    asyncio.run(keep(ledger, made[120:2_000]))
    late = steps_of(ledger, made[2_000:])

    assert late <= early * 1.1


def test_twenty_thousand_requests_cost_about_as_much_each_as_two_hundred() -> None:
    def each_s(count: int) -> float:
        ledger, made = a_ledger(), requests(count)
        began = time.process_time()
        asyncio.run(keep(ledger, made))
        return (time.process_time() - began) / count

    each_s(FEW)  # imports and the like
    few_s = min(each_s(FEW) for _ in range(5))

    assert each_s(MANY) < 5 * few_s


def test_to_keep_one_more_copies_none_of_the_others() -> None:
    ledger, made = a_ledger(), requests(MANY + 5)
    asyncio.run(keep(ledger, made[:MANY]))

    def allocated(request: RequestRun) -> int:
        tracemalloc.start()
        try:
            asyncio.run(keep(ledger, [request]))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    least = min(allocated(request) for request in made[MANY:])

    assert least < MANY * 8 / 2  # a tuple of so many takes 8 bytes for each


def test_what_was_kept_grows_without_being_changed() -> None:
    first, second, third = (a_request(number) for number in (1, 2, 3))
    one = Kept([first])
    two = one.and_then(second)
    other = one.and_then(third)

    assert [tuple(kept) for kept in (one, two, other)] == [(first,), (first, second), (first, third)]
    assert two == Kept([first, second]) != other
    assert (len(two), two[-1], two[:1], two[5:]) == (2, second, (first,), ())
    assert list(reversed(other)) == [third, first]
    assert two.timed == 2
    assert Kept([replace(first, phase=Phase.PROBE)]).timed == 0
    with pytest.raises(IndexError):
        _ = one[1]
