"""What was read over a session: cut into columns, thinned, and never more than so much of it."""

import tracemalloc

import pytest

from foundry_tui.metrics.machine_history import MachineHistory, Series, reading_of
from tests.support.machine import GIB, MIB, S, a_gpu, a_sample


def history_of(count: int, *, step_s: float = 0.5, begin_s: float = 100.0) -> MachineHistory:
    """Memory of the engine grows by 1 MiB with each reading."""
    history = MachineHistory()
    for number in range(count):
        history.take(reading_of(a_sample(begin_s + number * step_s, rss=number * MIB)))
    return history


def test_a_reading_sums_memory_and_power_over_gpus_and_takes_the_busiest() -> None:
    gpus = (a_gpu(used=2 * GIB, busy=0.2, power=50.0), a_gpu(used=3 * GIB, busy=0.9, power=70.0))

    reading = reading_of(a_sample(1, gpus=gpus))

    assert reading.of(Series.VRAM) == 5 * GIB
    assert reading.of(Series.ENGINE_VRAM) == 2 * GIB
    assert reading.of(Series.GPU) == 0.9
    assert reading.of(Series.POWER) == 120.0


def test_a_sum_is_not_known_where_one_gpu_does_not_tell() -> None:
    gpus = (a_gpu(), a_gpu(process=None, power=None))

    reading = reading_of(a_sample(1, gpus=gpus))

    assert reading.of(Series.ENGINE_VRAM) is None
    assert reading.of(Series.POWER) is None


def test_the_power_of_the_processors_is_the_rise_of_their_counter_over_its_time() -> None:
    history = MachineHistory()
    found = []
    for at_s, package_j in ((10.0, 500.0), (10.5, 515.0), (10.6, 518.0), (11.6, 538.0)):
        history.take(reading_of(a_sample(at_s, package_j=package_j)))
        assert history.newest is not None
        found.append(history.newest.of(Series.PACKAGE_POWER))

    assert found[0] is None
    assert found[1:] == pytest.approx([30.0, 30.0, 20.0])
    assert history.has(Series.PACKAGE_POWER)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((10.0, 500.0), (11.5, 515.0)),
        ((10.0, 500.0), (10.5, 7.0)),
        ((10.0, None), (10.5, 515.0)),
        ((10.0, 500.0), (10.5, None)),
        ((10.0, 500.0), (10.0, 515.0)),
    ],
    ids=["readings are missing", "began anew", "not read before", "not read", "no time"],
)
def test_no_power_is_told_over_what_was_not_read(
    before: tuple[float, float | None], after: tuple[float, float | None]
) -> None:
    history = MachineHistory()
    for at_s, package_j in (before, after):
        history.take(reading_of(a_sample(at_s, package_j=package_j)))

    assert history.newest is not None
    assert history.newest.of(Series.PACKAGE_POWER) is None
    assert not history.has(Series.PACKAGE_POWER)


def test_a_column_of_power_has_the_mean_of_its_readings() -> None:
    history = MachineHistory()
    for at_s, package_j in ((10.0, 0.0), (10.5, 10.0), (11.0, 30.0), (11.5, 60.0)):
        history.take(reading_of(a_sample(at_s, package_j=package_j)))

    columns = history.columns(10 * S, 12 * S, 2)

    assert columns[Series.PACKAGE_POWER] == [20.0, 50.0]


def test_a_column_has_the_mean_of_shares_and_the_largest_of_memory() -> None:
    history = MachineHistory()
    for at_s, cpu, rss in ((10.0, 0.2, 5), (10.5, 0.4, 9), (11.0, 0.9, 1)):
        history.take(reading_of(a_sample(at_s, cpu=cpu, rss=rss)))

    columns = history.columns(10 * S, 12 * S, 2)

    assert [round(value or 0, 3) for value in columns[Series.CPU]] == [0.3, 0.9]
    assert columns[Series.ENGINE_RAM] == [9, 1]


def test_a_reading_stands_for_what_follows_it_but_not_for_long() -> None:
    history = MachineHistory()
    history.take(reading_of(a_sample(10, rss=7)))
    history.take(reading_of(a_sample(14, rss=8)))

    columns = history.columns(10 * S, 16 * S, 12)

    assert columns[Series.ENGINE_RAM] == [7, 7, 7, None, None, None, None, None, 8, 8, 8, None]


def test_what_was_never_known_has_no_line() -> None:
    history = history_of(3)

    assert history.has(Series.ENGINE_RAM)
    assert not history.has(Series.GPU)
    assert history.columns(100 * S, 101 * S, 2)[Series.GPU] == [None, None]


def test_before_the_first_reading_nothing_is_known() -> None:
    history = MachineHistory()

    assert history.newest is None
    assert history.begin_ns is None
    assert history.columns(0, S, 3)[Series.CPU] == [None, None, None]


def test_all_of_a_long_session_can_be_cut_and_its_peak_is_not_lost() -> None:
    history = MachineHistory()
    day_s = 24 * 3600
    for at_s in range(0, day_s, 8):
        rss = GIB if at_s == 800 else MIB
        history.take(reading_of(a_sample(at_s, rss=rss, cpu=0.5)))

    columns = history.columns(0, day_s * S, 100)

    assert columns[Series.ENGINE_RAM][0] == GIB
    assert set(columns[Series.ENGINE_RAM][1:]) == {MIB}
    assert {round(value or 0, 6) for value in columns[Series.CPU]} == {0.5}


def test_the_newest_half_hour_is_kept_reading_by_reading() -> None:
    history = history_of(8_000)
    end_ns = 100 * S + 8_000 * S // 2

    columns = history.columns(end_ns - 1800 * S, end_ns, 3600)

    assert columns[Series.ENGINE_RAM] == [number * MIB for number in range(4_400, 8_000)]


def test_a_week_takes_no_more_memory_than_a_day() -> None:
    tracemalloc.start()
    try:
        history = MachineHistory()
        sizes = []
        for number in range(16_000):
            history.take(reading_of(a_sample(number * 40.0, rss=number * MIB)))
            if number in (6_000, 15_999):
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()

    assert sizes[1] < sizes[0] * 1.2 + 100_000
    assert sizes[1] < 3_000_000
