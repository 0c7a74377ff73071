"""The composition root: from what was decided to services; alone knows which adapter serves a port."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from uuid import uuid4

from foundry_tui.aio import Tasks
from foundry_tui.config.locate import config_folders, find_file, ready_prompts
from foundry_tui.config.models_file import load_models
from foundry_tui.config.prompts_file import load_prompts
from foundry_tui.config.rubric_file import load_rubric
from foundry_tui.domain.bench import PlannedPrompt
from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.domain.scoring import Rubric
from foundry_tui.engines.hosting.configs import EndpointConfig, HostConfig, ManagedConfig
from foundry_tui.engines.model_files.check import FileModelChecker
from foundry_tui.launching import Launch, host_of, resolve
from foundry_tui.services.bench.peaks import Peaks
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.cache.health import HealthService
from foundry_tui.services.client import ClientService
from foundry_tui.services.dialogue import Dialogue
from foundry_tui.services.discovery import Discovery, FoundServer
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.keep_warm import KeepWarm
from foundry_tui.services.logbook import LogBook
from foundry_tui.services.model_care import ModelCare
from foundry_tui.services.opened import Services
from foundry_tui.services.own_error import is_wanted
from foundry_tui.services.recorder import Recorder
from foundry_tui.services.remembering import LayoutMemory
from foundry_tui.services.sampling import ResourceSampler
from foundry_tui.services.settings import SettingsService
from foundry_tui.services.setup import Setup
from foundry_tui.storage import (
    FileLock,
)
from foundry_tui.wiring.archive import open_archive, settings_file
from foundry_tui.wiring.care import Shelf, open_care
from foundry_tui.wiring.engines import backend_of
from foundry_tui.wiring.machine import (
    conditions_probe,
    gpu_probe,
    host_probe,
    read_machine_facts,
    surroundings_of,
    unique_bytes,
)
from foundry_tui.wiring.memory import memory_sources
from foundry_tui.wiring.selftest import known_own_error, make_own_error

__all__ = ["open_services"]

_LOG = logging.getLogger(__name__)
_CHAT = "chat"


@asynccontextmanager
async def open_services(
    launch: Launch, *, only_own_downloads: bool = False, makes_own_error: bool = False
) -> AsyncGenerator[Services, None]:
    """Everything a front end needs, at once: nothing slow runs before somebody asks for it.

    Leaving the block stops the engine and all background work and writes what is left to write, however the
    block ends.

    Args:
        launch: What was decided.
        only_own_downloads: Whether of the queue only what is added here is fetched, as for a command.
        makes_own_error: Whether the first benchmark of a version makes a short self-test before it begins.
    """
    setup = launch.setup
    latest = setup  # what the settings say by now

    def reread() -> Setup:
        nonlocal latest
        latest = resolve(launch.options).setup
        return latest

    async with AsyncExitStack() as stack:
        log = LogBook(setup.logs_dir, secrets=_secrets(launch.host))
        stack.enter_context(log.attached())
        archive = await stack.enter_async_context(open_archive(launch))
        recorder = Recorder()
        stack.push_async_callback(recorder.aclose)
        lease = EngineLease(FileLock(setup.data_dir / "measurement.lock"))
        managed = launch.host if isinstance(launch.host, ManagedConfig) else None
        shelf = None if managed is None else Shelf(managed)
        health = HealthService(
            FileModelChecker(setup.data_dir / "manifests"),
            lambda model_id: (
                None if shelf is None else shelf.folder_of(model_id, client.catalog.value.models)
            ),
        )

        async def before_load(model: ModelVariant) -> None:
            if model.catalog is CatalogKind.PUBLIC:  # whoever changes a folder of their own may do so
                await health.require_sound(model.id)

        backend = backend_of(launch, launch.host)
        licenses = Licenses(archive.licenses, policy=lambda: latest.licenses)
        care: ModelCare | None = None
        client = ClientService(
            backend.engine,
            lease,
            registrations=backend.registrations,
            read_snapshot=backend.read_snapshot,
            catalogs=backend.catalogs,
            wants_public=backend.wants_public,
            host_probe=host_probe,
            problem_of=lambda model: health.problem_of(model.id),
            before_load=before_load,
            on_use=lambda model_id: care.used.touch(model_id) if care is not None else None,
            memory=memory_sources(setup.data_dir, limit_percent=lambda: latest.memory_limit_percent),
        )
        stack.push_async_callback(client.aclose)
        background = Tasks(on_error=lambda error: _LOG.error("background work failed", exc_info=error))
        stack.push_async_callback(background.aclose)
        if shelf is not None:
            care = await stack.enter_async_context(
                open_care(
                    launch,
                    shelf,
                    archive,
                    client,
                    health,
                    licenses,
                    background,
                    latest=lambda: latest,
                    only_own=only_own_downloads,
                )
            )

        async def environment(info: EngineInfo) -> tuple[tuple[str, str], ...]:
            machine = await asyncio.to_thread(read_machine_facts)
            if makes_own_error and is_wanted(os.environ.get("BENCH_SELFTEST"), default=True):
                await make_own_error(launch)
            own_error = await known_own_error(launch, machine)
            prices = latest.tariff.facts()
            return (("engine", info.kind.value), *info.versions, *machine, *own_error, *prices)

        sampler = ResourceSampler(
            lambda: (host_probe(), gpu_probe()),
            pid=lambda: client.process_id,
            conditions=lambda: conditions_probe(setup.data_dir),
        )
        stack.enter_context(sampler.heard_by(client.chronicle.take))
        bench = Benchmarks(
            client,
            archive.runs,
            Peaks(sampler, unique_bytes=unique_bytes),
            environment=environment,
            new_id=lambda: uuid4().hex,
            unix_ms=_unix_ms,
            surroundings=surroundings_of(setup.data_dir),
            machine=read_machine_facts,
        )
        stack.push_async_callback(bench.aclose)

        async def connect(address: str | None, key_name: str | None) -> EngineInfo:
            host = await asyncio.to_thread(host_of, launch, address, key_name)
            info = client.engine_info
            # Two of our own runtimes cannot have one port.
            is_pinned = isinstance(host, ManagedConfig) and host.port != 0
            stop_first = is_pinned and info is not None and info.kind is EndpointKind.MANAGED
            return await client.switch(backend_of(launch, host), stop_first=stop_first)

        background.start("fetches on the time line", client.chronicle.follow_fetches(client.jobs))
        if care is not None:
            queue = care.downloads.queue
            background.start("downloads on the time line", client.chronicle.follow_downloads(queue))
        kept_by = recorder if setup.keeps_conversations else None
        yield Services(
            client=client,
            dialogue=Dialogue(client, archive.conversations, kept_by, setup.chat),
            recorder=recorder,
            conversations=archive.conversations,
            prompts=archive.prompts,
            history=archive.history,
            settings=SettingsService(settings_file(launch)),
            layout=LayoutMemory(setup.data_dir / "screen.json"),
            log=log,
            sampler=sampler,
            background=background,
            bench=bench,
            scores=archive.scores,
            judgements=archive.judgements,
            bench_prompts=lambda name: _bench_prompts(launch, name),
            bench_sets=lambda: ready_prompts(config_folders(launch.options.config_dir)),
            bench_targets=lambda: _bench_targets(launch),
            rubric=lambda: _rubric(launch),
            care=care,
            licenses=licenses,
            discovery=Discovery(_look_around, own_url=lambda: _url_of(client)),
            keep_warm=KeepWarm(client, lease, options=setup.warmth),
            connect=connect,
            targets=lambda: _targets(launch),
            setup=setup,
            reread=reread,
        )


async def _look_around(on_found: Callable[[FoundServer], None]) -> None:
    discovery = await asyncio.to_thread(import_module, "foundry_tui.engines.endpoints.discovery")
    await discovery.find_servers(discovery.Surroundings(), on_found)


def _url_of(client: ClientService) -> str | None:
    info = client.engine_info
    return None if info is None else info.url


def _rubric(launch: Launch) -> Rubric:
    return load_rubric(find_file("rubric.json", config_folders(launch.options.config_dir)))


def _targets(launch: Launch) -> tuple[str, ...]:
    found = load_models(find_file("models.json", config_folders(launch.options.config_dir)))
    return tuple(entry.alias for entry in found)


def _bench_targets(launch: Launch) -> tuple[str, ...]:
    """Those that are noted as good for ``chat``, else those of which nothing is noted, by priority."""
    found = load_models(find_file("models.json", config_folders(launch.options.config_dir)))
    chatting = [entry for entry in found if _CHAT in entry.capabilities]
    chosen = chatting or [entry for entry in found if not entry.capabilities]
    ordered = sorted(chosen, key=lambda entry: (entry.priority is None, entry.priority or 0))
    return tuple(entry.alias for entry in ordered)


def _bench_prompts(launch: Launch, name: str) -> tuple[PlannedPrompt, ...]:
    """Those of the ready set of that name; without one ``BENCH_PROMPT`` if it is set, and prompts.json."""
    folders = config_folders(launch.options.config_dir)
    if name:
        return tuple(one.planned for one in load_prompts(find_file(f"prompts-{name}.json", folders)))
    said = os.environ.get("BENCH_PROMPT", "").strip()
    first = (PlannedPrompt(id="BENCH_PROMPT", text=said),) if said else ()
    found = load_prompts(find_file("prompts.json", folders))
    return (*first, *(prompt.planned for prompt in found if not first or prompt.id != first[0].id))


def _secrets(host: HostConfig) -> tuple[str, ...]:
    key = host.api_key if isinstance(host, EndpointConfig) else None
    return () if key is None else (key,)


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000
