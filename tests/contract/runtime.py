"""The real runtime on the bundled model, without the network."""

import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from foundry_tui.demo import demo_registration
from foundry_tui.domain.models import Registration
from foundry_tui.engines.hosting.configs import HostConfig, ManagedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine

__all__ = ["ENDLESS_ID", "copy_of_demo", "endless_registration", "hosted", "offline_runtime"]

ENDLESS_ID = "endless-generic-cpu:1"


def offline_runtime(folder: Path) -> ManagedConfig:
    """A runtime that keeps everything below ``folder``."""
    for name in ("data", "cache", "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return ManagedConfig(
        data_dir=str(folder / "data"),
        cache_dir=str(folder / "cache"),
        logs_dir=str(folder / "logs"),
        offline=True,
    )


@asynccontextmanager
async def hosted(config: HostConfig, folder: Path) -> AsyncGenerator[HostedEngine, None]:
    """A child process with that engine, for the length of the block."""
    engine = HostedEngine(config, log_dir=folder / "host-logs")
    try:
        await engine.start()
        yield engine
    finally:
        await engine.stop()


def copy_of_demo(folder: Path, *, without: tuple[str, ...] = ()) -> Path:
    """The bundled model copied to ``folder``, some of its files left out."""
    shutil.copytree(demo_registration().path, folder, ignore=lambda _, __: set(without))
    return folder


def endless_registration(folder: Path) -> Registration:
    """The bundled model told to end its answers with a token that it never says."""
    path = copy_of_demo(folder / "endless") / "genai_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["model"]["eos_token_id"] = 1023
    path.write_text(json.dumps(config), encoding="utf-8")
    return Registration(path=str(path.parent), model_id=ENDLESS_ID)
