"""What a run was to do, as JSON."""

import json
from dataclasses import asdict
from typing import Any

from foundry_tui.domain.bench import (
    BenchPlan,
    GoodputLimits,
    MemoryRescue,
    Order,
    PlannedPrompt,
    PrecisionRule,
    RunLimits,
)
from foundry_tui.domain.chat import PhaseTimeouts
from foundry_tui.domain.check_form import check_from, check_object

__all__ = ["packed_plan", "unpacked_plan"]


def packed_plan(plan: BenchPlan) -> str:
    """``plan`` in one line."""
    kept = asdict(plan) | {"prompts": [_packed_prompt(prompt) for prompt in plan.prompts]}
    if plan.has_probes:
        del kept["has_probes"]  # as for prompts: an older version reads the line
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def unpacked_plan(line: str) -> BenchPlan:
    """The plan; what an older version of this program did not know has its default.

    Raises:
        ValueError, LookupError, TypeError, RecursionError: The line is damaged, or a newer version's.
    """
    kept = json.loads(line)
    precision, goodput = kept.pop("precision", None), kept.pop("goodput", None)
    return BenchPlan(
        models=tuple(kept.pop("models")),
        prompts=tuple(_unpacked_prompt(prompt) for prompt in kept.pop("prompts")),
        order=Order(kept.pop("order")),
        precision=None if precision is None else PrecisionRule(**precision),
        rescue=MemoryRescue(kept.pop("rescue", MemoryRescue.OWN)),
        limits=RunLimits(**kept.pop("limits", {})),
        goodput=None if goodput is None else GoodputLimits(**goodput),
        timeouts=PhaseTimeouts(**kept.pop("timeouts")),
        **kept,
    )


def _packed_prompt(prompt: PlannedPrompt) -> dict[str, object]:
    """Without what it does not have: the line is then as it always was, and an older version reads it."""
    packed: dict[str, object] = {"id": prompt.id, "text": prompt.text, "system": prompt.system}
    if prompt.aspects:
        packed["aspects"] = prompt.aspects
    if prompt.checks:
        packed["checks"] = [check_object(check) for check in prompt.checks]
    return packed


def _unpacked_prompt(packed: dict[str, Any]) -> PlannedPrompt:
    judged = {
        "aspects": tuple(packed.get("aspects", ())),
        "checks": tuple(check_from(check) for check in packed.get("checks", ())),
    }
    return PlannedPrompt(**(packed | judged))
