"""Memory around each model of a benchmark: before its load, loaded, and after its unload."""

from dataclasses import dataclass, field

from foundry_tui.domain.bench import Order
from foundry_tui.domain.models import LoadReport
from foundry_tui.domain.resources import GpuSample, GpuSamples, HostSample, ProcessSample
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.sampling import ResourceSampler
from tests.support.benches import OTHER_MODEL_ID, benches, plan
from tests.support.catalogs import offered
from tests.support.supervised import SupervisedScript

MIB = 1 << 20
PID = 7


@dataclass
class Memory:
    """A process that takes 1000 MiB for a model, and gives all of it back but for 200; likewise its GPU."""

    rss_mib: int = 100
    asked: list[int] = field(default_factory=list[int])

    def sample(self, pid: int | None) -> HostSample:
        rss_bytes = self.rss_mib * MIB
        return HostSample(
            cpu_share=0.5,
            ram_total_bytes=8 << 30,
            ram_used_bytes=1 << 30,
            process_rss_bytes=rss_bytes,
            process=ProcessSample(pid=PID, rss_bytes=rss_bytes),
        )

    def unique_bytes(self, pid: int) -> int:
        self.asked.append(pid)
        return self.rss_mib * MIB - 30 * MIB


@dataclass
class Gpu:
    memory: Memory

    def sample(self, pid: int | None) -> GpuSamples:
        used = self.memory.rss_mib * 2 * MIB
        return GpuSamples(
            gpus=(GpuSample(name="g", total_bytes=99 << 30, used_bytes=used, process_bytes=used),)
        )

    def close(self) -> None:
        """Nothing was opened."""


class Keeping(SupervisedScript):
    """Its memory is that of the machine."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(models=[offered("other")])
        self.memory = memory

    async def load(self, model_id: str) -> LoadReport:
        self.memory.rss_mib += 1000
        return await super().load(model_id)

    async def unload(self, model_id: str) -> None:
        await super().unload(model_id)
        self.memory.rss_mib -= 800


async def test_memory_of_the_process_alone_and_of_its_gpu_is_read_around_load_and_unload() -> None:
    memory = Memory()
    sampler = ResourceSampler(lambda: (memory, Gpu(memory)), pid=lambda: PID, period_s=0.005)
    peaks = Peaks(sampler, unique_bytes=memory.unique_bytes)
    async with benches(engine=Keeping(memory), peaks=peaks) as bench:
        await bench.service.begin(plan(models=(OTHER_MODEL_ID,), order=Order.BLOCKED, warmup=0, rounds=1))
        await bench.service.finished()

        (model,) = bench.state.run.models
        assert (model.uss_before_bytes, model.uss_loaded_bytes, model.uss_after_bytes) == (
            70 * MIB,
            1070 * MIB,
            270 * MIB,
        )
        assert (model.vram_before_bytes, model.vram_loaded_bytes, model.vram_after_bytes) == (
            200 * MIB,
            2200 * MIB,
            600 * MIB,
        )
        assert model.rss_after_bytes == 300 * MIB
        assert set(memory.asked) == {PID}


async def test_where_nobody_reads_it_there_is_none() -> None:
    async with benches() as bench:
        await bench.service.begin(plan(models=(OTHER_MODEL_ID,), order=Order.BLOCKED, warmup=0, rounds=1))
        await bench.service.finished()

        (model,) = bench.state.run.models
        assert (model.uss_before_bytes, model.vram_loaded_bytes, model.vram_after_bytes) == (None,) * 3
