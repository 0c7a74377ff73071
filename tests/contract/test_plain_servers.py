"""What plain servers tell of their models, each in its own way; one of them real, where it is installed."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.engine import Capability, EndpointKind
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.domain.models import ModelVariant
from foundry_tui.engines.endpoints.models import records_in, software_in
from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig
from tests.contract.chats import ask, hear
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.faults import http_error
from tests.support.script import Script, answer

GGUF_VARIABLE = "FOUNDRY_TUI_TEST_GGUF"
OLLAMA = {
    "object": "list",
    "data": [
        {"id": "llama3.2:1b", "object": "model", "created": 1, "owned_by": "library"},
        {"id": "me/own:latest", "object": "model", "created": 2, "owned_by": "me-and-you"},
    ],
}
LLAMA_CPP = {
    "models": [{"name": "/models/Qwen2.5-0.5B-Q4_K_M.gguf", "model": "/models/Qwen2.5-0.5B-Q4_K_M.gguf"}],
    "object": "list",
    "data": [
        {
            "id": "/models/Qwen2.5-0.5B-Q4_K_M.gguf",
            "object": "model",
            "created": 1,
            "owned_by": "llamacpp",
            "meta": {"n_vocab": 151936, "n_ctx_train": 32768, "n_params": 494032768, "size": 391_000_000},
        }
    ],
}
VLLM = {
    "object": "list",
    "data": [
        {
            "id": "Qwen/Qwen2.5-0.5B-Instruct",
            "object": "model",
            "owned_by": "vllm",
            "root": "Qwen/Qwen2.5-0.5B-Instruct",
            "parent": None,
            "max_model_len": 4096,
        }
    ],
}
LM_STUDIO = {
    "object": "list",
    "data": [{"id": "qwen2.5-0.5b-instruct", "object": "model", "owned_by": "organization_owner"}],
}
LLAMA_CPP_PYTHON = {
    "object": "list",
    "data": [{"id": "C:\\models\\tiny.gguf", "object": "model", "owned_by": "me", "permissions": []}],
}
GROQ_LIKE = {"data": [{"id": "x", "name": "The X", "context_window": 8192, "owned_by": "X Inc."}]}
ODD = {
    "data": [
        {"id": "x", "max_model_len": -1, "meta": "none"},
        {"id": 3},
        {"no": "id"},
        "y",
        None,
        {"id": "x"},
    ]
}


async def listed(content: object, extra: dict[str, Script] | None = None) -> tuple[ModelVariant, ...]:
    async with scripted_endpoint(answer(("Hello",)), Setting()) as endpoint:
        endpoint.routes.extra["/v1/models"] = http_error(200, json.dumps(content))
        endpoint.routes.extra |= extra or {}
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url))
        snapshot = await server.list_models(public=True)
        await server.aclose()
    return snapshot.models


@pytest.mark.parametrize(
    ("content", "context", "advertised", "name", "publisher"),
    [
        (OLLAMA, None, None, None, None),
        (LLAMA_CPP, 32768, 32768, "Qwen2.5-0.5B-Q4_K_M", None),
        (VLLM, 4096, None, None, None),
        (LM_STUDIO, None, None, None, None),
        (LLAMA_CPP_PYTHON, None, None, "tiny", None),
        (GROQ_LIKE, 8192, 8192, "The X", "X Inc."),
    ],
    ids=["ollama", "llama.cpp", "vllm", "lm-studio", "llama-cpp-python", "others"],
)
async def test_what_a_server_gives_of_context_and_names_is_taken(
    content: object, context: int | None, advertised: int | None, name: str | None, publisher: str | None
) -> None:
    model = (await listed(content))[0]

    assert (model.context_tokens, model.advertised_context_tokens) == (context, advertised)
    assert (model.display_name, model.publisher) == (name, publisher)
    assert (model.is_cached, model.is_loaded, model.device) == (None, None, None)


async def test_llama_cpp_is_asked_for_the_context_that_it_was_started_with() -> None:
    props = http_error(200, '{"default_generation_settings": {"n_ctx": 2048}, "total_slots": 1}')

    model = (await listed(LLAMA_CPP, {"/props": props}))[0]

    assert (model.context_tokens, model.advertised_context_tokens) == (2048, 32768)
    assert model.size_bytes == 391_000_000


async def test_an_entry_that_makes_no_sense_is_left_out_and_none_is_listed_twice() -> None:
    models = await listed(ODD)

    assert [(model.id, model.context_tokens) for model in models] == [("x", None), ("y", None)]


async def test_a_server_without_a_model_has_an_empty_list() -> None:
    assert await listed({"object": "list", "data": None}) == ()


async def test_a_list_that_is_none_any_more_is_an_error_and_not_an_empty_list() -> None:
    async with scripted_endpoint(answer(("Hello",)), Setting()) as endpoint:
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url))
        endpoint.routes.extra["/v1/models"] = http_error(503, "busy", "text/plain")

        with pytest.raises(EngineUnavailable, match="HTTP 503"):
            await server.list_models(public=True)
        await server.aclose()


@pytest.mark.parametrize(
    ("content", "software"),
    [
        (OLLAMA, "Ollama"),
        (LLAMA_CPP, "llama.cpp"),
        (VLLM, "vLLM"),
        (LM_STUDIO, "LM Studio"),
        (LLAMA_CPP_PYTHON, "llama-cpp-python"),
        (GROQ_LIKE, None),
    ],
)
def test_the_program_shows_in_whom_it_calls_the_owner(content: object, software: str | None) -> None:
    assert software_in(records_in(content), None) == software


def gguf() -> str | None:
    """Why there is no real server here; None if there can be one."""
    if importlib.util.find_spec("llama_cpp") is None or importlib.util.find_spec("uvicorn") is None:
        return "llama-cpp-python[server] is not installed"
    named = os.environ.get(GGUF_VARIABLE)
    if named is None or not Path(named).is_file():
        return f"{GGUF_VARIABLE} names no GGUF file"
    return None


@pytest.fixture(scope="module")
def llama_cpp_server() -> Iterator[str]:
    """The address of a real server; only for tests with the mark ``llamacpp``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--host", "127.0.0.1", "--port", str(port), "--n_ctx", "512", "--n_threads", "2")
    command = [sys.executable, "-m", "llama_cpp.server", "--model", os.environ[GGUF_VARIABLE], *options]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if "Uvicorn running" in line:
                break
        assert process.poll() is None, "".join(said)[-2000:]
        # What it says from now on is read too, else it would wait for somebody to do so.
        reader = threading.Thread(target=process.stdout.read, daemon=True)
        reader.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            reader.join()


@pytest.mark.llamacpp
@pytest.mark.skipif(gguf() is not None, reason=gguf() or "")
async def test_a_real_server_lists_and_chats(llama_cpp_server: str) -> None:
    server = await EndpointServer.open(EndpointConfig(url=llama_cpp_server))
    models = (await server.list_models(public=True)).models
    heard = await hear(server, ask("Say hello.", model=models[0].id, max_tokens=8))
    await server.aclose()

    assert server.info.kind is EndpointKind.OPENAI
    assert server.info.capabilities == (Capability.CHAT, Capability.LIST)
    assert heard.finish.outcome in (Outcome.COMPLETED, Outcome.TRUNCATED)
    assert heard.text


@pytest.mark.llamacpp
@pytest.mark.skipif(gguf() is not None, reason=gguf() or "")
async def test_a_real_server_is_asked_for_no_more_than_its_context(llama_cpp_server: str) -> None:
    server = await EndpointServer.open(EndpointConfig(url=llama_cpp_server))
    models = (await server.list_models(public=True)).models
    heard = await hear(server, ask("word " * 2000, model=models[0].id, max_tokens=8))
    await server.aclose()

    assert heard.error is not None
    assert heard.chunks == []
