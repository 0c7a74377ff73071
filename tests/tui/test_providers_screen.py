"""Execution providers: listed, fetched with progress, stopped, failed, and the reason when there are none."""

import asyncio
from dataclasses import replace

from foundry_tui.domain.engine import Capability, EndpointKind, ExecutionProvider
from foundry_tui.domain.errors import EngineError
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.providers import ProvidersScreen
from tests.tui.engine_screens import MANAGED_INFO, ONE_GPU, Presented, opened, providers_screen
from tests.tui.harness import NARROW, Driven, driven

CUDA, WEBGPU, BROKEN = "CUDAExecutionProvider", "WebGpuExecutionProvider", "OtherBroken"


def offering(*names: str) -> Presented:
    return Presented(MANAGED_INFO, ScriptedConfig(providers=names))


def states(screen: ProvidersScreen) -> dict[str, str]:
    return {row.cells[0]: row.cells[1] for row in screen.table.rows}


def progress(screen: ProvidersScreen, name: str) -> str:
    return next(row.cells[2] for row in screen.table.rows if row.key == name)


async def show(user: Driven, screen: ProvidersScreen) -> ProvidersScreen:
    await user.up()
    await opened(user, screen)
    await user.until(lambda: bool(screen.table.rows))
    return screen


async def agree(user: Driven) -> None:
    await user.until(lambda: isinstance(user.app.screen, ConfirmScreen) and user.shows("Stay"))
    await user.pilot.press("shift+tab", "enter")


class Stubborn(Presented):
    """Its runtime cannot tell."""

    async def providers(self) -> tuple[ExecutionProvider, ...]:
        raise EngineError("the runtime\x1b[2J fell over", remedy="restart it")


async def test_they_are_listed_with_the_one_that_is_always_there() -> None:
    async with driven(offering(CUDA, WEBGPU)) as user:
        screen = await show(user, providers_screen(user.client, gpu=ONE_GPU))

        assert states(screen) == {
            CUDA: "not registered",
            WEBGPU: "not registered",
            "CPUExecutionProvider": "part of it",
        }
        assert user.shows("Some Card 24 with 24.0 GiB")


async def test_where_there_are_none_the_reason_stands_there() -> None:
    async with driven(offering(), size=NARROW) as user:
        screen = await show(user, providers_screen(user.client))

        assert states(screen) == {"CPUExecutionProvider": "part of it"}
        assert user.shows("none that can be read: no driver")
        assert user.shows("it found no GPU or NPU")


async def test_where_there_are_none_but_a_gpu_the_driver_is_pointed_at() -> None:
    async with driven(offering()) as user:
        await show(user, providers_screen(user.client, gpu=ONE_GPU))

        assert user.shows("nvidia-smi")


async def test_one_is_fetched_after_a_yes_with_progress_and_is_registered_then() -> None:
    engine = offering(CUDA, WEBGPU)
    engine.gate = asyncio.Event()
    async with driven(engine, size=NARROW) as user:
        screen = await show(user, providers_screen(user.client))
        await user.pilot.press("enter")
        await agree(user)
        await user.until(lambda: states(screen)[CUDA] == "waiting")
        engine.gate.set()
        await user.until(lambda: states(screen)[CUDA] == "registered")

        assert states(screen)[WEBGPU] == "not registered"
        assert user.shows(f"Registered: {CUDA}")


async def test_the_progress_shows_how_far_each_is() -> None:
    engine = StepByStep(CUDA, WEBGPU)
    async with driven(engine) as user:
        screen = await show(user, providers_screen(user.client))
        await user.pilot.press("A")
        await agree(user)
        await engine.step(2)
        await user.until(lambda: progress(screen, CUDA).endswith("50%"))

        assert states(screen)[CUDA] == "downloading"
        assert states(screen)[WEBGPU] == "waiting"
        assert progress(screen, WEBGPU).endswith("0%")


class StepByStep(Presented):
    """Goes on by one report at each step."""

    def __init__(self, *names: str) -> None:
        super().__init__(MANAGED_INFO, ScriptedConfig(providers=names))
        self._gate = _Turnstile()
        self.gate = self._gate

    async def step(self, reports: int) -> None:
        for _ in range(reports):
            await self._gate.let_one_through()


class _Turnstile(asyncio.Event):
    def __init__(self) -> None:
        super().__init__()
        self._free = asyncio.Semaphore(0)

    async def wait(self) -> bool:  # type: ignore[override]  # it always says yes, which is all that is asked
        await self._free.acquire()
        return True

    async def let_one_through(self) -> None:
        self._free.release()
        await asyncio.sleep(0)  # a turn for whoever waits


async def test_without_a_yes_nothing_is_fetched() -> None:
    async with driven(offering(CUDA)) as user:
        screen = await show(user, providers_screen(user.client))
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen) and user.shows("Stay"))
        await user.pilot.press("enter")
        await user.until(lambda: user.app.screen is screen)

        assert states(screen)[CUDA] == "not registered"


async def test_what_failed_is_marked_and_the_others_are_registered() -> None:
    async with driven(offering(CUDA, BROKEN)) as user:
        screen = await show(user, providers_screen(user.client))
        await user.pilot.press("A")
        await agree(user)
        await user.until(lambda: states(screen)[BROKEN] == "FAILED")

        assert states(screen)[CUDA] == "registered"
        assert progress(screen, BROKEN) == "came to 50 %"
        assert user.shows("1 of 2 registered; failed: OtherBroken")


async def test_escape_stops_a_download_and_closes_only_then() -> None:
    engine = offering(CUDA)
    engine.gate = asyncio.Event()
    async with driven(engine) as user:
        screen = await show(user, providers_screen(user.client))
        await user.pilot.press("enter")
        await agree(user)
        await user.until(lambda: user.shows("Esc stops it"))
        await user.pilot.press("escape")
        await user.until(lambda: user.shows("Stopped"))
        stopped = user.app.screen is screen
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)

        assert stopped
        assert user.lease.holders == ()


async def test_what_is_registered_already_is_not_fetched_again() -> None:
    engine = offering(CUDA)
    async with driven(engine) as user:
        screen = await show(user, providers_screen(user.client))
        await user.pilot.press("enter")
        await agree(user)
        await user.until(lambda: states(screen)[CUDA] == "registered")
        await user.pilot.press("enter", "A", "end", "enter")

        assert user.app.screen is screen
        assert "registered already" in user.words_told
        assert "nothing left to register" in user.words_told
        assert "part of the runtime" in user.words_told


async def test_a_measurement_is_not_disturbed() -> None:
    async with driven(offering(CUDA)) as user:
        screen = await show(user, providers_screen(user.client))
        with user.lease.hold("a benchmark", exclusive=True):
            await user.pilot.press("enter")
            await agree(user)
            await user.until(lambda: user.shows("in use: a benchmark"))

        assert states(screen)[CUDA] == "not registered"


async def test_a_runtime_that_cannot_tell_says_why_harmlessly_and_is_asked_again() -> None:
    async with driven(Stubborn(MANAGED_INFO)) as user:
        await user.up()
        screen = providers_screen(user.client)
        await opened(user, screen)
        await user.until(lambda: user.shows("the runtime␛[2J fell over"))

        assert user.shows("→ restart it")
        assert user.shows("r asks again")


async def test_a_server_of_somebody_else_looks_after_its_own() -> None:
    chats = (Capability.CHAT, Capability.LIST)
    info = replace(MANAGED_INFO, kind=EndpointKind.OPENAI, capabilities=chats)
    async with driven(Presented(info)) as user:
        await user.up()
        await opened(user, providers_screen(user.client))

        assert user.shows("looks after its execution providers itself")


async def test_an_engine_that_dies_is_said_to_be_down_and_asked_again_when_it_is_back() -> None:
    engine = offering(CUDA)
    async with driven(engine) as user:
        screen = await show(user, providers_screen(user.client))
        await engine.die()
        await user.until(lambda: user.shows("Ctrl+R restarts"))
        await user.client.restart()
        await user.until(lambda: bool(screen.table.rows))

        assert states(screen)[CUDA] == "not registered"
