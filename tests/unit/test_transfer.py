"""Progress of a transfer that tells the truth, on a clock made up by hand."""

import math
import random

import pytest

from foundry_tui.domain.downloads import DownloadPhase, DownloadReading, TransferProgress
from foundry_tui.metrics.transfer import TransferTrack, observed, progress

FLOWING = DownloadPhase.FLOWING
S = 1_000_000_000
MB = 1_000_000


def read(
    at_s: float, done: int, *, total: int | None = 100 * MB, phase: DownloadPhase = FLOWING
) -> DownloadReading:
    return DownloadReading(at_ns=int(at_s * S), phase=phase, done_bytes=done, total_bytes=total)


def after(*readings: DownloadReading) -> TransferTrack:
    track: TransferTrack | None = None
    for reading in readings:
        track = observed(track, reading)
    assert track is not None
    return track


def at(now_s: float, *readings: DownloadReading) -> TransferProgress:
    return progress(after(*readings), int(now_s * S))


def test_a_first_look_knows_the_share_and_no_speed() -> None:
    seen = at(1, read(1, 25 * MB))

    assert seen == TransferProgress(
        done_bytes=25 * MB, total_bytes=100 * MB, share=0.25, bytes_per_s=None, eta_s=None, stalled_s=0.0
    )


def test_speed_and_eta_are_those_of_what_came() -> None:
    seen = at(4, read(0, 0), read(2, 10 * MB), read(4, 20 * MB))

    assert seen.bytes_per_s == 5 * MB
    assert seen.eta_s == 16.0


def test_what_was_here_already_is_no_speed() -> None:
    seen = at(
        4,
        read(0, 0, phase=DownloadPhase.STARTING),
        read(1, 60 * MB, phase=DownloadPhase.STARTING),
        read(2, 62 * MB),
        read(4, 64 * MB),
    )

    assert seen.bytes_per_s == 1 * MB
    assert seen.share == 0.64


def test_the_first_second_tells_no_speed() -> None:
    assert at(0.9, read(0, 0), read(0.9, 9 * MB)).bytes_per_s is None


def test_speed_is_that_of_the_last_ten_seconds() -> None:
    slow = [read(s, s * MB) for s in range(31)]
    fast = [read(30 + s, 30 * MB + 4 * s * MB) for s in range(1, 11)]

    assert at(40, *slow, *fast).bytes_per_s == 4 * MB


def test_a_silence_between_bursts_leaves_speed_and_eta_as_they_were() -> None:
    bursts = [read(0, 0), read(4, 20 * MB), read(8, 40 * MB)]
    silent = [read(8 + s / 4, 40 * MB) for s in range(1, 17)]

    before = at(8, *bursts)
    during = at(12, *bursts, *silent)

    assert before.bytes_per_s == 5 * MB
    assert during.bytes_per_s == 5 * MB
    assert during.stalled_s == 0.0
    assert during.eta_s == before.eta_s == 12.0


def test_a_stall_has_an_age_no_speed_and_no_eta() -> None:
    seen = at(60, *(read(s, s * MB) for s in range(11)), read(60, 10 * MB))

    assert seen.stalled_s == 50.0
    assert seen.bytes_per_s == 0.0
    assert seen.eta_s is None
    assert seen.share == 0.1


def test_a_minute_without_a_network_is_not_part_of_the_speed_afterwards() -> None:
    before = [read(s, s * MB) for s in range(11)]
    later = [read(70 + s, (11 + 2 * s) * MB) for s in range(3)]

    seen = at(72, *before, *later)

    assert seen.bytes_per_s == 2 * MB
    assert seen.stalled_s == 0.0


def test_nothing_for_long_while_it_starts_is_told_as_a_stall() -> None:
    starting = DownloadPhase.STARTING

    seen = at(30, read(0, 5 * MB, phase=starting), read(30, 5 * MB, phase=starting))

    assert seen.stalled_s == 30.0
    assert seen.bytes_per_s is None


def test_a_change_of_phase_is_a_sign_of_life() -> None:
    seen = at(31, read(0, 0, phase=DownloadPhase.STARTING), read(30, 0, phase=DownloadPhase.WAITING))

    assert seen.stalled_s == 0.0


def test_bytes_never_go_back() -> None:
    seen = at(3, read(0, 0), read(1, 30 * MB), read(2, 20 * MB), read(3, 25 * MB))

    assert seen.done_bytes == 30 * MB
    assert seen.share == 0.3


def test_what_is_fetched_once_more_is_a_speed_and_no_stall_and_the_share_waits_for_it() -> None:
    resumed = [read(0, 60 * MB), read(5, 60 * MB), read(6, 40 * MB)]
    again = [read(6 + s, (40 + s) * MB) for s in range(1, 11)]

    track = after(*resumed, *again)
    seen = progress(track, 16 * S)

    assert seen.share == 0.6
    assert seen.done_bytes == 60 * MB
    assert seen.bytes_per_s == 1 * MB
    assert seen.eta_s == 50.0
    assert seen.stalled_s == 0.0
    assert track.fetched_bytes == 10 * MB


def test_without_a_total_there_is_a_speed_but_no_share_and_no_eta() -> None:
    seen = at(2, read(0, 0, total=None), read(2, 8 * MB, total=None))

    assert seen.share is None
    assert seen.eta_s is None
    assert seen.bytes_per_s == 4 * MB


@pytest.mark.parametrize("total", [0, -5, 10])
def test_a_total_that_cannot_be_right_gives_no_nonsense(total: int) -> None:
    seen = at(2, read(0, 0, total=total), read(2, 20, total=total))

    assert seen.share in (None, 1.0)
    assert seen.eta_s in (None, 0.0)


def test_a_total_that_is_told_later_is_taken() -> None:
    assert at(1, read(0, 10, total=None), read(1, 10, total=40)).share == 0.25


def test_the_end_is_no_stall_however_long_ago_it_was() -> None:
    seen = at(900, read(0, 0), read(2, 100 * MB, phase=DownloadPhase.DONE))

    assert seen.share == 1.0
    assert seen.eta_s == 0.0
    assert seen.stalled_s == 0.0


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_read_nothing_is_negative_undefined_or_goes_back(seed: int) -> None:
    chance = random.Random(seed)
    track, at_ns, share = None, 0, 0.0
    for _ in range(300):
        at_ns += chance.choice([0, S // 4, S // 4, S, 20 * S, -S])
        phase = chance.choice([DownloadPhase.STARTING, FLOWING, FLOWING, FLOWING, DownloadPhase.WAITING])
        track = observed(track, read(at_ns / S, chance.randint(-5, 110) * MB, phase=phase))

        seen = progress(track, at_ns + chance.choice([0, S, -S]))

        assert seen.share is not None
        assert share <= seen.share <= 1.0
        assert seen.stalled_s >= 0.0
        for number in (seen.bytes_per_s, seen.eta_s):
            assert number is None or (math.isfinite(number) and number >= 0)
        share = seen.share


def test_only_what_the_window_needs_is_kept() -> None:
    track = after(*(read(s / 4, s) for s in range(4_000)))

    assert len(track.arrivals) == 41
