"""Asking for a path: hints, completion, and names that want to harm a terminal."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from foundry_tui.tui.screens.paths import PathPurpose, PathScreen
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened

EVIL = "a\x1b]0;owned\x07\n[b].md"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    """The working directory, with some files."""
    was = Path.cwd()
    os.chdir(tmp_path)
    (tmp_path / "notes.md").write_text("x" * 2048)
    (tmp_path / "notice.txt").write_text("")
    (tmp_path / "Sub").mkdir()
    (tmp_path / "Sub" / "inner.json").write_text("{}")
    (tmp_path / ".hidden.md").write_text("")
    yield tmp_path
    os.chdir(was)


def reading(default: str = "", suffixes: tuple[str, ...] = ()) -> PathScreen:
    return PathScreen("Attach", "A text file:", purpose=PathPurpose.READ, default=default, suffixes=suffixes)


def writing(default: str = "", suffixes: tuple[str, ...] = ()) -> PathScreen:
    return PathScreen("Export", "To:", purpose=PathPurpose.WRITE, default=default, suffixes=suffixes)


def field(user: Opened[str]) -> Input:
    return user.screen.query_one("#path", Input)


async def typed(user: Opened[str], text: str) -> None:
    """Put ``text`` into the field and wait for what is said of it."""
    field(user).value = text
    field(user).cursor_position = len(text)
    await user.pilot.pause()  # the change is followed
    await user.app.workers.wait_for_complete()
    await user.pilot.pause()  # the hint is painted


async def pressed(user: Opened[str], *keys: str) -> None:
    await user.pilot.press(*keys)
    await user.app.workers.wait_for_complete()
    await user.pilot.pause()  # what a completion changed is followed
    await user.app.workers.wait_for_complete()


async def test_enter_closes_with_the_path_of_a_file_that_is_there() -> None:
    async with opened(reading()) as user:
        await typed(user, "notes.md")

        await user.pilot.press("enter")

        assert await user.result() == "notes.md"


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_the_hint_follows_what_is_typed(size: tuple[int, int]) -> None:
    async with opened(reading(), size=size) as user:
        await typed(user, "notes.md")
        assert user.shows("a file of 2.00 KiB")

        await typed(user, "nothing.md")
        assert user.shows("no such file")

        await typed(user, "Sub")
        assert user.shows("this is a folder: name a file in it")

        await typed(user, "gone/x.md")
        assert user.shows("there is no folder")


@pytest.mark.parametrize(
    ("screen", "text", "words"),
    [
        (reading, "nothing.md", "no such file"),
        (reading, "Sub", "this is a folder"),
        (reading, " ", "type a path"),
        (writing, "notes.md", "nothing is overwritten, give another name"),
        (writing, "gone/x.md", "there is no folder"),
        (writing, "Sub/", "this is a folder"),
        (lambda: writing(suffixes=(".md", ".json")), "new.txt", "a name that ends in .md or .json"),
    ],
)
async def test_enter_on_a_path_that_will_not_do_says_why_and_stays(
    screen: Callable[[], PathScreen], text: str, words: str
) -> None:
    async with opened(screen()) as user:
        await typed(user, text)

        await pressed(user, "enter")

        assert user.shows("Not yet: ")
        assert user.shows(words)
        assert user.results == []


async def test_a_pipe_is_refused_without_being_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    async with opened(reading()) as user:
        await typed(user, "pipe")

        await pressed(user, "enter")

        assert user.shows("this is no regular file")
        assert user.results == []


async def test_a_new_file_can_be_named_and_its_folder_is_told(folder: Path) -> None:
    async with opened(writing("Two-hens.md", suffixes=(".md",))) as user:
        await user.until(lambda: user.shows("a new file in"))

        await user.pilot.press("enter")

        assert await user.result() == "Two-hens.md"


async def test_typing_replaces_the_name_of_the_default_and_keeps_its_folder_and_suffix() -> None:
    async with opened(writing("Sub/Two-hens.md")) as user:
        await user.pilot.press("o", "n", "e")

        assert field(user).value == "Sub/one.md"


async def test_tab_completes_as_far_as_there_is_one_way_and_shows_the_names() -> None:
    async with opened(reading()) as user:
        await typed(user, "no")

        await pressed(user, "tab")

        assert field(user).value == "not"
        assert user.shows("notes.md   notice.txt")


async def test_tab_completes_a_folder_and_goes_on_in_it() -> None:
    async with opened(reading()) as user:
        await typed(user, "S")

        await pressed(user, "tab")
        assert field(user).value == "Sub/"
        await pressed(user, "tab")

        assert field(user).value == "Sub/inner.json"


async def test_tab_takes_another_case_where_the_written_one_fits_nothing() -> None:
    async with opened(reading()) as user:
        await typed(user, "sub")

        await pressed(user, "tab")

        assert field(user).value == "Sub/"


async def test_hidden_names_are_offered_only_for_a_dot() -> None:
    async with opened(reading()) as user:
        await user.until(lambda: user.shows("notes.md"))
        assert not user.shows(".hidden.md")

        await typed(user, ".")
        assert user.shows(".hidden.md")


async def test_only_names_that_would_do_are_offered_beside_folders() -> None:
    async with opened(reading(suffixes=(".md",))) as user:
        await typed(user, "n")
        assert not user.shows("notice.txt")

        await pressed(user, "tab")

        assert field(user).value == "notes.md"


async def test_a_tilde_is_the_home_folder_and_a_name_with_one_is_a_name(folder: Path) -> None:
    (folder / "~draft.md").write_text("")
    async with opened(reading()) as user:
        await typed(user, "~d")
        await pressed(user, "tab")
        assert field(user).value == "./~draft.md"

        await typed(user, "~")
        await pressed(user, "tab")
        assert field(user).value == "~/"


async def test_a_hostile_name_is_shown_harmlessly_and_used_exactly(folder: Path) -> None:
    (folder / EVIL).write_text("")
    async with opened(reading()) as user:
        await typed(user, "a")
        assert user.shows("a␛]0;owned␇␊[b].md")

        await pressed(user, "tab")
        shown = field(user).value
        await user.pilot.press("enter")

        assert shown == "a␛]0;owned␇␊[b].md"
        assert await user.result() == EVIL


async def test_a_file_in_a_hostile_folder_with_broken_bytes_is_reached_exactly(folder: Path) -> None:
    evil = os.fsdecode(b"z\xff\x1b")
    (folder / evil).mkdir()
    (folder / evil / "plain.md").write_text("")
    async with opened(reading()) as user:
        await typed(user, "z")
        await pressed(user, "tab", "tab")
        shown = field(user).value
        await user.pilot.press("enter")

        assert shown == "z\ufffd␛/plain.md"
        assert await user.result() == f"{evil}/plain.md"


async def test_a_name_typed_as_it_is_shown_is_understood_however_quickly(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / EVIL).write_text("")
    async with opened(reading()) as user:
        field(user).value = "sub/a␛]0;owned␇␊[b].md"
        await field(user).action_submit()  # Enter, before anything has been looked at

        assert await user.result() == f"sub/{EVIL}"


async def test_two_names_that_look_the_same_are_told_apart(folder: Path) -> None:
    (folder / "q\x80.md").write_text("")
    (folder / "q\x81.md").write_text("")
    async with opened(reading()) as user:
        await typed(user, "q")
        assert user.shows("q\ufffd.md   q\ufffd.md (2)")

        await typed(user, "q\ufffd.md (2)")
        await user.pilot.press("enter")

        assert await user.result() in ("q\x80.md", "q\x81.md")


async def test_a_pasted_path_is_taken_exactly_without_the_line_end_after_it(folder: Path) -> None:
    (folder / "two  blanks.md").write_text("")
    async with opened(reading()) as user:
        field(user).focus()
        field(user).post_message(events.Paste("two  blanks.md\n"))
        await user.until(lambda: field(user).value == "two  blanks.md")

        await user.pilot.press("enter")

        assert await user.result() == "two  blanks.md"


async def test_many_names_are_cut_and_counted(folder: Path) -> None:
    for number in range(100):
        (folder / f"m{number:03}").write_text("")
    async with opened(reading()) as user:
        await typed(user, "m")

        assert user.shows("… and 40 more")


async def test_escape_leaves_without_a_path() -> None:
    async with opened(reading("notes.md")) as user:
        await user.pilot.press("escape")

        assert await user.result() is None


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13])
async def test_it_can_be_left_at_any_moment_while_what_was_typed_is_looked_at(turns: int) -> None:
    async with opened(writing()) as user:
        field(user).value = "x"
        for _ in range(turns):
            await asyncio.sleep(0)
        user.screen.dismiss(None)
        field(user).post_message(Input.Changed(field(user), "y"))

        assert await user.result() is None
        await user.app.workers.wait_for_complete()
