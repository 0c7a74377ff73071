"""``foundry-tui bench``: what is measured, kept and printed, however its requests and the program end."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import psutil
import pytest

import foundry_tui
from foundry_tui.config.schema import json_schema
from tests.cli.program import COMMAND, Ended, environment, one_process, run, run_async
from tests.support.bench_schedules import PROMPT, by_model, good_model, slowly
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.processes import until_gone

TINY = Path(foundry_tui.__file__).parent / "demo" / "tiny"
STATUS_OF = {
    "good": "completed",
    "no-done": "completed",
    "http-429": "http_error",
    "http-500": "http_error",
    "error-in-stream": "stream_error",
    "error-at-once": "stream_error",
    "malformed-json": "malformed",
    "broken-utf8": "malformed",
    "early-clean-end": "early_end",
    "hangup-midway": "disconnected",
    "reset-before-headers": "disconnected",
    "bad-framing": "disconnected",
    "empty-answer": "empty",
    "runaway": "runaway",
    "stall-midway": "stalled",
    "stall-before-first": "timeout",
    "keep-alive-only": "timeout",
    "not-loaded": "not_loaded",
    "oom": "out_of_memory",
}
# What interrupted, resumed and killed runs ask for.
SLOW = ("--models", "a,b", "--prompt", PROMPT, "--rounds", "3", "--warmup", "0", "--json")


def results_in(out: str) -> dict[str, Any]:
    """The one object on stdout, checked against its schema."""
    content = json.loads(out)
    jsonschema.validate(content, json_schema("results"))
    assert isinstance(content, dict)
    return content


def timed(results: dict[str, Any]) -> "list[dict[str, Any]]":
    return [request for request in results["requests"] if request["phase"] == "timed"]


def slots(results: dict[str, Any]) -> "Counter[tuple[str, str, int]]":
    return Counter((request["model"], request["prompt_id"], request["round"]) for request in timed(results))


@asynccontextmanager
async def benching(url: str, data_dir: Path, *arguments: str) -> AsyncGenerator[Process, None]:
    """The program, measuring; killed when the block is left, if it lives."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "bench", *arguments, "--endpoint", url),
        cwd=data_dir.parent,
        env=environment(data_dir),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until_line(process: Process, part: str) -> str:
    """The first line on stderr that has ``part``."""
    assert process.stderr is not None
    while line := (await process.stderr.readline()).decode():
        if part in line:
            return line
    raise AssertionError(f"it ended without saying {part}")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def test_each_way_to_fail_is_a_status_of_its_own_and_the_other_models_are_measured(
    data_dir: Path,
) -> None:
    setting = Setting(models=tuple(STATUS_OF))
    async with scripted_endpoint(by_model, setting) as endpoint:
        end = await run_async(
            *("bench", "--endpoint", endpoint.url, "--prompt", PROMPT, "--rounds", "2", "--warmup", "0"),
            *("--timeout", "between=0.3", "--timeout", "first-token=0.3", "--json"),
            data_dir=data_dir,
        )

    results = results_in(end.out)
    assert end.code == 1
    assert results["run"]["status"] == "completed"
    assert {model["model"]: model["status"] for model in results["summary"]} == STATUS_OF
    assert {(request["model"], request["status"]) for request in timed(results)} == set(STATUS_OF.items())
    ok = {model["model"]: model["rounds_ok"] for model in results["summary"]}
    assert ok == {name: 2 if status == "completed" else 0 for name, status in STATUS_OF.items()}
    # What a timed request can meet by chance is tried a second time; what is so for good is not.
    made = Counter(request["model"] for request in timed(results))
    assert made == {name: 1 if name in ("not-loaded", "oom") else 2 for name in STATUS_OF}
    midway = next(request for request in timed(results) if request["model"] == "error-in-stream")
    assert (len(midway["chunk_ns"]), midway["text"]) == (3, "Three good pieces")
    without_done = next(request for request in timed(results) if request["model"] == "no-done")
    assert without_done["warnings"] == ["no_done"]
    assert all(
        model["ttft_s"] == {**dict.fromkeys(model["ttft_s"]), "n": 0, "p95_supported": False}
        for model in results["summary"]
        if model["status"] != "completed"
    )


async def test_every_summary_is_what_independent_code_makes_of_the_printed_readings(data_dir: Path) -> None:
    async with scripted_endpoint(good_model, Setting(models=("a", "b"))) as endpoint:
        end = await run_async(
            *("bench", "--endpoint", endpoint.url, "--prompt", PROMPT, "--rounds", "8", "--json"),
            data_dir=data_dir,
        )

    results = results_in(end.out)
    assert end.code == 0
    for summary in results["summary"]:
        own = [request for request in timed(results) if request["model"] == summary["model"]]
        assert summary["rounds_ok"] == len(own) == 8
        sent = np.array([request["sent_ns"] for request in own])
        stamps = [np.array(request["chunk_ns"]) for request in own]
        tokens = np.array([request["completion_tokens"] for request in own])
        first, last = (np.array([stamp[place] for stamp in stamps]) for place in (0, -1))
        pieces = np.array([len(stamp) for stamp in stamps])
        # Chunks that came with the first one belong to the wait for it.
        at_once = np.array([int(np.sum(stamp == stamp[0])) for stamp in stamps])
        expected = {
            "ttft_s": (first - sent) / 1e9,
            "latency_s": (last - sent) / 1e9,
            # On a busy machine a whole answer may come in one read: between its tokens nothing was seen.
            "decode_tokens_per_s": ((tokens - tokens / pieces * at_once)[last > first])
            / ((last - first)[last > first] / 1e9),
            "end_to_end_tokens_per_s": tokens / ((last - sent) / 1e9),
        }
        for name, values in expected.items():
            found = summary[name]
            assert (found["n"], found["p95_supported"]) == (len(values), False)
            if not len(values):
                continue
            assert (found["min"], found["max"]) == pytest.approx((values.min(), values.max()), rel=1e-9)
            assert found["mean"] == pytest.approx(values.mean(), rel=1e-9)
            assert found["median"] == pytest.approx(np.median(values), rel=1e-9)
            assert found["p95"] == pytest.approx(np.percentile(values, 95), rel=1e-9)
        gaps = np.concatenate([np.diff(stamp) for stamp in stamps]) / 1e9
        assert summary["gap_s"]["kind"] == "token"
        assert summary["gap_s"]["n"] == len(gaps)
        assert summary["gap_s"]["mean"] == pytest.approx(gaps.mean(), rel=1e-9)
        assert (summary["gap_s"]["min"], summary["gap_s"]["max"]) == pytest.approx((gaps.min(), gaps.max()))
        if not summary["gap_s"]["withheld"]:
            assert summary["gap_s"]["median"] == pytest.approx(np.median(gaps), rel=1e-9)
            assert summary["gap_s"]["p95"] == pytest.approx(np.percentile(gaps, 95), rel=1e-9)
        prompts = np.array([request["prompt_tokens"] for request in own])
        assert summary["legacy_tokens_per_s"] == pytest.approx(
            np.mean((prompts + tokens) / ((last - sent) / 1e9)), rel=1e-9
        )


async def test_a_run_that_was_killed_goes_on_and_makes_each_request_once(data_dir: Path) -> None:
    async with scripted_endpoint(slowly, Setting(models=("a", "b"))) as endpoint:
        lives = 0
        arguments: tuple[str, ...] = SLOW
        for last_seen in ("[1/6]", "[3/6]", "[4/6]"):
            async with benching(endpoint.url, data_dir, *arguments) as process:
                await until_line(process, last_seen)
                process.kill()
                lives += 1
            arguments = ("--resume", "last", "--json")
        died = await run_async("runs", "list", "--json", data_dir=data_dir)

        end = await run_async(
            "bench", "--resume", "last", "--json", "--endpoint", endpoint.url, data_dir=data_dir
        )
        again = await run_async("bench", "--resume", "last", "--json", data_dir=data_dir)

    results = results_in(end.out)
    (listed,) = json.loads(died.out)["runs"]
    assert lives == 3
    assert (listed["status"], listed["planned"]) == ("interrupted", 6)
    assert (end.code, results["run"]["status"]) == (0, "completed")
    assert slots(results) == {(model, "p1", number): 1 for model in "ab" for number in (1, 2, 3)}
    assert [request["number"] for request in results["requests"]] == list(
        range(1, len(results["requests"]) + 1)
    )
    # What is complete is printed once more; nothing is asked, no engine is needed.
    assert (again.code, results_in(again.out)) == (0, results)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
async def test_an_interrupted_run_prints_what_there_is_and_says_how_it_goes_on(data_dir: Path) -> None:
    written = data_dir.parent / "out" / "benchmark_report.json"
    out_dir = ("--out", str(written.parent))
    async with scripted_endpoint(slowly, Setting(models=("a", "b"))) as endpoint:
        async with benching(endpoint.url, data_dir, *SLOW, *out_dir) as process:
            await until_line(process, "[2/6]")
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            out, err = await process.communicate()
            code = process.returncode
        run_id = results_in(out.decode())["run"]["id"]
        partly = results_in(written.read_text())
        end = await run_async(
            *("bench", "--resume", run_id[:8], "--json", "--endpoint", endpoint.url, *out_dir),
            data_dir=data_dir,
        )

    results = results_in(out.decode())
    # What an earlier life of the same run wrote is its own to replace.
    assert partly == results
    assert results_in(written.read_text()) == results_in(end.out)
    assert code == 130
    assert until_gone(children) == []
    assert results["run"]["status"] == "interrupted"
    assert len(timed(results)) == 2
    assert {model["status"] for model in results["summary"]} == {"cancelled"}
    assert f"bench --resume {run_id[:8]}" in err.decode()
    assert b"Traceback" not in err
    assert end.code == 0
    assert set(slots(results_in(end.out)).values()) == {1}


async def test_a_server_that_goes_away_ends_the_run_which_goes_on_when_it_is_back(data_dir: Path) -> None:
    async with AsyncExitStack() as server:
        endpoint = await server.enter_async_context(scripted_endpoint(slowly, Setting(models=("a", "b"))))
        async with benching(endpoint.url, data_dir, *SLOW) as process:
            # Three requests of each model before, then the third timed one.
            await endpoint.until(lambda: len(endpoint.written("role")) == 9)
            await server.aclose()
            out, err = await process.communicate()

        broken = results_in(out.decode())
        async with scripted_endpoint(slowly, Setting(models=("a", "b"))) as back:
            end = await run_async(
                "bench", "--resume", "last", "--json", "--endpoint", back.url, data_dir=data_dir
            )

    assert process.returncode == 3
    assert b"check the address" in err
    assert broken["run"]["status"] == "interrupted"
    # What was under way is kept as it ended; what could not be asked is not a request.
    assert [request["status"] for request in timed(broken)][2:] == ["disconnected"]
    assert set(slots(results_in(end.out)).values()) == {1}
    assert len(slots(results_in(end.out))) == 6
    assert end.code == 1


async def test_what_is_sent_is_what_options_plan_and_variables_say(data_dir: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"models": ["a"], "rounds": 1, "max_tokens": 9, "temperature": null, "warmup": 0}')
    async with scripted_endpoint(good_model, Setting(models=("a", "b"))) as endpoint:
        await run_async(
            *("bench", "--plan", str(plan), "--seed", "5", "--endpoint", endpoint.url),
            data_dir=data_dir,
            extra={"BENCH_PROMPT": "From the environment?", "BENCH_MAX_TOKENS": "77", "BENCH_ROUNDS": "4"},
        )
        chats = [request.body for request in endpoint.requests if request.path.endswith("completions")]
        await run_async(
            *("bench", "--deterministic", "--warmup", "0", "--rounds", "1", "--endpoint", endpoint.url),
            data_dir=data_dir,
            extra={"BENCH_MODELS": " b , ", "BENCH_TEMPERATURE": "0.9"},
        )
        last = endpoint.requests[-1].body

    body = chats[-1]
    assert len(chats) == 4  # a probe, two for calibration, one that is timed
    assert body["model"] == "a"
    assert body["messages"] == [{"role": "user", "content": "From the environment?"}]
    assert (body["max_tokens"], body["seed"], "temperature" in body) == (9, 5, False)
    assert (last["model"], last["temperature"], last["seed"]) == ("b", 0.0, 7)
    assert last["messages"] == [
        {"role": "user", "content": "Explain retrieval augmented generation briefly."}
    ]


async def test_a_results_file_is_a_plan_that_repeats_it(data_dir: Path, tmp_path: Path) -> None:
    async with scripted_endpoint(good_model, Setting(models=("a", "b"))) as endpoint:
        arguments = ("bench", "--endpoint", endpoint.url, "--json")
        first = await run_async(
            *(*arguments, "--models", "b", "--prompt", PROMPT, "--rounds", "2", "--deterministic"),
            data_dir=data_dir,
        )
        (tmp_path / "first.json").write_text(first.out)
        second = await run_async(*arguments, "--plan", str(tmp_path / "first.json"), data_dir=data_dir)

    before, after = results_in(first.out)["run"], results_in(second.out)["run"]
    assert before["plan"] == after["plan"]
    assert before["id"] != after["id"]
    assert results_in(first.out)["summary"][0]["certificate"]["grade"] == "D2"


async def test_files_are_written_beside_the_output_and_never_over_others(
    data_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    async with scripted_endpoint(good_model, Setting(models=("a",))) as endpoint:
        arguments = ("bench", "--endpoint", endpoint.url, "--rounds", "1", "--out", str(folder))
        first = await run_async(*arguments, data_dir=data_dir)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        asked = len(endpoint.requests)
        second = await run_async(*arguments, data_dir=data_dir)
        after = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert len(endpoint.requests) == asked
        third = await run_async(*arguments, "--force", data_dir=data_dir)

    assert (first.code, second.code, third.code) == (0, 2, 0)
    assert sorted(before) == [
        "benchmark_models.csv",
        "benchmark_report.html",
        "benchmark_report.json",
        "benchmark_report.md",
        "benchmark_requests.csv",
    ]
    assert before == after
    assert "nothing was begun" in second.err
    results_in((folder / "benchmark_report.json").read_text())
    report = (folder / "benchmark_report.md").read_text()
    assert "|Model|Avg Latency (s)|p95 (s)|Tokens/sec|Rounds|First Token (s)|" in report
    assert "(n=1)" in report


async def test_a_dry_run_asks_nothing_and_keeps_nothing(data_dir: Path) -> None:
    async with scripted_endpoint(good_model, Setting(models=("a", "b"))) as endpoint:
        end = await run_async("bench", "--dry-run", "--json", "--endpoint", endpoint.url, data_dir=data_dir)
        asked = [request.path for request in endpoint.requests if request.method == "POST"]
        listed = await run_async("runs", "list", "--json", data_dir=data_dir)

    content = json.loads(end.out)
    jsonschema.validate(content, json_schema("bench-plan"))
    assert (end.code, asked, json.loads(listed.out)["runs"]) == (0, [], [])
    assert content["model_ids"] == {"a": "a", "b": "b"}
    assert (content["timed_requests"], content["requests_before"]) == (6, 8)


BAD_LINES = (
    (("--rounds", "0"), "--rounds"),
    (("--models", " , "), "--models"),
    (("--temperature", "3"), "--temperature"),
    (("--concurrency", "65"), "--concurrency"),
    (("--prompt", " "), "--prompt is empty"),
    (("--prompts", "nowhere.json"), "nowhere.json: no such file"),
    (("--prompts", "broken.json"), "broken.json: line 1, column 14"),
    (("--plan", "wrong.json"), "wrong.json: /rounds: expected a number from 1 up, found 0"),
    (("--plan", "stray.json"), "stray.json: /prompts/0"),
    (("--deterministic", "--temperature", "0.5"), "temperature 0"),
    (("--max-rounds", "9"), "--precision"),
    (("--prompt", "a", "--prompts", "broken.json"), "exclude each other"),
    (("--resume", "ffff"), "no run 'ffff'"),
    (("--resume", "ffff", "--rounds", "2"), "--rounds"),
)


def test_bad_input_is_named_with_its_place_and_nothing_is_begun(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    (tmp_path / "broken.json").write_text('{"prompts": [}')
    (tmp_path / "wrong.json").write_text('{"rounds": 0}')
    (tmp_path / "stray.json").write_text('{"prompts": ["x"], "prompt_set": [{"id": "y", "text": "Why?"}]}')
    # Nobody listens there: whoever gets so far ends with 3.
    away = ("--endpoint", "http://127.0.0.1:9")
    lines = [
        ("bench", *(str(tmp_path / part) if part.endswith(".json") else part for part in line), *away)
        for line, _ in BAD_LINES
    ]

    ends = one_process(lines, data_dir=data_dir)

    for end, (line, said) in zip(ends, BAD_LINES, strict=True):
        assert (end.code, end.out) == (2, ""), line
        assert said in end.err, line


@pytest.mark.parametrize(
    ("name", "value"), [("BENCH_ROUNDS", "0"), ("BENCH_MAX_TOKENS", "many"), ("BENCH_TEMPERATURE", "nan")]
)
def test_a_variable_that_cannot_be_used_is_named(data_dir: Path, name: str, value: str) -> None:
    end = run("bench", "--endpoint", "http://127.0.0.1:9", data_dir=data_dir, extra={name: value})

    assert (end.code, end.out) == (2, "")
    assert f"{name} must be" in end.err


def test_a_server_that_is_not_there_is_unreachable(data_dir: Path) -> None:
    end = run("bench", "--endpoint", "http://127.0.0.1:9", "--models", "x", data_dir=data_dir)

    assert (end.code, end.out) == (3, "")


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> list[Ended]:
    """Two registrations of the bundled model on the real runtime: all of it, and one that is not there."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "prompts.json").write_text('["Hello!", "What is RAG?"]')
    prompts = ("--prompts", str(folder / "prompts.json"))
    lines = (
        ("models", "register", str(TINY), "--id", "tiny-own:1"),
        ("models", "register", str(TINY), "--id", "tiny-two:1"),
        ("bench", *prompts, "--rounds", "2", "--deterministic", "--json"),
        ("bench", "--models", "nobody,tiny-own", "--rounds", "1", "--json"),
        ("bench", "--resume", "last", "--json"),
    )
    return one_process([(*line, "--offline") for line in lines], data_dir=folder / "data")


@pytest.mark.native
def test_every_chat_model_of_the_real_runtime_is_loaded_graded_and_timed(managed: list[Ended]) -> None:
    end = managed[2]

    results = results_in(end.out)
    assert end.code == 0
    assert results["run"]["plan"]["models"] == ["tiny-own:1", "tiny-two:1"]
    assert slots(results) == {
        (model, prompt, number): 1
        for model in ("tiny-own:1", "tiny-two:1")
        for prompt in ("p1", "p2")
        for number in (1, 2)
    }
    assert results["run"]["clock"]["path"] == "managed"
    assert results["run"]["environment"]["engine"] == "managed"
    for summary in results["summary"]:
        assert (summary["status"], summary["rounds_ok"]) == ("completed", 4)
        assert summary["load_s"] > 0
        assert summary["peak_rss_bytes"] > 50_000_000
        assert summary["certificate"]["grade"] == "D3"
        assert summary["facts"]["execution_provider"] == "CPUExecutionProvider"
    for request in results["requests"]:
        readings = [request["call_ns"], request["sent_ns"], request["headers_ns"], *request["chunk_ns"]]
        assert all(earlier <= later for earlier, later in pairwise([*readings, request["end_ns"]]))
        assert request["token_source"] == "usage"


@pytest.mark.native
def test_a_model_that_is_not_there_is_skipped_with_the_reason_and_the_next_one_is_measured(
    managed: list[Ended],
) -> None:
    end, again = managed[3], managed[4]

    results = results_in(end.out)
    assert end.code == again.code == 1
    assert [(model["model"], model["status"]) for model in results["summary"]] == [
        ("nobody", "skipped"),
        ("tiny-own", "completed"),
    ]
    assert "nobody" in results["summary"][0]["reason"]
    assert results["summary"][1]["model_id"] == "tiny-own:1"
    assert results_in(again.out) == results
