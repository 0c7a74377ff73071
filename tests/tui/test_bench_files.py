"""A run out of the app to a file, in the format that its name ends with."""

import json
from collections.abc import Callable

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Label

from foundry_tui.domain.bench import ResourceReading
from foundry_tui.tui.screens.bench.files import export_run
from tests.support.memory_scores import MemoryScores
from tests.support.pages import page_of
from tests.support.runs import a_request, a_run
from tests.support.scores import RUBRIC, score

SCORES = MemoryScores.holding(
    RUBRIC, [score(1, 4, criterion=criterion.id, run_id="a1") for criterion in RUBRIC.criteria]
)
RESOURCES = (ResourceReading(at_ns=60_000_000, rss_bytes=300_000_000),)


class Exporting(App[None]):
    """Asks where to, as the benchmark screen does."""

    def compose(self) -> ComposeResult:
        yield Label("a run")

    def on_mount(self) -> None:
        self.run_worker(self.export())

    async def export(self) -> None:
        await export_run(self.query_one(Label), a_run(), (a_request(),), SCORES, RESOURCES)


def read_page(text: str) -> bool:
    return "286 MiB at most; the axis begins at 0" in page_of(text).texts


def read_results(text: str) -> bool:
    content = json.loads(text)
    is_scored = content["summary"][0]["quality"]["overall"]["mean"] == 4.0
    return is_scored and bool(content["resources"]["rss_bytes"] == [300_000_000])


def read_report(text: str) -> bool:
    return text.startswith("# Benchmark") and "## Quality" in text


@pytest.mark.parametrize(
    ("name", "reads"), [("out.html", read_page), ("out.json", read_results), ("out.md", read_report)]
)
async def test_the_end_of_the_name_says_the_format(
    tmp_path_factory: pytest.TempPathFactory, name: str, reads: Callable[[str], bool]
) -> None:
    path = tmp_path_factory.mktemp("out") / name
    app = Exporting()

    async with app.run_test() as pilot:
        await pilot.pause()  # the question opens
        await pilot.press("ctrl+a", "delete")
        app.screen.query_one("Input").value = str(path)  # type: ignore[attr-defined]  # it is a field
        await pilot.press("enter")
        await app.workers.wait_for_complete()

    assert reads(path.read_text(encoding="utf-8"))
