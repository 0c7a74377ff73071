"""Nothing in the user's environment changes where a request goes, or what it carries."""

from pathlib import Path

import pytest

from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig
from tests.contract.chats import ask, hear
from tests.contract.runtime import hosted
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.script import answer

DEAD = "http://127.0.0.1:9"
THE_USERS = {
    "OPENAI_API_KEY": "sk-of-the-user",
    "OPENAI_ORG_ID": "org-of-the-user",
    "OPENAI_PROJECT_ID": "proj-of-the-user",
    "OPENAI_BASE_URL": f"{DEAD}/v1",
}
HELLO = answer(("Hello", ", ", "world"))


@pytest.fixture
def openai_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in THE_USERS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def dead_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, DEAD)
        monkeypatch.setenv(name.lower(), DEAD)


@pytest.mark.usefixtures("openai_settings")
async def test_nothing_of_the_users_openai_settings_crosses_the_pipe(tmp_path: Path) -> None:
    async with (
        scripted_endpoint(HELLO) as endpoint,
        hosted(EndpointConfig(url=endpoint.url), tmp_path) as engine,
    ):
        heard = await hear(engine, ask())

    assert heard.text == "Hello, world"
    sent = " ".join(f"{name}: {value}" for r in endpoint.requests for name, value in r.headers.items())
    assert "of-the-user" not in sent


@pytest.mark.usefixtures("openai_settings")
async def test_without_a_key_the_users_own_is_not_sent_in_its_place() -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url))
        try:
            heard = await hear(server, ask())
        finally:
            await server.aclose()

    assert heard.text == "Hello, world"
    assert endpoint.requests[-1].headers["authorization"] == "Bearer none"


@pytest.mark.usefixtures("openai_settings")
async def test_the_key_that_was_given_goes_with_every_request(tmp_path: Path) -> None:
    async with scripted_endpoint(HELLO, Setting(api_key="sesame")) as endpoint:
        config = EndpointConfig(url=endpoint.url, api_key="sesame")
        async with hosted(config, tmp_path) as engine:
            heard = await hear(engine, ask())

    assert heard.text == "Hello, world"
    assert {request.headers.get("authorization") for request in endpoint.requests} == {"Bearer sesame"}


async def test_the_key_is_in_no_log_and_in_no_words(tmp_path: Path) -> None:
    async with scripted_endpoint(HELLO, Setting(api_key="another")) as endpoint:
        config = EndpointConfig(url=endpoint.url, api_key="sesame")
        with pytest.raises(Exception, match="wants a key") as caught:
            async with hosted(config, tmp_path):
                pass

    logs = [path.read_text() for path in (tmp_path / "host-logs").iterdir()]
    assert "sesame" not in " ".join([str(caught.value), repr(config), *logs])


@pytest.mark.usefixtures("dead_proxy")
async def test_a_proxy_of_the_users_does_not_stand_before_loopback() -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url))
        try:
            heard = await hear(server, ask())
        finally:
            await server.aclose()

    assert heard.text == "Hello, world"


@pytest.mark.usefixtures("dead_proxy")
async def test_a_proxy_of_the_users_does_not_stand_before_loopback_in_the_child(tmp_path: Path) -> None:
    async with (
        scripted_endpoint(HELLO) as endpoint,
        hosted(EndpointConfig(url=endpoint.url), tmp_path) as engine,
    ):
        heard = await hear(engine, ask())

    assert heard.text == "Hello, world"
