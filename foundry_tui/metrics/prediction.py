"""How fast a model will decode on this machine, judged by what was measured on it; never by anything else.

Decoding waits for memory: each token reads the weights once, so that rate × size of the weights is how many
bytes a second one execution provider reads on one machine, whichever model it runs.  That is a model with
faults: a mixture of experts reads less than its files hold, small weights fit into caches, and quantizations
differ in what unpacking costs.  How wrong it was before is part of what is told.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, TypeAlias

from foundry_tui.domain.bench import ModelRun, RequestRun
from foundry_tui.domain.predictions import ModelPrediction, NoSpeed, SpeedBasis, SpeedPrediction
from foundry_tui.metrics.acceleration import Worked, acceleration
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.measures import Measure, is_counted, read

__all__ = [
    "LEAST_WEIGHTS_BYTES",
    "MeasuredSpeed",
    "Processor",
    "SpeedError",
    "SpeedQuery",
    "error_share",
    "measured_load_bytes",
    "measured_speed",
    "predicted_speed",
    "processor_of",
    "speed_error",
]

LEAST_WEIGHTS_BYTES: Final = 32 * 1_048_576
"""Smaller weights lie in the processor's caches: decoding them waits for something else."""
CHECKED_PREDICTIONS: Final = 10
"""So many of the last predictions of a kind say how good the next one is."""
_NEWEST_RUNS: Final = 5
_CPU = "cpu"
_CPU_PROVIDER = "cpuexecutionprovider"

Processor: TypeAlias = tuple[str | None, str | None]
"""Device and execution provider, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedQuery:
    """The model whose decode rate is asked for.

    Attributes:
        processor: What it will run on; None if nobody tells.
        weights_bytes: Of its files; None if not known.
        provider_name: For people to read.
        runtime: The version that will run it.
    """

    model_id: str
    processor: Processor | None
    provider_name: str
    weights_bytes: int | None
    runtime: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredSpeed:
    """What one run measured of one model, asked one request at a time.

    Attributes:
        rates: Decode rates in tokens a second, of the counted answers that have one; at least one.
        is_estimate: Whether a count in them was estimated.
        worked: Whether the device that the variant is built for has.
        prediction: What was expected of it then; None where nothing was.
    """

    run_id: str
    at_unix_ms: int
    model_id: str
    processor: Processor | None
    weights_bytes: int | None
    runtime: str | None
    rates: tuple[float, ...]
    is_estimate: bool
    worked: Worked
    prediction: ModelPrediction | None

    @property
    def rate(self) -> float:
        """Median."""
        return median(self.rates)


@dataclass(frozen=True, slots=True)
class SpeedError:
    """How far earlier predictions of one kind were from what was measured then.

    Attributes:
        checked: How many could be compared, at most ten.
        median_share: Median of ``|predicted - measured| / measured``; None where there are none.
    """

    checked: int = 0
    median_share: float | None = None


def processor_of(device: str | None, provider: str | None) -> Processor | None:
    """What runs a model, so that two are the same only where nobody says otherwise; None if nobody tells.

    The processor's own provider and the device ``cpu`` stand for each other where one of them is told.
    """
    known_device = device.strip().lower() if device else ""
    known_provider = provider.strip().lower() if provider else ""
    if not known_device and not known_provider:
        return None
    if known_provider == _CPU_PROVIDER and not known_device:
        known_device = _CPU
    if known_device == _CPU and not known_provider:
        known_provider = _CPU_PROVIDER
    return known_device or None, known_provider or None


def measured_speed(
    model: ModelRun,
    requests: Sequence[RequestRun],
    *,
    run_id: str,
    at_unix_ms: int,
    runtime: str | None,
) -> MeasuredSpeed | None:
    """What the requests of one model of a run tell; None without a decode rate, or without its variant.

    Args:
        model: What became of it there.
        requests: Its own, of whatever phase.
        run_id: Which run.
        at_unix_ms: When that was begun.
        runtime: The version that ran it.
    """
    counted = [request for request in standing(requests) if is_counted(request)]
    readings = [read(request.trace, Measure.DECODE_RATE) for request in counted]
    known = [reading for reading in readings if reading is not None and reading.value > 0]
    if model.model_id is None or not known:
        return None
    facts = dict(model.facts)
    found = acceleration(model, counted)
    return MeasuredSpeed(
        run_id=run_id,
        at_unix_ms=at_unix_ms,
        model_id=model.model_id,
        processor=processor_of(facts.get("device"), facts.get("execution_provider")),
        weights_bytes=found.weights_bytes,
        runtime=runtime,
        rates=tuple(reading.value for reading in known),
        is_estimate=any(reading.is_estimate for reading in known),
        worked=found.worked,
        prediction=model.prediction,
    )


def predicted_speed(query: SpeedQuery, measured: Sequence[MeasuredSpeed]) -> SpeedPrediction | NoSpeed:
    """The decode rate of a model, by the best basis that there is; or why there is none.

    1. The same variant, of the same size, on the same device and execution provider as far as they are known:
       the median over its newest five runs of their medians, from the least to the greatest of these; of a
       single run its median, from its slowest to its fastest answer, for how far runs differ is not known.
    2. Other models on that device and execution provider: ``bytes/s = rate × weights`` of each, by its newest
       five runs; the median over the models, divided by the weights asked for.  From the least to the
       greatest of them: if models are alike, one more lies within n of them with a chance of (n − 1)/(n + 1).
       Of a single one from its slowest to its fastest answer.

    In both what was measured with the runtime that is here is preferred to what was with others.

    Args:
        query: Which model.
        measured: On this machine, in any order.
    """
    same = [one for one in measured if _is_same_model(one, query)]
    if same:
        return _by_itself(same, query)
    if query.processor is None:
        return NoSpeed.NO_PROVIDER
    if query.weights_bytes is None:
        return NoSpeed.NO_SIZE
    if query.weights_bytes < LEAST_WEIGHTS_BYTES:
        return NoSpeed.TOO_SMALL
    # What ran on the processor says nothing of the GPU for which it was built.
    others = [
        one
        for one in measured
        if one.processor == query.processor
        and one.worked is not Worked.NO
        and one.weights_bytes is not None
        and one.weights_bytes >= LEAST_WEIGHTS_BYTES
    ]
    return _by_bandwidth(others, query, query.weights_bytes) if others else NoSpeed.NOTHING_MEASURED


def speed_error(
    measured: Sequence[MeasuredSpeed], basis: SpeedBasis, processor: Processor | None
) -> SpeedError:
    """How good the last ten predictions on that basis were, for what runs there."""
    checked = sorted(
        (
            (one.at_unix_ms, one.run_id, error_share(one.prediction.speed.tokens_per_s, one.rate))
            for one in measured
            if _may_be(one.processor, processor)
            and one.prediction is not None
            and one.prediction.model_id == one.model_id
            and one.prediction.speed is not None
            and one.prediction.speed.basis is basis
        ),
    )[-CHECKED_PREDICTIONS:]
    shares = [abs(share) for _, _, share in checked]
    return SpeedError(checked=len(shares), median_share=median(shares) if shares else None)


def error_share(predicted: float, measured: float) -> float:
    """``(predicted - measured) / measured``: above 0 where too much was expected; ``measured`` is above 0."""
    return (predicted - measured) / measured


def measured_load_bytes(model: ModelRun, prediction: ModelPrediction) -> int | None:
    """By how much the memory that was predicted has grown over the load; None where that was not read."""
    if prediction.memory is None or prediction.model_id != model.model_id:
        return None
    is_gpu = prediction.memory.kind is not prediction.memory.kind.RAM
    before = model.vram_before_bytes if is_gpu else model.rss_before_bytes
    loaded = model.vram_loaded_bytes if is_gpu else model.rss_loaded_bytes
    return None if before is None or loaded is None else loaded - before


def _is_same_model(one: MeasuredSpeed, query: SpeedQuery) -> bool:
    is_other_size = None not in (one.weights_bytes, query.weights_bytes) and (
        one.weights_bytes != query.weights_bytes
    )
    is_it = one.model_id == query.model_id and _may_be(one.processor, query.processor)
    return is_it and not is_other_size


def _may_be(one: Processor | None, other: Processor | None) -> bool:
    """Whether nothing that is known of both says that they are two: before a load not all of it is."""
    if one is None or other is None:
        return True
    return all(None in pair or pair[0] == pair[1] for pair in zip(one, other, strict=True))


def _by_itself(same: Sequence[MeasuredSpeed], query: SpeedQuery) -> SpeedPrediction:
    preferred, is_same_runtime = _preferred(same, query.runtime)
    newest = preferred[0]
    # A device that failed then and works now is another measurement, and the other way round.
    runs = [one for one in preferred if (one.worked is Worked.NO) is (newest.worked is Worked.NO)]
    runs = runs[:_NEWEST_RUNS]
    low, high = _range(runs)
    return SpeedPrediction(
        tokens_per_s=median(one.rate for one in runs),
        low=low,
        high=high,
        basis=SpeedBasis.SAME_VARIANT,
        models=1,
        runs=len(runs),
        answers=sum(len(one.rates) for one in runs),
        newest_unix_ms=newest.at_unix_ms,
        provider=query.provider_name,
        is_same_runtime=is_same_runtime,
        is_estimate=any(one.is_estimate for one in runs),
        is_fallback=newest.worked is Worked.NO,
    )


def _by_bandwidth(others: Sequence[MeasuredSpeed], query: SpeedQuery, weights: int) -> SpeedPrediction:
    preferred, is_same_runtime = _preferred(others, query.runtime)
    by_model: defaultdict[str, list[MeasuredSpeed]] = defaultdict(list)
    for one in preferred:
        if len(by_model[one.model_id]) < _NEWEST_RUNS:
            # As if this model were it: all its rates times how much smaller or bigger it is.
            share = (one.weights_bytes or 0) / weights
            by_model[one.model_id].append(replace(one, rates=tuple(rate * share for rate in one.rates)))
    rates = [median(one.rate for one in runs) for runs in by_model.values()]
    used = [one for runs in by_model.values() for one in runs]
    low, high = (min(rates), max(rates)) if len(rates) > 1 else _widest(used)
    return SpeedPrediction(
        tokens_per_s=median(rates),
        low=low,
        high=high,
        basis=SpeedBasis.BANDWIDTH,
        models=len(rates),
        runs=len({one.run_id for one in used}),
        answers=sum(len(one.rates) for one in used),
        newest_unix_ms=max(one.at_unix_ms for one in used),
        provider=query.provider_name,
        is_same_runtime=is_same_runtime,
        is_estimate=any(one.is_estimate for one in used),
    )


def _preferred(measured: Sequence[MeasuredSpeed], runtime: str | None) -> tuple[list[MeasuredSpeed], bool]:
    """Those of the same runtime, else all; the newest first."""
    newest_first = sorted(measured, key=lambda one: (one.at_unix_ms, one.run_id), reverse=True)
    same = [one for one in newest_first if one.runtime == runtime]
    return (same, True) if same else (newest_first, False)


def _range(runs: Sequence[MeasuredSpeed]) -> tuple[float, float]:
    if len(runs) > 1:
        rates = [one.rate for one in runs]
        return min(rates), max(rates)
    return _widest(runs)


def _widest(runs: Sequence[MeasuredSpeed]) -> tuple[float, float]:
    rates = [rate for one in runs for rate in one.rates]
    return min(rates), max(rates)
