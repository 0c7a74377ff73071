"""A process that downloads from a hub with the runtime's own SDK, and can be killed while it does.

``python -m tests.support.hub.pull FOLDER URL REGION THREADS ID…`` writes one JSON object a line:
``{"percent": P}`` for each progress call, then ``{"id": …, "took_s": …, "is_cached": …, "path": …, "code": …,
"error": …}`` for each model, of which the last two are null where nothing was raised.  The hub's environment
must be set.
"""

import json
import os
import sys
import time
from pathlib import Path

__all__ = ["main"]


def main(folder: str, url: str, region: str, threads: str, *ids: str) -> None:
    """Download one after the other."""
    # Native code is loaded at the import: only this process is to have it.
    import foundry_local_sdk as sdk

    settings = sdk.Configuration(
        app_name="hub-pull",
        app_data_dir=folder,
        model_cache_dir=str(Path(folder) / "cache"),
        logs_dir=str(Path(folder) / "logs"),
        catalog_urls=[(url, None)],
        catalog_region=region,
        disable_nonessential_telemetry=True,
        additional_settings={"NumModelDownloadThreads": threads},
    )
    sdk.FoundryLocalManager.initialize(settings)
    manager = sdk.FoundryLocalManager.instance
    assert manager is not None
    catalog = manager.get_catalog(sdk.CatalogType.PUBLIC)
    for model_id in ids:
        started_s = time.perf_counter()
        code: int | None = None
        error: str | None = None
        model = catalog.get_model_variant(model_id)
        if model is None:
            _tell(
                {
                    "id": model_id,
                    "took_s": 0,
                    "is_cached": False,
                    "path": "",
                    "code": None,
                    "error": "not found",
                }
            )
            continue
        try:
            model.download(lambda percent: _tell({"percent": percent}))
        except sdk.FoundryLocalException as failure:
            code, error = failure.error_code, str(failure)
        _tell(
            {
                "id": model_id,
                "took_s": time.perf_counter() - started_s,
                "is_cached": model.is_cached,
                "path": model.get_path(),
                "code": code,
                "error": error,
            }
        )
    # The runtime's own close costs a second and more.
    sys.stdout.flush()
    os._exit(0)


def _tell(entry: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(entry)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
