"""Conversations written to files and read from them, from their list."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Button, Input

from foundry_tui.reports.conversation_json import conversation_json
from foundry_tui.reports.conversation_markdown import conversation_markdown
from foundry_tui.tui.screens.conversations import ConversationsScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.paths import PathScreen
from tests.tui.conversation_lists import Listed, back, farm, kept, listed, over, titles
from tests.tui.overlay_host import opened


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    was = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(was)


@pytest.mark.parametrize("suffix", [".md", ".json"])
async def test_an_export_is_written_under_the_title_in_the_format_of_its_suffix(
    folder: Path, suffix: str
) -> None:
    store = farm()
    (folder / "Bread.md").write_text("mine")
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        await user.pilot.press("down", "e")
        await over(user, PathScreen)
        field = user.app.screen.query_one("#path", Input)
        assert field.value == "Bread-2.md"

        field.value = f"Bread-2{suffix}"
        await user.pilot.press("enter")
        await back(user)

        written = (folder / f"Bread-2{suffix}").read_text()
        expected = conversation_json if suffix == ".json" else conversation_markdown
        assert written == expected(store.kept["c2"])
        assert (folder / "Bread.md").read_text() == "mine"
        assert user.told == [f"“Bread” written to {folder / f'Bread-2{suffix}'}"]


async def test_an_export_never_overwrites(folder: Path) -> None:
    (folder / "mine.md").write_text("mine")
    async with opened(ConversationsScreen(farm())) as user:
        await listed(user, 3)
        await user.pilot.press("e")
        await over(user, PathScreen)

        user.app.screen.query_one("#path", Input).value = "mine.md"
        await user.pilot.press("enter")
        await user.until(lambda: user.shows("nothing is overwritten"))

        assert (folder / "mine.md").read_text() == "mine"


async def import_file(user: Listed, name: str) -> None:
    await user.pilot.press("i")
    await over(user, PathScreen)
    user.app.screen.query_one("#path", Input).value = name
    await user.pilot.press("enter")


async def test_an_import_is_kept_and_shown(folder: Path) -> None:
    store = farm()
    new = kept(9, "Cheese", "How?", "Milk.")
    (folder / "c.json").write_text(conversation_json(new))
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        user.screen.query_one("#conversations-filter", Input).value = "bread"
        await listed(user, 1)

        await import_file(user, "c.json")
        await back(user)

        assert store.kept["c9"] == new
        assert titles(user)[0] == "Cheese"
        assert user.screen.query_one("#conversations-filter", Input).value == ""
        assert user.told == ["“Cheese” imported, 2 turns"]


async def test_what_an_import_leaves_out_is_told(folder: Path) -> None:
    (folder / "log.md").write_text("from my notes\n\n## User\n\nhi\n")
    async with opened(ConversationsScreen(farm())) as user:
        await listed(user, 3)

        await import_file(user, "log.md")
        await back(user)

        assert user.told == ["“hi” imported, 1 turn\nLeft out: line 1 before the first speaker: left out"]


async def test_one_that_is_here_already_is_imported_as_a_copy_if_one_wants_that(folder: Path) -> None:
    store = farm()
    (folder / "c.json").write_text(conversation_json(store.kept["c2"]))
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)
        await import_file(user, "c.json")
        await over(user, ConfirmScreen)

        user.app.screen.query_one("#yes", Button).press()
        await back(user)

        assert sorted(titles(user)) == ["Bread", "Bread", "Two hens", "untitled"]
        assert len({turn.id for one in store.kept.values() for turn in one.turns}) == 9


async def test_a_file_that_is_no_conversation_is_told_with_its_place(folder: Path) -> None:
    (folder / "c.json").write_text('{"schema": "foundry-tui/conversation@1"}')
    store = farm()
    async with opened(ConversationsScreen(store)) as user:
        await listed(user, 3)

        await import_file(user, "c.json")
        await user.until(lambda: bool(user.told))

        assert "c.json: /turns: expected this key, found nothing" in user.told[0]
        assert len(store.kept) == 3
