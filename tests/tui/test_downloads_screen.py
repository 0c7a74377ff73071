"""The queue of downloads on the screen, over the real service on a scripted runner."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.widgets import Button

from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.services.setup import LicensePolicy
from foundry_tui.tui.screens.download_offer import DownloadOfferScreen
from foundry_tui.tui.screens.download_pages import CancelDownloadScreen, DownloadDetailScreen
from foundry_tui.tui.screens.downloads import DownloadsScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.widgets.row_table import RowTable
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened
from tests.tui.queued import GIB, MIB, NIGHT_MS, NOON_MS, Queued, entry, partial, queued, variant

State = DownloadState
LEFT = variant("left-behind-cpu:2")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is shown of the time of day is the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def table(user: Opened[None]) -> RowTable:
    assert isinstance(user.screen, DownloadsScreen)
    return user.screen.table


def keys(user: Opened[None]) -> list[str]:
    return [row.key for row in table(user).rows]


def cell(user: Opened[None], key: str, column: str) -> str:
    """What stands in that row under that label."""
    place = [one.key for one in table(user).columns].index(column)
    return next(row.cells[place] for row in table(user).rows if row.key == key)


async def listed(user: Opened[None], *names: str) -> None:
    await user.until(lambda: set(names) <= set(keys(user)))
    await user.pilot.pause()  # they are painted


async def at(user: Opened[None], key: str) -> None:
    """Put the cursor there, once the row is there."""
    await user.until(lambda: table(user).move_cursor_to(key))


def left_behind(queue: Queued) -> None:
    queue.policy = LicensePolicy(allow=("*",))
    queue.models = [LEFT]
    queue.runner.left = [
        partial(LEFT.id, 700 * MIB),
        partial(None, 3 * MIB, path="/cache/odd"),
        partial("theirs:1", MIB, is_locked=True),
    ]


LEFT_PATH = "/cache/Loopback/left-behind-cpu-2"


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_an_empty_queue_names_the_next_key(size: tuple[int, int]) -> None:
    async with queued() as queue, opened(queue.screen(), size=size) as user:
        await user.until(lambda: user.shows("Nothing is being downloaded."))

        assert user.shows("d offers the variant under the cursor")


async def test_what_flows_shows_share_speed_and_time_left_and_what_is_done_stays_listed() -> None:
    async with queued(entry("a")) as queue, opened(queue.screen()) as user:
        await user.until(lambda: bool(queue.runner.begun))
        queue.runner.last.flow(512 * MIB)
        await user.until(lambda: cell(user, "a", "share") == "25 %")
        queue.pass_s(2)
        queue.runner.last.flow(64 * MIB)

        await user.until(lambda: cell(user, "a", "speed") == "32.0 MiB/s")
        assert cell(user, "a", "bytes") == "576 MiB of 2.00 GiB"
        assert cell(user, "a", "left") == "46 s"
        assert user.shows("28 %")

        queue.runner.last.finish()
        await user.until(lambda: cell(user, "a", "state") == "done")
        assert cell(user, "a", "share") == "100 %"


async def test_a_stall_is_shown_with_its_age() -> None:
    async with queued(entry("a")) as queue, opened(queue.screen()) as user:
        await user.until(lambda: bool(queue.runner.begun))
        queue.runner.last.flow(512 * MIB)
        await user.until(lambda: cell(user, "a", "share") == "25 %")

        queue.pass_s(42)

        await user.until(lambda: cell(user, "a", "state") == "stalled 42 s")
        assert cell(user, "a", "left") == ""


async def test_rows_that_say_the_same_are_not_drawn_anew() -> None:
    running = entry("a", state=State.RUNNING)
    async with queued(running, runs=False) as queue, opened(queue.screen()) as user:
        await user.until(lambda: user.shows("another process of the app does the work"))
        before = table(user).rows
        feed = queue.downloads.queue

        feed.publish(replace(feed.value, is_runner=True))
        await user.until(lambda: not user.shows("another process of the app does the work"))

        assert table(user).rows is before


async def test_pause_stops_at_once_and_the_same_key_resumes() -> None:
    async with queued(entry("a")) as queue, opened(queue.screen()) as user:
        await user.until(lambda: bool(queue.runner.begun))
        queue.runner.last.flow(512 * MIB)
        await user.until(lambda: cell(user, "a", "share") == "25 %")

        await user.pilot.press("p")
        await user.until(lambda: cell(user, "a", "state") == "paused")
        assert queue.runner.begun[0].kills

        await user.pilot.press("p")
        await user.until(lambda: len(queue.runner.begun) == 2)
        assert queue.runner.last.done_bytes == 512 * MIB


@pytest.mark.parametrize(("button", "kept_bytes"), [("keep", 512 * MIB), ("remove", 0)])
async def test_cancelling_asks_what_becomes_of_what_is_here(button: str, kept_bytes: int) -> None:
    async with queued(entry("a")) as queue, opened(queue.screen(), size=NARROW) as user:
        await user.until(lambda: bool(queue.runner.begun))
        queue.runner.last.flow(512 * MIB)
        await user.until(lambda: cell(user, "a", "share") == "25 %")

        await user.pilot.press("x")
        await user.until(lambda: isinstance(user.app.screen, CancelDownloadScreen))
        await user.until(lambda: user.shows("512 MiB of it are here"))
        user.app.screen.query_one(f"#{button}", Button).press()

        await user.until(lambda: queue.state_of("a") is State.CANCELLED)
        await user.until(lambda: queue.runner.last.done_bytes == kept_bytes)


async def test_to_stay_with_a_download_leaves_it_running() -> None:
    async with queued(entry("a")) as queue, opened(queue.screen()) as user:
        await user.until(lambda: bool(queue.runner.begun))
        queue.runner.last.flow(512 * MIB)
        await user.until(lambda: cell(user, "a", "share") == "25 %")
        await user.pilot.press("x")
        await user.until(lambda: isinstance(user.app.screen, CancelDownloadScreen))

        await user.pilot.press("enter")
        await user.until(lambda: user.app.screen is user.screen)

        assert (queue.state_of("a"), queue.runner.last.kills) == (State.RUNNING, 0)


async def test_what_has_nothing_here_yet_is_cancelled_without_a_question() -> None:
    async with queued(entry("a"), runs=False) as queue, opened(queue.screen()) as user:
        await listed(user, "a")

        await user.pilot.press("x")

        await user.until(lambda: queue.state_of("a") is State.CANCELLED)


async def test_what_failed_says_why_and_is_retried_by_a_key() -> None:
    failed = entry(
        "a", state=State.FAILED, problem="no route\x1b[2J", remedy="check it", ended_unix_ms=NOON_MS
    )
    async with queued(failed) as queue, opened(queue.screen()) as user:
        await listed(user, "a")
        assert user.shows("no route␛[2J")
        assert user.shows("→ check it")

        await user.pilot.press("r")

        await user.until(lambda: bool(queue.runner.begun))


async def test_entries_are_moved_by_keys_and_the_cursor_goes_along() -> None:
    entries = (entry("a", 1), entry("b", 2), entry("c", 3))
    async with queued(*entries, runs=False) as queue, opened(queue.screen()) as user:
        await listed(user, "a", "b", "c")

        await user.pilot.press("J", "J")
        await user.until(lambda: keys(user) == ["b", "c", "a"])
        await user.pilot.press("shift+up")
        await user.until(lambda: keys(user) == ["b", "a", "c"])

        assert table(user).cursor_key == "a"
        assert [cell(user, name, "place") for name in "bac"] == ["1", "2", "3"]


async def test_a_download_is_put_off_to_the_quiet_hour_and_back() -> None:
    def prepare(queue: Queued) -> None:
        queue.policy = LicensePolicy(allow=("*",))
        queue.models = [variant("a-generic-cpu:1")]

    async with queued(entry("a"), runs=False, prepare=prepare) as queue, opened(queue.screen()) as user:
        await listed(user, "a")

        await user.pilot.press("n")
        await user.until(lambda: cell(user, "a", "state") == "at 02:00")
        assert queue.store.kept["a"].not_before_unix_ms == NIGHT_MS

        await user.pilot.press("n")
        await user.until(lambda: cell(user, "a", "state") == "queued")


async def test_what_no_catalog_lists_is_not_put_off_and_stays_as_it_was() -> None:
    async with queued(entry("a"), runs=False) as queue, opened(queue.screen()) as user:
        await listed(user, "a")

        await user.pilot.press("n")
        await user.until(lambda: bool(user.told))

        assert "no catalog lists a-generic-cpu:1" in user.told[0]
        assert queue.state_of("a") is State.QUEUED


async def test_a_download_is_let_live_and_says_so() -> None:
    async with queued(entry("a"), runs=False) as queue, opened(queue.screen()) as user:
        await listed(user, "a")

        await user.pilot.press("o")
        await user.until(lambda: user.shows("goes on when the app is quit"))

        assert queue.store.kept["a"].outlives_app


async def test_what_has_ended_is_cleared_and_the_rest_stays() -> None:
    ended = entry("b", 2, State.DONE, ended_unix_ms=NOON_MS)
    async with queued(entry("a"), ended, runs=False) as queue, opened(queue.screen()) as user:
        await listed(user, "a", "b")

        await user.pilot.press("c")
        await user.until(lambda: keys(user) == ["a"])

        assert list(queue.store.kept) == ["a"]


@pytest.mark.parametrize("key", ["v", "enter"])
async def test_the_details_show_all_of_a_reason(key: str) -> None:
    failed = entry(
        "a", state=State.FAILED, problem="word " * 60 + "end", remedy="do it", ended_unix_ms=NOON_MS
    )
    async with queued(failed, runs=False) as queue, opened(queue.screen(), size=NARROW) as user:
        await listed(user, "a")
        assert not user.shows("word end")

        await user.pilot.press(key)
        await user.until(lambda: isinstance(user.app.screen, DownloadDetailScreen))

        await user.until(lambda: user.shows("word end"))


async def test_what_was_left_on_disk_stands_below_with_its_size() -> None:
    paused = entry("a", state=State.PAUSED)
    async with queued(paused, prepare=left_behind) as queue, opened(queue.screen(), size=NARROW) as user:
        await listed(user, "a", LEFT_PATH)

        assert keys(user) == ["a", "heading", LEFT_PATH, "/cache/odd", "/cache/Loopback/theirs-1"]
        assert cell(user, LEFT_PATH, "state") == "700 MiB left"
        assert cell(user, "/cache/Loopback/theirs-1", "state") == "in use"


async def test_what_was_left_on_disk_is_resumed_after_the_offer() -> None:
    async with queued(prepare=left_behind) as queue, opened(queue.screen()) as user:
        await at(user, LEFT_PATH)

        await user.pilot.press("p")
        await user.until(lambda: isinstance(user.app.screen, DownloadOfferScreen))
        await user.until(lambda: user.shows("700 MiB of it are here"))
        await user.pilot.press("d")

        await user.until(lambda: bool(queue.runner.begun))
        assert queue.runner.last.done_bytes == 700 * MIB


async def test_what_was_left_on_disk_is_removed_after_a_question() -> None:
    async with queued(prepare=left_behind) as queue, opened(queue.screen()) as user:
        await at(user, "/cache/odd")

        await user.pilot.press("x")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        await user.until(lambda: user.shows("3.00 MiB become free"))
        user.app.screen.query_one("#yes", Button).press()

        await user.until(lambda: queue.runner.freed == ["/cache/odd"])
        await user.until(lambda: "/cache/odd" not in keys(user))


@pytest.mark.parametrize("key", ["p", "x"])
async def test_what_another_process_is_at_work_on_is_left_alone(key: str) -> None:
    async with queued(prepare=left_behind) as queue, opened(queue.screen()) as user:
        await at(user, "/cache/Loopback/theirs-1")

        await user.pilot.press(key)
        await user.until(lambda: bool(user.told))

        assert "another process" in user.told[0]
        assert (queue.runner.freed, queue.runner.begun) == ([], [])


async def test_what_is_left_of_a_cancelled_download_is_removed_by_its_key() -> None:
    gone = entry("a", state=State.CANCELLED, ended_unix_ms=NOON_MS)

    def prepare(queue: Queued) -> None:
        queue.runner.left = [partial("a-generic-cpu:1", GIB)]

    async with queued(gone, prepare=prepare) as queue, opened(queue.screen()) as user:
        await user.until(lambda: "a" in keys(user) and cell(user, "a", "share") == "50 %")
        assert keys(user) == ["a"]

        await user.pilot.press("x")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        user.app.screen.query_one("#yes", Button).press()

        await user.until(lambda: bool(queue.runner.freed))
        await user.until(lambda: any("1.00 GiB became free" in words for words in user.told))


async def test_work_of_another_process_of_the_app_is_told() -> None:
    running = entry("a", state=State.RUNNING)

    def prepare(queue: Queued) -> None:
        assert queue.lock.other().acquire("another process")

    async with queued(running, prepare=prepare) as queue, opened(queue.screen()) as user:
        await listed(user, "a")

        await user.until(lambda: user.shows("another process of the app does the work"))
        assert user.shows("runs in another process of the app")


async def test_a_queue_that_cannot_be_written_is_told_below_it_until_it_can() -> None:
    async with queued(entry("a")) as queue, opened(queue.screen()) as user:
        await listed(user, "a")
        queue.store.fail_with = StorageProblem("the disk is full", remedy="free some space")

        await user.pilot.press("p")
        await user.until(lambda: user.shows("the disk is full"))
        queue.store.fail_with = None

        await user.until(lambda: not any("→ free some space" in line for line in user.lines()[-4:]))


async def test_hostile_names_and_folders_do_no_harm() -> None:
    evil = "\x1b]0;owned\x07[red]x[/]"

    def prepare(queue: Queued) -> None:
        queue.runner.left = [partial(None, MIB, path=f"/c/{evil}")]

    bad: Download = replace(entry("a"), model_id=evil)
    async with queued(bad, runs=False, prepare=prepare) as queue, opened(queue.screen()) as user:
        await listed(user, "a", f"/c/{evil}")

        assert user.shows("␛]0;owned␇[red]x[/]")
        assert not any("\x1b" in line or "\x07" in line for line in user.lines())

        await at(user, f"/c/{evil}")
        await user.pilot.press("v")
        await user.until(lambda: user.shows("/c/␛]0;owned␇[red]x[/]"))


async def test_many_entries_scroll_and_the_rest_of_the_box_stays() -> None:
    entries = [entry(f"m{number:02}", number) for number in range(1, 41)]
    async with queued(*entries, runs=False) as queue, opened(queue.screen(), size=NARROW) as user:
        await listed(user, "m01")

        await user.pilot.press("end")
        await user.until(lambda: user.shows("m40-generic-cpu:1") and not user.shows("m01-generic-cpu:1"))

        assert user.shows("40 waiting")
