"""Chats over any OpenAI-compatible server, with the readings taken in the transport."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from foundry_tui.domain.chat import (
    ChatEvent,
    ChatMessage,
    ChatRequest,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    PhaseTimeouts,
    Role,
)
from foundry_tui.domain.errors import EngineError, EngineUnavailable, GenerationFailed
from foundry_tui.domain.text import clean_line
from foundry_tui.engines.reasons import failure_of, plain_reason
from foundry_tui.engines.streaming.chunks import AnswerSoFar
from foundry_tui.engines.streaming.delay import LoopDelay
from foundry_tui.engines.streaming.sse import SseDecoder
from foundry_tui.engines.streaming.transport import ResponseWatch, StampingTransport, watch_of

__all__ = ["OpenAIHttpEngine", "make_client"]

_NS_PER_S = 1_000_000_000
# What may follow the end mark is read for so long, to keep the connection.
_DRAIN_S = 0.1
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def make_client(base_url: str, *, api_key: str | None, connect_s: float) -> openai.AsyncOpenAI:
    """A client for ``base_url``, which ends with the API prefix; whoever makes it closes it.

    The key is always given, "none" where there is no key: left out, the SDK would send the user's
    ``OPENAI_API_KEY`` to whatever server this is.
    """
    http = httpx2.AsyncClient(
        transport=StampingTransport(base_url),
        # Waiting is timed by phase below; the transport only limits how long connecting may take.
        timeout=httpx2.Timeout(None, connect=connect_s),
        follow_redirects=False,
        trust_env=False,
    )
    return openai.AsyncOpenAI(
        base_url=base_url,
        api_key=api_key or "none",
        max_retries=0,  # a hidden retry would be timed as latency
        http_client=http,
        default_headers={"Accept-Encoding": "identity"},  # a compressed stream would be merged in the sender
    )


class OpenAIHttpEngine:
    """Streams chats from one server; borrows its client.

    Args:
        client: From ``make_client``.
        delay: The process's own scheduling delay, reported with each answer.
    """

    def __init__(self, client: openai.AsyncOpenAI, delay: LoopDelay) -> None:
        self._client = client
        self._delay = delay

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """See ``ports.Engine``."""
        with self._delay.watching() as delay:
            call_ns = time.perf_counter_ns()
            yield ClockRead(moment=Moment.CALL, at_ns=call_ns)
            stream = await self._open(request, call_ns)
            answer = AnswerSoFar()
            try:
                watch = watch_of(stream.response)
                yield ClockRead(moment=Moment.SENT, at_ns=watch.sent_ns)
                yield ClockRead(moment=Moment.HEADERS, at_ns=watch.headers_ns)
                chunks = _chunks(stream.response, watch, answer, request.timeouts, call_ns)
                async with aclosing(chunks) as timed:
                    async for chunk in timed:
                        for event in answer.take(chunk, at_ns=watch.last_read_ns, read=watch.reads):
                            yield event
                yield _finish(answer, stream.response, watch.last_read_ns, delay.p99_ns())
            except GenerationFailed as error:
                error.response_id = answer.response_id
                raise
            finally:
                await stream.close()

    async def _open(self, request: ChatRequest, call_ns: int) -> openai.AsyncStream[ChatCompletionChunk]:
        base = str(self._client.base_url)
        wait_s = request.timeouts.connect_s + request.timeouts.headers_s
        try:
            async with asyncio.timeout(wait_s):
                return await self._client.chat.completions.create(
                    model=_sendable(request.model),
                    messages=[_message_param(message) for message in request.messages],
                    max_tokens=request.max_tokens,
                    temperature=openai.omit if request.temperature is None else request.temperature,
                    seed=openai.omit if request.seed is None else request.seed,
                    stream=True,
                    stream_options={"include_usage": True},
                )
        except TimeoutError as error:
            raise GenerationFailed(
                f"{base} sent no response headers within {wait_s:g} s",
                outcome=Outcome.TIMEOUT,
                end_ns=time.perf_counter_ns(),
                remedy="the server may be busy; raise --timeout headers=SECONDS",
            ) from error
        except openai.APIStatusError as error:
            raise _refusal(error) from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            raise _unreachable(error, base, call_ns) from error


async def _chunks(
    response: httpx2.Response,
    watch: ResponseWatch,
    answer: AnswerSoFar,
    limits: PhaseTimeouts,
    call_ns: int,
) -> AsyncGenerator[dict[str, Any], None]:
    """The stream's chunks, each wait limited; every way to break becomes its own failure.

    Once there was a finish reason the answer is whole, and it is no failure how the server leaves.

    Events are parsed here and not by the SDK, whose typed chunks cost the measured model a fifth of the
    processor time that its child process spends for each token (benchmarks/README.md).
    """
    # Asked for plain; a server that compresses all the same is understood.
    body = response.aiter_bytes() if "content-encoding" in response.headers else response.aiter_raw()
    events = SseDecoder()
    while True:
        phase, wait_s = _next_wait(answer, watch, limits, call_ns)
        try:
            async with asyncio.timeout(max(0.0, wait_s)):
                data = await anext(body, None)
        except TimeoutError as error:
            if answer.finish_reason is not None:
                return
            raise _too_late(phase) from error
        except httpx2.DecodingError as error:
            raise _malformed("the server's compressed stream cannot be read", watch.last_read_ns) from error
        except httpx2.HTTPError as error:
            if answer.finish_reason is not None:
                return
            raise GenerationFailed(
                "the connection was cut in the middle of the answer",
                outcome=Outcome.DISCONNECTED,
                end_ns=watch.last_read_ns,
                remedy="what had arrived is kept; check that the server still runs",
            ) from error
        if data is None:
            if not answer.events and events.rest.startswith(b'{"error"'):
                _parsed(events.rest, watch)  # an error in place of a stream, which raises it
            return
        try:
            payloads = events.feed(data)
        except ValueError as error:
            raise _malformed("the server sent an event without end", watch.last_read_ns) from error
        for payload in payloads:
            answer.events += 1
            if payload.startswith(b"[DONE]"):
                answer.saw_done = True
                await _drain(body)
                return
            yield _parsed(payload, watch)


def _parsed(payload: bytes, watch: ResponseWatch) -> dict[str, Any]:
    try:
        chunk = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise _malformed("the server sent something that is not JSON", watch.last_read_ns) from error
    if not isinstance(chunk, dict):
        raise _malformed("the server sent something that is not a chat chunk", watch.last_read_ns)
    if said := chunk.get("error"):
        message = said.get("message") if isinstance(said, dict) else said
        words = message if isinstance(message, str) and message else "an error without a message"
        outcome, remedy = failure_of(None, words)
        raise GenerationFailed(
            f"the server broke off with: {plain_reason(words)}",
            outcome=outcome,
            end_ns=watch.last_read_ns,
            remedy=remedy,
        )
    return chunk


async def _drain(body: AsyncIterator[bytes]) -> None:
    """Read what follows the end mark, so that the connection can serve again; not for long."""
    with contextlib.suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(_DRAIN_S):
            async for _ in body:
                continue


def _malformed(what: str, end_ns: int) -> GenerationFailed:
    return GenerationFailed(
        what,
        outcome=Outcome.MALFORMED,
        end_ns=end_ns,
        remedy="check that the endpoint is an OpenAI-compatible server",
    )


def _too_late(phase: str) -> GenerationFailed:
    option = {"next token": "between", "first token": "first-token"}.get(phase, "total")
    return GenerationFailed(
        f"no {phase} in time",
        outcome=Outcome.STALLED if phase == "next token" else Outcome.TIMEOUT,
        end_ns=time.perf_counter_ns(),
        remedy=f"stop waiting for it, or raise --timeout {option}=SECONDS",
    )


def _message_param(message: ChatMessage) -> ChatCompletionMessageParam:
    text = _sendable(message.text)
    match message.role:
        case Role.SYSTEM:
            return {"role": "system", "content": text}
        case Role.USER:
            return {"role": "user", "content": text}
        case Role.ASSISTANT:
            return {"role": "assistant", "content": text}


def _sendable(text: str) -> str:
    """``text`` as UTF-8 can carry it: what is no character, such as a stray byte of a file, is marked so."""
    return _LONE_SURROGATES.sub("\ufffd", text)


def _next_wait(
    answer: AnswerSoFar, watch: ResponseWatch, limits: PhaseTimeouts, call_ns: int
) -> tuple[str, float]:
    """Which token timer ends first, and in how many seconds from now."""
    if answer.last_ns is None:
        phase, due_ns = "first token", watch.sent_ns + limits.first_token_s * _NS_PER_S
    else:
        phase, due_ns = "next token", answer.last_ns + limits.between_s * _NS_PER_S
    total_ns = call_ns + limits.total_s * _NS_PER_S
    if total_ns < due_ns:
        phase, due_ns = "end of the answer", total_ns
    return phase, (due_ns - time.perf_counter_ns()) / _NS_PER_S


def _finish(
    answer: AnswerSoFar, response: httpx2.Response, end_ns: int, delay_p99_ns: int | None
) -> GenerationFinished:
    if not answer.events and "event-stream" not in response.headers.get("content-type", "event-stream"):
        raise _malformed(
            f"the server answered with {clean_line(response.headers['content-type'], 40)}, not with a stream",
            end_ns,
        )
    if answer.finish_reason is None:
        raise GenerationFailed(
            "the stream ended early, without a finish reason",
            outcome=Outcome.EARLY_END,
            end_ns=end_ns,
            remedy="what had arrived is kept; ask again",
        )
    if answer.finish_reason == "error":
        raise GenerationFailed(
            "the server broke off, with the finish reason error",
            outcome=Outcome.STREAM_ERROR,
            end_ns=end_ns,
            remedy="what had arrived is kept; look into the server's log",
        )
    if answer.last_ns is None:
        raise GenerationFailed(
            f"the model ended its answer without any text ({plain_reason(answer.finish_reason)})",
            outcome=Outcome.EMPTY,
            end_ns=end_ns,
            remedy="rephrase the prompt, or check the model's chat template",
        )
    if not answer.saw_done:
        answer.warnings.append("no_done")
    return GenerationFinished(
        outcome=Outcome.TRUNCATED if answer.finish_reason == "length" else Outcome.COMPLETED,
        finish_reason=answer.finish_reason,
        end_ns=end_ns,
        usage=answer.usage,
        response_id=answer.response_id,
        warnings=tuple(answer.warnings),
        delay_p99_ns=delay_p99_ns,
    )


def _refusal(error: openai.APIStatusError) -> GenerationFailed:
    # The SDK leaves out of its message whatever is not in the usual envelope, such as a plain text.
    body = error.body
    said = body.get("message", body.get("detail")) if isinstance(body, dict) else body
    message = said if isinstance(said, str) and said else error.message
    outcome, remedy = failure_of(error.status_code, message)
    return GenerationFailed(
        f"the server refused (HTTP {error.status_code}): {plain_reason(message)}",
        outcome=outcome,
        end_ns=time.perf_counter_ns(),
        remedy=remedy,
    )


def _unreachable(error: Exception, base: str, call_ns: int) -> EngineError:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, httpx2.TransportError):
        cause = cause.__cause__
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError):
        return EngineUnavailable(
            f"cannot reach {base}: {plain_reason(str(cause) or type(cause).__name__)}",
            remedy="check the address, and that the server runs",
        )
    if isinstance(cause, httpx2.RemoteProtocolError) and "disconnected" not in str(cause):
        return _malformed(f"what answers at {base} does not speak HTTP", time.perf_counter_ns())
    return GenerationFailed(
        f"the connection to {base} broke before an answer began",
        outcome=Outcome.DISCONNECTED,
        end_ns=max(call_ns, time.perf_counter_ns()),
        remedy="check that the server still runs, and ask again",
    )
