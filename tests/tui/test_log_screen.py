"""The log view: filtered as one types, read at any width, never in the way of what comes."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.message import Message
from textual.notifications import Notification, Notify
from textual.pilot import Pilot
from textual.widgets import Input

import foundry_tui.tui.app
from foundry_tui.services.logbook import LogBook, LogLevel, LogLine
from foundry_tui.tui.screens.log import LogScreen
from foundry_tui.tui.widgets.log_lines import LogLines
from tests.tui.harness import NARROW, SOON_S, WIDE

TINY = (30, 10)
# A title, a clipboard write, controls, an override and a name of an action.
HOSTILE = "\x1b]0;owned\x07\x1b]52;c;eA==\x1b\\\x9b31m\u202e[@click=app.quit]x[/]"
SHOWN = "␛]0;owned␇␛]52;c;eA==␛\\\ufffd31m\ufffd[@click=app.quit]x[/]"


class LogApp(App[None]):
    CSS_PATH = str(Path(foundry_tui.tui.app.__file__).parent / "css" / "app.tcss")

    def __init__(self, book: LogBook) -> None:
        super().__init__()
        self._book = book

    def on_mount(self) -> None:
        self.push_screen(LogScreen(self._book))


@dataclass(kw_only=True)
class Viewed:
    """An open log view and the book behind it."""

    app: LogApp
    pilot: Pilot[None]
    book: LogBook
    logger: logging.Logger
    told: list[Notification]

    @property
    def screen(self) -> LogScreen:
        assert isinstance(self.app.screen, LogScreen)
        return self.app.screen

    @property
    def view(self) -> LogLines:
        return self.screen.log_lines

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.view.lines]

    def lines(self) -> list[str]:
        """The screen from top to bottom."""
        # What the compositor joins is what goes to the terminal; it has no public door.
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def read(self) -> list[str]:
        """The rows of the log, without frame and scrollbar."""
        return [row[2:-4].rstrip() for row in self.lines()[2:-3]]

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.lines())

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON_S):
            while not holds():
                await self.pilot.pause()  # a turn for all that is under way

    def log(self, *texts: str, level: LogLevel = LogLevel.INFO) -> None:
        for text in texts:
            self.logger.log(level, "%s", text)

    async def logged(self, *texts: str, level: LogLevel = LogLevel.INFO) -> None:
        """Log ``texts`` and wait until they are shown."""
        self.log(*texts, level=level)
        await self.until(lambda: bool(self.texts) and self.texts[-1] == texts[-1])


@asynccontextmanager
async def viewed(
    folder: Path, *texts: str, size: tuple[int, int] = WIDE, level: LogLevel = LogLevel.INFO
) -> AsyncGenerator[Viewed, None]:
    """The view over a book in which ``texts`` were logged before it opened."""
    logger = logging.getLogger(f"test-log-screen-{folder.name}")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    book = LogBook(folder, logger=logger)
    told: list[Notification] = []

    def listen(message: Message) -> None:
        if isinstance(message, Notify):
            told.append(message.notification)

    with book.attached():
        app = LogApp(book)
        app.animation_level = "none"
        async with app.run_test(size=size, notifications=True, message_hook=listen) as pilot:
            user = Viewed(app=app, pilot=pilot, book=book, logger=logger, told=told)
            await user.until(lambda: isinstance(app.screen, LogScreen))
            user.log(*texts, level=level)
            await user.until(lambda: len(user.view.lines) >= len(texts) and user.view.has_focus)
            await user.pilot.pause()  # painted
            yield user


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_an_empty_log_says_where_the_files_are(tmp_path: Path, size: tuple[int, int]) -> None:
    async with viewed(tmp_path, size=size) as user:
        assert user.shows("Nothing has been logged yet.")
        assert tmp_path.name[:20] in "".join(user.lines())
        assert user.shows("0 lines")


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_line_tells_its_time_its_level_by_word_and_its_place(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with viewed(tmp_path, "something", size=size, level=LogLevel.WARNING) as user:
        moment = time.strftime("%H:%M:%S", time.localtime(user.view.lines[0].at_unix))

        line = next(line for line in user.lines() if "something" in line)

        assert line.split()[1:] == ["▌", moment, "warning", "test-log…", "something", "│"]


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_all_keys_stand_at_the_foot(tmp_path: Path, size: tuple[int, int]) -> None:
    async with viewed(tmp_path, "x", size=size) as user:
        foot = user.lines()[-1]

        for label in ("Whole line", "1 Debug", "4 Error", "/ Filter", "y Copy", "w Write a file"):
            assert label in foot


async def test_every_action_can_be_remapped(tmp_path: Path) -> None:
    async with viewed(tmp_path) as user:
        bindings = [
            binding
            for owner in (user.screen, user.view)
            for binding in owner._bindings.key_to_bindings.values()
        ]

        ids = [entry.id for entries in bindings for entry in entries if entry.description]

        own = [name for name in ids if name is not None and name.startswith("log.")]
        assert len(own) >= 14
        assert {"log.filter", "log.copy", "log.write", "log.open", "log.last"} <= set(own)


async def test_the_end_is_followed_until_the_reader_looks_back_and_again_from_the_end(tmp_path: Path) -> None:
    async with viewed(tmp_path, *(f"early {n:02}" for n in range(50)), size=NARROW) as user:
        assert user.shows("early 49")

        await user.pilot.press("pageup", "pageup")
        before = user.read()
        await user.logged("late 1")
        assert user.read() == before
        assert user.shows("standing still")

        await user.pilot.press("end")
        assert user.shows("late 1")
        await user.logged("late 2")
        assert user.shows("late 2")


async def test_the_wheel_stops_following_and_starts_it_at_the_end(tmp_path: Path) -> None:
    async with viewed(tmp_path, *(f"early {n:02}" for n in range(50)), size=NARROW) as user:
        user.view.scroll_up(animate=False)
        await user.pilot.pause()
        assert not user.view.follows

        user.view.scroll_end(animate=False)
        await user.until(lambda: user.view.follows)
        await user.logged("late")

        assert user.shows("late")


async def test_lines_that_fall_out_of_the_book_do_not_move_what_is_read(tmp_path: Path) -> None:
    async with viewed(tmp_path, *(f"early {n:04}" for n in range(5_000)), size=NARROW) as user:
        await user.pilot.press("pageup")
        before = user.read()

        await user.logged(*(f"late {n}" for n in range(100)))

        assert user.read() == before
        assert user.texts[0] == "early 0100"


async def test_the_filter_narrows_at_each_key_by_words_level_and_source(tmp_path: Path) -> None:
    async with viewed(tmp_path, "Alpha one", "alpha two", "beta one") as user:
        await user.logged("alpha one", level=LogLevel.ERROR)

        await user.pilot.press("slash", *"alpha")
        assert user.texts == ["Alpha one", "alpha two", "alpha one"]
        await user.pilot.press(*" one")
        assert user.texts == ["Alpha one", "alpha one"]
        await user.pilot.press(*" error")
        assert user.texts == ["alpha one"]

        assert user.shows("1 of 4 lines")


async def test_enter_leaves_the_filter_in_place_and_escape_clears_it(tmp_path: Path) -> None:
    async with viewed(tmp_path, "alpha", "beta 4") as user:
        await user.pilot.press("slash", *"a 4", "enter")
        assert user.view.has_focus
        assert user.texts == ["beta 4"]

        left = user.screen.escape()
        await user.pilot.pause()  # the field's change is a message

        assert left
        assert user.texts == ["alpha", "beta 4"]
        assert user.screen.query_one(Input).value == ""
        assert not user.screen.escape()


async def test_down_goes_from_the_filter_to_the_lines_and_the_foot_says_so(tmp_path: Path) -> None:
    async with viewed(tmp_path, "alpha", "beta", size=NARROW) as user:
        await user.pilot.press("slash", "b")
        await user.until(lambda: "↓ To the lines" in user.lines()[-1])

        await user.pilot.press("down")

        assert user.view.has_focus
        assert user.texts == ["beta"]


async def test_keys_1_to_4_set_the_least_level(tmp_path: Path) -> None:
    async with viewed(tmp_path) as user:
        for level in LogLevel:
            user.log(level.word, level=level)
        await user.until(lambda: len(user.view.lines) == 4)

        seen = {}
        for key in "4321":
            await user.pilot.press(key)
            seen[key] = user.texts

        assert seen == {
            "4": ["error"],
            "3": ["warning", "error"],
            "2": ["info", "warning", "error"],
            "1": ["debug", "info", "warning", "error"],
        }


async def test_where_nothing_matches_that_is_said_with_the_way_back(tmp_path: Path) -> None:
    async with viewed(tmp_path, "alpha") as user:
        await user.pilot.press("4")

        assert user.shows("No line matches at level error or worse.")
        assert user.shows("1 shows every level, / changes the filter.")
        assert user.shows("0 of 1 line")


@pytest.mark.parametrize("size", [NARROW, WIDE, TINY])
async def test_enter_shows_a_long_line_whole_and_again_in_one_row(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    text = " ".join(f"w{n:02}" for n in range(40)) + " end"
    async with viewed(tmp_path, "first", text, size=size) as user:
        assert not user.shows("end")
        assert user.shows("…")

        await user.pilot.press("enter")
        for _ in range(40):
            if user.shows("end"):
                break
            await user.pilot.press("down")
        assert user.shows("end")

        await user.pilot.press("home", "end", "enter")
        assert not user.shows("end")


async def test_a_traceback_keeps_its_lines_when_it_is_opened(tmp_path: Path) -> None:
    async with viewed(tmp_path, "it broke\n  File x\n    code()\nValueError: no") as user:
        assert user.shows("it broke File x code() ValueError: no")

        await user.pilot.press("enter")

        shown = [row.rpartition("  ")[2] for row in user.read()[1:4]]
        assert shown == ["File x", "code()", "ValueError: no"]


async def test_an_opened_line_stays_in_place_while_lines_come_and_the_window_changes(tmp_path: Path) -> None:
    text = " ".join(f"w{n:02}" for n in range(60)) + " end"
    async with viewed(tmp_path, *(f"early {n}" for n in range(50)), text, size=WIDE) as user:
        await user.pilot.press("enter")
        before = user.read()

        await user.logged("late 1", "late 2")
        assert user.read() == before

        await user.pilot.resize_terminal(*NARROW)
        await user.until(lambda: user.shows(" end"))
        assert user.view.cursor_line is not None
        assert user.view.cursor_line.text == text


async def test_a_cursor_that_was_in_sight_is_in_sight_in_a_smaller_window(tmp_path: Path) -> None:
    async with viewed(tmp_path, *(f"early {n:02}" for n in range(80)), size=WIDE) as user:
        await user.pilot.press("up")

        await user.pilot.resize_terminal(*NARROW)
        await user.until(lambda: len(user.lines()) == NARROW[1])

        await user.until(lambda: user.shows("early 78"))
        assert not user.view.follows


async def test_the_cursor_stays_on_its_line_when_the_filter_lets_it_through(tmp_path: Path) -> None:
    async with viewed(tmp_path, "alpha 1", "beta 1", "alpha 2", "beta 2") as user:
        await user.pilot.press("home", "slash", *"alpha", "enter")
        assert user.view.cursor_line is not None
        assert user.view.cursor_line.text == "alpha 1"

        await user.pilot.press("slash", *["backspace"] * 5, *"beta", "enter")
        assert user.view.cursor_line.text == "beta 1"


async def test_copying_takes_the_lines_shown_whole_and_harmless(tmp_path: Path) -> None:
    long = "alpha " + "x" * 500
    async with viewed(tmp_path, "beta", long, f"alpha {HOSTILE}\nsecond") as user:
        await user.pilot.press("slash", *"alpha", "enter", "y")

        first, second, third = user.app.clipboard.split("\n")
        assert first.endswith(long)
        assert second.endswith(f"alpha {SHOWN}")
        assert third == "    second"
        assert [notice.message for notice in user.told] == ["2 lines copied"]


async def test_of_very_many_lines_the_newest_are_copied_and_that_is_said(tmp_path: Path) -> None:
    async with viewed(tmp_path, *(f"{n:04} " + "x" * 900 for n in range(100))) as user:
        await user.pilot.press("y")

        assert len(user.app.clipboard) <= 64_000
        assert user.app.clipboard.split("\n")[-1].endswith("0099 " + "x" * 900)
        assert "of 100 lines copied; w writes all to a file" in user.told[0].message


def written(folder: Path) -> list[Path]:
    return sorted(folder.glob("log-*.txt"))


async def test_writing_makes_a_new_file_each_time_and_says_where(tmp_path: Path) -> None:
    async with viewed(tmp_path, "alpha", f"beta {HOSTILE}") as user:
        await user.pilot.press("w")
        await user.until(lambda: len(user.told) == 1)
        await user.pilot.press("w")
        await user.until(lambda: len(user.told) == 2)

    assert {notice.message for notice in user.told} == {
        f"2 lines written to {path}" for path in written(tmp_path)
    }
    for path in written(tmp_path):
        words = path.read_text(encoding="utf-8").splitlines()
        assert [line.partition("test-log-screen-")[2].partition(": ")[2] for line in words] == [
            "alpha",
            f"beta {SHOWN}",
        ]


async def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with viewed(tmp_path / "file", "alpha") as user:
        await user.pilot.press("w")
        await user.until(lambda: bool(user.told))

        assert "log cannot be written to" in user.told[0].message
        assert user.told[0].severity == "error"


async def test_with_nothing_shown_nothing_is_copied_or_written(tmp_path: Path) -> None:
    async with viewed(tmp_path) as user:
        await user.pilot.press("y", "w")

        assert user.app.clipboard == ""
        assert [notice.message for notice in user.told] == [
            "There is nothing to copy",
            "There is nothing to write",
        ]


@pytest.mark.parametrize("size", [NARROW, WIDE, TINY])
async def test_hostile_lines_are_read_and_do_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    flood = "o\u0301\u200d\ufe0f" * 200 + "👩\u200d👩" * 100
    async with viewed(tmp_path, HOSTILE, flood, "\ud800\r\n\u2028x", size=size) as user:
        await user.pilot.press("home", "enter", "down", "enter", "down", "enter")

        rows = user.lines()
        assert {cell_len(row) for row in rows} == {size[0]}
        text = "".join(rows)
        assert not [c for c in text if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2028\ud800"]
        assert user.app.return_code is None


async def test_the_engines_log_is_read_while_the_view_is_open(tmp_path: Path) -> None:
    path = tmp_path / f"host-1-{os.getpid()}-1.log"
    path.write_bytes(b"[error] it said \xff this\n")
    async with viewed(tmp_path) as user:
        await user.until(lambda: len(user.view.lines) == 2)

        line = next(line for line in user.lines() if "it said" in line)
        assert "≤" in line
        assert "error" in line
        assert "engine" in line
        assert "[error] it said \ufffd this" in line


def line_at(at_unix: float, text: str) -> LogLine:
    return LogLine(at_unix=at_unix, level=LogLevel.INFO, source="s", text=text)


class LinesApp(App[None]):
    def compose(self) -> ComposeResult:
        yield LogLines()


async def test_ten_thousand_lines_cost_no_more_to_page_than_a_hundred() -> None:
    took_ns: dict[int, int] = {}
    for count in (100, 10_000):
        app = LinesApp()
        app.animation_level = "none"
        async with app.run_test(size=WIDE) as pilot:
            view = app.query_one(LogLines)
            view.set_lines([line_at(n, f"line {n} with some words") for n in range(count)])
            view.focus()
            await pilot.pause()  # painted once

            began_ns = time.process_time_ns()
            for _ in range(20):
                view.action_move_pages(-1)
                view.render_lines(view.scrollable_content_region.reset_offset)
            took_ns[count] = time.process_time_ns() - began_ns

    assert took_ns[10_000] < 5 * took_ns[100] + 20_000_000
