"""Whom the web server lets in, what it serves, and where it listens."""

import asyncio
import re
import socket
import sys

import aiohttp
import pytest

from foundry_tui.domain.errors import BadInput
from foundry_tui.web.access import Door
from foundry_tui.web.server import open_server
from tests.integration.web_server import Web, fake_app, serving


@pytest.mark.parametrize(
    "path", ["/", "/static/page.js", "/static/textual.js", "/ws", "/download/k", "/none"]
)
async def test_nothing_is_served_to_whoever_has_no_token(web: Web, path: str) -> None:
    async with web.browser.get(web.address + path) as response:
        text = await response.text()

    assert response.status == 403
    assert response.content_type == "text/plain"
    assert text.startswith("This page is for whoever started foundry-tui")


async def test_a_wrong_token_is_refused_even_where_the_right_cookie_comes_with_it(web: Web) -> None:
    await web.log_in()

    statuses = [
        await web.status(f"/?token={wrong}") for wrong in ("", "wrong", "%F0%9F%92%A9", web.door.key[:-1])
    ]

    assert statuses == [403, 403, 403, 403]


async def test_the_token_becomes_a_cookie_and_leaves_the_address(web: Web) -> None:
    async with web.browser.get(web.door.url, allow_redirects=False) as response:
        cookie = response.cookies[web.door.cookie_name]

    assert (response.status, response.headers["Location"]) == (303, "/")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert cookie["max-age"] == cookie["expires"] == ""
    assert await web.status("/") == 200


async def test_who_follows_a_link_from_another_page_is_sent_on_by_a_page_of_ours(web: Web) -> None:
    link = {"Sec-Fetch-Site": "cross-site"}

    async with web.browser.get(web.door.url, headers=link, allow_redirects=False) as response:
        assert (response.status, response.headers["Refresh"]) == (200, "0; url=/")

    assert await web.status("/") == 200


async def test_a_ticket_lets_in_once(web: Web) -> None:
    url = web.door.issue_ticket_url()

    first = await web.status(url.removeprefix(web.address))
    web.browser.cookie_jar.clear()
    second = await web.status(url.removeprefix(web.address))

    assert (first, second) == (200, 403)


def test_a_ticket_is_worth_nothing_after_a_minute() -> None:
    now_s = 0.0
    door = Door(8080, clock=lambda: now_s)
    early, late = (door.issue_ticket_url().partition("token=")[2] for _ in range(2))

    now_s = 60.0
    assert door.opens_with(early)
    now_s = 60.1
    assert not door.opens_with(late)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""]
)
async def test_another_name_for_this_machine_is_refused(web: Web, host: str) -> None:
    await web.log_in()

    statuses = [
        await web.status(path, Host=host.format(port=web.door.port))
        for path in ("/", "/static/page.js", f"/?token={web.door.key}")
    ]

    assert statuses == [403, 403, 403]


async def test_localhost_is_an_own_name(web: Web) -> None:
    await web.log_in()

    assert await web.status("/static/page.js", Host=f"LocalHost:{web.door.port}") == 200


async def test_a_cookie_of_another_start_is_refused(web: Web) -> None:
    statuses = [
        await web.status(path, Cookie=f"{web.door.cookie_name}={Door(web.door.port).key}")
        for path in ("/", "/static/page.js", "/ws")
    ]

    assert statuses == [403, 403, 403]


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:1", "http://localhost:{port}", "https://{host}", "null", None],
)
async def test_a_connection_from_another_page_is_refused(web: Web, origin: str | None) -> None:
    await web.log_in()
    headers = {} if origin is None else {"Origin": origin.format(port=web.door.port, host=web.host)}

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await web.browser.ws_connect(f"ws://{web.host}/ws", headers=headers)

    assert refused.value.status == 403


async def test_a_connection_without_the_cookie_is_refused(web: Web) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await web.browser.ws_connect(
            f"ws://{web.host}/ws?token={web.door.key}", headers={"Origin": web.address}
        )

    assert refused.value.status == 403


async def test_the_page_and_all_it_loads_come_from_here(web: Web) -> None:
    await web.log_in()

    async with web.browser.get(f"{web.address}/") as response:
        page = await response.text()
    async with web.browser.get(f"{web.address}/static/page.css") as style:
        text = page + await style.text()
    async with web.browser.get(f"{web.address}/static/page.js") as script:
        text += await script.text()

    loaded = set(re.findall(r"/static/[\w.-]+", text))
    assert loaded == {
        *("/static/page.js", "/static/page.css", "/static/textual.js", "/static/xterm.css"),
        *("/static/roboto-mono.ttf", "/static/roboto-mono-italic.ttf"),
    }
    assert [await web.status(path) for path in loaded] == [200] * 6
    assert re.findall(r"(?:https?:)?//[\w.]+", re.sub(r"^//.*$", "", text, flags=re.MULTILINE)) == [
        f"//{web.host.partition(':')[0]}"
    ]
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert f"connect-src 'self' ws://{web.host};" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize("path", ["/static/", "/static/..%2Fserver.py", "/static/js/textual.js", "/static"])
async def test_no_other_file_is_served(web: Web, path: str) -> None:
    await web.log_in()

    assert await web.status(path) == 404


@pytest.mark.skipif(
    sys.platform != "linux", reason="only there 127.0.0.2 is this machine without being asked for"
)
def test_no_other_address_is_listened_on() -> None:
    async def knock(address: str, port: int) -> bool:
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    async def answers() -> list[bool]:
        async with serving(fake_app()) as web:
            return [await knock(address, web.door.port) for address in ("127.0.0.1", "127.0.0.2", "::1")]

    assert asyncio.run(answers()) == [True, False, False]


async def test_a_port_that_is_taken_is_named_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(BadInput, match=f"port {port} of 127.0.0.1 cannot be had") as refused:
            async with open_server(fake_app(), port=port, tell=lambda _: None):
                pass

    assert refused.value.remedy is not None
