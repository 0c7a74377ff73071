"""Which rounds of a run were measured again, as JSON."""

import json
from collections.abc import Sequence

from foundry_tui.domain.bench_reruns import Rerun, RoundAgain

__all__ = ["packed_reruns", "unpacked_reruns"]


def packed_reruns(reruns: Sequence[Rerun]) -> str:
    """``reruns`` in one line."""
    kept = [
        [rerun.attempt, rerun.started_unix_ms, [[one.model, one.round, one.reasons] for one in rerun.rounds]]
        for rerun in reruns
    ]
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def unpacked_reruns(line: str) -> tuple[Rerun, ...]:
    """All of them, in order.

    Raises:
        ValueError, TypeError, RecursionError: The line is damaged.
    """
    return tuple(
        Rerun(
            attempt=attempt,
            started_unix_ms=started_unix_ms,
            rounds=tuple(
                RoundAgain(model=model, round=number, reasons=tuple(reasons))
                for model, number, reasons in rounds
            ),
        )
        for attempt, started_unix_ms, rounds in json.loads(line)
    )
