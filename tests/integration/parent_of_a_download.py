"""A program that begins a download, says that it flows and waits: for tests of how it ends with its parent.

``python -m tests.integration.parent_of_a_download MODEL FOLDER CATALOG_URL CATALOG_REGION [--let-live]``
"""

import sys
import threading
from pathlib import Path

from foundry_tui.domain.downloads import DownloadPhase
from foundry_tui.engines.downloads.runner import ChildDownloads
from foundry_tui.engines.hosting.configs import ManagedConfig
from tests.support.downloading import downloaders, until_phase


def main(model_id: str, folder: Path, url: str, region: str, *, lets_live: bool) -> None:
    """Run until killed."""
    config = ManagedConfig(
        data_dir=str(folder / "data"),
        cache_dir=str(folder / "cache"),
        logs_dir=str(folder / "logs"),
        catalog_urls=(url,),
        catalog_region=region,
    )
    runner = ChildDownloads(config, state_dir=folder / "downloads", log_dir=folder / "download-logs")
    download = runner.begin(model_id, total_bytes=None)
    until_phase(download, DownloadPhase.FLOWING)
    if lets_live:
        download.let_live()
    (process,) = downloaders()
    sys.stdout.write(f"{process.pid}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], lets_live="--let-live" in sys.argv[5:])
