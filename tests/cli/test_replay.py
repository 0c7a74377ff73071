"""``foundry-tui replay``: a recorded answer on stdout at its pace, the talk on stderr."""

import asyncio
import json
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.cli.replay import play
from foundry_tui.domain.bench import RequestRun, RunStatus
from foundry_tui.domain.chat import ChunkKind, Outcome
from foundry_tui.reports.results import results_json, results_object
from tests.cli.program import COMMAND, environment, one_process
from tests.support.recorded import DEMO
from tests.support.runs import a_run
from tests.support.timed import MS, request, trace

STORY = "The capital of France is Paris."


def cow(number: int = 1, *, model: str = "alpha") -> RequestRun:
    made = trace([20, 400, 20], ttft_ms=100, completion=4)
    texts = ("The ", "cow\r", "\nsays ", "moo.")
    chunks = tuple(replace(chunk, text=text) for chunk, text in zip(made.chunks, texts, strict=True))
    return request(number, replace(made, chunks=chunks, end_ns=1600 * MS), model=model)


def saved(path: Path, *requests: RequestRun) -> str:
    finished = replace(a_run(), status=RunStatus.COMPLETED)
    path.write_text(results_json(results_object(finished, requests)))
    return str(path)


class Clock:
    """Goes on only by what is slept."""

    def __init__(self) -> None:
        self.s = 50.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.s += seconds


async def test_the_text_comes_when_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()

    await play(cow(), 1.0, sleep=clock.sleep, clock_s=clock)

    out, err = capsys.readouterr()
    assert clock.slept == pytest.approx([0.1, 0.02, 0.4, 0.02, 0.06])
    assert out == "The cow\nsays moo.\n"
    assert err.splitlines()[:2] == [
        "request 1: timed, prompt p1, round 1 · alpha, at 1x",
        "a stall of 400 ms, 120 ms after it was sent, before chunk 3",
    ]
    assert err.splitlines()[2].startswith("TTFT 100 ms · ")


@pytest.mark.parametrize(("speed", "total_s"), [(4.0, 0.15), (0.25, 2.4), (float("inf"), 0.0)])
async def test_its_speed_can_be_chosen(
    speed: float, total_s: float, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()

    await play(cow(), speed, sleep=clock.sleep, clock_s=clock)

    assert sum(clock.slept) == pytest.approx(total_s)
    assert capsys.readouterr().out == "The cow\nsays moo.\n"


async def test_what_printing_takes_does_not_add_up() -> None:
    clock = Clock()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        clock.s += 0.005  # a slow terminal

    await play(cow(), 1.0, sleep=sleep, clock_s=clock)

    assert clock.s == pytest.approx(50.6, abs=0.006)


async def test_reasoning_is_left_out_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    thought = trace([10.0], kind=ChunkKind.REASONING)

    await play(request(1, thought), 1.0, sleep=clock.sleep, clock_s=clock)

    out, err = capsys.readouterr()
    assert out == ""
    assert "2 chunks of reasoning or tool calls are not shown" in err


async def test_a_failed_request_says_what_came_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    refused = replace(trace(outcome=Outcome.HTTP_ERROR, has_text=False), error="HTTP 503: busy\x1b[31m")
    broken = replace(cow().trace, outcome=Outcome.DISCONNECTED, error="reset")

    await play(request(1, refused), 1.0, sleep=clock.sleep, clock_s=clock)
    await play(request(2, broken), 1.0, sleep=clock.sleep, clock_s=clock)

    out, err = capsys.readouterr()
    assert out == "The cow\nsays moo.\n"
    assert "with the status http error: HTTP 503: busy␛[31m" in err
    assert "it ended as disconnected: reset" in err


def test_a_file_is_listed_and_played(tmp_path: Path) -> None:
    file = saved(tmp_path / "run.json", cow(1), cow(2, model="beta\x1b[31m"), cow(3))
    lines = [
        ("replay", file, "--list"),
        ("replay", file, "--list", "--model", "alpha"),
        ("replay", file, "--speed", "max"),
        ("replay", file, "--request", "3", "--speed", "1000"),
        ("replay", file, "--request", "9"),
        ("replay", file, "--model", "gamma"),
        ("replay", str(DEMO), "--speed", "max"),
    ]

    ends = one_process(lines, data_dir=tmp_path / "data")

    listed, own, first, third, absent, nobody, demo = ends
    assert [line.split()[0] for line in listed.out.splitlines()] == ["#", "1", "2", "3"]
    assert "\x1b" not in listed.out
    assert [line.split()[0] for line in own.out.splitlines()] == ["#", "1", "3"]
    assert (first.code, first.out) == (0, "The cow\nsays moo.\n")
    assert "request 1: timed" in first.err
    assert "request 3: timed" in third.err
    assert (absent.code, absent.out, "no request 9" in absent.err) == (2, "", True)
    assert (nobody.code, "it asked alpha, beta" in nobody.err) == (2, True)
    assert (demo.code, demo.out) == (0, f"{STORY}\n")
    assert not (tmp_path / "data").exists()  # a file is played without a store


def test_a_run_that_is_kept_is_played_by_its_id(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    run_id = json.loads(DEMO.read_text(encoding="utf-8"))["run"]["id"]

    ends = one_process(
        [
            ("runs", "import", str(DEMO)),
            ("replay", "last", "--speed", "max"),
            ("replay", run_id[:8], "--speed", "max", "--request", "1"),
            ("replay", "nosuch"),
        ],
        data_dir=data_dir,
    )

    _, last, probe, unknown = ends
    assert last.out == f"{STORY}\n"
    assert "request 1: probe" in probe.err
    assert (unknown.code, "no run 'nosuch'" in unknown.err) == (2, True)


def test_what_cannot_be_played_is_named_and_nothing_is_printed(tmp_path: Path) -> None:
    broken, averages = tmp_path / "broken.json", tmp_path / "workshop.json"
    broken.write_text("[{")
    averages.write_text('[{"alias": "a", "latency_avg": 1}]')
    speeds = ("0", "-1", "nan", "inf", "1e9", "fast")
    lines = [
        *[("replay", str(tmp_path / name)) for name in ("gone.json", "broken.json", "workshop.json")],
        *[("replay", str(DEMO), f"--speed={speed}") for speed in speeds],
    ]

    gone, unread, empty, *refused = one_process(lines, data_dir=tmp_path / "data")

    ends = [gone, unread, empty, *refused]
    assert [(end.code, end.out) for end in ends] == [(2, "")] * 9
    assert "no such file" in gone.err
    assert "broken.json" in unread.err
    assert "nothing of this run can be played" in empty.err
    assert all("a number from 0.01 to 1000, or max" in end.err for end in refused)


def test_help_has_an_example(tmp_path: Path) -> None:
    (end,) = one_process([("replay", "--help")], data_dir=tmp_path / "data")

    assert (end.code, "example: foundry-tui replay last --request 12 --speed 4" in end.out) == (0, True)


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to one process there")
async def test_ctrl_c_ends_it_with_130_and_what_came_is_on_stdout(tmp_path: Path) -> None:
    slow = trace([10.0, 60_000.0], ttft_ms=10, text="word ")
    file = saved(tmp_path / "run.json", request(1, slow, model="alpha"))
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "replay", file),
        env=environment(tmp_path / "data"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None

    async with asyncio.timeout(30):
        came = await process.stdout.readexactly(len("word word "))
        process.send_signal(signal.SIGINT)
        rest, err = await process.communicate()

    assert (came, rest) == (b"word word ", b"\n")
    assert process.returncode == 130
    assert b"Traceback" not in err


@pytest.mark.skipif(os.name == "nt", reason="no such pipe there")
def test_a_reader_that_leaves_ends_it_quietly(tmp_path: Path) -> None:
    words = trace([1.0] * 20_000, ttft_ms=1, text="a word and another ")
    file = saved(tmp_path / "run.json", request(1, words, model="alpha"))
    process = subprocess.Popen(
        [*COMMAND, "replay", file, "--speed", "max"],
        env=environment(tmp_path / "data"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None

    process.stdout.read(100)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert process.wait(timeout=30) == 0
    assert b"Traceback" not in err
