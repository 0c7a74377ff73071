"""The app with models that can be asked side by side, over a real database."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from foundry_tui.domain.bench import Run
from foundry_tui.domain.chat import ChatEvent, ChatRequest
from foundry_tui.domain.errors import ModelRefused
from foundry_tui.domain.models import CatalogKind, Device, LoadReport, ModelVariant
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.launching import default_data_dir
from foundry_tui.services.setup import Setup
from foundry_tui.storage import Database, StoredRuns, StoredScores
from foundry_tui.tui.screens.beside.ask import BesideAskScreen
from foundry_tui.tui.screens.beside.screen import BesideScreen
from tests.support.services import SETUP
from tests.support.supervised import SupervisedScript
from tests.tui.harness import WIDE, Driven, driven

__all__ = ["MODELS", "Beside", "TalkingScript", "beside"]

MODELS = ("phi-4-mini-cpu:1", "qwen2.5-0.5b-cpu:1", "smollm2-135m-cpu:1", "zephyr-7b-cpu:1")


def _variant(model_id: str) -> ModelVariant:
    return ModelVariant(
        id=model_id,
        alias=model_id.removesuffix("-cpu:1"),
        catalog=CatalogKind.PUBLIC,
        task="chat-completion",
        device=Device.CPU,
        context_tokens=4096,
        is_cached=True,
        is_loaded=False,
    )


class TalkingScript(SupervisedScript):
    """Each model answers in words of its own.

    Attributes:
        answers: The pieces of each model; of others those of the script.
        broken: Models that cannot be loaded.
        held: Models of whose answers only the first piece comes.
    """

    def __init__(self, models: Sequence[str]) -> None:
        super().__init__(models=[_variant(model) for model in models])
        self.answers: dict[str, tuple[str, ...]] = {
            model: ("I am ", model, " and answer.") for model in models
        }
        self.broken: set[str] = set()
        self.held: set[str] = set()

    async def stream_chat(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        pieces, is_held = self.answers[request.model], request.model in self.held
        self.script = replace(self.script, pieces=pieces[:1] if is_held else pieces, hold=is_held)
        async with aclosing(super().stream_chat(request)) as events:
            async for event in events:
                yield event

    async def load(self, model_id: str) -> LoadReport:
        if model_id in self.broken:
            raise ModelRefused(f"{model_id} cannot be loaded: its weights are damaged")
        return await super().load(model_id)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The app, and what is kept."""

    driven: Driven
    engine: TalkingScript
    runs: StoredRuns
    scores: StoredScores

    @property
    def screen(self) -> BesideScreen:
        screen = self.driven.app.screen
        assert isinstance(screen, BesideScreen)
        return screen

    @property
    def run(self) -> Run:
        """The run on the screen."""
        return self.screen.state.run

    async def press(self, *keys: str) -> None:
        """Press them, and wait until what they did is painted."""
        await self.driven.pilot.press(*keys)
        await self.driven.pilot.pause()

    async def kept(self) -> None:
        """Wait until all that was said is kept, and painted."""
        await self.driven.until(lambda: not self.screen.is_judging)
        await self.driven.pilot.pause()

    async def open(self, text: str = "What is a bridge?", models: int = 2) -> None:
        """Write that and open the page with so many models taken."""
        user = self.driven
        user.prompt.put(text)
        for model in MODELS[:models]:
            await user.until(lambda model=model: user.catalog.table.move_cursor_to(model))  # type: ignore[misc]
            user.catalog.action_mark()
        await self.press("alt+6")
        await user.until(lambda: isinstance(user.app.screen, BesideAskScreen))
        await user.pilot.pause()  # it is laid out before its keys are pressed

    async def ask(self, text: str = "What is a bridge?", models: int = 2, *, is_blind: bool = True) -> None:
        """Open the page and ask."""
        await self.open(text, models)
        await self.press(*(() if is_blind else ("b",)), "enter")
        await self.driven.until(lambda: isinstance(self.driven.app.screen, BesideScreen))

    async def asked(self, text: str = "What is a bridge?", models: int = 2, *, is_blind: bool = True) -> None:
        """The same, and wait until all is answered."""
        await self.ask(text, models, is_blind=is_blind)
        await self.ended()

    async def ended(self) -> None:
        """Wait until nothing is answered any more."""
        await self.driven.until(lambda: not self.screen.is_answering and self.driven.shows("Esc leaves"))


@asynccontextmanager
async def beside(
    models: Sequence[str] = MODELS[:3], *, size: tuple[int, int] = WIDE, setup: Setup = SETUP
) -> AsyncGenerator[Beside, None]:
    """The app with these models on its disk."""
    default_data_dir().mkdir(parents=True, exist_ok=True)
    database = Database(default_data_dir() / "runs.db")
    runs, scores = StoredRuns(database), StoredScores(database)
    engine = TalkingScript(models)
    engine.script = ScriptedConfig()
    try:
        async with driven(engine, size=size, runs=runs, scores=scores, setup=setup) as user:
            await user.up()
            yield Beside(driven=user, engine=engine, runs=runs, scores=scores)
    finally:
        await database.aclose()
