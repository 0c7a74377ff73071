"""What an engine promises that keeps downloaded models: their removal, and what stands in its way."""

import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from foundry_tui.domain.errors import ModelRefused
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import ScriptedServer
from foundry_tui.ports.engines import ModelKeeper, ModelManager
from tests.contract.runtime import hosted
from tests.support.hub import DEMO_ID, Hub, Stalled, demo_model, managed_config
from tests.support.supervised import SupervisedScript


class Keeping(ModelManager, ModelKeeper, Protocol):
    """An engine as these tests use it."""


class Subject:
    """An engine that has ``DEMO_ID`` on this machine."""

    def __init__(self, engine: Keeping) -> None:
        self.engine = engine

    async def is_here(self) -> bool:
        """Whether the engine lists the model's files as being here."""
        found = (await self.engine.list_models(public=False)).find(DEMO_ID)
        return found is not None and found.is_cached is True

    def fetched_elsewhere(self) -> AbstractContextManager[None]:
        """A block in which another process downloads the model."""
        raise NotImplementedError


class Scripted(Subject):
    def __init__(self, engine: Keeping, downloading: set[str]) -> None:
        super().__init__(engine)
        self._downloading = downloading

    @contextmanager
    def fetched_elsewhere(self) -> Iterator[None]:
        self._downloading.add(DEMO_ID)
        yield
        self._downloading.clear()


class Real(Subject):
    def __init__(self, engine: Keeping, hub: Hub, folder: Path) -> None:
        super().__init__(engine)
        self._hub = hub
        self._folder = folder

    @contextmanager
    def fetched_elsewhere(self) -> Iterator[None]:
        (self._folder / "cache" / "Loopback" / DEMO_ID.replace(":", "-") / "model.onnx").unlink()
        (self._folder / "cache" / "Loopback" / DEMO_ID.replace(":", "-") / "download.tmp").touch()
        self._hub.fault(DEMO_ID, Stalled(after_bytes=10_000))
        puller = start_pull(self._hub, self._folder)
        try:
            self._hub.wait_until(lambda: self._hub.stalled(DEMO_ID))
            yield
        finally:
            puller.kill()
            puller.communicate()
            self._hub.mend()


def start_pull(hub: Hub, folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.support.hub.pull"]
    return subprocess.Popen(
        [*command, str(folder), hub.catalog_url, hub.catalog_region, "4", DEMO_ID], stdout=subprocess.PIPE
    )


@pytest.fixture(params=["scripted", "supervised", pytest.param("runtime", marks=pytest.mark.native)])
async def subject(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Subject, None]:
    if request.param == "scripted":
        server = ScriptedServer(ScriptedConfig(public=(DEMO_ID,)))
        yield Scripted(server, server.downloading)
    elif request.param == "supervised":
        engine = SupervisedScript(ScriptedConfig(public=(DEMO_ID,)))
        await engine.start()
        yield Scripted(engine, engine.downloading)
        await engine.stop()
    else:
        with Hub([demo_model()]) as hub:
            for name, value in hub.environment().items():
                monkeypatch.setenv(name, value)
            config = managed_config(hub, tmp_path)
            with start_pull(hub, tmp_path) as puller:
                puller.communicate()
            async with hosted(config, tmp_path) as runtime:
                await runtime.list_models(public=True)
                yield Real(runtime, hub, tmp_path)


async def test_a_removed_model_is_here_no_more_and_a_second_removal_is_none(subject: Subject) -> None:
    before = await subject.is_here()

    await subject.engine.remove(DEMO_ID)
    await subject.engine.remove(DEMO_ID)

    assert (before, await subject.is_here()) == (True, False)


async def test_a_model_in_memory_is_not_removed(subject: Subject) -> None:
    await subject.engine.load(DEMO_ID)

    with pytest.raises(ModelRefused) as caught:
        await subject.engine.remove(DEMO_ID)
    still_here = await subject.is_here()
    await subject.engine.unload(DEMO_ID)
    await subject.engine.remove(DEMO_ID)

    assert caught.value.remedy == "unload it first"
    assert (still_here, await subject.is_here()) == (True, False)


async def test_a_removed_model_is_not_loaded(subject: Subject) -> None:
    await subject.engine.remove(DEMO_ID)

    with pytest.raises(ModelRefused) as caught:
        await subject.engine.load(DEMO_ID)

    assert "download it" in (caught.value.remedy or "")


async def test_a_model_that_another_process_downloads_is_not_removed(subject: Subject) -> None:
    with subject.fetched_elsewhere(), pytest.raises(ModelRefused) as caught:
        await subject.engine.remove(DEMO_ID)

    assert "cancel" in (caught.value.remedy or "")
