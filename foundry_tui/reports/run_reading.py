"""Runs that somebody hands us as JSON: our own results, and what the workshop's scripts write."""

import hashlib
from dataclasses import dataclass
from typing import TypedDict

from foundry_tui.domain.bench import (
    BenchPlan,
    GoodputLimits,
    MemoryRescue,
    ModelRun,
    Order,
    Phase,
    PlannedPrompt,
    PrecisionRule,
    RequestRun,
    ResourceReading,
    Run,
    RunLimits,
    RunStatus,
)
from foundry_tui.domain.chat import ChunkKind, Outcome, PhaseTimeouts
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.json_reading import JsonNode, parse_json
from foundry_tui.reports.prediction_json import prediction_node
from foundry_tui.reports.prompt_json import prompt_of
from foundry_tui.reports.reruns import reruns_of
from foundry_tui.reports.results import RESULTS_SCHEMA
from foundry_tui.reports.run_costs_reading import conditions_of, levels_of
from foundry_tui.reports.trace_json import chunks_of, trace_of

__all__ = ["IMPORT_LIMIT_BYTES", "ImportedRun", "read_run"]

IMPORT_LIMIT_BYTES = 256_000_000

_REMEDY = "pick a file that `foundry-tui bench --json` or `runs export` has written, or the workshop's JSON"
_WORKSHOP_NAMES = ("alias", "model")


class _Later(TypedDict, total=False):
    has_probes: bool
    stops_repetition: bool
    rescue: MemoryRescue
    limits: RunLimits
    goodput: GoodputLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRun:
    """A run that was read; ``notes`` say what could not be."""

    run: Run
    requests: tuple[RequestRun, ...]
    resources: tuple[ResourceReading, ...] = ()
    notes: tuple[str, ...] = ()


def read_run(text: str, name: str, *, now_unix_ms: int) -> ImportedRun:
    """The run that ``text`` is.

    Args:
        text: Results of ours, maybe of a later version, whose new fields are ignored; or the workshop's list.
        name: Of the file, for the error.
        now_unix_ms: When a run began that does not say so.

    Raises:
        BadInput: It is neither; the message has the place and what was expected there.
    """
    root = parse_json(text, name)
    if isinstance(root.value, list):
        return _workshop(root, text, now_unix_ms)
    root.field("schema").check_schema(RESULTS_SCHEMA, remedy=_REMEDY, remedy_of_version=_REMEDY)
    run = _run(root.field("run"))
    requests = tuple(_request(node) for node in root.field("requests").items())
    seen: set[int] = set()
    for request, node in zip(requests, root.field("requests").items(), strict=True):
        if request.number in seen:
            raise node.field("number").problem("a number that no other request has")
        seen.add(request.number)
    return ImportedRun(run=run, requests=requests, resources=_resources(root))


def _resources(root: JsonNode) -> tuple[ResourceReading, ...]:
    """What was read of the machine; nothing in a file of a version that did not keep it."""
    if not isinstance(root.value, dict) or "resources" not in root.value:
        return ()
    node = root.field("resources")
    at_ns = node.field("at_ns").wholes()
    rss_bytes = node.field("rss_bytes").wholes_or_none()
    vram_bytes = node.field("vram_bytes").wholes_or_none()
    cpu_share = [share.number_or_none(low=0, high=1e6) for share in node.field("cpu_share").items()]
    available_bytes = node.field("available_bytes").wholes_or_none()
    node.check_as_many(
        "at_ns",
        {
            "rss_bytes": rss_bytes,
            "vram_bytes": vram_bytes,
            "cpu_share": cpu_share,
            "available_bytes": available_bytes,
        },
    )
    columns = zip(at_ns, rss_bytes, vram_bytes, cpu_share, available_bytes, strict=True)
    return tuple(
        ResourceReading(
            at_ns=stamp, rss_bytes=rss, vram_bytes=vram, cpu_share=share, available_bytes=available
        )
        for stamp, rss, vram, share, available in columns
    )


def _run(node: JsonNode) -> Run:
    plan = node.field("plan")
    try:
        made = BenchPlan(
            models=tuple(model.text() for model in plan.field("models").items()),
            prompts=tuple(prompt_of(entry) for entry in plan.field("prompt_set").items()),
            name=node.field("name").text_or_none() or "",
            rounds=plan.field("rounds").whole(low=1),
            warmup=plan.field("warmup").whole(),
            max_tokens=plan.field("max_tokens").whole(low=1),
            temperature=plan.field("temperature").number_or_none(low=0, high=2),
            seed=plan.field("seed").whole_or_none(low=None),
            concurrency=plan.field("concurrency").whole(low=1, high=64),
            order=plan.field("order").choice(tuple(Order)),
            is_deterministic=_truth(plan.field("deterministic")),
            has_cold_start=_truth(plan.field("cold_start")),
            unloads=_truth(plan.field("unloads")),
            precision=_precision(plan.field("precision")),
            **_later(plan),
            timeouts=_timeouts(plan.field("timeouts")),
        )
    except ValueError as error:
        raise plan.problem(f"a plan ({error})") from error
    ended = node.field("ended_unix_ms")
    path = node.field("clock").field("path").text()
    return Run(
        id=node.field("id").identifier(),
        name=made.name,
        plan=made,
        status=node.field("status").choice((RunStatus.COMPLETED, RunStatus.INTERRUPTED, RunStatus.FAILED)),
        started_unix_ms=node.field("started_unix_ms").unix_ms(),
        ended_unix_ms=None if ended.is_null else ended.unix_ms(),
        environment=_pairs(node.field("environment")),
        path="managed" if path == "managed" else "endpoint",
        models=tuple(_model(model) for model in node.field("models").items()),
        tags=tuple(dict.fromkeys(tag.text() for tag in node.field("tags").items())),
        note=node.field("note").text(),
        reason=node.field("reason").text_or_none() if _has(node, "reason") else None,
        reruns=reruns_of(node),
    )


def _model(node: JsonNode) -> ModelRun:
    outcome = node.field("outcome")
    return ModelRun(
        model=node.field("model").text(),
        model_id=node.field("model_id").text_or_none(),
        outcome=None if outcome.is_null else outcome.choice(tuple(Outcome)),
        reason=node.field("reason").text_or_none(),
        load_ns=node.field("load_ns").whole_or_none(),
        rss_before_bytes=node.field("rss_before_bytes").whole_or_none(),
        rss_loaded_bytes=node.field("rss_loaded_bytes").whole_or_none(),
        rss_after_bytes=node.field("rss_after_bytes").whole_or_none(),
        facts=_pairs(node.field("facts")),
        warnings=tuple(warning.text() for warning in node.field("warnings").items()),
        **levels_of(node),
        prediction=prediction_node(node),
    )


def _request(node: JsonNode) -> RequestRun:
    return RequestRun(
        number=node.field("number").whole(low=1),
        model=node.field("model").text(),
        model_id=node.field("model_id").text(),
        prompt_id=node.field("prompt_id").text(),
        round=node.field("round").whole(low=1),
        phase=node.field("phase").choice(tuple(Phase)),
        at_unix_ms=node.field("at_unix_ms").unix_ms(),
        trace=_trace(node),
        peak_rss_bytes=node.field("peak_rss_bytes").whole_or_none(),
        peak_vram_bytes=node.field("peak_vram_bytes").whole_or_none(),
        energy_j=node.field("energy_j").number_or_none(low=0, high=1e15),
        conditions=conditions_of(node),
        attempt=node.field("attempt").whole(low=1) if _has(node, "attempt") else 1,
    )


def _trace(node: JsonNode) -> GenerationTrace:
    apart = node.field("chunk_text")
    if not apart.is_null:
        return trace_of(node, chunks_of(node, [entry.text() for entry in apart.items()]))
    wholes = {
        ChunkKind.CONTENT: node.field("text").text(),
        ChunkKind.REASONING: node.field("reasoning").text(),
        ChunkKind.TOOL: node.field("tool_text").text(),
    }
    return trace_of(node, chunks_of(node, wholes))


def _workshop(root: JsonNode, text: str, now_unix_ms: int) -> ImportedRun:
    """Averages without readings: the models with what was written of them, and no request."""
    entries = root.items()
    if not entries:
        raise root.problem("the results of at least one model", remedy=_REMEDY)
    models: dict[str, ModelRun] = {}
    for node in entries:
        model = _workshop_model(node)
        if model.model in models:
            raise node.problem("each model once", "one again")
        models[model.model] = model
    rounds = [value for node in entries if (value := _workshop_rounds(node)) is not None]
    run = Run(
        # The same file is the same run, and is not kept twice.
        id=hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:32],
        name="workshop results",
        plan=BenchPlan(
            models=tuple(models),
            prompts=(PlannedPrompt(id="p1", text="(not told)"),),
            rounds=max(rounds, default=1),
            warmup=0,
            temperature=None,
        ),
        status=RunStatus.COMPLETED,
        started_unix_ms=now_unix_ms,
        ended_unix_ms=now_unix_ms,
        environment=(("imported", "workshop JSON"),),
        path="endpoint",
        models=tuple(models.values()),
        note="Imported from the workshop's JSON: averages without readings, whose tokens/s count the prompt.",
    )
    note = "it has averages and no readings: they are kept as facts of each model, and enter no statistic"
    return ImportedRun(run=run, requests=(), notes=(note,))


def _workshop_model(node: JsonNode) -> ModelRun:
    if not isinstance(node.value, dict):
        raise node.problem("an object", remedy=_REMEDY)
    key = next((key for key in _WORKSHOP_NAMES if key in node.value), None)
    if key is None:
        raise node.problem("the key alias or model", "neither", remedy=_REMEDY)
    facts = [
        (f"workshop_{name}", str(value))
        for name, value in node.value.items()
        if name not in _WORKSHOP_NAMES
        and isinstance(value, str | int | float)
        and not isinstance(value, bool)
    ]
    if not node.field(key).text().strip():
        raise node.field(key).problem("the name of a model", "nothing")
    model_id = node.value.get("model_id")
    error = node.value.get("error")
    return ModelRun(
        model=node.field(key).text(),
        model_id=model_id if isinstance(model_id, str) else None,
        outcome=Outcome.COMPLETED if error is None else Outcome.SKIPPED,
        reason=error if isinstance(error, str) else None,
        facts=tuple(facts),
    )


def _workshop_rounds(node: JsonNode) -> int | None:
    entry = node.value if isinstance(node.value, dict) else {}
    value = entry.get("rounds", entry.get("configured_rounds"))
    return (
        value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1_000_000 else None
    )


def _precision(node: JsonNode) -> PrecisionRule | None:
    if node.is_null:
        return None
    return PrecisionRule(
        half_width_share=_number(node.field("half_width_share")),
        max_rounds=node.field("max_rounds").whole(low=1),
        max_s=_number(node.field("max_s")),
    )


def _later(plan: JsonNode) -> _Later:
    """What plans have had since the first version; in a file of an older one it has its default."""
    later = _Later()
    if _has(plan, "stops_repetition") and not (stops := plan.field("stops_repetition")).is_null:
        later["stops_repetition"] = _truth(stops)
    if _has(plan, "probes"):
        later["has_probes"] = _truth(plan.field("probes"))
    if _has(plan, "out_of_memory"):
        later["rescue"] = plan.field("out_of_memory").choice(tuple(MemoryRescue))
    if _has(plan, "limits"):
        limits = plan.field("limits")
        later["limits"] = RunLimits(
            max_s=limits.field("max_s").number_or_none(low=0, high=1e12),
            min_free_disk_bytes=limits.field("min_free_disk_bytes").whole_or_none(),
            max_temperature_c=limits.field("max_temperature_c").number_or_none(low=20, high=150),
        )
    if _has(plan, "goodput") and not (goodput := plan.field("goodput")).is_null:
        later["goodput"] = GoodputLimits(
            name=goodput.field("name").text(),
            ttft_s=goodput.field("ttft_s").number_or_none(low=0, high=1e12),
            per_token_s=goodput.field("per_token_s").number_or_none(low=0, high=1e12),
        )
    return later


def _has(node: JsonNode, key: str) -> bool:
    return isinstance(node.value, dict) and key in node.value


def _timeouts(node: JsonNode) -> PhaseTimeouts:
    return PhaseTimeouts(
        connect_s=_number(node.field("connect_s")),
        headers_s=_number(node.field("headers_s")),
        first_token_s=_number(node.field("first_token_s")),
        between_s=_number(node.field("between_s")),
        total_s=_number(node.field("total_s")),
    )


def _number(node: JsonNode) -> float:
    value = node.number_or_none(low=0, high=1e12)
    if value is None:
        raise node.problem("a number")
    return value


def _truth(node: JsonNode) -> bool:
    if not isinstance(node.value, bool):
        raise node.problem("true or false")
    return node.value


def _pairs(node: JsonNode) -> tuple[tuple[str, str], ...]:
    if not isinstance(node.value, dict):
        raise node.problem("an object")
    return tuple((name, node.field(name).text()) for name in node.value)
