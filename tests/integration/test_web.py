"""The app in a browser: one process of it for each tab, from its first words to its end."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import aiohttp
import psutil
import pytest

from foundry_tui.web.server import open_server
from tests.integration.web_server import WAIT_S, Web, browsing, fake_app, serving
from tests.support.processes import until_gone


async def test_the_app_starts_in_the_tabs_size_and_gets_what_is_typed_and_reported(web: Web) -> None:
    async with web.tab() as tab:
        await tab.type("words für\tit")
        echoed = await tab.shown()
        await tab.report("resize", {"width": 90, "height": 20})
        resized = await tab.shown()
        await tab.report("focus")
        focused = await tab.shown()
        await tab.report("ping", "7")
        answered = await tab.told()

    assert (tab.first["size"], tab.first["driver"]) == (["100", "30"], "foundry_tui.tui.web_driver:TabDriver")
    assert echoed == ["words", "für", "it"]
    assert resized == {"type": "resize", "width": 90, "height": 20}
    assert focused == {"type": "focus"}
    assert answered == ["pong", "7"]


async def test_a_report_that_makes_no_sense_is_left_out(web: Web) -> None:
    async with web.tab("?width=x&height=-1") as tab:
        for report in (["resize", {"width": 10**9, "height": 1}], ["stdin", 7], ["resize"], [], ["none", {}]):
            await tab.report(*report)
        resized = await tab.shown()
        await tab.type("still here")
        echoed = await tab.shown()

    assert tab.first["size"] == ["80", "24"]
    assert resized == {"type": "resize", "width": 80, "height": 24}
    assert echoed == ["still", "here"]


async def test_the_apps_process_is_gone_when_its_tab_is_closed(web: Web) -> None:
    async with web.tab() as tab, web.tab() as other:
        process, others = tab.process, other.process
        assert process.pid != others.pid

    assert until_gone([process, others]) == []
    assert web.told == []


async def test_closing_the_server_ends_every_app_and_says_so_to_the_tabs() -> None:
    async def until_closed(connection: aiohttp.ClientWebSocketResponse) -> int | None:
        await connection.receive(timeout=WAIT_S)
        return connection.close_code

    async with browsing() as browser:
        async with open_server(fake_app(), port=None, tell=lambda _: None) as door:
            web = Web(door=door, browser=browser)
            await web.log_in()
            tabs = [await web.connect(), await web.connect()]
            processes = [psutil.Process(json.loads(await tab.receive_bytes())["pid"]) for tab in tabs]
            closing = [asyncio.create_task(until_closed(tab)) for tab in tabs]

        codes = [await task for task in closing]

    assert codes == [1001, 1001]
    assert until_gone(processes) == []


async def test_an_app_that_leaves_closes_its_tab_without_a_word(web: Web) -> None:
    async with web.tab() as tab:
        process = tab.process
        await tab.type("leave")
        end = await tab.received()

    assert (end.type, end.data) == (aiohttp.WSMsgType.CLOSE, 1000)
    assert until_gone([process]) == []
    assert web.told == []


async def test_an_app_that_crashes_says_why_in_its_tab_and_to_the_user(web: Web) -> None:
    async with web.tab() as tab:
        await tab.type("crash")
        words = (await tab.received()).data.decode()
        end = await tab.received()

    assert end.type is aiohttp.WSMsgType.CLOSE
    assert words.endswith("The app ended with exit code 3.\r\n\r\nValueError: ␛[31mhostile")
    assert web.told == ["the app in a tab ended with exit code 3:\nValueError: ␛[31mhostile"]


async def test_how_an_app_ends_in_a_closed_tab_is_not_told(web: Web) -> None:
    async with web.tab() as tab:
        process = tab.process
        await tab.type("fail later")
        await tab.shown()

    assert until_gone([process]) == []
    assert web.told == []


@pytest.mark.parametrize("garbage", [b"X\0\0\0\1x", b"D\xff\xff\xff\xffx", b"M\0\0\0\1x"])
async def test_an_app_that_cannot_be_understood_is_ended(web: Web, garbage: bytes) -> None:
    async with web.tab() as tab:
        process = tab.process
        await tab.type(f"garbage {garbage.hex()}")
        words = (await tab.received()).data.decode()

    assert words.rstrip().endswith("The app wrote what is no packet.")
    assert until_gone([process]) == []
    assert web.told == ["the app in a tab wrote what is no packet"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs the process groups of POSIX")
async def test_an_app_that_does_not_end_is_killed_with_all_its_group() -> None:
    async with serving(fake_app(), quit_grace_s=0.1) as web, web.tab() as tab:
        await tab.type("stay")
        shown = await tab.shown()
        assert isinstance(shown, dict)
        processes = [tab.process, psutil.Process(shown["child"])]

    assert until_gone(processes) == []
    assert web.told == ["the app in a tab did not end by itself and was killed"]


async def test_a_command_that_cannot_be_run_closes_the_tab_and_is_told(tmp_path: Path) -> None:
    async with serving([str(tmp_path / "none")]) as web:
        await web.log_in()
        async with await web.connect() as connection:
            end = await connection.receive(timeout=WAIT_S)

    assert end.type is aiohttp.WSMsgType.CLOSE
    assert web.told == ["the app cannot be started: No such file or directory"]


async def test_a_file_that_the_app_delivers_is_saved_and_never_shown(web: Web) -> None:
    async with web.tab() as tab:
        await tab.type('deliver /somewhere/ünd"1.html')
        announced = await tab.told()
        async with web.browser.get(f"{web.address}/download/k") as response:
            body = await response.read()

    assert announced == ["deliver_file_start", "k"]
    assert body == b"all of it"
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%BCnd%221.html"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_file_of_an_app_that_has_ended_is_not_delivered_empty(web: Web) -> None:
    async with web.tab() as tab:
        process = tab.process
        await tab.type("deliver late.txt")
        await tab.told()

    assert until_gone([process]) == []
    assert await web.status("/download/k") == 404


async def test_a_bug_is_told_without_its_words() -> None:
    async with serving(()) as web:
        await web.log_in()
        async with await web.connect() as connection:
            await connection.receive(timeout=WAIT_S)

    assert web.told == ["a request failed by IndexError; this is a bug of foundry-tui"]


async def test_only_web_addresses_are_opened(web: Web) -> None:
    async with web.tab() as tab:
        await tab.type("open javascript:alert(1)")
        refused = await tab.shown()
        await tab.type("open https://example.org/")
        opened = await tab.told()

    assert refused == "asked"
    assert opened == ["open_url", {"url": "https://example.org/", "new_tab": True}]


async def test_the_token_is_neither_in_the_apps_arguments_nor_in_its_environment(web: Web) -> None:
    async with web.tab() as tab:
        seen = [*tab.process.cmdline(), *tab.process.environ().values(), *os.environ.values()]

    assert seen
    assert not [text for text in seen if web.door.key in text]


async def test_no_log_holds_the_token(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await web.log_in()
    reader, writer = await asyncio.open_connection("127.0.0.1", web.door.port)

    writer.write(f"GET /?token={web.door.key} H\0TTP/1.1\r\nHost: {web.host}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert b" 400 " in answer.splitlines()[0]
    assert web.door.key not in "".join([*web.told, caplog.text])
