"""The cache pane and what opens over it, in each of their states, at the two sizes that matter, as text.

``pytest --snapshot-update`` writes what is shown now; look at each file that it changes.
"""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Footer

from foundry_tui.domain.cache import UnfinishedMove
from foundry_tui.domain.health import FileProblem
from foundry_tui.domain.models import CatalogKind, LoadReport, ModelVariant
from foundry_tui.tui.screens.cache_move import FolderScreen, InterruptedMove, MovingScreen
from tests.tui.cached import GIB, NARROW, WIDE, Cached, Rig, cached, lying, partial
from tests.tui.frames import FrameExtension, steady

PHI, QWEN, DEEP = "phi-4-mini-generic-cpu:1", "qwen2.5-0.5b-generic-cpu:1", "deepseek-r1-7b-generic-cpu:1"
COMING = "gpt-oss-20b-generic-cpu:1"
STILL = 4


class Take(Protocol):
    """Compares the screen."""

    async def __call__(self, user: Cached, state: str) -> None: ...


@pytest.fixture
def take(snapshot: SnapshotAssertion) -> Take:
    frames = snapshot.use_extension(FrameExtension)

    async def take(user: Cached, state: str) -> None:
        await user.until(lambda: all(footer.children for footer in user.app.screen.query(Footer)))
        seen: list[str] = []
        while len(seen) < STILL or len(set(seen[-STILL:])) > 1:
            await user.pilot.pause()  # until nothing is under way any more
            seen.append(steady(user.lines()))
        assert seen[-1] == frames(name=f"{state}-{user.app.size.width}x{user.app.size.height}")

    return take


@pytest.fixture(autouse=True)
def short_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Paths that show are the same in every run: relative ones, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=[NARROW, WIDE], ids=["80x24", "120x40"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    chosen: tuple[int, int] = request.param
    return chosen


@pytest.fixture
def rig() -> Rig:
    """A sound one that is loaded, a damaged one, one never checked, one of one's own, two partials."""
    rig = Rig(folder=Path())
    for model_id, size_gib in ((PHI, 2.61), (QWEN, 0.84), (DEEP, 5.2)):
        name = model_id.removesuffix(":1")
        rig.models.append(lying(rig.cache_dir, name, 100, size_bytes=round(size_gib * GIB)))
        rig.disk.sizes[f"{name}-1"] = round(size_gib * GIB)
    rig.disk.sizes["cache"] = round(9.6 * GIB)
    base = ModelVariant(id="mine:1", alias="mine", catalog=CatalogKind.LOCAL, is_cached=True, path="mine")
    Path("mine").mkdir()
    Path("mine/weights").write_bytes(bytes(1000))
    coming = replace(base, id=COMING, catalog=CatalogKind.PUBLIC, is_cached=False, path=None)
    rig.models += [base, replace(coming, size_bytes=round(2.1 * GIB))]
    rig.partials = [partial(COMING, f"cache/M/{COMING.replace(':', '-')}", round(0.86 * GIB))]
    rig.partials.append(partial(None, "cache/X/模型", 12_000_000, is_locked=True))
    problems = (
        FileProblem("model.onnx.data", "has other contents than when it was downloaded"),
        FileProblem("tokenizer.json", "is missing"),
    )
    rig.checks.damaged = {QWEN: problems}
    rig.checks.before = {one: rig.checks.found(one) for one in (QWEN, PHI)}
    return rig


async def loaded(user: Cached) -> None:
    """One was loaded, and what that took was measured."""
    user.setting.used.touch(PHI)
    await user.client.load(PHI)
    user.client.load_reports[PHI] = LoadReport(
        model_id=PHI, load_ns=1_920_000_000, was_loaded=False, rss_before_bytes=GIB, rss_after_bytes=3 * GIB
    )


async def test_the_list(take: Take, rig: Rig, size: tuple[int, int]) -> None:
    async with cached(rig, size=size, prepare=loaded) as user:
        await user.until(lambda: user.cells(QWEN)[1:2] == ("× damaged",) and user.cells(PHI)[3])
        await user.on(PHI)
        await take(user, "full")

        await user.on(QWEN)
        await take(user, "damaged")
        await user.on(COMING)
        await take(user, "partial")

        await user.on(QWEN)
        await user.press("R")
        await user.asked("Repair")
        await take(user, "repair")
        await user.press("escape")
        await user.closed()

        await user.on(DEEP)
        await user.press("delete")
        await user.asked("become free")
        await take(user, "remove")


async def test_a_check(take: Take, rig: Rig, size: tuple[int, int]) -> None:
    rig.checks.gate = threading.Event()
    async with cached(rig, size=size) as user:
        await user.on(DEEP)
        await user.press("V")
        await user.until(lambda: user.shows("42 % · Esc stops") and user.shows("checking 42 %"))
        await take(user, "checking")
        await user.press("escape")
        await user.until(lambda: not user.pane.is_checking)


async def test_nothing(take: Take, size: tuple[int, int]) -> None:
    async with cached(Rig(folder=Path()), size=size) as user:
        for model in user.client.catalog.value.models:
            await user.client.unregister(model.id)
        await user.until(lambda: user.shows("Nothing on this disk yet."))
        await take(user, "empty")


async def test_a_move(take: Take, rig: Rig, size: tuple[int, int]) -> None:
    async def switch(folder: Path) -> None:
        """Nothing is switched here."""

    async with cached(rig, size=size) as user:
        await user.on(DEEP)
        await user.press("m")
        await user.until(lambda: isinstance(user.app.screen, FolderScreen))
        await user.press(*"new")
        await user.until(lambda: user.shows("a new folder in"))
        user.app.screen.query_one("#path-hint").visible = False  # the folder is another in each run
        await take(user, "move-folder")
        await user.press("escape")
        await user.closed()

        found = UnfinishedMove(source="cache", target="new", is_switched=False)
        moving = InterruptedMove(cache=user.cache, found=found, switch=switch)
        user.app.push_screen(MovingScreen(moving))
        await user.until(lambda: user.shows("was interrupted"))
        await take(user, "move-unfinished")
