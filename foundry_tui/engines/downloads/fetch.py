"""A download by the runtime's own SDK, in a process that does nothing else.  Blocks until it has ended."""

from collections.abc import Callable
from typing import Final

import foundry_local_sdk as sdk

from foundry_tui.domain.downloads import DownloadFailure
from foundry_tui.engines.downloads.failures import download_failure
from foundry_tui.engines.downloads.words import THREADS
from foundry_tui.engines.hosting.configs import ManagedConfig

__all__ = ["FetchFailed", "fetch"]

_APP_NAME: Final = "foundry-tui"
_BYTES_PER_MB: Final = 1024 * 1024


class FetchFailed(Exception):
    """The runtime has given up.

    Attributes:
        failure: None where the catalogs that answered do not have the model, and perhaps one did not answer.
    """

    def __init__(self, failure: DownloadFailure | None, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message


def fetch(
    config: ManagedConfig,
    model_id: str,
    *,
    on_found: Callable[[str | None, int | None], None],
    on_percent: Callable[[float], None],
) -> None:
    """Bring that variant here, also one that this machine cannot run.

    Args:
        config: Its web service is not started.
        model_id: Exact variant.
        on_found: Told the publisher and the size in bytes that the catalog gives; None where it gives none.
        on_percent: Told 0 to 100, from several threads, several times the same.

    Raises:
        FetchFailed: With what stands in the way.
    """
    try:
        model = _open(config).get_model_variant(model_id)
        if model is None or model.id != model_id:
            raise FetchFailed(None, f"no catalog has {model_id}")
        size_mb = model.info.file_size_mb
        on_found(model.info.publisher, size_mb * _BYTES_PER_MB if size_mb is not None else None)
        model.download(on_percent)
    except sdk.FoundryLocalException as error:
        failure, message = download_failure(error.error_code, str(error))
        raise FetchFailed(failure, message) from error


def _open(config: ManagedConfig) -> sdk.Catalog:
    sdk.FoundryLocalManager.initialize(
        sdk.Configuration(
            app_name=_APP_NAME,
            app_data_dir=config.data_dir,
            model_cache_dir=config.cache_dir,
            logs_dir=config.logs_dir,
            catalog_urls=[(url, None) for url in config.catalog_urls] or None,
            catalog_region=config.catalog_region,
            disable_nonessential_telemetry=True,
            additional_settings={"NumModelDownloadThreads": str(THREADS)},
        )
    )
    manager = sdk.FoundryLocalManager.instance
    if manager is None:
        raise FetchFailed(DownloadFailure.OTHER, "the Foundry Local runtime did not initialise")
    return manager.get_catalog(sdk.CatalogType.PUBLIC)
