"""A benchmark: what is planned, what was read, how it ended.  Statistics of it live in ``metrics``."""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from foundry_tui.domain.bench_conditions import RequestConditions
from foundry_tui.domain.bench_reruns import Rerun
from foundry_tui.domain.chat import Outcome, PhaseTimeouts
from foundry_tui.domain.checks import Check
from foundry_tui.domain.predictions import ModelPrediction
from foundry_tui.domain.trace import GenerationTrace

__all__ = [
    "BenchPlan",
    "GoodputLimits",
    "MemoryRescue",
    "ModelRun",
    "Order",
    "Phase",
    "PlannedPrompt",
    "PrecisionRule",
    "RequestRun",
    "ResourceReading",
    "Run",
    "RunLimits",
    "RunStatus",
    "RunSummary",
]


class Phase(StrEnum):
    """What a request is for; only timed ones enter a summary."""

    PROBE = "probe"
    """Does the model answer coherently at all?"""
    CALIBRATION = "calibration"
    """Two lengths of prompt: does the role chunk wait for prefill?"""
    CERTIFICATE = "certificate"
    """The same request again: is the answer the same, and does temperature change it?"""
    WARMUP = "warmup"
    TIMED = "timed"


class Order(StrEnum):
    """In which order the timed requests are made."""

    INTERLEAVED = "interleaved"
    """Every model once for each prompt and round, in an order drawn from the seed: drift favours none."""
    BLOCKED = "blocked"
    """Model by model, where only one fits into memory."""


class MemoryRescue(StrEnum):
    """What may be unloaded for a model that ran out of memory, before it is tried once more."""

    NONE = "none"
    OWN = "own"
    """Models that were loaded for the run; from there on they are measured one after the other."""
    ALL = "all"
    """Whatever else is in memory, too; it is not loaded again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPrompt:
    """One prompt of the plan, sent exactly as it is.

    Attributes:
        id: Its name in the results; once in a plan.
        system: Sent before it as the system message; None for none.
        aspects: What a good answer mentions or keeps to; for whoever judges it, never sent with it.
        checks: What a program looks for in an answer; likewise.
    """

    id: str
    text: str
    system: str | None = None
    aspects: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        if not self.id.strip() or not self.text.strip():
            raise ValueError("a prompt needs an id and a text")

    @property
    def asked(self) -> tuple[str, str, str | None]:
        """Its id and what is sent: two prompts alike in these are asked alike, however they are judged."""
        return self.id, self.text, self.system


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionRule:
    """Go on with further rounds until the median latency of each model is known well enough.

    Attributes:
        half_width_share: Half the width of its 95 % interval, as a share of the median.
        max_rounds: Not more than so many in all.
        max_s: Nor beginning a round after so many seconds.
    """

    half_width_share: float = 0.05
    max_rounds: int = 50
    max_s: float = 3600.0

    def __post_init__(self) -> None:
        if not 0 < self.half_width_share < 1 or self.max_rounds < 1 or not self.max_s > 0:
            raise ValueError("a precision rule needs a share between 0 and 1, rounds and seconds above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """What ends a run early, so that it can be resumed; None sets no limit.

    Attributes:
        max_s: No request is begun later than this after the run began, or was resumed.
        min_free_disk_bytes: No request is begun with less left on the disk that keeps the runs.
        max_temperature_c: Hotter than this nothing is asked until it has cooled down by some degrees; a
            machine that does not cool down ends the run.
    """

    max_s: float | None = None
    min_free_disk_bytes: int | None = None
    max_temperature_c: float | None = None

    def __post_init__(self) -> None:
        if self.max_s is not None and not 0 < self.max_s < float("inf"):
            raise ValueError("a limit of time is a number of seconds above 0")
        if self.min_free_disk_bytes is not None and self.min_free_disk_bytes < 0:
            raise ValueError("a limit of the disk is a number of bytes from 0 on")
        if self.max_temperature_c is not None and not 20 <= self.max_temperature_c <= 150:
            raise ValueError("a limit of temperature lies between 20 and 150 °C")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodputLimits:
    """What an answer has to keep to; None sets no limit.

    Attributes:
        name: As it is given on the command line.
        ttft_s: The longest wait for the first token.
        per_token_s: The longest mean time for each further token: 1/decode rate.
    """

    name: str
    ttft_s: float | None
    per_token_s: float | None

    def __post_init__(self) -> None:
        if any(limit is not None and not 0 < limit < float("inf") for limit in self._given):
            raise ValueError("a limit of goodput is a number of seconds above 0")

    @property
    def _given(self) -> tuple[float | None, ...]:
        return (self.ttft_s, self.per_token_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """What is to be measured.

    Attributes:
        models: Aliases or exact variants, as the user named them; each once.
        rounds: Timed requests for each model and prompt; the least where ``precision`` adds further ones.
        warmup: Requests to each model before its first timed one.
        max_tokens: The longest answer, in tokens.
        temperature: None leaves it to the engine.
        seed: Sent with each request, and draws the order; None sends none.
        concurrency: Requests under way at once.
        is_deterministic: Whether the determinism certificate is made before timing.
        has_probes: Whether each model is asked for coherence and for prefill before its timed requests; a
            single question that a person waits for does without.
        has_cold_start: Whether each model is unloaded and loaded anew for a first request, timed apart.
        unloads: Whether a model is unloaded when its last request is done and it was not loaded before.
        stops_repetition: Whether an answer that goes round in circles is stopped; None: where the runtime is
            our own, for somebody else's server may be asked for just that.
        rescue: What may be unloaded for a model that ran out of memory.
        goodput: By which answers are judged as fast enough; None judges none.
    """

    models: tuple[str, ...]
    prompts: tuple[PlannedPrompt, ...]
    name: str = ""
    rounds: int = 3
    warmup: int = 1
    max_tokens: int = 120
    temperature: float | None = 0.2
    seed: int | None = None
    concurrency: int = 1
    order: Order = Order.INTERLEAVED
    is_deterministic: bool = False
    has_probes: bool = True
    has_cold_start: bool = False
    unloads: bool = True
    precision: PrecisionRule | None = None
    stops_repetition: bool | None = None
    rescue: MemoryRescue = MemoryRescue.OWN
    limits: RunLimits = field(default_factory=RunLimits)
    goodput: GoodputLimits | None = None
    timeouts: PhaseTimeouts = field(default_factory=PhaseTimeouts)

    def __post_init__(self) -> None:
        if not self.models or len(set(self.models)) < len(self.models):
            raise ValueError("a plan needs models, each once")
        if not self.prompts or len({prompt.id for prompt in self.prompts}) < len(self.prompts):
            raise ValueError("a plan needs prompts, each id once")
        if self.rounds < 1 or self.warmup < 0 or self.max_tokens < 1 or not 1 <= self.concurrency <= 64:
            raise ValueError("a plan needs rounds, tokens and a concurrency from 1 to 64")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise ValueError("temperature must lie between 0 and 2")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRun:
    """One request that was made, or that could not be.

    Attributes:
        number: From 1 on, in the order in which they were begun; once in a run.
        model: The name in the plan.
        model_id: The exact variant that was asked.
        round: From 1 on within its phase.
        at_unix_ms: When it was begun; the readings themselves are of a monotonic clock.
        peak_rss_bytes: Of the engine's own process over the request; None where it could not be read.
        peak_vram_bytes: Likewise of its GPU memory.
        energy_j: Net of the idle power, of all scopes that are read; None without a counter or a power.
        conditions: What was read of the machine meanwhile; None where nothing was.
        attempt: 1 as the run was made, more where marked rounds of it were measured again: ``Rerun.attempt``.
            Several attempts of a round are all kept; ``metrics.attempts.standing`` says which one counts.
    """

    number: int
    model: str
    model_id: str
    prompt_id: str
    round: int
    phase: Phase
    at_unix_ms: int
    trace: GenerationTrace
    peak_rss_bytes: int | None = None
    peak_vram_bytes: int | None = None
    energy_j: float | None = None
    conditions: RequestConditions | None = None
    attempt: int = 1

    def __post_init__(self) -> None:
        if self.attempt < 1:
            raise ValueError("attempts are counted from 1 on")

    @property
    def text_sha256(self) -> str:
        """SHA-256 of the visible answer in UTF-8, in hexadecimal."""
        return hashlib.sha256(self.trace.text.encode("utf-8", errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceReading:
    """One look at the engine's process and at the memory of the machine while a run was under way.

    Those of a run come in the order in which they were written.  Of a run that was resumed the later ones are
    of another life, maybe after another start of the machine, so of another clock: it may step back there.

    Attributes:
        at_ns: When, on the clock of the readings of requests: the same machine's, of the same start.
        rss_bytes: Resident memory of the engine's process; None where it could not be read.
        vram_bytes: Its GPU memory, likewise.
        cpu_share: Busy share of one core since the reading before, 1.0 is one core; None for the first one.
        available_bytes: What the machine, or our share of it, can give to new work without swapping.
    """

    at_ns: int
    rss_bytes: int | None = None
    vram_bytes: int | None = None
    cpu_share: float | None = None
    available_bytes: int | None = None

    def __post_init__(self) -> None:
        whole = (self.at_ns, self.rss_bytes, self.vram_bytes, self.available_bytes)
        if any(value is not None and value < 0 for value in whole):
            raise ValueError("a reading is of nothing that is less than none")
        if self.cpu_share is not None and not 0 <= self.cpu_share < float("inf"):
            raise ValueError("a share of a core is a number from 0 on")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRun:
    """What became of one model of the plan.

    Attributes:
        model: The name in the plan.
        model_id: The exact variant; None if the name fits none.
        outcome: COMPLETED once all its requests were made, however each of them ended; else why the rest was
            left out.  None while it is not decided.
        reason: That in words.
        load_ns: Wall time of the load call; None if it was loaded already, or did not load.
        rss_before_bytes: Resident memory of the engine's process before the load; the two others likewise.
        uss_before_bytes: Memory that only that process has, likewise; None where it was not read.
        vram_before_bytes: Its GPU memory, likewise.
        facts: What identifies what was measured, such as device, execution provider and size, as name and
            value; the same facts are compared between runs.
        warnings: Such as a probe that failed, in words.
        prediction: What was expected of it before the run began; None where nothing was.
    """

    model: str
    model_id: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    load_ns: int | None = None
    rss_before_bytes: int | None = None
    rss_loaded_bytes: int | None = None
    rss_after_bytes: int | None = None
    uss_before_bytes: int | None = None
    uss_loaded_bytes: int | None = None
    uss_after_bytes: int | None = None
    vram_before_bytes: int | None = None
    vram_loaded_bytes: int | None = None
    vram_after_bytes: int | None = None
    facts: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    prediction: ModelPrediction | None = None

    def is_called(self, name: str) -> bool:
        """Whether that means it: its name in the plan, the exact variant, that of any version, its alias."""
        is_variant = self.model_id is not None and self.variant == name
        return name in (self.model, self.model_id) or is_variant or ("alias", name) in self.facts

    @property
    def variant(self) -> str:
        """The exact variant, else its name in the plan; without the version, a number behind a colon."""
        whole = self.model_id or self.model
        variant, _, version = whole.rpartition(":")
        return variant if variant and version.isdecimal() else whole

    @property
    def version(self) -> str | None:
        """The number behind the colon; None where there is none, as with ``llama3:8b``."""
        whole = self.model_id or self.model
        return whole[len(self.variant) + 1 :] or None


class RunStatus(StrEnum):
    """How a run ended."""

    RUNNING = "running"
    """Not ended yet, or its process died: whoever finds it without one calls it interrupted."""
    COMPLETED = "completed"
    """All was done that could be, even if models failed."""
    INTERRUPTED = "interrupted"
    """Stopped by the user or a crash; it can be resumed."""
    FAILED = "failed"
    """The engine could not be used at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as a whole; its requests are read apart from it.

    Attributes:
        id: Random, in hexadecimal; its beginning is enough to name it.
        environment: Versions, machine, engine, power and so on, as name and value, as far as they are known.
        path: ``managed`` or ``endpoint``: how the requests reached the model.
        reason: Why it was interrupted or failed, in words; None if it was not, or its process died.
        reruns: Each time that marked rounds of it were measured again, the last one maybe not to its end.
    """

    id: str
    name: str
    plan: BenchPlan
    status: RunStatus
    started_unix_ms: int
    ended_unix_ms: int | None = None
    environment: tuple[tuple[str, str], ...] = ()
    path: str = "managed"
    models: tuple[ModelRun, ...] = ()
    tags: tuple[str, ...] = ()
    note: str = ""
    reason: str | None = None
    reruns: tuple[Rerun, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One line of the list of runs.

    Attributes:
        models: Names in the plan.
        requests: How many were made, of all phases.
        planned: How many timed ones the plan asks for: models × prompts × rounds.
    """

    id: str
    name: str
    status: RunStatus
    started_unix_ms: int
    ended_unix_ms: int | None
    models: tuple[str, ...]
    requests: int
    planned: int
    tags: tuple[str, ...] = ()
