"""A benchmark as it is being filled in: texts on the way to a plan, and what the plan would cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.bench import (
    BenchPlan,
    GoodputLimits,
    Order,
    PlannedPrompt,
    PrecisionRule,
    RunLimits,
)
from foundry_tui.domain.quantities import plural
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.goodput import LIMITS
from foundry_tui.reports.run_summary_words import limit_words
from foundry_tui.services.bench.probes import before_timing, warm_up

__all__ = [
    "FIELDS",
    "BenchDraft",
    "DraftField",
    "DraftProblem",
    "Switch",
    "goodput_words",
    "next_goodput",
    "size_words",
]

_GB = 1_000_000_000
_S_PER_H = 3600.0
_SEED = 7
"""Of a deterministic run that names none."""


@dataclass(frozen=True, slots=True)
class DraftField:
    """One field to write in, and what it is for."""

    key: str
    label: str
    about: str
    max_length: int = 12


class DraftProblem(ValueError):
    """What is missing or cannot be used, in words.

    Attributes:
        field: Key of the field that it stands in; None for one of the lists.
    """

    def __init__(self, words: str, field: str | None = None) -> None:
        super().__init__(words)
        self.field = field


class Switch(StrEnum):
    """What is on or off."""

    DETERMINISTIC = "deterministic"
    """Temperature 0 whatever the field says, and the certificate first."""
    COLD_START = "cold_start"
    BLOCKED = "blocked"

    @property
    def key(self) -> str:
        """The letter that turns it."""
        return {Switch.DETERMINISTIC: "d", Switch.COLD_START: "c", Switch.BLOCKED: "m"}[self]

    @property
    def label(self) -> str:
        """What it means."""
        return {
            Switch.DETERMINISTIC: "deterministic (T 0)",
            Switch.COLD_START: "cold start",
            Switch.BLOCKED: "model by model",
        }[self]


FIELDS = (
    (
        DraftField("rounds", "Rounds", "each model is asked each prompt so many times"),
        DraftField("warmup", "Warm-up", "requests to each model before its first timed one"),
        DraftField("max_tokens", "Max tokens", "the longest answer"),
        DraftField("temperature", "Temperature", "0 to 2; nothing leaves it to the engine"),
    ),
    (
        DraftField("seed", "Seed", "sent with each request, and draws the order; nothing sends none"),
        DraftField("concurrency", "At once", "requests under way at the same time, 1 to 64"),
        DraftField(
            "precision", "Within ± %", "goes on with rounds until each median latency is known that well"
        ),
        DraftField("max_rounds", "Most rounds", "where it goes on until the medians are known well enough"),
    ),
    (
        DraftField("max_hours", "Max hours", "no request is begun later; the rest can be resumed"),
        DraftField("free_gb", "Min GB free", "ends with less left on the disk; the rest can be resumed"),
        DraftField("max_celsius", "Max °C", "waits while the machine is hotter, and ends if it stays so"),
        DraftField("name", "Name", "what the run is called in lists and reports", max_length=60),
    ),
)
"""Row by row."""

_DEFAULTS = {
    "rounds": "3",
    "warmup": "1",
    "max_tokens": "120",
    "temperature": "0.2",
    "seed": "",
    "concurrency": "1",
    "precision": "",
    "max_rounds": "50",
    "max_hours": "",
    "free_gb": "",
    "max_celsius": "",
    "name": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchDraft:
    """What stands on the page.

    Attributes:
        models: Exact variants, in the order in which they are asked.
        prompts: Those that are taken; empty before they were read.
        prompt_set: Name of the ready set that they are of; empty for prompts.json.
        prompt_ids: Theirs, or those that were taken the last time; empty takes all.
        fields: Key and text of each field.
        switches: Those that are on.
        goodput: Name of the limits by which answers are judged; None judges none.
    """

    models: tuple[str, ...] = ()
    prompts: tuple[PlannedPrompt, ...] = ()
    prompt_ids: tuple[str, ...] = ()
    prompt_set: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    switches: frozenset[Switch] = frozenset()
    goodput: str | None = None

    def texts(self) -> Mapping[str, str]:
        """The text of every field."""
        return _DEFAULTS | dict(self.fields)

    def plan(self) -> BenchPlan:
        """The plan that it makes.

        Raises:
            DraftProblem: Something is missing or cannot be used, in words that name the field.
        """
        if not self.models:
            raise DraftProblem("Take at least one model: Space takes the one under the cursor.")
        if not self.prompts:
            raise DraftProblem("Take at least one prompt: Space takes the one under the cursor.")
        is_deterministic, seed = Switch.DETERMINISTIC in self.switches, self._maybe_whole("seed")
        return BenchPlan(
            models=self.models,
            prompts=self.prompts,
            name=clean_line(self._text("name"), 60),
            rounds=self._whole("rounds", 1, 10_000),
            warmup=self._whole("warmup", 0, 1_000),
            max_tokens=self._whole("max_tokens", 1, 1_000_000),
            temperature=0.0 if is_deterministic else self._number("temperature", 0, 2),
            seed=_SEED if is_deterministic and seed is None else seed,
            concurrency=self._whole("concurrency", 1, 64),
            order=Order.BLOCKED if Switch.BLOCKED in self.switches else Order.INTERLEAVED,
            is_deterministic=is_deterministic,
            has_cold_start=Switch.COLD_START in self.switches,
            precision=self._rule(),
            limits=self._limits(),
            goodput=_goodput(self.goodput),
        )

    def _limits(self) -> RunLimits:
        hours, free_gb = self._number("max_hours", 0.01, 10_000), self._number("free_gb", 0, 1_000_000)
        return RunLimits(
            max_s=None if hours is None else hours * _S_PER_H,
            min_free_disk_bytes=None if free_gb is None else round(free_gb * _GB),
            max_temperature_c=self._number("max_celsius", 20, 150),
        )

    def _rule(self) -> PrecisionRule | None:
        share = self._number("precision", 0.1, 99)
        if share is None:
            return None
        return PrecisionRule(half_width_share=share / 100, max_rounds=self._whole("max_rounds", 1, 10_000))

    def _text(self, key: str) -> str:
        return self.texts()[key].strip()

    def _maybe_whole(self, key: str) -> int | None:
        text = self._text(key)
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise DraftProblem(f"{_label(key)}: a whole number, or nothing, please.", key) from None

    def _whole(self, key: str, low: int, high: int) -> int:
        try:
            value = int(self._text(key))
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise DraftProblem(f"{_label(key)}: a whole number from {low} to {high:,}, please.", key)
        return value

    def _number(self, key: str, low: float, high: float) -> float | None:
        text = self._text(key)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            words = f"{_label(key)}: a number from {low:g} to {high:,g}, or nothing, please."
            raise DraftProblem(words, key)
        return value


def size_words(plan: BenchPlan) -> str:
    """How many requests a plan is, and how that comes about."""
    models, prompts = len(plan.models), len(plan.prompts)
    timed = models * prompts * plan.rounds
    before = models * _requests_before(plan)
    at_least = "at least " if plan.precision is not None else ""
    product = f"{plural(models, 'model')} × {plural(prompts, 'prompt')} × {plural(plan.rounds, 'round')}"
    return f"{at_least}{timed:,} timed = {product} · {before:,} before"


def goodput_words(name: str | None) -> str:
    """By which limits answers are judged as fast enough."""
    limits = _goodput(name)
    if limits is None:
        return "goodput: not judged"
    return f"goodput: {limit_words(limits)}"


def next_goodput(name: str | None) -> str | None:
    """The next of the named limits; behind the last one there are none."""
    names = [None, *LIMITS]
    return names[(names.index(name) + 1) % len(names)] if name in names else None


def _goodput(name: str | None) -> GoodputLimits | None:
    return None if name is None else LIMITS.get(name)


def _requests_before(plan: BenchPlan) -> int:
    """Of each model, before its first timed one."""
    return len(before_timing(plan, salt="")) + len(warm_up(plan))


def _label(key: str) -> str:
    return next(field.label for row in FIELDS for field in row if field.key == key)
