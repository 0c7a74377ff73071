"""What ``bench --dry-run`` says of a plan."""

from collections.abc import Sequence

from foundry_tui.cli.bench_plan import MadePlan
from foundry_tui.cli.output import print_json, print_text
from foundry_tui.domain.bench import BenchPlan
from foundry_tui.domain.predictions import ModelPrediction
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.plan_json import plan_object
from foundry_tui.reports.prediction_json import prediction_object
from foundry_tui.reports.prediction_words import memory_words, speed_words
from foundry_tui.reports.run_summary_words import estimate_words, limit_words, limits_lines
from foundry_tui.services.bench.estimate import Estimate

__all__ = ["PLAN_SCHEMA", "size_in_words", "tell_plan"]

PLAN_SCHEMA = "foundry-tui/bench-plan@1"


def tell_plan(
    made: MadePlan,
    estimate: Estimate | None,
    expected: Sequence[ModelPrediction],
    *,
    as_json: bool,
) -> None:
    """Print the plan, how long it takes, and what is to be expected of each model, in the plan's order."""
    plan = made.plan
    ids = {
        name: None if model is None else model.id
        for name, model in zip(plan.models, made.variants, strict=True)
    }
    if as_json:
        print_json(
            {
                "schema": PLAN_SCHEMA,
                "plan": plan_object(plan),
                "model_ids": ids,
                "timed_requests": made.timed,
                "requests_before": made.before,
                "notes": list(made.notes),
                "estimate": None
                if estimate is None
                else {
                    "seconds": estimate.seconds,
                    "requests": estimate.requests,
                    "runs": list(estimate.run_ids),
                    "unknown": list(estimate.unknown),
                    "is_least": estimate.is_least,
                },
                "predictions": {
                    name: prediction_object(one) for name, one in zip(plan.models, expected, strict=True)
                },
            }
        )
        return
    for (name, model_id), one in zip(ids.items(), expected, strict=True):
        found = "not found here: it would be skipped" if model_id is None else clean_line(model_id)
        print_text(f"model   {clean_line(name)}  {found}")
        if model_id is not None:
            print_text(f"        predicted decode rate {speed_words(one)}")
            print_text(f"        predicted load {memory_words(one.memory)}")
    for prompt in plan.prompts:
        print_text(f"prompt  {clean_line(prompt.id)}  {clean_line(prompt.text, 80)}")
    heat = "the engine's own" if plan.temperature is None else f"{plan.temperature:g}"
    seed = "none" if plan.seed is None else plan.seed
    print_text(f"order   {plan.order.value}, {plan.concurrency} at once")
    print_text(f"sent    max_tokens {plan.max_tokens}, temperature {heat}, seed {seed}")
    if plan.goodput is not None:
        print_text(f"judged  {limit_words(plan.goodput)}")
    for line in limits_lines(plan.limits):
        print_text(f"limit   {line}")
    print_text(f"total   {size_in_words(plan)}, and {made.before} before them")
    print_text(f"takes   {estimate_words(estimate)}")


def size_in_words(plan: BenchPlan) -> str:
    """``2 models × 1 prompt × 3 rounds = 6 timed requests``."""
    models, prompts = len(plan.models), len(plan.prompts)
    least = "at least " if plan.precision is not None else ""
    at_once = f", {plan.concurrency} at once" if plan.concurrency > 1 else ""
    return (
        f"{models} model{'s' * (models != 1)} × {prompts} prompt{'s' * (prompts != 1)} × {plan.rounds}"
        f" round{'s' * (plan.rounds != 1)} = {least}{models * prompts * plan.rounds} timed requests{at_once}"
    )
