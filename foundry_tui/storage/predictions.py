"""What was expected of a model of a run, as JSON."""

import json
from dataclasses import asdict

from foundry_tui.domain.loads import MemoryPlace
from foundry_tui.domain.predictions import (
    MemoryPrediction,
    ModelPrediction,
    NoSpeed,
    SpeedBasis,
    SpeedPrediction,
)

__all__ = ["packed_prediction", "unpacked_prediction"]


def packed_prediction(prediction: ModelPrediction | None) -> str | None:
    """``prediction`` in one line."""
    if prediction is None:
        return None
    return json.dumps(asdict(prediction), ensure_ascii=False, separators=(",", ":"))


def unpacked_prediction(line: str | None) -> ModelPrediction | None:
    """What ``packed_prediction`` made a line of.

    Raises:
        ValueError: It is damaged; or LookupError, TypeError or AttributeError.
    """
    if line is None:
        return None
    kept = json.loads(line)
    speed, no_speed, memory = kept.pop("speed"), kept.pop("no_speed"), kept.pop("memory")
    return ModelPrediction(
        speed=None if speed is None else SpeedPrediction(basis=SpeedBasis(speed.pop("basis")), **speed),
        no_speed=None if no_speed is None else NoSpeed(no_speed),
        memory=None if memory is None else MemoryPrediction(kind=MemoryPlace(memory.pop("kind")), **memory),
        **kept,
    )
