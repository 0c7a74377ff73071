"""A recorded answer at any of its moments, and the clock of a player; times in ms, sent at 1000."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import ResourceReading
from foundry_tui.domain.chat import ChunkKind, Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.gaps import WaitKind
from foundry_tui.metrics.latency import live_rate
from foundry_tui.metrics.replay import SPEEDS, Playback, Replay, ReplayPhase
from foundry_tui.reports.replay import chunk_words, clock_words, nothing_words, phase_words, resource_words
from tests.support.timed import MS, trace
from tests.support.traces import random_trace

S = 1_000_000_000
MIB = 1 << 20


def halting() -> GenerationTrace:
    """Headers at 40, text at 100, 110, 120, 620, 630; the end at 700."""
    made = trace([10, 10, 500, 10], ttft_ms=100)
    return replace(made, headers_ns=1040 * MS, end_ns=1700 * MS)


def reading(at_ms: int, rss_mib: int) -> ResourceReading:
    return ResourceReading(at_ns=at_ms * MS, rss_bytes=rss_mib * MIB)


@pytest.mark.parametrize(
    ("at_ms", "phase", "count"),
    [
        (0, ReplayPhase.HEADERS, 0),
        (39, ReplayPhase.HEADERS, 0),
        (40, ReplayPhase.PREFILL, 0),
        (99, ReplayPhase.PREFILL, 0),
        (100, ReplayPhase.STREAMING, 1),
        (125, ReplayPhase.STREAMING, 3),
        (630, ReplayPhase.STREAMING, 5),
        (699, ReplayPhase.STREAMING, 5),
        (700, ReplayPhase.ENDED, 5),
        (9_999, ReplayPhase.ENDED, 5),
        (-5, ReplayPhase.HEADERS, 0),
    ],
)
def test_each_moment_has_its_phase_and_the_chunks_that_had_come(
    at_ms: int, phase: ReplayPhase, count: int
) -> None:
    moment = Replay(halting()).moment(at_ms * MS)

    assert (moment.phase, moment.count) == (phase, count)


def test_a_moment_tells_the_gap_before_its_newest_chunk_and_for_how_long_nothing_came() -> None:
    replay = Replay(halting())

    first, halted, after = (replay.moment(at_ms * MS) for at_ms in (105, 420, 620))

    assert (first.gap_ns, first.kind, first.silent_ns) == (100 * MS, WaitKind.FIRST, 5 * MS)
    assert (halted.gap_ns, halted.kind, halted.silent_ns) == (10 * MS, WaitKind.GAP, 300 * MS)
    assert (after.gap_ns, after.kind, after.silent_ns) == (500 * MS, WaitKind.STALL, 0)


def test_nothing_is_silent_any_more_once_it_has_ended() -> None:
    assert Replay(halting()).moment(700 * MS).silent_ns == 0


def test_the_rate_at_each_chunk_is_what_a_live_screen_said_then() -> None:
    made = trace([float(3 + n % 7) for n in range(2500)])
    replay = Replay(made)

    for count in (1, 2, 50, 2048, 2049, 2501):
        moment = replay.moment(replay.position_ns(count - 1))

        assert moment.count == count
        assert moment.rate == live_rate(made.chunks[:count])


def test_what_is_asked_in_any_order_is_answered_alike() -> None:
    forward = Replay(halting())
    at_ms = [0, 110, 620, 700, 125, 630, 100]

    told = [forward.moment(ms * MS) for ms in at_ms]

    assert told == [Replay(halting()).moment(ms * MS) for ms in at_ms]


def test_a_stall_is_judged_by_what_was_known_then_whatever_was_asked_before() -> None:
    replay = Replay(trace([10.0, 260.0, *[10.0] * 9], ttft_ms=100))

    replay.moment(replay.length_ns)
    then, later = replay.moment(370 * MS), replay.moment(381 * MS)

    # Three medians of 10 and 260 ms are more than 260; of 10, 260 and 10 ms they are not.
    assert (then.gap_ns, then.kind) == (260 * MS, WaitKind.GAP)
    assert (later.count, [stall.index for stall in replay.stalls]) == (4, [2])


def test_steps_go_to_arrivals_and_to_both_ends() -> None:
    replay = Replay(halting())

    assert [replay.next_chunk_ns(ms * MS) for ms in (0, 100, 119, 630, 700)] == [
        *(100 * MS, 110 * MS, 120 * MS, 700 * MS),
        None,
    ]
    assert [replay.previous_chunk_ns(ms * MS) for ms in (700, 630, 101, 100, 0)] == [
        *(630 * MS, 620 * MS, 100 * MS, 0),
        None,
    ]


def test_chunks_of_one_read_are_one_step() -> None:
    replay = Replay(trace([0, 0, 10], ttft_ms=100))

    assert replay.next_chunk_ns(0) == 100 * MS
    assert replay.moment(100 * MS).count == 3
    assert replay.next_chunk_ns(100 * MS) == 110 * MS


def test_a_step_to_a_stall_goes_where_it_begins() -> None:
    replay = Replay(trace([10, 500, 10, 10, 10, 900, 10], ttft_ms=100))

    assert [stall.index for stall in replay.stalls] == [2, 6]
    assert replay.next_stall_ns(0) == 110 * MS
    assert replay.next_stall_ns(110 * MS) == 640 * MS
    assert replay.next_stall_ns(640 * MS) is None
    assert replay.previous_stall_ns(1600 * MS) == 640 * MS
    assert replay.previous_stall_ns(110 * MS) is None


def test_memory_is_that_of_the_newest_reading_and_none_where_it_is_too_old() -> None:
    readings = [reading(900, 5), reading(1100, 6), reading(1200, 7), reading(9000, 8)]
    replay = Replay(replace(halting(), end_ns=4000 * MS), readings)

    told = {ms: replay.moment(ms * MS).resources for ms in (0, 99, 100, 250, 2200, 2201)}

    assert {ms: one and one.rss_bytes and one.rss_bytes // MIB for ms, one in told.items()} == {
        0: 5,
        99: 5,
        100: 6,
        250: 7,
        2200: 7,
        2201: None,
    }


def test_memory_of_two_lives_with_the_same_clock_readings_is_unknown() -> None:
    readings = [reading(1100, 6), reading(1200, 7), reading(1050, 90)]

    assert Replay(halting(), readings).moment(150 * MS).resources is None


def test_memory_of_another_life_does_not_disturb() -> None:
    readings = [reading(90_000, 6), reading(90_100, 7), reading(1050, 90)]

    found = Replay(halting(), readings).moment(150 * MS).resources

    assert found == reading(1050, 90)


def test_a_request_that_was_never_sent_begins_with_its_call() -> None:
    made = trace(sent_ms=None, has_text=False, outcome=Outcome.TIMEOUT)
    replay = Replay(replace(made, call_ns=500 * MS, end_ns=5500 * MS))

    assert replay.length_ns == 5 * S
    assert replay.moment(4 * S).phase is ReplayPhase.HEADERS
    assert nothing_words(replay) == "No text came. It ended after 5.00 s with the status timeout"


def test_a_request_of_which_nothing_is_known_has_ended_at_once() -> None:
    made = trace(sent_ms=None, has_text=False, outcome=Outcome.SKIPPED)
    replay = Replay(replace(made, call_ns=None, end_ns=None, error="no room"))

    assert replay.length_ns == 0
    assert replay.moment(0).phase is ReplayPhase.ENDED
    assert nothing_words(replay) == "No text came. It ended with the status skipped: no room"


def test_text_without_read_headers_was_waited_for_as_text() -> None:
    assert Replay(trace()).moment(0).phase is ReplayPhase.PREFILL


@pytest.mark.parametrize("seed", range(200))
def test_any_record_can_be_asked_for_any_moment(seed: int) -> None:
    made = random_trace(seed)
    replay = Replay(made)
    counts = []

    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        moment = replay.moment(replay.share_ns(share))
        counts.append(moment.count)
        assert 0 <= moment.at_ns <= replay.length_ns
        assert moment.silent_ns >= 0
        assert chunk_words(replay, moment)
        assert phase_words(replay, moment)

    assert counts == sorted(counts)
    assert counts[-1] == len(made.chunks)


def test_words_of_a_moment_name_the_silence_and_the_stall() -> None:
    replay = Replay(halting())

    halted, after = replay.moment(420 * MS), replay.moment(620 * MS)

    assert chunk_words(replay, halted) == "chunk 3 of 5 · +10.0 ms · silent for 300 ms"
    assert chunk_words(replay, after) == "chunk 4 of 5 · +500.0 ms, a stall"
    assert clock_words(replay, halted, 0.25) == "0.420 s of 0.700 s at 0.25x"


def test_memory_that_is_not_known_says_so() -> None:
    assert resource_words(None) == "memory n/a"
    assert resource_words(reading(0, 612)) == "memory 612 MiB · VRAM n/a · CPU n/a · free n/a"


def test_a_reasoning_chunk_is_text_like_any_other() -> None:
    replay = Replay(trace([10], kind=ChunkKind.REASONING))

    assert replay.moment(105 * MS).phase is ReplayPhase.STREAMING


# --- the clock of the player


def test_a_playback_goes_with_the_clock_and_stops_at_its_end() -> None:
    playing = Playback(length_ns=2 * S).played(10.0)

    assert [playing.position_ns(now_s) for now_s in (9.0, 10.0, 11.5, 12.0, 99.0)] == [
        *(0, 0, S * 3 // 2),
        *(2 * S, 2 * S),
    ]
    assert [playing.plays(now_s) for now_s in (10.0, 11.9, 12.0)] == [True, True, False]


@pytest.mark.parametrize(("speed", "position_ms"), [(0.25, 250), (1.0, 1000), (4.0, 4000), (16.0, 10_000)])
def test_its_speed_counts_from_when_it_was_set(speed: float, position_ms: int) -> None:
    playing = Playback(length_ns=10 * S).at_speed(speed, 5.0).played(5.0)

    assert playing.position_ns(6.0) == position_ms * MS
    assert playing.at_speed(1.0, 6.0).position_ns(6.0) == position_ms * MS


def test_pausing_keeps_the_place_and_playing_at_the_end_begins_anew() -> None:
    paused = Playback(length_ns=2 * S).played(0.0).paused(1.0)

    assert (paused.position_ns(50.0), paused.plays(50.0)) == (S, False)
    assert paused.played(50.0).position_ns(50.5) == S * 3 // 2
    assert paused.moved(2 * S, 50.0).played(60.0).position_ns(60.0) == 0


def test_moving_goes_on_only_if_it_played() -> None:
    playing = Playback(length_ns=2 * S).played(0.0)

    assert playing.moved(S, 0.5).position_ns(0.75) == S * 5 // 4
    assert playing.paused(0.5).moved(S, 0.5).position_ns(0.75) == S
    assert playing.moved(-5, 0.5).position_ns(0.5) == 0
    assert playing.moved(99 * S, 0.5).position_ns(0.5) == 2 * S


def test_speeds_have_a_highest_and_a_lowest() -> None:
    playback = Playback(length_ns=S)
    fastest = slowest = playback
    for _ in range(2 * len(SPEEDS)):
        fastest, slowest = fastest.faster(0.0), slowest.slower(0.0)

    assert (fastest.speed, slowest.speed) == (64.0, 0.25)
    assert (playback.faster(0.0).speed, playback.slower(0.0).speed) == (2.0, 0.5)


def test_a_playback_of_nothing_has_ended() -> None:
    assert not Playback(length_ns=0).played(0.0).plays(0.0)


def test_a_clock_that_jumps_by_ages_is_survived() -> None:
    playing = Playback(length_ns=2**62, speed=64.0).played(0.0)

    assert playing.position_ns(1e300) == 2**62
