"""The runtime's own lists on disk, read without the runtime: models on the screen before it has started.

``foundry.modelinfo.json`` holds the public catalog as last fetched, ``foundry.local.modelinfo.json`` the
registered folders.  Both are read as hostile input: whatever does not fit is left out.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, Device, ModelVariant, SnapshotOrigin
from foundry_tui.engines.catalog.json_walk import LIST_BEGINS, entries_of, text_in
from foundry_tui.engines.model_files.folders import real_context_tokens, size_on_disk_bytes

__all__ = ["device_of", "model_folders", "public_folder", "read_snapshot", "saved_at_unix"]

_PUBLIC_SNAPSHOT: Final = "foundry.modelinfo.json"
_LOCAL_SNAPSHOT: Final = "foundry.local.modelinfo.json"
_BYTES_PER_MB: Final = 1024 * 1024


def read_snapshot(cache_dir: Path) -> CatalogSnapshot:
    """All models that the files in ``cache_dir`` name, local ones first; empty where there are none."""

    def local_model(record: dict[str, Any]) -> ModelVariant | None:
        info = record.get("model_info")
        path = _text(record, "model_path")
        return _variant(info, CatalogKind.LOCAL, path) if isinstance(info, dict) else None

    # Looked up once: to ask the file system for each of thousands of models holds everybody up.
    here = frozenset(model_folders(cache_dir))

    def public_model(record: dict[str, Any]) -> ModelVariant | None:
        folder = public_folder(cache_dir, _text(record, "publisher"), _text(record, "id"))
        path = str(folder) if folder is not None else None
        return _variant(record, CatalogKind.PUBLIC, path if path in here else None)

    local, _ = _models(cache_dir / _LOCAL_SNAPSHOT, local_model)
    public, saved_at = _models(cache_dir / _PUBLIC_SNAPSHOT, public_model)
    return CatalogSnapshot(models=(*local, *public), origin=SnapshotOrigin.FILE, saved_at_unix=saved_at)


def saved_at_unix(cache_dir: Path) -> int | None:
    """When the public catalog was last fetched, in seconds; None if never."""
    return _models(cache_dir / _PUBLIC_SNAPSHOT, lambda _: None)[1]


def device_of(execution_provider: str | None, said: str | None, name: str) -> Device | None:
    """The device of a variant: as said, else by the suffix that the catalog gives its names."""
    for device in Device:
        if said is not None and said.lower() == device.value:
            return device
    stem = name.partition(":")[0].lower()
    for device in Device:
        if stem.endswith(f"-{device.value}"):
            return device
    return Device.CPU if execution_provider == "CPUExecutionProvider" else None


def _models(
    path: Path, make: Callable[[dict[str, Any]], ModelVariant | None]
) -> tuple[list[ModelVariant], int | None]:
    """What ``make`` makes of the file's records, one by one for they may be many; and when it was saved."""
    models: list[ModelVariant] = []
    saved: object = None
    has_list = False
    try:
        for key, value in entries_of(text_in(path), lists=("models",)):
            if value is LIST_BEGINS:
                has_list = True
            elif key == "models" and isinstance(value, dict):
                if (model := make(value)) is not None:
                    models.append(model)
            elif key == "savedAtUnix":
                saved = value
    except (OSError, ValueError, RecursionError):
        return [], None
    return (models, _count(saved)) if has_list else ([], None)


def _variant(info: dict[str, Any], catalog: CatalogKind, path: str | None) -> ModelVariant | None:
    model_id, alias = _text(info, "id"), _text(info, "alias")
    if model_id is None:
        return None
    runtime, strings, numbers = (
        _table(info, key) for key in ("runtime", "stringProperties", "intProperties")
    )
    provider = _text(runtime, "executionProvider")
    size_mb = _count(info.get("fileSizeMb"))
    advertised = _count(numbers.get("context_length"))
    folder = Path(path) if path is not None else None
    here = folder is not None and _is_there(folder / "genai_config.json")
    partial = folder is not None and _is_there(folder / "download.tmp")
    is_cached = here and not partial
    capabilities = _text(strings, "capabilities") or ""
    return ModelVariant(
        id=model_id,
        alias=alias or model_id.partition(":")[0],
        catalog=catalog,
        display_name=_text(info, "displayName"),
        publisher=_text(info, "publisher"),
        license=_text(info, "license"),
        license_text=_text(info, "licenseDescription"),
        task=_text(info, "task"),
        device=device_of(provider, _text(runtime, "deviceType"), model_id),
        execution_provider=provider,
        quantization=_text(strings, "quantization"),
        size_bytes=size_mb * _BYTES_PER_MB if size_mb is not None else None,
        disk_bytes=size_on_disk_bytes(folder) if folder is not None and is_cached else None,
        context_tokens=(real_context_tokens(folder) if folder is not None and is_cached else None)
        or advertised,
        advertised_context_tokens=advertised,
        max_output_tokens=_count(info.get("maxOutputTokens")),
        capabilities=tuple(part for part in capabilities.split(",") if part),
        is_cached=is_cached,
        is_loaded=False,
        path=path,
        problem=None if catalog is CatalogKind.PUBLIC or here else "its folder is gone or incomplete",
    )


def public_folder(cache_dir: Path, publisher: str | None, model_id: str | None) -> Path | None:
    """Where the runtime puts a downloaded model: ``<publisher>/<name>-<version>``.

    Names come from the network: one that would leave the cache directory is no path.
    """
    if publisher is None or model_id is None:
        return None
    parts = (publisher, model_id.replace(":", "-"))
    if any(part in {".", ".."} or "/" in part or "\\" in part or "\0" in part for part in parts):
        return None
    return cache_dir.joinpath(*parts)


def model_folders(cache_dir: Path) -> Iterator[str]:
    """Paths of all folders that lie where those of downloaded models do."""
    for publisher in _folders(cache_dir):
        yield from _folders(publisher)


def _folders(path: Path | str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if entry.is_dir()]
    except OSError:
        return []  # not there yet, or gone meanwhile


def _is_there(path: Path) -> bool:
    """Whether there is such a file or folder; a name that no file system takes is nowhere."""
    try:
        return path.exists()
    except OSError:
        return False


def _table(record: dict[str, Any], key: str) -> dict[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _text(record: dict[str, Any], key: str) -> str | None:
    value = record.get(key)
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
