"""Limits and goodput of a benchmark, as options, a plan file and a results file say them."""

import argparse
import json
from pathlib import Path

import pytest

from foundry_tui.cli.bench import add_commands
from foundry_tui.cli.bench_wishes import Wishes, wishes_of
from foundry_tui.config.plan_file import load_plan
from foundry_tui.domain.bench import GoodputLimits, MemoryRescue, RunLimits
from foundry_tui.domain.errors import BadInput
from foundry_tui.metrics.goodput import LIMITS
from foundry_tui.reports.plan_json import plan_object
from tests.support.benches import plan


def wishes(*options: str) -> Wishes:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    return wishes_of(parser.parse_args(["bench", *options]), {})


def a_plan(tmp_path: Path, content: object) -> str:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("15 min", 900),
        ("8h", 28_800),
        ("1h30m", 5400),
        ("0.5d", 43_200),
    ],
)
def test_a_limit_of_time_is_told_in_the_usual_ways(text: str, seconds: float) -> None:
    assert wishes("--time-limit", text).limits == RunLimits(max_s=seconds)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("5GB", 5_000_000_000),
        ("5 GiB", 5 << 30),
        ("2g", 2 << 30),
        ("500 MB", 500_000_000),
        ("1.5k", 1536),
        ("0", 0),
        ("123", 123),
        ("7b", 7),
    ],
)
def test_a_limit_of_the_disk_is_told_in_the_usual_units(text: str, count: int) -> None:
    assert wishes("--min-free-disk", text).limits == RunLimits(min_free_disk_bytes=count)


@pytest.mark.parametrize("text", ["85", "85C", "85°C", " 85.0 "])
def test_a_limit_of_heat_is_in_degrees_celsius(text: str) -> None:
    assert wishes("--max-temperature", text).limits == RunLimits(max_temperature_c=85)


@pytest.mark.parametrize(
    ("option", "text"),
    [
        *(("--time-limit", text) for text in ("", "0", "-5", "h", "1h30", "8 hours later", "1e9", "nan")),
        *(("--min-free-disk", text) for text in ("", "-1", "five", "5 parsecs", "5gbb")),
        *(("--max-temperature", text) for text in ("", "0", "500", "hot", "nan")),
        *(
            ("--goodput", text)
            for text in ("", "fast", "ttft", "ttft=0", "ttft=1,ttft=2", "tpot=1", "ttft=x")
        ),
        ("--on-out-of-memory", "panic"),
    ],
)
def test_what_cannot_be_meant_is_refused(option: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        wishes(option, text)

    assert option in capsys.readouterr().err


def test_goodput_is_known_by_name_or_limit_by_limit() -> None:
    assert wishes("--goodput", "Chat").goodput == LIMITS["chat"]
    assert wishes("--goodput", "per-token=0.1, ttft=1.50s").goodput == GoodputLimits(
        name="ttft=1.5,per-token=0.1", ttft_s=1.5, per_token_s=0.1
    )
    assert wishes("--goodput", "ttft=2").goodput == GoodputLimits(name="ttft=2", ttft_s=2, per_token_s=None)


def test_nothing_said_limits_nothing_and_unloads_only_what_was_loaded_for_the_run() -> None:
    made = wishes()

    assert (made.limits, made.goodput, made.stops_repetition) == (RunLimits(), None, None)
    assert made.rescue is MemoryRescue.OWN


def test_options_are_stronger_than_the_plan_file_one_by_one(tmp_path: Path) -> None:
    path = a_plan(
        tmp_path,
        {
            "limits": {"max_s": 60, "max_temperature_c": 80},
            "goodput": "batch",
            "stops_repetition": True,
            "out_of_memory": "all",
        },
    )
    told = wishes("--plan", path)
    overruled = wishes(
        *("--plan", path, "--time-limit", "2h", "--goodput", "chat"),
        *("--no-stop-repetition", "--on-out-of-memory", "none"),
    )

    assert told.limits == RunLimits(max_s=60, max_temperature_c=80)
    assert (told.goodput, told.stops_repetition, told.rescue) == (LIMITS["batch"], True, MemoryRescue.ALL)
    assert overruled.limits == RunLimits(max_s=7200, max_temperature_c=80)
    assert overruled.goodput == LIMITS["chat"]
    assert (overruled.stops_repetition, overruled.rescue) == (False, MemoryRescue.NONE)


def test_a_plan_as_results_have_it_is_read_back_whole(tmp_path: Path) -> None:
    planned = plan(
        stops_repetition=False,
        rescue=MemoryRescue.NONE,
        limits=RunLimits(max_s=60, min_free_disk_bytes=1 << 30, max_temperature_c=85.5),
        goodput=GoodputLimits(name="ours", ttft_s=1, per_token_s=None),
    )

    entries = load_plan(Path(a_plan(tmp_path, plan_object(planned))))

    assert (entries.stops_repetition, entries.rescue) == (False, MemoryRescue.NONE)
    assert (entries.limits, entries.goodput) == (planned.limits, planned.goodput)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"limits": {"max_s": 0}}, "/limits/max_s"),
        ({"limits": {"max_hours": 8}}, "/limits/max_hours"),
        ({"limits": {"max_temperature_c": 900}}, "/limits/max_temperature_c"),
        ({"goodput": "fast"}, "/goodput"),
        ({"goodput": {"ttft_s": -1}}, "/goodput"),
        ({"out_of_memory": "panic"}, "/out_of_memory"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_at_its_place(
    tmp_path: Path, content: object, place: str
) -> None:
    with pytest.raises(BadInput, match=place):
        load_plan(Path(a_plan(tmp_path, content)))
