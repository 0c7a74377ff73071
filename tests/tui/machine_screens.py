"""The resources over a session that a test has made up; its clock stands still unless it is moved."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace

from foundry_tui.domain.chat import (
    ChatEvent,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    TokenUsage,
)
from foundry_tui.domain.engine import Capability, EndpointKind, EngineInfo, EngineReady, EngineState
from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.models import LoadReport
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.metrics.stays import Taken
from foundry_tui.services.chronicle import Chronicle
from foundry_tui.services.reclaim import Reclaimed
from foundry_tui.tui.screens.resources import ResourcesScreen
from tests.support.machine import GIB, MIB, S, a_gpu, a_sample

__all__ = ["BEGIN_S", "INFO", "TAKEN_BACK", "Machine", "busy_session"]

BEGIN_S = 1_000
INFO = EngineInfo(
    kind=EndpointKind.SCRIPTED,
    url="http://127.0.0.1:5273",
    pid=4711,
    capabilities=(Capability.MEMORY, Capability.LOAD),
    start_ns=1_200_000_000,
)

TAKEN_BACK = Reclaimed(
    before=Taken(rss_bytes=207 * MIB, vram_bytes=0), after=Taken(rss_bytes=60 * MIB, vram_bytes=0), reports=()
)
"""What a restart gives back after a busy session."""


@dataclass(kw_only=True)
class Machine:
    """What a screen is handed, and what it has done with it.

    Attributes:
        now_s: The present, on the clock of all readings.
        obstacle: Why there is no host to restart.
        reclaimed: What a restart gives back, or how it fails.
        restarting: If set, a restart waits for it.
        restarts: How many were begun.
        waited_s: How long the screen meant to wait before each drawing.
        turn: Set to let it draw once more.
    """

    now_s: float = BEGIN_S
    state: EngineState = field(default_factory=lambda: EngineReady(INFO))
    newest: ResourceSample | None = None
    is_measuring: bool = False
    obstacle: EngineError | None = None
    reclaimed: Reclaimed | EngineError = TAKEN_BACK
    restarting: asyncio.Event | None = None
    restarts: int = 0
    waited_s: list[float] = field(default_factory=list[float])
    turn: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.chronicle = Chronicle(clock_ns=lambda: round(self.now_s * S))

    def read(self, sample: ResourceSample) -> None:
        """The sampler has read the machine."""
        self.now_s = max(self.now_s, sample.at_ns / S)
        self.newest = sample
        self.chronicle.take(sample)

    def load(
        self,
        model_id: str,
        *,
        before: int,
        after: int,
        took_s: float = 2.0,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        with self.chronicle.loading(model_id):
            meanwhile()
            self.now_s += took_s
        self.chronicle.loaded(
            LoadReport(
                model_id=model_id,
                load_ns=round(took_s * S),
                was_loaded=False,
                rss_before_bytes=before,
                rss_after_bytes=after,
            )
        )

    async def answer(self, model_id: str, *, took_s: float, stall_s: float = 0.0) -> None:
        """One answer of so many tokens a second as make the time come out, with one halt in it."""

        async def events() -> AsyncGenerator[ChatEvent, None]:
            begin_ns = round(self.now_s * S)
            yield ClockRead(moment=Moment.SENT, at_ns=begin_ns)
            at_ns = begin_ns
            step_ns = round((took_s - stall_s) * S / 50)
            for read in range(50):
                at_ns += step_ns + (round(stall_s * S) if read == 30 else 0)
                self.now_s = at_ns / S
                yield ChunkReceived(at_ns=at_ns, text="a", read=read)
            usage = TokenUsage(prompt_tokens=9, completion_tokens=50, reasoning_tokens=None)
            yield GenerationFinished(
                end_ns=at_ns, outcome=Outcome.COMPLETED, usage=usage, finish_reason="stop"
            )

        async for _ in self.chronicle.answering(events(), model_id):
            pass

    async def reclaim(self) -> Reclaimed:
        self.restarts += 1
        if self.restarting is not None:
            await self.restarting.wait()
        if isinstance(self.reclaimed, EngineError):
            raise self.reclaimed
        self.chronicle.engine(EngineReady(replace(INFO)))  # its end was not seen: a new life
        return self.reclaimed

    def screen(self, *, is_plain: bool = False) -> ResourcesScreen:
        async def wait(seconds: float) -> None:
            self.waited_s.append(seconds)
            await self.turn.wait()
            self.turn.clear()

        return ResourcesScreen(
            self.chronicle,
            sample=lambda: self.newest,
            state=lambda: self.state,
            is_measuring=lambda: self.is_measuring,
            obstacle=lambda: self.obstacle,
            reclaim=self.reclaim,
            is_plain=is_plain,
            clock_s=lambda: 0.0,
            wait=wait,
            wall=lambda at_ns: _clock(at_ns // S - BEGIN_S),
        )


def _clock(seconds: int) -> str:
    """The time of day; the session began at half past two."""
    minutes, rest = divmod(seconds, 60)
    return f"14h{30 + minutes:02d}:{rest:02d}"


async def busy_session(machine: Machine, *, has_gpu: bool = True) -> None:
    """A minute in which a model is loaded, asked three times, and unloaded."""
    at_s = float(BEGIN_S)

    def read_until(end_s: float, *, cpu: float, rss: int, vram: int = 0, power: float = 30.0) -> None:
        nonlocal at_s
        while at_s < end_s:
            gpus = (
                (a_gpu(used=GIB + vram, process=vram, busy=min(1.0, cpu * 1.2), power=power),)
                if has_gpu
                else ()
            )
            machine.read(a_sample(at_s, cpu=cpu + (at_s % 2) * 0.02, used=2 * GIB + rss, rss=rss, gpus=gpus))
            at_s += 0.5

    machine.chronicle.engine(EngineReady(INFO))
    read_until(BEGIN_S + 8, cpu=0.04, rss=60 * MIB)
    machine.now_s = at_s
    machine.load(
        "smollm2-360m-instruct-cuda-gpu:1",
        before=60 * MIB,
        after=290 * MIB,
        took_s=0.1,
        meanwhile=lambda: read_until(at_s + 3, cpu=0.9, rss=180 * MIB, vram=2 * GIB, power=90.0),
    )
    read_until(at_s + 4, cpu=0.05, rss=290 * MIB, vram=4 * GIB)
    for stall_s in (0.0, 1.5, 0.0):
        machine.now_s = at_s
        await machine.answer("smollm2-360m-instruct-cuda-gpu:1", took_s=6.0, stall_s=stall_s)
        read_until(machine.now_s, cpu=0.6, rss=320 * MIB, vram=5 * GIB, power=220.0)
        read_until(at_s + 3, cpu=0.05, rss=300 * MIB, vram=4 * GIB)
    machine.now_s = at_s
    machine.chronicle.unloaded("smollm2-360m-instruct-cuda-gpu:1")
    read_until(at_s + 6, cpu=0.03, rss=207 * MIB)
