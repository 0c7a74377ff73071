"""``foundry-tui chat``: what is asked, what is printed, what is recorded, and how it ends."""

import asyncio
import hashlib
import json
import os
import signal
import socket
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest

import foundry_tui
from foundry_tui.config.schema import json_schema
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.storage import FileLock
from tests.cli.program import COMMAND, environment, run, run_async
from tests.support import faults
from tests.support.endpoint import DEFAULT_MODEL, Setting, scripted_endpoint
from tests.support.processes import until_gone
from tests.support.script import Headers, HoldOpen, Role, Script, Text, answer

TINY = Path(foundry_tui.__file__).parent / "demo" / "tiny"
HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;pwned\x07",
    " [bold]x[/bold] \x9b2J",
    "\u202e",
    "line\r",
    "\nend\r",
    "x\x00",
)
# As the contract lists them.
FIELDS = (
    *("model", "model_id", "response_id", "prompt_id", "round", "phase", "status", "warnings", "error"),
    *("call_ns", "sent_ns", "headers_ns", "role_ns", "chunk_ns", "chunk_kind", "chunk_chars", "end_ns"),
    *("prompt_tokens", "completion_tokens", "estimated_tokens", "token_source", "finish_reason"),
    *("text", "text_sha256", "peak_rss_bytes", "peak_vram_bytes", "energy_j"),
)


def request_in(out: str) -> dict[str, Any]:
    """The one object on stdout, checked against its schema."""
    content = json.loads(out)
    schema = json_schema("results")["properties"]
    assert isinstance(schema, dict)
    jsonschema.validate(content, schema["requests"]["items"])
    assert isinstance(content, dict)
    assert tuple(content) == FIELDS
    return content


def readings_of(request: dict[str, Any]) -> list[int]:
    names = ("call_ns", "sent_ns", "headers_ns", "role_ns")
    return [*(request[name] for name in names), *request["chunk_ns"], request["end_ns"]]


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.native
def test_the_bundled_model_answers_by_its_alias_and_every_reading_is_recorded(data_dir: Path) -> None:
    register = run("models", "register", str(TINY), "--id", "tiny-own:1", "--offline", data_dir=data_dir)
    end = run(
        *("chat", "tiny-own", "--prompt", "Hello!", "--temperature", "0", "--json", "--offline"),
        data_dir=data_dir,
    )

    assert register.code == 0
    assert end.code == 0
    request = request_in(end.out)
    readings = readings_of(request)
    assert (request["model"], request["model_id"]) == ("tiny-own", "tiny-own:1")
    assert (request["status"], request["finish_reason"], request["error"]) == ("completed", "stop", None)
    assert request["token_source"] == "usage"
    assert request["completion_tokens"] > 0
    assert request["prompt_tokens"] > 0
    assert request["estimated_tokens"] is None
    assert all(earlier <= later for earlier, later in pairwise(readings))
    assert sum(request["chunk_chars"]) == len(request["text"]) > 0
    assert request["text_sha256"] == hashlib.sha256(request["text"].encode()).hexdigest()
    assert end.err.splitlines()[0] == "loading tiny-own:1 …"


async def test_what_another_process_measures_is_not_disturbed(tmp_path: Path) -> None:
    data_dir = tmp_path
    elsewhere = EngineLease(FileLock(data_dir / "measurement.lock"))
    async with scripted_endpoint(answer(["ok"])) as endpoint:
        arguments = ("chat", "scripted", "--prompt", "hi", "--endpoint", f"{endpoint.url}/v1/")
        with elsewhere.measure("benchmark 7"):
            during = await run_async(*arguments, data_dir=data_dir)
            asked = [request.path for request in endpoint.requests if request.path.endswith("completions")]
        after = await run_async(*arguments, data_dir=data_dir)

    assert (during.code, during.out, asked) == (1, "", [])
    assert f"the engine is in use: benchmark 7, process {os.getpid()}" in during.err
    assert (after.code, after.out) == (0, "ok\n")


async def test_an_answer_goes_to_stdout_and_its_numbers_to_stderr(data_dir: Path) -> None:
    async with scripted_endpoint(answer(["Hel", "lo"], gap_ms=20)) as endpoint:
        end = await run_async(
            *("chat", "scripted", "--prompt", "hi", "--system", "Be brief.", "--max-tokens", "7"),
            *("--temperature", "0.5", "--seed", "3", "--endpoint", f"{endpoint.url}/v1/"),
            data_dir=data_dir,
        )

    body = endpoint.requests[-1].body
    assert (end.code, end.out) == (0, "Hello\n")
    assert end.err.startswith("TTFT ")
    assert end.err.endswith(" · stop\n")
    assert body["model"] == DEFAULT_MODEL
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (7, 0.5, 3)


async def test_a_piped_prompt_is_sent_whole_and_exactly_with_or_without_a_dash(data_dir: Path) -> None:
    prompt = "first line\n\n  zweite Zeile — 你好\n"
    async with scripted_endpoint(answer(["ok"])) as endpoint:
        asked = ("chat", DEFAULT_MODEL, "--endpoint", endpoint.url)

        ends = await asyncio.gather(
            run_async(*asked, data_dir=data_dir, stdin=prompt),
            run_async(*asked, "--prompt", "-", data_dir=data_dir, stdin=prompt),
        )

    sent = [request.body for request in endpoint.requests if request.method == "POST"]
    assert [(end.code, end.out) for end in ends] == [(0, "ok\n"), (0, "ok\n")]
    assert [body["messages"] for body in sent] == [[{"role": "user", "content": prompt}]] * 2
    assert "temperature" not in sent[0]


async def test_a_hostile_answer_is_harmless_on_stdout_and_exact_as_json(data_dir: Path) -> None:
    async with scripted_endpoint(answer(HOSTILE, gap_ms=5)) as endpoint:
        asked = ("chat", DEFAULT_MODEL, "--prompt", "hi", "--endpoint", endpoint.url)

        plain, recorded = await asyncio.gather(
            run_async(*asked, data_dir=data_dir), run_async(*asked, "--json", data_dir=data_dir)
        )

    text = "".join(HOSTILE)
    request = request_in(recorded.out)
    assert plain.out == "␛[31mred␛[0m␛]0;pwned␇ [bold]x[/bold] \ufffd2J\ufffdline\nend\nx␀\n"
    assert request["text"] == text
    assert request["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert request["chunk_chars"] == [len(piece) for piece in HOSTILE]
    assert recorded.out.isascii()
    assert not any(ord(character) < 0x20 and character != "\n" for character in recorded.out)


async def test_a_broken_answer_ends_with_one_and_what_had_arrived_is_kept(data_dir: Path) -> None:
    async with scripted_endpoint(faults.error_in_stream()) as endpoint:
        end = await run_async(
            "chat", DEFAULT_MODEL, "--prompt", "hi", "--json", "--endpoint", endpoint.url, data_dir=data_dir
        )

    request = request_in(end.out)
    assert (end.code, end.err) == (1, "foundry-tui: the server broke off with: Inference failed\n")
    assert (request["status"], request["text"]) == ("stream_error", "Three good pieces")
    assert request["error"] == "the server broke off with: Inference failed"
    assert len(request["chunk_ns"]) == 3


async def test_an_unknown_model_ends_with_two_and_names_close_ones(data_dir: Path) -> None:
    async with scripted_endpoint(answer(["x"])) as endpoint:
        end = await run_async(
            "chat", "script", "--prompt", "hi", "--endpoint", endpoint.url, data_dir=data_dir
        )

    assert (end.code, end.out) == (2, "")
    assert end.err == f"foundry-tui: no model 'script'\n  → did you mean {DEFAULT_MODEL}?\n"
    assert not any(request.method == "POST" for request in endpoint.requests)


def test_an_endpoint_where_nobody_listens_ends_with_three(data_dir: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take the port
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"

        end = run("chat", "m", "--prompt", "hi", data_dir=data_dir, extra={"FOUNDRY_LOCAL_ENDPOINT": url})

    assert (end.code, end.out) == (3, "")
    assert f"foundry-tui: cannot reach {url}" in end.err
    assert "check the address, and that the server runs" in end.err


async def test_a_key_is_sent_and_never_seen_again_whether_right_or_wrong(data_dir: Path) -> None:
    right, wrong = "sk-right-and-secret", "sk-wrong-and-secret"
    async with scripted_endpoint(answer(["ok"]), Setting(api_key=right)) as endpoint:
        asked = ("chat", DEFAULT_MODEL, "--prompt", "hi", "--json", "--verbose", "--endpoint", endpoint.url)

        accepted, refused = await asyncio.gather(
            *(
                run_async(
                    *(
                        *asked,
                        "--api-key-env",
                        "MY_KEY",
                        "--log-file",
                        str(data_dir.parent / f"{key[3:8]}.log"),
                    ),
                    data_dir=data_dir,
                    extra={"MY_KEY": key},
                )
                for key in (right, wrong)
            )
        )

    sent = {request.headers["authorization"] for request in endpoint.requests}
    assert sent == {f"Bearer {right}", f"Bearer {wrong}"}
    assert (accepted.code, refused.code) == (0, 3)
    assert "secret" not in accepted.out + accepted.err + refused.out + refused.err
    assert b"secret" not in everything_in(data_dir.parent)


@pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
async def test_control_c_ends_with_130_and_leaves_no_process(data_dir: Path) -> None:
    held = Script((Headers(), Role(), Text("Hello"), HoldOpen()))
    async with scripted_endpoint(held) as endpoint:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "chat", DEFAULT_MODEL, "--prompt", "hi", "--endpoint", endpoint.url),
            cwd=data_dir.parent,
            env=environment(data_dir),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            begun = await process.stdout.readexactly(5)
        children = psutil.Process(process.pid).children(recursive=True)

        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            out, err = await process.communicate()
        await endpoint.until(lambda: endpoint.disconnects)

    assert begun + out == b"Hello\n"
    assert (process.returncode, err) == (130, b"")
    assert len(children) == 1
    assert until_gone(children) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs the pipes of POSIX")
async def test_a_reader_who_leaves_in_the_middle_is_no_error(data_dir: Path) -> None:
    pieces = [f"line {number}\n" for number in range(200)]
    async with scripted_endpoint(answer(pieces, gap_ms=1)) as endpoint:
        reading, writing = os.pipe()
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "chat", DEFAULT_MODEL, "--prompt", "hi", "--endpoint", endpoint.url),
            cwd=data_dir.parent,
            env=environment(data_dir),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=asyncio.subprocess.PIPE,
        )
        os.close(writing)
        first = await asyncio.to_thread(os.read, reading, 7)
        os.close(reading)
        async with asyncio.timeout(30):
            _, err = await process.communicate()

    assert first == b"line 0\n"
    assert (process.returncode, err) == (0, b"")
