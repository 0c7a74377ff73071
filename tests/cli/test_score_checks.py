"""``foundry-tui score checks``: over a run that is kept, with its own checks or those of a file."""

import json
from pathlib import Path

import jsonschema
import pytest

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.config.schema import json_schema
from tests.cli.program import Ended, one_process, run_async
from tests.support.bench_schedules import PROMPT, good_model
from tests.support.endpoint import Setting, scripted_endpoint

CHECKS: list[dict[str, object]] = [
    {"kind": "contains", "texts": ["three"]},
    {"kind": "words", "max": 4},
    {"kind": "regex", "pattern": "^one two", "ignore_case": True},
    {"kind": "language", "is": "en"},
]


def prompts_file(folder: Path, name: str, checks: list[dict[str, object]]) -> str:
    path = folder / name
    path.write_text(json.dumps({"prompts": [{"id": "count", "text": PROMPT, "checks": checks}]}))
    return str(path)


@pytest.fixture
async def measured(tmp_path: Path) -> Path:
    """A data directory with a run of two models, whose one prompt has checks."""
    data_dir = tmp_path / "data"
    path = prompts_file(tmp_path, "own.json", CHECKS)
    async with scripted_endpoint(good_model, Setting(models=("phi", "qwen"))) as endpoint:
        arguments = ("bench", "--endpoint", endpoint.url, "--prompts", path, "--rounds", "2")
        end = await run_async(*arguments, data_dir=data_dir)
    assert "phi: 2 of 3 checks passed, 67 %" in end.out
    return data_dir


def asked(data_dir: Path, *arguments: str) -> Ended:
    (end,) = one_process([arguments], data_dir=data_dir)
    return end


def test_passed_and_failed_checks_are_told_for_each_model(measured: Path) -> None:
    end, as_json, report, exported = one_process(
        [
            ("score", "checks", "last"),
            ("score", "checks", "last", "--json"),
            ("report", "last"),
            ("runs", "export", "last"),
        ],
        data_dir=measured,
    )

    content = json.loads(as_json.out)
    jsonschema.validate(content, json_schema("checks"))
    assert (end.code, as_json.code) == (ExitCode.DONE, ExitCode.DONE)
    assert [line.split()[:2] for line in end.out.splitlines() if line.startswith(("phi", "qwen"))] == [
        ["phi", "2/3"],
        ["qwen", "2/3"],
    ]
    assert "count, phi: at most 4 words: expected at most 4 words, found 5" in end.out
    assert "count, qwen: is in en: the language is unknown" in end.out
    assert [(one["passed"], one["made"], one["not_applicable"]) for one in content["models"]] == [
        (2, 3, 1)
    ] * 2
    assert "## Automatic checks" in report.out
    summary = json.loads(exported.out)["summary"]
    assert [entry["checks"]["passed"] for entry in summary] == [2, 2]


def test_the_checks_of_a_file_are_applied_to_a_run_that_was_made_before(measured: Path) -> None:
    path = prompts_file(measured.parent, "later.json", [{"kind": "words", "min": 5, "max": 5}])

    own, later = one_process(
        [
            ("score", "checks", "last", "--json"),
            ("score", "checks", "last", "--prompts", path, "--json"),
        ],
        data_dir=measured,
    )

    assert [one["made"] for one in json.loads(own.out)["models"]] == [3, 3]
    assert [(one["passed"], one["made"]) for one in json.loads(later.out)["models"]] == [(1, 1), (1, 1)]


def test_where_nothing_can_be_checked_it_says_so_and_what_to_do(measured: Path) -> None:
    ready, missing, wrong = one_process(
        [
            ("score", "checks", "last", "--prompts", "rag"),
            ("score", "checks", "last", "--prompts", "poems"),
            ("score", "checks", "none"),
        ],
        data_dir=measured,
    )

    assert ready.code == ExitCode.DONE
    assert "has no checks: none of the prompts of that file that it asked has any" in ready.err
    assert "--prompts FILE applies those of a file to this run" in ready.err
    assert (missing.code, wrong.code) == (ExitCode.USAGE, ExitCode.USAGE)
    assert "expected a file or a ready set, found neither" in missing.err


async def test_a_run_without_checks_says_so_and_names_the_remedy(tmp_path: Path) -> None:
    async with scripted_endpoint(good_model, Setting(models=("phi",))) as endpoint:
        arguments = ("bench", "--endpoint", endpoint.url, "--prompt", PROMPT, "--rounds", "1")
        await run_async(*arguments, data_dir=tmp_path)

    end = asked(tmp_path, "score", "checks", "last")

    assert (end.code, end.out) == (ExitCode.DONE, "")
    assert "has no checks: none of its prompts that it asked has any" in end.err
    assert "add them under checks in prompts.json" in end.err


async def test_a_ready_set_is_asked_by_its_bare_name(tmp_path: Path) -> None:
    async with scripted_endpoint(good_model, Setting(models=("phi",))) as endpoint:
        end = await run_async(
            *("bench", "--endpoint", endpoint.url, "--prompts", "workshop", "--dry-run", "--json"),
            data_dir=tmp_path,
        )

    assert json.loads(end.out)["plan"]["prompts"] == [
        "rag-briefly",
        "edge-benefits",
        "edge-compliance",
        "rag-two-sentences",
    ]
