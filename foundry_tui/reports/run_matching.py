"""Whether two measurements may be compared: what is being compared differs, and nothing else does."""

from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.bench import BenchPlan, ModelRun, Run
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.run_footer import environment_facts

__all__ = [
    "Across",
    "Difference",
    "Side",
    "changes_between",
    "difference_words",
    "differences",
    "is_of_an_update",
    "likely_factor",
    "unknown_fields",
]

_MACHINE = frozenset({"os", "machine", "cpu", "cores", "threads", "ram_bytes", "gpu", "power", "governor"})
_MODEL = ("model", "alias", "publisher", "license", "disk_bytes", "context_tokens")
_BUILD = ("variant", "disk_bytes", "context_tokens")
_ENGINE = ("engine", "path")
# Short words for what people call otherwise than the record does.
_WORDS = {"execution_provider": "EP"}
_SHOWN = 60


class Across(StrEnum):
    """What is being compared."""

    MODEL = "model"
    DEVICE = "device"
    EP = "ep"
    VERSION = "version"
    """Of the runtime, of this program, or of the model itself."""
    ENGINE = "engine"
    RUN = "run"
    """The same once more: only the time differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One model of one run."""

    run: Run
    model: ModelRun

    def conditions(self) -> dict[str, str]:
        """Everything that could make a difference and is known, as name and value."""
        known = {"path": self.run.path, **_of_plan(self.run.plan)}
        for name, value in environment_facts(self.run):
            known[name if name in _MACHINE or name in _ENGINE else f"version of {name}"] = value
        known |= dict(self.model.facts)
        known["model"] = dict(self.model.facts).get("alias", self.model.model)
        if self.model.model_id is not None:
            known["variant"] = self.model.variant
            if self.model.version is not None:
                known["version of the model"] = self.model.version
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One condition that is not the same on both sides.

    Attributes:
        is_meant: Whether it is what is being compared, or comes with it.
    """

    field: str
    a: str
    b: str
    is_meant: bool


def differences(a: Side, b: Side, across: Across) -> tuple[Difference, ...]:
    """What is not the same, as far as it is known of both, in the order of A's conditions."""
    of_a, of_b = a.conditions(), b.conditions()
    return tuple(
        Difference(field=name, a=value, b=of_b[name], is_meant=_is_meant(name, across))
        for name, value in of_a.items()
        if name in of_b and of_b[name] != value
    )


def changes_between(before: Side, after: Side) -> tuple[Difference, ...]:
    """The same of one model over time, where nobody says what is meant to change."""
    return tuple(
        Difference(field=found.field, a=found.a, b=found.b, is_meant=is_of_an_update(found.field))
        for found in differences(before, after, Across.VERSION)
    )


def is_of_an_update(name: str) -> bool:
    """Whether a condition is one that updates and other settings of the engine change: what a history shows.

    Neither the plan nor the machine is: with another one the numbers are of something else.
    """
    meant = (Across.VERSION, Across.EP, Across.DEVICE, Across.ENGINE)
    return name == "os" or any(_is_meant(name, across) for across in meant)


def difference_words(found: Difference, *, sign: str = "≠") -> str:
    """``EP CPU ≠ CUDA``; harmless.  Prompts are too long to be told."""
    if found.field == "prompts":
        return "the prompts"
    name = _WORDS.get(found.field, found.field)
    return f"{clean_line(name)} {clean_line(found.a, _SHOWN)} {sign} {clean_line(found.b, _SHOWN)}"


def unknown_fields(a: Side, b: Side) -> tuple[str, ...]:
    """Conditions that are known of one side only, so that nobody can say whether they are the same."""
    of_a, of_b = a.conditions(), b.conditions()
    return tuple(sorted(of_a.keys() ^ of_b.keys()))


def likely_factor(a: Side, b: Side) -> Across:
    """What is meant where nobody says it: two models of one run, else two runs."""
    return Across.MODEL if a.model.model != b.model.model else Across.RUN


def _is_meant(name: str, across: Across) -> bool:
    match across:
        case Across.MODEL:
            return name in (*_MODEL, "variant", "version of the model")
        case Across.DEVICE:
            return name in (*_BUILD, "device", "execution_provider", "version of the model")
        case Across.EP:
            # A provider runs on a device of its own, and has a build with versions of its own.
            return name in (*_BUILD, "device", "execution_provider", "version of the model")
        case Across.VERSION:
            return name.startswith("version of ") or name in ("disk_bytes", "context_tokens")
        case Across.ENGINE:
            return name in (*_ENGINE, *_BUILD, *_MODEL) or name.startswith("version of ")
        case Across.RUN:
            return False


def _of_plan(plan: BenchPlan) -> dict[str, str]:
    prompts = [prompt.asked for prompt in plan.prompts]
    return {
        "prompts": repr(prompts),
        "max_tokens": str(plan.max_tokens),
        "temperature": str(plan.temperature),
        "seed": str(plan.seed),
        "concurrency": str(plan.concurrency),
        "order": plan.order.value,
        "warmup": str(plan.warmup),
    }
