"""Engines, and the catalogs beside them."""

from pathlib import Path

from foundry_tui.demo import DEMO_MODEL_ID, demo_registration
from foundry_tui.engines.catalog.files import CatalogFiles, ModelFolders
from foundry_tui.engines.catalog.snapshot import read_snapshot
from foundry_tui.engines.hosting.configs import HostConfig, ManagedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.launching import Launch
from foundry_tui.services.client import Backend
from foundry_tui.services.engine.catalogs import CatalogReader, Catalogs

__all__ = ["backend_of"]


_CATALOG_URL = "https://api.catalog.azureml.ms/asset-gallery/v1.0/models"
"""The runtime's own, when nobody names another."""


def backend_of(launch: Launch, host: HostConfig) -> Backend:
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
