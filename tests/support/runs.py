"""Runs and requests for tests of whatever keeps or shows them."""

from foundry_tui.domain.bench import BenchPlan, ModelRun, Phase, PlannedPrompt, RequestRun, Run, RunStatus
from foundry_tui.domain.chat import ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace

__all__ = ["MODELS", "a_request", "a_run", "a_trace"]

MODELS = ("alpha", "beta")


def a_run(run_id: str = "a1", *, started_unix_ms: int = 1_000, models: tuple[ModelRun, ...] = ()) -> Run:
    """One that has begun: two models, two prompts, three rounds."""
    prompts = (PlannedPrompt(id="p1", text="Why?"), PlannedPrompt(id="p2", text="How?", system="Be brief."))
    return Run(
        id=run_id,
        name=f"run {run_id}",
        plan=BenchPlan(models=MODELS, prompts=prompts, rounds=3, seed=7),
        status=RunStatus.RUNNING,
        started_unix_ms=started_unix_ms,
        models=models or tuple(ModelRun(model=model, model_id=f"{model}-cpu:1") for model in MODELS),
    )


def a_request(number: int = 1, *, model: str = "alpha", text: str = "because") -> RequestRun:
    """A timed one whose answer came in two chunks."""
    return RequestRun(
        number=number,
        model=model,
        model_id=f"{model}-cpu:1",
        prompt_id="p1",
        round=1,
        phase=Phase.TIMED,
        at_unix_ms=1_000 + number,
        trace=a_trace(text),
    )


def a_trace(text: str = "because") -> GenerationTrace:
    """``text`` in two chunks, 10 ms apart, 50 ms after it was sent."""
    half = len(text) // 2
    chunks = (
        ChunkReceived(at_ns=51_000_000, text=text[:half], read=2),
        ChunkReceived(at_ns=61_000_000, text=text[half:], read=3),
    )
    return GenerationTrace(
        call_ns=0,
        sent_ns=1_000_000,
        headers_ns=2_000_000,
        role_ns=40_000_000,
        chunks=tuple(chunk for chunk in chunks if chunk.text),
        end_ns=62_000_000,
        usage=TokenUsage(prompt_tokens=5, completion_tokens=2),
        outcome=Outcome.COMPLETED,
        finish_reason="stop",
    )
