"""Energy of each request of a benchmark, by a scripted driver."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import (
    ChatEvent,
    ChatRequest,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    TokenUsage,
)
from foundry_tui.domain.resources import GpuSamples, HostSample
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.metrics.energy import energy_ledger
from foundry_tui.resources.nvml import NvmlGpuProbe
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.sampling import ResourceSampler
from tests.support.benches import benches, plan
from tests.support.catalogs import offered
from tests.support.scripted_nvml import ScriptedGpu, ScriptedNvml
from tests.support.supervised import SupervisedScript

IDLE_W, BUSY_W = 20.0, 100.0


class Board(NvmlGpuProbe):
    """A card that draws 20 W, and 100 W while an answer is made; its counter runs with the clock."""

    def __init__(self) -> None:
        self.card = ScriptedGpu(power_mw=20_000, energy_mj=0)
        self.is_busy = False
        self._mj = 0.0
        self._at_s = time.perf_counter()
        super().__init__(ScriptedNvml(gpus=[self.card]), pid_namespace=None)

    def sample(self, pid: int | None) -> GpuSamples:
        now_s = time.perf_counter()
        watts = BUSY_W if self.is_busy else IDLE_W
        self._mj += watts * 1000 * (now_s - self._at_s)
        self._at_s = now_s
        self.card.power_mw, self.card.energy_mj = int(watts * 1000), round(self._mj)
        return super().sample(pid)


class Host:
    def sample(self, pid: int | None) -> HostSample:
        return HostSample(cpu_share=0.5, ram_total_bytes=8, ram_used_bytes=1, process_rss_bytes=3)


class Answering(SupervisedScript):
    """Stamps its answers with the clock of the samples, and takes ten samples' time for each."""

    def __init__(self, board: Board, sampler: ResourceSampler) -> None:
        super().__init__(models=[offered("other")])
        self.board = board
        self.sampler = sampler

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        yield ClockRead(moment=Moment.CALL, at_ns=time.perf_counter_ns())
        self.board.is_busy = True
        yield ClockRead(moment=Moment.SENT, at_ns=time.perf_counter_ns())
        seen = 0
        async with aclosing(self.sampler.samples.watch()) as samples:
            async for _ in samples:
                seen += 1
                if seen == 10:
                    break
        yield ChunkReceived(at_ns=time.perf_counter_ns(), text="moo")
        end_ns = time.perf_counter_ns()
        self.board.is_busy = False
        usage = TokenUsage(prompt_tokens=3, completion_tokens=1)
        yield GenerationFinished(outcome=Outcome.COMPLETED, finish_reason="stop", end_ns=end_ns, usage=usage)


async def test_each_request_has_its_energy_net_of_what_the_idle_machine_drew() -> None:
    board = Board()
    sampler = ResourceSampler(lambda: (Host(), board), pid=lambda: 1, period_s=0.005)
    peaks = Peaks(sampler, idle_s=0.05)
    async with benches(engine=Answering(board, sampler), peaks=peaks) as bench:
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), warmup=0, rounds=1))
        state = await bench.service.finished()

    timed = [one for one in state.requests if one.phase is Phase.TIMED]
    assert len(timed) == 2
    for request in timed:
        assert request.conditions is not None
        (reading,) = request.conditions.energy
        # Loosely: a tick that is late on a busy machine has power of two kinds in it.
        assert reading.idle_w is not None
        assert reading.idle_w == pytest.approx(IDLE_W, rel=0.2)
        assert reading.counter_j is not None
        assert reading.counter_j / reading.window_s == pytest.approx(BUSY_W, rel=0.4)
        assert request.energy_j == pytest.approx(reading.counter_j - reading.idle_w * reading.window_s)


async def test_requests_that_share_the_machine_have_no_energy_of_their_own() -> None:
    board = Board()
    sampler = ResourceSampler(lambda: (Host(), board), pid=lambda: 1, period_s=0.005)
    async with benches(engine=Answering(board, sampler), peaks=Peaks(sampler, idle_s=0.01)) as bench:
        await bench.service.begin(plan(models=(SCRIPTED_MODEL_ID,), warmup=0, rounds=1, concurrency=2))
        state = await bench.service.finished()

    timed = [one for one in state.requests if one.phase is Phase.TIMED]
    for one in timed:
        assert one.energy_j is None
        assert one.conditions is not None
        assert one.conditions.energy == ()
        assert one.conditions.no_energy == "several requests were under way at once"
    (found,) = energy_ledger(timed)
    assert (found.answers, found.is_shared) == (2, True)
    # As long as the two together, and not their sum; loosely, as above.
    assert found.gross_j / found.window_s == pytest.approx(BUSY_W, rel=0.4)
    assert found.window_s < sum(_length_s(one) for one in timed)


def _length_s(request: RequestRun) -> float:
    trace = request.trace
    assert trace.sent_ns is not None
    assert trace.end_ns is not None
    return (trace.end_ns - trace.sent_ns) / 1e9


async def test_a_machine_that_tells_none_is_not_waited_for() -> None:
    async with benches() as bench:
        await bench.service.begin(plan())
        state = await bench.service.finished()

    assert {one.energy_j for one in state.requests} == {None}
    told = {one.conditions.no_energy for one in state.requests if one.conditions is not None}
    assert told == {"GPU: no driver"}
