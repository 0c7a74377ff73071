"""The time before each token as bars: no stall is lost, and what was not measured is not drawn as nought."""

import pytest

from foundry_tui.metrics.gaps import GapTrack
from foundry_tui.tui.screens.bench.ink import Ink
from foundry_tui.tui.screens.bench.timing import Timing, timing_of
from tests.support.timed import trace


def drawn(gaps_ms: list[float], *, width: int = 60, height: int = 5) -> Timing:
    return timing_of(GapTrack.of(trace(gaps_ms)), width=width, height=height, is_plain=True)


def texts(timing: Timing) -> list[str]:
    return ["".join(text for text, _ in line) for line in timing.lines]


def test_bars_stand_on_whole_decades() -> None:
    # 10 to 1,000 ms in four rows of eight steps: 100 ms is half of the way, 1,000 ms all of it.
    lines = texts(drawn([10.0, 100.0, 1000.0]))

    assert lines == [
        " 1,000   8",
        "   100   8",
        "        88",
        "    10 188",
        "       2 4",
    ]


def test_a_stall_is_marked_by_its_ink() -> None:
    timing = drawn([20.0] * 10 + [900.0] + [20.0] * 10)

    stalls = {text for line in timing.lines for text, ink in line if ink is Ink.STALL}
    assert stalls
    assert any(ink is Ink.BAR for line in timing.lines for _, ink in line)


def test_where_chunks_share_a_column_the_longest_wait_of_them_is_shown() -> None:
    gaps = [20.0] * 400
    gaps[123] = 900.0

    timing = drawn(gaps)
    assert timing.for_each == 8  # 400 gaps on 53 cells
    assert any(ink is Ink.STALL for _, ink in timing.lines[0])
    assert texts(timing)[-1].split() == ["2", "401"]


def test_chunks_of_one_read_have_no_bar_but_a_point() -> None:
    lines = texts(drawn([20.0, 0.0, 20.0]))

    assert lines[-2].endswith("8.8")
    assert not any("." in line for line in lines[:-2])


@pytest.mark.parametrize(("gaps", "size"), [([], (60, 5)), ([10.0], (8, 5)), ([10.0], (60, 1))])
def test_without_a_gap_or_without_room_there_is_nothing(gaps: list[float], size: tuple[int, int]) -> None:
    assert drawn(gaps, width=size[0], height=size[1]) == Timing()
