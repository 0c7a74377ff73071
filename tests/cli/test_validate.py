"""``foundry-tui validate`` on the real runtime with the bundled model, and on scripted endpoints."""

import json
from pathlib import Path

import jsonschema
import pytest

import foundry_tui
from foundry_tui.bootstrap import open_services
from foundry_tui.config.schema import json_schema
from foundry_tui.domain.errors import BadInput
from foundry_tui.launching import LaunchOptions, resolve
from tests.cli.program import Ended, one_process, run, run_async
from tests.support import faults
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.script import answer
from tests.support.served import ServedModel

TINY = Path(foundry_tui.__file__).parent / "demo" / "tiny"
HELLO = answer(("Hello",))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> list[Ended]:
    """The bundled model as our own: one good validation, and one with a model that is not there."""
    commands = (
        ("models", "register", str(TINY), "--id", "own:1"),
        ("validate", "--models", "own"),
        ("validate", "--models", "nobody,own:1", "--json"),
    )
    data_dir = tmp_path_factory.mktemp("validate") / "data"
    registered, *ends = one_process([(*command, "--offline") for command in commands], data_dir=data_dir)
    assert registered.code == 0
    return ends


@pytest.mark.native
def test_a_registered_model_passes_on_the_managed_runtime(managed: list[Ended]) -> None:
    end = managed[0]

    assert end.code == 0
    (line,) = end.out.splitlines()
    assert line.startswith("ok    own  listed ok, cached ok, loads ok (")
    assert ", answers ok (first text after " in line
    assert end.err == "1 of 1 models passed\n"


@pytest.mark.native
def test_a_model_that_is_not_here_fails_and_the_others_are_tried_all_the_same(managed: list[Ended]) -> None:
    end = managed[1]

    assert end.code == 1
    content = json.loads(end.out)
    jsonschema.validate(content, json_schema("validation"))
    assert (content["schema"], content["passed"]) == ("foundry-tui/validation@1", False)
    assert [(model["name"], model["passed"]) for model in content["models"]] == [
        ("nobody", False),
        ("own:1", True),
    ]
    assert content["models"][0]["checks"]["listed"]["result"] == "no"
    assert content["models"][0]["checks"]["loads"] == {"result": "n/a", "detail": None, "remedy": None}


async def test_without_models_named_those_of_the_users_file_are_tried(data_dir: Path, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "models.json").write_text('{"alpha": {}, "beta": {}}', encoding="utf-8")
    setting = Setting(kind="foundry-v2", models=("alpha-generic-cpu:1", "beta-generic-cpu:1"))
    async with scripted_endpoint(HELLO, setting) as endpoint:
        end = await run_async(
            "validate", "--endpoint", endpoint.url, "--config", str(config), data_dir=data_dir
        )
        paths = [request.path for request in endpoint.requests]

    assert end.code == 0
    assert [line.split()[:2] for line in end.out.splitlines()] == [["ok", "alpha"], ["ok", "beta"]]
    assert [path for path in paths if "/models/load/" in path or "/models/unload/" in path] == [
        "/models/load/alpha",
        "/models/unload/alpha",
        "/models/load/beta",
        "/models/unload/beta",
    ]


async def test_what_was_loaded_at_a_service_stays_loaded_and_the_rest_does_not(data_dir: Path) -> None:
    setting = Setting(kind="foundry-v1", models=(ServedModel(id="a-generic-cpu:1", is_loaded=True), "b:1"))
    async with scripted_endpoint(HELLO, setting) as endpoint:
        end = await run_async("validate", "--endpoint", endpoint.url, "--models", "a,b", data_dir=data_dir)
        left = [model.id for model in endpoint.routes.models if model.is_loaded]

    assert end.code == 0
    assert left == ["a-generic-cpu:1"]


async def test_what_a_plain_server_cannot_do_is_not_held_against_it(data_dir: Path) -> None:
    async with scripted_endpoint(HELLO, Setting(models=("llama",))) as endpoint:
        end = await run_async("validate", "--endpoint", endpoint.url, "--models", "llama", data_dir=data_dir)

    assert end.code == 0
    assert "listed ok, cached n/a, loads n/a, answers ok" in end.out


async def test_an_answer_that_breaks_is_a_failure_told_harmlessly(data_dir: Path) -> None:
    script = faults.error_in_stream("\x1b]0;pwned\x07 boom")
    async with scripted_endpoint(script, Setting(models=("llama",))) as endpoint:
        end = await run_async("validate", "--endpoint", endpoint.url, "--models", "llama", data_dir=data_dir)

    assert end.code == 1
    assert end.out.startswith("FAIL  llama  listed ok")
    assert "boom" in end.out
    assert "\x1b" not in end.out


def test_naming_no_model_is_wrong_usage(data_dir: Path) -> None:
    assert run("validate", "--models", " , ", data_dir=data_dir).code == 2


def test_a_file_without_models_is_bad_input(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text("{}", encoding="utf-8")

    end = run("validate", "--config", str(tmp_path), data_dir=data_dir)

    assert end.code == 2
    assert "names no models" in end.err


async def test_a_file_that_was_broken_is_told_with_its_place_before_anything_is_started(
    data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "models.json").write_text('{"alpha": {},\n "beta": oops}', encoding="utf-8")
    async with scripted_endpoint(HELLO) as endpoint:
        end = await run_async(
            "validate", "--endpoint", endpoint.url, "--config", str(tmp_path), data_dir=data_dir
        )

        assert endpoint.requests == []
    assert (end.code, end.out) == (2, "")
    assert f"{tmp_path / 'models.json'}: line 2, column 10" in end.err


async def test_a_bad_set_of_prompts_is_told_before_anything_is_started(
    data_dir: Path, tmp_path: Path
) -> None:
    content = '{"prompts": [{"id": "a", "text": "b", "checks": [{"kind": "regex", "pattern": "("}]}]}'
    (tmp_path / "prompts-mine.json").write_text(content, encoding="utf-8")
    async with scripted_endpoint(HELLO) as endpoint:
        end = await run_async(
            "validate", "--endpoint", endpoint.url, "--config", str(tmp_path), data_dir=data_dir
        )

        assert endpoint.requests == []
    assert (end.code, end.out) == (2, "")
    assert f"{tmp_path / 'prompts-mine.json'}: /prompts/0/checks/0: expected a regular expression" in end.err


async def test_the_targets_of_a_program_that_runs_are_those_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    options = LaunchOptions(endpoint="http://127.0.0.1:9", config_dir=tmp_path, data_dir=tmp_path / "data")
    file.write_text('{"alpha": {}}', encoding="utf-8")

    async with open_services(resolve(options, {})) as services:
        before = services.targets()
        file.write_text('{"alpha": {}, "beta": oops}', encoding="utf-8")
        with pytest.raises(BadInput, match="line 1"):
            services.targets()
        file.write_text('{"alpha": {}, "beta": {}}', encoding="utf-8")
        after = services.targets()

    assert (before, after) == (("alpha",), ("alpha", "beta"))


async def test_a_server_that_is_not_there_is_unreachable(data_dir: Path) -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        url = endpoint.url

    end = await run_async("validate", "--endpoint", url, "--models", "x", data_dir=data_dir)

    assert (end.code, end.out) == (3, "")
