"""What public catalogs said last, a file for each; and the folders of what was downloaded from them."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.models import CatalogListing, ModelVariant
from foundry_tui.engines.catalog.json_walk import text_in
from foundry_tui.engines.catalog.records import record_of, variant_of
from foundry_tui.engines.catalog.snapshot import model_folders, public_folder

__all__ = ["CatalogFiles", "ModelFolders"]

_SCHEMA: Final = "foundry-tui/catalog@1"
_MOST_BYTES: Final = 512_000_000
_BUFFER_BYTES: Final = 1 << 20
_MOST_FOLDERS: Final = 5_000


class CatalogFiles:
    """Implements ``CatalogStore`` of ``services.catalogs``: a line for each model, after one that says when.

    Args:
        folder: Theirs alone; made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, url: str) -> CatalogListing | None:
        path = self._path(url)
        models: list[ModelVariant] = []
        count = 0
        try:
            if path.stat().st_size > _MOST_BYTES:
                return None
            # Its lines are ASCII: a text has no other line ends than those that were written.
            head_line, *lines = text_in(path).removesuffix("\n").split("\n")
            head = json.loads(head_line)
            for line in lines:
                count += 1
                record = json.loads(line)
                if isinstance(record, dict) and (model := variant_of(record)) is not None:
                    models.append(model)
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(head, dict) or head.get("schema") != _SCHEMA:
            return None
        saved_at = head.get("saved_at_unix")
        # What was cut off is not shown as if it were all.
        if not isinstance(saved_at, int) or head.get("count") != count:
            return None
        return CatalogListing(models=tuple(models), saved_at_unix=saved_at)

    def write(self, url: str, listing: CatalogListing) -> None:
        path = self._path(url)
        made = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with made.open("w", encoding="utf-8", buffering=_BUFFER_BYTES) as file:
                # The address is not written: it may end in a key.
                head = {
                    "schema": _SCHEMA,
                    "saved_at_unix": listing.saved_at_unix,
                    "count": len(listing.models),
                }
                file.write(json.dumps(head) + "\n")
                for model in listing.models:
                    file.write(json.dumps(record_of(model)) + "\n")
                file.flush()
                os.fsync(file.fileno())
            made.replace(path)
        except OSError as error:
            with suppress(OSError):
                made.unlink()
            raise StorageProblem(
                f"{path} cannot be written: {error.strerror or error}",
                remedy="free some space or its permissions; until then the catalog is asked at every start",
            ) from error

    def _path(self, url: str) -> Path:
        return self._folder / f"{sha256(url.encode()).hexdigest()[:24]}.jsonl"


class ModelFolders:
    """Implements ``CacheFolders`` of ``services.catalogs`` over a model cache directory.

    A model is ``<publisher>/<name>-<version>``; it is complete once it has a configuration and no mark of a
    download.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir

    def complete(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for folder in islice(model_folders(self._cache_dir), _MOST_FOLDERS):
            written_ns = _written_ns(Path(folder, "genai_config.json"))
            if written_ns is not None and not Path(folder, "download.tmp").exists():
                found[folder] = written_ns
        return found

    def find(self, model: ModelVariant) -> str | None:
        folder = public_folder(self._cache_dir, model.publisher, model.id)
        return str(folder) if folder is not None else None


def _written_ns(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
