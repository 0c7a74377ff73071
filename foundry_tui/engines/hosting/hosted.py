"""The parent's side of an engine in a child process: frames become events again, deaths become errors."""

import asyncio
import contextlib
import itertools
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar, assert_never

from foundry_tui.aio import Feed, Tasks
from foundry_tui.children import CREATION_FLAGS, OWN_SESSION
from foundry_tui.domain.chat import ChatEvent, ChatRequest, ChunkReceived, ClockRead, GenerationFinished
from foundry_tui.domain.downloads import DownloadReading
from foundry_tui.domain.engine import (
    EngineDead,
    EngineIdle,
    EngineInfo,
    EngineReady,
    EngineStarting,
    EngineState,
    ExecutionProvider,
    HostDeath,
    ProviderEvent,
    ProviderProgress,
    ProvidersRegistered,
)
from foundry_tui.domain.errors import (
    ENGINE_ERRORS,
    EngineDied,
    EngineError,
    EngineUnavailable,
    GenerationFailed,
    KilledForMemory,
)
from foundry_tui.domain.models import CatalogSnapshot, LoadReport, ModelVariant, Registration
from foundry_tui.engines.hosting.configs import HostConfig
from foundry_tui.engines.hosting.environment import child_environment
from foundry_tui.engines.hosting.frames import (
    Call,
    Cancel,
    Chat,
    Command,
    Configure,
    DiscoverProviders,
    DownloadModel,
    Frame,
    HostFailed,
    HostReady,
    ListModels,
    LoadModel,
    ModelsListed,
    Operation,
    Ping,
    ProviderList,
    Refused,
    RegisterModel,
    RegisterProviders,
    RemoveModel,
    Replied,
    ReplyValue,
    Stop,
    Streamed,
    StreamEvent,
    UnloadModel,
    UnregisterModel,
)
from foundry_tui.engines.hosting.hostlog import HostLog
from foundry_tui.engines.hosting.memory_kills import MemoryKills
from foundry_tui.engines.hosting.wire import FrameBroken, decode_frame, encode

__all__ = ["HostedEngine"]

_START_TIMEOUT_S = 60.0
_STOP_GRACE_S = 3.0
_CANCEL_GRACE_S = 5.0
_READ_BYTES = 1 << 16
# A line from this length on takes a millisecond or two to read; others get their turn after each.
_LONG_LINE_BYTES = 1 << 14

_Event = TypeVar("_Event", bound=StreamEvent)
_Reply = TypeVar("_Reply", CatalogSnapshot, LoadReport, ModelVariant, ProviderList)


@dataclass(slots=True)
class _Pending:
    """One call under way: its events, and its end."""

    events: "asyncio.Queue[StreamEvent | None]" = field(default_factory=asyncio.Queue)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    value: ReplyValue = None
    error: EngineError | None = None

    def end(self, value: ReplyValue, error: EngineError | None) -> None:
        if not self.ended.is_set():
            self.value, self.error = value, error
            self.ended.set()
            self.events.put_nowait(None)


@dataclass(slots=True)
class _Life:
    """One child process, from its start to its end."""

    process: asyncio.subprocess.Process
    log: HostLog
    kills: MemoryKills
    ready: "asyncio.Future[EngineInfo]"
    pending: dict[int, _Pending] = field(default_factory=dict)
    loaded: dict[str, None] = field(default_factory=dict)
    is_wanted: bool = True
    reader: "asyncio.Task[None] | None" = None


class HostedEngine:
    """Implements ``ports.SupervisedEngine``: spawns the child, tells its state, kills it if it must.

    Args:
        config: Sent to the child as its first line, never on its command line.
        log_dir: The child's stderr goes to a file of its own in there.
        ping_every_s: How often a silent child is asked whether it is there.
    """

    def __init__(self, config: HostConfig, *, log_dir: Path, ping_every_s: float = 5.0) -> None:
        self._config = config
        self._log_dir = log_dir
        self._ping_every_s = ping_every_s
        self._life: _Life | None = None
        self._state: Feed[EngineState] = Feed(EngineIdle())
        self._numbers = itertools.count(1)
        self._changing = asyncio.Lock()
        self._tasks = Tasks()

    @property
    def state(self) -> EngineState:
        return self._state.value

    def states(self) -> AsyncIterator[EngineState]:
        return self._state.watch()

    async def start(self) -> EngineInfo:
        async with self._changing:
            if self._life is not None and self._life.process.returncode is None:
                if isinstance(self.state, EngineReady):
                    return self.state.info
                return await asyncio.shield(self._life.ready)
            return await self._start()

    async def stop(self) -> None:
        async with self._changing:
            await self._stop()
        await self._tasks.aclose()
        if not isinstance(self.state, EngineDead):
            self._state.publish(EngineIdle())

    async def ping(self) -> int:
        """Round trip to the child and back, in nanoseconds."""
        started_ns = time.perf_counter_ns()
        await self._ask(Ping())
        return time.perf_counter_ns() - started_ns

    async def list_models(self, *, public: bool) -> CatalogSnapshot:
        life, call, pending = self._begin(ListModels(public))
        try:
            await pending.ended.wait()
        finally:
            life.pending.pop(call, None)
        if pending.error is not None:
            raise pending.error
        snapshot = _expect(pending.value, CatalogSnapshot)
        models: list[ModelVariant] = []
        while isinstance(part := pending.events.get_nowait(), ModelsListed):
            models += part.models
        return replace(snapshot, models=(*models, *snapshot.models)) if models else snapshot

    async def load(self, model_id: str) -> LoadReport:
        if self._life is not None:
            await asyncio.to_thread(self._life.kills.look)
        report = _expect(await self._ask(LoadModel(model_id)), LoadReport)
        if self._life is not None:
            self._life.loaded[model_id] = None
        return report

    async def unload(self, model_id: str) -> None:
        await self._ask(UnloadModel(model_id))
        if self._life is not None:
            self._life.loaded.pop(model_id, None)

    async def register(self, registration: Registration) -> ModelVariant:
        return _expect(await self._ask(RegisterModel(registration)), ModelVariant)

    async def unregister(self, model_id: str) -> None:
        await self._ask(UnregisterModel(model_id))

    async def remove(self, model_id: str) -> None:
        await self._ask(RemoveModel(model_id))

    async def providers(self) -> tuple[ExecutionProvider, ...]:
        return _expect(await self._ask(DiscoverProviders()), ProviderList).providers

    def register_providers(self, names: tuple[str, ...]) -> AsyncGenerator[ProviderEvent, None]:
        """See ``ports.ProviderManager``."""
        return self._stream(RegisterProviders(names), (ProviderProgress, ProvidersRegistered))

    def download(self, model_id: str) -> AsyncGenerator[DownloadReading, None]:
        """See ``ports.ModelFetcher``; closing it waits until the child has left the server."""
        return self._stream(DownloadModel(model_id), (DownloadReading,))

    def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """See ``ports.Engine``; closing it waits until the child has freed what the chat held."""
        return self._stream(Chat(request), (ClockRead, ChunkReceived, GenerationFinished))

    async def _stream(
        self, operation: Operation, kinds: tuple[type[_Event], ...]
    ) -> AsyncGenerator[_Event, None]:
        """The events of these kinds, until the call ends; leaving it early cancels the call."""
        life, call, pending = self._begin(operation)
        try:
            while (event := await pending.events.get()) is not None:
                if isinstance(event, kinds):
                    yield event
            if pending.error is not None:
                raise pending.error
        finally:
            if not pending.ended.is_set():
                self._send(life, Cancel(call))
                # A child that does not even confirm is told of by the health loop.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_CANCEL_GRACE_S):
                        await pending.ended.wait()
            life.pending.pop(call, None)

    async def _ask(self, operation: Operation) -> ReplyValue:
        life, call, pending = self._begin(operation)
        try:
            await pending.ended.wait()
        finally:
            life.pending.pop(call, None)
        if pending.error is not None:
            raise pending.error
        return pending.value

    def _begin(self, operation: Operation) -> tuple[_Life, int, _Pending]:
        life = self._life
        if life is None or life.process.returncode is not None or not life.ready.done():
            raise EngineUnavailable("the engine is not running", remedy="restart it")
        call, pending = next(self._numbers), _Pending()
        life.pending[call] = pending
        self._send(life, Call(call, operation))
        return life, call, pending

    def _send(self, life: _Life, command: Command) -> None:
        # Never awaited: the child reads commands in a thread of its own, so the pipe drains by itself.
        if life.process.stdin is not None and not life.process.stdin.is_closing():
            life.process.stdin.write(encode(command))

    async def _start(self) -> EngineInfo:
        self._state.publish(EngineStarting())
        started_ns = time.perf_counter_ns()
        try:
            log = await asyncio.to_thread(HostLog.create, self._log_dir)
            with log.open_for_child() as stderr:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *("-P", "-X", "utf8", "-m", "foundry_tui.engines.hosting.host"),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=stderr,
                    env=child_environment(self._config),
                    # Ctrl-C on the terminal is for the parent; a closed terminal reaches the child as a
                    # closed pipe.
                    start_new_session=OWN_SESSION,
                    creationflags=CREATION_FLAGS,
                )
        except OSError as error:
            dead = EngineDead(f"the engine's process could not be started: {error}")
            self._state.publish(dead)
            raise EngineUnavailable(dead.reason) from error
        life = _Life(
            process=process,
            log=log,
            kills=MemoryKills(process.pid),
            ready=asyncio.get_running_loop().create_future(),
        )
        await asyncio.to_thread(life.kills.look)
        # Marks a refusal as seen, for the case that the one who started has left meanwhile.
        life.ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        self._life = life
        life.reader = self._tasks.start("host frames", self._read(life))
        self._send(life, Configure(self._config))
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                info = await asyncio.shield(life.ready)
        except TimeoutError as error:
            await self._stop()
            dead = EngineDead(
                f"the engine did not answer within {_START_TIMEOUT_S:g} s of its start",
                remedy=f"see {life.log.path}",
            )
            self._state.publish(dead)
            raise EngineUnavailable(dead.reason, remedy=dead.remedy) from error
        except asyncio.CancelledError:
            await self._stop()
            raise
        info = replace(info, start_ns=time.perf_counter_ns() - started_ns)
        self._state.publish(EngineReady(info))
        self._tasks.start("host health", self._watch_health(life, info))
        return info

    async def _stop(self) -> None:
        life = self._life
        if life is None:
            return
        life.is_wanted = False
        process = life.process
        if process.returncode is None:
            self._send(life, Stop())
            try:
                async with asyncio.timeout(_STOP_GRACE_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if life.reader is not None:
            await asyncio.wait([life.reader])

    async def _read(self, life: _Life) -> None:
        """Take frames until the pipe closes, then say how the process ended."""
        try:
            await self._read_frames(life)
        except FrameBroken:
            # Nobody else writes to this pipe, so the two sides are not of one version.  Nothing it says
            # can be trusted from here on.
            life.process.kill()
        await life.process.wait()
        await self._bury(life)

    async def _read_frames(self, life: _Life) -> None:
        stdout = life.process.stdout
        if stdout is None:
            raise RuntimeError("the child was started without a pipe")
        rest = b""
        while data := await stdout.read(_READ_BYTES):
            *lines, last = data.split(b"\n")
            if not lines:
                rest += last
                continue
            lines[0], rest = rest + lines[0], last
            for line in lines:
                self._take(life, decode_frame(line))
                if len(line) > _LONG_LINE_BYTES:
                    await asyncio.sleep(0)

    def _take(self, life: _Life, frame: Frame) -> None:
        match frame:
            case HostReady(info):
                if not life.ready.done():
                    life.ready.set_result(info)
            case HostFailed(message, remedy):
                if not life.ready.done():
                    self._refuse_start(life, message, remedy, death=None)
            case Streamed(call, event):
                if (pending := life.pending.get(call)) is not None:
                    pending.events.put_nowait(event)
            case Replied(call, value):
                if (pending := life.pending.get(call)) is not None:
                    pending.end(value, None)
            case Refused():
                if (pending := life.pending.get(frame.call)) is not None:
                    pending.end(None, _error_of(frame))
            case _:
                assert_never(frame)

    async def _bury(self, life: _Life) -> None:
        code = life.process.returncode
        death = HostDeath(
            exit_code=code if code is None or code >= 0 else None,
            signal_name=_signal_name(code) if code is not None and code < 0 else None,
            last_log=await asyncio.to_thread(life.log.tail, 8),
            was_loaded=tuple(life.loaded),
            memory_kills=await asyncio.to_thread(life.kills.since),
        )
        reason = f"the engine's process {death.cause}"
        error = (KilledForMemory if death.is_for_memory else EngineDied)(
            reason, remedy="restart it; what had arrived is kept"
        )
        for pending in list(life.pending.values()):
            pending.end(None, error)
        if not life.ready.done():
            self._refuse_start(life, reason, f"see {life.log.path}", death)
        elif life is self._life and life.is_wanted and not isinstance(self.state, EngineDead):
            self._state.publish(EngineDead(reason, remedy=error.remedy, death=death))

    def _refuse_start(self, life: _Life, reason: str, remedy: str | None, death: HostDeath | None) -> None:
        self._state.publish(EngineDead(reason, remedy=remedy, death=death))
        life.ready.set_exception(EngineUnavailable(reason, remedy=remedy))

    async def _watch_health(self, life: _Life, info: EngineInfo) -> None:
        while True:
            await asyncio.sleep(self._ping_every_s)
            await asyncio.to_thread(life.kills.look)
            ask = self._tasks.start("ping", self._ping_quietly())
            answered, _ = await asyncio.wait([ask], timeout=self._ping_every_s)
            if life is not self._life or not life.is_wanted or not isinstance(self.state, EngineReady):
                return
            if self.state.is_answering != bool(answered):
                self._state.publish(EngineReady(info, is_answering=bool(answered)))
            await asyncio.wait([ask])
            # Said at once when a hang ends, not with the next ping.
            if not answered and life is self._life and isinstance(self.state, EngineReady):
                self._state.publish(EngineReady(info, is_answering=True))

    async def _ping_quietly(self) -> None:
        try:
            await self.ping()
        except EngineError:
            return  # its death is told by the reader


def _expect(value: ReplyValue, wanted: type[_Reply]) -> _Reply:
    if not isinstance(value, wanted):
        raise EngineError(f"the engine's process answered with {type(value).__name__}")
    return value


def _signal_name(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _error_of(frame: Refused) -> EngineError:
    if frame.outcome is not None:
        return GenerationFailed(
            frame.message,
            outcome=frame.outcome,
            end_ns=frame.end_ns,
            response_id=frame.response_id,
            remedy=frame.remedy,
        )
    return ENGINE_ERRORS.get(frame.error, EngineError)(frame.message, remedy=frame.remedy)
