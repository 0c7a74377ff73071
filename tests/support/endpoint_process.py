"""A scripted endpoint in a process of its own, whose schedule the test's event loop cannot disturb."""

import os
import pickle
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.endpoint import ScriptSource, Setting
from tests.support.record import Record

__all__ = ["EndpointProcess", "endpoint_process"]

ROOT = Path(__file__).parents[2]
END_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointProcess:
    """The endpoint as seen from outside.

    Attributes:
        url: Its address, without ``/v1``.
        pid: Its process.
    """

    url: str
    pid: int

    def record(self) -> Record:
        """What happened there so far; on Linux its clock readings compare with those taken here."""
        # No proxy of the user's may stand between two processes of one machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}/__log", timeout=END_S) as response:
            return Record.from_json(response.read().decode())


@contextmanager
def endpoint_process(
    script: ScriptSource, setting: Setting | None = None
) -> Generator[EndpointProcess, None, None]:
    """Run an endpoint beside this process for the length of the block.

    The script crosses by pickle: a callable must be a function of an importable module, and no ``Gate``
    can be in it.

    Raises:
        RuntimeError: It did not start, or did not end well; its own words are on standard error.
    """
    command = [sys.executable, "-m", "tests.support.endpoint", "--from-stdin"]
    # It must be able to import what the script names, wherever the test runner found that.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump((script, setting or Setting()), process.stdin)
            process.stdin.flush()
            url = process.stdout.readline().decode().strip()
            if not url:
                raise RuntimeError("the endpoint's process did not start")
            yield EndpointProcess(url=url, pid=process.pid)
        finally:
            process.stdin.close()
            try:
                code = process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
    if code != 0:
        raise RuntimeError(f"the endpoint's process ended with code {code}")
