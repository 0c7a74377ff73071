"""A run whose rounds 6 to 10 were throttled and measured again, with and without what was measured first."""

from dataclasses import replace

from foundry_tui.domain.bench import (
    BenchPlan,
    GoodputLimits,
    ModelRun,
    Phase,
    PlannedPrompt,
    RequestRun,
    Run,
    RunStatus,
)
from foundry_tui.domain.bench_conditions import EnergyReading, EnergyScope, RequestConditions
from foundry_tui.domain.bench_reruns import Rerun, RoundAgain
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.resources import Throttle
from foundry_tui.domain.trace import GenerationTrace
from tests.support.timed import request, trace

__all__ = ["AGAIN", "MODELS", "SECOND_BEGINS", "again_run", "first_made", "second_made"]

MODELS = ("alpha", "beta")
AGAIN = range(6, 11)
MIB = 1 << 20
SECOND_BEGINS = 1_000
"""The number of the first request of the second measurement."""
_STARTED_MS = 1_767_355_200_000
_PROMPTS = (PlannedPrompt(id="p1", text="Why?"), PlannedPrompt(id="p2", text="How?"))


def again_run(**changes: object) -> Run:
    """Two models, two prompts, ten rounds; the last five of the first model were measured again."""
    run = Run(
        id="a" * 32,
        name="throttled",
        plan=BenchPlan(
            models=MODELS,
            prompts=_PROMPTS,
            rounds=10,
            seed=7,
            goodput=GoodputLimits(name="chat", ttft_s=0.5, per_token_s=0.05),
        ),
        status=RunStatus.COMPLETED,
        started_unix_ms=_STARTED_MS,
        ended_unix_ms=_STARTED_MS + 100_000,
        environment=(("engine", "scripted"),),
        models=tuple(
            ModelRun(
                model=model,
                model_id=f"{model}-cpu:1",
                outcome=Outcome.COMPLETED,
                load_ns=10**9,
                rss_before_bytes=100 * MIB,
                rss_loaded_bytes=400 * MIB,
                rss_after_bytes=110 * MIB,
            )
            for model in MODELS
        ),
        reruns=(
            Rerun(
                attempt=2,
                started_unix_ms=_STARTED_MS + 200_000,
                rounds=tuple(
                    RoundAgain(model=MODELS[0], round=number, reasons=("throttled",)) for number in AGAIN
                ),
            ),
        ),
    )
    return replace(run, **changes)  # type: ignore[arg-type]  # tests name what differs


def first_made() -> list[RequestRun]:
    """What was measured first: slow, hot, of another length and in part failed where it was throttled."""
    made = [_probe(1, MODELS[0]), _probe(2, MODELS[1])]
    for round_ in range(1, 11):
        for prompt in _PROMPTS:
            for model in MODELS:
                number = len(made) + 1
                is_bad = model == MODELS[0] and round_ in AGAIN
                made.append(_made(number, model, prompt.id, round_, is_bad=is_bad))
    return made


def second_made() -> list[RequestRun]:
    """A warm-up, and what was measured instead."""
    made = [replace(_probe(SECOND_BEGINS, MODELS[0], phase=Phase.WARMUP), attempt=2)]
    for round_ in AGAIN:
        for prompt in _PROMPTS:
            number = SECOND_BEGINS + len(made)
            made.append(replace(_made(number, MODELS[0], prompt.id, round_, is_bad=False), attempt=2))
    return made


def _probe(number: int, model: str, *, phase: Phase = Phase.PROBE) -> RequestRun:
    probe = request(number, _answer(number, 12.0), model=model, phase=phase, prompt_id="probe", round_=1)
    return replace(probe, model_id=f"{model}-cpu:1", at_unix_ms=_STARTED_MS + number * 1000)


def _made(number: int, model: str, prompt_id: str, round_: int, *, is_bad: bool) -> RequestRun:
    gap_ms = 12.0 + 0.1 * (number % 7) + (5 if prompt_id == "p2" else 0)
    answer = _answer(number, 5 * gap_ms if is_bad else gap_ms, is_bad=is_bad)
    if is_bad and round_ == 8:
        answer = replace(answer, outcome=Outcome.STREAM_ERROR, error="hot", finish_reason=None)
    energy = EnergyReading(
        scope=EnergyScope.GPU,
        window_s=1.0,
        counter_j=900.0 if is_bad else 30.0 + number % 3,
        integrated_j=None,
        idle_w=10.0,
    )
    made = request(number, answer, model=model, prompt_id=prompt_id, round_=round_)
    return replace(
        made,
        model_id=f"{model}-cpu:1",
        at_unix_ms=_STARTED_MS + number * 1000,
        peak_rss_bytes=(4_000 if is_bad else 500) * MIB,
        peak_vram_bytes=(9_000 if is_bad else 700) * MIB,
        energy_j=890.0 if is_bad else 20.0,
        conditions=RequestConditions(
            energy=(energy,), throttles=(Throttle.HEAT,) if is_bad else (), gpu_clock_mhz=1900.0
        ),
    )


def _answer(number: int, gap_ms: float, *, is_bad: bool = False) -> GenerationTrace:
    """21 tokens, sent a second after the one before; a bad one 30, with a stall."""
    gaps_ms = [gap_ms] * (29 if is_bad else 20)
    if is_bad:
        gaps_ms[9] = 900.0
    return trace(
        gaps_ms,
        ttft_ms=700.0 if is_bad else 80.0,
        sent_ms=1000.0 * number,
        completion=len(gaps_ms) + 1,
        text=" hot" if is_bad else " cool",
        delay_ms=90.0 if is_bad else 0.5,
    )
