"""The Foundry Local runtime by its own SDK: control only, chats go over its web service.

The only importer of ``foundry_local_sdk``.  Lives in the child process, where a crash of native code cannot
take the screen with it.  Native calls block, so each runs in a thread.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import foundry_local_sdk as sdk

from foundry_tui.domain.errors import EngineUnavailable, ModelNotFound, ModelRefused
from foundry_tui.domain.models import (
    CatalogKind,
    CatalogSnapshot,
    LoadReport,
    ModelVariant,
    Registration,
    SnapshotOrigin,
)
from foundry_tui.engines.frames import ManagedConfig
from foundry_tui.engines.model_files import real_context_tokens, size_on_disk_bytes
from foundry_tui.engines.reasons import load_remedy, plain_reason
from foundry_tui.engines.snapshot import device_of, read_snapshot, saved_at_unix

__all__ = ["FoundryNative"]

_APP_NAME = "foundry-tui"
_BYTES_PER_MB = 1024 * 1024
_CUT_OFF = "offline: the public catalog could not be reached; restart the engine to ask again"
# The runtime writes its log from a thread of its own, a moment after the call that it tells of has returned.
_LOG_LAG_S = 1.0
# A failed fetch has waited three times before it gives up; a quicker one has not failed.
_SHORTEST_FAILURE_S = 1.0


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
            reason = plain_reason(str(error))
            remedy = None
            if "Address already in use" in reason or "bind" in reason.lower():
                remedy = f"port {config.port} is taken: choose another --port, or leave it out"
            raise EngineUnavailable(
                f"the Foundry Local runtime did not start: {reason}", remedy=remedy
            ) from error
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

    def _list(self, public: bool) -> CatalogSnapshot:
        models = [_variant(model, CatalogKind.LOCAL) for model in _variants(self._local)]
        if not public or self._config.offline:
            on_disk = read_snapshot(Path(self._config.cache_dir))
            models += [model for model in on_disk.models if model.catalog is CatalogKind.PUBLIC]
            notice = "offline by choice: the public catalog was not asked" if self._config.offline else None
            return CatalogSnapshot(
                models=tuple(self._with_loaded(models)),
                origin=SnapshotOrigin.LIVE,
                saved_at_unix=on_disk.saved_at_unix,
                notice=notice,
            )
        log = _LogMark(Path(self._config.logs_dir))
        models += [_variant(model, CatalogKind.PUBLIC) for model in _variants(self._public)]
        # Once it has failed the runtime keeps its empty list for hours: only a new process asks again.
        self._is_cut_off = self._is_cut_off or log.soon_says("failed to fetch catalog")
        return CatalogSnapshot(
            models=tuple(models),
            origin=SnapshotOrigin.LIVE,
            saved_at_unix=saved_at_unix(Path(self._config.cache_dir)),
            notice=_CUT_OFF if self._is_cut_off else None,
        )

    def _with_loaded(self, models: list[ModelVariant]) -> Iterator[ModelVariant]:
        # Asking for the loaded ones of the public catalog would fetch it; only we load into this process.
        loaded = {model.id for model in self._local.get_loaded_models()} | self._loaded_public
        for model in models:
            yield replace(model, is_loaded=model.id in loaded)

    def _is_ruled_out(self, model_id: str) -> bool:
        if not self._config.offline or model_id in self._loaded_public or self.is_local(model_id):
            return False
        return read_snapshot(Path(self._config.cache_dir)).find(model_id) is None

    def _find(self, model_id: str) -> sdk.IModel:
        found = self._local.get_model_variant(model_id)
        if found is None and not self._is_ruled_out(model_id):
            try:
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
        return LoadReport(model_id=model_id, load_ns=load_ns, was_loaded=was_loaded)

    def _unload(self, model_id: str) -> None:
        model = self._find(model_id)
        if not model.is_loaded:
            return
        try:
            model.unload()
        except sdk.FoundryLocalException as error:
            raise ModelRefused(
                f"{model_id} cannot be unloaded: {plain_reason(str(error))}",
                remedy="stop the answer that uses it first",
            ) from error
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


class _LogMark:
    """The end of the runtime's log at one moment, so that what it writes after can be read.

    An unreachable catalog raises nothing and returns what is on disk; only the log tells.
    """

    def __init__(self, logs_dir: Path) -> None:
        self._dir = logs_dir
        self._made_s = time.perf_counter()
        self._sizes = {path: path.stat().st_size for path in self._files()}

    def soon_says(self, phrase: str) -> bool:
        """Whether ``phrase`` was written since the mark, or is within a second from now."""
        if time.perf_counter() - self._made_s < _SHORTEST_FAILURE_S:
            return self._says(phrase)
        deadline_s = time.perf_counter() + _LOG_LAG_S
        while not (found := self._says(phrase)) and time.perf_counter() < deadline_s:
            time.sleep(0.05)
        return found

    def _says(self, phrase: str) -> bool:
        for path in self._files():
            with path.open("rb") as file:
                file.seek(self._sizes.get(path, 0))
                if phrase.encode() in file.read():
                    return True
        return False

    def _files(self) -> list[Path]:
        return sorted(self._dir.glob("foundry_local_*.log"))[-2:]


def _variants(catalog: sdk.Catalog) -> Iterator[sdk.IModel]:
    for model in catalog.list_models():
        yield from model.variants


def _variant(model: sdk.IModel, catalog: CatalogKind) -> ModelVariant:
    info = model.info
    is_cached = model.is_cached
    path = model.get_path() or None
    folder = Path(path) if path is not None else None
    is_here = folder is not None and folder.is_dir()
    provider = (info.runtime.execution_provider or None) if info.runtime is not None else None
    device = info.runtime.device_type.value if info.runtime and info.runtime.device_type else None
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
        device=device_of(provider, device, info.id),
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


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
