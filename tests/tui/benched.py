"""Benchmarks as their screens are handed them: states that are made up, over the real service."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from textual._context import visible_screen_stack

from foundry_tui.domain.bench import (
    BenchPlan,
    ModelRun,
    Phase,
    PlannedPrompt,
    PrecisionRule,
    RequestRun,
    Run,
    RunStatus,
)
from foundry_tui.domain.chat import ChunkReceived, ClockRead, Moment, Outcome
from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.domain.trace import TraceBuilder
from foundry_tui.launching import default_data_dir
from foundry_tui.ports.storage import JudgeStore
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.bench.state import BenchState, Step, UnderWay
from foundry_tui.tui.screens.bench.draft import BenchDraft
from foundry_tui.tui.screens.bench.plan import BenchPlanScreen
from foundry_tui.tui.screens.bench.screen import BenchScreen
from foundry_tui.tui.screens.scoring.start import ScoringStartScreen, ToScore
from tests.support.memory_runs import MemoryRuns
from tests.support.memory_scores import MemoryScores
from tests.support.scores import RUBRIC
from tests.support.services import PROMPTS, SUMMARIES, services_over
from tests.support.supervised import SupervisedScript
from tests.support.timed import MS, request, trace
from tests.tui.frames import steady
from tests.tui.overlay_host import Opened

__all__ = [
    "MIB",
    "QWEN",
    "SMOLLM",
    "Benched",
    "answers",
    "benched",
    "ended",
    "in_flight",
    "running",
    "still",
    "variant",
]

MIB = 1 << 20
QWEN = "qwen2.5-0.5b-instruct-generic-cpu:4"
SMOLLM = "smollm2-360m-instruct-generic-cpu:1"
_STILL = 8
T = TypeVar("T")
_STARTED_MS = 1_767_355_200_000


def variant(model_id: str, **known: object) -> ModelVariant:
    base = ModelVariant(
        id=model_id,
        alias=model_id.partition("-instruct")[0],
        catalog=CatalogKind.PUBLIC,
        device=Device.CPU,
        is_cached=True,
        is_loaded=False,
    )
    return replace(base, **known)  # type: ignore[arg-type] # each by its name, as the tests give them


def answers(
    model: str, count: int, *, gap_ms: float = 20.0, first: int = 1, step: int = 2
) -> list[RequestRun]:
    """So many timed requests, each a little slower than the one before; every third with a stall."""
    made = []
    for place in range(count):
        gaps = [gap_ms + place] * 20
        if place % 3 == 2:
            gaps[9] = 400.0
        number = first + place * step
        of = trace(gaps, ttft_ms=80.0 + 3 * place, completion=21)
        one = request(number, of, model=model, round_=place // 2 + 1, prompt_id=PROMPTS[place % 2].id)
        made.append(replace(one, model_id=model, peak_rss_bytes=(600 + place) * MIB))
    return made


def running(
    *requests: RequestRun,
    models: Sequence[str] = (QWEN, SMOLLM),
    rounds: int = 6,
    precision: PrecisionRule | None = None,
    prompts: tuple[PlannedPrompt, ...] = PROMPTS,
    **known: object,
) -> BenchState:
    """A run that asks, with these requests made."""
    plan = BenchPlan(models=tuple(models), prompts=prompts, rounds=rounds, precision=precision)
    run = Run(
        id="f00d" * 8,
        name="",
        plan=plan,
        status=RunStatus.RUNNING,
        started_unix_ms=_STARTED_MS,
        models=tuple(
            ModelRun(
                model=model,
                model_id=model,
                load_ns=1234 * MS,
                facts=(("device", "CPU"), ("execution_provider", "CPUExecutionProvider")),
            )
            for model in models
        ),
    )
    base = BenchState(
        run=run,
        requests=tuple(sorted(requests, key=lambda one: one.number)),
        planned=len(models) * len(prompts) * rounds,
        step=Step.ASKING,
        model=models[0],
        eta_s=95.0,
    )
    return replace(base, **known)  # type: ignore[arg-type] # likewise


def in_flight(model: str, gaps_ms: Sequence[float], *, phase: Phase = Phase.TIMED) -> UnderWay:
    """A request of which so many chunks have come."""
    builder = TraceBuilder()
    builder.observe(ClockRead(moment=Moment.SENT, at_ns=0))
    at_ms = 100.0
    for number, gap_ms in enumerate((0.0, *gaps_ms), start=1):
        at_ms += gap_ms
        builder.observe(ChunkReceived(at_ns=round(at_ms * MS), text="word ", read=number))
    return UnderWay(model=model, prompt_id="rag", round=3, phase=phase, trace=builder)


def ended(state: BenchState, status: RunStatus = RunStatus.COMPLETED) -> BenchState:
    """The same when it is over."""
    models = tuple(
        model if model.outcome is not None else replace(model, outcome=Outcome.COMPLETED)
        for model in state.run.models
    )
    run = replace(state.run, status=status, ended_unix_ms=_STARTED_MS + 60_000, models=models)
    return replace(state, run=run, step=Step.ENDED, under_way=(), eta_s=None)


@dataclass(kw_only=True)
class Benched:
    """The service and what its screens are made of.

    Attributes:
        runs: Where runs are kept.
        models: Those that are here.
        prompts: What can be asked.
        draft: What stands on the page of the plan.
        targets: What ``models.json`` has for chats.
        scores: Where scores are kept.
        choices: Of which runs one asked to choose a model.
    """

    bench: Benchmarks
    judgements: JudgeStore
    runs: MemoryRuns
    engine: SupervisedScript
    models: list[ModelVariant]
    prompts: tuple[PlannedPrompt, ...] = PROMPTS
    draft: BenchDraft = field(default_factory=BenchDraft)
    targets: tuple[str, ...] = ()
    scores: MemoryScores = field(default_factory=MemoryScores)
    choices: list[Sequence[str]] = field(default_factory=list)

    def screen(self, *, is_plain: bool = False, clock_s: Callable[[], float] = lambda: 0.0) -> BenchScreen:
        return BenchScreen(
            self.bench,
            plan=self.plan,
            score=self.score,
            choose=self.choices.append,
            scores=self.scores,
            is_plain=is_plain,
            clock_s=clock_s,
        )

    def plan(self) -> BenchPlanScreen:
        return BenchPlanScreen(
            models=self.models,
            prompts=lambda name: SUMMARIES if name else self.prompts,
            sets=lambda: ("summarize",),
            draft=self.draft,
            store=self.runs,
            begin=self.bench.begin,
            keep=self._keep,
            targets=lambda: self.targets,
            predict=self.bench.predictions.of,
        )

    def score(self, state: BenchState) -> ScoringStartScreen:
        what = ToScore(
            store=self.scores,
            judgements=self.judgements,
            run=state.run,
            requests=tuple(state.requests),
            rubric=lambda: RUBRIC,
        )
        return ScoringStartScreen(what)

    def _keep(self, draft: BenchDraft) -> None:
        self.draft = draft


async def still(user: Opened[T]) -> str:
    """The screen as soon as it stands still."""
    seen: list[str] = []
    while len(seen) < _STILL or len(set(seen[-_STILL:])) > 1:
        user.app.screen.refresh()
        await user.pilot.pause()  # a turn for all that is under way
        # What lies below shows through only where the screens below are named, as the app does to paint.
        visible_screen_stack.set(user.app._background_screens)
        seen.append(steady(user.lines()))
    return seen[-1]


@asynccontextmanager
async def benched(state: BenchState | None = None) -> AsyncGenerator[Benched, None]:
    """The service for the length of the block, with ``state`` as if it were under way."""
    runs, models = MemoryRuns(), [variant(QWEN), variant(SMOLLM)]
    engine = SupervisedScript(models=models)
    async with services_over(engine, default_data_dir(), runs=runs) as services:
        if state is not None:
            services.bench.state.publish(state)
        yield Benched(
            bench=services.bench,
            judgements=services.judgements,
            runs=runs,
            engine=engine,
            models=models,
        )
