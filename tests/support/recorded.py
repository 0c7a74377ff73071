"""Recordings as test fixtures: an engine that plays one on its own clock, and scripts for an endpoint.

``docs/recordings.md`` tells how one is made and used.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from foundry_tui.domain.bench import RequestRun, ResourceReading, Run
from foundry_tui.domain.chat import (
    ChatEvent,
    ChatRequest,
    ChunkKind,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
)
from foundry_tui.domain.errors import EngineDied, EngineError, GenerationFailed
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.run_reading import read_run
from tests.support.faults import http_error, unknown_model
from tests.support.record import Request
from tests.support.script import (
    CleanEnd,
    Done,
    ErrorObject,
    Event,
    Finish,
    Headers,
    HoldOpen,
    Raw,
    Reasoning,
    Reset,
    Script,
    Step,
    Text,
    Together,
    Tool,
    Usage,
    Wait,
)
from tests.support.script import Role as RoleEvent

__all__ = ["DEMO", "RecordedEngine", "Recording", "recorded_script", "recorded_scripts", "recording"]

DEMO = Path(__file__).parents[1] / "data" / "recording.json"
"""The real runtime on the bundled model: probe, calibration, certificate, three prompts in three rounds."""

_NS_PER_MS = 1_000_000
_HELD = frozenset({Outcome.CANCELLED, Outcome.TIMEOUT, Outcome.STALLED, Outcome.RUNAWAY})
_CUT = frozenset({Outcome.DISCONNECTED, Outcome.ENGINE_DIED})
_IN_STREAM = frozenset({Outcome.STREAM_ERROR, Outcome.MALFORMED, Outcome.EARLY_END, Outcome.EMPTY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A run as a file has it."""

    run: Run
    requests: tuple[RequestRun, ...]
    resources: tuple[ResourceReading, ...] = ()

    def knows(self, model: str) -> bool:
        """Whether it asked that model, alias or exact variant."""
        return any(model in (request.model, request.model_id) for request in self.requests)

    def answers(self, model: str, prompt: str) -> list[RequestRun]:
        """What that model answered to that text, in order.

        A text that is not in the plan, such as a probe's, finds all answers to prompts that are not in it.
        """
        own = [request for request in self.requests if model in (request.model, request.model_id)]
        texts = {prompt.id: prompt.text for prompt in self.run.plan.prompts}
        asked = [request for request in own if texts.get(request.prompt_id) == prompt]
        return asked or [request for request in own if request.prompt_id not in texts]


@dataclass(slots=True)
class _Turns:
    """Which answer is next: each in its turn, and from the first again."""

    recording: Recording
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)

    def next(self, model: str, prompt: str) -> RequestRun | None:
        answers = self.recording.answers(model, prompt)
        if not answers:
            return None
        turn = self.taken[model, prompt]
        self.taken[model, prompt] += 1
        return answers[turn % len(answers)]


def recording(path: Path = DEMO) -> Recording:
    """The recording in a file of results."""
    read = read_run(path.read_text(encoding="utf-8"), path.name, now_unix_ms=0)
    return Recording(run=read.run, requests=read.requests, resources=read.resources)


class RecordedEngine:
    """Implements ``ports.Engine``: gives back the events of a recording, readings and all, without waiting.

    Args:
        played: What it answers with; each answer in its turn.
        holds: Whether each answer stays open after its last chunk.

    Attributes:
        now_ns: Its clock, the newest reading that it gave; 0 before the first.
        seen: Requests received, oldest first.
        open_streams: Streams begun and not yet closed.
    """

    def __init__(self, played: Recording, *, holds: bool = False) -> None:
        self._turns = _Turns(played)
        self._holds = holds
        self.now_ns = 0
        self.seen: list[ChatRequest] = []
        self.open_streams = 0

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """See ``ports.Engine``."""
        self.seen.append(request)
        self.open_streams += 1
        try:
            answer = self._turns.next(request.model, request.messages[-1].text)
            if answer is None:
                yield ClockRead(moment=Moment.CALL, at_ns=self.now_ns)
                raise GenerationFailed(
                    _unknown(request.model), outcome=Outcome.HTTP_ERROR, end_ns=self.now_ns
                )
            for event in _events(answer.trace):
                await asyncio.sleep(0)  # a turn for the loop, as a socket would give it
                self.now_ns = event.at_ns
                yield event
            if self._holds:
                await asyncio.Event().wait()
            if not answer.trace.outcome.is_timed:
                raise _failure(answer.trace)
            yield _finished(answer.trace)
        finally:
            self.open_streams -= 1


def recorded_scripts(played: Recording, *, speed: float = 1.0) -> Callable[[Request], Script]:
    """What a scripted endpoint is to answer with: ``scripted_endpoint(recorded_scripts(recording()))``."""
    turns = _Turns(played)

    def script_for(request: Request) -> Script:
        model = str(request.body.get("model"))
        messages = request.body.get("messages")
        last = messages[-1] if isinstance(messages, list) and messages else {}
        answer = turns.next(model, str(last.get("content")))
        return unknown_model(model) if answer is None else recorded_script(answer.trace, speed=speed)

    return script_for


def recorded_script(trace: GenerationTrace, *, speed: float = 1.0) -> Script:
    """The answer as a server writes it, at its recorded moments since it was sent, so many times as fast.

    What came in one read is one write.  A failure is served so that a client ends with the same outcome; one
    that the client itself made, such as a time-out, is a stream that stays open.
    """
    if not trace.chunks and trace.outcome not in _IN_STREAM | _HELD | _CUT and not trace.outcome.is_timed:
        return http_error(500, json.dumps({"error": {"message": trace.error or trace.outcome.value}}))
    begin_ns = at_ns = trace.sent_ns or trace.call_ns or 0
    steps: list[Step] = []

    def wait_for(moment_ns: int | None) -> None:
        nonlocal at_ns
        if moment_ns is not None and moment_ns > at_ns:
            steps.append(Wait((moment_ns - at_ns) / _NS_PER_MS / speed))
            at_ns = moment_ns

    if trace.headers_ns is None and not trace.chunks and trace.outcome in _HELD | _CUT:
        wait_for(trace.end_ns if trace.outcome in _CUT else begin_ns)
        return Script((*steps, Reset() if trace.outcome in _CUT else HoldOpen()))
    wait_for(trace.headers_ns)
    steps.append(Headers())
    wait_for(trace.role_ns)
    if trace.role_ns is not None:
        steps.append(RoleEvent())
    for _, together in groupby(enumerate(trace.chunks), lambda one: one[1].read or -one[0]):
        chunks = [chunk for _, chunk in together]
        wait_for(chunks[0].at_ns)
        events = [_written(chunk) for chunk in chunks]
        steps.append(events[0] if len(events) == 1 else Together(events))
    wait_for(trace.end_ns)
    return Script((*steps, *_ending(trace)))


def _events(trace: GenerationTrace) -> Iterator[ClockRead | ChunkReceived]:
    moments = {
        Moment.CALL: trace.call_ns,
        Moment.SENT: trace.sent_ns,
        Moment.HEADERS: trace.headers_ns,
        Moment.ROLE: trace.role_ns,
    }
    for moment, at_ns in moments.items():
        if at_ns is not None:
            yield ClockRead(moment=moment, at_ns=at_ns)
    yield from trace.chunks


def _finished(trace: GenerationTrace) -> GenerationFinished:
    assert trace.end_ns is not None
    return GenerationFinished(
        outcome=trace.outcome,
        finish_reason=trace.finish_reason or "",
        end_ns=trace.end_ns,
        usage=trace.usage,
        response_id=trace.response_id,
        warnings=trace.warnings,
        delay_p99_ns=trace.delay_p99_ns,
    )


def _failure(trace: GenerationTrace) -> EngineError:
    words = trace.error or trace.outcome.value
    if trace.outcome is Outcome.ENGINE_DIED:
        return EngineDied(words)
    return GenerationFailed(words, outcome=trace.outcome, end_ns=trace.end_ns, response_id=trace.response_id)


def _unknown(model: str) -> str:
    return f"the recording has no answer of {model!r} to this"


def _written(chunk: ChunkReceived) -> Event:
    try:
        chunk.text.encode()
    except UnicodeEncodeError:
        # Half a character is no UTF-8: JSON's own escape carries it.
        key = "reasoning_content" if chunk.kind is ChunkKind.REASONING else "content"
        return Raw(f"data: {json.dumps({'choices': [{'delta': {key: chunk.text}}]})}\n\n".encode())
    match chunk.kind:
        case ChunkKind.CONTENT:
            return Text(chunk.text, tokens_so_far=chunk.tokens)
        case ChunkKind.REASONING:
            return Reasoning(chunk.text)
        case ChunkKind.TOOL:
            return Tool(chunk.text)


def _ending(trace: GenerationTrace) -> tuple[Step, ...]:
    outcome = trace.outcome
    if outcome.is_timed:
        counts = trace.usage
        usage: tuple[Step, ...] = ()
        if counts is not None and counts.completion_tokens is not None:
            usage = (
                Usage(counts.prompt_tokens or 0, counts.completion_tokens, counts.reasoning_tokens or 0),
            )
        done = () if "no_done" in trace.warnings else (Done(),)
        return (Finish(trace.finish_reason or "stop"), *usage, *done)
    if outcome in _HELD:
        return (HoldOpen(),)
    if outcome in _CUT:
        return (Reset(),)
    match outcome:
        case Outcome.EMPTY:
            return (Finish(trace.finish_reason or "stop"), Done())
        case Outcome.EARLY_END:
            return (CleanEnd(),)
        case Outcome.MALFORMED:
            return (Raw(b"data: {broken\n\n"), CleanEnd())
        case _:
            return (ErrorObject(trace.error or outcome.value), CleanEnd())
