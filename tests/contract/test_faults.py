"""Every way in which an answer goes wrong is told from the others, and what had arrived is kept."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from foundry_tui.domain.chat import ChatEvent, ChunkReceived, Outcome, PhaseTimeouts
from foundry_tui.domain.errors import EngineDied, EngineUnavailable
from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig, ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.ports.engines import Engine
from tests.contract.chats import ask, failure, hear
from tests.contract.runtime import hosted
from tests.support.endpoint import Endpoint, Setting, scripted_endpoint
from tests.support.faults import (
    FAULTS,
    PIECES,
    error_in_stream,
    http_error,
    keep_alive_only,
    left_after_finish,
)
from tests.support.record import Request
from tests.support.script import (
    CleanEnd,
    Done,
    Finish,
    Gate,
    Hangup,
    Headers,
    HoldOpen,
    Raw,
    Reset,
    Role,
    Script,
    Text,
    Usage,
    Wire,
    answer,
)

# One endpoint and one child process serve all tests here, so fixtures and tests share a loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVELOPE = '{"error":{"code":null,"message":"%s","param":null,"type":"server_error"}}'
SCRIPTS = FAULTS | {
    "good": answer(PIECES),
    "keep-alive-only": keep_alive_only(every_ms=20),
    "key-missing": http_error(401, ENVELOPE % "Incorrect API key provided"),
    "key-forbidden": http_error(403, "Forbidden", "text/plain"),
    "http-503": http_error(503, ENVELOPE % "Overloaded"),
    "http-detail": http_error(422, '{"detail":"top_p is not known here"}'),
    "http-bare": http_error(400, '{"error":"messages must not be empty"}'),
    "http-nothing": http_error(502, "", "text/plain"),
    "oom-http": http_error(500, ENVELOPE % "std::bad_alloc"),
    "oom-stream": error_in_stream("std::bad_alloc"),
    "not-loaded-stream": error_in_stream("Model not loaded: load it first"),
    "with-places": http_error(
        400, ENVELOPE % "search_options.cc:108 void fl::Check(int, int) request requires 9 total tokens"
    ),
    "empty-length": Script((Headers(), Role(), Finish("length"), Usage(completion=0), Done())),
    "no-usage": answer(PIECES, usage=False),
    "bad-gzip": Script(
        (Headers(extra=(("Content-Encoding", "gzip"),)), Raw(b"this is not gzip"), CleanEnd())
    ),
    "error-for-stream": http_error(200, ENVELOPE % "The model has gone"),
    "not-http": Script((Wire(b"220 mail ready\r\n\r\n"), Hangup())),
    "closed-unanswered": Script((Hangup(),)),
    "finish-hangup": left_after_finish(Hangup()),
    "finish-silence": left_after_finish(HoldOpen()),
    "finish-broken": left_after_finish(Wire(b"this is no chunk size\r\n")),
}
MIDWAY = {
    "error-in-stream": Outcome.STREAM_ERROR,
    "error-event": Outcome.STREAM_ERROR,
    "error-finish": Outcome.STREAM_ERROR,
    "early-clean-end": Outcome.EARLY_END,
    "hangup-midway": Outcome.DISCONNECTED,
    "bad-framing": Outcome.DISCONNECTED,
    "malformed-json": Outcome.MALFORMED,
    "broken-utf8": Outcome.MALFORMED,
    "oom-stream": Outcome.OUT_OF_MEMORY,
    "not-loaded-stream": Outcome.NOT_LOADED,
}
BEFORE_TEXT = {
    "not-a-stream": Outcome.MALFORMED,
    "error-for-stream": Outcome.STREAM_ERROR,
    "not-http": Outcome.MALFORMED,
    "closed-unanswered": Outcome.DISCONNECTED,
    "empty-answer": Outcome.EMPTY,
    "empty-length": Outcome.EMPTY,
    "error-at-once": Outcome.STREAM_ERROR,
    "reset-before-headers": Outcome.DISCONNECTED,
    "bad-gzip": Outcome.MALFORMED,
    "endless-line": Outcome.MALFORMED,
    "http-429": Outcome.HTTP_ERROR,
    "http-500": Outcome.HTTP_ERROR,
    "http-503": Outcome.HTTP_ERROR,
    "http-detail": Outcome.HTTP_ERROR,
    "http-bare": Outcome.HTTP_ERROR,
    "http-nothing": Outcome.HTTP_ERROR,
    "http-text": Outcome.HTTP_ERROR,
    "key-missing": Outcome.HTTP_ERROR,
    "key-forbidden": Outcome.HTTP_ERROR,
    "unknown-model": Outcome.HTTP_ERROR,
    "not-loaded": Outcome.NOT_LOADED,
    "oom-http": Outcome.OUT_OF_MEMORY,
}
WORDS = {
    "not-a-stream": "text/html",
    "error-for-stream": "The model has gone",
    "http-500": "The engine could not do that",
    "http-503": "Overloaded",
    "http-text": "message=No body",
    "http-detail": "top_p is not known here",
    "http-bare": "messages must not be empty",
    "key-forbidden": "Forbidden",
    "error-at-once": "temperature must be in [0, 2]",
    "with-places": ": request requires 9 total tokens",
}
REMEDIES = {
    "key-missing": "key",
    "key-forbidden": "key",
    "unknown-model": "model id",
    "not-loaded": "load the model",
    "oom-http": "unload",
    "oom-stream": "unload",
    "http-429": "wait",
}


@dataclass(frozen=True, slots=True)
class Line:
    """An engine and the endpoint at its other end; a prompt names the script that answers it."""

    engine: Engine
    endpoint: Endpoint
    resets: dict[str, asyncio.Event]

    def times_asked(self, prompt: str) -> int:
        """How often the endpoint was asked that."""
        return sum(_prompt_of(request) == prompt for request in self.endpoint.requests)


def _prompt_of(request: Request) -> object:
    messages = request.body.get("messages")
    return messages[0]["content"] if isinstance(messages, list) else None


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["in-process", "through-the-pipe"])
async def line(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Line, None]:
    resets: dict[str, asyncio.Event] = {}

    def script_for(asked: Request) -> Script:
        prompt = str(_prompt_of(asked))
        if prompt in resets:
            # A reset throws away what the client has not read yet, so it waits until that has been read.
            pieces = [Text(piece) for piece in PIECES]
            return Script((Headers(), Role(), *pieces, Gate(resets[prompt]), Reset()))
        return SCRIPTS.get(prompt, SCRIPTS["good"])

    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(scripted_endpoint(script_for))
        config = EndpointConfig(url=endpoint.url)
        if request.param == "in-process":
            server = await EndpointServer.open(config)
            stack.push_async_callback(server.aclose)
            yield Line(server, endpoint, resets)
        else:
            folder = tmp_path_factory.mktemp("line")
            yield Line(await stack.enter_async_context(hosted(config, folder)), endpoint, resets)


@pytest.mark.parametrize("fault", MIDWAY)
async def test_a_fault_in_the_middle_keeps_what_had_arrived(line: Line, fault: str) -> None:
    heard = await hear(line.engine, ask(fault))

    assert failure(heard).outcome is MIDWAY[fault]
    assert tuple(chunk.text for chunk in heard.chunks) == PIECES


@pytest.mark.parametrize("fault", BEFORE_TEXT)
async def test_a_fault_before_any_text_has_an_outcome_of_its_own(line: Line, fault: str) -> None:
    heard = await hear(line.engine, ask(fault))

    assert failure(heard).outcome is BEFORE_TEXT[fault]
    assert heard.chunks == []


async def test_a_reset_is_a_disconnection_and_keeps_what_had_arrived(line: Line) -> None:
    line.resets["reset"] = has_been_read = asyncio.Event()

    def look(events: list[ChatEvent]) -> None:
        if sum(isinstance(event, ChunkReceived) for event in events) == len(PIECES):
            has_been_read.set()

    heard = await hear(line.engine, ask("reset"), after_each=look)

    assert failure(heard).outcome is Outcome.DISCONNECTED
    assert tuple(chunk.text for chunk in heard.chunks) == PIECES


@pytest.mark.parametrize("fault", WORDS)
async def test_a_refusal_is_told_in_the_servers_words(line: Line, fault: str) -> None:
    heard = await hear(line.engine, ask(fault))

    assert WORDS[fault] in failure(heard).message


@pytest.mark.parametrize("fault", REMEDIES)
async def test_a_refusal_says_what_to_do(line: Line, fault: str) -> None:
    heard = await hear(line.engine, ask(fault))

    assert REMEDIES[fault] in (failure(heard).remedy or "")


@pytest.mark.parametrize("fault", [*MIDWAY, *BEFORE_TEXT])
async def test_nothing_is_tried_again(line: Line, fault: str) -> None:
    before = line.times_asked(fault)

    await hear(line.engine, ask(fault))

    assert line.times_asked(fault) - before == 1


@pytest.mark.parametrize("fault", [*MIDWAY, *BEFORE_TEXT])
async def test_the_end_of_a_failure_is_on_the_clock_of_its_events(line: Line, fault: str) -> None:
    heard = await hear(line.engine, ask(fault))

    end_ns = failure(heard).end_ns
    assert end_ns is not None
    stamps = [getattr(event, "at_ns", 0) for event in heard.events]
    assert all(stamp <= end_ns for stamp in stamps)


async def test_an_answer_that_lacks_only_its_end_mark_is_complete_with_a_warning(line: Line) -> None:
    heard = await hear(line.engine, ask("no-done"))

    assert heard.finish.outcome is Outcome.COMPLETED
    assert heard.finish.warnings == ("no_done",)


@pytest.mark.parametrize("fault", ["finish-hangup", "finish-silence", "finish-broken"])
async def test_how_a_server_leaves_after_its_finish_reason_is_no_failure(line: Line, fault: str) -> None:
    heard = await hear(line.engine, ask(fault, timeouts=PhaseTimeouts(between_s=0.3)))

    assert heard.finish.outcome is Outcome.COMPLETED
    assert heard.finish.warnings == ("no_done",)
    assert heard.finish.usage is not None
    assert heard.finish.usage.completion_tokens == len(PIECES)


@pytest.mark.parametrize("fault", MIDWAY)
async def test_an_answer_that_breaks_keeps_the_id_that_the_server_gave_it(line: Line, fault: str) -> None:
    heard = await hear(line.engine, ask(fault))

    assert failure(heard).response_id == f"chatcmpl-{len(line.endpoint.requests)}"


async def test_a_good_answer_has_no_warning(line: Line) -> None:
    heard = await hear(line.engine, ask("good"))

    assert heard.finish.warnings == ()


async def test_counts_that_are_not_told_are_unknown(line: Line) -> None:
    heard = await hear(line.engine, ask("no-usage"))

    assert heard.finish.usage is None


async def test_headers_that_never_come_are_a_timeout(line: Line) -> None:
    limits = PhaseTimeouts(connect_s=0.1, headers_s=0.1)

    heard = await hear(line.engine, ask("stall-before-headers", timeouts=limits))

    assert failure(heard).outcome is Outcome.TIMEOUT
    assert "headers" in failure(heard).message


@pytest.mark.parametrize("fault", ["stall-before-first", "keep-alive-only"])
async def test_a_first_token_that_never_comes_is_a_timeout_though_comments_flow(
    line: Line, fault: str
) -> None:
    heard = await hear(line.engine, ask(fault, timeouts=PhaseTimeouts(first_token_s=0.2)))

    assert failure(heard).outcome is Outcome.TIMEOUT
    assert "first token" in failure(heard).message


async def test_silence_between_tokens_is_a_stall_and_keeps_what_had_arrived(line: Line) -> None:
    heard = await hear(line.engine, ask("stall-midway", timeouts=PhaseTimeouts(between_s=0.5)))

    assert failure(heard).outcome is Outcome.STALLED
    assert tuple(chunk.text for chunk in heard.chunks) == PIECES


async def test_an_answer_without_end_is_a_timeout_of_the_whole(line: Line) -> None:
    heard = await hear(line.engine, ask("runaway", timeouts=PhaseTimeouts(total_s=0.2)))

    assert failure(heard).outcome is Outcome.TIMEOUT
    assert heard.chunks


@pytest.mark.parametrize("fault", ["stall-before-first", "runaway"])
async def test_the_server_is_left_when_time_is_up(line: Line, fault: str) -> None:
    limits = PhaseTimeouts(first_token_s=0.2, total_s=0.2)

    await hear(line.engine, ask(fault, timeouts=limits))

    await line.endpoint.until(lambda: line.endpoint.open_streams == 0)


async def test_a_fault_leaves_the_engine_usable(line: Line) -> None:
    await hear(line.engine, ask("hangup-midway"))

    heard = await hear(line.engine, ask("good"))

    assert heard.text == "".join(PIECES)


async def test_text_that_utf8_cannot_carry_is_marked_and_sent(line: Line) -> None:
    heard = await hear(line.engine, ask("a stray byte \udcff"))

    assert heard.text == "".join(PIECES)
    assert line.times_asked("a stray byte \ufffd") == 1


async def test_nothing_listening_is_told_at_the_start(tmp_path: Path) -> None:
    async with scripted_endpoint(answer(PIECES)) as endpoint:
        config = EndpointConfig(url=endpoint.url)

    with pytest.raises(EngineUnavailable, match="cannot reach"):
        async with hosted(config, tmp_path):
            pass


@pytest.mark.parametrize("through_the_pipe", [False, True])
async def test_a_server_that_has_gone_is_unavailable(tmp_path: Path, through_the_pipe: bool) -> None:
    async with AsyncExitStack() as stack:
        async with scripted_endpoint(answer(PIECES)) as endpoint:
            config = EndpointConfig(url=endpoint.url)
            if through_the_pipe:
                engine: Engine = await stack.enter_async_context(hosted(config, tmp_path))
            else:
                server = await EndpointServer.open(config)
                stack.push_async_callback(server.aclose)
                engine = server

        heard = await hear(engine, ask())

    assert isinstance(heard.error, EngineUnavailable)


async def test_a_dead_child_is_told_with_its_signal_and_keeps_what_had_arrived(tmp_path: Path) -> None:
    script = ScriptedConfig(pieces=PIECES, die_after=2, gap_ms=50)

    async with hosted(script, tmp_path) as engine:
        heard = await hear(engine, ask(model=SCRIPTED_MODEL_ID))

    assert isinstance(heard.error, EngineDied)
    assert "SIGKILL" in heard.error.message
    assert [chunk.text for chunk in heard.chunks] == ["Three ", "good "]


async def test_a_server_that_wants_a_key_is_told_at_the_start(tmp_path: Path) -> None:
    async with scripted_endpoint(answer(PIECES), Setting(api_key="sesame")) as endpoint:
        with pytest.raises(EngineUnavailable, match="wants a key") as caught:
            async with hosted(EndpointConfig(url=endpoint.url), tmp_path):
                pass

    assert "--api-key-env" in (caught.value.remedy or "")
