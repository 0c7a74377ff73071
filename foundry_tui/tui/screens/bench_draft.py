"""A benchmark as it is being filled in: texts on the way to a plan, and what the plan would cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from foundry_tui.domain.bench import BenchPlan, Order, PlannedPrompt, PrecisionRule, RequestRun
from foundry_tui.metrics.measures import is_counted
from foundry_tui.services.bench.probes import calibration, certificate, coherence, warm_up
from foundry_tui.tui.presenters import left_in_words

__all__ = ["FIELDS", "BenchDraft", "DraftField", "Spans", "Switch", "size_words", "spans_of"]

_NS_PER_S = 1_000_000_000
_SEED = 7
"""Of a deterministic run that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftField:
    """One field to write in."""

    key: str
    label: str


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
        DraftField(key="rounds", label="Rounds"),
        DraftField(key="warmup", label="Warm-up"),
        DraftField(key="max_tokens", label="Max tokens"),
        DraftField(key="temperature", label="Temperature"),
    ),
    (
        DraftField(key="seed", label="Seed"),
        DraftField(key="concurrency", label="At once"),
        DraftField(key="precision", label="Until within ± %"),
        DraftField(key="max_rounds", label="Most rounds"),
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
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchDraft:
    """What stands on the page.

    Attributes:
        models: Exact variants, in the order in which they are asked.
        prompts: Those that are taken; empty before they were read.
        prompt_ids: Theirs, or those that were taken the last time; empty takes all.
        fields: Key and text of each field.
        switches: Those that are on.
    """

    models: tuple[str, ...] = ()
    prompts: tuple[PlannedPrompt, ...] = ()
    prompt_ids: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    switches: frozenset[Switch] = frozenset()

    def texts(self) -> Mapping[str, str]:
        """The text of every field."""
        return _DEFAULTS | dict(self.fields)

    def plan(self) -> BenchPlan:
        """The plan that it makes.

        Raises:
            ValueError: Something is missing or cannot be used, in words that name the field.
        """
        if not self.models:
            raise ValueError("Take at least one model: Space takes the one under the cursor.")
        if not self.prompts:
            raise ValueError("Take at least one prompt: Space takes the one under the cursor.")
        is_deterministic, seed = Switch.DETERMINISTIC in self.switches, self._maybe_whole("seed")
        return BenchPlan(
            models=self.models,
            prompts=self.prompts,
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
            raise ValueError(f"{_label(key)}: a whole number, or nothing, please.") from None

    def _whole(self, key: str, low: int, high: int) -> int:
        try:
            value = int(self._text(key))
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise ValueError(f"{_label(key)}: a whole number from {low} to {high:,}, please.")
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
            raise ValueError(f"{_label(key)}: a number from {low:g} to {high:g}, or nothing, please.")
        return value


@dataclass(frozen=True, slots=True)
class Spans:
    """How long a timed request of a model took on the average, in seconds, as far as runs tell."""

    by_model: Mapping[str, float] = field(default_factory=dict[str, float])

    def over(self, older: Mapping[str, float]) -> "Spans":
        """These, and what ``older`` knows of models that are not among them."""
        return Spans({**older, **self.by_model})


def spans_of(requests: Iterable[RequestRun]) -> Mapping[str, float]:
    """The mean time from sent to end of the timed requests, by variant, in seconds."""
    spans: defaultdict[str, list[float]] = defaultdict(list)
    for request in requests:
        trace = request.trace
        if is_counted(request) and trace.sent_ns is not None and trace.end_ns is not None:
            spans[request.model_id].append((trace.end_ns - trace.sent_ns) / _NS_PER_S)
    return {model: sum(own) / len(own) for model, own in spans.items()}


def size_words(draft: BenchDraft, spans: Spans) -> str:
    """About how long it takes by what earlier runs took, and how many requests that is."""
    try:
        plan = draft.plan()
    except ValueError as error:
        return str(error)
    models, prompts = len(plan.models), len(plan.prompts)
    timed = models * prompts * plan.rounds
    before = models * _requests_before(plan)
    at_least = "at least " if plan.precision is not None else ""
    product = f"{_many(models, 'model')} × {_many(prompts, 'prompt')} × {_many(plan.rounds, 'round')}"
    return f"{_time_words(plan, spans, timed)} · {at_least}{timed:,} timed = {product} · {before:,} before"


def _time_words(plan: BenchPlan, spans: Spans, timed: int) -> str:
    known = [spans.by_model[model] for model in plan.models if model in spans.by_model]
    if not known:
        return "Time unknown"
    mean_s = sum(known) / len(known)  # of those that were never measured, as of the others
    each = timed / len(plan.models)
    total_s = sum(spans.by_model.get(model, mean_s) * each for model in plan.models) / plan.concurrency
    return f"About {left_in_words(total_s)}"


def _requests_before(plan: BenchPlan) -> int:
    """Of each model, before its first timed one."""
    probes = [coherence(), *calibration(""), *warm_up(plan)]
    if plan.is_deterministic:
        probes += certificate()
    return len(probes) + plan.has_cold_start


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _label(key: str) -> str:
    return next(field.label for row in FIELDS for field in row if field.key == key)
