"""The scripted endpoint does on the wire what its scripts say, and its log is the truth."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from tests.support.endpoint import Endpoint, Setting, scripted_endpoint
from tests.support.endpoint_process import endpoint_process
from tests.support.faults import (
    FAULTS,
    early_clean_end,
    empty_answer,
    error_at_once,
    http_error,
    keep_alive_only,
    stall_midway,
)
from tests.support.record import Record, Request
from tests.support.routes import ServedModel
from tests.support.script import (
    Finish,
    Gate,
    Headers,
    HoldOpen,
    Raw,
    Reasoning,
    Reset,
    Role,
    Script,
    Split,
    Step,
    Text,
    Together,
    Tool,
    Usage,
    Wait,
    answer,
)

CHAT: dict[str, object] = {
    "model": "m",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
HELLO = answer(("Hello", ", ", "world"))
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def posted(
    endpoint: Endpoint, body: dict[str, object], path: str = "/v1/chat/completions"
) -> AsyncGenerator[asyncio.StreamReader, None]:
    """Post ``body`` on a connection of its own and read the answer inside the block."""
    port = int(endpoint.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    content = json.dumps(body).encode()
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nX-Tag: seven\r\n"
        f"Content-Length: {len(content)}\r\n\r\n".encode()
        + content
    )
    try:
        yield reader
    finally:
        writer.transport.abort()


async def read_all(endpoint: Endpoint, body: dict[str, object] | None = None) -> tuple[bytes, bool]:
    """Every byte of the answer to a chat, and whether a reset ended it."""
    received = bytearray()
    async with posted(endpoint, CHAT if body is None else body) as reader:
        try:
            while data := await reader.read(65_536):
                received += data
        except ConnectionResetError:
            return bytes(received), True
    return bytes(received), False


async def get(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of a GET; in a thread, since the server runs on this loop."""

    def fetch() -> tuple[int, str, dict[str, str]]:
        request = urllib.request.Request(url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode(), dict(response.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), dict(error.headers)

    return await asyncio.to_thread(fetch)


def client_of(url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="key", max_retries=0)


async def chat(client: openai.AsyncOpenAI) -> list[ChatCompletionChunk]:
    stream = await client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    async with stream:
        return [chunk async for chunk in stream]


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def finish_of(chunks: list[ChatCompletionChunk]) -> list[str]:
    return [c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason is not None]


def script_of(*steps: Step) -> Script:
    return Script((Headers(), *steps))


def script_for_model(request: Request) -> Script:
    return answer((str(request.body["model"]),))


async def test_an_answer_arrives_with_its_finish_reason_and_its_counts() -> None:
    async with scripted_endpoint(HELLO) as endpoint, client_of(endpoint.url) as client:
        chunks = await chat(client)

    assert text_of(chunks) == "Hello, world"
    assert finish_of(chunks) == ["stop"]
    assert chunks[-1].usage is not None
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (32, 3)


async def test_usage_is_left_out_unless_asked_for() -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        received, _ = await read_all(endpoint, {"stream": True})

    assert b'"usage"' not in received
    assert endpoint.written("usage") == []


async def test_the_log_is_what_the_client_received_byte_by_byte() -> None:
    async with scripted_endpoint(answer(("Hel", "lo"), gap_ms=3, first_ms=3)) as endpoint:
        received, _ = await read_all(endpoint)

    assert b"".join(entry.data for entry in endpoint.log) == received
    labels = [entry.label for entry in endpoint.log]
    assert labels == ["headers", "role", "text", "text", "finish", "usage", "done", "end"]
    assert [entry.size for entry in endpoint.log] == [len(entry.data) for entry in endpoint.log]


async def test_no_write_comes_before_its_moment_on_the_schedule() -> None:
    async with scripted_endpoint(answer("abcde", gap_ms=4, first_ms=10)) as endpoint:
        await read_all(endpoint)

    begun_ns = endpoint.requests[0].at_ns
    stamps = [entry.at_ns - begun_ns for entry in endpoint.written("text", request=0)]
    due = [10_000_000, 14_000_000, 18_000_000, 22_000_000, 26_000_000]
    assert all(stamp >= moment for stamp, moment in zip(stamps, due, strict=True))
    log = [begun_ns, *(entry.at_ns for entry in endpoint.log)]
    assert all(earlier <= later for earlier, later in pairwise(log))


async def test_a_request_is_kept_as_it_was_read() -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        await read_all(endpoint)

    (request,) = endpoint.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["x-tag"] == "seven"
    assert request.body == CHAT


async def test_two_chats_of_one_client_share_a_connection() -> None:
    async with scripted_endpoint(HELLO) as endpoint, client_of(endpoint.url) as client:
        await chat(client)
        await chat(client)

    assert [request.connection for request in endpoint.requests] == [0, 0]
    assert endpoint.connections == 1
    assert endpoint.disconnects == []


async def test_events_together_are_one_write_and_one_http_chunk() -> None:
    script = script_of(Together((Role(), Text("a"), Text("b"))), Finish())
    async with scripted_endpoint(script) as endpoint, client_of(endpoint.url) as client:
        chunks = await chat(client)

    (entry,) = endpoint.written("text")
    size, _, rest = entry.data.partition(b"\r\n")
    assert entry.label == "role+text+text"
    assert int(size, 16) == len(rest) - len(b"\r\n")
    assert text_of(chunks) == "ab"


async def test_a_head_can_share_a_write_with_the_first_event() -> None:
    script = Script((Together((Headers(), Role(), Text("a"))), Finish()))
    async with scripted_endpoint(script) as endpoint, client_of(endpoint.url) as client:
        chunks = await chat(client)

    assert endpoint.log[0].label == "headers+role+text"
    assert text_of(chunks) == "a"


async def test_a_split_can_cut_a_character_and_still_arrives_whole() -> None:
    cut = len(b'data: {"choices":[{"delta":{"content":"') + 2
    script = script_of(Split(Text("🙂"), pause_ms=2, at=cut), Finish())
    async with scripted_endpoint(script) as endpoint, client_of(endpoint.url) as client:
        chunks = await chat(client)

    first, second = endpoint.log[1:3]
    assert first.data.endswith(b'"content":"\xf0\x9f\r\n')
    assert (first.label, second.label) == ("part of text", "text")
    assert text_of(chunks) == "🙂"


async def test_a_gate_holds_the_answer_until_it_is_opened() -> None:
    gate = asyncio.Event()
    script = script_of(Text("a"), Gate(gate), Text("b"), Finish())
    async with scripted_endpoint(script) as endpoint, posted(endpoint, CHAT) as reader:
        await reader.readuntil(b'"content":"a"')
        held = (len(endpoint.written("text")), endpoint.open_streams)
        gate.set()
        await reader.readuntil(b'"content":"b"')
        await endpoint.until(lambda: endpoint.open_streams == 0)

    assert held == (1, 1)
    assert endpoint.disconnects == []


async def test_reasoning_tools_and_per_chunk_counts_reach_the_client() -> None:
    script = script_of(
        Reasoning("hm"), Tool("{}", "look"), Text("a", tokens_so_far=7), Text("b", finish="length")
    )
    async with scripted_endpoint(script) as endpoint, client_of(endpoint.url) as client:
        thought, tool, text, last = await chat(client)

    assert thought.choices[0].delta.model_extra == {"reasoning_content": "hm"}
    assert tool.choices[0].delta.tool_calls is not None
    assert text.usage is not None
    assert text.usage.completion_tokens == 7
    assert last.choices[0].finish_reason == "length"


async def test_a_client_that_leaves_is_noticed_while_nothing_is_written() -> None:
    async with scripted_endpoint(stall_midway()) as endpoint:
        async with posted(endpoint, CHAT):
            await endpoint.until(lambda: len(endpoint.written("text")) == 3)
            open_streams = endpoint.open_streams
        await endpoint.until(lambda: endpoint.open_streams == 0)

    assert open_streams == 1
    (left_ns,) = endpoint.disconnects
    assert left_ns > endpoint.log[-1].at_ns


async def test_closing_a_stream_of_the_real_client_is_noticed() -> None:
    async with scripted_endpoint(script_of(Text("a"), HoldOpen())) as endpoint:
        async with client_of(endpoint.url) as client:
            stream = await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}], stream=True
            )
            async with stream:
                await anext(aiter(stream))
            await endpoint.until(lambda: endpoint.disconnects)

        assert endpoint.open_streams == 0


@pytest.mark.parametrize("fault", ["endless-line", "runaway"])
async def test_an_answer_without_end_ends_when_the_client_leaves(fault: str) -> None:
    async with scripted_endpoint(FAULTS[fault]) as endpoint:
        async with posted(endpoint, CHAT) as reader:
            await reader.readexactly(100_000)
        await endpoint.until(lambda: endpoint.disconnects)

        assert endpoint.open_streams == 0


async def test_comments_can_be_all_that_ever_comes() -> None:
    async with scripted_endpoint(keep_alive_only(every_ms=1)) as endpoint:
        async with posted(endpoint, CHAT) as reader:
            for _ in range(3):
                await reader.readuntil(b": keep-alive\n\n")

        assert endpoint.written("text") == []


async def test_leaving_the_block_drops_a_held_stream_and_blames_nobody() -> None:
    async with AsyncExitStack() as client:
        async with scripted_endpoint(FAULTS["stall-before-headers"]) as endpoint:
            reader = await client.enter_async_context(posted(endpoint, CHAT))
            await endpoint.until(lambda: endpoint.open_streams == 1)
        received = await reader.read()

    assert received == b""
    assert endpoint.disconnects == []
    assert endpoint.open_streams == 0


@pytest.mark.parametrize(
    ("fault", "ending"),
    [
        ("early-clean-end", b"0\r\n\r\n"),
        ("no-done", b"0\r\n\r\n"),
        ("hangup-midway", b'"system_fingerprint":null}\n\n\r\n'),
        ("bad-framing", b"this is no chunk size\r\n"),
    ],
)
async def test_a_polite_fault_ends_without_a_reset(fault: str, ending: bytes) -> None:
    async with scripted_endpoint(FAULTS[fault]) as endpoint:
        received, was_reset = await read_all(endpoint)

    assert not was_reset
    assert received.endswith(ending)
    assert b"[DONE]" not in received
    assert (b'"finish_reason":"stop"' in received) == (fault == "no-done")


@pytest.mark.parametrize(("fault", "chunks"), [("reset-midway", 4), ("reset-before-headers", 0)])
async def test_a_reset_is_a_reset(fault: str, chunks: int) -> None:
    async with scripted_endpoint(FAULTS[fault]) as endpoint:
        received, was_reset = await read_all(endpoint)

    assert was_reset
    assert received.count(b'"content":') == chunks
    assert endpoint.disconnects == []


async def test_bytes_that_are_no_event_pass_unchanged() -> None:
    async with scripted_endpoint(script_of(Raw(b"data: \xff{\r\n\r\n"))) as endpoint:
        received, _ = await read_all(endpoint)

    assert received.endswith(b"\r\n\r\nc\r\ndata: \xff{\r\n\r\n\r\n0\r\n\r\n")


@pytest.mark.parametrize("fault", ["malformed-json", "broken-utf8"])
async def test_broken_events_break_the_client(fault: str) -> None:
    async with scripted_endpoint(FAULTS[fault]) as endpoint, client_of(endpoint.url) as client:
        with pytest.raises(ValueError, match=r"Unterminated|decode"):
            await chat(client)


@pytest.mark.parametrize("script", [error_at_once("no"), FAULTS["error-in-stream"]])
async def test_an_error_object_in_a_good_stream_raises(script: Script) -> None:
    async with scripted_endpoint(script) as endpoint, client_of(endpoint.url) as client:
        with pytest.raises(openai.APIError):
            await chat(client)

    assert endpoint.log[0].data.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_an_early_clean_end_looks_like_success_to_the_sdk() -> None:
    async with scripted_endpoint(early_clean_end()) as endpoint, client_of(endpoint.url) as client:
        chunks = await chat(client)

    assert text_of(chunks) == "Three good pieces"
    assert finish_of(chunks) == []


async def test_an_empty_answer_finishes_without_text() -> None:
    async with scripted_endpoint(empty_answer()) as endpoint, client_of(endpoint.url) as client:
        chunks = await chat(client)

    assert (text_of(chunks), finish_of(chunks)) == ("", ["stop"])


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("http-429", 429, "The engine could not do that"),
        ("http-500", 500, "The engine could not do that"),
        ("http-text", 500, "oatpp"),
        ("not-loaded", 400, "must be loaded before inference"),
        ("unknown-model", 404, "Model not found"),
    ],
)
async def test_http_errors_carry_their_status_and_body(fault: str, status: int, text: str) -> None:
    async with scripted_endpoint(FAULTS[fault]) as endpoint, client_of(endpoint.url) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await chat(client)

    assert caught.value.status_code == status
    assert text in caught.value.response.text
    assert len(endpoint.requests) == 1


async def test_an_http_error_can_say_anything() -> None:
    async with scripted_endpoint(http_error(503, "gone", "text/plain")) as endpoint:
        received, _ = await read_all(endpoint)

    assert received == (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngone"
    )


async def test_scripts_in_a_row_are_used_up_one_by_one() -> None:
    scripts = (answer(("one",)), answer(("two",)))
    async with scripted_endpoint(scripts) as endpoint, client_of(endpoint.url) as client:
        texts = [text_of(await chat(client)), text_of(await chat(client))]
        with pytest.raises(openai.InternalServerError, match="no script is left"):
            await chat(client)

    assert texts == ["one", "two"]


async def test_a_script_can_depend_on_the_request() -> None:
    async with scripted_endpoint(script_for_model) as endpoint, client_of(endpoint.url) as client:
        chunks = await chat(client)

    assert text_of(chunks) == "m"


async def test_a_mistake_in_choosing_a_script_is_raised_on_leaving() -> None:
    def choose(request: Request) -> Script:
        raise LookupError(request.path)

    async def ask() -> None:
        async with scripted_endpoint(choose) as endpoint:
            await read_all(endpoint)

    with pytest.raises(LookupError, match="/v1/chat/completions"):
        await ask()


@pytest.mark.parametrize(
    "steps", [(), (Text("a"),), (Wait(1), Finish()), (Headers(), Reset(), Text("a")), (Usage(1, 1),)]
)
def test_a_script_that_no_server_could_play_is_refused(steps: tuple[Step, ...]) -> None:
    with pytest.raises(ValueError, match="answer"):
        Script(steps)


async def test_without_the_key_everything_is_refused() -> None:
    async with scripted_endpoint(HELLO, Setting(api_key="other")) as endpoint:
        status, _, _ = await get(f"{endpoint.url}/v1/models")
        good, _, _ = await get(f"{endpoint.url}/v1/models", Authorization="Bearer other")
        async with client_of(endpoint.url) as client:
            with pytest.raises(openai.AuthenticationError):
                await chat(client)

    assert (status, good) == (401, 200)


async def test_chosen_headers_come_back() -> None:
    async with scripted_endpoint(HELLO, Setting(echo=("x-tag", "x-none"))) as endpoint:
        received, _ = await read_all(endpoint)

    assert b"\r\nx-tag: seven\r\n" in received
    assert b"x-none" not in received


async def test_writes_of_a_server_without_nodelay_arrive_too() -> None:
    async with scripted_endpoint(HELLO, Setting(nodelay=False)) as endpoint:
        received, _ = await read_all(endpoint)

    assert received.endswith(b"0\r\n\r\n")


async def test_the_v2_runtime_tells_who_it_is_and_loads_by_alias() -> None:
    setting = Setting(
        kind="foundry-v2",
        models=("tiny-a-generic-cpu:2", ServedModel(id="big-cuda-gpu:1", is_cached=False)),
        local_models=("mine:1",),
    )
    async with scripted_endpoint(HELLO, setting) as endpoint:

        async def read(path: str) -> object:
            status, text, _ = await get(f"{endpoint.url}{path}")
            return json.loads(text) if status == 200 else status

        url = endpoint.url
        assert await read("/status") == {"endpoints": [url], "modelCachePath": "/models", "pid": os.getpid()}
        assert await read("/models/load/tiny-a") == {"status": "loaded"}
        assert await read("/models/load/tiny-a") == {"status": "already_loaded"}
        assert await read("/models/load/tiny-a-generic-cpu:2") == 404
        assert await read("/models/load/big") == 400
        assert await read("/models/loaded") == ["tiny-a-generic-cpu:2"]
        assert await read("/models/unload/tiny-a") == {"status": "unloaded"}
        assert await read("/models/unload/tiny-a") == {"status": "not_loaded"}
        assert await read("/catalogs/local/models/load/mine:1") == 404
        assert await read("/catalogs/local/models/load/mine") == {"status": "loaded"}
        _, missing, headers = await get(f"{url}/openai/status")

    assert missing.startswith("server=oatpp/1.3.0\ncode=404\n")
    assert headers["Server"] == "oatpp/1.3.0"


async def test_the_v2_runtime_serves_local_models_under_their_own_prefix() -> None:
    setting = Setting(kind="foundry-v2", local_models=(ServedModel(id="mine:1", alias="my-own"),))
    async with scripted_endpoint(HELLO, setting) as endpoint:
        await get(f"{endpoint.url}/catalogs/local/models/load/my-own")
        _, loaded, _ = await get(f"{endpoint.url}/catalogs/local/models/loaded")
        async with client_of(f"{endpoint.url}/catalogs/local") as client:
            ids = [model.id async for model in client.models.list()]
            chunks = await chat(client)

    assert (loaded, ids) == ('["mine:1"]', ["mine:1"])
    assert text_of(chunks) == "Hello, world"


async def test_the_v1_service_tells_who_it_is_and_loads_by_id() -> None:
    setting = Setting(kind="foundry-v1", models=("a:1", ServedModel(id="b:1", is_cached=False)))
    async with scripted_endpoint(HELLO, setting) as endpoint:
        url = f"{endpoint.url}/openai"
        _, status, _ = await get(f"{url}/status")
        _, cached, _ = await get(f"{url}/models")
        await get(f"{url}/load/a%3A1?ttl=600")
        refused, reason, _ = await get(f"{url}/load/b:1")
        _, loaded, _ = await get(f"{url}/loadedmodels")
        await get(f"{url}/unload/a:1?force=true")
        _, unloaded, _ = await get(f"{url}/loadedmodels")
        missing, _, _ = await get(f"{endpoint.url}/status")

    assert json.loads(status)["ModelDirPath"] == "/models"
    assert (cached, loaded, unloaded) == ('["a:1"]', '["a:1"]', "[]")
    assert (refused, reason) == (400, "No OpenAIService provider found for modelName: b:1")
    assert missing == 404


async def test_any_other_server_has_a_list_and_nothing_else() -> None:
    async with scripted_endpoint(HELLO, Setting(models=("llama", "qwen"))) as endpoint:
        async with client_of(endpoint.url) as client:
            ids = [model.id async for model in client.models.list()]
            one = await client.models.retrieve("qwen")
        statuses = [(await get(f"{endpoint.url}{path}"))[0] for path in ("/status", "/openai/status")]

    assert (ids, one.id) == (["llama", "qwen"], "qwen")
    assert statuses == [404, 404]


async def test_a_process_of_its_own_answers_and_gives_its_record() -> None:
    with endpoint_process(script_for_model, Setting(kind="foundry-v2")) as endpoint:
        async with client_of(endpoint.url) as client:
            chunks = await chat(client)
        record = endpoint.record()

    assert text_of(chunks) == "m"
    assert [request.body["model"] for request in record.requests] == ["m"]
    assert [entry.label for entry in record.log][:3] == ["headers", "role", "text"]


async def test_a_record_survives_the_journey_between_processes() -> None:
    async with scripted_endpoint(FAULTS["broken-utf8"]) as endpoint:
        await read_all(endpoint)

    copy = Record.from_json(endpoint.to_json())
    assert (copy.log, copy.requests) == (endpoint.log, endpoint.requests)
    assert (copy.disconnects, copy.open_streams, copy.connections) == ([], 0, 1)


def test_by_hand_it_prints_its_address_and_stops_at_max_tokens() -> None:
    command = [sys.executable, "-m", "tests.support.endpoint", "--tokens", "5", "--gap-ms", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            stream = client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}], stream=True, max_tokens=2
            )
            with stream:
                chunks = list(stream)
        process.terminate()

    assert text_of(chunks) == "word1 word2 "
    assert finish_of(chunks) == ["length"]
