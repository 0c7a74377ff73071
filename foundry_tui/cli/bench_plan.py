"""From wishes to a plan, on the engine that is up: which models, and in which order."""

from dataclasses import dataclass, replace

from foundry_tui.cli.bench_wishes import Wishes
from foundry_tui.domain.bench import BenchPlan
from foundry_tui.domain.chat import PhaseTimeouts
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.models import ModelVariant
from foundry_tui.services.bench.order import order_here
from foundry_tui.services.bench.probes import before_timing, warm_up
from foundry_tui.services.opened import Services

__all__ = ["MadePlan", "made_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePlan:
    """A plan and how it came about.

    Attributes:
        variants: The exact variant of each model of the plan, in its order; None where the name fits none.
        notes: Such as why the models are not interleaved.
    """

    plan: BenchPlan
    variants: tuple[ModelVariant | None, ...]
    notes: tuple[str, ...]

    @property
    def timed(self) -> int:
        """Requests that are timed; the least where a precision is wanted."""
        return len(self.plan.models) * len(self.plan.prompts) * self.plan.rounds

    @property
    def before(self) -> int:
        """Requests before these."""
        return len(self.plan.models) * (len(before_timing(self.plan, "")) + len(warm_up(self.plan)))


async def made_plan(services: Services, wishes: Wishes, *, told: frozenset[str]) -> MadePlan:
    """The plan that ``wishes`` come to here; nothing is loaded or asked.

    Args:
        services: Started.
        wishes: What was said.
        told: Phases of time-outs that options have named; a plan file does not change these.

    Raises:
        BadInput: There is no model to measure.
        EngineError: Models cannot be listed.
    """
    names = wishes.models or await _every_chat_model(services)
    client = services.client
    if any(client.catalog.value.find(name) is None for name in names):
        await client.refresh()
    variants = tuple(client.catalog.value.find(name) for name in names)
    notes: tuple[str, ...] = ()
    order = wishes.order
    if order is None:
        found = await order_here(client, variants)
        order = found.order
        notes = (f"the models are measured {found.why}",) if found.why is not None else ()
    known = [model.id for model in variants if model is not None]
    for model_id in {model_id for model_id in known if known.count(model_id) > 1}:
        notes = (*notes, f"{model_id} has several names among these models, and is measured for each of them")
    plan = BenchPlan(
        models=tuple(names),
        prompts=wishes.prompts,
        name=wishes.name,
        rounds=wishes.rounds,
        warmup=wishes.warmup,
        max_tokens=wishes.max_tokens,
        temperature=wishes.temperature,
        seed=wishes.seed,
        concurrency=wishes.sweep[0],
        order=order,
        is_deterministic=wishes.is_deterministic,
        has_probes=wishes.has_probes,
        has_cold_start=wishes.has_cold_start,
        unloads=wishes.unloads,
        precision=wishes.precision,
        stops_repetition=wishes.stops_repetition,
        rescue=wishes.rescue,
        limits=wishes.limits,
        goodput=wishes.goodput,
        timeouts=_timeouts(services.setup.chat.timeouts, wishes, told),
    )
    return MadePlan(plan=plan, variants=variants, notes=notes)


async def _every_chat_model(services: Services) -> tuple[str, ...]:
    snapshot = await services.client.refresh(public=False)
    names = [model.id for model in snapshot.models if _can_chat_here(model)]
    if not names:
        raise BadInput(
            "there is no chat model on this machine",
            remedy="foundry-tui models pull ID fetches one, --models A,B names others",
        )
    return tuple(dict.fromkeys(names))


def _can_chat_here(model: ModelVariant) -> bool:
    speaks = model.task is None or "chat" in model.task.casefold()
    # A plain server does not tell where the files of its models are: it lists what it serves.
    return speaks and model.is_cached is not False and model.problem is None and model.unavailable is None


def _timeouts(settings: PhaseTimeouts, wishes: Wishes, told: frozenset[str]) -> PhaseTimeouts:
    planned = {phase: value for phase, value in wishes.timeouts.items() if phase not in told}
    return replace(settings, **planned)
