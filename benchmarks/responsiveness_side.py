"""What ``responsiveness.py`` runs on the terminal: the app, or Textual's Markdown, both with a watch on them.

``python responsiveness_side.py JSON``: the argument says what to run (``responsiveness.Order``).  One line of
JSON goes to the descriptor in it when the app is ready for a key, one more with the readings when the answer
is on the screen.

Nothing of the app is replaced.  A subclass of its dialogue stamps each chunk as it hands it to the pane, a
subclass of Textual's driver stamps each frame as it is handed over and keeps it; which tokens a frame holds
is looked up when all is over.
"""

import asyncio
import inspect
import json
import os
import re
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.widgets import Input, Markdown, Static
from waiting import until

from foundry_tui.bootstrap import open_services
from foundry_tui.domain.chat import ChunkReceived
from foundry_tui.launching import LaunchOptions, resolve
from foundry_tui.services import calm
from foundry_tui.services.dialogue import AnswerEvent, Dialogue, MayLoad
from foundry_tui.services.opened import Services, at_hand
from foundry_tui.tui.app import FoundryApp
from foundry_tui.tui.messages import ModelActivated
from foundry_tui.tui.screens.workspace import WorkspaceScreen

TICK_S = 0.005
REST_S = 1.0
# How long a token may stay unseen before the run is called off.
PATIENCE_S = 30.0
_SOON_S = 0.05
_TOKEN = re.compile(r"w(\d{5})")


@dataclass
class Watch:
    """Readings of one run, all by ``perf_counter_ns``; taking one costs a microsecond.

    Attributes:
        report: Descriptor that lines of JSON go to.
        last: Number of the last token.
        frames: Each frame, and when it was handed to the driver.
        handed: Each chunk: its number, when the pane got it, when the engine's process read it.
        sleeps: Each sleep of ``TICK_S``: when it ended and how much too late, in nanoseconds.
        ended: Set once the stream is over.
        rested: How many of the sleeps were over before the key.
        cpu_ns: Processor time of the process when the first token came.
    """

    report: int
    last: int
    frames: list[tuple[int, str]] = field(default_factory=list)
    handed: list[tuple[int, int, int]] = field(default_factory=list)
    sleeps: list[tuple[int, int]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    rested: int = 0
    cpu_ns: int = 0

    async def ready(self) -> None:
        """Rest for a second, then tell that a key may come."""
        self.sleeps.clear()
        await asyncio.sleep(REST_S)
        self.rested = len(self.sleeps)
        self._tell({"ready": True})

    def take(self, chunk: ChunkReceived) -> None:
        """Note a chunk that goes to the pane."""
        if not self.handed:
            self.cpu_ns = time.process_time_ns()
        found = _TOKEN.search(chunk.text)
        if found is not None:
            self.handed.append((int(found[1]), time.perf_counter_ns(), chunk.at_ns))

    async def tick(self) -> None:
        """Sleep again and again and note by how much each sleep was too long."""
        while True:
            begun_ns = time.perf_counter_ns()
            await asyncio.sleep(TICK_S)
            now_ns = time.perf_counter_ns()
            self.sleeps.append((now_ns, now_ns - begun_ns - round(TICK_S * 1e9)))

    async def finish(self) -> None:
        """Wait until the last token is on the screen, and tell what was read."""
        await self.ended.wait()
        looked = max(0, len(self.frames) - 5)
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            seen = [frame for _, frame in self.frames[looked:] if f"w{self.last:05d}" in frame]
            if seen:
                break
            looked = len(self.frames)
            await asyncio.sleep(_SOON_S)
        self._tell(self._readings(time.process_time_ns() - self.cpu_ns))

    def _readings(self, cpu_ns: int) -> dict[str, object]:
        """The ages of the tokens and the lags of the loop, in milliseconds.

        A token has been seen with the first frame that holds it or a later one: what has scrolled by above
        the frame is not waited for any more.
        """
        frontier: list[int] = []
        shown_ns: list[int] = []
        for at_ns, frame in self.frames:
            numbers = [int(number) for number in _TOKEN.findall(frame)]
            if numbers and (not frontier or max(numbers) > frontier[-1]):
                frontier.append(max(numbers))
                shown_ns.append(at_ns)
        places = [bisect_left(frontier, number) for number, _, _ in self.handed]
        seen = [
            (shown_ns[place] - handed_ns, shown_ns[place] - read_ns)
            for place, (_, handed_ns, read_ns) in zip(places, self.handed, strict=True)
            if place < len(frontier)
        ]
        begun_ns, over_ns = self.handed[0][1], max(shown_ns[-1], self.handed[-1][1])
        return {
            "tokens": len(self.handed),
            "unseen": len(self.handed) - len(seen),
            "frames": len(frontier),
            "pane_ms": [age / 1e6 for age, _ in seen],
            "read_ms": [age / 1e6 for _, age in seen],
            "lag_ms": [late / 1e6 for at_ns, late in self.sleeps if begun_ns <= at_ns <= over_ns],
            "rest_ms": [late / 1e6 for _, late in self.sleeps[: self.rested]],
            "arrival_s": (self.handed[-1][2] - self.handed[0][2]) / 1e9,
            "took_s": (over_ns - begun_ns) / 1e9,
            "cpu_s": cpu_ns / 1e9,
        }

    def _tell(self, value: dict[str, object]) -> None:
        data = json.dumps(value).encode() + b"\n"
        while data:
            data = data[os.write(self.report, data) :]


class WatchedDialogue(Dialogue):
    """Stamps what it hands on."""

    watch: Watch

    @asynccontextmanager
    async def answer(
        self, model_name: str, *, may_load: MayLoad | None = None
    ) -> AsyncGenerator[AsyncIterator[AnswerEvent], None]:
        async with (
            super().answer(model_name, may_load=may_load) as events,
            aclosing(self._stamped(events)) as stamped,
        ):
            yield stamped

    async def _stamped(self, events: AsyncIterator[AnswerEvent]) -> AsyncGenerator[AnswerEvent, None]:
        async for event in events:
            if isinstance(event, ChunkReceived):
                self.watch.take(event)
            yield event
        self.watch.ended.set()


def driver_for(watch: Watch) -> type[Driver]:
    """A driver that keeps what it is handed."""

    class StampedDriver(LinuxDriver):
        def write(self, data: str) -> None:
            watch.frames.append((time.perf_counter_ns(), data))
            super().write(data)

    return StampedDriver


class WatchedApp(FoundryApp):
    """The app, with the earlier conversation open."""

    CSS_PATH = inspect.getfile(FoundryApp).replace("app.py", "css/app.tcss")  # else it is looked for here

    def __init__(self, services: Services, watch: Watch, conversation: str) -> None:
        self._watch = watch  # before what asks for the driver
        super().__init__(services.setup, at_hand(services))
        self._conversation = conversation

    def get_driver_class(self) -> type[Driver]:
        return driver_for(self._watch)

    def on_ready(self) -> None:
        """Bring the screen into the state that is measured."""
        self.run_worker(self._watch.tick())
        self.run_worker(self._prepare())

    async def _prepare(self) -> None:
        await until(lambda: isinstance(self.screen, WorkspaceScreen))
        screen, client, dialogue = self.screen, self.services.client, self.services.dialogue
        if not isinstance(screen, WorkspaceScreen):
            raise TypeError("another screen has opened")
        await client.start()
        screen.chat.open_conversation(self._conversation)
        screen.post_message(ModelActivated(client.catalog.value.models[0].id))
        await until(lambda: dialogue.conversation.id == self._conversation and screen.active_model)
        await until(lambda: screen.chat.transcript.is_idle)
        await self._watch.ready()
        await self._watch.finish()


class MarkdownApp(App[None]):
    """The same conversation with Textual's own widgets, and nothing beside it on the screen."""

    def __init__(self, services: Services, watch: Watch, conversation: str) -> None:
        self._watch = watch
        super().__init__()
        self._services = services
        self._conversation = conversation

    def get_driver_class(self) -> type[Driver]:
        return driver_for(self._watch)

    def compose(self) -> ComposeResult:
        yield VerticalScroll()
        yield Input()

    def on_ready(self) -> None:
        """Show what was said, then wait for the key."""
        self.run_worker(self._watch.tick())
        self.run_worker(self._prepare())

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Ask."""
        self._services.dialogue.say(message.value)
        self.run_worker(self._stream())

    async def _prepare(self) -> None:
        await self._services.client.start()
        kept = await self._services.conversations.load(self._conversation)
        if kept is None:
            raise RuntimeError("the conversation is not in the database")
        self._services.dialogue.adopt(kept)
        log = self.query_one(VerticalScroll)
        for turn in kept.path():
            await log.mount(Static(turn.text, markup=False) if turn.model_id is None else Markdown(turn.text))
        log.anchor()
        self.query_one(Input).focus()
        await asyncio.sleep(1)  # Textual tells of no moment at which all of it is laid out
        await self._watch.ready()
        await self._watch.finish()

    async def _stream(self) -> None:
        markdown = Markdown()
        await self.query_one(VerticalScroll).mount(markdown)
        stream = Markdown.get_stream(markdown)
        model_id = self._services.client.catalog.value.models[0].id
        try:
            async with self._services.dialogue.answer(model_id) as events:
                async for event in events:
                    if isinstance(event, ChunkReceived):
                        await stream.write(event.text)
        finally:
            await stream.stop()


async def run(order: dict[str, object]) -> int:
    """Open the services as the program does, and one of the two apps on them."""
    watch = Watch(report=int(str(order["report"])), last=int(str(order["last"])))
    folder = Path(str(order["folder"]))
    launch = resolve(
        LaunchOptions(endpoint=str(order["url"]), data_dir=folder / "data", config_dir=folder / "config")
    )
    calm.begin()  # as the program does
    async with open_services(launch) as services:
        dialogue = WatchedDialogue(
            services.client, services.conversations, services.recorder, services.setup.chat
        )
        dialogue.watch = watch
        services = replace(services, dialogue=dialogue)
        conversation = str(order["conversation"])
        app: App[None]
        if order["is_markdown"]:
            app = MarkdownApp(services, watch, conversation)
        else:
            app = WatchedApp(services, watch, conversation)
        await app.run_async()
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(run(json.loads(sys.argv[1]))))
