"""A run out to a file, with the question that this takes."""

import asyncio
from collections.abc import Sequence
from pathlib import PurePath

from textual.widget import Widget

from foundry_tui.domain.bench import RequestRun, ResourceReading, Run
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.services.files import write_new
from foundry_tui.services.paths import free_name
from foundry_tui.services.scoring.checks import run_checks
from foundry_tui.services.scoring.quality import run_quality
from foundry_tui.tui.notices import tell
from foundry_tui.tui.screens.paths import PathPurpose, PathScreen

__all__ = ["export_run"]

_SUFFIXES = (".html", ".md", ".json", ".csv")


async def export_run(
    place: Widget,
    run: Run,
    requests: tuple[RequestRun, ...],
    scores: ScoreStore,
    resources: Sequence[ResourceReading] = (),
) -> None:
    """Ask for a path and write a new file there.

    Args:
        place: What the question opens over.
        run: Which one.
        requests: All of it.
        scores: Where its scores are.
        resources: What was read of the machine meanwhile, in the order in which it was kept.

    Raises:
        BadInput: Something has taken the name meanwhile.
        StorageProblem: The scores cannot be read, or the file cannot be written.
    """
    screen = PathScreen(
        "Export",
        "The run to: .html with charts, .md, .json with every reading, .csv with a row for each request",
        purpose=PathPurpose.WRITE,
        default=await free_name("benchmark_report.md"),
        suffixes=_SUFFIXES,
    )
    path = await place.app.push_screen_wait(screen)
    if path is None:
        return
    context = RunContext(
        checks=(await run_checks(run, requests)).models, quality=await run_quality(scores, run, requests)
    )
    text = await asyncio.to_thread(
        _text_of, PurePath(path).suffix.casefold(), run, requests, tuple(resources), context
    )
    tell(place, f"The run was written to {await write_new(path, text)}")


def _text_of(
    suffix: str,
    run: Run,
    requests: tuple[RequestRun, ...],
    resources: tuple[ResourceReading, ...],
    context: RunContext,
) -> str:
    # Late: few sessions write a report.
    if suffix == ".html":
        from foundry_tui.reports.run_html import run_html

        return run_html([(run, requests, resources)], {run.id: context})
    if suffix == ".json":
        from foundry_tui.reports.results import results_json, results_object

        return results_json(results_object(run, requests, resources, context))
    if suffix == ".csv":
        from foundry_tui.reports.run_csv import requests_csv

        return requests_csv(run, requests)
    from foundry_tui.reports.run_markdown import run_markdown

    return run_markdown(run, requests, context)
