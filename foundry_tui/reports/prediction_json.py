"""What was expected of a model, as an object of the results format, and back; unknown is null."""

from typing import TypeAlias

from foundry_tui.domain.loads import MemoryPlace
from foundry_tui.domain.predictions import (
    MemoryPrediction,
    ModelPrediction,
    NoSpeed,
    SpeedBasis,
    SpeedPrediction,
)
from foundry_tui.metrics.prediction import error_share, measured_load_bytes
from foundry_tui.reports.json_reading import JsonNode
from foundry_tui.reports.run_results import ModelResult

__all__ = ["prediction_errors_object", "prediction_node", "prediction_object"]

_Object: TypeAlias = dict[str, object]

_KINDS = {MemoryPlace.RAM: "ram", MemoryPlace.GPU: "gpu"}


def prediction_object(prediction: ModelPrediction | None) -> _Object | None:
    """What is added to a model of a run."""
    if prediction is None:
        return None
    speed, memory = prediction.speed, prediction.memory
    return {
        "model_id": prediction.model_id,
        "made_unix_ms": prediction.made_unix_ms,
        "decode_tokens_per_s": None
        if speed is None
        else {
            "predicted": speed.tokens_per_s,
            "interval": [speed.low, speed.high],
            "basis": speed.basis.value,
            "models": speed.models,
            "runs": speed.runs,
            "answers": speed.answers,
            "newest_unix_ms": speed.newest_unix_ms,
            "provider": speed.provider,
            "same_runtime": speed.is_same_runtime,
            "estimated": speed.is_estimate,
            "fallback": speed.is_fallback,
        },
        "no_decode_rate": None if prediction.no_speed is None else prediction.no_speed.value,
        "earlier_error_share": prediction.speed_error_share,
        "earlier_checked": prediction.checked_speeds,
        "load_memory": None
        if memory is None
        else {
            "kind": _KINDS[memory.kind],
            "predicted_bytes": memory.load_bytes,
            "loads": memory.loads,
            "assumed": memory.is_assumed,
            "earlier_worst_error_share": memory.worst_error_share,
            "earlier_checked": memory.checked_loads,
        },
    }


def prediction_errors_object(result: ModelResult) -> _Object:
    """What is added to the summary of a model: ``(predicted - measured)/measured``."""
    prediction, rates = result.model.prediction, result.summary.decode_tokens_per_s
    speed = load = None
    if prediction is not None and prediction.model_id == result.model.model_id:
        if prediction.speed is not None and rates is not None and rates.median > 0:
            speed = error_share(prediction.speed.tokens_per_s, rates.median)
        taken = measured_load_bytes(result.model, prediction)
        if prediction.memory is not None and taken is not None and taken > 0:
            load = error_share(prediction.memory.load_bytes, taken)
    return {"prediction_error": {"decode_tokens_per_s": speed, "load_memory": load}}


def prediction_node(node: JsonNode) -> ModelPrediction | None:
    """What ``prediction_object`` made of it; None in a file of a version that made no predictions."""
    if not isinstance(node.value, dict) or node.value.get("prediction") is None:
        return None
    own = node.field("prediction")
    speed, memory = own.field("decode_tokens_per_s"), own.field("load_memory")
    why = own.field("no_decode_rate")
    try:
        return ModelPrediction(
            model_id=own.field("model_id").text_or_none(),
            made_unix_ms=own.field("made_unix_ms").unix_ms(),
            speed=None if speed.is_null else _speed(speed),
            no_speed=None if why.is_null else why.choice(tuple(NoSpeed)),
            speed_error_share=own.field("earlier_error_share").number_or_none(low=0, high=1e15),
            checked_speeds=own.field("earlier_checked").whole(),
            memory=None if memory.is_null else _memory(memory),
        )
    except ValueError as error:
        raise own.problem(f"a prediction ({error})") from error


def _speed(node: JsonNode) -> SpeedPrediction:
    low, high = (_number(end) for end in node.field("interval").items())
    return SpeedPrediction(
        tokens_per_s=_number(node.field("predicted")),
        low=low,
        high=high,
        basis=node.field("basis").choice(tuple(SpeedBasis)),
        models=node.field("models").whole(low=1),
        runs=node.field("runs").whole(low=1),
        answers=node.field("answers").whole(low=1),
        newest_unix_ms=node.field("newest_unix_ms").unix_ms(),
        provider=node.field("provider").text(),
        is_same_runtime=_truth(node.field("same_runtime")),
        is_estimate=_truth(node.field("estimated")),
        is_fallback=_truth(node.field("fallback")),
    )


def _memory(node: JsonNode) -> MemoryPrediction:
    kind = node.field("kind")
    by_word = {word: memory for memory, word in _KINDS.items()}
    if (found := by_word.get(kind.text())) is None:
        raise kind.problem('"ram" or "gpu"')
    return MemoryPrediction(
        kind=found,
        load_bytes=node.field("predicted_bytes").whole(),
        loads=node.field("loads").whole(),
        is_assumed=_truth(node.field("assumed")),
        worst_error_share=node.field("earlier_worst_error_share").number_or_none(low=0, high=1e15),
        checked_loads=node.field("earlier_checked").whole(),
    )


def _number(node: JsonNode) -> float:
    found = node.number_or_none(low=0, high=1e15)
    if found is None:
        raise node.problem("a number")
    return found


def _truth(node: JsonNode) -> bool:
    if not isinstance(node.value, bool):
        raise node.problem("true or false")
    return node.value
