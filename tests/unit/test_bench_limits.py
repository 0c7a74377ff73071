"""A long run by itself: limits of time, disk and heat end it so that it can be resumed, and say why."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from foundry_tui.aio import Feed
from foundry_tui.domain.bench import ModelRun, Phase, Run, RunLimits, RunStatus
from foundry_tui.domain.chat import ChatEvent, ChatRequest
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.bench.ledger import Ledger
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.services.bench.vigil import Vigil
from tests.support.benches import benches, plan
from tests.support.memory_runs import MemoryRuns
from tests.support.supervised import SupervisedScript

GIB = 1 << 30
PROBES = 3
"""One for coherence, two of the calibration."""
CPU = "coretemp Package id 0"


@dataclass
class Around:
    """A made-up machine: what is left on its disk, and how hot it is at each look."""

    free_bytes: int | None = 100 * GIB
    heat_c: list[float] = field(default_factory=list[float])
    looks: int = 0

    def free_disk_bytes(self) -> int | None:
        self.looks += 1
        return self.free_bytes

    def temperatures_c(self) -> tuple[tuple[str, float], ...]:
        now = self.heat_c[min(self.looks, len(self.heat_c) - 1)] if self.heat_c else None
        self.looks += 1
        return () if now is None else (("nvme", 20.0), (CPU, now))


class Counting(SupervisedScript):
    """Does something at the beginning of the request of a number, counted from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.at_request: dict[int, Callable[[], None]] = {}

    def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        self.at_request.get(len(self.seen) + 1, lambda: None)()
        return super().stream_chat(request)


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now_s: float = 1000.0
    slept: list[float] = field(default_factory=list[float])

    def ns(self) -> int:
        return int(self.now_s * 1e9)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


class Heard(Feed[BenchState]):
    """A feed that keeps what others skip."""

    def __init__(self, value: BenchState) -> None:
        super().__init__(value)
        self.told: list[BenchState] = []

    def publish(self, value: BenchState) -> None:
        super().publish(value)
        self.told.append(value)


@dataclass
class Watch:
    """A vigil over a run that has begun."""

    vigil: Vigil
    ledger: Ledger
    feed: Heard
    clock: Clock

    @property
    def state(self) -> BenchState:
        return self.ledger.state

    async def until_paused(self) -> None:
        """Return once it says that it waits."""
        async with asyncio.timeout(5), aclosing(self.feed.watch()) as states:
            async for state in states:
                if state.step is Step.PAUSED:
                    return


def a_watch(limits: RunLimits, around: Around | None = None) -> Watch:
    clock = Clock()
    run = Run(
        id="r",
        name="",
        plan=plan(models=("alpha",), limits=limits),
        status=RunStatus.RUNNING,
        started_unix_ms=0,
        models=(ModelRun(model="alpha"),),
    )
    feed = Heard(BenchState(run=run))
    ledger = Ledger(MemoryRuns(), feed)
    return Watch(Vigil(ledger, around, clock_ns=clock.ns, sleep=clock.sleep), ledger, feed, clock)


async def test_no_request_is_begun_after_the_limit_of_time() -> None:
    watch = a_watch(RunLimits(max_s=8 * 3600))
    watch.clock.now_s += 8 * 3600 - 1
    await watch.vigil.passes()
    before = watch.state.stops
    watch.clock.now_s += 1
    await watch.vigil.passes()

    assert (before, watch.state.stops) == (False, True)
    assert watch.vigil.reason == "the limit of time is reached: 8 h"


@pytest.mark.parametrize(("free_bytes", "stops"), [(2 * GIB, False), (2 * GIB - 1, True)])
async def test_the_run_ends_before_the_disk_is_full(free_bytes: int, stops: bool) -> None:
    watch = a_watch(RunLimits(min_free_disk_bytes=2 * GIB), Around(free_bytes=free_bytes))

    await watch.vigil.passes()

    assert watch.state.stops is stops
    assert (watch.vigil.reason or "").startswith("the disk has 2.00 GiB left, less") is stops


async def test_the_disk_is_looked_at_again_only_after_some_time() -> None:
    around = Around()
    watch = a_watch(RunLimits(min_free_disk_bytes=GIB), around)
    for _ in range(100):
        await watch.vigil.passes()
    at_once = around.looks
    watch.clock.now_s += 10
    around.free_bytes = 0
    await watch.vigil.passes()

    assert (at_once, around.looks, watch.state.stops) == (1, 2, True)


async def test_a_hot_machine_is_waited_for_until_it_has_cooled_by_some_degrees() -> None:
    watch = a_watch(RunLimits(max_temperature_c=85), Around(heat_c=[91, 88, 84, 81, 80, 79]))

    await watch.vigil.passes()

    told = watch.feed.told
    assert watch.clock.slept == [5.0] * 4
    assert [state.hold for state in told if state.hold] == [
        f"{CPU} has {heat} °C: waits for 80 °C" for heat in (91, 88, 84, 81)
    ]
    assert {state.step for state in told if state.hold} == {Step.PAUSED}
    assert (watch.state.hold, watch.state.stops, watch.state.paused_s) == (None, False, 20.0)


async def test_a_machine_that_stays_hot_ends_the_run() -> None:
    watch = a_watch(RunLimits(max_temperature_c=85), Around(heat_c=[95]))

    await watch.vigil.passes()

    assert watch.vigil.reason == (f"{CPU} still has 95 °C after 15 min without a request; the limit is 85 °C")
    assert (watch.state.stops, watch.state.hold, watch.state.paused_s) == (True, None, 900.0)


async def test_a_stop_ends_the_wait_for_a_hot_machine() -> None:
    watch = a_watch(RunLimits(max_temperature_c=85), Around(heat_c=[95]))
    cooling = asyncio.Event()

    async def never(seconds: float) -> None:
        cooling.set()
        await asyncio.Event().wait()

    watch.vigil = Vigil(watch.ledger, Around(heat_c=[95]), clock_ns=watch.clock.ns, sleep=never)
    waiting = asyncio.ensure_future(watch.vigil.passes())
    async with asyncio.timeout(5):
        await cooling.wait()
        watch.vigil.stop("stopped by the user")
        await waiting

    assert (watch.vigil.reason, watch.state.hold) == ("stopped by the user", None)


async def test_a_pause_is_counted_and_says_that_it_asks_again_when_it_is_taken_back() -> None:
    watch = a_watch(RunLimits())
    watch.vigil.pause()
    waiting = asyncio.ensure_future(watch.vigil.passes())
    await watch.until_paused()

    watch.clock.now_s += 30
    watch.vigil.go_on()
    told = watch.state.step, watch.state.pauses
    await waiting

    assert told == (Step.ASKING, False)
    assert watch.state.paused_s == 30.0


async def test_a_pause_that_is_taken_back_while_the_machine_cools_does_not_end_that_wait() -> None:
    watch = a_watch(RunLimits(max_temperature_c=85))
    is_cool = asyncio.Event()

    async def until_cool(seconds: float) -> None:
        await is_cool.wait()

    watch.vigil = Vigil(watch.ledger, Around(heat_c=[91, 79]), clock_ns=watch.clock.ns, sleep=until_cool)
    waiting = asyncio.ensure_future(watch.vigil.passes())
    await watch.until_paused()
    watch.vigil.pause()
    watch.vigil.go_on()
    told = watch.state.step, watch.state.hold
    is_cool.set()
    await waiting

    assert told == (Step.PAUSED, f"{CPU} has 91 °C: waits for 80 °C")


@pytest.mark.parametrize("around", [None, Around(free_bytes=None)])
async def test_what_cannot_be_read_here_is_a_note_and_no_error(around: Around | None) -> None:
    watch = a_watch(RunLimits(min_free_disk_bytes=GIB, max_temperature_c=85), around)

    for _ in range(2):
        await watch.vigil.passes()
        watch.clock.now_s += 60

    assert watch.state.notes == (
        "how much is left on the disk cannot be read here: the limit of it does not hold",
        "no temperature can be read here: the limit of it does not hold",
    )
    assert not watch.state.stops


async def test_the_users_pauses_are_counted() -> None:
    watch = a_watch(RunLimits())
    watch.vigil.pause()
    waiting = asyncio.ensure_future(watch.vigil.passes())
    await watch.ledger.until(lambda state: state.step is Step.PAUSED)
    watch.clock.now_s += 30
    watch.vigil.go_on()
    await waiting

    assert watch.state.paused_s == 30


async def test_a_run_that_a_limit_ended_says_why_and_is_resumed() -> None:
    around = Around()
    async with benches(surroundings=around) as bench:
        run_id = await bench.service.begin(
            plan(models=(SCRIPTED_MODEL_ID,), limits=RunLimits(min_free_disk_bytes=200 * GIB))
        )
        await bench.service.finished()
        ended = await bench.runs.run(run_id)
        around.free_bytes = 300 * GIB
        await bench.service.resume(run_id)
        running = bench.state.run
        state = await bench.service.finished()
        whole = await bench.runs.run(run_id)

        assert ended is not None
        assert (ended.status, ended.reason) == (
            RunStatus.INTERRUPTED,
            "the disk has 100 GiB left, less than the limit of 200 GiB",
        )
        assert not bench.engine.seen[0].model.startswith("other")
        assert (running.status, running.reason) == (RunStatus.RUNNING, None)
        assert whole is not None
        assert (whole.status, whole.reason) == (RunStatus.COMPLETED, None)
        assert sum(one.phase is Phase.TIMED for one in state.requests) == 4


async def test_a_run_that_the_user_stopped_says_so() -> None:
    async with benches() as bench:
        gate = bench.engine.gate = asyncio.Event()
        run_id = await bench.service.begin(plan())
        await bench.until(lambda state: bool(state.under_way))
        bench.service.stop_after_request()
        gate.set()
        await bench.service.finished()
        run = await bench.runs.run(run_id)

        assert run is not None
        assert run.reason == "stopped by the user"


async def test_a_stop_after_the_very_last_request_leaves_nothing_to_resume() -> None:
    engine = Counting()
    async with benches(engine=engine) as bench:
        engine.at_request[PROBES + 2] = bench.service.stop_after_request
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), warmup=0, rounds=1))
        state = await bench.service.finished()

        assert len(state.requests) == PROBES + 2
        assert (state.run.status, state.run.reason) == (RunStatus.COMPLETED, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_s": 0.0},
        {"max_s": float("inf")},
        {"min_free_disk_bytes": -1},
        {"max_temperature_c": 5.0},
        {"max_temperature_c": 500.0},
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="limit"):
        RunLimits(**wrong)  # type: ignore[arg-type]  # wrong on purpose
