"""Kept runs with scores, as one chooses among their models."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from foundry_tui.domain.bench import BenchPlan, ModelRun, Order, PlannedPrompt, RequestRun, Run, RunStatus
from foundry_tui.domain.scoring import Said
from foundry_tui.tui.screens.choose.screen import ChooseScreen
from tests.support.memory_runs import MemoryRuns
from tests.support.memory_scores import MemoryScores
from tests.support.scores import RUBRIC, score
from tests.support.timed import request, trace

__all__ = ["BETA", "GIB", "Kept", "Measured", "kept"]

GIB = 1 << 30
BETA = "smollm2-360m-instruct-generic-cpu:1"
_STARTED_MS = 1_767_355_200_000
_PROMPTS = 8
_MADE_MS = _STARTED_MS + 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One model of a run.

    Attributes:
        gap_ms: Between chunks; each prompt has a little more of it than the one before.
        values: Of the scores, by prompt; fewer than the prompts leave the others unscored.
    """

    name: str
    gap_ms: float
    rss: int | None = GIB
    values: Sequence[int] = ()
    license: str = "MIT"
    disk: int = GIB


MODELS = (
    Measured(
        name="phi-4-mini-instruct-generic-cpu:5",
        gap_ms=90,
        rss=5 * GIB,
        values=(5, 5, 4, 5, 5, 4, 5, 5),
        disk=5 * GIB,
    ),
    Measured(
        name=BETA,
        gap_ms=12,
        rss=GIB // 2,
        values=(2, 3, 2, 1, 3, 2, 4, 2),
        license="apache-2.0",
        disk=GIB // 2,
    ),
    Measured(
        name="qwen2.5-1.5b-instruct-generic-cpu:4",
        gap_ms=40,
        rss=2 * GIB,
        values=(4, 4, 3, 5, 4, 3, 4, 4),
        license="apache-2.0",
    ),
    Measured(name="slow-7b-instruct-generic-cpu:2", gap_ms=140, rss=7 * GIB, values=(4, 4, 3, 4, 4, 4, 3, 4)),
    Measured(name="unscored-1b-instruct-generic-cpu:1", gap_ms=30, rss=None),
)


@dataclass(kw_only=True)
class Kept:
    """The stores and the screens over them."""

    runs: MemoryRuns = field(default_factory=MemoryRuns)
    scores: MemoryScores = field(default_factory=MemoryScores)

    async def add(self, run_id: str, models: Sequence[Measured], *, rounds: int = 2) -> Run:
        """Keep a run of these models, in blocks, each prompt's first answer scored."""
        run = _run(run_id, models, rounds)
        requests = [
            _request(number, model, prompt, round_)
            for number, (model, round_, prompt) in enumerate(
                (
                    (model, round_, prompt)
                    for model in models
                    for round_ in range(1, rounds + 1)
                    for prompt in range(_PROMPTS)
                ),
                1,
            )
        ]
        await self.runs.import_run(run, requests)
        by_name = {model.name: model for model in models}
        given = [
            score(
                one.number,
                by_name[one.model].values[int(one.prompt_id[1:])],
                criterion=criterion.id,
                run_id=run_id,
            )
            for one in requests
            for criterion in RUBRIC.criteria
            if one.round == 1 and int(one.prompt_id[1:]) < len(by_name[one.model].values)
        ]
        await self.scores.keep(RUBRIC, Said(scores=tuple(given)))
        return run

    def screen(self, *run_ids: str, is_plain: bool = False) -> ChooseScreen:
        return ChooseScreen(self.runs, self.scores, run_ids, is_plain=is_plain, unix_ms=lambda: _MADE_MS)


async def kept(models: Sequence[Measured] = MODELS) -> Kept:
    """One run of these models."""
    place = Kept()
    await place.add("f00d" * 8, models)
    return place


def _run(run_id: str, models: Sequence[Measured], rounds: int) -> Run:
    plan = BenchPlan(
        models=tuple(model.name for model in models),
        prompts=tuple(PlannedPrompt(id=f"p{place}", text=f"Question {place}?") for place in range(_PROMPTS)),
        rounds=rounds,
        order=Order.BLOCKED,
    )
    return Run(
        id=run_id,
        name="",
        plan=plan,
        status=RunStatus.COMPLETED,
        started_unix_ms=_STARTED_MS,
        ended_unix_ms=_STARTED_MS + 60_000,
        models=tuple(
            ModelRun(
                model=model.name,
                model_id=model.name,
                facts=(("device", "cpu"), ("license", model.license), ("disk_bytes", str(model.disk))),
            )
            for model in models
        ),
    )


def _request(number: int, model: Measured, prompt: int, round_: int) -> RequestRun:
    gaps = [model.gap_ms * (1 + prompt / 20 + round_ / 100)] * 20
    made = request(
        number,
        trace(gaps, ttft_ms=80.0, completion=21),
        model=model.name,
        prompt_id=f"p{prompt}",
        round_=round_,
    )
    return replace(made, model_id=model.name, peak_rss_bytes=model.rss)
