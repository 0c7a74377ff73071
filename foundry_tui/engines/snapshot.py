"""The runtime's own lists on disk, read without the runtime: models on the screen before it has started.

``foundry.modelinfo.json`` holds the public catalog as last fetched, ``foundry.local.modelinfo.json`` the
registered folders.  Both are read as hostile input: whatever does not fit is left out.
"""

import json
from pathlib import Path
from typing import Any, Final

from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, Device, ModelVariant, SnapshotOrigin
from foundry_tui.engines.model_files import real_context_tokens, size_on_disk_bytes

__all__ = ["device_of", "read_snapshot", "saved_at_unix"]

_PUBLIC_SNAPSHOT: Final = "foundry.modelinfo.json"
_LOCAL_SNAPSHOT: Final = "foundry.local.modelinfo.json"
_BYTES_PER_MB: Final = 1024 * 1024


def read_snapshot(cache_dir: Path) -> CatalogSnapshot:
    """All models that the files in ``cache_dir`` name, local ones first; empty where there are none."""
    local, _ = _records(cache_dir / _LOCAL_SNAPSHOT)
    public, saved_at = _records(cache_dir / _PUBLIC_SNAPSHOT)
    models: list[ModelVariant] = []
    for record in local:
        path = _text(record, "model_path")
        info = record.get("model_info")
        if isinstance(info, dict) and (model := _variant(info, CatalogKind.LOCAL, path)) is not None:
            models.append(model)
    for record in public:
        if (model := _variant(record, CatalogKind.PUBLIC, _public_path(cache_dir, record))) is not None:
            models.append(model)
    return CatalogSnapshot(models=tuple(models), origin=SnapshotOrigin.FILE, saved_at_unix=saved_at)


def saved_at_unix(cache_dir: Path) -> int | None:
    """When the public catalog was last fetched, in seconds; None if never."""
    return _records(cache_dir / _PUBLIC_SNAPSHOT)[1]


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


def _records(path: Path) -> tuple[list[dict[str, Any]], int | None]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return [], None
    if not isinstance(content, dict) or not isinstance(content.get("models"), list):
        return [], None
    saved = content.get("savedAtUnix")
    return [entry for entry in content["models"] if isinstance(entry, dict)], _count(saved)


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


def _public_path(cache_dir: Path, record: dict[str, Any]) -> str | None:
    """Where the runtime puts a downloaded model: ``<publisher>/<name>-<version>``.

    Names come from the network: one that would leave the cache directory is no path.
    """
    publisher, model_id = _text(record, "publisher"), _text(record, "id")
    if publisher is None or model_id is None:
        return None
    parts = (publisher, model_id.replace(":", "-"))
    if any(part in {".", ".."} or "/" in part or "\\" in part or "\0" in part for part in parts):
        return None
    folder = cache_dir.joinpath(*parts)
    return str(folder) if _is_there(folder) else None


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
