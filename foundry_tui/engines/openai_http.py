"""Chats over any OpenAI-compatible server, with the readings taken in the transport."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from foundry_tui.domain.chat import (
    ChatEvent,
    ChatMessage,
    ChatRequest,
    ChunkKind,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    PhaseTimeouts,
    Role,
    TokenUsage,
)
from foundry_tui.domain.errors import EngineError, EngineUnavailable, GenerationFailed
from foundry_tui.engines.delay import LoopDelay
from foundry_tui.engines.reasons import failure_of, plain_reason
from foundry_tui.engines.transport import ResponseWatch, StampingTransport, watch_of

__all__ = ["OpenAIHttpEngine", "make_client"]

_NS_PER_S = 1_000_000_000
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


@dataclass(slots=True)
class _Progress:
    """What has been seen of one answer."""

    role_seen: bool = False
    first_ns: int | None = None
    last_ns: int | None = None
    finish_reason: str | None = None
    response_id: str | None = None
    usage: TokenUsage | None = None
    warnings: list[str] = field(default_factory=list)


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
            try:
                watch = watch_of(stream.response)
                yield ClockRead(moment=Moment.SENT, at_ns=watch.sent_ns)
                yield ClockRead(moment=Moment.HEADERS, at_ns=watch.headers_ns)
                progress = _Progress()
                chunks = self._chunks(stream, watch, progress, request.timeouts, call_ns)
                async with aclosing(chunks) as timed:
                    async for chunk in timed:
                        for event in _events_of(chunk, watch, progress):
                            yield event
                end_ns = max(watch.last_read_ns, progress.last_ns or 0)
                yield _finish(progress, watch, end_ns, delay.p99_ns())
            finally:
                await stream.close()

    async def _open(self, request: ChatRequest, call_ns: int) -> openai.AsyncStream[ChatCompletionChunk]:
        base = str(self._client.base_url)
        try:
            async with asyncio.timeout(request.timeouts.connect_s + request.timeouts.headers_s):
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
                f"{base} sent no response headers within {request.timeouts.headers_s:g} s",
                outcome=Outcome.TIMEOUT,
                end_ns=time.perf_counter_ns(),
                remedy="the server may be busy; raise --timeout headers=SECONDS",
            ) from error
        except openai.APIStatusError as error:
            raise _refusal(error) from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            raise _unreachable(error, base, call_ns) from error

    async def _chunks(
        self,
        stream: openai.AsyncStream[ChatCompletionChunk],
        watch: ResponseWatch,
        progress: _Progress,
        limits: PhaseTimeouts,
        call_ns: int,
    ) -> AsyncGenerator[ChatCompletionChunk, None]:
        """The stream's chunks, each wait limited; every way to break becomes its own failure."""
        chunks = aiter(stream)
        while True:
            phase, wait_s = _next_wait(progress, watch, limits, call_ns)
            try:
                async with asyncio.timeout(max(0.0, wait_s)):
                    chunk = await anext(chunks, None)
            except TimeoutError as error:
                raise GenerationFailed(
                    f"no {phase} in time",
                    outcome=Outcome.STALLED if phase == "next token" else Outcome.TIMEOUT,
                    end_ns=time.perf_counter_ns(),
                    remedy="stop waiting for it, or raise --timeout "
                    + {"next token": "between", "first token": "first-token"}.get(phase, "total")
                    + "=SECONDS",
                ) from error
            except openai.APIConnectionError as error:
                raise _cut_off(watch, error) from error
            except httpx2.HTTPError as error:
                raise _cut_off(watch, error) from error
            except openai.APIError as error:
                reason = plain_reason(error.message)
                outcome, remedy = failure_of(None, error.message)
                raise GenerationFailed(
                    f"the server broke off with: {reason}",
                    outcome=outcome,
                    end_ns=watch.last_read_ns,
                    remedy=remedy,
                ) from error
            except (ValueError, TypeError, AttributeError) as error:
                # JSON or UTF-8 that does not parse, or parses to something that is no chunk.
                raise GenerationFailed(
                    "the server sent something that is not a chat chunk",
                    outcome=Outcome.MALFORMED,
                    end_ns=watch.last_read_ns,
                    remedy="check that the endpoint is an OpenAI-compatible server",
                ) from error
            if chunk is None:
                return
            yield chunk


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
    progress: _Progress, watch: ResponseWatch, limits: PhaseTimeouts, call_ns: int
) -> tuple[str, float]:
    """Which token timer ends first, and in how many seconds from now."""
    if progress.last_ns is None:
        phase, due_ns = "first token", watch.sent_ns + limits.first_token_s * _NS_PER_S
    else:
        phase, due_ns = "next token", progress.last_ns + limits.between_s * _NS_PER_S
    total_ns = call_ns + limits.total_s * _NS_PER_S
    if total_ns < due_ns:
        phase, due_ns = "end of the answer", total_ns
    return phase, (due_ns - time.perf_counter_ns()) / _NS_PER_S


def _events_of(chunk: ChatCompletionChunk, watch: ResponseWatch, progress: _Progress) -> list[ChatEvent]:
    at_ns = watch.last_read_ns
    events: list[ChatEvent] = []
    progress.response_id = progress.response_id or _text(getattr(chunk, "id", None))
    if (usage := _usage_of(chunk)) is not None:
        progress.usage = usage
    # The SDK does not validate: anything may be missing or of another type.
    choices = getattr(chunk, "choices", None)
    for choice in choices if isinstance(choices, list) else ():
        if not progress.role_seen:
            progress.role_seen = True
            events.append(ClockRead(moment=Moment.ROLE, at_ns=at_ns))
        for kind, text in _texts_of(getattr(choice, "delta", None)):
            tokens = usage.completion_tokens if usage is not None else None
            events.append(ChunkReceived(at_ns=at_ns, text=text, kind=kind, read=watch.reads, tokens=tokens))
            progress.first_ns = progress.first_ns or at_ns
            progress.last_ns = at_ns
        if (reason := _text(getattr(choice, "finish_reason", None))) is not None:
            progress.finish_reason = reason
    return events


def _texts_of(delta: Any) -> list[tuple[ChunkKind, str]]:
    if delta is None:
        return []
    found: list[tuple[ChunkKind, str | None]] = [
        # Two spellings of the same thing, by DeepSeek's and by OpenRouter's example.
        (
            ChunkKind.REASONING,
            _text(getattr(delta, "reasoning_content", None)) or _text(getattr(delta, "reasoning", None)),
        ),
        (ChunkKind.CONTENT, _text(getattr(delta, "content", None))),
    ]
    calls = getattr(delta, "tool_calls", None)
    for call in calls if isinstance(calls, list) else ():
        function = getattr(call, "function", None)
        found.append((ChunkKind.TOOL, _text(getattr(function, "name", None))))
        found.append((ChunkKind.TOOL, _text(getattr(function, "arguments", None))))
    return [(kind, text) for kind, text in found if text is not None]


def _usage_of(chunk: ChatCompletionChunk) -> TokenUsage | None:
    usage = getattr(chunk, "usage", None)
    if usage is None:
        return None
    details = getattr(usage, "completion_tokens_details", None)
    return TokenUsage(
        prompt_tokens=_count(getattr(usage, "prompt_tokens", None)),
        completion_tokens=_count(getattr(usage, "completion_tokens", None)),
        reasoning_tokens=_count(getattr(details, "reasoning_tokens", None)),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _finish(
    progress: _Progress, watch: ResponseWatch, end_ns: int, delay_p99_ns: int | None
) -> GenerationFinished:
    if progress.finish_reason is None:
        raise GenerationFailed(
            "the stream ended early, without a finish reason",
            outcome=Outcome.EARLY_END,
            end_ns=end_ns,
            remedy="what had arrived is kept; ask again",
        )
    if progress.first_ns is None:
        raise GenerationFailed(
            f"the model ended its answer without any text ({plain_reason(progress.finish_reason)})",
            outcome=Outcome.EMPTY,
            end_ns=end_ns,
            remedy="rephrase the prompt, or check the model's chat template",
        )
    if not watch.saw_done:
        progress.warnings.append("no_done")
    return GenerationFinished(
        outcome=Outcome.TRUNCATED if progress.finish_reason == "length" else Outcome.COMPLETED,
        finish_reason=progress.finish_reason,
        end_ns=end_ns,
        usage=progress.usage,
        response_id=progress.response_id,
        warnings=tuple(progress.warnings),
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
    return GenerationFailed(
        f"the connection to {base} broke before an answer began",
        outcome=Outcome.DISCONNECTED,
        end_ns=max(call_ns, time.perf_counter_ns()),
        remedy="check that the server still runs, and ask again",
    )


def _cut_off(watch: ResponseWatch, error: Exception) -> GenerationFailed:
    return GenerationFailed(
        "the connection was cut in the middle of the answer",
        outcome=Outcome.DISCONNECTED,
        end_ns=watch.last_read_ns,
        remedy="what had arrived is kept; check that the server still runs",
    )
