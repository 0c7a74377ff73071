"""The screens about engines in their states, at the two sizes that matter, as text.

``pytest --snapshot-update`` writes what is shown now; look at each file that it changes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from foundry_tui.aio import Feed
from foundry_tui.domain.engine import EndpointKind
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.services.keep_warm import Warmth, WarmthState
from foundry_tui.services.setup import WarmthOptions
from foundry_tui.tui.screens.connect import ConnectScreen
from tests.tui.engine_screens import (
    MANAGED_INFO,
    ONE_GPU,
    Around,
    Presented,
    Server,
    opened,
    providers_screen,
    validation_screen,
)
from tests.tui.frames import FrameExtension, frame, resized
from tests.tui.harness import MEDIUM, NARROW, SHELF, WIDE, Driven, driven

SERVERS = (
    Server(url="http://127.0.0.1:11434", software="Ollama", models=12),
    Server(url="http://127.0.0.1:5273", kind=EndpointKind.FOUNDRY_V2, how="~/.foundry/daemon.json", models=1),
    Server(url="http://127.0.0.1:8000", models=None, wants_key=True, how="port 8000"),
    Server(url="http://192.168.1.20:8080", how="environment", software="llama.cpp", models=None),
)
KEPT_WARM = Warmth(
    state=WarmthState.WAITING,
    options=WarmthOptions(warm_every_s=240.0, unload_after_s=1800.0),
    warmed=12,
    last_warm_ns=0,
)
Take = Callable[[Driven, str], Awaitable[None]]


@pytest.fixture
def take(snapshot: SnapshotAssertion) -> Take:
    """Compare the screen with what it was, narrow and wide."""
    frames = snapshot.use_extension(FrameExtension)

    async def take(user: Driven, state: str) -> None:
        for size in (NARROW, WIDE):
            await resized(user, size)
            assert await frame(user) == frames(name=f"{state}-{size[0]}x{size[1]}")

    return take


def managed() -> Presented:
    return Presented(MANAGED_INFO, models=SHELF)


async def test_the_switcher(take: Take) -> None:
    around = Around(servers=SERVERS)
    async with driven(managed(), size=NARROW) as user:
        await user.up()
        await user.client.load(MEDIUM)
        screen = around.screen(user.client)
        await opened(user, screen)
        await user.until(lambda: screen.table.move_cursor_to(SERVERS[3].url))
        await take(user, "found")

        around.refusal = EngineUnavailable("cannot reach it: connection refused", remedy="see that it runs")
        await user.pilot.press("enter")
        await user.until(lambda: user.shows("connection refused"))
        await take(user, "refused")


async def test_the_address_and_the_snippets(take: Take) -> None:
    async with driven(managed(), size=NARROW) as user:
        await user.up()
        screen = ConnectScreen(
            user.client, model_id=MEDIUM, warmth=Feed(KEPT_WARM), clock_ns=lambda: 130 * 10**9
        )
        user.app.push_screen(screen)
        await user.until(lambda: user.shows("curl -N"))
        await take(user, "curl")

        await user.pilot.press("3")
        await take(user, "editor")


async def test_the_address_of_a_server_that_is_not_encrypted(take: Take) -> None:
    info = replace(MANAGED_INFO, kind=EndpointKind.OPENAI, url="http://gpu-box.lan:8000")
    async with driven(Presented(info, models=SHELF), size=NARROW) as user:
        await user.up()
        user.app.push_screen(ConnectScreen(user.client, model_id=MEDIUM, key_env=lambda: "MY_KEY"))
        await user.until(lambda: user.shows("Not encrypted"))

        await take(user, "exposed")


async def test_execution_providers(take: Take) -> None:
    engine = Presented(MANAGED_INFO, ScriptedConfig(providers=("CUDAExecutionProvider", "OtherBroken")))
    async with driven(engine, size=NARROW) as user:
        await user.up()
        screen = providers_screen(user.client, gpu=ONE_GPU)
        await opened(user, screen)
        await user.until(lambda: len(screen.table.rows) == 3)
        await user.pilot.press("A")
        await user.until(lambda: user.shows("Stay"))
        await user.pilot.press("shift+tab", "enter")
        await user.until(lambda: user.shows("1 of 2 registered"))

        await take(user, "failed")


async def test_no_execution_providers(take: Take) -> None:
    async with driven(Presented(MANAGED_INFO), size=NARROW) as user:
        await user.up()
        screen = providers_screen(user.client)
        await opened(user, screen)
        await user.until(lambda: bool(screen.table.rows))

        await take(user, "none")


async def test_the_checklist(take: Take) -> None:
    engine = managed()
    engine.loading = asyncio.Event()
    names = ["nosuch", "small", "medium", "large"]
    async with driven(engine, size=NARROW) as user:
        await user.up()
        screen = validation_screen(user, lambda: names)
        await opened(user, screen)
        await user.until(lambda: user.shows("loading …"))
        await take(user, "running")

        engine.loading.set()
        await user.until(lambda: user.shows("2 of 4 passed"))
        await take(user, "done")
