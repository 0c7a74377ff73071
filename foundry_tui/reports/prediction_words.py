"""What is expected of a model, on what that rests, and how it turned out.  Everything in it is harmless."""

from datetime import UTC, datetime
from typing import assert_never

from foundry_tui.domain.predictions import (
    MemoryPrediction,
    ModelPrediction,
    NoSpeed,
    SpeedBasis,
    SpeedPrediction,
)
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words, plural, rate_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.fit_lessons import EstimateError
from foundry_tui.reports.facts import Fact
from foundry_tui.reports.fit import error_of_estimate

__all__ = [
    "basis_words",
    "error_words",
    "measured_speed_words",
    "memory_words",
    "prediction_facts",
    "rate_cell",
    "speed_words",
]

_WHY = {
    NoSpeed.NOT_FOUND: "no model is called so",
    NoSpeed.NOTHING_MEASURED: "nothing was measured on this machine yet",
    NoSpeed.NO_PROVIDER: "nobody tells what it will run on",
    NoSpeed.NO_SIZE: "nobody tells how big its weights are",
    NoSpeed.TOO_SMALL: "its weights are too small to be what decoding waits for",
    NoSpeed.CONCURRENT: "with several requests at once no rate of one is known",
    NoSpeed.ELSEWHERE: "it runs on a machine of which nothing is known here",
}
_NAME_CHARACTERS = 60


def rate_cell(prediction: ModelPrediction) -> str:
    """The decode rate that is expected, for a column: ``41.3 tok/s``."""
    speed = prediction.speed
    return UNKNOWN if speed is None else rate_in_words(speed.tokens_per_s, is_estimate=speed.is_estimate)


def speed_words(prediction: ModelPrediction) -> str:
    """``41.3 tok/s [35.0, 48.2], by 3 other models here with CPUExecutionProvider (81 answers)``."""
    speed = prediction.speed
    if speed is None:
        return f"{UNKNOWN}: {_why(prediction)}"
    words = f"{_rate(speed)}, {basis_words(speed)}"
    if (error := _error(prediction)) is not None:
        words += f"; {error}"
    return words


def basis_words(speed: SpeedPrediction) -> str:
    """On what it rests: whose answers, how many, and what was different then."""
    answers = plural(speed.answers, "answer")
    with_provider = f" with {clean_line(speed.provider, _NAME_CHARACTERS)}" if speed.provider else ""
    match speed.basis:
        case SpeedBasis.SAME_VARIANT:
            runs = plural(speed.runs, "run")
            words = (
                f"as measured of this variant here in {runs} ({answers}, last on"
                f" {_day(speed.newest_unix_ms)})"
            )
        case SpeedBasis.BANDWIDTH if speed.models == 1:
            words = f"by one other model here{with_provider} ({answers}; how far models differ is not known)"
        case SpeedBasis.BANDWIDTH:
            words = f"by {speed.models} other models here{with_provider} ({answers})"
        case _:
            assert_never(speed.basis)
    if speed.is_fallback:
        words += ", when what it is built for did not work for it"
    return words if speed.is_same_runtime else f"{words}, with another version of the runtime"


def memory_words(memory: MemoryPrediction | None) -> str:
    """``2.41 GiB of RAM, as its 3 loads here took``; ``~`` marks what rests on a rule of thumb."""
    if memory is None:
        return f"{UNKNOWN}: nobody tells how big it is"
    about = "~" if memory.is_assumed else ""
    words = f"{about}{bytes_in_words(memory.load_bytes)} of {memory.kind}, "
    if memory.loads == 1:
        words += "as its load here took"
    elif memory.loads:
        words += f"median of its {memory.loads} loads here"
    else:
        words += "worked out from its size"
    if memory.checked_loads:
        error = EstimateError(loads=memory.checked_loads, worst_share=memory.worst_error_share)
        words += f"; {error_of_estimate(error)}"
    return words


def prediction_facts(prediction: ModelPrediction) -> tuple[Fact, ...]:
    """What is expected of it, for a page that has all that is known of a model."""
    return (Fact("Decode rate", f"predicted {speed_words(prediction)}"),)


def measured_speed_words(
    prediction: ModelPrediction, measured: float | None, *, is_estimate: bool = False
) -> str:
    """``decode 38.2 tok/s, predicted 41.3 tok/s [35.0, 48.2]: 8 % too high``.

    Args:
        prediction: Made before.
        measured: Median decode rate in tokens a second; None while there is none.
        is_estimate: Whether a count in that was estimated.
    """
    shown = rate_in_words(measured, is_estimate=is_estimate)
    speed = prediction.speed
    if speed is None:
        return f"decode {shown}, none predicted: {_why(prediction)}"
    words = f"decode {shown}, predicted {_rate(speed)}"
    if not measured:
        return words
    words += f": {error_words((speed.tokens_per_s - measured) / measured)}"
    return words if speed.low <= measured <= speed.high else f"{words}, outside of the interval"


def error_words(share: float) -> str:
    """``8 % too high``, ``3 % too low``; ``right to 1 %``."""
    percent = abs(share) * 100
    if percent < 1:
        return "right to 1 %"
    return f"{percent:.0f} % too {'high' if share > 0 else 'low'}"


def _rate(speed: SpeedPrediction) -> str:
    digits = 0 if speed.tokens_per_s >= 99.95 else 1
    ends = f"[{speed.low:,.{digits}f}, {speed.high:,.{digits}f}]"
    return f"{rate_in_words(speed.tokens_per_s, is_estimate=speed.is_estimate)} {ends}"


def _error(prediction: ModelPrediction) -> str | None:
    if prediction.speed_error_share is None:
        return None
    percent = f"{prediction.speed_error_share * 100:.0f} %"
    if prediction.checked_speeds == 1:
        return f"one earlier prediction of this kind was off by {percent}"
    return f"earlier predictions of this kind were off by {percent} (median of {prediction.checked_speeds})"


def _why(prediction: ModelPrediction) -> str:
    return _WHY[prediction.no_speed or NoSpeed.NOTHING_MEASURED]


def _day(unix_ms: int) -> str:
    return f"{datetime.fromtimestamp(unix_ms / 1000, UTC):%Y-%m-%d}"
