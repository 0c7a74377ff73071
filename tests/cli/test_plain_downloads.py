"""Downloads in plain mode: what is said before, what is asked, the queue by numbers, and how it ends."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import foundry_tui
from foundry_tui.domain.downloads import DownloadFailure, Partial
from foundry_tui.domain.models import ModelVariant
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.services.downloads.facade import DownloadQueue
from foundry_tui.services.setup import LicensePolicy
from tests.cli.plain_sitting import MODEL, SHELF, Heard, Sitting, heard, sitting
from tests.support.download_rig import until
from tests.support.downloads import ScriptedDownloads
from tests.support.supervised import SupervisedScript

TINY = Path(foundry_tui.__file__).parent / "demo" / "tiny"
LARGE = replace(SHELF[1], license_text="Be kind.\x1b[31m\nAlways.", path=str(TINY))
OTHER = replace(LARGE, id="other-cpu:1", alias="other", license="Apache-2.0", license_text="Other.")
QUESTION = "Do you agree to this licence, and is large-instruct-npu:3 to be downloaded? Yes or no?"


def shelf(*models: ModelVariant) -> SupervisedScript:
    return SupervisedScript(models=models or (LARGE, OTHER))


def told(end: Heard) -> list[str]:
    lines = end.lines
    return lines[lines.index(f"Questions go to {MODEL}.") + 1 :]


async def under_way(sat: Sitting) -> None:
    """Have the large one downloaded, up to its first bytes."""
    sat.type("/download large", "yes")
    await sat.until("is in the queue.")
    await seen(sat, lambda queue: queue.running is not None)


async def seen(sat: Sitting, holds: Callable[[DownloadQueue], object]) -> None:
    """Wait until something holds of the queue."""
    assert sat.services.care is not None
    await until(sat.services.care.downloads, holds)


def has_come(done_bytes: int) -> Callable[[DownloadQueue], bool]:
    return lambda queue: queue.running is not None and queue.running.progress.done_bytes == done_bytes


async def test_before_a_download_size_room_memory_and_licence_are_said_and_agreement_is_asked(
    tmp_path: Path,
) -> None:
    end = await heard(tmp_path, "/download large", "no", "/downloads", engine=shelf())

    lines = told(end)
    assert end.code == 0
    assert lines[:5] == [
        "Download: large-instruct-npu:3.",
        "Size: 8.38 GiB.",
        "Needs: 8.80 GiB = 1.05 times 8.38 GiB.",
        "Free: 93.1 GiB.",
        "Disk: enough room: 84.3 GiB stay free.",
    ]
    assert any(line.startswith("Memory: does not fit: needs about ") for line in lines)
    assert lines[-6:] == [
        "Licence: MIT, as its publisher declares it; not agreed to yet.",
        "Be kind.␛[31m",
        "Always.",
        QUESTION,
        "Nothing was downloaded.",
        "Nothing is being downloaded.",
    ]


async def test_a_licence_that_was_agreed_to_is_not_asked_about_again(tmp_path: Path) -> None:
    second = replace(LARGE, id="large-instruct-npu:4", alias="newer")

    end = await heard(
        tmp_path, "/download large", "yes", "/download newer", "/downloads", engine=shelf(LARGE, second)
    )

    assert end.code == 0
    assert end.lines.count(QUESTION) == 1
    assert "Licence: MIT, you agreed to it." in end.lines
    assert [line.partition(",")[0] for line in end.lines[-2:]] == [
        "1: large-instruct-npu:3",
        "2: large-instruct-npu:4",
    ]


async def test_what_the_settings_deny_is_not_downloaded(tmp_path: Path) -> None:
    end = await heard(
        tmp_path,
        *("/download large", "/downloads"),
        engine=shelf(),
        licenses=LicensePolicy(deny=("mit",)),
    )

    assert end.code == 1
    assert end.lines[-3:] == [
        'large-instruct-npu:3 is not downloaded: its licence is MIT, denied by your rule "mit" in'
        " licenses.deny.",
        "What to do: choose another model, or change licenses.deny: /settings licenses.",
        "Nothing is being downloaded.",
    ]


async def test_where_there_is_no_room_nothing_is_asked_and_the_numbers_are_said(tmp_path: Path) -> None:
    giant = replace(LARGE, size_bytes=400_000_000_000)

    end = await heard(tmp_path, "/download large", "/downloads", engine=shelf(giant))

    assert end.code == 1
    assert "Disk: not enough room: 298 GiB are missing." in end.lines
    assert QUESTION not in end.lines
    assert end.lines[-1] == "Nothing is being downloaded."


async def test_what_cannot_run_here_is_only_downloaded_by_whoever_wants_it_all_the_same(
    tmp_path: Path,
) -> None:
    useless = replace(LARGE, license_text=None, license="free", unavailable="needs an NPU")

    end = await heard(tmp_path, "/download large", "n", "/models large", engine=shelf(useless))

    assert f"This machine cannot run it: needs an NPU. {QUESTION}" in end.lines
    assert "Nothing was downloaded." in end.lines
    assert end.lines[-1].endswith("licence free, cannot run here: needs an NPU.")


async def test_what_is_here_is_not_downloaded_again(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/download small")

    assert end.lines[-1] == "small-instruct-cpu:1 is on this machine already."


async def test_the_queue_is_paused_put_in_order_put_off_resumed_and_cancelled_by_number(
    tmp_path: Path,
) -> None:
    end = await heard(
        tmp_path,
        *("/download large", "yes", "/download other", "yes", "/pause 1", "/pause 2", "/downloads"),
        *("/queue 2 earlier", "/downloads", "/resume 2", "/queue 1 tonight", "/queue 2 outlive"),
        *("/downloads", "/cancel 1", "/cancel large", "/clear", "/downloads"),
        engine=shelf(),
    )

    lines = end.lines
    first, second = (
        lines.index("2 downloads, 2 not ended."),
        len(lines) - lines[::-1].index("2 downloads, 2 not ended."),
    )
    assert end.code == 0
    assert lines[first + 1 : first + 6] == [
        "1: large-instruct-npu:3, paused.",
        "2: other-cpu:1, paused.",
        "other-cpu:1 comes earlier.",
        "2 downloads, 2 not ended.",
        "1: other-cpu:1, paused.",
    ]
    assert lines[first + 7] == "large-instruct-npu:3 goes on as soon as its turn comes."
    assert lines[second].startswith("1: other-cpu:1, starts at ")
    assert lines[second + 1].endswith(" Goes on when the app is quit.")
    assert "other-cpu:1 was cancelled." in lines
    assert lines[-2:] == ["What has ended is out of the list.", "Nothing is being downloaded."]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/pause", "It is not clear which one."),
        ("/pause 3", "There is no download in the last list yet."),
        ("/resume nobody", "There is no download of nobody."),
        ("/queue 1 sideways", "A download goes earlier, later, tonight or outlive."),
        ("/download nobody", "There is no model nobody."),
    ],
)
async def test_what_is_not_in_the_queue_is_told_with_what_to_do(
    line: str, problem: str, tmp_path: Path
) -> None:
    end = await heard(tmp_path, "/downloads", line, engine=shelf())

    assert end.code == 1
    assert problem in end.lines
    assert end.lines[-1].startswith("What to do: ") or line == "/pause 3"


async def test_what_was_left_in_the_middle_is_listed_and_removed_after_a_yes_or_resumed(
    tmp_path: Path,
) -> None:
    left = [
        Partial(model_id=name, path=f"/cache/{name}", disk_bytes=size, touched_unix=0.0, is_locked=False)
        for name, size in (("gone:1", 5 * 1024**2), ("large-instruct-npu:3", 1024**2))
    ]
    runner = ScriptedDownloads(left=left)

    end = await heard(
        tmp_path,
        *("/downloads", "/cancel 1", "no", "/cancel 1", "yes", "/downloads", "/resume 1", "y"),
        *("/downloads",),
        engine=shelf(),
        downloads=runner,
    )

    lines = told(end)
    assert end.code == 0
    assert lines[0] == "No downloads, 0 not ended; 2 unfinished downloads on disk beside them."
    assert lines[1].startswith("1: gone:1, left in the middle, 5.00 MiB on disk, last written ")
    assert runner.freed == ["/cache/gone:1"]
    assert "It was removed; 5.00 MiB became free." in lines
    assert "Size: 8.38 GiB, 1.00 MiB of it are here." in lines
    assert lines[-2] == "1 download, 1 not ended."


async def test_how_far_it_is_is_said_in_words_and_its_end_without_being_asked(tmp_path: Path) -> None:
    async with sitting(tmp_path, engine=shelf()) as sat:
        await under_way(sat)
        sat.downloads.last.flow(4_500_000_000)
        await seen(sat, has_come(4_500_000_000))
        sat.type("/downloads")
        await sat.until("50 percent, 4.19 GiB of 8.38 GiB")
        sat.downloads.last.finish()
        await sat.until("large-instruct-npu:3 is downloaded, checked and on this machine.")
        sat.type("/quit")

        assert await sat.code() == 0


async def test_a_download_that_is_given_up_is_told_with_the_reason(tmp_path: Path) -> None:
    async with sitting(tmp_path, engine=shelf()) as sat:
        await under_way(sat)
        sat.downloads.last.fail(DownloadFailure.NOT_FOUND, "no such \x1b[31mmodel")

        await sat.until("The download of large-instruct-npu:3 was given up: ")
        await sat.until("no such ␛[31mmodel")


async def test_waiting_ends_when_nothing_is_under_way_and_what_came_can_be_used(tmp_path: Path) -> None:
    async with sitting(tmp_path, engine=shelf()) as sat:
        await under_way(sat)
        sat.downloads.last.flow(1_000_000)
        sat.type("/wait", "/use large")
        sat.engine.put(replace(LARGE, is_cached=True))
        sat.downloads.last.finish()
        await sat.until("Questions go to large-instruct-npu:3.")
        await sat.until("is downloaded, checked and on this machine.\nNothing is being downloaded.")


async def test_a_cancelled_download_keeps_what_is_here_unless_that_is_to_go_too(tmp_path: Path) -> None:
    async with sitting(tmp_path, engine=shelf()) as sat:
        await under_way(sat)
        sat.downloads.last.flow(1024**2)
        await seen(sat, has_come(1024**2))
        sat.type("/cancel", "no")
        await sat.until("was cancelled. What is here is kept: /resume goes on with it.")
        sat.type("/cancel 1", "yes")
        await sat.until("was cancelled; 1.00 MiB became free.")

        assert sat.downloads.begun[0].kills == 1


THEIRS = "Do you agree to this licence, and is the server to download {}? Yes or no?"


def server(*model_ids: str) -> SupervisedScript:
    """One that downloads those for itself, all under one licence."""
    offered = [replace(LARGE, id=model_id, alias=model_id.partition(":")[0]) for model_id in model_ids]
    return SupervisedScript(ScriptedConfig(offered=model_ids), models=(*SHELF, *offered))


async def test_a_server_that_downloads_for_itself_is_told_to_after_a_yes(tmp_path: Path) -> None:
    end = await heard(
        tmp_path, "/download theirs:1", "no", "/download theirs:1", "yes", engine=server("theirs:1")
    )

    assert end.code == 0
    assert end.lines.count(THEIRS.format("theirs:1")) == 2
    assert "Nothing was downloaded." in end.lines
    assert end.lines[-1] == "theirs:1 is on the server."


async def test_a_server_is_told_at_once_where_the_licence_was_agreed_to(tmp_path: Path) -> None:
    end = await heard(
        tmp_path,
        *("/download theirs:1", "yes", "/download more:1"),
        engine=server("theirs:1", "more:1"),
    )

    assert end.code == 0
    assert end.lines[-2:] == ["Licence: MIT, you agreed to it.", "more:1 is on the server."]
    assert THEIRS.format("more:1") not in end.lines


async def test_a_server_is_not_told_to_download_what_the_settings_deny(tmp_path: Path) -> None:
    end = await heard(
        tmp_path, "/download theirs:1", engine=server("theirs:1"), licenses=LicensePolicy(deny=("mit",))
    )

    assert end.code == 1
    assert end.lines[-2].startswith(
        'theirs:1 is not downloaded: its licence is MIT, denied by your rule "mit"'
    )
