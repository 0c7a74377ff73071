"""The screens about engines over the whole app, with servers and switches that a test decides."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from foundry_tui.domain.engine import (
    Capability,
    EndpointKind,
    EngineInfo,
    EngineReady,
    EngineState,
    ExecutionProvider,
)
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.resources import GpuSample, GpuSamples
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.services.client import Backend, ClientService
from foundry_tui.services.discovery import Discovery, FoundServer
from foundry_tui.services.validation import Validation
from foundry_tui.tui.screens.bench.history import HistoryScreen
from foundry_tui.tui.screens.choose.screen import ChooseScreen
from foundry_tui.tui.screens.endpoints import EndpointsScreen, OwnEngine
from foundry_tui.tui.screens.providers import ProvidersScreen
from foundry_tui.tui.screens.validation import Checked, ValidationScreen
from tests.support.supervised import SupervisedScript
from tests.tui.harness import Driven

__all__ = [
    "GIB",
    "MANAGED_INFO",
    "NO_GPU",
    "ONE_GPU",
    "Around",
    "Presented",
    "Server",
    "opened",
    "providers_screen",
    "validation_screen",
]

GIB = 1 << 30
NO_GPU = GpuSamples(absence="no driver")
ONE_GPU = GpuSamples(gpus=(GpuSample(name="Some Card 24", total_bytes=24 * GIB, used_bytes=GIB),))
MANAGED_INFO = EngineInfo(
    kind=EndpointKind.MANAGED,
    url="http://127.0.0.1:43117",
    pid=None,
    capabilities=tuple(one for one in Capability if one not in (Capability.MEMORY, Capability.DOWNLOAD)),
)


class Presented(SupervisedScript):
    """A scripted engine that says of itself what the test wants.

    Attributes:
        info: From now on.
        offered: Execution providers that it offers beside those of its script.
    """

    def __init__(
        self, info: EngineInfo, script: ScriptedConfig | None = None, models: Sequence[ModelVariant] = ()
    ) -> None:
        super().__init__(script, models)
        self.info = info
        self.offered: tuple[ExecutionProvider, ...] = ()

    @property
    def state(self) -> EngineState:
        return self._presented(super().state)

    async def states(self) -> AsyncIterator[EngineState]:
        async for state in super().states():
            yield self._presented(state)

    async def start(self) -> EngineInfo:
        await super().start()
        return self.info

    async def providers(self) -> tuple[ExecutionProvider, ...]:
        return (*await super().providers(), *self.offered)

    def _presented(self, state: EngineState) -> EngineState:
        return replace(state, info=self.info) if isinstance(state, EngineReady) else state


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server as discovery tells of it."""

    url: str
    kind: EndpointKind = EndpointKind.OPENAI
    how: str = "port 11434"
    models: int | None = 3
    wants_key: bool = False
    software: str | None = None


@dataclass(kw_only=True)
class Around:
    """What stands around the switcher.

    Attributes:
        servers: Found by the next look.
        looking: If set, a look waits for it once it has found them.
        current: The place in use.
        refusal: If set, a check fails with it.
        broken: If set, a switch fails with it.
        connecting: If set, a switch waits for it.
        checked: What was checked: address and name of the variable.
        connected: What was switched to, likewise; an own engine by its key.
        looks: How often was looked.
        checks: Whether addresses are looked at before they are used.
        variables: Names that the environment has.
    """

    servers: tuple[FoundServer, ...] = ()
    looking: asyncio.Event | None = None
    current: str = "managed"
    refusal: FoundryTuiError | None = None
    broken: FoundryTuiError | None = None
    connecting: asyncio.Event | None = None
    checked: list[tuple[str, str | None]] = field(default_factory=list)
    connected: list[tuple[str, str | None]] = field(default_factory=list)
    looks: int = 0
    checks: bool = True
    variables: tuple[str, ...] = ()

    def screen(self, client: ClientService) -> EndpointsScreen:
        def use(key: str) -> Callable[[], Awaitable[EngineInfo]]:
            return lambda: self.switch(client, key, None, MANAGED_INFO)

        async def connect(url: str, key_env: str | None) -> EngineInfo:
            info = replace(MANAGED_INFO, kind=EndpointKind.OPENAI, url=url)
            return await self.switch(client, url, key_env, info)

        return EndpointsScreen(
            client,
            Discovery(self.look),
            own=(
                OwnEngine(
                    key="managed",
                    title="Managed runtime",
                    words="Downloads, loads and measures here.",
                    use=use("managed"),
                ),
                OwnEngine(
                    key="demo", title="Demo", words="The bundled model, without a network.", use=use("demo")
                ),
            ),
            current=lambda: self.current,
            check=self.check if self.checks else None,
            connect=connect,
            is_set=lambda name: name in self.variables,
        )

    async def look(self, tell: Callable[[FoundServer], None]) -> None:
        self.looks += 1
        for server in self.servers:
            tell(server)
        if self.looking is not None:
            await self.looking.wait()

    async def check(self, url: str, key_env: str | None) -> FoundServer:
        self.checked.append((url, key_env))
        if self.refusal is not None:
            raise self.refusal
        base = url.removesuffix("/v1")
        return next((one for one in self.servers if one.url == base), Server(url=base, how="typed"))

    async def switch(
        self, client: ClientService, place: str, key_env: str | None, info: EngineInfo
    ) -> EngineInfo:
        if self.connecting is not None:
            await self.connecting.wait()
        if self.broken is not None:
            raise self.broken
        found = await client.switch(Backend(engine=Presented(info), wants_public=False))
        self.connected.append((place, key_env))
        self.current = place
        return found


async def opened(
    user: Driven,
    screen: EndpointsScreen | ProvidersScreen | ValidationScreen | HistoryScreen | ChooseScreen,
) -> None:
    """Open ``screen`` over the app and wait until its list has the focus."""
    user.app.push_screen(screen)
    await user.until(lambda: user.app.screen is screen and screen.is_mounted and screen.table.has_focus)


def providers_screen(
    client: ClientService, *, gpu: GpuSamples = NO_GPU, clock_ns: Callable[[], int] = lambda: 0
) -> ProvidersScreen:
    return ProvidersScreen(client, gpu=lambda: gpu, clock_ns=clock_ns)


def validation_screen(
    user: Driven,
    names: Callable[[], Sequence[str]],
    *,
    checked: Checked | None = None,
    clock_ns: Callable[[], int] = lambda: 0,
) -> ValidationScreen:
    return ValidationScreen(
        Validation(user.client, user.services.setup.chat, clock_ns=lambda: 0),
        targets=names,
        source="models.json",
        jobs=user.client.jobs,
        checked=checked or Checked(),
        clock_ns=clock_ns,
    )
