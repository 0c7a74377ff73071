"""A decision record out to a file, with the questions that this takes."""

import asyncio
from collections.abc import Sequence

from textual.widget import Widget

from foundry_tui.domain.bench import Run
from foundry_tui.reports.choice import Choice
from foundry_tui.services.files import write_new
from foundry_tui.services.paths import free_name
from foundry_tui.tui.notices import tell
from foundry_tui.tui.screens.paths import PathPurpose, PathScreen
from foundry_tui.tui.screens.tagging import LineScreen

__all__ = ["write_decision"]


async def write_decision(place: Widget, found: Choice, runs: Sequence[Run], *, made_unix_ms: int) -> None:
    """Ask what is to be decided and for a path, and write a new file there.

    Raises:
        BadInput: Something has taken the name meanwhile.
        StorageProblem: The file cannot be written.
    """
    question = await place.app.push_screen_wait(
        LineScreen(
            "Decision record",
            "What is to be decided? It may stay empty: then limits and list.",
            may_be_empty=True,
        )
    )
    if question is None:
        return
    screen = PathScreen(
        "Decision record",
        "Limits, candidates, evidence, runs and their environment, as Markdown",
        purpose=PathPurpose.WRITE,
        default=await free_name("decision.md"),
        suffixes=(".md",),
    )
    path = await place.app.push_screen_wait(screen)
    if path is None:
        return
    from foundry_tui.reports.decision import decision_markdown  # late: few sessions write one

    text = await asyncio.to_thread(
        decision_markdown, found, runs, made_unix_ms=made_unix_ms, question=question
    )
    tell(place, f"The decision record was written to {await write_new(path, text)}")
