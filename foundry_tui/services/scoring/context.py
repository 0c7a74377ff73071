"""Gathering what is known of a run beside what it measured itself."""

from collections.abc import Sequence

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.ports.storage import RunStore, ScoreStore
from foundry_tui.services.bench.answered_before import answered_before
from foundry_tui.services.scoring.checks import run_checks
from foundry_tui.services.scoring.quality import run_quality

__all__ = ["known_context"]


async def known_context(
    runs: RunStore, scores: ScoreStore, run: Run, requests: Sequence[RequestRun]
) -> RunContext:
    """Of ``run``; draws thousands of samples, in a thread.

    Raises:
        StorageProblem: Earlier runs or scores cannot be read.
    """
    return RunContext(
        before=await answered_before(runs, run, requests),
        checks=(await run_checks(run, requests)).models,
        quality=await run_quality(scores, run, requests),
    )
