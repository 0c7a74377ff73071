"""The child process: hosts one engine, reads commands on stdin, writes frames where stdout was.

Start it as ``python -m foundry_tui.engines.hosting.host``.  It ends when its stdin closes, whatever it is
doing, so it cannot outlive its parent.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import BinaryIO, assert_never

from foundry_tui.domain.chat import ClockRead
from foundry_tui.domain.errors import EngineError, EngineUnavailable, GenerationFailed, NotSupported
from foundry_tui.domain.models import CatalogSnapshot
from foundry_tui.engines.hosting.configs import EndpointConfig, HostConfig, ManagedConfig, ScriptedConfig
from foundry_tui.engines.hosting.frames import (
    Call,
    Cancel,
    Chat,
    Command,
    Configure,
    DiscoverProviders,
    DownloadModel,
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
from foundry_tui.engines.hosting.framewriter import FrameWriter, TextOutbox
from foundry_tui.engines.hosting.wire import FrameBroken, decode_command
from foundry_tui.ports.engines import HostableEngine, ModelFetcher, ModelKeeper, ProviderManager

__all__ = ["Host", "main", "open_engine", "serve"]

# A frame of so many models is read in some two milliseconds, which neither side's loop minds.
_MODELS_PER_FRAME = 100


async def open_engine(config: HostConfig) -> HostableEngine:
    """The engine that ``config`` describes, ready to use.

    Raises:
        EngineUnavailable: It cannot be brought up; the message says why.
    """
    # Each kind imports its libraries only where it is wanted: an endpoint needs no native runtime.
    match config:
        case ManagedConfig():
            from foundry_tui.engines.runtime.managed import ManagedServer

            return await ManagedServer.open(config)
        case EndpointConfig():
            from foundry_tui.engines.endpoints.server import EndpointServer

            return await EndpointServer.open(config)
        case ScriptedConfig():
            from foundry_tui.engines.scripted import ScriptedServer

            return ScriptedServer(config)
        case _:
            assert_never(config)


class Host:
    """Turns commands into work on an engine, and the work into frames."""

    def __init__(self, engine: HostableEngine, writer: FrameWriter) -> None:
        self._engine = engine
        self._writer = writer
        self._text = TextOutbox(writer)
        self._work: dict[int, asyncio.Task[None]] = {}

    def begin(self, call: Call) -> None:
        """Start the call's work; its frames follow."""
        task = asyncio.create_task(self._answer(call), name=f"call {call.call}")
        self._work[call.call] = task
        task.add_done_callback(lambda ended: self._ended(call, ended))

    def cancel(self, call: int) -> None:
        """Stop the call, if it is still running."""
        if (task := self._work.get(call)) is not None:
            task.cancel()

    async def aclose(self) -> None:
        """Stop every call and let go of the engine."""
        for task in list(self._work.values()):
            task.cancel()
        if self._work:
            await asyncio.wait(list(self._work.values()))
        await self._engine.aclose()

    async def _answer(self, call: Call) -> None:
        try:
            value = await self._perform(call.call, call.operation)
        except EngineError as error:
            self._end(call, _refused(call.call, error))
        except Exception as error:  # noqa: BLE001 - border of the process: a bug here must reach the screen
            message = f"the engine's process met a bug: {type(error).__name__}: {error}"
            sys.excepthook(type(error), error, error.__traceback__)
            self._end(call, _refused(call.call, EngineError(message)))
        else:
            self._end(call, Replied(call.call, value))

    def _ended(self, call: Call, task: asyncio.Task[None]) -> None:
        self._work.pop(call.call, None)
        if task.cancelled():
            # The last frame of a cancelled call: the parent waits for it to know that all is free.  Not said
            # in ``_answer``, which a cancellation may end before its first step.
            self._end(call, Replied(call.call, None))

    def _end(self, call: Call, frame: Replied | Refused) -> None:
        """The call's last frame: a chat's comes after its text, any other overtakes all text."""
        if isinstance(call.operation, Chat):
            self._text.put(frame)
            self._text.flush()
        else:
            self._writer.write(frame, urgent=True)

    async def _perform(self, call: int, operation: Operation) -> ReplyValue:
        match operation:
            case Chat(request):
                async with aclosing(self._engine.stream_chat(request)) as events:
                    async for event in events:
                        # A moment is told with the text that it belongs to, so that neither waits.
                        self._text.put(
                            Streamed(call, event),
                            handing_s=request.handing_s,
                            can_wait=isinstance(event, ClockRead),
                        )
                return None
            case Ping():
                return None
            case ListModels(public):
                return await self._list(call, public=public)
            case LoadModel(model_id):
                return await self._engine.load(model_id)
            case UnloadModel(model_id):
                await self._engine.unload(model_id)
                return None
            case RegisterModel(registration):
                return await self._engine.register(registration)
            case UnregisterModel(model_id):
                await self._engine.unregister(model_id)
                return None
            case RemoveModel(model_id):
                if not isinstance(self._engine, ModelKeeper):
                    raise NotSupported(
                        "this engine's models are not ours to remove", remedy="use the server's own tools"
                    )
                await self._engine.remove(model_id)
                return None
            case DownloadModel(model_id):
                if not isinstance(self._engine, ModelFetcher):
                    raise NotSupported(
                        "this engine fetches no models for itself", remedy="foundry-tui models pull ID"
                    )
                await self._tell(call, self._engine.download(model_id))
                return None
            case DiscoverProviders():
                return ProviderList(await self._providers().providers())
            case RegisterProviders(names):
                await self._tell(call, self._providers().register_providers(names))
                return None
            case _:
                assert_never(operation)

    async def _tell(self, call: int, events: AsyncGenerator[StreamEvent, None]) -> None:
        """Each event as it comes, ahead of all text."""
        async with aclosing(events):
            async for event in events:
                self._writer.write(Streamed(call, event), urgent=True)

    async def _list(self, call: int, *, public: bool) -> CatalogSnapshot:
        """The list, all but its last part sent ahead in frames of their own."""
        snapshot = await self._engine.list_models(public=public)
        at, models = 0, snapshot.models
        while len(models) - at > _MODELS_PER_FRAME:
            part = ModelsListed(models[at : at + _MODELS_PER_FRAME])
            self._writer.write(Streamed(call, part), urgent=True)
            at += _MODELS_PER_FRAME
            await asyncio.sleep(0)  # a chat that streams meanwhile is read in time
        return replace(snapshot, models=models[at:]) if at else snapshot

    def _providers(self) -> ProviderManager:
        if not isinstance(self._engine, ProviderManager):
            raise NotSupported(
                "execution providers are the server's own affair", remedy="use the server's own tools"
            )
        return self._engine


def _refused(call: int, error: EngineError) -> Refused:
    failed = error if isinstance(error, GenerationFailed) else None
    return Refused(
        call=call,
        error=type(error).__name__,
        message=error.message,
        remedy=error.remedy,
        outcome=failed.outcome if failed else None,
        end_ns=failed.end_ns if failed else None,
        response_id=failed.response_id if failed else None,
    )


async def _commands(source: BinaryIO) -> AsyncGenerator[Command, None]:
    """Commands as they come, read by a thread; the end of ``source`` ends the process at once."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Command] = asyncio.Queue()

    def read() -> None:
        for line in source:
            try:
                command = decode_command(line)
            except FrameBroken as error:
                sys.stderr.write(f"ignored a command: {error}\n")
                continue
            loop.call_soon_threadsafe(queue.put_nowait, command)
        # No clean-up: native calls may hold on for minutes, and everything on disk survives a kill.
        os._exit(0)

    threading.Thread(target=read, name="commands", daemon=True).start()
    while True:
        yield await queue.get()


async def serve(source: BinaryIO, writer: FrameWriter) -> int:
    """Serve one parent until it says ``Stop``; the process's exit code."""
    async with aclosing(_commands(source)) as commands:
        first = await anext(commands)
        if not isinstance(first, Configure):
            writer.write(HostFailed("the first command must be Configure", None), urgent=True)
            return 2
        try:
            engine = await open_engine(first.config)
        except EngineUnavailable as error:
            writer.write(HostFailed(error.message, error.remedy), urgent=True)
            return 3
        writer.write(HostReady(engine.info), urgent=True)
        host = Host(engine, writer)
        async for command in commands:
            match command:
                case Call():
                    host.begin(command)
                case Cancel(call):
                    host.cancel(call)
                case Stop():
                    await host.aclose()
                    return 0
                case Configure():
                    continue  # one engine per process
    return 0


def _private_pipes() -> tuple[BinaryIO, int]:
    """The command and frame pipes under new numbers; whatever a library prints goes to stderr, the log."""
    source = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
    sink = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def main() -> None:
    """Entry of the child process."""
    source, sink = _private_pipes()
    writer = FrameWriter(sink)
    try:
        code = asyncio.run(serve(source, writer))
    except KeyboardInterrupt:
        code = 130
    writer.close(1.0)
    sys.stderr.flush()
    # The runtime's own close costs one to two seconds and protects nothing that a kill would lose
    # (docs/decisions/0003); threads stuck in native calls must not hold the exit up either.
    os._exit(code)


if __name__ == "__main__":
    main()
