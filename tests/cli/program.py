"""The real program: one process for one command line, or one for several where each would start the same."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Ended", "environment", "one_process", "run", "run_async", "two_processes"]

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60.0
# A warning, such as a file that was left open, ends the program like the mistake it is.
COMMAND = (sys.executable, "-W", "error", "-m", "foundry_tui")

# Each command line goes through main() as it does in a process of its own; what it prints is kept apart.
_SEVERAL = """
import contextlib, io, json, sys
from foundry_tui.cli.main import main
results = []
for arguments in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = int(main(arguments))
        except SystemExit as end:
            code = end.code
    results.append([code, out.getvalue(), err.getvalue()])
sys.stdout.write(json.dumps(results))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command line ended."""

    code: int
    out: str
    err: str


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, with the program's data in ``folder``; it must be importable from anywhere."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    # A buffer between the program and its pipe, as users have it: a closed pipe then shows late.
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {
        **ours,
        "FOUNDRY_TUI_DATA_DIR": str(folder),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONIOENCODING": "utf-8",
        **(extra or {}),
    }


def run(
    *arguments: str, data_dir: Path, stdin: str | None = None, extra: Mapping[str, str] | None = None
) -> Ended:
    """Run one command line in a process of its own, away from any ``./config``."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=data_dir.parent,
        env=environment(data_dir, extra),
        input="" if stdin is None else stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )
    return Ended(code=done.returncode, out=done.stdout, err=done.stderr)


async def run_async(
    *arguments: str, data_dir: Path, stdin: str | None = None, extra: Mapping[str, str] | None = None
) -> Ended:
    """The same beside a running event loop, such as that of a scripted endpoint."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        cwd=data_dir.parent,
        env=environment(data_dir, extra),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(TIMEOUT_S):
        out, err = await process.communicate((stdin or "").encode())
    assert process.returncode is not None
    return Ended(code=process.returncode, out=out.decode(), err=err.decode())


def one_process(lines: Sequence[Sequence[str]], *, data_dir: Path) -> list[Ended]:
    """Run several command lines one after the other in one process; their ends in that order."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _SEVERAL, json.dumps(lines)],
        cwd=data_dir.parent,
        env=environment(data_dir),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Ended(code=code, out=out, err=err) for code, out, err in json.loads(done.stdout)]


def two_processes(lines: Sequence[Sequence[str]], *, data_dir: Path) -> list[Ended]:
    """The same in two processes at once, for command lines that do not depend on each other."""
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda half: one_process(half, data_dir=data_dir), (lines[::2], lines[1::2])))
    return [ends[number % 2][number // 2] for number in range(len(lines))]
