"""What failures lead to, and when quiet hours begin."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from foundry_tui.domain.downloads import Download, DownloadFailure, DownloadState
from foundry_tui.services.downloads.retry import (
    DIED,
    PROGRESS_BYTES,
    RetryPolicy,
    after_failure,
    next_quiet_unix_ms,
)

RUNNING = Download(id="d", model_id="m:1", added_unix_ms=0, place=1, state=DownloadState.RUNNING)
POLICY = RetryPolicy(first_s=2, longest_s=60, tries=3)
BERLIN = ZoneInfo("Europe/Berlin")


def failed(
    failure: DownloadFailure | None = DownloadFailure.NETWORK,
    *,
    before: int = 0,
    fetched: int = 0,
    message: str | None = "no route",
    chance: float = 1.0,
) -> Download:
    return after_failure(
        replace(RUNNING, attempts=before),
        failure,
        message,
        fetched_bytes=fetched,
        now_unix_ms=1_000,
        policy=POLICY,
        chance=chance,
    )


def unix_ms(text: str, zone: ZoneInfo = BERLIN) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def test_waits_double_up_to_the_longest() -> None:
    assert [POLICY.wait_s(n, 1.0) for n in (1, 2, 3, 5, 6, 5000)] == [2, 4, 8, 32, 60, 60]


def test_chance_takes_off_up_to_half_of_a_wait() -> None:
    assert [POLICY.wait_s(2, chance) for chance in (0.0, 0.5, 1.0)] == [2, 3, 4]


def test_a_lost_network_is_tried_again_at_its_time() -> None:
    after = failed(before=1)

    assert after.state is DownloadState.RETRYING
    assert after.not_before_unix_ms == 1_000 + 4_000
    assert (after.attempts, after.problem, after.ended_unix_ms) == (2, "no route", None)


def test_a_process_that_died_is_tried_again_and_said_so() -> None:
    after = failed(None, message=None)

    assert after.state is DownloadState.RETRYING
    assert after.problem == DIED


def test_after_so_many_tries_it_is_given_up_with_a_remedy() -> None:
    after = failed(before=2)

    assert after.state is DownloadState.FAILED
    assert (after.attempts, after.ended_unix_ms, after.not_before_unix_ms) == (3, 1_000, None)
    assert after.remedy is not None


def test_a_try_that_brought_something_counts_as_the_first() -> None:
    after = failed(before=2, fetched=PROGRESS_BYTES)

    assert (after.state, after.attempts) == (DownloadState.RETRYING, 1)
    assert failed(before=2, fetched=PROGRESS_BYTES - 1).state is DownloadState.FAILED


@pytest.mark.parametrize("failure", sorted(set(DownloadFailure) - {DownloadFailure.NETWORK}))
def test_what_does_not_pass_by_itself_is_not_tried_again(failure: DownloadFailure) -> None:
    after = failed(failure)

    assert after.state is DownloadState.FAILED
    assert after.remedy is not None


def test_words_of_a_server_are_made_harmless() -> None:
    assert failed(message="\x1b[2J\nboom").problem == "␛[2J boom"
    assert failed(message=None).problem == "no reason was given"


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-05-01T13:00", "2026-05-02T02:00"),
        ("2026-05-01T01:59", "2026-05-01T02:00"),
        ("2026-05-01T02:00", "2026-05-02T02:00"),
        ("2026-12-31T23:00", "2027-01-01T02:00"),
    ],
)
def test_a_quiet_hour_is_the_next_on_the_clock(now: str, then: str) -> None:
    assert next_quiet_unix_ms(unix_ms(now), 2, zone=BERLIN) == unix_ms(then)


@pytest.mark.parametrize(
    ("now", "hour", "utc"),
    [
        ("2026-10-24T13:00", 2, "2026-10-25T00:00"),  # twice on that day: the first
        ("2026-10-24T13:00", 3, "2026-10-25T02:00"),
        ("2026-03-28T13:00", 2, "2026-03-29T01:00"),  # left out on that day: 3 o'clock
    ],
)
def test_a_day_of_another_length_has_its_quiet_hour_by_the_clock(now: str, hour: int, utc: str) -> None:
    expected = round(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1000)

    assert next_quiet_unix_ms(unix_ms(now), hour, zone=BERLIN) == expected


def test_without_a_zone_it_is_this_machines() -> None:
    now = unix_ms("2026-05-01T13:00")

    local = datetime.fromtimestamp(next_quiet_unix_ms(now, 4) / 1000)

    assert (local.hour, local.minute) == (4, 0)
    assert 0 < next_quiet_unix_ms(now, 4) - now <= 25 * 3_600_000
