"""How far a transfer is, how fast, and since when nothing came, from looks at it.

An arrival is a reading in which more bytes are here than in the last arrival.  The first reading in which
the transfer flows is the baseline: what is here by then was fetched in an earlier life, and is no speed.  So
is one in which fewer bytes are here than before: something is fetched once more.

- share = done / total.  done is the most that was ever read, so neither goes back.
- speed = (b_k - b_j) / (t_k - t_j), in bytes/s.  k is the newest arrival; j is the newest one, or the
  baseline, that is at least ``WINDOW_S`` older than k, else the oldest there is.  It ends at an arrival and
  not at the clock, so that it stays put while a runtime that reports in bursts is silent.  Undefined until
  j and k are ``LEAST_SPAN_S`` apart.
- eta = (total - here) / speed, in s.  here is what the newest reading says, which is less than done while
  something is fetched once more.
- A silence is a stall from twice the longest wait in the window on, at least ``STALL_S`` and at most
  ``LONGEST_WAIT_S``.  While it lasts the speed is 0: nothing comes.  An arrival after a silence of
  ``LONGEST_WAIT_S`` begins a new window, so that a minute without a network is not part of the mean.

It assumes that readings are taken several times in ``LEAST_SPAN_S``; taken seldom, arrivals look late by up
to the time between two.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from foundry_tui.domain.downloads import DownloadPhase, DownloadReading, TransferProgress

__all__ = [
    "LEAST_SPAN_S",
    "LONGEST_WAIT_S",
    "STALL_S",
    "WINDOW_S",
    "TransferTrack",
    "observed",
    "progress",
]

WINDOW_S = 10.0
LEAST_SPAN_S = 1.0
STALL_S = 5.0
LONGEST_WAIT_S = 15.0

_NS_PER_S = 1_000_000_000
_WINDOW_NS = int(WINDOW_S * _NS_PER_S)
_LONGEST_WAIT_NS = int(LONGEST_WAIT_S * _NS_PER_S)
_FLOWING = frozenset({DownloadPhase.FLOWING, DownloadPhase.DONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferTrack:
    """What of the readings so far is still needed: never more than those of one window.

    Attributes:
        done_bytes: The most that was ever read.
        here_bytes: What the newest reading said.
        fetched_bytes: What came since the baseline, what came once more among it.
        total_bytes: As the newest reading that knew it said.
        arrivals: Clock reading and bytes of the baseline and the arrivals, oldest first; empty until it
            flows.
        since_ns: Clock reading of the last sign of life: an arrival, or a change of phase.
        phase: As the newest reading said.
    """

    done_bytes: int
    here_bytes: int
    fetched_bytes: int
    total_bytes: int | None
    arrivals: tuple[tuple[int, int], ...]
    since_ns: int
    phase: DownloadPhase


def observed(track: TransferTrack | None, reading: DownloadReading) -> TransferTrack:
    """``track`` with one reading more; None is one that has seen nothing.

    Readings come in the order of their clock; one that does not counts as taken at the newest.
    """
    here_bytes = max(0, reading.done_bytes)
    if track is None:
        return TransferTrack(
            done_bytes=here_bytes,
            here_bytes=here_bytes,
            fetched_bytes=0,
            total_bytes=reading.total_bytes,
            arrivals=((reading.at_ns, here_bytes),) if reading.phase in _FLOWING else (),
            since_ns=reading.at_ns,
            phase=reading.phase,
        )
    at_ns = max(reading.at_ns, track.since_ns)
    has_more = here_bytes > track.here_bytes
    is_new_phase = reading.phase is not track.phase
    seen = replace(
        track,
        done_bytes=max(track.done_bytes, here_bytes),
        here_bytes=here_bytes,
        total_bytes=track.total_bytes if reading.total_bytes is None else reading.total_bytes,
        since_ns=at_ns if has_more or is_new_phase else track.since_ns,
        phase=reading.phase,
    )
    if reading.phase not in _FLOWING:
        return replace(seen, arrivals=())
    if not track.arrivals or here_bytes < track.here_bytes:
        return replace(seen, arrivals=((at_ns, here_bytes),))
    if not has_more:
        return seen
    is_after_stall = at_ns - track.since_ns > _LONGEST_WAIT_NS
    before = () if is_after_stall else track.arrivals
    return replace(
        seen,
        fetched_bytes=track.fetched_bytes + here_bytes - track.here_bytes,
        arrivals=_within_window((*before, (at_ns, here_bytes))),
    )


def progress(track: TransferTrack, now_ns: int) -> TransferProgress:
    """What the module's formulas say at ``now_ns``, of the same clock as the readings.

    Never negative and never NaN; the share never falls from one call to the next as long as the total
    stays what it is.
    """
    done, total = track.done_bytes, track.total_bytes
    rest_bytes = None if total is None or total <= 0 else max(0, total - track.here_bytes)
    silence_s = max(0, now_ns - track.since_ns) / _NS_PER_S
    is_stalled = track.phase is not DownloadPhase.DONE and silence_s > _patience_s(track.arrivals)
    bytes_per_s = 0.0 if is_stalled and track.arrivals else _speed(track.arrivals)
    return TransferProgress(
        done_bytes=done,
        total_bytes=total,
        share=min(1.0, done / total) if total is not None and total > 0 else None,
        bytes_per_s=bytes_per_s,
        eta_s=rest_bytes / bytes_per_s if rest_bytes is not None and bytes_per_s else None,
        stalled_s=silence_s if is_stalled else 0.0,
    )


def _speed(arrivals: Sequence[tuple[int, int]]) -> float | None:
    if not arrivals:
        return None
    (first_ns, first_bytes), (last_ns, last_bytes) = arrivals[0], arrivals[-1]
    span_s = (last_ns - first_ns) / _NS_PER_S
    return (last_bytes - first_bytes) / span_s if span_s >= LEAST_SPAN_S else None


def _within_window(arrivals: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """All arrivals that the speed needs: the last one that is a window old, and those after it."""
    begin_ns = arrivals[-1][0] - _WINDOW_NS
    older = sum(1 for at_ns, _ in arrivals if at_ns <= begin_ns)
    return arrivals[max(0, older - 1) :]


def _patience_s(arrivals: Sequence[tuple[int, int]]) -> float:
    longest_ns = max((later - earlier for (earlier, _), (later, _) in pairwise(arrivals)), default=0)
    return min(max(STALL_S, 2 * longest_ns / _NS_PER_S), LONGEST_WAIT_S)
