"""The self-test: asks a server of known timing as a benchmark asks a model; keeps both sides' readings."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from foundry_tui.domain.chat import ChatEvent, ChatMessage, ChatRequest, PhaseTimeouts, Role
from foundry_tui.domain.errors import EngineDied, EngineError
from foundry_tui.domain.known_timing import (
    SCHEDULES,
    Condition,
    Ending,
    Fault,
    FaultSeen,
    KnownAnswer,
    Schedule,
    SelfTestResult,
    WrittenAnswer,
)
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.ports.engines import Engine

__all__ = ["Drawing", "OpenDrawing", "SelfTest", "SelfTestProgress"]

_TIMEOUTS = PhaseTimeouts(connect_s=5, headers_s=10, first_token_s=10, between_s=10, total_s=60)
# The longest answer is 62 tokens; a server that keeps to a limit must not be cut by this one.
_MAX_TOKENS = 128


class Drawing(Protocol):
    """Something that draws the answers while they are measured."""

    @property
    def frames(self) -> int:
        """How often it has drawn so far."""
        ...

    def show(self, event: ChatEvent) -> None:
        """Take one event of an answer; returns at once."""
        ...


OpenDrawing: TypeAlias = Callable[[], AbstractAsyncContextManager[Drawing]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestProgress:
    """How far a self-test is, in requests; warm-ups are among them."""

    done: int
    total: int


class SelfTest:
    """Asks each schedule ``rounds`` times under each condition, in turns, and each fault once.

    Args:
        engine: Started, on the server of known timing; what a benchmark would use.
        next_written: What the server wrote last; asked for once after each request.
        rounds: At least one.  From ten on the gaps allow a statement about p99.
        open_drawing: Draws meanwhile, for the second condition; None leaves that out.
        tell: How far it is.
    """

    def __init__(
        self,
        engine: Engine,
        next_written: Callable[[], Awaitable[WrittenAnswer]],
        *,
        rounds: int,
        open_drawing: OpenDrawing | None = None,
        tell: Callable[[SelfTestProgress], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._next_written = next_written
        self._rounds = rounds
        self._open_drawing = open_drawing
        self._tell = tell
        self._done = 0
        conditions = 1 if open_drawing is None else 2
        self._total = len(SCHEDULES) * (1 + rounds * conditions) + len(Fault)

    async def run(self) -> SelfTestResult:
        """Everything, one request after the other.

        Raises:
            EngineDied: The measuring process or the server ended.
        """
        for schedule in SCHEDULES:  # the first requests of a process are slower: not what is asked here
            await self._ask(schedule.name)
        answers: list[KnownAnswer] = []
        async with _nothing() as idle:
            answers += await self._measure(Condition.IDLE, idle)
        frames = 0
        if self._open_drawing is not None:
            async with self._open_drawing() as drawing:
                before = drawing.frames
                answers += await self._measure(Condition.DRAWING, drawing)
                frames = drawing.frames - before
        return SelfTestResult(
            answers=tuple(answers),
            faults=tuple([await self._meet(fault) for fault in Fault]),
            warm_ups=len(SCHEDULES),
            frames=frames,
        )

    async def _measure(self, condition: Condition, drawing: Drawing) -> list[KnownAnswer]:
        return [
            await self._measure_one(condition, schedule, drawing)
            for _ in range(self._rounds)
            for schedule in SCHEDULES
        ]

    async def _measure_one(self, condition: Condition, schedule: Schedule, drawing: Drawing) -> KnownAnswer:
        trace, written = await self._ask(schedule.name, drawing.show)
        return KnownAnswer(condition=condition, schedule=schedule, trace=trace, written=written)

    async def _meet(self, fault: Fault) -> FaultSeen:
        trace, _ = await self._ask(fault.value)
        seen = Ending(outcome=trace.outcome, chunks=len(trace.chunks), warnings=trace.warnings)
        return FaultSeen(fault=fault, seen=seen)

    async def _ask(
        self, name: str, show: Callable[[ChatEvent], None] = lambda _: None
    ) -> tuple[GenerationTrace, WrittenAnswer]:
        request = ChatRequest(
            model=name,
            messages=(ChatMessage(role=Role.USER, text="self-test"),),
            max_tokens=_MAX_TOKENS,
            temperature=0,
            timeouts=_TIMEOUTS,
        )
        builder = TraceBuilder()
        try:
            async with aclosing(self._engine.stream_chat(request)) as events:
                async for event in events:
                    builder.observe(event)
                    show(event)
        except EngineDied:
            raise
        except EngineError as error:
            trace = builder.failed(error)
        else:
            trace = builder.finish()
        written = await self._next_written()
        if written.name != name:
            raise EngineDied(f"the built-in server answered {written.name!r} in place of {name!r}")
        self._done += 1
        self._tell(SelfTestProgress(done=self._done, total=self._total))
        return trace, written


class _Nothing:
    frames = 0

    def show(self, event: ChatEvent) -> None:
        """Draw nothing."""


@asynccontextmanager
async def _nothing() -> AsyncGenerator[Drawing, None]:
    yield _Nothing()
