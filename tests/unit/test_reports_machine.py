"""The machine and what happened on it, in words."""

from dataclasses import replace

import pytest

from foundry_tui.domain.engine import EndpointKind, EngineIdle, EngineInfo, EngineReady
from foundry_tui.domain.resources import Missing
from foundry_tui.domain.timeline import Happening, HappeningKind
from foundry_tui.metrics.machine_history import MachineHistory, Series, reading_of
from foundry_tui.metrics.stays import Stay, StayEnd, Taken
from foundry_tui.reports.machine import (
    absence_lines,
    cost_words,
    happening_words,
    share_words,
    shared_note,
    stay_words,
    taken_words,
    value_words,
)
from tests.support.machine import GIB, MIB, S, a_gpu, a_sample


@pytest.mark.parametrize(
    ("series", "value", "words"),
    [
        (Series.CPU, 0.254, "25 %"),
        (Series.ENGINE_RAM, 301.0 * MIB, "301 MiB"),
        (Series.POWER, 141.6, "142 W"),
        (Series.PACKAGE_POWER, 29.6, "30 W"),
        (Series.GPU, None, "n/a"),
    ],
)
def test_a_value_has_its_unit(series: Series, value: float | None, words: str) -> None:
    assert value_words(series, value) == words


def test_what_others_use_is_all_without_the_engine() -> None:
    sample = a_sample(1, used=3 * GIB, rss=GIB, gpus=(a_gpu(used=6 * GIB, process=5 * GIB),) * 2)

    assert share_words(sample) == [
        "RAM 3.00 GiB of 8.00 GiB: engine 1.00 GiB, others 2.00 GiB",
        "VRAM of 2 GPUs 12.0 GiB of 48.0 GiB: engine 10.0 GiB, others 2.00 GiB",
    ]


def test_shared_pages_make_no_others_of_less_than_nothing() -> None:
    assert share_words(a_sample(1, used=GIB, rss=2 * GIB))[0].endswith("others 0 B")


def test_what_is_missing_for_one_reason_is_one_line() -> None:
    sample, history = a_sample(1), MachineHistory()
    history.take(reading_of(sample))

    assert absence_lines(sample, history, EngineIdle()) == [
        "engine RAM: n/a, the engine is not up yet",
        "VRAM, engine VRAM, GPU load, GPU power: n/a, no driver",
    ]


def test_a_power_of_the_processors_that_cannot_be_read_has_its_reason() -> None:
    sample = a_sample(1)
    why = (Missing(field="package_energy_j", why="the counter is for root alone\x1b[31m"),)
    told = replace(sample, host=replace(sample.host, missing=why))

    lines = absence_lines(told, MachineHistory(), EngineIdle())

    assert "processor power (RAPL): n/a, the counter is for root alone␛[31m" in lines


def test_a_counter_of_which_there_is_one_reading_yet_is_not_called_missing() -> None:
    lines = absence_lines(a_sample(1, package_j=5.0), MachineHistory(), EngineIdle())

    assert not any("processor power" in line for line in lines)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.00617, "the readings take 0.62 % of a core"),
        (0.031, "the readings take 3.1 % of a core"),
        (0.0, "the readings take 0 % of a core"),
        (None, None),
    ],
)
def test_what_the_readings_themselves_take_is_said(share: float | None, words: str | None) -> None:
    assert cost_words(share) == words


def test_what_was_known_once_is_not_missing() -> None:
    history = MachineHistory()
    history.take(reading_of(a_sample(1, rss=5)))

    lines = absence_lines(a_sample(2), history, EngineIdle())

    assert not any("engine RAM" in line for line in lines)


def test_an_engine_on_another_machine_is_said_to_be_there() -> None:
    info = EngineInfo(kind=EndpointKind.OPENAI, url="http://far:1", pid=None, capabilities=())

    line = absence_lines(a_sample(1), MachineHistory(), EngineReady(info))[0]

    assert "the engine at http://far:1 is not measurable from here; the machine shown is this one" in line


@pytest.mark.parametrize(
    ("happening", "words"),
    [
        (
            Happening(at_ns=0, kind=HappeningKind.LOADED, model_id="m", took_ns=2 * S, grown_bytes=230 * MIB),
            "loaded m in 2.00 s, memory +230 MiB",
        ),
        (
            Happening(at_ns=0, kind=HappeningKind.ANSWERED, model_id="m", took_ns=S, tokens_per_s=41.25),
            "answered by m in 1.00 s, 41.2 tok/s",
        ),
        (
            Happening(at_ns=0, kind=HappeningKind.STALLED, model_id="m", took_ns=S),
            "stall of m: nothing for 1.00 s",
        ),
        (Happening(at_ns=0, kind=HappeningKind.THROTTLED, why="A card: heat"), "throttled, A card: heat"),
        (
            Happening(at_ns=0, kind=HappeningKind.ENGINE_DIED, why="killed\x1b[31m"),
            "engine died, killed␛[31m",
        ),
    ],
)
def test_what_happened_is_one_line(happening: Happening, words: str) -> None:
    assert happening_words(happening) == words


def test_a_stay_says_where_the_model_is_and_whether_the_numbers_are_its_own() -> None:
    stay = Stay(model_id="m", begun_ns=0, end=StayEnd.ENGINE_ENDED, is_shared=True)

    assert stay_words(stay) == "gone with the engine, shared"
    assert shared_note([stay]) is not None
    assert shared_note([Stay(model_id="m", begun_ns=0)]) is None


def test_memory_of_a_gpu_stands_beside_that_of_the_machine() -> None:
    assert taken_words(Taken(rss_bytes=288 * MIB, vram_bytes=5 * GIB)) == "288 MiB, GPU 5.00 GiB"
    assert taken_words(Taken(rss_bytes=-MIB), sign=True) == "-1.00 MiB"
