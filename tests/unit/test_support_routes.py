"""A scripted endpoint answers beside chats as the server does that it stands for."""

import json
import os

from tests.support.asking import chat, client_of, get, text_of
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.routes import ServedModel
from tests.support.script import answer

HELLO = answer(("Hello", ", ", "world"))


async def test_the_v2_runtime_tells_who_it_is_and_loads_by_alias() -> None:
    setting = Setting(
        kind="foundry-v2",
        models=("tiny-a-generic-cpu:2", ServedModel(id="big-cuda-gpu:1", is_cached=False)),
        local_models=("mine:1",),
    )
    async with scripted_endpoint(HELLO, setting) as endpoint:

        async def read(path: str) -> object:
            status, text, _ = await get(f"{endpoint.url}{path}")
            return json.loads(text) if status == 200 else status

        url = endpoint.url
        assert await read("/status") == {"endpoints": [url], "modelCachePath": "/models", "pid": os.getpid()}
        assert await read("/models/load/tiny-a") == {"status": "loaded"}
        assert await read("/models/load/tiny-a") == {"status": "already_loaded"}
        assert await read("/models/load/tiny-a-generic-cpu:2") == 404
        assert await read("/models/load/big") == 400
        assert await read("/models/loaded") == ["tiny-a-generic-cpu:2"]
        assert await read("/models/unload/tiny-a") == {"status": "unloaded"}
        assert await read("/models/unload/tiny-a") == {"status": "not_loaded"}
        assert await read("/catalogs/local/models/load/mine:1") == 404
        assert await read("/catalogs/local/models/load/mine") == {"status": "loaded"}
        _, missing, headers = await get(f"{url}/openai/status")

    assert missing.startswith("server=oatpp/1.3.0\ncode=404\n")
    assert headers["Server"] == "oatpp/1.3.0"


async def test_the_v2_runtime_serves_local_models_under_their_own_prefix() -> None:
    setting = Setting(kind="foundry-v2", local_models=(ServedModel(id="mine:1", alias="my-own"),))
    async with scripted_endpoint(HELLO, setting) as endpoint:
        await get(f"{endpoint.url}/catalogs/local/models/load/my-own")
        _, loaded, _ = await get(f"{endpoint.url}/catalogs/local/models/loaded")
        async with client_of(f"{endpoint.url}/catalogs/local") as client:
            ids = [model.id async for model in client.models.list()]
            chunks = await chat(client)

    assert (loaded, ids) == ('["mine:1"]', ["mine:1"])
    assert text_of(chunks) == "Hello, world"


async def test_the_v1_service_tells_who_it_is_and_loads_by_id() -> None:
    setting = Setting(kind="foundry-v1", models=("a:1", ServedModel(id="b:1", is_cached=False)))
    async with scripted_endpoint(HELLO, setting) as endpoint:
        url = f"{endpoint.url}/openai"
        _, status, _ = await get(f"{url}/status")
        _, cached, _ = await get(f"{url}/models")
        await get(f"{url}/load/a%3A1?ttl=600")
        refused, reason, _ = await get(f"{url}/load/b:1")
        _, loaded, _ = await get(f"{url}/loadedmodels")
        await get(f"{url}/unload/a:1?force=true")
        _, unloaded, _ = await get(f"{url}/loadedmodels")
        missing, _, _ = await get(f"{endpoint.url}/status")

    assert json.loads(status)["ModelDirPath"] == "/models"
    assert (cached, loaded, unloaded) == ('["a:1"]', '["a:1"]', "[]")
    assert (refused, reason) == (400, "No OpenAIService provider found for modelName: b:1")
    assert missing == 404


async def test_any_other_server_has_a_list_and_nothing_else() -> None:
    async with scripted_endpoint(HELLO, Setting(models=("llama", "qwen"))) as endpoint:
        async with client_of(endpoint.url) as client:
            ids = [model.id async for model in client.models.list()]
            one = await client.models.retrieve("qwen")
        statuses = [(await get(f"{endpoint.url}{path}"))[0] for path in ("/status", "/openai/status")]

    assert (ids, one.id) == (["llama", "qwen"], "qwen")
    assert statuses == [404, 404]
