"""The scripted endpoint does on the wire what its scripts say, and its log is the truth."""

import asyncio
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import openai
import pytest

from tests.support.asking import CHAT, chat, client_of, finish_of, get, posted, read_all, text_of
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.endpoint_process import endpoint_process
from tests.support.faults import FAULTS, keep_alive_only, stall_midway
from tests.support.player import Player, Reply
from tests.support.record import Record, Request
from tests.support.script import (
    Finish,
    Gate,
    Headers,
    HoldOpen,
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

HELLO = answer(("Hello", ", ", "world"))
ROOT = Path(__file__).parents[2]


def script_of(*steps: Step) -> Script:
    return Script((Headers(), *steps))


def script_for_model(request: Request) -> Script:
    return answer((str(request.body["model"]),))


async def played(script: Script, *, age_s: int) -> Record:
    """What the player writes for a request that was read ``age_s`` ago."""
    record = Record()
    read_ns = time.perf_counter_ns() - age_s * 1_000_000_000
    request = Request(method="POST", path="/", query="", headers={}, body={}, at_ns=read_ns, connection=0)

    async def write(data: bytes) -> int:
        return time.perf_counter_ns()

    await Player(request, Reply(script=script, number=0), record, write).play()
    return record


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


async def test_a_process_of_its_own_answers_and_gives_its_record() -> None:
    with endpoint_process(script_for_model, Setting(kind="foundry-v2")) as endpoint:
        async with client_of(endpoint.url) as client:
            asked_ns = time.perf_counter_ns()
            chunks = await chat(client)
            answered_ns = time.perf_counter_ns()
        record = endpoint.record()

    assert text_of(chunks) == "m"
    readings = [asked_ns, record.requests[0].at_ns, record.written("done")[0].at_ns, answered_ns]
    assert readings == sorted(readings)
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


async def test_the_schedule_counts_from_the_request_and_lets_no_delay_add_up() -> None:
    # The request was read an hour ago: all waits of that hour are over, however many there are.
    record = await played(answer("abc", gap_ms=1_000_000, first_ms=1_000_000), age_s=3600)

    assert [entry.label for entry in record.log][-5:] == ["text", "text", "finish", "done", "end"]


async def test_after_a_gate_the_schedule_starts_anew() -> None:
    gate = asyncio.Event()
    gate.set()
    opened_ns = time.perf_counter_ns()

    record = await played(script_of(Gate(gate), Wait(5), Text("a")), age_s=3600)

    assert record.written("text")[0].at_ns >= opened_ns + 5_000_000
