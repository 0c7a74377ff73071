"""One model of a run in a row; and lists of names and of pairs in one line."""

import json
from collections.abc import Sequence

import sqlalchemy as sa

from foundry_tui.domain.bench import ModelRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.storage.predictions import packed_prediction, unpacked_prediction

__all__ = ["line_of", "model_of", "model_row", "names_of", "pairs_of"]


def model_row(model: ModelRun) -> dict[str, object]:
    """What is written of it, by column."""
    return {
        "model": model.model,
        "model_id": model.model_id,
        "outcome": None if model.outcome is None else model.outcome.value,
        "reason": model.reason,
        "load_ns": model.load_ns,
        "rss_before_bytes": model.rss_before_bytes,
        "rss_loaded_bytes": model.rss_loaded_bytes,
        "rss_after_bytes": model.rss_after_bytes,
        "uss_before_bytes": model.uss_before_bytes,
        "uss_loaded_bytes": model.uss_loaded_bytes,
        "uss_after_bytes": model.uss_after_bytes,
        "vram_before_bytes": model.vram_before_bytes,
        "vram_loaded_bytes": model.vram_loaded_bytes,
        "vram_after_bytes": model.vram_after_bytes,
        "facts": line_of(model.facts),
        "warnings": line_of(model.warnings),
        "prediction": packed_prediction(model.prediction),
    }


def model_of(row: sa.Row[tuple[object, ...]]) -> ModelRun:
    """The model that a row is of.

    Raises:
        ValueError: It is damaged; or LookupError, TypeError or AttributeError.
    """
    return ModelRun(
        model=row.model,
        model_id=row.model_id,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        reason=row.reason,
        load_ns=row.load_ns,
        rss_before_bytes=row.rss_before_bytes,
        rss_loaded_bytes=row.rss_loaded_bytes,
        rss_after_bytes=row.rss_after_bytes,
        uss_before_bytes=row.uss_before_bytes,
        uss_loaded_bytes=row.uss_loaded_bytes,
        uss_after_bytes=row.uss_after_bytes,
        vram_before_bytes=row.vram_before_bytes,
        vram_loaded_bytes=row.vram_loaded_bytes,
        vram_after_bytes=row.vram_after_bytes,
        facts=pairs_of(row.facts),
        warnings=names_of(row.warnings),
        prediction=unpacked_prediction(row.prediction),
    )


def line_of(names: Sequence[object]) -> str:
    """``names`` in one line."""
    return json.dumps(names, ensure_ascii=False, separators=(",", ":"))


def names_of(line: str) -> tuple[str, ...]:
    """What ``line_of`` made a line of."""
    return tuple(json.loads(line))


def pairs_of(line: str) -> tuple[tuple[str, str], ...]:
    """The same of names and values."""
    return tuple((name, value) for name, value in json.loads(line))
