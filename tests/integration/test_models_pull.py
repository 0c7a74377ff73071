"""``models pull`` as a user runs it: from the hub, by the real runtime, onto a real disk."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.program import COMMAND, Ended, environment, run
from tests.support.downloading import no_downloader_left
from tests.support.hub import DEMO_ID, Hub, Slow, demo_model, differing, folder_of

pytestmark = pytest.mark.native
PATIENCE_S = 60.0
PADDING_BYTES = 24_000_000


@contextmanager
def offered() -> Iterator[Hub]:
    """A hub with the model that really answers, large enough to be interrupted."""
    with Hub([demo_model(padding_bytes=PADDING_BYTES)]) as hub:
        yield hub


def foundry_tui(hub: Hub, folder: Path, *arguments: str) -> Ended:
    return run(*arguments, *hub.arguments(), data_dir=folder, extra=hub.environment())


def is_equal_in(folder: Path, hub: Hub) -> bool:
    (model,) = hub.models
    return differing(model, folder_of(model, folder)) == []


def test_a_model_is_pulled_checked_repaired_and_removed(tmp_path: Path) -> None:
    with offered() as hub, no_downloader_left():
        pulled = foundry_tui(hub, tmp_path, "models", "pull", "tiny-hub")
        is_equal = is_equal_in(tmp_path, hub)
        verified = foundry_tui(hub, tmp_path, "models", "verify")
        answered = foundry_tui(
            hub, tmp_path, "chat", DEMO_ID, "--prompt", "What does the cow say?", "--temperature", "0"
        )
        weights = folder_of(hub.models[0], tmp_path) / "model.onnx"
        data = bytearray(weights.read_bytes())
        data[5_000] ^= 1
        weights.write_bytes(data)
        damaged = foundry_tui(hub, tmp_path, "models", "verify")
        refused = foundry_tui(hub, tmp_path, "chat", DEMO_ID, "--prompt", "Hi")
        repaired = foundry_tui(hub, tmp_path, "models", "pull", DEMO_ID)
        is_whole_again = is_equal_in(tmp_path, hub)
        removed = foundry_tui(hub, tmp_path, "models", "remove", DEMO_ID)

    assert (pulled.code, pulled.out) == (0, f"{DEMO_ID} is here and sound\n")
    assert "licence MIT" in pulled.err
    assert is_equal
    assert verified.code == 0
    assert "moo" in answered.out
    assert damaged.code == 1
    assert "model.onnx" in damaged.out
    assert refused.code == 1
    assert "model.onnx" in refused.err
    assert repaired.code == 0
    assert is_whole_again
    assert removed.code == 0
    assert "became free" in removed.out


def test_ctrl_c_leaves_a_partial_that_the_same_command_goes_on_with(tmp_path: Path) -> None:
    with offered() as hub, no_downloader_left():
        hub.fault(DEMO_ID, Slow(bytes_per_s=4_000_000))
        pull = [*COMMAND, "models", "pull", DEMO_ID, *hub.arguments()]
        running = subprocess.Popen(
            pull,
            env=environment(tmp_path, hub.environment()),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            hub.wait_sent(DEMO_ID, at_least_bytes=4_000_000)
            running.send_signal(signal.SIGINT)
            out, _ = running.communicate(timeout=PATIENCE_S)
        finally:
            running.kill()
            running.wait()
        is_here_already = (folder_of(hub.models[0], tmp_path) / "download.tmp").exists()
        hub.mend(DEMO_ID)
        again = foundry_tui(hub, tmp_path, "models", "pull", DEMO_ID)
        is_equal = is_equal_in(tmp_path, hub)

    assert (running.returncode, out) == (130, b"")
    assert is_here_already
    assert again.code == 0
    assert is_equal


def test_a_licence_that_the_settings_deny_is_not_fetched_unless_it_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text('[licenses]\ndeny = "MIT"\n')
    config = ("--config", str(tmp_path / "config"))
    with Hub([demo_model()]) as hub, no_downloader_left():
        denied = foundry_tui(hub, tmp_path, "models", "pull", DEMO_ID, *config)
        fetched = hub.sent_bytes(DEMO_ID)
        accepted = foundry_tui(hub, tmp_path, "models", "pull", DEMO_ID, "--accept-license", *config)

    assert (denied.code, denied.out) == (2, "")
    assert "licenses.deny" in denied.err
    assert fetched == 0
    assert accepted.code == 0
