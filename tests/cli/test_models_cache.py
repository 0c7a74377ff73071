"""``foundry-tui models verify`` and ``models remove`` on the real runtime, with a model from the hub."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from tests.cli.program import Ended, run_async
from tests.support.caches import is_there
from tests.support.endpoint import scripted_endpoint
from tests.support.hub import DEMO_ID, Hub, demo_model, folder_of, pulling
from tests.support.script import answer

pytestmark = pytest.mark.native


class Shop:
    """A data directory with a downloaded model, and the program on it."""

    def __init__(self, hub: Hub, data_dir: Path) -> None:
        self._hub = hub
        self.data_dir = data_dir
        self.folder = folder_of(demo_model(), data_dir)

    async def models(self, *arguments: str) -> Ended:
        extra = self._hub.environment()
        command = ("models", *arguments, *self._hub.arguments())
        return await run_async(*command, data_dir=self.data_dir, extra=extra)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Shop, None]:
    async with Hub([demo_model()]) as hub:
        data_dir = tmp_path / "data"
        data_dir.mkdir()
        async with pulling(hub, data_dir, DEMO_ID) as pull:
            assert (await pull.ended())[DEMO_ID].is_cached
        yield Shop(hub, data_dir)


async def test_a_sound_model_passes_and_one_that_was_changed_since_fails(shop: Shop) -> None:
    first = await shop.models("verify")

    assert (first.code, first.err) == (0, "1 model checked: 1 sound\n")
    assert first.out.startswith(f"ok    {DEMO_ID}  sound, ")

    data = shop.folder / "model.onnx"
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    second = await shop.models("verify", DEMO_ID, "--json")

    report = json.loads(second.out)
    jsonschema.validate(report, json_schema("verification"))
    assert second.code == 1
    assert (report["schema"], report["sound"]) == ("foundry-tui/verification@1", False)
    (model,) = report["models"]
    assert (model["id"], model["state"], model["deep"]) == (DEMO_ID, "damaged", True)
    assert [problem["file"] for problem in model["problems"]] == ["model.onnx"]
    assert f"models pull {DEMO_ID} repairs" in second.err


async def test_what_is_not_here_cannot_be_verified_and_nothing_is_checked(shop: Shop) -> None:
    unknown = await shop.models("verify", DEMO_ID, "nobody:1")

    assert (unknown.code, unknown.out) == (2, "")
    assert "no model 'nobody:1'" in unknown.err


async def test_a_model_is_removed_and_what_that_freed_is_told(shop: Shop) -> None:
    end = await shop.models("remove", "tiny-hub")

    assert (end.code, end.err) == (0, "")
    assert end.out.startswith(f"{DEMO_ID} removed: ")
    assert end.out.endswith(" became free\n")
    assert not is_there(shop.folder)

    again = await shop.models("remove", DEMO_ID)
    assert (again.code, again.out) == (1, "")
    assert "is not on this disk" in again.err


async def test_where_one_of_several_is_refused_nothing_is_removed(shop: Shop) -> None:
    end = await shop.models("remove", DEMO_ID, "nobody:1")

    assert (end.code, end.out) == (2, "")
    assert is_there(shop.folder / "genai_config.json")


async def test_what_is_here_of_an_unfinished_download_is_removed_by_the_models_id(shop: Shop) -> None:
    left = shop.folder.with_name("half-generic-cpu-1")
    left.mkdir()
    (left / "download.tmp").touch()
    (left / "model.onnx.data").write_bytes(b"x" * 100_000)

    end = await shop.models("remove", "half-generic-cpu:1")

    assert (end.code, end.err) == (0, "")
    assert end.out.startswith("half-generic-cpu:1 removed: ")
    assert not is_there(left)
    assert is_there(shop.folder)


async def test_on_an_endpoint_there_is_no_disk_of_ours(tmp_path: Path) -> None:
    async with scripted_endpoint(answer(["x"])) as endpoint:
        for action in (("remove", "a"), ("verify",)):
            end = await run_async(
                *("models", *action, "--endpoint", endpoint.url), data_dir=tmp_path / "data"
            )

            assert (end.code, end.out) == (2, "")
            assert "leave out --endpoint" in end.err
