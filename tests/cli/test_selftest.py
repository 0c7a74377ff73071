"""``foundry-tui selftest``: its structure and its promises; how fast this machine is, is not asked here."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from foundry_tui.storage import FileLock
from tests.cli.program import Ended, run, run_async
from tests.support.bench_schedules import PROMPT, good_model
from tests.support.endpoint import Setting, scripted_endpoint


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Ended]:
    """One self-test as an object, with a screen, and one as a table, without; beside each other."""
    folder = tmp_path_factory.mktemp("selftest")

    async def both() -> tuple[Ended, Ended]:
        return await asyncio.gather(
            run_async("selftest", "--rounds", "1", "--json", data_dir=folder / "object"),
            run_async("selftest", "--rounds", "1", "--no-screen", data_dir=folder / "table"),
        )

    return asyncio.run(both())


@pytest.fixture(scope="module")
def content(ends: tuple[Ended, Ended]) -> dict[str, Any]:
    value = json.loads(ends[0].out)
    assert isinstance(value, dict)
    return value


def test_the_object_keeps_to_its_schema(content: dict[str, Any]) -> None:
    jsonschema.validate(content, json_schema("selftest"))

    assert content["schema"] == "foundry-tui/selftest@1"


def test_every_chunk_and_token_is_counted_under_both_conditions(content: dict[str, Any]) -> None:
    counted = {
        (clock["condition"], clock["schedule"]["name"]): (clock["exact"], clock["answers"])
        for clock in content["clocks"]
    }

    assert counted == {
        ("idle", "even"): (1, 1),
        ("idle", "quick-pairs"): (1, 1),
        ("drawing", "even"): (1, 1),
        ("drawing", "quick-pairs"): (1, 1),
    }


def test_a_screen_was_drawn_meanwhile(content: dict[str, Any]) -> None:
    assert content["frames"] > 0


def test_every_failure_is_told_apart(content: dict[str, Any]) -> None:
    seen = {
        fault["fault"]: (fault["seen"]["status"], fault["seen"]["warnings"]) for fault in content["faults"]
    }

    assert seen == {
        "error-object": ("stream_error", []),
        "early-end": ("early_end", []),
        "cut": ("disconnected", []),
        "no-done": ("completed", ["no_done"]),
        "no-text": ("empty", []),
        "not-json": ("malformed", []),
        "too-long": ("truncated", []),
        "refused": ("http_error", []),
    }


def test_the_readings_give_the_errors_that_are_told(content: dict[str, Any]) -> None:
    for answer, clock in zip(content["answers"], content["clocks"], strict=True):
        ours_ns = answer["chunk_ns"][0] - answer["sent_ns"]
        theirs_ns = answer["written_ns"][0] - answer["request_ns"]

        assert answer["schedule"] == clock["schedule"]["name"]
        assert clock["ttft"]["error_ns"]["max"] == abs(ours_ns - theirs_ns)


def test_the_exit_code_says_what_the_object_says(ends: tuple[Ended, Ended], content: dict[str, Any]) -> None:
    parts = [*content["checks"], *content["faults"]]

    assert content["passed"] == all(part["passed"] for part in parts)
    assert ends[0].code == (0 if content["passed"] else 1)


def test_the_exit_code_says_what_the_table_says(ends: tuple[Ended, Ended]) -> None:
    lines = ends[1].out.splitlines()
    rows = [line for line in lines if line.endswith(("  ok", "  NO"))]
    is_good = all(row.endswith("  ok") for row in rows)

    assert len(rows) == 2 * 4 + 8
    assert lines[-1].startswith("All within the aims." if is_good else "Not within the aims: ")
    assert ends[1].code == (0 if is_good else 1)


def test_without_a_screen_only_the_idle_clock_is_told_of(ends: tuple[Ended, Ended]) -> None:
    assert "idle" in ends[1].out
    assert "drawing" not in ends[1].out


def test_a_measurement_of_another_process_is_not_disturbed(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    lock = FileLock(data_dir / "measurement.lock")
    assert lock.acquire(f"a benchmark, process {os.getpid()}")

    end = run("selftest", data_dir=data_dir)
    lock.release()

    assert (end.code, end.out) == (1, "")
    assert "the engine is in use: a benchmark" in end.err


async def test_a_run_keeps_our_own_error_measured_first_where_that_is_wanted(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with scripted_endpoint(good_model, Setting(models=("a",))) as endpoint:
        asked = ("bench", "--endpoint", endpoint.url, "--models", "a", "--prompt", PROMPT, "--rounds", "1")

        without = await run_async(*asked, data_dir=data_dir)
        first = await run_async(*asked, "--selftest", "--json", data_dir=data_dir)
        again = await run_async(*asked, data_dir=data_dir, extra={"BENCH_SELFTEST": "1"})
        report = await run_async("report", "last", data_dir=data_dir)

    told = "first our own error is measured"
    environment = json.loads(first.out)["run"]["environment"]
    assert [told in end.err for end in (without, first, again)] == [False, True, False]
    assert environment["own_error_idle_even"].startswith("TTFT p50 ")
    assert "2 of 2 counted exactly" in environment["own_error_drawing_even"]
    assert environment["own_error_failures"] == "8 of 8 kinds told right"
    assert "own error, drawing, even: TTFT p50" in report.out
