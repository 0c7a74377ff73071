"""Scoring in a real terminal by keys alone: what a kill leaves, and that no byte names a model too soon."""

import asyncio
import sys
from pathlib import Path

import pytest

from foundry_tui.domain.scoring import Score
from foundry_tui.storage import Database, StoredRuns, StoredScores
from tests.support.scored_runs import answered_run

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal of this kind is not there on Windows", allow_module_level=True)

from tests.support.terminal import Terminal
from tests.support.whole_app import CTRL_Q, ENTER, ESCAPE, data_in, running_app

pytestmark = [pytest.mark.terminal, pytest.mark.native]

MODELS = ("nightjar-7b", "kestrel-3b")
RUN, REQUESTS = answered_run(
    MODELS, prompts=3, text=lambda model, prompt: f"As {model.upper()} I answer {prompt} so."
)
CRITERIA = 4
"""Of the rubric that is shipped."""
ANSWERS = len(REQUESTS) + 1
"""One of them comes twice."""
ALT_4 = "\x1b4"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the app keeps everything; it has a run that ended."""
    data_in(tmp_path).mkdir()

    async def keep() -> None:
        database = Database(data_in(tmp_path) / "foundry-tui.db")
        await StoredRuns(database).import_run(RUN, REQUESTS)
        await database.aclose()

    asyncio.run(keep())
    return tmp_path


def kept(folder: Path) -> list[Score]:
    async def read() -> list[Score]:
        database = Database(data_in(folder) / "foundry-tui.db")
        scores = await StoredScores(database).scores(RUN.id)
        await database.aclose()
        return sorted(scores, key=lambda one: (one.at_unix_ms, one.number))

    return asyncio.run(read())


def to_scoring(app: Terminal) -> int:
    """Open the run, and the page before its answers; how much was written by then."""
    app.shows("0 variants")
    app.send(ALT_4)
    app.shows("Runs")
    app.send("r")
    app.shows(RUN.name)
    app.send(ENTER)
    app.shows("Score", MODELS[0])
    app.send("q")
    app.shows(f"{ANSWERS} to score", "Your name")
    app.shows_what(lambda screen: MODELS[0] not in screen, "page that names nobody")
    return app.length


def test_a_kill_loses_no_key_and_nobody_is_named_until_all_is_scored(folder: Path) -> None:
    with running_app(folder, "--offline") as app:
        written = to_scoring(app)
        app.send("Ada" + ENTER)
        app.shows("· blind", f"1/{ANSWERS}")
        app.send("4321")
        app.shows(f"2/{ANSWERS}")
        app.send("5")
        app.shows("[5]")
        before_kill = app.raw[written:]
        app.process.kill()
        app.exit_code()
    left = kept(folder)

    with running_app(folder, "--offline") as app:
        written = to_scoring(app)
        app.shows(f"Ada: 1 of {ANSWERS} answers")
        app.send("Ada" + ENTER)
        app.shows(f"2/{ANSWERS}", "[5]")
        app.send("444")
        for place in range(3, ANSWERS + 1):
            app.shows(f"{place}/{ANSWERS}")
            app.send("3333")
        app.shows("Enter tells who wrote what")
        blind = app.raw[written:]
        app.send(ENTER)
        app.shows("Scores of run", *MODELS, "first and second time")
        app.send(ESCAPE + ESCAPE)
        app.send(CTRL_Q)
        code = app.exit_code()

    assert [one.value for one in left] == [4, 3, 2, 1, 5]
    assert len({one.number for one in left}) == 2
    for name in MODELS:
        assert name.encode() not in (before_kill + blind).lower()
    assert len(kept(folder)) == ANSWERS * CRITERIA
    assert code == 0
