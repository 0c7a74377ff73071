"""Candidates for tests of whatever chooses among them."""

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.scoring import Score
from foundry_tui.metrics.candidate import Candidate, Figure, Latency, Memory, Sample, Throughput, Unknown
from foundry_tui.metrics.prompt_scores import PromptScores
from foundry_tui.metrics.quality import (
    model_quality,
    scorable,
    time_to_good_s,
    unmatched_scores,
)
from foundry_tui.metrics.run_quality import RunQuality
from tests.support.scores import RUBRIC, score

__all__ = ["UNKNOWN", "a_candidate", "a_run_quality", "all_scored", "samples", "scores_of"]

UNKNOWN = Unknown("nobody looked")


def samples(latencies: tuple[float, ...], *, prompts: int = 1) -> tuple[Sample, ...]:
    """An answer for each latency, over ``prompts`` in turn; 100 characters long, a fifth as many tokens."""
    return tuple(
        Sample(
            prompt_id=f"p{n % prompts}",
            round=n // prompts + 1,
            latency_s=latency,
            ttft_s=latency / 10,
            tokens_per_s=20 / latency,
            characters_per_s=100 / latency,
        )
        for n, latency in enumerate(latencies)
    )


def scores_of(*means: float) -> tuple[PromptScores, ...]:
    """One scored answer to each of the prompts ``p0``, ``p1`` and so on."""
    return tuple(
        PromptScores(prompt_id=f"p{n}", total=float(mean), answers=1) for n, mean in enumerate(means)
    )


def all_scored(requests: list[RequestRun], value: int) -> list[Score]:
    """Every answer with that value by each criterion of ``RUBRIC``."""
    return [
        score(request.number, value, criterion=criterion.id)
        for request in requests
        for criterion in RUBRIC.criteria
    ]


def a_run_quality(run: Run, requests: list[RequestRun], scores: list[Score]) -> RunQuality:
    """What these scores of ``RUBRIC`` come to."""
    answers = scorable("run", requests)
    return RunQuality(
        rubric=RUBRIC if scores else None,
        models=tuple(
            (
                model_quality(scores, answers, model, rubric=RUBRIC if scores else None),
                time_to_good_s(scores, answers, model, rubric=RUBRIC if scores else None),
            )
            for model in run.plan.models
        ),
        unmatched=unmatched_scores(scores, answers),
    )


def a_candidate(
    model: str = "alpha",
    *,
    run_id: str = "a1",
    latency: float | None = 2.0,
    ttft: float | None = 0.2,
    rate: float | None = 10.0,
    characters: float | None = 50.0,
    memory: int | None = 1_000,
    vram: int | None = None,
    quality: float | None = 4.0,
    footprint: int | None = 500,
    declared: str | None = "MIT",
    answers: int = 6,
    drawn: tuple[Sample, ...] = (),
    scores: tuple[PromptScores, ...] = (),
    good_in: float | None = None,
) -> Candidate:
    """One of which everything is known but what is given as None."""

    def figure(value: float | None) -> Figure | Unknown:
        return UNKNOWN if value is None else Figure(value=value)

    return Candidate(
        run_id=run_id,
        model=model,
        model_id=f"{model}-cpu:1",
        answers=answers,
        tried=6,
        latency=UNKNOWN if latency is None else Latency(e2e_s=Figure(value=latency), ttft_s=figure(ttft)),
        throughput=Throughput(tokens_per_s=figure(rate), characters_per_s=figure(characters)),
        memory=UNKNOWN if memory is None else Memory(rss_bytes=memory, vram_bytes=vram),
        quality=figure(quality),
        footprint_bytes=UNKNOWN if footprint is None else footprint,
        license=UNKNOWN if declared is None else declared,
        samples=drawn,
        scores=scores,
        time_to_good=figure(good_in),
    )
