"""Downloads models by the runtime's own SDK and nothing else: ``fetcher.py CATALOG REGION FOLDER ID…``."""

import os
import sys

import foundry_local_sdk as sdk


def main(catalog_url: str, region: str, folder: str, *model_ids: str) -> None:
    """Fetch each into ``FOLDER/cache`` and say what the runtime thinks of it."""
    settings = sdk.Configuration(
        app_name="fetcher",
        app_data_dir=folder,
        model_cache_dir=f"{folder}/cache",
        logs_dir=f"{folder}/logs",
        catalog_urls=[(catalog_url, None)],
        catalog_region=region,
        disable_nonessential_telemetry=True,
    )
    sdk.FoundryLocalManager.initialize(settings)
    manager = sdk.FoundryLocalManager.instance
    assert manager is not None
    catalog = manager.get_catalog(sdk.CatalogType.PUBLIC)
    for model_id in model_ids:
        model = catalog.get_model_variant(model_id)
        assert model is not None
        model.download(lambda _: None)
        sys.stdout.write(f"{model_id} {model.is_cached}\n")
    sys.stdout.flush()
    os._exit(0)  # closing the runtime takes a second


if __name__ == "__main__":
    main(*sys.argv[1:])
