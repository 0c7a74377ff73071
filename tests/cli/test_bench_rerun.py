"""``foundry-tui bench --rerun-flagged``: marked rounds, measured again by the real program."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import BenchPlan, ModelRun, PlannedPrompt, Run, RunStatus
from foundry_tui.domain.bench_conditions import RequestConditions
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.resources import Throttle
from foundry_tui.metrics.attempts import standing
from foundry_tui.reports.results import results_json, results_object
from tests.cli.program import COMMAND, Ended, environment, one_process, run_async
from tests.support.bench_schedules import PROMPT, good_model, slowly
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.reruns import MODELS, again_run, first_made, second_made
from tests.support.timed import request, trace

MARKED = (3, 4)
ID = "beef" * 8


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def results_in(end: Ended) -> Any:
    content = json.loads(end.out)
    jsonschema.validate(content, json_schema("results"))
    return content


def timed(content: Any) -> "list[Any]":
    return [request for request in content["requests"] if request["phase"] == "timed"]


def a_throttled_run(data_dir: Path) -> None:
    """Keep a run of five rounds like each other, in two of which a GPU was held back."""
    run = Run(
        id=ID,
        name="",
        plan=BenchPlan(models=("a",), prompts=(PlannedPrompt(id="p1", text=PROMPT),), rounds=5, warmup=1),
        status=RunStatus.COMPLETED,
        started_unix_ms=1_767_355_200_000,
        ended_unix_ms=1_767_355_260_000,
        environment=(("engine", "openai"),),
        path="endpoint",
        models=(ModelRun(model="a", model_id="a", outcome=Outcome.COMPLETED),),
    )
    requests = [
        replace(
            request(number, trace(completion=10), model="a"),
            model_id="a",
            conditions=RequestConditions(throttles=(Throttle.HEAT,) if number in MARKED else ()),
        )
        for number in range(1, 6)
    ]
    file = data_dir.parent / "throttled.json"
    file.write_text(results_json(results_object(run, requests)))
    (end,) = one_process([["runs", "import", str(file)]], data_dir=data_dir)
    assert end.code == 0, end.err


async def test_the_marked_rounds_are_measured_again_and_both_are_in_every_format(data_dir: Path) -> None:
    a_throttled_run(data_dir)
    async with scripted_endpoint(good_model, Setting(models=("a",))) as endpoint:
        foretold = await run_async(
            *("bench", "--rerun-flagged", ID[:8], "--dry-run", "--endpoint", endpoint.url), data_dir=data_dir
        )
        end = await run_async(
            *("bench", "--rerun-flagged", ID[:8], "--endpoint", endpoint.url, "--json"), data_dir=data_dir
        )
    shown, table, report, refused = one_process(
        [
            ["runs", "show", ID],
            ["runs", "export", ID, "--format", "csv"],
            ["report", ID],
            ["bench", "--resume", ID],
        ],
        data_dir=data_dir,
    )

    content = results_in(end)
    assert (foretold.code, foretold.out) == (0, "a: rounds 3 to 4 (a GPU was held back)\n")
    assert end.code == 0, end.err
    assert "2 timed requests measured again: a: rounds 3 to 4 (a GPU was held back)" in end.err
    assert [(one["round"], one["attempt"], one["superseded"]) for one in timed(content)] == [
        *((number, 1, number in MARKED) for number in range(1, 6)),
        *((number, 2, False) for number in MARKED),
    ]
    assert content["summary"][0]["rounds_ok"] == 5
    assert content["run"]["status"] == "completed"
    for text in (shown.out, report.out):
        assert "rounds 3 to 4 (a GPU was held back): " in text
        assert "the numbers use the second of these, and both are kept" in text
    assert len(table.out.splitlines()) == 1 + len(content["requests"])
    assert "nothing is left of it" in refused.err


async def test_a_kill_in_the_middle_costs_at_most_the_request_in_flight(data_dir: Path) -> None:
    a_throttled_run(data_dir)
    async with scripted_endpoint(slowly, Setting(models=("a",))) as endpoint:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "bench", "--rerun-flagged", ID, "--endpoint", endpoint.url),
            cwd=data_dir.parent,
            env=environment(data_dir),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        assert process.stderr is not None
        async with asyncio.timeout(60):
            while b"round 3: " not in (line := await process.stderr.readline()):
                assert line
        process.kill()
        await process.communicate()
        (killed,) = one_process([["runs", "show", ID, "--json"]], data_dir=data_dir)
        end = await run_async(
            *("bench", "--resume", ID, "--endpoint", endpoint.url, "--json"), data_dir=data_dir
        )

    assert results_in(killed)["run"]["status"] == "interrupted"
    assert [one["round"] for one in timed(results_in(killed)) if one["attempt"] == 2] == [3]
    assert end.code == 0, end.err
    slots = Counter((one["round"], one["attempt"]) for one in timed(results_in(end)))
    assert slots == {**{(number, 1): 1 for number in range(1, 6)}, (3, 2): 1, (4, 2): 1}
    assert len(results_in(end)["run"]["reruns"]) == 1


async def test_what_cannot_be_is_told_before_anything_is_begun(data_dir: Path) -> None:
    a_throttled_run(data_dir)
    other, planned, both, unknown = one_process(
        [
            ["bench", "--rerun-flagged", ID, "--rounds", "3"],
            ["bench", "--rerun-flagged", ID, "--deterministic"],
            ["bench", "--rerun-flagged", ID, "--resume", ID],
            ["bench", "--rerun-flagged", "nosuch"],
        ],
        data_dir=data_dir,
    )
    async with scripted_endpoint(good_model, Setting(models=("b",))) as endpoint:
        gone = await run_async("bench", "--rerun-flagged", ID, "--endpoint", endpoint.url, data_dir=data_dir)

    assert [end.code for end in (other, planned, both, unknown, gone)] == [2] * 5
    assert "--rerun-flagged goes on with the plan of that run, which --rounds cannot change" in other.err
    assert "which --deterministic or --cold-start cannot change" in planned.err
    assert "resume the run first" in both.err
    assert "no run 'nosuch'" in unknown.err
    assert "a is not here any more" in gone.err
    assert "begin a new run" in gone.err


def test_a_comparison_and_a_history_take_each_slot_once(data_dir: Path) -> None:
    run, every = again_run(), [*first_made(), *second_made()]
    later = replace(run, id="b" * 32, started_unix_ms=run.started_unix_ms + 10**7, reruns=())
    plain = [replace(one, attempt=1) for one in standing(every)]
    for made, requests in ((run, every), (later, plain)):
        (data_dir.parent / f"{made.id}.json").write_text(results_json(results_object(made, requests)))
    files = [str(data_dir.parent / f"{made.id}.json") for made in (run, later)]

    _, compared, past = one_process(
        [
            ["runs", "import", *files],
            ["compare", f"{run.id}/{MODELS[0]}", f"{later.id}/{MODELS[0]}", "--json"],
            ["runs", "history", MODELS[0], "--json"],
        ],
        data_dir=data_dir,
    )

    (pair,) = json.loads(compared.out)["comparisons"]
    for measure in pair["measures"].values():
        assert (measure["pairs"], measure["ratio"]) == (20, 1.0)
        assert (measure["unpaired_a"], measure["unpaired_b"]) == (0, 0)
    first, second = json.loads(past.out)["runs"]
    assert (first["n"], first["median"]) == (second["n"], second["median"])
    assert first["n"] == 20
