"""What a plan asks for, fact by fact, for reports.

Nothing in it is harmless yet: names and prompts stand in it as they came.
"""

from foundry_tui.domain.bench import BenchPlan, MemoryRescue, Order
from foundry_tui.domain.quantities import seconds_in_words
from foundry_tui.reports.run_summary_words import limit_words, limits_lines

__all__ = ["plan_facts"]

_ORDER_WORDS = {
    Order.INTERLEAVED: "interleaved in an order drawn from the seed, backwards in every second round",
    Order.BLOCKED: "model by model, so a drift of the machine falls on single models",
}
_RESCUE_WORDS = {
    MemoryRescue.NONE: "the model is left out",
    MemoryRescue.OWN: "the run's other models are unloaded, and it is tried once more",
    MemoryRescue.ALL: "everything else is unloaded, and it is tried once more",
}


def plan_facts(plan: BenchPlan) -> list[tuple[str, str]]:
    """All of ``plan`` as name and value, in the order in which one would ask."""
    heat = "the engine's own" if plan.temperature is None else f"{plan.temperature:g}"
    facts = [
        ("models", ", ".join(plan.models)),
        ("rounds", f"{plan.rounds} of each model and prompt, after {plan.warmup} for warm-up"),
        ("order", _ORDER_WORDS[plan.order]),
        ("max_tokens", str(plan.max_tokens)),
        ("temperature", heat),
        ("seed", "none" if plan.seed is None else str(plan.seed)),
        ("concurrency", str(plan.concurrency)),
    ]
    if plan.precision is not None:
        rule = plan.precision
        facts.append(
            (
                "precision",
                f"until the median latency is within ±{rule.half_width_share:.0%}, at most"
                f" {rule.max_rounds} rounds and {seconds_in_words(rule.max_s)}",
            )
        )
    if plan.goodput is not None:
        facts.append(("fast enough", limit_words(plan.goodput)))
    if not plan.has_probes:
        facts.append(("probes", "none: coherence and prefill were not asked for"))
    facts += [
        ("determinism certificate", "made before timing" if plan.is_deterministic else "not made"),
        (
            "cold start",
            "loaded anew for a first request" if plan.has_cold_start else "not measured on purpose",
        ),
        ("after its last request", "a model is unloaded" if plan.unloads else "a model stays loaded"),
        ("out of memory", _RESCUE_WORDS[plan.rescue]),
        ("answers in circles", _repetition(plan)),
        ("time-outs", _timeouts(plan)),
        *(("limit", line) for line in limits_lines(plan.limits)),
    ]
    prompts = [(f"prompt {prompt.id}", prompt.text) for prompt in plan.prompts]
    systems = [(f"system of {prompt.id}", prompt.system) for prompt in plan.prompts if prompt.system]
    return [*facts, *prompts, *systems]


def _repetition(plan: BenchPlan) -> str:
    if plan.stops_repetition is None:
        return "stopped where the runtime is our own"
    return "stopped" if plan.stops_repetition else "left to run"


def _timeouts(plan: BenchPlan) -> str:
    limits = plan.timeouts
    named = (
        ("connect", limits.connect_s),
        ("headers", limits.headers_s),
        ("first token", limits.first_token_s),
        ("between", limits.between_s),
        ("in all", limits.total_s),
    )
    return ", ".join(f"{name} {seconds:g} s" for name, seconds in named)
