"""The app with a run in it whose answers are scored, over a real database."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.scoring import Rubric
from foundry_tui.launching import default_data_dir
from foundry_tui.ports.storage import JudgeStore, ScoreStore
from foundry_tui.storage import Database, StoredJudgements, StoredRuns, StoredScores
from foundry_tui.tui.screens.scoring.start import ScoringStartScreen, ToScore
from tests.support.scored_runs import answered_run
from tests.support.scores import RUBRIC
from tests.tui.harness import WIDE, Driven, driven

__all__ = ["Scored", "scored"]


@dataclass(frozen=True, kw_only=True)
class Scored:
    """The app, what is scored in it, and where it is kept."""

    driven: Driven
    run: Run
    requests: tuple[RequestRun, ...]
    store: ScoreStore
    judgements: JudgeStore
    rubric: Rubric

    def what(self) -> ToScore:
        """What is scored, for a page of one's own."""
        return ToScore(
            store=self.store,
            judgements=self.judgements,
            run=self.run,
            requests=self.requests,
            rubric=lambda: self.rubric,
        )

    async def open(self) -> None:
        """Show the page before the answers."""
        self.driven.app.push_screen(ScoringStartScreen(self.what()))
        await self.driven.until(lambda: self.driven.shows("to score"))

    async def begin(self, *keys: str, name: str = "Ada") -> None:
        """Open it, write that name and score answers; then press these keys."""
        if not isinstance(self.driven.app.screen, ScoringStartScreen):
            await self.open()
        await self.driven.pilot.press("ctrl+u", *name, "enter")
        await self.driven.until(lambda: self.driven.shows("· blind"))
        await self.press(*keys)

    async def compare(self, *keys: str, name: str = "Ada") -> None:
        """The same with two answers at a time."""
        await self.open()
        await self.driven.pilot.press(*name, "ctrl+t")
        await self.driven.until(lambda: self.driven.shows("Compare answers"))
        await self.press(*keys)

    async def press(self, *keys: str) -> None:
        """Press them, and wait until what they did is painted."""
        await self.driven.pilot.press(*keys)
        await self.driven.pilot.pause()

    async def given(self) -> list[tuple[int, int, str, int]]:
        """What is kept: request, occasion, criterion, score."""
        return [(one.number, one.occasion, one.criterion, one.value) for one in await self.store.scores("a1")]


@asynccontextmanager
async def scored(
    models: Sequence[str] = ("alpha", "beta"),
    *,
    prompts: int = 3,
    aspects: Sequence[str] = (),
    rubric: Rubric = RUBRIC,
    size: tuple[int, int] = WIDE,
) -> AsyncGenerator[Scored, None]:
    """A run of ``models``, each of which has answered each prompt."""
    run, requests = answered_run(models, prompts=prompts, aspects=aspects)
    default_data_dir().mkdir(parents=True, exist_ok=True)
    database = Database(default_data_dir() / "runs.db")
    runs, store = StoredRuns(database), StoredScores(database)
    try:
        await runs.import_run(run, requests)
        async with driven(size=size, runs=runs, scores=store) as user:
            await user.up()
            yield Scored(
                driven=user,
                run=run,
                requests=requests,
                store=store,
                judgements=StoredJudgements(database),
                rubric=rubric,
            )
    finally:
        await database.aclose()
