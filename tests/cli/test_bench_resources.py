"""What a run took of the machine, from a measurement by the program to its files and back."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from foundry_tui.config.schema import json_schema
from tests.cli.program import run, run_async
from tests.support.bench_schedules import PROMPT, good_model
from tests.support.endpoint import Setting, scripted_endpoint


def checked(text: str) -> dict[str, Any]:
    content = json.loads(text)
    jsonschema.validate(content, json_schema("results"))
    assert isinstance(content, dict)
    return content


async def test_a_measured_run_has_readings_on_the_clock_of_its_requests_wherever_it_is_written(
    tmp_path: Path,
) -> None:
    data_dir, out, again = tmp_path / "data", tmp_path / "out", tmp_path / "again"
    async with scripted_endpoint(good_model, Setting(models=("a",))) as endpoint:
        end = await run_async(
            *("bench", "--endpoint", endpoint.url, "--models", "a", "--prompt", PROMPT, "--json"),
            *("--rounds", "3", "--warmup", "0", "--out", str(out)),
            data_dir=data_dir,
        )
    printed = checked(end.out)
    written = checked((out / "benchmark_report.json").read_text())
    exported = run("runs", "export", "last", data_dir=data_dir)
    (tmp_path / "run.json").write_text(exported.out)
    taken_in = run("runs", "import", str(tmp_path / "run.json"), data_dir=again)
    shown = run("runs", "show", "last", "--json", data_dir=again)

    assert end.code == taken_in.code == 0
    resources = printed["resources"]
    assert written["resources"] == resources
    assert checked(exported.out)["resources"] == resources
    assert checked(shown.out)["resources"] == resources
    assert {len(column) for column in resources.values()} == {len(resources["at_ns"])}
    assert resources["at_ns"] == sorted(resources["at_ns"])
    assert all(available > 0 for available in resources["available_bytes"])
    # The engine's child stamps the requests and the program the readings: of two clocks, years lay between.
    begun_ns, ended_ns = printed["requests"][0]["call_ns"], printed["requests"][-1]["end_ns"]
    assert any(begun_ns - 10**9 <= at_ns <= ended_ns + 10**9 for at_ns in resources["at_ns"])
