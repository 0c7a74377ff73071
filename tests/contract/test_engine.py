"""What every engine promises, asked of each of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from foundry_tui.demo import DEMO_MODEL_ID, demo_registration
from foundry_tui.domain.chat import ChunkReceived, ClockRead, GenerationFinished, Moment, Outcome
from foundry_tui.domain.errors import GenerationFailed, ModelNotFound
from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig, ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID, ScriptedServer
from foundry_tui.engines.streaming.delay import LoopDelay
from foundry_tui.engines.streaming.openai_http import OpenAIHttpEngine, make_client
from foundry_tui.ports.engines import Engine
from tests.contract.chats import ask, hear, pieces_until
from tests.contract.runtime import ENDLESS_ID, endless_registration, hosted, offline_runtime
from tests.support.endpoint import DEFAULT_MODEL, Endpoint, scripted_endpoint
from tests.support.faults import unknown_model
from tests.support.record import Request
from tests.support.recorded import RecordedEngine, recorded_scripts, recording
from tests.support.script import Headers, HoldOpen, Role, Script, Text, answer

# The real runtime is started once for all tests here, so fixtures and tests share a loop.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PIECES = ("Hello", ", ", "world")
HELD_MODEL = "held-generic-cpu:1"
SOON_S = 4.0
"""Less than the time after which a child that does not confirm an end is left to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One implementation.

    Attributes:
        answering: Answers ``prompt`` as ``model`` with ``text``.
        holding: Answers as ``held_model`` with at least one piece and does not end by itself soon.
        endpoint: The server behind it; None where there is none of ours.
        open_streams: How many answers are being made; None where nobody can look.
    """

    answering: Engine
    model: str
    prompt: str
    text: str
    holding: Engine
    held_model: str
    endpoint: Endpoint | None = None
    open_streams: Callable[[], int] | None = None


def script_for(request: Request) -> Script:
    match request.body["model"]:
        case str(model) if model == DEFAULT_MODEL:
            return answer(PIECES)
        case str(model) if model == HELD_MODEL:
            return Script((Headers(), Role(), Text("Hello"), HoldOpen()))
        case model:
            return unknown_model(str(model))


def over_endpoint(engine: Engine, endpoint: Endpoint) -> Subject:
    return Subject(
        answering=engine,
        model=DEFAULT_MODEL,
        prompt="hi",
        text="Hello, world",
        holding=engine,
        held_model=HELD_MODEL,
        endpoint=endpoint,
        open_streams=lambda: endpoint.open_streams,
    )


def over_script(answering: Engine, holding: Engine, open_streams: Callable[[], int] | None) -> Subject:
    return Subject(
        answering=answering,
        model=SCRIPTED_MODEL_ID,
        prompt="hi",
        text="Hello, world",
        holding=holding,
        held_model=SCRIPTED_MODEL_ID,
        open_streams=open_streams,
    )


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncGenerator[Subject, None]:
    async with AsyncExitStack() as stack:
        match kind:
            case "scripted":
                holding = ScriptedServer(ScriptedConfig(pieces=PIECES, hold=True))
                yield over_script(
                    ScriptedServer(ScriptedConfig(pieces=PIECES)), holding, lambda: holding.open_streams
                )
            case "recorded" | "openai-http-recorded":
                yield await over_recording(kind, stack)
            case "hosted-scripted":
                answering = await stack.enter_async_context(hosted(ScriptedConfig(pieces=PIECES), folder))
                config = ScriptedConfig(pieces=PIECES, hold=True)
                yield over_script(answering, await stack.enter_async_context(hosted(config, folder)), None)
            case "runtime":
                runtime = await stack.enter_async_context(hosted(offline_runtime(folder), folder))
                for registration in (demo_registration(), endless_registration(folder)):
                    await runtime.register(registration)
                    await runtime.load(registration.model_id)
                yield Subject(
                    answering=runtime,
                    model=DEMO_MODEL_ID,
                    prompt="What is the capital of France?",
                    text="The capital of France is Paris.",
                    holding=runtime,
                    held_model=ENDLESS_ID,
                )
            case _:
                endpoint = await stack.enter_async_context(scripted_endpoint(script_for))
                yield over_endpoint(await over_http(kind, endpoint, stack, folder), endpoint)


async def over_recording(kind: str, stack: AsyncExitStack) -> Subject:
    played = recording()
    holding = RecordedEngine(played, holds=True)
    answering: Engine = RecordedEngine(played)
    if kind == "openai-http-recorded":
        endpoint = await stack.enter_async_context(scripted_endpoint(recorded_scripts(played)))
        client = make_client(f"{endpoint.url}/v1", api_key=None, connect_s=5)
        answering = OpenAIHttpEngine(await stack.enter_async_context(client), LoopDelay())
    return Subject(
        answering=answering,
        model=DEMO_MODEL_ID,
        prompt="What is the capital of France?",
        text="The capital of France is Paris.",
        holding=holding,
        held_model=DEMO_MODEL_ID,
        open_streams=lambda: holding.open_streams,
    )


async def over_http(kind: str, endpoint: Endpoint, stack: AsyncExitStack, folder: Path) -> Engine:
    match kind:
        case "openai-http":
            client = make_client(f"{endpoint.url}/v1", api_key=None, connect_s=5)
            await stack.enter_async_context(client)
            return OpenAIHttpEngine(client, LoopDelay())
        case "endpoint":
            server = await EndpointServer.open(EndpointConfig(url=endpoint.url))
            stack.push_async_callback(server.aclose)
            return server
        case "hosted-endpoint":
            return await stack.enter_async_context(hosted(EndpointConfig(url=endpoint.url), folder))
        case _:
            raise ValueError(kind)


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[
        "scripted",
        "openai-http",
        "endpoint",
        "hosted-scripted",
        "hosted-endpoint",
        "recorded",
        "openai-http-recorded",
        pytest.param("runtime", marks=pytest.mark.native),
    ],
)
async def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Subject, None]:
    async with opened(request.param, tmp_path_factory.mktemp(request.param)) as opened_subject:
        yield opened_subject


async def test_the_first_event_is_the_call(subject: Subject) -> None:
    heard = await hear(subject.answering, ask(subject.prompt, model=subject.model))

    first = heard.events[0]
    assert isinstance(first, ClockRead)
    assert first.moment is Moment.CALL


async def test_every_moment_is_read_once_and_in_order(subject: Subject) -> None:
    heard = await hear(subject.answering, ask(subject.prompt, model=subject.model))

    moments = [event.moment for event in heard.events if isinstance(event, ClockRead)]
    assert moments == [Moment.CALL, Moment.SENT, Moment.HEADERS, Moment.ROLE]


async def test_a_stream_has_one_end_and_it_comes_last(subject: Subject) -> None:
    heard = await hear(subject.answering, ask(subject.prompt, model=subject.model))

    ends = [n for n, event in enumerate(heard.events) if isinstance(event, GenerationFinished)]
    assert ends == [len(heard.events) - 1]
    assert heard.finish.outcome is Outcome.COMPLETED


async def test_the_pieces_join_to_the_answer(subject: Subject) -> None:
    heard = await hear(subject.answering, ask(subject.prompt, model=subject.model))

    assert heard.text == subject.text
    assert all(chunk.text for chunk in heard.chunks)


async def test_the_clock_never_goes_back(subject: Subject) -> None:
    heard = await hear(subject.answering, ask(subject.prompt, model=subject.model))

    stamps = [event.at_ns for event in heard.events if not isinstance(event, GenerationFinished)]
    stamps.append(heard.finish.end_ns)
    assert all(earlier <= later for earlier, later in pairwise(stamps))


async def test_the_counts_are_those_that_the_engine_reports(subject: Subject) -> None:
    heard = await hear(subject.answering, ask(subject.prompt, model=subject.model))

    usage = heard.finish.usage
    assert usage is not None
    assert usage.prompt_tokens
    assert usage.completion_tokens
    assert usage.completion_tokens >= len(heard.chunks)


async def test_two_streams_at_once_do_not_mix(subject: Subject) -> None:
    request = ask(subject.prompt, model=subject.model)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hear(subject.answering, request)) for _ in range(2)]

    assert [task.result().text for task in tasks] == [subject.text, subject.text]


async def test_a_stream_left_early_is_freed_by_then_and_the_next_one_flows(subject: Subject) -> None:
    request = ask("Tell me a story", model=subject.held_model, max_tokens=3900)
    async with aclosing(subject.holding.stream_chat(request)) as stream:
        await pieces_until(stream, 1)

        async with asyncio.timeout(SOON_S):
            await stream.aclose()

    await assert_nothing_is_left(subject)
    async with asyncio.timeout(SOON_S), aclosing(subject.holding.stream_chat(request)) as stream:
        assert await pieces_until(stream, 1)


async def test_a_stream_cancelled_before_its_first_event_is_freed_too(subject: Subject) -> None:
    request = ask("Tell me a story", model=subject.held_model, max_tokens=3900)
    stream = subject.holding.stream_chat(request)
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)  # one turn, in which the reading begins and nothing can have come

    reading.cancel()
    async with asyncio.timeout(SOON_S):
        await asyncio.wait([reading])
        await stream.aclose()

    await assert_nothing_is_left(subject)


async def test_a_reader_cancelled_while_it_waits_frees_the_stream(subject: Subject) -> None:
    request = ask("Tell me a story", model=subject.held_model, max_tokens=3900)
    has_begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(subject.holding.stream_chat(request)) as stream:
            async for event in stream:
                if isinstance(event, ChunkReceived):
                    has_begun.set()

    reader = asyncio.create_task(read())
    async with asyncio.timeout(SOON_S):
        await has_begun.wait()
        reader.cancel()
        await asyncio.wait([reader])

    assert reader.cancelled()
    await assert_nothing_is_left(subject)


async def test_an_unknown_model_is_an_error_and_not_a_wait(subject: Subject) -> None:
    async with asyncio.timeout(SOON_S):
        heard = await hear(subject.answering, ask(model="nobody-generic-cpu:1"))

    assert isinstance(heard.error, GenerationFailed | ModelNotFound)
    assert heard.chunks == []


async def assert_nothing_is_left(subject: Subject) -> None:
    if subject.endpoint is not None:
        # The server is told by the closed connection, which takes its way through the kernel.
        endpoint = subject.endpoint
        await endpoint.until(lambda: endpoint.open_streams == 0)
    if subject.open_streams is not None:
        assert subject.open_streams() == 0
