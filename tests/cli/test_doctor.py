"""``foundry-tui doctor``: what works here, what does not, and what to do about it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from tests.cli.program import one_process, run, run_async
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.script import answer


def report_in(out: str) -> dict[str, Any]:
    content = json.loads(out)
    jsonschema.validate(content, json_schema("doctor"))
    assert isinstance(content, dict)
    return content


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in report["checks"]}


@pytest.mark.native
def test_where_all_is_well_it_ends_with_zero_and_its_report_is_as_its_schema_says(tmp_path: Path) -> None:
    data_dir = tmp_path / "given"

    end = run("doctor", "--offline", "--json", "--data-dir", str(data_dir), data_dir=tmp_path / "data")

    report = report_in(end.out)
    assert (end.code, end.err) == (0, "")
    assert report["data_dir"] == str(data_dir)
    assert report["engine"]["kind"] == "managed"
    assert report["engine"]["cache_dir"] == str(data_dir / "cache")
    assert "missing" not in report["versions"].values()
    assert statuses(report).items() >= {"configuration": "ok", "engine": "ok", "data directory": "ok"}.items()
    assert statuses(report)["catalog"] == "note"


async def test_an_endpoint_is_recognised_and_its_key_is_not_told(tmp_path: Path) -> None:
    setting = Setting(kind="foundry-v1", api_key="sk-secret")
    async with scripted_endpoint(answer(["x"]), setting) as endpoint:
        end = await run_async(
            *("doctor", "--json", "--endpoint", endpoint.url, "--api-key-env", "MY_KEY"),
            data_dir=tmp_path / "data",
            extra={"MY_KEY": "sk-secret"},
        )

    report = report_in(end.out)
    assert end.code == 0
    assert (report["engine"]["kind"], report["engine"]["url"]) == ("foundry-v1", endpoint.url)
    assert "secret" not in end.out + end.err


def test_problems_are_listed_with_what_to_do_and_the_exit_code_of_the_worst(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "models.json").write_text("{]")
    (folder / "settings.toml").write_text("[engine]\nendpoint = 'nonsense'\n")

    end, plain = one_process(
        [("doctor", "--json", "--config", str(folder)), ("doctor", "--config", str(folder))],
        data_dir=tmp_path / "data",
    )

    report = report_in(end.out)
    problems = {check["name"]: check for check in report["checks"] if check["status"] == "problem"}
    assert end.code == 2
    assert report["engine"] is None
    assert report["data_dir"] == str(tmp_path / "data")
    assert f"{folder / 'models.json'}: line 1, column 2" in problems["configuration"]["detail"]
    assert problems["start"]["detail"] == "endpoint 'nonsense' is no http address"
    assert all(check["remedy"] for check in problems.values())
    assert (plain.code, plain.err, end.err) == (2, "doctor found problems\n", "doctor found problems\n")
    assert "[problem] start: endpoint 'nonsense' is no http address\n    → an example: http" in plain.out
