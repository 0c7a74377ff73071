"""``models pull`` ended again and again at moments that nobody chose, and then left to finish."""

import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from foundry_tui.engines.downloads.allocated import allocated_bytes
from tests.support.hub import DEMO_ID, Hub, Slow, demo_model, differing, folder_of
from tests.support.processes import until_gone

if sys.platform == "win32":
    pytest.skip("its signals are those of POSIX", allow_module_level=True)

from tests.support.whole_app import PROGRAM, data_in, environment, ours_in, until

pytestmark = pytest.mark.native

MODEL = demo_model(padding_bytes=30_000_000)
TOTAL = MODEL.size_bytes
SEED = 20_261_122
FEWEST_REQUESTS = 12
"""Of a download that goes on in the middle; the lists of models are among them."""
PATIENCE_S = 60.0
CODES = {
    signal.SIGINT: 130,
    signal.SIGTERM: -signal.SIGTERM,
    signal.SIGKILL: -signal.SIGKILL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """A signal, and when it comes.

    Attributes:
        requests: After so many requests to the hub; None waits for none.
        here_bytes: When so many bytes are here, or at the next one; twice None is the moment at which all of
            the model is here and nothing of it is checked.
    """

    signal: signal.Signals
    requests: int | None = None
    here_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command line ended, and what it said."""

    code: int
    out: str
    err: str


def blows(seed: int) -> list[Blow]:
    """A dozen of them: each signal early, twice in the middle and at the end."""
    chance = random.Random(seed)
    found: list[Blow] = []
    for which in CODES:
        found.append(Blow(signal=which, requests=chance.randrange(1, FEWEST_REQUESTS)))
        found += [Blow(signal=which, here_bytes=chance.randrange(TOTAL)) for _ in range(2)]
        found.append(Blow(signal=which))
    chance.shuffle(found)
    return found


class Puller:
    """Pulls one model from one hub into one folder."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self._folder = folder
        self._hub = hub
        self.model_folder = folder_of(MODEL, data_in(folder))

    def run(self, *arguments: str) -> Ended:
        """One command line to its end."""
        with self._begin(*arguments) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return Ended(code=process.returncode, out=out, err=err)

    def struck(self, blow: Blow) -> Ended:
        """A pull that is hit by ``blow``, unless it has ended before."""
        has_come = self._moment(blow)
        with self._begin("models", "pull", DEMO_ID) as pull:
            try:
                until(lambda: has_come() or pull.poll() is not None, within_s=PATIENCE_S)
                pull.send_signal(blow.signal)
                out, err = pull.communicate(timeout=PATIENCE_S)
            finally:
                pull.kill()
        return Ended(code=pull.returncode, out=out, err=err)

    def _begin(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*PROGRAM, *arguments, *self._hub.arguments()],
            env=environment(self._folder, self._hub.environment()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def is_whole(self) -> bool:
        """Whether the runtime takes the model for downloaded."""
        folder = self.model_folder
        return (folder / "inference_model.json").exists() and not (folder / "download.tmp").exists()

    def _moment(self, blow: Blow) -> Callable[[], bool]:
        hub, requests, sent_bytes = self._hub, len(self._hub.requests), self._hub.sent_bytes(DEMO_ID)
        if blow.requests is not None:
            requests += blow.requests
            return lambda: len(hub.requests) >= requests
        if blow.here_bytes is not None:
            sent_bytes += max(1, blow.here_bytes - (allocated_bytes(self.model_folder) or 0))
            return lambda: hub.sent_bytes(DEMO_ID) >= sent_bytes
        return self.is_whole


def test_a_pull_that_is_interrupted_a_dozen_times_ends_equal_byte_for_byte(tmp_path: Path) -> None:
    ends: list[tuple[Blow, Ended]] = []
    finished: list[Ended] = []
    fetched_again: list[int] = []
    corrupt: list[str] = []
    left: list[psutil.Process] = []
    with Hub([MODEL]) as hub:
        puller = Puller(tmp_path, hub)
        hub.fault(DEMO_ID, Slow(bytes_per_s=60_000_000))
        for blow in blows(SEED):
            ends.append((blow, puller.struck(blow)))
            left += until_gone(ours_in(tmp_path))
            if puller.is_whole():
                sent_bytes = hub.sent_bytes(DEMO_ID)
                finished.append(puller.run("models", "pull", DEMO_ID))
                fetched_again.append(hub.sent_bytes(DEMO_ID) - sent_bytes)
                corrupt += differing(MODEL, puller.model_folder)
                shutil.rmtree(puller.model_folder)  # and from the beginning
        hub.mend()
        finished.append(puller.run("models", "pull", DEMO_ID))
        corrupt += differing(MODEL, puller.model_folder)
        verified = puller.run("models", "verify", DEMO_ID)
        answered = puller.run("chat", DEMO_ID, "--prompt", "What does the cow say?", "--temperature", "0")

    assert [end for blow, end in ends if end.code != CODES[blow.signal]] == []
    assert [end for _, end in ends if "Traceback" in end.err] == []
    assert left == []
    assert corrupt == []
    assert {(end.code, end.out) for end in finished} == {(0, f"{DEMO_ID} is here and sound\n")}
    assert fetched_again == [0] * len(fetched_again)
    assert len(fetched_again) >= len(CODES)
    assert verified.code == 0
    assert "moo" in answered.out
