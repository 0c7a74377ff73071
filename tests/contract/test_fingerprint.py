"""What an address is taken for, and how it is told when it is none of what we know."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from foundry_tui.domain.engine import EndpointKind
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.engines.endpoints.fingerprint import Fingerprint, recognise
from foundry_tui.engines.endpoints.http import EndpointHttp, exposure_of
from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig
from foundry_tui.engines.streaming.transport import is_loopback
from tests.support.endpoint import Endpoint, Setting, scripted_endpoint
from tests.support.faults import FAULTS, http_error
from tests.support.script import Forever, Headers, HoldOpen, Raw, Respond, Script, answer

HELLO = answer(("Hello",))
LIST = '{"object":"list","data":[{"id":"m","object":"model"}]}'
NOT_FOUND = http_error(404, "server=oatpp/1.3.0\ncode=404\ndescription=Not Found", "text/plain")
PAGE = Script((Respond(200, b"<!doctype html><title>Sign in</title>", "text/html"),))


def said(content: object) -> Script:
    return Script((Respond(200, json.dumps(content).encode()),))


@asynccontextmanager
async def answering(answers: dict[str, Script]) -> AsyncGenerator[Endpoint, None]:
    """A plain server that answers these paths so, and every other one with a text."""
    async with scripted_endpoint(HELLO, Setting(models=())) as endpoint:
        paths = ("/status", "/openai/status", "/v1/models")
        endpoint.routes.extra.update(dict.fromkeys(paths, NOT_FOUND) | answers)
        yield endpoint


async def kind_of(url: str, *, wait_s: float = 5.0) -> Fingerprint:
    http = EndpointHttp(url, api_key=None, connect_s=1.0)
    try:
        return await recognise(http, wait_s=wait_s)
    finally:
        await http.aclose()


async def refusal_of(url: str, *, wait_s: float = 5.0) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as caught:
        await kind_of(url, wait_s=wait_s)
    return caught.value


@pytest.mark.parametrize("key", ["modelCachePath", "ModelCachePath", "modelcachepath"])
async def test_the_runtimes_status_is_known_whatever_the_case_of_its_keys(key: str) -> None:
    async with answering({"/status": said({key: "/models", "Pid": 7})}) as endpoint:
        found = await kind_of(endpoint.url)

    assert found == Fingerprint(kind=EndpointKind.FOUNDRY_V2, cache_dir="/models", pid=7)


@pytest.mark.parametrize("key", ["ModelDirPath", "modelDirPath", "modeldirpath"])
async def test_the_older_services_status_is_known_whatever_the_case_of_its_keys(key: str) -> None:
    async with answering({"/openai/status": said({key: "/models"})}) as endpoint:
        found = await kind_of(endpoint.url)

    assert found == Fingerprint(kind=EndpointKind.FOUNDRY_V1, cache_dir="/models")


@pytest.mark.parametrize(
    "listing",
    [
        LIST,
        '{"data":[]}',
        '{"object":"list","data":null}',  # Ollama without a model
        '{"models":[{"name":"m"}],"object":"list","data":[{"id":"m"}]}',  # llama.cpp
        '[{"id":"m"}]',
    ],
)
async def test_a_list_of_models_makes_a_plain_server(listing: str) -> None:
    async with answering({"/v1/models": http_error(200, listing)}) as endpoint:
        found = await kind_of(endpoint.url)

    assert found.kind is EndpointKind.OPENAI


@pytest.mark.parametrize(
    "answers",
    [
        {"/status": PAGE, "/openai/status": PAGE},
        {"/status": said({"status": "ok"}), "/openai/status": said(["Endpoints"])},
        {"/status": http_error(200, '{"modelCachePath"')},
        {"/status": http_error(200, "[" * 100_000)},
        {"/status": http_error(200, '{"modelCachePath": "/m"}', "text/html"), "/openai/status": PAGE},
    ],
    ids=["pages", "others", "broken", "deep", "mislabelled"],
)
async def test_what_other_programs_answer_to_the_status_routes_confuses_nobody(
    answers: dict[str, Script], request: pytest.FixtureRequest
) -> None:
    async with answering(answers | {"/v1/models": http_error(200, LIST)}) as endpoint:
        found = await kind_of(endpoint.url)

    is_labelled_wrong = "mislabelled" in request.node.name
    assert found.kind is (EndpointKind.FOUNDRY_V2 if is_labelled_wrong else EndpointKind.OPENAI)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PAGE, "a web page"),
        (said({}), "HTTP 200"),
        (said({"data": "many"}), "HTTP 200"),
        (said({"error": "no"}), "HTTP 200"),
        (NOT_FOUND, "HTTP 404"),
        (FAULTS["http-500"], "HTTP 500"),
    ],
)
async def test_what_is_no_list_of_models_is_no_server_of_models(content: Script, words: str) -> None:
    async with answering({"/v1/models": content}) as endpoint:
        error = await refusal_of(endpoint.url)

    assert "not as an OpenAI-compatible server" in error.message
    assert words in error.message


async def test_a_redirect_is_not_followed_and_its_target_is_shown_harmlessly() -> None:
    away = Script((Respond(301, b"", extra=(("Location", "https://else.example/v1\x1b[2J/models"),)),))
    async with answering({"/v1/models": away}) as endpoint:
        error = await refusal_of(endpoint.url)

    assert "leads elsewhere, to https://else.example/v1" in error.message
    assert "\x1b" not in error.message


@pytest.mark.parametrize("status", [401, 403])
async def test_a_server_that_tells_nothing_without_a_key_says_so(status: int) -> None:
    async with answering({"/v1/models": http_error(status, "key!")}) as endpoint:
        found = await kind_of(endpoint.url)

    assert found.wants_key


@pytest.mark.parametrize(
    "script", [Script((HoldOpen(),)), Script((Headers(), HoldOpen()))], ids=["silent", "stuck"]
)
async def test_a_server_that_gives_no_whole_answer_is_told_to_be_slow(script: Script) -> None:
    async with answering({"/status": script}) as endpoint:
        error = await refusal_of(endpoint.url, wait_s=0.1)

    assert "no whole answer within 0.1 s" in error.message


async def test_an_answer_without_end_is_left() -> None:
    flood = Script((Headers(content_type="application/json"), Forever(Raw(b"[" * 65_536))))
    async with answering({"/status": flood}) as endpoint:
        error = await refusal_of(endpoint.url)

        await endpoint.until(lambda: endpoint.open_streams == 0)

    assert "without end" in error.message


async def test_nothing_listening_is_cannot_reach() -> None:
    async with answering({}) as endpoint:
        url = endpoint.url

    assert "cannot reach" in (await refusal_of(url)).message


@pytest.mark.skipif(sys.platform != "linux", reason="fills the queue of a socket that nobody accepts from")
async def test_a_host_that_takes_no_connection_is_given_up_after_the_connect_timeout() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(deaf.getsockname())
        started = loop.time()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(EngineUnavailable, match="cannot reach"):
            await EndpointServer.open(EndpointConfig(url=url, connect_s=0.2))
        for client in waiting:
            client.close()

    assert loop.time() - started < 10  # and not the 30 s of an answer


async def test_a_key_from_the_keyring_is_used_where_a_server_wants_one() -> None:
    async with scripted_endpoint(HELLO, Setting(api_key="sesame")) as endpoint:
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url), find_key=lambda url: "sesame")
        snapshot = await server.list_models(public=True)
        await server.aclose()

    assert len(snapshot.models) == 1
    assert any("keyring" in note for note in server.info.notes)
    assert "sesame" not in repr(server.info)


async def test_the_keyring_is_not_asked_where_a_key_was_given() -> None:
    asked: list[str] = []
    async with scripted_endpoint(HELLO, Setting(api_key="sesame")) as endpoint:
        config = EndpointConfig(url=endpoint.url, api_key="wrong")
        with pytest.raises(EngineUnavailable, match="wants a key"):
            await EndpointServer.open(config, find_key=asked.append)

    assert asked == []


async def test_a_wrong_key_of_the_keyring_is_not_shown() -> None:
    async with scripted_endpoint(HELLO, Setting(api_key="sesame")) as endpoint:
        with pytest.raises(EngineUnavailable) as caught:
            await EndpointServer.open(EndpointConfig(url=endpoint.url), find_key=lambda url: "wrong-key")

    assert "wrong-key" not in f"{caught.value} {caught.value.remedy}"


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:5273", True),
        ("http://127.9.9.9", True),
        ("http://localhost:1", True),
        ("http://LOCALHOST.:1", True),
        ("http://me.localhost", True),
        ("http://[::1]:5273", True),
        ("http://127.0.0.1.example.com", False),
        ("http://127.example", False),
        ("http://localhost.example", False),
        ("http://192.168.0.7:11434", False),
        ("http://[fe80::1]", False),
        ("http://0.0.0.0:80", False),
    ],
)
def test_only_addresses_that_cannot_lead_away_are_of_this_machine(url: str, is_here: bool) -> None:
    assert is_loopback(url) is is_here


def test_plain_http_to_another_host_gets_a_warning_and_nothing_else_does() -> None:
    assert exposure_of("https://gpu.example") is None
    assert exposure_of("http://127.0.0.1:5273") is None
    warning = exposure_of("http://gpu.example:8000")
    assert warning is not None
    assert warning.startswith("Not encrypted: whoever is on the way to gpu.example can read")
