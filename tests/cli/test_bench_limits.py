"""``foundry-tui bench`` left to itself: limits end it and say why, an estimate tells how long it takes."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from foundry_tui.config.schema import json_schema
from tests.cli.program import run, run_async
from tests.support.bench_schedules import PROMPT, good_model
from tests.support.endpoint import Setting, scripted_endpoint

PLAN = ("--models", "a", "--prompt", PROMPT, "--rounds", "2", "--warmup", "0")


def checked(text: str, schema: str = "results") -> dict[str, Any]:
    content = json.loads(text)
    jsonschema.validate(content, json_schema(schema))
    assert isinstance(content, dict)
    return content


async def test_a_night_that_a_limit_ended_says_why_and_goes_on_with_other_limits(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with scripted_endpoint(good_model, Setting(models=("a",))) as endpoint:
        where = ("--endpoint", endpoint.url)
        cut = await run_async(
            *("bench", *where, *PLAN, "--time-limit", "0.001s", "--goodput", "chat", "--json"),
            data_dir=data_dir,
        )
        whole = await run_async("bench", *where, "--resume", "last", "--time-limit", "1h", data_dir=data_dir)
        printed = run("bench", *where, "--resume", "last", "--json", data_dir=data_dir)

    interrupted, completed = checked(cut.out), checked(printed.out)
    assert (cut.code, interrupted["run"]["status"], interrupted["requests"]) == (1, "interrupted", [])
    assert interrupted["run"]["reason"] == "the limit of time is reached: 0 s"
    assert "0 of 2 timed requests made, 2 left out" in cut.err
    assert whole.code == 0
    assert "2 of 2 timed requests made" in whole.err
    assert "within chat (TTFT ≤ 2.00 s" in whole.out
    assert (completed["run"]["status"], completed["run"]["reason"]) == ("completed", None)
    assert completed["summary"][0]["goodput"]["judged"] == 2
    assert completed["run"]["plan"]["limits"]["max_s"] == 0.001


async def test_a_dry_run_tells_how_long_it_takes_once_something_was_measured(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    async with scripted_endpoint(good_model, Setting(models=("a", "b"))) as endpoint:
        where = ("--endpoint", endpoint.url)
        before = await run_async("bench", *where, *PLAN, "--dry-run", data_dir=data_dir)
        measured = await run_async("bench", *where, *PLAN, "--json", data_dir=data_dir)
        after = await run_async("bench", *where, "--models", "a,b", "--dry-run", "--json", data_dir=data_dir)

    run_id = checked(measured.out)["run"]["id"]
    estimate = checked(after.out, "bench-plan")["estimate"]
    assert "takes   unknown until the first answers" in before.out
    assert (estimate["runs"], estimate["requests"], estimate["unknown"]) == ([run_id], 2, ["b"])
    assert 0 < estimate["seconds"] < 60


async def test_several_concurrencies_make_a_run_each_and_a_table_of_them(tmp_path: Path) -> None:
    data_dir, out = tmp_path / "data", tmp_path / "out"
    async with scripted_endpoint(good_model, Setting(models=("a",))) as endpoint:
        end = await run_async(
            *("bench", "--endpoint", endpoint.url, "--models", "a", "--prompt", PROMPT, "--rounds", "4"),
            *("--warmup", "0", "--concurrency", "1,2", "--goodput", "batch", "--out", str(out)),
            data_dir=data_dir,
        )
        refused = run(
            "bench", "--endpoint", endpoint.url, "--concurrency", "1,2", "--json", data_dir=data_dir
        )
    kept = json.loads(run("runs", "list", "--json", data_dir=data_dir).out)["runs"]

    header, *rows = end.out.splitlines()[-3:]
    assert end.code == 0
    assert header.split()[:3] == ["MODEL", "AT", "ONCE"]
    assert [row.split()[:4] for row in rows] == [
        ["a", "1", "completed", "4/4"],
        ["a", "2", "completed", "4/4"],
    ]
    assert all(row.endswith("100 %") for row in rows)
    assert [run_["status"] for run_ in kept] == ["completed"] * 2
    for at_once in (1, 2):
        written = checked((out / f"concurrency-{at_once}" / "benchmark_report.json").read_text())
        assert written["run"]["plan"]["concurrency"] == at_once
    assert refused.code == 2
    assert "--json prints one run" in refused.err
