"""The checklist tries each model, says what held, and leaves the engine as it found it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundry_tui.domain.chat import ChatOptions, Outcome
from foundry_tui.domain.engine import EngineReady
from foundry_tui.domain.errors import EngineBusy, EngineUnavailable
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.services.validation import ModelValidation, Validation
from tests.support.services import services_over
from tests.support.supervised import SupervisedScript

GOOD = SCRIPTED_MODEL_ID
BROKEN = "synthetic-broken-generic-cpu:1"
OTHER = "other-generic-cpu:1"
NOT_HERE = "absent-generic-cpu:1"
EARS = "ears-generic-cpu:1"


def variant(model_id: str, *, is_cached: bool = True, task: str = "chat-completion") -> ModelVariant:
    return ModelVariant(
        id=model_id,
        alias=model_id.partition("-")[0],
        catalog=CatalogKind.PUBLIC,
        is_cached=is_cached,
        task=task,
        path="/models" if is_cached else None,
    )


MODELS = (
    variant(OTHER),
    variant(NOT_HERE, is_cached=False),
    variant(EARS, task="automatic-speech-recognition"),
)


@asynccontextmanager
async def engine_with(
    folder: Path, script: ScriptedConfig | None = None, lease: EngineLease | None = None
) -> AsyncGenerator[tuple[ClientService, SupervisedScript], None]:
    engine = SupervisedScript(script, models=MODELS)
    async with services_over(engine, folder, lease=lease) as services:
        await services.client.start()
        yield services.client, engine


async def validate(client: ClientService, *names: str) -> list[ModelValidation]:
    async with Validation(client, ChatOptions()).running(names) as results:
        return [result async for result in results]


def verdicts(result: ModelValidation) -> dict[str, str]:
    return {each.check.value: each.verdict.value for each in result.results}


async def rest_of(results: AsyncIterator[ModelValidation]) -> list[ModelValidation]:
    return [result async for result in results]


async def until_asked(engine: SupervisedScript) -> None:
    """Let the others work until the probe chat is open."""
    async with asyncio.timeout(10):
        while not engine.open_streams:  # noqa: ASYNC110 - a scripted engine has no event for it
            await asyncio.sleep(0)


def loaded_in(client: ClientService) -> list[str]:
    return [model.id for model in client.catalog.value.models if model.is_loaded]


async def test_a_model_that_works_passes_every_check_and_is_unloaded_again(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, engine):
        (result,) = await validate(client, GOOD)

        assert verdicts(result) == {"listed": "ok", "cached": "ok", "loads": "ok", "answers": "ok"}
        assert (result.is_passed, result.model_id) == (True, GOOD)
        assert result.load_ns is not None
        assert result.first_text_ns is not None
        assert loaded_in(client) == []
        assert [(request.max_tokens, request.temperature) for request in engine.seen] == [(16, 0.0)]


async def test_an_alias_names_its_best_variant(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, _):
        (result,) = await validate(client, "other")

    assert (result.name, result.model_id, result.is_passed) == ("other", OTHER, True)


async def test_a_model_that_nobody_lists_fails_and_the_rest_does_not_apply(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, _):
        (result,) = await validate(client, "nobody")

    assert verdicts(result) == {"listed": "no", "cached": "n/a", "loads": "n/a", "answers": "n/a"}
    assert (result.is_passed, result.model_id) == (False, None)


async def test_a_model_that_was_not_downloaded_fails_with_the_way_to_get_it(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, _):
        (result,) = await validate(client, NOT_HERE)

    assert verdicts(result) == {"listed": "ok", "cached": "no", "loads": "n/a", "answers": "n/a"}
    assert result.results[1].remedy == f"foundry-tui models pull {NOT_HERE}"


async def test_a_model_that_does_not_load_fails_with_the_engines_reason(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, _):
        (result,) = await validate(client, BROKEN)

    assert verdicts(result) == {"listed": "ok", "cached": "ok", "loads": "no", "answers": "n/a"}
    assert "does not load" in (result.results[2].detail or "")


async def test_a_model_that_breaks_its_answer_off_fails(tmp_path: Path) -> None:
    script = ScriptedConfig(fail_with=Outcome.STREAM_ERROR)
    async with engine_with(tmp_path, script) as (client, _):
        (result,) = await validate(client, GOOD)

    assert verdicts(result)["answers"] == "no"


async def test_a_model_that_does_not_talk_is_not_talked_to(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, engine):
        (result,) = await validate(client, EARS)

    assert verdicts(result) == {"listed": "ok", "cached": "ok", "loads": "ok", "answers": "n/a"}
    assert result.is_passed
    assert engine.seen == []


async def test_what_was_loaded_before_stays(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, _):
        await client.load(OTHER)

        other, good = await validate(client, OTHER, GOOD)

        assert loaded_in(client) == [OTHER]
    assert other.results[2].detail == "was loaded"
    assert good.is_passed


async def test_what_was_loaded_before_and_got_lost_is_loaded_again(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, engine):
        await client.load(OTHER)
        engine.gate = asyncio.Event()

        async with Validation(client, ChatOptions()).running([GOOD]) as results:
            await until_asked(engine)
            await client.unload(OTHER)  # as a service does whose time to live has run out
            engine.gate.set()
            await rest_of(results)

        assert loaded_in(client) == [OTHER]


async def test_leaving_early_unloads_what_was_being_tried(tmp_path: Path) -> None:
    async with engine_with(tmp_path, ScriptedConfig(hold=True)) as (client, engine):
        async with Validation(client, ChatOptions()).running([GOOD]):
            await until_asked(engine)
            assert loaded_in(client) == [GOOD]

        assert engine.open_streams == 0
        assert loaded_in(client) == []


async def test_names_are_tried_once_each_in_their_order(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, _):
        results = await validate(client, OTHER, "nobody", OTHER)

    assert [result.name for result in results] == [OTHER, "nobody"]


async def test_a_measurement_is_not_disturbed(tmp_path: Path) -> None:
    lease = EngineLease()
    async with engine_with(tmp_path, lease=lease) as (client, engine):
        with lease.hold("benchmark 7", exclusive=True), pytest.raises(EngineBusy, match="benchmark 7"):
            await validate(client, GOOD)

    assert engine.seen == []


async def test_a_model_that_takes_the_engine_down_fails_and_the_next_one_is_tried(tmp_path: Path) -> None:
    async with (
        engine_with(tmp_path, ScriptedConfig(hold=True)) as (client, engine),
        Validation(client, ChatOptions()).running([GOOD, OTHER]) as running,
    ):
        await until_asked(engine)
        await engine.die()
        engine.script = ScriptedConfig()
        results = await rest_of(running)

    assert [verdicts(result)["answers"] for result in results] == ["no", "ok"]
    assert "SIGKILL" in (results[0].results[3].detail or "")
    assert engine.starts == 2


async def test_an_engine_that_does_not_come_back_ends_the_validation(tmp_path: Path) -> None:
    async with engine_with(tmp_path, ScriptedConfig(hold=True)) as (client, engine):
        async with Validation(client, ChatOptions()).running([GOOD, OTHER]) as running:
            await until_asked(engine)
            engine.refusal = EngineUnavailable("gone for good")
            await engine.die()
            with pytest.raises(EngineUnavailable, match="gone for good"):
                await rest_of(running)

        assert not isinstance(client.engine_state, EngineReady)


async def test_all_checks_are_told_on_one_line(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (client, _):
        (result,) = await validate(client, NOT_HERE)

    assert result.summary == "listed ok, cached no (not downloaded), loads n/a, answers n/a"
