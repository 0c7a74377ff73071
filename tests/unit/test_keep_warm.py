"""Models are kept warm and unloaded only while nobody uses the engine; time passes here when told."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import pytest

from foundry_tui.aio import Feed
from foundry_tui.domain.chat import ChatEvent, ChatMessage, ChatOptions, ChatRequest
from foundry_tui.domain.errors import EngineBusy, EngineUnavailable
from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, ModelVariant, SnapshotOrigin
from foundry_tui.services.keep_warm import KeepWarm, WarmthState
from foundry_tui.services.setup import WarmthOptions

A, B = "a:1", "b:1"
NS_PER_S = 1_000_000_000


def catalog(*loaded: str) -> CatalogSnapshot:
    models = tuple(
        ModelVariant(id=name, alias=name[0], catalog=CatalogKind.LOCAL, is_loaded=name in loaded)
        for name in (A, B)
    )
    return CatalogSnapshot(models=models, origin=SnapshotOrigin.LIVE)


@dataclass
class World:
    """A clock, an engine and its users; ``pass_s`` lets time go by."""

    now_ns: int = 0
    holders: tuple[str, ...] = ()
    uses: int = 0
    catalog: Feed[CatalogSnapshot] = field(default_factory=lambda: Feed(catalog(A)))
    asked: list[tuple[float, str, int]] = field(default_factory=list)
    unloaded: list[tuple[float, str]] = field(default_factory=list)
    is_exclusive: bool = False
    is_measured_elsewhere: bool = False
    refusal: EngineUnavailable | None = None
    sleeps: int = 0
    slept: asyncio.Event = field(default_factory=asyncio.Event)
    wakes_ns: int | None = None
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def now_s(self) -> float:
        return self.now_ns / NS_PER_S

    def clock_ns(self) -> int:
        return self.now_ns

    async def sleep(self, seconds: float) -> None:
        self.wakes_ns = self.now_ns + round(seconds * NS_PER_S)
        self.sleeps += 1
        self.slept.set()
        while self.now_ns < self.wakes_ns:
            self.woken.clear()
            await self.woken.wait()
        self.wakes_ns = None

    async def pass_s(self, seconds: float) -> None:
        """Let so much time go by; whoever wakes meanwhile does its work and sleeps again."""
        end_ns = self.now_ns + round(seconds * NS_PER_S)
        while self.wakes_ns is not None and self.wakes_ns <= end_ns:
            self.now_ns = self.wakes_ns
            self.slept.clear()
            self.woken.set()
            await self.slept.wait()
        self.now_ns = end_ns

    def use(self) -> None:
        """Somebody chats and is done before anybody looks."""
        self.uses += 1

    def prepare(
        self, model: ModelVariant, messages: tuple[ChatMessage, ...], options: ChatOptions
    ) -> ChatRequest:
        return ChatRequest(model=model.id, messages=messages, max_tokens=options.max_tokens)

    @asynccontextmanager
    async def chat(self, request: ChatRequest) -> AsyncGenerator[AsyncIterator[ChatEvent], None]:
        self._let_in()

        async def answer() -> AsyncGenerator[ChatEvent, None]:
            if self.refusal is not None:
                raise self.refusal
            self.asked.append((self.now_s, request.model, request.max_tokens))
            silence: tuple[ChatEvent, ...] = ()
            for event in silence:
                yield event

        yield answer()

    async def unload(self, model_id: str) -> None:
        self._let_in()
        if self.refusal is not None:
            raise self.refusal
        self.unloaded.append((self.now_s, model_id))
        models = tuple(
            replace(model, is_loaded=model.is_loaded and model.id != model_id)
            for model in self.catalog.value.models
        )
        self.catalog.publish(replace(self.catalog.value, models=models))

    def _let_in(self) -> None:
        if self.is_exclusive:
            raise EngineBusy("a measurement")
        self.uses += 1


@asynccontextmanager
async def running(
    world: World, *, warm_every_s: float | None = None, unload_after_s: float | None = None
) -> AsyncGenerator[KeepWarm, None]:
    keep = KeepWarm(
        world,
        world,
        options=WarmthOptions(warm_every_s=warm_every_s, unload_after_s=unload_after_s),
        is_measured_elsewhere=lambda: world.is_measured_elsewhere,
        clock_ns=world.clock_ns,
        sleep=world.sleep,
    )
    task = asyncio.create_task(keep.run())
    try:
        if not keep.warmth.value.options.is_off:
            await world.slept.wait()
        yield keep
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_it_is_off_and_asleep_unless_asked_for() -> None:
    world = World()
    async with running(world) as keep:
        await world.pass_s(3600)

        assert keep.warmth.value.state is WarmthState.OFF
    assert (world.asked, world.unloaded, world.sleeps) == ([], [], 0)


async def test_a_loaded_model_gets_the_lightest_prompt_at_each_interval() -> None:
    world = World()
    async with running(world, warm_every_s=60) as keep:
        await world.pass_s(185)

        assert keep.warmth.value.warmed == 3
        assert keep.warmth.value.last_warm_ns == 180 * NS_PER_S
        assert keep.warmth.value.state is WarmthState.WAITING
    assert world.asked == [(60, A, 1), (120, A, 1), (180, A, 1)]


async def test_every_loaded_model_is_kept_warm_and_no_other() -> None:
    world = World()
    world.catalog.publish(catalog(A, B))
    async with running(world, warm_every_s=60):
        await world.pass_s(65)

    assert [model for _, model, _ in world.asked] == [A, B]


async def test_with_nothing_loaded_nothing_is_asked_and_the_time_does_not_count() -> None:
    world = World()
    world.catalog.publish(catalog())
    async with running(world, warm_every_s=60):
        await world.pass_s(600)
        world.catalog.publish(catalog(A))
        await world.pass_s(59)

        assert world.asked == []


async def test_a_chat_that_nobody_saw_puts_the_next_prompt_off() -> None:
    world = World()
    async with running(world, warm_every_s=60):
        await world.pass_s(50)
        world.use()
        await world.pass_s(60)

        assert world.asked == []

        await world.pass_s(15)

    assert len(world.asked) == 1


async def test_while_somebody_uses_the_engine_nothing_is_asked() -> None:
    world = World(holders=("a chat",))
    async with running(world, warm_every_s=60, unload_after_s=120):
        await world.pass_s(3600)

    assert (world.asked, world.unloaded) == ([], [])


async def test_after_a_long_use_the_time_without_use_begins_anew() -> None:
    world = World(holders=("a chat",))
    async with running(world, unload_after_s=120):
        await world.pass_s(1000)
        world.holders = ()
        await world.pass_s(80)

    assert world.unloaded == []


async def test_a_measurement_in_another_process_is_not_disturbed() -> None:
    world = World(is_measured_elsewhere=True)
    async with running(world, warm_every_s=60, unload_after_s=120):
        await world.pass_s(3600)

    assert (world.asked, world.unloaded) == ([], [])


async def test_a_measurement_that_begins_just_then_is_given_way_to_in_silence() -> None:
    world = World(is_exclusive=True)  # held, though nobody showed when it was looked
    async with running(world, warm_every_s=60) as keep:
        await world.pass_s(65)

        assert (keep.warmth.value.warmed, keep.warmth.value.problem) == (0, None)


async def test_after_so_long_without_use_every_model_is_unloaded() -> None:
    world = World()
    world.catalog.publish(catalog(A, B))
    async with running(world, unload_after_s=120) as keep:
        await world.pass_s(3600)

        assert keep.warmth.value.unloaded == (A, B)
    assert world.unloaded == [(120, A), (120, B)]


async def test_a_use_puts_the_unloading_off() -> None:
    world = World()
    async with running(world, unload_after_s=120):
        await world.pass_s(100)
        world.use()
        await world.pass_s(119)

    assert world.unloaded == []


async def test_our_own_prompts_do_not_keep_a_model_from_being_unloaded() -> None:
    world = World()
    async with running(world, warm_every_s=60, unload_after_s=300):
        await world.pass_s(1000)

    assert [at_s for at_s, _, _ in world.asked] == [60, 120, 180, 240]
    assert world.unloaded == [(300, A)]


async def test_a_failure_is_shown_and_tried_again_at_the_next_interval() -> None:
    world = World(refusal=EngineUnavailable("it is gone"))
    async with running(world, warm_every_s=60) as keep:
        await world.pass_s(65)
        first = keep.warmth.value

        world.refusal = None
        await world.pass_s(60)
        second = keep.warmth.value

    assert (first.problem, first.warmed) == ("it is gone", 0)
    assert (second.problem, second.warmed) == (None, 1)


async def test_a_refused_unload_is_tried_again_after_the_same_time() -> None:
    world = World(refusal=EngineUnavailable("a session uses it"))
    async with running(world, unload_after_s=120) as keep:
        await world.pass_s(125)
        assert (keep.warmth.value.problem, keep.warmth.value.unloaded) == ("a session uses it", ())

        world.refusal = None
        await world.pass_s(119)

    assert [at_s for at_s, _ in world.unloaded] == [240]


async def test_it_can_be_turned_on_and_off_while_it_runs() -> None:
    world = World()
    async with running(world) as keep:
        keep.set(WarmthOptions(warm_every_s=60))
        states = [keep.warmth.value.state]
        await world.slept.wait()
        await world.pass_s(65)

        keep.set(WarmthOptions())

        states.append(keep.warmth.value.state)
        world.now_ns += 3600 * NS_PER_S
        world.woken.set()
        await asyncio.sleep(0)
    assert states == [WarmthState.WAITING, WarmthState.OFF]
    assert len(world.asked) == 1


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_an_interval_is_a_positive_time(seconds: float) -> None:
    with pytest.raises(ValueError, match="interval"):
        WarmthOptions(warm_every_s=seconds)
