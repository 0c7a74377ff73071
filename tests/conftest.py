"""What holds for every test: clean surroundings, and no process left behind."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import hosts, until_gone

MODELS_VARIABLE = "FOUNDRY_TUI_TEST_MODELS"
SMOLLM = "smollm2-135m-int4"
CLEARED = ("FOUNDRY_LOCAL_ENDPOINT", "FOUNDRY_TUI_DATA_DIR", "NO_COLOR")
CLEARED_PREFIXES = ("OPENAI_", "BENCH_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def pytest_configure(config: pytest.Config) -> None:
    """Undo what the caller's shell ignores; let Textual's pilot look for idleness more often."""
    # Begun in the background or under nohup, programs of these tests would inherit deafness to Ctrl+C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        from textual import _wait
    except ImportError:
        return
    # As it is, each key press costs 70 ms.
    _wait.SLEEP_GRANULARITY = 1 / 1000
    _wait.SLEEP_IDLE = 1 / 2000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, and say why, what needs a model or a GPU that is not here."""
    if _smollm_folder() is None:
        _skip(items, "smollm", f"{MODELS_VARIABLE} names no folder with {SMOLLM} in it")
    if any(item.get_closest_marker("gpu") is not None for item in items) and (why := _no_gpu()) is not None:
        _skip(items, "gpu", f"no NVIDIA GPU can be read here: {why}")


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of the user reaches a test, nor a fixture that several tests share."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name in CLEARED or name.startswith(CLEARED_PREFIXES) or name.lower() in PROXIES:
                patch.delenv(name)
        patch.setenv("BENCH_SELFTEST", "0")  # a test that wants one before its benchmark asks for it
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")  # not the developer's own
        _lead_folders_to(tmp_path_factory.mktemp("session"), patch)
        yield
        assert hosts() == [], "a shared fixture left a host behind"


@pytest.fixture(autouse=True)
def own_folders(clean_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever looks for the user's folders finds some of this test's own."""
    _lead_folders_to(tmp_path / "user", monkeypatch)


@pytest.fixture(autouse=True)
def no_host_left_behind(own_folders: None) -> Iterator[None]:
    """A host that a test starts is gone when the test ends."""
    before = {process.pid for process in hosts()} if _may_start_hosts() else set()
    yield
    if _may_start_hosts():
        left = [process for process in hosts() if process.pid not in before]
        for process in left:
            process.kill()
        until_gone(left)
        assert left == [], "this test left a host behind"


@pytest.fixture(scope="session")
def smollm_folder() -> Path:
    """The bigger model; only for tests with the mark ``smollm``."""
    folder = _smollm_folder()
    assert folder is not None, "a test that uses this needs the mark smollm"
    return folder


def _skip(items: list[pytest.Item], mark: str, reason: str) -> None:
    skip = pytest.mark.skip(reason=reason)
    for item in items:
        if item.get_closest_marker(mark) is not None:
            item.add_marker(skip)


def _no_gpu() -> str | None:
    """Why none can be read; None where one can."""
    from foundry_tui.resources.nvml import NvmlGpuProbe

    probe = NvmlGpuProbe()
    absence = probe.sample(None).absence
    probe.close()
    return absence


def _smollm_folder() -> Path | None:
    named = os.environ.get(MODELS_VARIABLE)
    folder = Path(named) / SMOLLM if named else None
    return folder if folder is not None and folder.is_dir() else None


def _lead_folders_to(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("FOUNDRY_TUI_DATA_DIR", str(folder / "foundry-tui"))
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))


def _may_start_hosts() -> bool:
    # Listing processes costs milliseconds; most unit tests import nothing that could start one.
    return "foundry_tui.engines.hosting.hosted" in sys.modules
