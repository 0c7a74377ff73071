"""Our readings against those of a server in a process of its own, on one monotonic clock."""

import statistics
import sys
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise

import pytest
import pytest_asyncio

from foundry_tui.domain.chat import ChunkKind, ChunkReceived
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.engines.hosting.configs import EndpointConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.metrics.latency import answer_wait_s, merged_share, ttft_s
from tests.contract.chats import ask, hear
from tests.contract.runtime import hosted
from tests.support.endpoint_process import EndpointProcess, endpoint_process
from tests.support.processes import hosts
from tests.support.record import Request, Written
from tests.support.script import (
    Comment,
    Done,
    Finish,
    Headers,
    Reasoning,
    Role,
    Script,
    Split,
    Text,
    Together,
    Usage,
    Wait,
    answer,
)

# One server and one child process serve all tests here, so fixtures and tests share a loop.
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        sys.platform != "linux", reason="clock readings of two processes compare on Linux only"
    ),
]

GAP_MS = 20
FIRST_MS = 100
HELD_UP_MS = 150
NS_PER_MS = 1_000_000
END = (Finish(), Usage(completion=4), Done())
SCRIPTS = {
    "steady": answer([f"w{n} " for n in range(25)], gap_ms=GAP_MS, first_ms=FIRST_MS),
    "role first": Script((Headers(), Role(), Wait(FIRST_MS), Text("a"), *END)),
    "empty first": Script((Headers(), Role(), Text(""), Wait(FIRST_MS), Text("a"), *END)),
    "comments first": Script(
        (Headers(), Comment(), Wait(FIRST_MS / 2), Comment(), Wait(FIRST_MS / 2), Role(), Text("a"), *END)
    ),
    "pairs": Script(
        (
            Headers(),
            Role(),
            Together((Text("a"), Text("b"))),
            Wait(GAP_MS),
            Together((Text("c"), Text("d"))),
            Wait(GAP_MS),
            Text("e"),
            *END,
        )
    ),
    "in two parts": Script((Headers(), Role(), Text("a"), Split(Text("é"), pause_ms=FIRST_MS), *END)),
    "thinking": Script((Headers(), Role(), Reasoning("hm"), Wait(FIRST_MS), Text("a"), *END)),
    "held up": Script(
        (Headers(), Role(), Text("a"), Wait(HELD_UP_MS), Text("b"), Wait(4 * HELD_UP_MS), *END)
    ),
    "late finish": Script((Headers(), Role(), Text("a"), Text("b"), Wait(FIRST_MS), *END)),
}


def script_for(request: Request) -> Script:
    return SCRIPTS[_prompt_of(request)]


def _prompt_of(request: Request) -> str:
    messages = request.body["messages"]
    assert isinstance(messages, list)
    return str(messages[0]["content"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """One answer as we read it and as the server wrote it."""

    trace: GenerationTrace
    request: Request
    writes: list[Written]

    def written_ns(self, label: str) -> list[int]:
        """When the server completed each step of that name."""
        return [write.at_ns for write in self.writes if write.carries(label)]


@pytest.fixture(scope="module")
def server() -> Generator[EndpointProcess, None, None]:
    with endpoint_process(script_for) as process:
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(
    server: EndpointProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[HostedEngine, None]:
    async with hosted(EndpointConfig(url=server.url), tmp_path_factory.mktemp("clock")) as engine:
        await hear(engine, ask("pairs"))  # the first request of a process is slower: not what is asked here
        yield engine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def steady(engine: HostedEngine, server: EndpointProcess) -> Both:
    """An answer on a steady schedule, measured once and looked at from several sides."""
    return await measure(engine, server, "steady")


async def measure(engine: HostedEngine, server: EndpointProcess, prompt: str) -> Both:
    builder = TraceBuilder()
    heard = await hear(engine, ask(prompt))
    for event in heard.events:
        builder.observe(event)
    record = server.record()
    number = max(n for n, request in enumerate(record.requests) if request.method == "POST")
    assert _prompt_of(record.requests[number]) == prompt
    return Both(
        trace=builder.finish(),
        request=record.requests[number],
        writes=[write for write in record.log if write.request == number],
    )


async def test_no_reading_comes_before_the_write_that_it_is_of(steady: Both) -> None:
    read_ns = [chunk.at_ns for chunk in steady.trace.chunks]
    written_ns = steady.written_ns("text")
    assert len(read_ns) == len(written_ns) == 25
    assert all(written <= read for written, read in zip(written_ns, read_ns, strict=True))
    assert steady.trace.headers_ns is not None
    assert steady.trace.headers_ns >= steady.written_ns("headers")[0]
    assert steady.trace.role_ns is not None
    assert steady.trace.role_ns >= steady.written_ns("role")[0]
    assert steady.trace.end_ns is not None
    assert steady.trace.end_ns >= steady.written_ns("finish")[0]


async def test_each_piece_is_read_before_the_next_one_is_written(steady: Both) -> None:
    read_ns = [chunk.at_ns for chunk in steady.trace.chunks]
    written_ns = steady.written_ns("text")
    in_time = sum(read < following for read, following in zip(read_ns, written_ns[1:], strict=False))
    # A busy machine may hold one or two up; a clock that is read late holds up all.
    assert in_time > 0.75 * 24


async def test_gaps_agree_with_the_schedule(steady: Both) -> None:
    ours = [later.at_ns - earlier.at_ns for earlier, later in pairwise(steady.trace.chunks)]
    theirs = [later - earlier for earlier, later in pairwise(steady.written_ns("text"))]
    errors = [abs(our - their) for our, their in zip(ours, theirs, strict=True)]
    assert statistics.median(errors) < 0.25 * GAP_MS * NS_PER_MS


async def test_the_request_is_sent_after_the_call_and_before_its_answer(steady: Both) -> None:
    assert steady.trace.call_ns is not None
    assert steady.trace.sent_ns is not None
    assert steady.trace.call_ns < steady.request.at_ns
    assert steady.trace.call_ns < steady.trace.sent_ns < steady.request.at_ns


async def test_the_time_to_the_first_token_counts_from_sent_and_not_from_the_call(steady: Both) -> None:
    trace = steady.trace
    assert trace.sent_ns is not None
    assert trace.call_ns is not None
    assert trace.sent_ns > trace.call_ns
    assert ttft_s(trace) == (trace.chunks[0].at_ns - trace.sent_ns) / 1_000_000_000
    # What the server itself took from reading the request to writing the first piece.
    theirs_ns = steady.written_ns("text")[0] - steady.request.at_ns
    assert abs(trace.chunks[0].at_ns - trace.sent_ns - theirs_ns) < 0.25 * theirs_ns


@pytest.mark.parametrize("opening", ["role first", "empty first", "comments first"])
async def test_what_holds_no_text_is_no_first_token(
    engine: HostedEngine, server: EndpointProcess, opening: str
) -> None:
    both = await measure(engine, server, opening)

    waited_s = ttft_s(both.trace)
    assert [chunk.text for chunk in both.trace.chunks] == ["a"]
    assert both.trace.chunks[0].at_ns >= both.written_ns("text")[-1]
    assert waited_s is not None
    assert waited_s > 0.75 * FIRST_MS / 1000


async def test_pieces_of_one_write_share_a_read_and_those_of_two_do_not(
    engine: HostedEngine, server: EndpointProcess
) -> None:
    both = await measure(engine, server, "pairs")

    a, b, c, d, e = (chunk.read for chunk in both.trace.chunks)
    assert a == b
    assert c == d
    assert a < c < e
    assert merged_share(both.trace.chunks) == 0.5


async def test_a_piece_in_two_parts_is_read_with_its_second(
    engine: HostedEngine, server: EndpointProcess
) -> None:
    both = await measure(engine, server, "in two parts")

    assert both.trace.text == "aé"
    assert both.trace.chunks[1].at_ns >= both.written_ns("text")[1]


async def test_thinking_counts_as_first_token_and_not_as_answer(
    engine: HostedEngine, server: EndpointProcess
) -> None:
    both = await measure(engine, server, "thinking")

    waited_s, answered_s = ttft_s(both.trace), answer_wait_s(both.trace)
    assert [chunk.kind for chunk in both.trace.chunks] == [ChunkKind.REASONING, ChunkKind.CONTENT]
    assert waited_s is not None
    assert answered_s is not None
    assert answered_s - waited_s > 0.75 * FIRST_MS / 1000


async def test_a_late_finish_does_not_move_the_last_piece(
    engine: HostedEngine, server: EndpointProcess
) -> None:
    both = await measure(engine, server, "late finish")

    assert both.trace.end_ns is not None
    assert both.trace.end_ns >= both.written_ns("finish")[0]
    assert both.trace.chunks[-1].at_ns < both.written_ns("finish")[0]


async def test_a_reader_that_is_stopped_for_a_while_still_has_the_moment_of_the_write(
    engine: HostedEngine, server: EndpointProcess
) -> None:
    (child,) = hosts()
    resumed_ns = 0
    builder = TraceBuilder()
    async with aclosing(engine.stream_chat(ask("held up"))) as events:
        async for event in events:
            builder.observe(event)
            if isinstance(event, ChunkReceived) and event.text == "a":
                child.suspend()
                # The second piece is written in the middle of this; its end follows much later.
                threading.Event().wait((HELD_UP_MS + 50) / 1000)
                resumed_ns = time.perf_counter_ns()
                child.resume()
    written = [write for write in server.record().log if write.carries("text")][-1]
    read_ns = builder.finish().chunks[-1].at_ns

    assert written.at_ns <= read_ns
    assert read_ns - written.at_ns < 0.5 * (resumed_ns - written.at_ns)


async def test_the_processes_own_delay_travels_with_the_answer(steady: Both) -> None:
    assert steady.trace.delay_p99_ns is not None
    assert steady.trace.delay_p99_ns >= 0
