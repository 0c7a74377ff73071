"""The Foundry Local runtime by its own SDK: control only, chats go over its web service.

The only importer of ``foundry_local_sdk``.  Lives in the child process, where a crash of native code cannot
take the screen with it.  Native calls block, so each runs in a thread.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import foundry_local_sdk as sdk

from foundry_tui.domain.engine import (
    ExecutionProvider,
    ProviderEvent,
    ProviderProgress,
    ProvidersRegistered,
)
from foundry_tui.domain.errors import (
    EngineError,
    EngineUnavailable,
    ModelNotFound,
    ModelRefused,
    NotSupported,
)
from foundry_tui.domain.models import (
    CatalogKind,
    CatalogSnapshot,
    Device,
    LoadReport,
    ModelVariant,
    Registration,
    SnapshotOrigin,
)
from foundry_tui.engines.catalog.snapshot import device_of, read_snapshot, saved_at_unix
from foundry_tui.engines.hosting.configs import ManagedConfig
from foundry_tui.engines.model_files.folders import real_context_tokens, size_on_disk_bytes
from foundry_tui.engines.reasons import did_not_start, load_remedy, plain_reason
from foundry_tui.engines.runtime.log import LogMark
from foundry_tui.engines.runtime.provider_options import providers_of

__all__ = ["FoundryNative"]

_APP_NAME = "foundry-tui"
_BYTES_PER_MB = 1024 * 1024
# The runtime lets go of a stream some milliseconds after its last byte, on a busy machine later.
_STILL_USED, _LET_GO_S, _LOOK_S = "still using it", 2.0, 0.02
_CUT_OFF = "offline: the public catalog could not be reached; restart the engine to ask again"


class FoundryNative:
    """One runtime with its web service; ``open`` makes it.  Ends with its process."""

    def __init__(self, config: ManagedConfig, manager: sdk.FoundryLocalManager, url: str) -> None:
        self._config = config
        self._manager = manager
        self._local = manager.get_catalog(sdk.CatalogType.LOCAL)
        self._public = manager.get_catalog(sdk.CatalogType.PUBLIC)
        self._loaded_public: set[str] = set()
        self._is_cut_off = False
        self.url = url

    @classmethod
    async def open(cls, config: ManagedConfig) -> "FoundryNative":
        """Bring up the runtime and its web service.

        Raises:
            EngineUnavailable: With the runtime's reason.
        """
        return await asyncio.to_thread(cls._open, config)

    @classmethod
    def _open(cls, config: ManagedConfig) -> "FoundryNative":
        settings = sdk.Configuration(
            app_name=_APP_NAME,
            app_data_dir=config.data_dir,
            model_cache_dir=config.cache_dir,
            logs_dir=config.logs_dir,
            web=sdk.Configuration.WebService(urls=f"http://127.0.0.1:{config.port}"),
            catalog_urls=[(url, None) for url in config.catalog_urls] or None,
            catalog_region=config.catalog_region,
            disable_nonessential_telemetry=True,
        )
        try:
            sdk.FoundryLocalManager.initialize(settings)
            manager = sdk.FoundryLocalManager.instance
            if manager is None:
                raise EngineUnavailable("the Foundry Local runtime did not initialise")
            manager.start_web_service()
        except sdk.FoundryLocalException as error:
            raise did_not_start(config.port, str(error)) from error
        urls = manager.urls
        if not urls:
            raise EngineUnavailable("the Foundry Local runtime started no web service")
        return cls(config, manager, urls[0])

    def versions(self) -> tuple[tuple[str, str], ...]:
        """Version of the SDK and of the libraries below it."""
        names = ("foundry-local-sdk", "onnxruntime", "onnxruntime-genai-core")
        return tuple((name, _version(name)) for name in names)

    def is_local(self, model_id: str) -> bool:
        """Whether ``model_id`` is a registered folder; such answer under their own URL prefix."""
        return self._local.get_model_variant(model_id) is not None

    async def is_ruled_out(self, model_id: str) -> bool:
        """Whether nothing on this machine is called ``model_id`` and the network is not to be asked.

        The runtime would try the network all the same, and give up after four seconds or more.
        """
        return await asyncio.to_thread(self._is_ruled_out, model_id)

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        """See ``ports.ModelManager``.  Offline, the first public listing takes about five seconds."""
        return await asyncio.to_thread(self._list, public)

    async def load(self, model_id: str) -> LoadReport:
        """See ``ports.ModelManager``."""
        return await asyncio.to_thread(self._load, model_id)

    async def unload(self, model_id: str) -> None:
        """See ``ports.ModelManager``."""
        await asyncio.to_thread(self._unload, model_id)

    async def register(self, registration: Registration) -> ModelVariant:
        """See ``ports.ModelManager``."""
        return await asyncio.to_thread(self._register, registration)

    async def unregister(self, model_id: str) -> None:
        """See ``ports.ModelManager``."""
        await asyncio.to_thread(self._unregister, model_id)

    async def remove(self, model_id: str) -> None:
        """See ``ports.ModelKeeper``."""
        await asyncio.to_thread(self._remove, model_id)

    async def providers(self) -> tuple[ExecutionProvider, ...]:
        """See ``ports.ProviderManager``."""
        return await asyncio.to_thread(self._providers)

    async def register_providers(self, names: tuple[str, ...]) -> AsyncGenerator[ProviderEvent, None]:
        """See ``ports.ProviderManager``."""
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[ProviderEvent | None] = asyncio.Queue()
        is_left = threading.Event()

        def tell(name: str, percent: float) -> None:
            if is_left.is_set():
                raise InterruptedError  # the SDK takes any error of its callback as a wish to stop
            loop.call_soon_threadsafe(events.put_nowait, ProviderProgress(name, percent))

        work = loop.run_in_executor(None, self._register_providers, names, tell)
        # Also marks its error as seen, for the case that the one who asked has left.
        work.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        work.add_done_callback(lambda _: events.put_nowait(None))
        try:
            while (event := await events.get()) is not None:
                yield event
            yield await work
        finally:
            is_left.set()

    def _list(self, public: bool) -> CatalogSnapshot:
        models = [_variant(model, CatalogKind.LOCAL) for model in _variants(self._local)]
        if not public or self._config.offline:
            on_disk = read_snapshot(Path(self._config.cache_dir))
            models += [model for model in on_disk.models if model.catalog is CatalogKind.PUBLIC]
            notice = _CUT_OFF if self._is_cut_off else None
            if self._config.offline:
                notice = "offline by choice: the public catalog was not asked"
            return CatalogSnapshot(
                models=tuple(self._with_loaded(models)),
                origin=SnapshotOrigin.LIVE,
                saved_at_unix=on_disk.saved_at_unix,
                notice=notice,
                is_cut_off=self._is_cut_off,
            )
        with self._noticing_failure():
            models += [_variant(model, CatalogKind.PUBLIC) for model in _variants(self._public)]
        return CatalogSnapshot(
            models=tuple(models),
            origin=SnapshotOrigin.LIVE,
            saved_at_unix=saved_at_unix(Path(self._config.cache_dir)),
            notice=_CUT_OFF if self._is_cut_off else None,
            is_cut_off=self._is_cut_off,
        )

    def _with_loaded(self, models: list[ModelVariant]) -> Iterator[ModelVariant]:
        # Asking for the loaded ones of the public catalog would fetch it; only we load into this process.
        loaded = {model.id for model in self._local.get_loaded_models()} | self._loaded_public
        for model in models:
            yield replace(model, is_loaded=model.id in loaded)

    @contextmanager
    def _noticing_failure(self) -> Iterator[None]:
        """A block that may be the first to fetch the public catalog; only the log tells if that fails."""
        log = LogMark(Path(self._config.logs_dir))
        yield
        # Once it has failed the runtime keeps its empty list for hours: only a new process asks again.
        self._is_cut_off = self._is_cut_off or log.soon_says("failed to fetch catalog")

    def _is_ruled_out(self, model_id: str) -> bool:
        if not self._config.offline or model_id in self._loaded_public or self.is_local(model_id):
            return False
        return read_snapshot(Path(self._config.cache_dir)).find(model_id) is None

    def _find(self, model_id: str) -> sdk.IModel:
        found = self._local.get_model_variant(model_id)
        if found is None and not self._is_ruled_out(model_id):
            try:
                with self._noticing_failure():
                    found = self._public.get_model_variant(model_id)
            except sdk.FoundryLocalException as error:
                raise ModelNotFound(
                    f"no model {model_id!r}: {plain_reason(str(error))}",
                    remedy="foundry-tui models list shows the ids",
                ) from error
        if found is None:
            raise ModelNotFound(f"no model {model_id!r}", remedy="foundry-tui models list shows the ids")
        return found

    def _load(self, model_id: str) -> LoadReport:
        model = self._find(model_id)
        started_ns = time.perf_counter_ns()
        was_loaded = model.is_loaded
        if not was_loaded:
            if not model.is_cached:
                if self.is_local(model_id):
                    raise ModelRefused(
                        f"the folder of {model_id} is gone", remedy="register it again from where it is now"
                    )
                raise ModelRefused(
                    f"{model_id} is not on this machine", remedy="download it first, or choose another"
                )
            try:
                model.load()
            except sdk.FoundryLocalException as error:
                reason = plain_reason(str(error))
                raise ModelRefused(
                    f"{model_id} does not load: {reason}", remedy=load_remedy(reason)
                ) from error
            if not self.is_local(model_id):
                self._loaded_public.add(model_id)
        load_ns = time.perf_counter_ns() - started_ns
        declared, device = _declared(model)
        folder = model.get_path()
        running, evidence = providers_of(Path(folder) if folder else None, declared)
        return LoadReport(
            model_id=model_id,
            load_ns=load_ns,
            was_loaded=was_loaded,
            device=device,
            execution_providers=running,
            provider_evidence=evidence,
        )

    def _unload(self, model_id: str) -> None:
        model = self._find(model_id)
        if not model.is_loaded:
            return
        until_s = time.monotonic() + _LET_GO_S
        while True:
            try:
                model.unload()
            except sdk.FoundryLocalException as error:
                if _STILL_USED in str(error) and time.monotonic() < until_s:
                    time.sleep(_LOOK_S)
                    continue
                raise ModelRefused(
                    f"{model_id} cannot be unloaded: {plain_reason(str(error))}",
                    remedy="stop the answer that uses it first",
                ) from error
            break
        self._loaded_public.discard(model_id)

    def _register(self, registration: Registration) -> ModelVariant:
        folder = Path(registration.path)
        if not folder.is_dir():
            raise ModelRefused(f"{registration.path} is not a folder", remedy="name the model's folder")
        if not (folder / "genai_config.json").is_file():
            raise ModelRefused(
                f"{registration.path} has no genai_config.json",
                remedy="name the folder that holds the model's ONNX Runtime GenAI files",
            )
        known = self._local.get_model_variant(registration.model_id)
        if known is not None:
            # Empty where the folder is gone; as a path that would be the working directory.
            before = Path(known.get_path()) if known.get_path() else None
            if before == folder:
                return _variant(known, CatalogKind.LOCAL)
            if before is not None and before.is_dir() and not registration.replaces:
                raise ModelRefused(
                    f"{registration.model_id} is registered already, for {before}",
                    remedy="choose another id, or unregister it first",
                )
            self._unregister(registration.model_id)
        with sdk.ModelInfoBuilder() as facts:
            facts.set_string_property("task", registration.task)
            for key, value in (
                ("display_name", registration.display_name),
                ("publisher", registration.publisher),
                ("license", registration.license),
            ):
                if value is not None:
                    facts.set_string_property(key, value)
            try:
                model = self._local.register_model(registration.path, registration.model_id, facts)
            except (sdk.FoundryLocalException, ValueError) as error:
                reason = plain_reason(str(error))
                raise ModelRefused(
                    f"{registration.path} cannot be registered: {reason}",
                    remedy=(
                        load_remedy(reason)
                        if "genai_config" in reason
                        else "an id looks like my-model:1, a task like chat-completion"
                    ),
                ) from error
        return _variant(model, CatalogKind.LOCAL)

    def _unregister(self, model_id: str) -> None:
        model = self._local.get_model_variant(model_id)
        if model is None:
            raise ModelNotFound(
                f"{model_id!r} is not registered", remedy="foundry-tui models list shows what is"
            )
        try:
            self._local.unregister_model(model_id)
        except sdk.FoundryLocalException as error:
            raise ModelRefused(
                f"{model_id} cannot be unregistered: {plain_reason(str(error))}",
                remedy="unload it first",
            ) from error

    def _remove(self, model_id: str) -> None:
        if self.is_local(model_id):
            raise ModelRefused(
                f"{model_id} is a folder of your own: its files are not ours to remove",
                remedy=f"foundry-tui models unregister {model_id} takes it off the list",
            )
        model = self._find(model_id)
        try:
            model.remove_from_cache()
        except sdk.FoundryLocalException as error:
            reason = plain_reason(str(error))
            remedy = "close what uses its files, and try again"
            if "loaded model" in reason:
                remedy = "unload it first"
            elif "download is in progress" in reason:
                remedy = "wait until it is downloaded, or cancel that first"
            raise ModelRefused(f"{model_id} cannot be removed: {reason}", remedy=remedy) from error

    def _providers(self) -> tuple[ExecutionProvider, ...]:
        try:
            found = self._manager.discover_eps()
        except sdk.FoundryLocalException as error:
            raise EngineError(
                f"the execution providers cannot be told: {plain_reason(str(error))}"
            ) from error
        return tuple(ExecutionProvider(one.name, one.is_registered) for one in found)

    def _register_providers(
        self, names: tuple[str, ...], tell: Callable[[str, float], None]
    ) -> ProvidersRegistered:
        known = self._providers()
        # The runtime reports success for a name that it does not know.
        if unknown := [name for name in names if all(name != one.name for one in known)]:
            raise NotSupported(
                f"{', '.join(unknown)} cannot be had on this machine",
                remedy=f"there is {', '.join(one.name for one in known) or 'none beside the CPU'}",
            )
        try:
            self._manager.download_and_register_eps(list(names) or None, tell)
        except sdk.FoundryLocalException as error:
            raise EngineError(
                f"execution providers were not registered: {plain_reason(str(error))}",
                remedy="check the network and the space on the disk, and try again",
            ) from error
        providers = self._providers()
        wanted = names or tuple(one.name for one in known)
        failed = tuple(one.name for one in providers if one.name in wanted and not one.is_registered)
        return ProvidersRegistered(providers, failed)


def _variants(catalog: sdk.Catalog) -> Iterator[sdk.IModel]:
    for model in catalog.list_models():
        yield from model.variants


def _variant(model: sdk.IModel, catalog: CatalogKind) -> ModelVariant:
    info = model.info
    is_cached = model.is_cached
    path = model.get_path() or None
    folder = Path(path) if path is not None else None
    is_here = folder is not None and folder.is_dir()
    provider, device = _declared(model)
    real_context = real_context_tokens(folder) if folder is not None and is_here else None
    return ModelVariant(
        id=info.id,
        alias=info.alias,
        catalog=catalog,
        display_name=info.display_name,
        publisher=info.publisher,
        license=info.license,
        license_text=info.license_description,
        task=info.task,
        device=device,
        execution_provider=provider,
        quantization=info.get_string_property("quantization"),
        size_bytes=info.file_size_mb * _BYTES_PER_MB if info.file_size_mb is not None else None,
        disk_bytes=size_on_disk_bytes(folder) if folder is not None and is_cached else None,
        context_tokens=real_context or info.context_length,
        advertised_context_tokens=info.context_length,
        max_output_tokens=info.max_output_tokens,
        capabilities=tuple(part for part in (info.capabilities or "").split(",") if part),
        is_cached=is_cached and (catalog is CatalogKind.PUBLIC or is_here),
        is_loaded=model.is_loaded,
        path=path,
        problem=(
            "its folder is gone: unregister it, or register it again"
            if catalog is CatalogKind.LOCAL and not is_here
            else None
        ),
    )


def _declared(model: sdk.IModel) -> tuple[str | None, Device | None]:
    """Execution provider and device, as the variant's own record says."""
    info = model.info
    provider = (info.runtime.execution_provider or None) if info.runtime is not None else None
    said = info.runtime.device_type.value if info.runtime and info.runtime.device_type else None
    return provider, device_of(provider, said, info.id)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
