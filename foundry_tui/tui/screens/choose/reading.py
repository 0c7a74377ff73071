"""What one chooses among: the models of kept runs with what was measured of them and how they were scored."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import Run
from foundry_tui.metrics.candidate import Candidate
from foundry_tui.ports.storage import RunStore, ScoreStore
from foundry_tui.reports.candidates import candidates_of, unlike_lines
from foundry_tui.services.scoring.quality import run_quality

__all__ = ["Field", "read_field"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Runs and the candidates that are of them.

    Attributes:
        unlike: What makes the candidates hard to compare, in harmless words.
    """

    runs: tuple[Run, ...]
    candidates: tuple[Candidate, ...]
    unlike: tuple[str, ...]


async def read_field(runs: RunStore, scores: ScoreStore, run_ids: Sequence[str]) -> Field:
    """Of these runs, or of the newest where none is named; runs that are gone are left out.

    Raises:
        StorageProblem: They cannot be read.
    """
    if not run_ids:
        run_ids = [run.id for run in await runs.runs(limit=1)]
    found: list[Run] = []
    candidates: list[Candidate] = []
    for run_id in run_ids:
        run = await runs.run(run_id)
        if run is None:
            continue
        requests = await runs.requests(run_id)
        quality = await run_quality(scores, run, requests)
        found.append(run)
        candidates += await asyncio.to_thread(candidates_of, run, requests, quality)
    return Field(
        runs=tuple(found), candidates=tuple(candidates), unlike=tuple(unlike_lines(found, candidates))
    )
