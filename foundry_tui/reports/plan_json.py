"""A plan in the results format."""

from foundry_tui.domain.bench import BenchPlan, GoodputLimits
from foundry_tui.reports.prompt_json import prompt_object

__all__ = ["goodput_limits_object", "plan_object"]


def plan_object(plan: BenchPlan) -> dict[str, object]:
    """``plan``, as ``--plan`` takes it; ``prompts`` are ids, ``prompt_set`` is what they stand for."""
    rule = plan.precision
    return {
        "models": list(plan.models),
        "prompts": [prompt.id for prompt in plan.prompts],
        "rounds": plan.rounds,
        "warmup": plan.warmup,
        "max_tokens": plan.max_tokens,
        "temperature": plan.temperature,
        "seed": plan.seed,
        "concurrency": plan.concurrency,
        "order": plan.order.value,
        "deterministic": plan.is_deterministic,
        **({} if plan.has_probes else {"probes": False}),
        "cold_start": plan.has_cold_start,
        "unloads": plan.unloads,
        "precision": None
        if rule is None
        else {
            "half_width_share": rule.half_width_share,
            "max_rounds": rule.max_rounds,
            "max_s": rule.max_s,
        },
        "stops_repetition": plan.stops_repetition,
        "out_of_memory": plan.rescue.value,
        "limits": {
            "max_s": plan.limits.max_s,
            "min_free_disk_bytes": plan.limits.min_free_disk_bytes,
            "max_temperature_c": plan.limits.max_temperature_c,
        },
        "goodput": goodput_limits_object(plan.goodput),
        "timeouts": {
            "connect_s": plan.timeouts.connect_s,
            "headers_s": plan.timeouts.headers_s,
            "first_token_s": plan.timeouts.first_token_s,
            "between_s": plan.timeouts.between_s,
            "total_s": plan.timeouts.total_s,
        },
        "prompt_set": [prompt_object(prompt) for prompt in plan.prompts],
    }


def goodput_limits_object(limits: GoodputLimits | None) -> dict[str, object] | None:
    """``limits``, or null where there are none."""
    if limits is None:
        return None
    return {"name": limits.name, "ttft_s": limits.ttft_s, "per_token_s": limits.per_token_s}
