"""``foundry-tui runs`` and ``report``: what was measured, kept, handed on and taken in."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from tests.cli.program import Ended, one_process, run, run_async
from tests.support.bench_schedules import PROMPT, good_model
from tests.support.endpoint import Setting, scripted_endpoint

HOSTILE_NAME = "=HYPERLINK(1) \x1b[31m|red|\n# big"
WORKSHOP = [
    {
        "alias": "phi-4-mini",
        "latency_avg": 3.1,
        "latency_p95": 3.4,
        "tokens_per_sec_avg": 44.2,
        "rounds": 3,
        "first_token_latency_avg": 0.4,
    },
    {"alias": "qwen2.5-0.5b", "latency_avg": 1.0, "latency_p95": 1.1, "tokens_per_sec_avg": 90, "rounds": 3},
]


@pytest.fixture
async def measured(tmp_path: Path) -> Path:
    """A data directory with two runs; the newer one has a hostile name and model."""
    data_dir = tmp_path / "data"
    setting = Setting(models=("a", "=cmd|' /C calc'!A0"))
    async with scripted_endpoint(good_model, setting) as endpoint:
        arguments = ("bench", "--endpoint", endpoint.url, "--prompt", PROMPT, "--rounds", "2")
        await run_async(*arguments, "--models", "a", "--name", "older", data_dir=data_dir)
        await run_async(*arguments, "--name", HOSTILE_NAME, data_dir=data_dir)
    return data_dir


def runs_in(end: Ended) -> "list[dict[str, Any]]":
    content = json.loads(end.out)
    jsonschema.validate(content, json_schema("run-list"))
    listed: list[dict[str, Any]] = content["runs"]
    return listed


async def test_runs_are_listed_shown_exported_taken_in_again_and_deleted(measured: Path) -> None:
    path = measured.parent / "run.json"
    file = str(path)

    (listing,) = one_process([("runs", "list", "--json")], data_dir=measured)
    newer, older = runs_in(listing)
    ends = one_process(
        [
            ("runs", "list"),
            ("runs", "list", "--limit", "1", "--json"),
            ("runs", "show", older["id"][:8]),
            ("runs", "export", newer["id"], "--output", file),
            ("runs", "import", file),
            ("runs", "delete", newer["id"], older["id"][:6]),
            ("runs", "import", file),
            ("runs", "export", "last"),
            ("runs", "export", newer["id"], "--output", file),
        ],
        data_dir=measured,
    )

    table, newest, shown, exported, refused, deleted, taken, again, kept = ends
    assert [run["name"] for run in (newer, older)] == [HOSTILE_NAME, "older"]
    assert (newer["status"], newer["planned"], newer["requests"]) == ("completed", 4, 12)
    assert (table.code, len(table.out.splitlines()), "\x1b" in table.out) == (0, 3, False)
    assert [run["id"] for run in runs_in(newest)] == [newer["id"]]
    assert "“older”" in shown.out
    assert "max " in shown.out
    assert (exported.code, exported.out) == (0, "")
    assert (refused.code, "is here already" in refused.err) == (2, True)
    assert (deleted.code, len(deleted.out.splitlines())) == (0, 2)
    assert taken.code == 0
    # What comes back is what went out, to the last byte.
    assert again.out == path.read_text()
    assert (kept.code, "exists already" in kept.err) == (2, True)
    jsonschema.validate(json.loads(again.out), json_schema("results"))


async def test_reports_are_markdown_csv_and_json_and_carry_nothing_that_runs(measured: Path) -> None:
    ends = one_process(
        [
            ("report", "last"),
            ("report", "last", "--format", "csv"),
            ("report", "last", "--format", "json"),
            ("report", "last", "--output", str(measured.parent / "r.txt")),
            ("report", "ffff"),
        ],
        data_dir=measured,
    )

    markdown, table, results, unclear, unknown = ends
    assert "|Model|Avg Latency (s)|p95 (s)|Tokens/sec|Rounds|First Token (s)|Status|" in markdown.out
    assert "\x1b" not in markdown.out
    assert "\n# big" not in markdown.out
    for part in ("**Interpretation**", "## Plan", "## Environment", "(n=2)", "not timed: 1 probe"):
        assert part in markdown.out
    header, *rows = csv.reader(io.StringIO(table.out))
    assert len(rows) == 12
    assert all(len(row) == len(header) for row in rows)
    assert {row[header.index("model")] for row in rows} == {"a", "'=cmd|' /C calc'!A0"}
    assert [row[header.index("counted")] for row in rows].count("true") == 4
    jsonschema.validate(json.loads(results.out), json_schema("results"))
    assert (unclear.code, "--format" in unclear.err) == (2, True)
    assert (unknown.code, "no run 'ffff'" in unknown.err) == (2, True)


async def test_a_run_gets_tags_a_note_and_a_name_that_lists_and_reports_show(measured: Path) -> None:
    ends = one_process(
        [
            ("runs", "tag", "last", "nightly", "#CPU one, of two", "--json"),
            ("runs", "tag", "last", "nightly", "b c,d"),
            ("runs", "tag", "last", "B C", "--remove", "D"),
            ("runs", "tag", "last", "--remove", "d"),
            ("runs", "note", "last", "before\nthe *update*"),
            ("runs", "rename", "last", "with CUDA"),
            ("runs", "list", "--tag", "NIGHTLY", "--json"),
            ("runs", "list", "--tag", "none"),
            ("runs", "list"),
            ("runs", "show", "last"),
            ("report", "last"),
        ],
        data_dir=measured,
    )

    wrong, tagged, changed, refused, noted, renamed, listed, nothing, table, shown, report = ends
    assert wrong.code == 2
    assert tagged.out.split("  ", 1)[1] == "b c, d, nightly\n"
    assert changed.out.split("  ", 1)[1] == "b c, nightly\n"
    assert (refused.code, "no tag 'd'" in refused.err, "b c, nightly" in refused.err) == (2, True, True)
    assert (noted.code, renamed.code) == (0, 0)
    assert [(run["name"], run["tags"]) for run in runs_in(listed)] == [("with CUDA", ["b c", "nightly"])]
    assert (nothing.code, nothing.out, "no run has the tag 'none'" in nothing.err) == (0, "", True)
    assert "b c, nightly" in table.out
    assert "tags: b c, nightly\nnote: before" in shown.out
    assert "# Benchmark: with CUDA\n" in report.out
    assert "\nTags: b c, nightly\n\n> before" in report.out
    assert "\\*update\\*" in report.out


async def test_the_history_of_a_model_goes_over_its_runs(measured: Path) -> None:
    words, values, unknown = one_process(
        [
            ("runs", "history", "a", "--measure", "latency"),
            ("runs", "history", "a", "--limit", "1", "--json"),
            ("runs", "history", "b"),
        ],
        data_dir=measured,
    )

    content = json.loads(values.out)
    jsonschema.validate(content, json_schema("run-history"))
    assert words.code == 0
    assert words.out.splitlines()[0].split() == [
        *("RUN", "BEGUN", "VARIANT", "VERSION", "DRIVER", "EP", "DEVICE", "MEDIAN", "95", "%", "N")
    ]
    assert words.out.count("●") == 2
    assert "nothing changed that is known; too few rounds" in words.out
    assert (content["measure"], [one["n"] for one in content["runs"]]) == ("decode_tokens_per_s", [2])
    assert (unknown.code, "no run has a model that is called 'b'" in unknown.err) == (2, True)


def test_runs_can_be_kept_in_a_file_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "workshop.json"
    file.write_text(json.dumps(WORKSHOP))
    store = f"sqlite:///{tmp_path / 'team.db'}"

    taken, there, here, refused = one_process(
        [
            ("runs", "import", str(file), "--store", store),
            ("--store", store, "runs", "list", "--json"),
            ("runs", "list", "--json"),
            ("runs", "list", "--store", "postgresql://me:secret@host/runs"),
        ],
        data_dir=tmp_path / "data",
    )

    assert taken.code == 0
    assert (len(runs_in(there)), runs_in(here)) == (1, [])
    assert (refused.code, "postgresql" in refused.err, "secret" in refused.err) == (2, True, False)
    assert (tmp_path / "team.db").is_file()


def test_the_workshops_json_is_taken_in_as_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "workshop.json"
    file.write_text(json.dumps(WORKSHOP))

    ends = one_process(
        [
            ("runs", "import", str(file)),
            ("runs", "import", str(file)),
            ("runs", "show", "last", "--json"),
            ("report", "last"),
        ],
        data_dir=tmp_path / "data",
    )

    taken, twice, shown, report = ends
    results = json.loads(shown.out)
    assert (taken.code, "averages and no readings" in taken.err) == (0, True)
    assert twice.code == 2
    assert results["requests"] == []
    assert [model["legacy_tokens_per_s"] for model in results["summary"]] == [44.2, 90.0]
    assert {model["latency_s"]["mean"] for model in results["summary"]} == {None}
    assert results["summary"][0]["facts"]["workshop_latency_avg"] == "3.1"
    assert "There are no readings" in report.out
    jsonschema.validate(results, json_schema("results"))


@pytest.mark.parametrize(
    ("row", "figures"),
    [
        (
            {
                "alias": "phi",
                "latency_avg_s": 38.815,
                "tokens_per_sec_avg": 4.61,
                "avg_prompt_tokens": 11,
                "avg_completion_tokens": 168,
                "avg_total_tokens": 179,
            },
            "|phi|4.61|4.33|-|",
        ),
        (
            {
                "alias": "phi",
                "latency_avg_s": 38.815,
                "avg_total_tokens": 179,
                "completion_tokens_total": 504,
                "rounds_ok": 3,
            },
            "|phi|4.61|4.33|-|",
        ),
        ({"model": "phi", "latency_avg": 2.0, "tokens_per_sec_avg": 44.25, "rounds": 3}, "|phi|44.25|-|-|"),
        ({"alias": "phi", "latency_avg_s": 0, "avg_completion_tokens": 9}, "|phi|-|-|-|"),
        ({"alias": "phi", "tokens_per_sec_avg": "NaN", "avg_completion_tokens": "many"}, "|phi|-|-|-|"),
    ],
    ids=["notebook", "totals", "script", "no time", "no numbers"],
)
def test_the_workshops_figure_stands_beside_the_corrected_one(
    tmp_path: Path, row: dict[str, object], figures: str
) -> None:
    file = tmp_path / "workshop.json"
    file.write_text(json.dumps([row]))

    _, report = one_process([("runs", "import", str(file)), ("report", "last")], data_dir=tmp_path / "data")

    assert figures in report.out.splitlines()


FAULTY = {
    "broken.json": ('{"schema": ', "line 1, column"),
    "other.json": ('{"schema": "somebody/else@1"}', "/schema"),
    "newer.json": ('{"schema": "foundry-tui/results@2"}', "/schema"),
    "empty.json": ("[]", "at least one model"),
    "list.json": ("[1]", "/0: expected an object"),
    "unnamed.json": ('[{"alias": " ", "rounds": 3}]', "/0/alias: expected the name of a model"),
}


def test_a_file_that_is_none_is_refused_with_the_place_and_nothing_is_kept(tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_text(json.dumps(WORKSHOP))
    for name, (text, _) in FAULTY.items():
        (tmp_path / name).write_text(text)

    *ends, listing = one_process(
        [
            *(("runs", "import", str(good), str(tmp_path / name)) for name in FAULTY),
            ("runs", "list", "--json"),
        ],
        data_dir=tmp_path / "data",
    )

    for end, (name, (_, place)) in zip(ends, FAULTY.items(), strict=True):
        assert end.code == 2, name
        assert name in end.err
        assert place in end.err, end.err
    assert runs_in(listing) == []


async def test_results_that_were_tampered_with_are_refused(measured: Path) -> None:
    end = run("runs", "export", "last", data_dir=measured)
    content = json.loads(end.out)
    content["run"]["id"] = "other"
    content["requests"][3]["chunk_ns"][0] = 2**62
    (measured.parent / "backwards.json").write_text(json.dumps(content))

    refused = run("runs", "import", str(measured.parent / "backwards.json"), data_dir=measured)

    assert refused.code == 2
    assert "/requests/3" in refused.err
    assert "never go back" in refused.err


def test_without_runs_the_list_is_empty_and_last_is_none(tmp_path: Path) -> None:
    listing, table, shown = one_process(
        [("runs", "list", "--json"), ("runs", "list"), ("runs", "show", "last")], data_dir=tmp_path / "data"
    )

    assert runs_in(listing) == []
    assert (table.code, table.out) == (0, "")
    assert (shown.code, shown.out) == (2, "")
