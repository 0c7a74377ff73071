"""What was measured of the models of a run next to what had been predicted, in words; harmless."""

from collections.abc import Sequence

from foundry_tui.domain.predictions import MemoryPrediction, ModelPrediction
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.measures import Measure
from foundry_tui.metrics.prediction import error_share, measured_load_bytes
from foundry_tui.reports.prediction_words import basis_words, error_words, measured_speed_words
from foundry_tui.reports.run_results import ModelResult

__all__ = ["prediction_lines"]


def prediction_lines(results: Sequence[ModelResult]) -> list[str]:
    """What was measured of each model next to what had been predicted; none where nothing was predicted."""
    lines: list[str] = []
    for result in results:
        prediction, name = result.model.prediction, clean_line(result.name)
        if prediction is None:
            continue
        words = measured_speed_words(prediction, _measured_rate(result), is_estimate=_is_estimate(result))
        if prediction.speed is not None:
            words += f", {basis_words(prediction.speed)}"
        if prediction.memory is not None:
            words += f"; {_measured_memory_words(result, prediction, prediction.memory)}"
        lines.append(f"{name}: {words}")
    return lines


def _measured_memory_words(result: ModelResult, prediction: ModelPrediction, memory: MemoryPrediction) -> str:
    taken = measured_load_bytes(result.model, prediction)
    about = "~" if memory.is_assumed else ""
    expected = f"predicted {about}{bytes_in_words(memory.load_bytes)}"
    if taken is None:
        return f"the load's {memory.kind} {UNKNOWN}, {expected}"
    words = f"the load took {bytes_in_words(taken)} of {memory.kind}, {expected}"
    return words if taken <= 0 else f"{words}: {error_words(error_share(memory.load_bytes, taken))}"


def _measured_rate(result: ModelResult) -> float | None:
    rates = result.summary.decode_tokens_per_s
    prediction = result.model.prediction
    is_of_it = prediction is None or prediction.model_id in (None, result.model.model_id)
    return None if rates is None or not is_of_it else rates.median


def _is_estimate(result: ModelResult) -> bool:
    return Measure.DECODE_RATE in result.summary.estimated
