"""Memory that the real runtime keeps after an unload, and a restart of the host that takes it back."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundry_tui.demo import DEMO_MODEL_ID, demo_registration
from foundry_tui.domain.models import Registration
from foundry_tui.domain.resources import GpuSamples
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.metrics.holding import Held, Holding
from foundry_tui.metrics.residual import MemoryKind
from foundry_tui.resources.host import PsutilHostProbe
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.reclaim import Reclaim
from foundry_tui.services.sampling import ResourceSampler
from tests.contract.runtime import copy_of_demo, offline_runtime

MIB = 1 << 20
SMOLLM = "smollm2-135m-generic-cpu:1"
OTHER = "other-generic-cpu:1"
SOON_S = 20.0
TOLERANCE_BYTES = 4 * MIB
"""What the host may take or give back between two readings; its threads go on."""

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc"),
]


class NoGpu:
    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(absence="no driver")

    def close(self) -> None:
        """Nothing was opened."""


class Opened:
    """A service over the real runtime whose process is read ten times a second."""

    def __init__(self, folder: Path, registrations: Sequence[Registration]) -> None:
        self.client = ClientService(
            HostedEngine(offline_runtime(folder), log_dir=folder / "host-logs"),
            EngineLease(),
            registrations=tuple(registrations),
            host_probe=PsutilHostProbe,
            wants_public=False,
        )
        self.sampler = ResourceSampler(
            lambda: (PsutilHostProbe(), NoGpu()), pid=lambda: self.client.process_id, period_s=0.1
        )

    def status_rss(self) -> int:
        """As the kernel has it at this moment."""
        lines = Path(f"/proc/{self.client.process_id}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

    async def held(self) -> Held:
        """What is told of resident memory, once it no longer changes."""
        kinds: Sequence[Held] = ()
        seen = 0
        async with asyncio.timeout(SOON_S):
            async for _ in self.sampler.samples.watch():
                newest = self.holding.kinds
                seen = seen + 1 if newest and newest == kinds else 0
                kinds = newest
                if seen == 10:
                    break
        (held,) = kinds
        return held

    @property
    def holding(self) -> Holding:
        return self.client.chronicle.holding


@asynccontextmanager
async def opened(folder: Path, registrations: Sequence[Registration]) -> AsyncGenerator[Opened, None]:
    user = Opened(folder, registrations)
    with user.sampler.heard_by(user.client.chronicle.take):
        async with user.sampler.wanted():
            try:
                await user.client.start()
                yield user
            finally:
                await user.client.aclose()


async def test_readings_before_and_after_the_restart_are_those_of_the_kernel(tmp_path: Path) -> None:
    other = Registration(path=str(copy_of_demo(tmp_path / "other")), model_id=OTHER)
    async with opened(tmp_path, (demo_registration(), other)) as user:
        await user.client.load(DEMO_MODEL_ID)
        await user.client.load(OTHER)
        await user.client.unload(OTHER)
        await user.held()
        old_pid, before = user.client.process_id, user.status_rss()

        done = await Reclaim(user.client, user.sampler).run()

        new_pid, after = user.client.process_id, user.status_rss()

    assert new_pid != old_pid
    assert [report.model_id for report in done.reports] == [DEMO_MODEL_ID]
    assert done.before.rss_bytes == pytest.approx(before, abs=TOLERANCE_BYTES)
    assert done.after.rss_bytes == pytest.approx(after, abs=TOLERANCE_BYTES)


@pytest.mark.smollm
@pytest.mark.parametrize("stays", [(), (DEMO_MODEL_ID,)], ids=["all unloaded", "one stays"])
async def test_what_is_promised_comes_back(stays: Sequence[str], smollm_folder: Path, tmp_path: Path) -> None:
    smollm = Registration(path=str(smollm_folder), model_id=SMOLLM)
    async with opened(tmp_path, (demo_registration(), smollm)) as user:
        for model_id in (*stays, SMOLLM):
            await user.client.load(model_id)
        await user.client.unload(SMOLLM)
        held = await user.held()

        done = await Reclaim(user.client, user.sampler).run()

    assert done.before.rss_bytes is not None
    assert done.after.rss_bytes is not None
    back = done.before.rss_bytes - done.after.rss_bytes
    assert held.kind is MemoryKind.RSS
    assert held.least_bytes > 100 * MIB  # 150 to 180 were measured
    assert held.least_bytes == held.most_bytes == pytest.approx(back, abs=TOLERANCE_BYTES)


@pytest.mark.smollm
async def test_a_model_that_was_loaded_second_gives_a_range_that_holds_what_comes_back(
    smollm_folder: Path, tmp_path: Path
) -> None:
    smollm = Registration(path=str(smollm_folder), model_id=SMOLLM)
    async with opened(tmp_path, (demo_registration(), smollm)) as user:
        await user.client.load(SMOLLM)
        await user.client.load(DEMO_MODEL_ID)
        await user.client.unload(SMOLLM)
        guessed = await user.held()
        done = await Reclaim(user.client, user.sampler).run()
        assert user.holding == Holding()  # a new process, in which nothing was unloaded

        # The reload has shown what the small one takes of a new process.
        await user.client.load(SMOLLM)
        await user.client.unload(SMOLLM)
        learned = await user.held()

    assert done.before.rss_bytes is not None
    assert done.after.rss_bytes is not None
    back = done.before.rss_bytes - done.after.rss_bytes
    assert guessed.least_bytes - TOLERANCE_BYTES <= back <= guessed.most_bytes + TOLERANCE_BYTES
    assert not guessed.is_sure
    assert learned.is_sure
    assert learned.least_bytes == learned.most_bytes
