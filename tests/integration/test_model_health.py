"""What the checker says of real models, beside what the real runtime makes of them."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from foundry_tui.domain.errors import ModelRefused
from foundry_tui.domain.health import HealthState, ModelHealth
from foundry_tui.domain.models import Registration
from foundry_tui.engines.model_files.check import FileModelChecker
from foundry_tui.engines.model_files.folders import model_shape, size_on_disk_bytes
from foundry_tui.metrics.fit import fit
from tests.contract.chats import ask, hear
from tests.contract.runtime import copy_of_demo, hosted, offline_runtime
from tests.support.caches import CacheSetting, is_there
from tests.support.hub import DEMO_ID, EmptyContainer, Hub, Missing, WrongBytes, demo_model, managed_config

FETCHER = Path(__file__).with_name("fetcher.py")
SMOLLM = "smollm2-135m-generic-cpu:1"
NAMES = ("sound-generic-cpu", "zeros-generic-cpu", "empty-generic-cpu", "lacking-generic-cpu")
SOUND, ZEROS, EMPTY, LACKING = (f"{name}:1" for name in NAMES)


def words(health: ModelHealth) -> dict[str, str]:
    return {problem.file: problem.what for problem in health.problems}


@pytest.mark.native
async def test_what_the_runtime_takes_for_downloaded_is_found_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each with an alias of its own, lest they be variants of one model.
    offered = [replace(demo_model(name=name), alias=name.partition("-")[0]) for name in NAMES]
    with Hub(offered) as hub:
        hub.fault(ZEROS, WrongBytes())
        hub.fault(EMPTY, EmptyContainer())
        hub.fault(LACKING, Missing(), blob="tokenizer.json")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(FETCHER), hub.catalog_urls[0], hub.catalog_region, str(tmp_path)),
            *(SOUND, ZEROS, EMPTY, LACKING),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **hub.environment()},
        )
        said, _ = await process.communicate()

    checker = FileModelChecker(tmp_path / "manifests")
    found = {
        model_id: checker.check(
            model_id, tmp_path / "cache" / "Loopback" / model_id.replace(":", "-"), is_deep=True
        )
        for model_id in (SOUND, ZEROS, EMPTY, LACKING)
    }
    assert said.decode().split() == [SOUND, "True", ZEROS, "True", EMPTY, "True", LACKING, "True"]
    assert found[SOUND].state is HealthState.SOUND
    assert words(found[ZEROS])["genai_config.json"] == "begins with nothing but zeros"
    assert words(found[EMPTY])["genai_config.json"] == "is missing"
    assert words(found[LACKING]) == {"tokenizer.json": "is missing"}


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def cut(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes()[:-1])

    return damage


@pytest.mark.native
async def test_what_the_runtime_refuses_to_load_the_checker_finds_before(tmp_path: Path) -> None:
    checker = FileModelChecker(tmp_path / "manifests")
    damages = [
        without("tokenizer.json"), without("tokenizer_config.json"), cut("model.onnx"), cut("tokenizer.json"),
        without("model.onnx"), cut("tokenizer_config.json"),
    ]  # fmt: skip
    async with hosted(offline_runtime(tmp_path), tmp_path) as engine:
        for number, damage in enumerate(damages):
            model_id = f"model-{number}-generic-cpu:1"
            folder = copy_of_demo(tmp_path / f"model-{number}")
            await engine.register(Registration(path=str(folder), model_id=model_id))
            assert checker.check(model_id, folder, is_deep=False).state is HealthState.SOUND

            damage(folder)

            assert checker.check(model_id, folder, is_deep=False).state is HealthState.DAMAGED
            with pytest.raises(ModelRefused):
                await engine.load(model_id)


@pytest.mark.native
async def test_a_fetched_model_is_removed_while_the_host_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Hub([demo_model()]) as hub:
        for name, value in hub.environment().items():
            monkeypatch.setenv(name, value)
        config = managed_config(hub, tmp_path)
        folder = copy_of_demo(Path(config.cache_dir) / "Loopback" / DEMO_ID.replace(":", "-"))
        (folder / "inference_model.json").write_text(json.dumps({"Name": DEMO_ID}))
        async with hosted(config, tmp_path) as engine:
            await engine.load(DEMO_ID)
            setting = CacheSetting(
                Path(config.cache_dir), tmp_path / "own", (await engine.list_models(public=True)).models
            )
            with pytest.raises(ModelRefused, match="is in memory"):
                await setting.service().remove(DEMO_ID)
            heard = await hear(engine, ask("Who are you?", model=DEMO_ID))
            await engine.unload(DEMO_ID)
            setting.models = (await engine.list_models(public=True)).models

            await setting.service().remove(DEMO_ID)

            await setting.used.aclose()
            assert heard.text
            assert not is_there(folder)
            on_disk = (await engine.list_models(public=False)).find(DEMO_ID)
            assert on_disk is not None
            assert on_disk.is_cached is False
            with pytest.raises(ModelRefused):
                await engine.load(DEMO_ID)


@pytest.mark.smollm
def test_a_bigger_model_is_sound_and_its_weights_cut_by_a_byte_are_not(
    smollm_folder: Path, tmp_path: Path
) -> None:
    checker = FileModelChecker(tmp_path / "manifests")
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in smollm_folder.iterdir():
        (copy / path.name).symlink_to(path)  # 117 MB that need not be copied
    (copy / "model.onnx.data").unlink()
    with (copy / "model.onnx.data").open("wb") as file:
        file.write(b"weights")
        file.truncate((smollm_folder / "model.onnx.data").stat().st_size - 1)

    sound = checker.check("sound:1", smollm_folder, is_deep=True)
    cut_off = checker.check("cut:1", copy, is_deep=False)

    assert (sound.state, sound.files) == (HealthState.SOUND, len(list(smollm_folder.iterdir())))
    assert words(cut_off) == {
        "model.onnx.data": "is cut off: it has 113,365,375 bytes of at least 113,365,376"
    }


@pytest.mark.native
@pytest.mark.smollm
async def test_the_memory_of_a_load_and_of_an_answer_is_what_was_weighed(
    smollm_folder: Path, tmp_path: Path
) -> None:
    prompt = "Tell me about the sea and the ships on it. " * 60  # some 700 tokens
    async with hosted(offline_runtime(tmp_path), tmp_path) as engine:
        await engine.register(Registration(path=str(smollm_folder), model_id=SMOLLM))
        host = psutil.Process((await engine.start()).pid)
        await engine.load(SMOLLM)
        loaded_bytes = host.memory_info().rss
        heard = await hear(engine, ask(prompt, model=SMOLLM, max_tokens=8))
        answered_bytes = host.memory_info().rss

    assert heard.finish.usage is not None
    prompt_tokens = heard.finish.usage.prompt_tokens
    assert prompt_tokens is not None
    files = size_on_disk_bytes(smollm_folder)
    shape = model_shape(smollm_folder)
    assert shape is not None
    shape = replace(shape, vocabulary=None)  # the scores are let go of before the answer comes
    weighed = [
        fit(file_bytes=files, shape=shape, available_ram_bytes=None, conversation_tokens=tokens).need_bytes
        for tokens in (1, prompt_tokens + 8)
    ]
    assert loaded_bytes == pytest.approx(weighed[0], rel=0.15)
    assert answered_bytes == pytest.approx(weighed[1], rel=0.15)
