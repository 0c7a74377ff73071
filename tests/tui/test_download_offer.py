"""The dialog before a download, over the real queue and the real licences."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.widgets import Button

from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.models import Device, ModelVariant
from foundry_tui.metrics.fit import fit
from foundry_tui.services.setup import LicensePolicy
from foundry_tui.tui.screens.download_offer import DownloadOfferScreen
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.widgets.sheet import Sheet
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened
from tests.tui.queued import GIB, MIB, NIGHT_MS, Queued, entry, partial, queued, variant

MODEL = variant()
LONG = "\n\n".join(f"Clause {number} of a licence that has many clauses." for number in range(1, 200))
ALLOWED = LicensePolicy(allow=("mit",))


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is shown of the time of day is the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def allow(queue: Queued) -> None:
    queue.policy = ALLOWED


def little_room(queue: Queued) -> None:
    allow(queue)
    queue.free_bytes = GIB
    queue.models = [replace(variant("spare-cpu:1"), is_cached=True, disk_bytes=7 * GIB)]
    queue.runner.left = [partial("half-cpu:1", 500 * MIB)]


async def looked(user: Opened[Download]) -> None:
    """Wait until the disk and the licence were looked at."""
    await user.until(lambda: any(one.label == "Licence" for one in sheet(user).paragraphs))
    await user.pilot.pause()  # it is painted


def sheet(user: Opened[Download]) -> Sheet:
    assert isinstance(user.screen, DownloadOfferScreen)
    return user.screen.sheet


def said(user: Opened[Download], label: str) -> str:
    """What stands beside that label."""
    return next(one.text for one in sheet(user).paragraphs if one.label == label)


def shown_buttons(user: Opened[Download]) -> list[str]:
    return [str(button.id).removeprefix("offer-") for button in user.screen.query(Button) if button.display]


async def test_what_was_agreed_to_before_is_downloaded_by_one_key() -> None:
    async with queued(runs=False, prepare=allow) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)

        await user.pilot.press("d")
        added = await user.result()

    assert added is not None
    assert queue.store.kept[added.id].model_id == MODEL.id
    assert (added.not_before_unix_ms, added.outlives_app) == (None, False)


async def test_a_licence_is_agreed_to_with_its_own_key_and_remembered() -> None:
    async with queued(runs=False) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)
        assert shown_buttons(user) == ["quiet", "outlive", "accept", "leave"]

        await user.pilot.press("a")

        assert await user.result() is not None
        assert [name for name, _ in queue.accepted.accepted.values()] == ["MIT"]


async def test_the_key_that_downloads_does_not_agree_to_anything() -> None:
    async with queued(runs=False) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)

        await user.pilot.press("d")
        await user.until(lambda: bool(user.told))

        assert "a accepts it" in user.told[0]
        assert (queue.store.kept, queue.accepted.accepted, user.results) == ({}, {}, [])


async def test_a_licence_that_the_policy_denies_is_named_with_its_rule_and_nothing_is_offered() -> None:
    def deny(queue: Queued) -> None:
        queue.policy = LicensePolicy(deny=("m*",))

    async with queued(runs=False, prepare=deny) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)
        assert said(user, "Licence") == "MIT, denied by your rule “m*” in licenses.deny"
        assert shown_buttons(user) == ["quiet", "outlive", "leave"]

        await user.pilot.press("a", "d")
        await user.until(lambda: len(user.told) == 2)

        assert "“m*”" in user.told[0]
        assert (queue.store.kept, queue.accepted.accepted) == ({}, {})


async def test_without_room_it_is_refused_with_what_is_missing_and_what_could_go() -> None:
    async with queued(runs=False, prepare=little_room) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)
        assert said(user, "Disk") == "not enough room: 1.10 GiB are missing"
        assert user.shows("7.00 GiB  spare-cpu:1")
        assert user.shows("500 MiB  half-cpu:1 (unfinished download)")

        await user.pilot.press("d")
        await user.until(lambda: bool(user.told))

        assert "1.10 GiB are missing" in user.told[0]
        assert queue.store.kept == {}


async def test_room_that_was_made_meanwhile_is_seen_on_looking_again() -> None:
    async with queued(runs=False, prepare=little_room) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)
        queue.free_bytes = 50 * GIB

        await user.pilot.press("r")
        await user.until(lambda: "enough room: 47.9 GiB" in said(user, "Disk"))
        await user.pilot.press("d")

        assert await user.result() is not None


async def test_the_quiet_hour_and_outliving_the_app_are_chosen_before() -> None:
    async with queued(runs=False, prepare=allow) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)
        assert user.shows("[ ] n  starts at 02:00")

        await user.pilot.press("n", "o")
        await user.until(lambda: user.shows("[x] n  starts at 02:00") and user.shows("[x] o  goes on"))
        await user.pilot.press("d")
        added = await user.result()

    assert added is not None
    assert (added.not_before_unix_ms, added.outlives_app) == (NIGHT_MS, True)


async def test_a_choice_is_taken_back_by_the_same_key() -> None:
    async with queued(runs=False, prepare=allow) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)

        await user.pilot.press("n", "n", "d")
        added = await user.result()

    assert added is not None
    assert added.not_before_unix_ms is None


async def asked_about_the_machine(user: Opened[Download]) -> None:
    await looked(user)
    await user.pilot.press("d")
    await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
    await user.until(lambda: user.shows("needs an NVIDIA GPU."))


async def test_what_this_machine_cannot_run_is_downloaded_after_a_plain_question() -> None:
    model = replace(MODEL, device=Device.GPU, unavailable="needs an NVIDIA GPU")
    async with queued(runs=False, prepare=allow) as queue, opened(queue.offer(model)) as user:
        await asked_about_the_machine(user)

        user.app.screen.query_one("#yes", Button).press()

        assert await user.result() is not None
        assert len(queue.store.kept) == 1


async def test_a_no_to_that_question_leads_back_to_the_offer() -> None:
    model = replace(MODEL, device=Device.GPU, unavailable="needs an NVIDIA GPU")
    async with queued(runs=False, prepare=allow) as queue, opened(queue.offer(model)) as user:
        await asked_about_the_machine(user)

        await user.pilot.press("enter")
        await user.until(lambda: user.app.screen is user.screen)
        await user.app.workers.wait_for_complete()

        assert (queue.store.kept, user.results) == ({}, [])


async def test_a_queue_that_cannot_be_written_is_told_and_nothing_closes() -> None:
    async with queued(runs=False, prepare=allow) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)
        queue.store.fail_with = StorageProblem("the disk is full", remedy="free some space")

        await user.pilot.press("d")
        await user.until(lambda: bool(user.told))

        assert "the disk is full" in user.told[0]
        assert user.results == []


async def test_a_model_that_is_on_its_way_is_told_to_be() -> None:
    there = replace(entry("phi-4-mini", state=DownloadState.PAUSED), model_id=MODEL.id)
    async with queued(there, runs=False, prepare=allow) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)

        assert said(user, "Queue") == "paused"


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_the_whole_licence_can_be_scrolled_to_while_the_buttons_stay(size: tuple[int, int]) -> None:
    model = replace(MODEL, license_text=LONG)
    async with queued(runs=False) as queue, opened(queue.offer(model), size=size) as user:
        await looked(user)
        assert not user.shows("Clause 199")

        await user.pilot.press("end")
        await user.until(lambda: user.shows("Clause 199"))

        assert user.shows("a  Accept the licence and download")


async def test_the_arithmetic_of_the_memory_is_folded_away_and_back() -> None:
    need = fit(file_bytes=None, catalog_bytes=2 * GIB, available_ram_bytes=9 * GIB)
    async with queued(runs=False) as queue, opened(queue.offer(MODEL, need)) as user:
        await looked(user)
        assert user.shows("weights packed for the processor")

        await user.pilot.press("m")
        await user.until(lambda: not user.shows("weights packed for the processor"))
        await user.pilot.press("m")

        await user.until(lambda: user.shows("weights packed for the processor"))


async def test_hostile_words_of_a_catalog_are_shown_harmlessly() -> None:
    evil = "\x1b]52;c;c2VjcmV0\x07[red]x[/]"
    model: ModelVariant = replace(
        MODEL, id=f"m{evil}:1", display_name=evil, publisher=evil, license=evil, license_text=evil * 3
    )
    async with queued(runs=False) as queue, opened(queue.offer(model)) as user:
        await looked(user)

        assert said(user, "Model").startswith("m␛]52;c;c2VjcmV0␇[red]x[/]")
        assert not any("\x1b" in line or "\x07" in line for line in user.lines())
        assert user.shows("␛]52;c;c2VjcmV0␇[red]x[/]␛]52")


async def test_escape_leaves_without_a_download() -> None:
    async with queued(runs=False, prepare=allow) as queue, opened(queue.offer(MODEL)) as user:
        await looked(user)

        await user.pilot.press("escape")

        assert await user.result() is None
        assert queue.store.kept == {}
