"""Services as a front end is handed them, over an engine whose life the test decides; kept in memory."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from foundry_tui.aio import Tasks
from foundry_tui.config.locate import config_folders
from foundry_tui.config.settings_file import TomlSettingsFile
from foundry_tui.domain.bench import PlannedPrompt
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.engine import EngineInfo
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.domain.resources import GpuSamples, HostSample
from foundry_tui.ports.engines import SupervisedEngine
from foundry_tui.ports.storage import RunStore, ScoreStore
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.client import ClientService
from foundry_tui.services.dialogue import Dialogue
from foundry_tui.services.discovery import Discovery, FoundServer
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.engine.memory import MemorySources
from foundry_tui.services.keep_warm import KeepWarm
from foundry_tui.services.logbook import LogBook
from foundry_tui.services.opened import Services
from foundry_tui.services.recorder import Recorder
from foundry_tui.services.remembering import LayoutMemory
from foundry_tui.services.sampling import ResourceSampler
from foundry_tui.services.settings import SettingsService
from foundry_tui.services.setup import Setup
from foundry_tui.storage import Database, StoredJudgements
from tests.support.care import care_over
from tests.support.downloads import ScriptedDownloads
from tests.support.memory_downloads import MemoryLicenses
from tests.support.memory_runs import MemoryRuns
from tests.support.memory_scores import MemoryScores
from tests.support.memory_store import MemoryStore
from tests.support.scores import RUBRIC

__all__ = ["PROMPTS", "SETUP", "SUMMARIES", "services_over"]

PROMPTS = (
    PlannedPrompt(id="rag", text="Explain retrieval augmented generation briefly."),
    PlannedPrompt(id="json", text="Ada Lovelace was born in London.", system="Answer in JSON."),
)
"""What can be asked in a benchmark."""
SUMMARIES = (PlannedPrompt(id="opening", text="Summarize: the library opens at nine."),)
"""The one ready set besides."""

SETUP = Setup(
    chat=ChatOptions(),
    theme="foundry-dark",
    where="scripted",
    is_offline=True,
    start_with=None,
    settings_path=Path("settings.toml"),
    data_dir=Path("data"),
    logs_dir=Path("logs"),
    animations=False,
)
"""What a user gets who has set nothing; nothing moves, so that nothing has to be waited for."""


class _SteadyHost:
    """A machine on which nothing happens."""

    def sample(self, pid: int | None) -> HostSample:
        return HostSample(cpu_share=0.25, ram_total_bytes=8 * 1024**3, ram_used_bytes=2 * 1024**3)


class _NoGpu:
    def sample(self, pid: int | None) -> GpuSamples:
        return GpuSamples(absence="no driver")

    def close(self) -> None:
        """Nothing was opened."""


def _licenses(setup: Setup) -> Licenses:
    return Licenses(MemoryLicenses(), policy=lambda: setup.licenses)


async def _nothing_known(info: EngineInfo) -> tuple[tuple[str, str], ...]:
    return (("engine", info.kind.value),)


async def _nobody(on_found: Callable[[FoundServer], None]) -> None:
    """No server runs on this machine."""


async def _nowhere(address: str | None, key_name: str | None) -> EngineInfo:
    raise EngineUnavailable(f"{address} does not answer", remedy="start it")


@asynccontextmanager
async def services_over(
    engine: SupervisedEngine,
    folder: Path,
    *,
    setup: Setup = SETUP,
    store: MemoryStore | None = None,
    lease: EngineLease | None = None,
    downloads: ScriptedDownloads | None = None,
    runs: RunStore | None = None,
    scores: ScoreStore | None = None,
    memory: MemorySources | None = None,
) -> AsyncGenerator[Services, None]:
    """Open everything for the length of the block; files go below ``folder``, which need not be there.

    Args:
        downloads: What fetches models; without it there is no cache to look after, as on an endpoint.
        memory: Where it is read what loads need and what is free; without it nothing is asked.
        scores: Where scores are kept; by default in memory, for any run.
    """
    store = store or MemoryStore()
    (folder / "config").mkdir(parents=True, exist_ok=True)
    setup = replace(setup, data_dir=folder, logs_dir=folder / "logs")
    lease = lease or EngineLease()
    client = ClientService(engine, lease, wants_public=False, memory=memory)
    care = None if downloads is None else care_over(client, folder, downloads, policy=setup.licenses)
    recorder, background = Recorder(), Tasks()
    judged = Database(folder / "judged.db")
    sampler = ResourceSampler(lambda: (_SteadyHost(), _NoGpu()), pid=lambda: client.process_id)
    log = LogBook(setup.logs_dir)
    bench = Benchmarks(
        client,
        runs or MemoryRuns(),
        Peaks(ResourceSampler(lambda: (_SteadyHost(), _NoGpu()), pid=lambda: None)),
        environment=_nothing_known,
        new_id=lambda: uuid4().hex,
        unix_ms=lambda: time.time_ns() // 1_000_000,
    )
    try:
        with log.attached(), sampler.heard_by(client.chronicle.take):
            yield Services(
                client=client,
                dialogue=Dialogue(client, store, recorder if setup.keeps_conversations else None, setup.chat),
                recorder=recorder,
                conversations=store,
                prompts=store,
                history=store,
                settings=SettingsService(TomlSettingsFile(config_folders(folder / "config"))),
                layout=LayoutMemory(folder / "screen.json"),
                log=log,
                sampler=sampler,
                background=background,
                bench=bench,
                bench_prompts=lambda name: PROMPTS if not name else SUMMARIES,
                bench_sets=lambda: ("summarize",),
                bench_targets=lambda: (),
                scores=scores or MemoryScores(),
                judgements=StoredJudgements(judged),
                rubric=lambda: RUBRIC,
                care=care,
                licenses=_licenses(setup) if care is None else care.licenses,
                discovery=Discovery(_nobody, own_url=lambda: None),
                keep_warm=KeepWarm(client, lease),
                connect=_nowhere,
                targets=lambda: (),
                setup=setup,
                reread=lambda: setup,
            )
    finally:
        await bench.aclose()
        if care is not None:
            await care.downloads.aclose()
            await care.used.aclose()
        await background.aclose()
        await client.aclose()
        await recorder.aclose()
        await judged.aclose()
