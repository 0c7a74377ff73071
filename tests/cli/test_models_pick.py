"""``foundry-tui models pick``: over kept runs, by limits, with exit codes and a decision record."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import ModelRun, Order, RequestRun, Run, RunStatus
from foundry_tui.domain.chat import ChunkReceived
from foundry_tui.reports.results import results_json, results_object
from tests.cli.program import Ended, one_process, run
from tests.support.runs import a_request, a_run

HOSTILE = "evil\x1b[31m|x|\n# big"
SLOW_MS = 1_000


def kept(run_id: str, models: tuple[str, ...]) -> Run:
    begun = a_run(run_id, started_unix_ms=1_000 if run_id == "a1" else 2_000)
    facts = (("device", "cpu"), ("license", "MIT"), ("disk_bytes", str(1 << 30)))
    return replace(
        begun,
        plan=replace(begun.plan, models=models, order=Order.BLOCKED),
        status=RunStatus.COMPLETED,
        models=tuple(ModelRun(model=name, model_id=f"{name}:1", facts=facts) for name in models),
    )


def answered(number: int, model: str, *, last_ms: int, rss: int) -> RequestRun:
    """Sent at 1 ms; the second and last piece comes at ``last_ms``."""
    made = a_request(number, model=model)
    trace = replace(
        made.trace,
        chunks=(
            made.trace.chunks[0],
            ChunkReceived(at_ns=last_ms * 1_000_000, text="cause", read=3),
        ),
        end_ns=last_ms * 1_000_000,
    )
    return replace(made, round=number, trace=trace, peak_rss_bytes=rss)


def file_of(made: Run, requests: list[RequestRun], folder: Path) -> str:
    path = folder / f"{made.id}.json"
    path.write_text(results_json(results_object(made, requests, ())))
    return str(path)


@pytest.fixture(scope="module")
def picked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Ended]]:
    """Two runs: of ``fast``, big, and ``small``, slow; and a newer one of a model with a hostile name."""
    folder = tmp_path_factory.mktemp("pick")
    two, hostile = kept("a1", ("fast", "small")), kept("b2", (HOSTILE,))
    fast = [answered(n, "fast", last_ms=501, rss=3 << 30) for n in range(1, 7)]
    small = [answered(n, "small", last_ms=SLOW_MS + n, rss=1 << 30) for n in range(1, 7)]
    odd = [answered(n, HOSTILE, last_ms=501, rss=1 << 30) for n in range(1, 7)]
    small = [replace(each, number=each.number + 6) for each in small]
    path = str(folder / "decision.md")
    lines = (
        ("runs", "import", file_of(two, [*fast, *small], folder), file_of(hostile, odd, folder)),
        ("models", "pick", "a1", "--json"),
        ("models", "pick", "a1", "--max-latency", "0.5", "--license", "mit,Apache-2.0"),
        ("models", "pick", "a1", "--max-memory", "2GiB", "--json"),
        ("models", "pick", "a1", "--max-latency", "0.4"),
        ("models", "pick", "a1", "--min-quality", "3", "--json"),
        ("models", "pick", "a1", "--weights", "latency=2,memory=1", "--decision", path),
        ("models", "pick", "a1", "--decision", path),
        ("models", "pick", "--decision", path, "--force"),
        ("models", "pick", "a1", "b2", "a1", "--json"),
        ("models", "pick", "zz"),
        ("models", "pick", "a1", "--limits", "latency<=0.1s license:MIT", "--max-latency", "0.5", "--json"),
        ("models", "pick", "a1", "--limits", "latency<=soon"),
    )
    return folder, one_process(lines, data_dir=folder / "data")


def told(end: Ended) -> "dict[str, Any]":
    content = json.loads(end.out)
    jsonschema.validate(content, json_schema("choice"))
    assert isinstance(content, dict)
    return content


def test_without_limits_all_fit_and_who_is_better_in_something_is_on_the_front(
    picked: tuple[Path, list[Ended]],
) -> None:
    found = told(picked[1][1])

    assert picked[1][1].code == 0
    assert [each["fit"] for each in found["candidates"]] == ["fits", "fits"]
    assert found["front"] == [0, 1]
    fast, small = found["candidates"]
    assert (fast["latency"]["e2e_s"]["value"], fast["memory"]["peak_rss_bytes"]) == (0.5, 3 << 30)
    assert small["latency"]["e2e_s"]["value"] == 1.0025
    assert found["stability"]["candidates"][0]["first"]["latency"] == 1.0


def test_limits_turn_the_list_round_and_failing_cells_say_why(picked: tuple[Path, list[Ended]]) -> None:
    by_latency, by_memory = picked[1][2], told(picked[1][3])

    assert by_latency.code == 0
    assert "small:1 does not fit: latency 1.002 s is over 0.5 s" in by_latency.out
    assert "fast:1: on the Pareto front" in by_latency.out
    assert by_memory["front"] == [1]


def test_the_tables_fit_into_80_columns(picked: tuple[Path, list[Ended]]) -> None:
    tables = picked[1][2].out.partition("does not fit")[0].splitlines()[:-1]

    assert [line for line in tables if len(line) > 80] == []
    assert "B  small:1  no        6/6  1.00 GiB  MIT" in tables
    assert any(line.startswith("B  ! 1.00 s") for line in tables)


def test_where_nobody_fits_the_exit_code_is_1(picked: tuple[Path, list[Ended]]) -> None:
    none, unknown = picked[1][4], picked[1][5]

    assert (none.code, "no candidate is known to fit" in none.err) == (1, True)
    assert unknown.code == 1
    assert {each["fit"] for each in told(unknown)["candidates"]} == {"not-known-to-fit"}
    assert told(unknown)["candidates"][0]["quality"]["unknown"] == "not scored"


def test_a_decision_is_written_once_and_over_another_only_by_force(
    picked: tuple[Path, list[Ended]],
) -> None:
    folder, ends = picked
    written, refused, forced = ends[6:9]

    assert [written.code, refused.code, forced.code] == [0, 2, 0]
    assert "by the weights latency=2, memory=1 (ranks, no distances): 1. fast:1, 2. small:1" in written.out
    assert "exists already" in refused.err
    text = (folder / "decision.md").read_text(encoding="utf-8")
    # The newest run, which is the default, is that of the hostile name.
    assert "## Run b2" in text
    assert "\x1b" not in text
    assert "\n# big" not in text


def test_several_runs_are_put_together_each_once(picked: tuple[Path, list[Ended]]) -> None:
    found = told(picked[1][9])

    assert [(each["run"], each["model"]) for each in found["candidates"]] == [
        ("a1", "fast"),
        ("a1", "small"),
        ("b2", HOSTILE),
    ]


def test_the_line_of_the_screen_is_taken_and_an_option_comes_before_it(
    picked: tuple[Path, list[Ended]],
) -> None:
    both, refused = told(picked[1][11]), picked[1][12]

    assert both["limits"] == {"max_latency_s": 0.5, "licenses": ["MIT"]}
    assert both["front"] == [0]
    assert (refused.code, "latency<=soon has no time such as 2s" in refused.err) == (2, True)


def test_a_run_that_is_not_there_is_wrong_usage(picked: tuple[Path, list[Ended]]) -> None:
    assert (picked[1][10].code, "no run 'zz'" in picked[1][10].err) == (2, True)


def test_what_cannot_be_meant_is_wrong_usage(tmp_path: Path) -> None:
    wrong = (
        ("--max-latency", "0"),
        ("--min-quality", "6"),
        ("--min-rate", "nan"),
        ("--max-memory", "much"),
        ("--license", "mit,,"),
        ("--weights", "licence=1"),
        ("--weights", "latency=1,latency=2"),
        ("--weights", "memory"),
    )

    ends = one_process([("models", "pick", *each) for each in wrong], data_dir=tmp_path / "data")

    assert [end.code for end in ends] == [2] * len(wrong)
    assert all("not '" in end.err for end in ends)


def test_without_a_run_it_says_how_to_see_them(tmp_path: Path) -> None:
    end = run("models", "pick", data_dir=tmp_path / "data")

    assert (end.code, "foundry-tui runs list" in end.err) == (2, True)
