"""Cache directories with models in them, and a service over one."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.model_files.check import FileModelChecker
from foundry_tui.resources.disk import LocalDisk
from foundry_tui.services.cache.health import HealthService
from foundry_tui.services.cache.last_used import LastUsed
from foundry_tui.services.cache.service import CacheService, Disk

__all__ = ["CacheSetting", "contents", "downloaded", "filled", "is_there"]


def filled(cache: Path, *, models: int = 3) -> Path:
    """A cache as the runtime leaves it: lists, locks and folders of models, empty and hidden things too."""
    for number in range(models):
        folder = cache / "Loopback Inc" / f"model-{number}-generic-cpu-1"
        (folder / "parts").mkdir(parents=True)
        (folder / "model.onnx.data").write_bytes(os.urandom(400_000))
        (folder / "parts" / "zeros.bin").write_bytes(bytes(2_500_000) + b"end")
        (folder / "genai_config.json").write_text("{}")
    (cache / "foundry.modelinfo.json").write_text('{"models": []}')
    (cache / "foundry.modelinfo.json.lock").touch()
    (cache / "empty").mkdir()
    return cache


def downloaded(cache: Path, name: str = "model-0-generic-cpu", *, is_loaded: bool = False) -> ModelVariant:
    """The entry of a model that lies in ``cache``."""
    return ModelVariant(
        id=f"{name}:1",
        alias=name,
        catalog=CatalogKind.PUBLIC,
        is_cached=True,
        is_loaded=is_loaded,
        path=str(cache / "Loopback Inc" / f"{name}-1"),
    )


def is_there(path: Path) -> bool:
    """For tests on an event loop, where a linter wants no blocking calls."""
    return path.exists()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below it, by its path within."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@dataclass
class CacheSetting:
    """What a service needs around it."""

    cache: Path
    data: Path
    models: Sequence[ModelVariant] = ()
    downloading: Collection[str] = ()
    partials: Sequence[Partial] = ()
    disk: Disk = field(default_factory=LocalDisk)

    def __post_init__(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        folders = lambda name: next((Path(m.path) for m in self.models if m.id == name and m.path), None)  # noqa: E731
        self.health = HealthService(FileModelChecker(self.data / "manifests"), folders)
        self.used = LastUsed(self.data / "last-used.json", now_unix=lambda: 1_700_000_000)

    def service(self) -> CacheService:
        """As it is after a start of the program."""
        return CacheService(
            self.cache,
            journal=self.data / "cache-move.json",
            models=lambda: self.models,
            downloading=lambda: self.downloading,
            partials=lambda: self.partials,
            disk=self.disk,
            health=self.health,
            used=self.used,
        )
