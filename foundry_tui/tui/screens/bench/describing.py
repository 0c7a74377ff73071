"""What people write to a run: its name, a note, tags; each asked for in a small overlay of its own."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import assert_never

from textual.widget import Widget

from foundry_tui.domain.bench import RunSummary
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import RunStore
from foundry_tui.tui.notices import tell
from foundry_tui.tui.screens.tagging import LineScreen, TagsScreen

__all__ = ["Describing", "ask_to_describe"]


class Describing(StrEnum):
    """What is to be written."""

    NAME = "name"
    NOTE = "note"
    TAGS = "tags"


async def ask_to_describe(
    place: Widget, store: RunStore, run_id: str, what: Describing, listed: Iterable[RunSummary]
) -> bool:
    """Ask for ``what`` over ``place`` and keep it; whether anything was kept.

    ``listed`` has the tags that can be completed.

    Raises:
        StorageProblem: The store cannot be read or written.
    """
    run = await store.run(run_id)
    if run is None:
        tell(place, "this run is not kept here any more", is_warning=True)
        return False
    called, push = run.name or run.id[:8], place.app.push_screen_wait
    match what:
        case Describing.NAME:
            line = await push(LineScreen("Rename", "Name of the run", run.name))
            changed = None if line is None else replace(run, name=line)
        case Describing.NOTE:
            label = f"Note to {clean_line(called, 40)}; an empty one removes it"
            line = await push(LineScreen("Note", label, run.note, may_be_empty=True))
            changed = None if line is None else replace(run, note=line)
        case Describing.TAGS:
            known = Counter(tag for one in listed for tag in one.tags).most_common()
            tags = await push(TagsScreen(called, run.tags, known))
            changed = None if tags is None else replace(run, tags=tags)
        case _:
            assert_never(what)
    if changed is None:
        return False
    await store.describe_run(run_id, name=changed.name, note=changed.note, tags=changed.tags)
    return True
