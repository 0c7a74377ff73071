"""The composition root: from what was decided to services; alone knows which adapter serves a port."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from uuid import uuid4

from foundry_tui.aio import Tasks
from foundry_tui.config.locate import config_folders, find_file
from foundry_tui.config.models_file import load_models
from foundry_tui.config.settings_file import TomlSettingsFile
from foundry_tui.demo import DEMO_MODEL_ID, demo_registration
from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.catalog.files import CatalogFiles, ModelFolders
from foundry_tui.engines.catalog.snapshot import read_snapshot
from foundry_tui.engines.downloads.runner import ChildDownloads
from foundry_tui.engines.hosting.configs import EndpointConfig, HostConfig, ManagedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.engines.model_files.check import FileModelChecker
from foundry_tui.launching import Launch, endpoint_address, host_of, resolve
from foundry_tui.ports.machine import GpuProbe, HostProbe
from foundry_tui.ports.storage import (
    AcceptedLicenses,
    ConversationStore,
    InputHistory,
    PromptLibrary,
    SettingsStore,
)
from foundry_tui.resources.disk import LocalDisk, disk_space
from foundry_tui.services.cache.health import HealthService
from foundry_tui.services.cache.last_used import LastUsed
from foundry_tui.services.cache.removing import remove_model
from foundry_tui.services.cache.service import CacheService
from foundry_tui.services.client import Backend, ClientService
from foundry_tui.services.dialogue import Dialogue
from foundry_tui.services.discovery import Discovery, FoundServer
from foundry_tui.services.downloads.changes import AT_WORK
from foundry_tui.services.downloads.facade import Downloads, DownloadTools
from foundry_tui.services.downloads.licenses import Licenses
from foundry_tui.services.engine.catalogs import CatalogReader, Catalogs
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.keep_warm import KeepWarm
from foundry_tui.services.logbook import LogBook
from foundry_tui.services.model_care import ModelCare
from foundry_tui.services.opened import Services
from foundry_tui.services.recorder import Recorder
from foundry_tui.services.remembering import LayoutMemory
from foundry_tui.services.sampling import ResourceSampler
from foundry_tui.services.settings import SettingsService
from foundry_tui.services.setup import Setup
from foundry_tui.storage import (
    Database,
    FileLock,
    StoredConversations,
    StoredDownloads,
    StoredInputs,
    StoredLicenses,
    StoredPrompts,
    has_unfinished_downloads,
)

__all__ = ["Archive", "open_archive", "open_services"]

_LOG = logging.getLogger(__name__)
_CATALOG_URL = "https://api.catalog.azureml.ms/asset-gallery/v1.0/models"
"""The runtime's own, when nobody names another."""


@asynccontextmanager
async def open_services(
    launch: Launch, *, only_own_downloads: bool = False
) -> AsyncGenerator[Services, None]:
    """Everything a front end needs, at once: nothing slow runs before somebody asks for it.

    Leaving the block stops the engine and all background work and writes what is left to write, however the
    block ends.

    Args:
        launch: What was decided.
        only_own_downloads: Whether of the queue only what is added here is fetched, as for a command.
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
        shelf = None if managed is None else _Shelf(managed)
        health = HealthService(
            FileModelChecker(setup.data_dir / "manifests"),
            lambda model_id: (
                None if shelf is None else shelf.folder_of(model_id, client.catalog.value.models)
            ),
        )

        async def before_load(model: ModelVariant) -> None:
            if model.catalog is CatalogKind.PUBLIC:  # whoever changes a folder of their own may do so
                await health.require_sound(model.id)

        backend = _backend(launch, launch.host)
        licenses = Licenses(archive.licenses, policy=lambda: latest.licenses)
        care: ModelCare | None = None
        client = ClientService(
            backend.engine,
            lease,
            registrations=backend.registrations,
            read_snapshot=backend.read_snapshot,
            catalogs=backend.catalogs,
            wants_public=backend.wants_public,
            host_probe=_host_probe,
            problem_of=lambda model: health.problem_of(model.id),
            before_load=before_load,
            on_use=lambda model_id: care.used.touch(model_id) if care is not None else None,
        )
        stack.push_async_callback(client.aclose)
        background = Tasks(on_error=lambda error: _LOG.error("background work failed", exc_info=error))
        stack.push_async_callback(background.aclose)
        if shelf is not None:
            care = await stack.enter_async_context(
                _care(
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

        async def connect(address: str | None, key_name: str | None) -> EngineInfo:
            host = await asyncio.to_thread(host_of, launch, address, key_name)
            info = client.engine_info
            # Two of our own runtimes cannot have one port.
            is_pinned = isinstance(host, ManagedConfig) and host.port != 0
            stop_first = is_pinned and info is not None and info.kind is EndpointKind.MANAGED
            return await client.switch(_backend(launch, host), stop_first=stop_first)

        kept_by = recorder if setup.keeps_conversations else None
        yield Services(
            client=client,
            dialogue=Dialogue(client, archive.conversations, kept_by, setup.chat),
            recorder=recorder,
            conversations=archive.conversations,
            prompts=archive.prompts,
            history=archive.history,
            settings=SettingsService(_settings_file(launch)),
            layout=LayoutMemory(setup.data_dir / "screen.json"),
            log=log,
            sampler=ResourceSampler(lambda: (_host_probe(), _gpu_probe()), pid=lambda: client.process_id),
            background=background,
            care=care,
            licenses=licenses,
            discovery=Discovery(_look_around, own_url=lambda: _url_of(client)),
            keep_warm=KeepWarm(client, lease, options=setup.warmth),
            connect=connect,
            targets=lambda: _targets(launch),
            setup=setup,
            reread=reread,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What outlives the program, without an engine."""

    conversations: ConversationStore
    prompts: PromptLibrary
    history: InputHistory
    downloads: StoredDownloads
    licenses: AcceptedLicenses


@asynccontextmanager
async def open_archive(launch: Launch) -> AsyncGenerator[Archive, None]:
    """The database; the file itself is opened at the first use."""
    database = Database(_database_path(launch))
    try:
        yield Archive(
            conversations=StoredConversations(database),
            prompts=StoredPrompts(database),
            history=StoredInputs(database),
            downloads=StoredDownloads(database),
            licenses=StoredLicenses(database),
        )
    finally:
        await database.aclose()


@asynccontextmanager
async def _care(
    launch: Launch,
    shelf: "_Shelf",
    archive: Archive,
    client: ClientService,
    health: HealthService,
    licenses: Licenses,
    background: Tasks,
    *,
    latest: Callable[[], Setup],
    only_own: bool,
) -> AsyncGenerator[ModelCare, None]:
    """What looks after the models of one cache directory; the queue begins to work when it is started."""
    data_dir = launch.setup.data_dir
    used = LastUsed(data_dir / "last-used.json")
    runner = ChildDownloads(
        shelf.config, state_dir=data_dir / "downloads", log_dir=launch.setup.logs_dir / "downloads"
    )

    def models() -> tuple[ModelVariant, ...]:
        return client.catalog.value.models

    def at_work() -> set[str]:
        return {entry.model_id for entry in downloads.queue.value.entries if entry.state in AT_WORK}

    def ready(model_id: str) -> None:
        background.start("note a download", _note(client, health, model_id))

    async def discard(model_id: str) -> None:
        await remove_model(client, cache, model_id)

    async def move_to(folder: Path) -> None:
        """Use that cache directory from now on, lastingly."""
        if launch.options.model_cache_dir is not None:
            raise BadInput(
                "the cache directory was given on the command line, where it cannot be changed",
                remedy="start without --model-cache-dir, or with the new folder",
            )
        await SettingsService(_settings_file(launch)).save({"engine.model_cache_dir": str(folder)})
        host = await asyncio.to_thread(host_of, launch, None, None)
        if isinstance(host, ManagedConfig):
            await client.switch(_backend(launch, host), stop_first=True)
            shelf.use(host)
            runner.use(host)

    cache = CacheService(
        Path(shelf.config.cache_dir),
        journal=data_dir / "cache-move.json",
        models=models,
        downloading=at_work,
        partials=runner.partials,
        disk=LocalDisk(),
        health=health,
        used=used,
    )
    downloads = Downloads(
        archive.downloads,
        licenses,
        DownloadTools(
            runner=runner,
            lock=FileLock(data_dir / "downloads.lock"),
            checker=FileModelChecker(data_dir / "manifests"),
            free_bytes=shelf.free_bytes,
            models=models,
            folder_of=lambda model_id: shelf.folder_of(model_id, models()),
            new_id=lambda: uuid4().hex,
            discard=discard,
            label=f"foundry-tui, process {os.getpid()}",
            only_own=only_own,
        ),
        on_ready=ready,
        quiet_hour=lambda: latest().quiet_hour,
    )
    try:
        yield ModelCare(
            client=client,
            downloads=downloads,
            runner=runner,
            licenses=licenses,
            health=health,
            cache=cache,
            used=used,
            has_queue=lambda: has_unfinished_downloads(_database_path(launch)),
            space=disk_space,
            move_to=move_to,
        )
    finally:
        try:
            await downloads.aclose()
        finally:
            await used.aclose()


class _Shelf:
    """Where the runtime puts the models of the cache directory of the moment."""

    def __init__(self, config: ManagedConfig) -> None:
        self.use(config)

    def use(self, config: ManagedConfig) -> None:
        """Look there from now on."""
        self.config = config
        self._folders = ModelFolders(Path(config.cache_dir))

    def free_bytes(self) -> int:
        """Room on its disk.

        Raises:
            OSError: It cannot be read.
        """
        space = disk_space(Path(self.config.cache_dir))
        if space is None:
            raise OSError(f"the disk of {self.config.cache_dir} cannot be read")
        return space.free_bytes

    def folder_of(self, model_id: str, models: Sequence[ModelVariant]) -> Path | None:
        """Where the files of that very variant lie; None if they are not here.  Blocks."""
        model = next((model for model in models if model.id == model_id), None)
        path = None if model is None else model.path or self._folders.find(model)
        if path is None or not os.path.isdir(path):  # noqa: PTH112 - no error for a name too long
            return None
        return Path(path)


def _backend(launch: Launch, host: HostConfig) -> Backend:
    """The engine that ``host`` describes, with what belongs to it."""
    setup = launch.setup
    engine = HostedEngine(host, log_dir=setup.logs_dir)
    if not isinstance(host, ManagedConfig):
        return Backend(engine=engine, wants_public=not setup.is_offline)
    cache_dir = Path(host.cache_dir)
    is_demo = setup.start_with == DEMO_MODEL_ID
    return Backend(
        engine=engine,
        registrations=(demo_registration(),) if is_demo else (),
        read_snapshot=lambda: read_snapshot(cache_dir),
        catalogs=None if is_demo else _catalogs(host, setup.data_dir),
        wants_public=not setup.is_offline,
    )


def _catalogs(host: ManagedConfig, data_dir: Path) -> Catalogs:
    return Catalogs(
        host.catalog_urls or (_CATALOG_URL,),
        open_reader=_open_reader,
        store=CatalogFiles(data_dir / "catalogs"),
        folders=ModelFolders(Path(host.cache_dir)),
    )


def _open_reader() -> CatalogReader:
    from foundry_tui.engines.catalog.http import HttpCatalogs  # late: it brings an HTTP library

    return HttpCatalogs()


async def _look_around(on_found: Callable[[FoundServer], None]) -> None:
    discovery = await asyncio.to_thread(import_module, "foundry_tui.engines.endpoints.discovery")
    await discovery.find_servers(discovery.Surroundings(), on_found)


async def _note(client: ClientService, health: HealthService, model_id: str) -> None:
    """A download is complete: what its check found counts, and the engine is to see it."""
    await health.recall([model_id])
    client.adopt([model_id])


def _database_path(launch: Launch) -> Path:
    return launch.setup.data_dir / "foundry-tui.db"


def _url_of(client: ClientService) -> str | None:
    info = client.engine_info
    return None if info is None else info.url


def _targets(launch: Launch) -> tuple[str, ...]:
    found = load_models(find_file("models.json", config_folders(launch.options.config_dir)))
    return tuple(entry.alias for entry in found)


def _settings_file(launch: Launch) -> SettingsStore:
    """The settings with their origins, as a screen edits them."""
    return TomlSettingsFile(
        config_folders(launch.options.config_dir),
        overrides=launch.overrides,
        checks={"engine.endpoint": endpoint_address},
    )


def _secrets(host: HostConfig) -> tuple[str, ...]:
    key = host.api_key if isinstance(host, EndpointConfig) else None
    return () if key is None else (key,)


def _host_probe() -> HostProbe:
    # Late: psutil and the GPU driver load after the first frame, in a worker thread.
    from foundry_tui.resources.host import PsutilHostProbe

    return PsutilHostProbe()


def _gpu_probe() -> GpuProbe:
    from foundry_tui.resources.nvml import NvmlGpuProbe

    return NvmlGpuProbe()
