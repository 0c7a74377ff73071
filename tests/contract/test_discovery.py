"""Servers of this machine are found from every side, confirmed by what they answer, and quickly."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from foundry_tui.domain.engine import EndpointKind
from foundry_tui.engines.endpoints.discovery import RunningServer, Surroundings, find_servers
from tests.support.endpoint import Endpoint, Setting, scripted_endpoint
from tests.support.script import HoldOpen, Script, answer

HELLO = answer(("Hello",))
needs_a_shebang = pytest.mark.skipif(
    sys.platform == "win32", reason="the stand-in for the program is a script"
)


def around(
    home: Path,
    *,
    ports: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    program: str | None = None,
) -> Surroundings:
    """Nothing of the real machine; ports by the addresses of servers that were started."""
    return Surroundings(
        environment=environment or {},
        home=home,
        ports=tuple(int(url.rpartition(":")[2]) for url in ports),
        find_program=lambda name: program,
    )


def stand_in(folder: Path, body: str) -> str:
    """A ``foundry`` program that does ``body``; what it was called with is beside it."""
    path = folder / "foundry"
    log = folder / "calls"
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{log}'\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


async def closed_url() -> str:
    async with scripted_endpoint(HELLO) as endpoint:
        return endpoint.url


async def test_known_ports_are_confirmed_by_what_answers_there(tmp_path: Path) -> None:
    settings = (
        Setting(kind="foundry-v2", models=("a:1", "b:1", "c:1")),
        Setting(kind="foundry-v1", models=("a:1",)),
        Setting(models=("x", "y")),
        Setting(models=("x",), api_key="sesame"),
    )
    async with AsyncExitStack() as stack:
        urls = [
            (await stack.enter_async_context(scripted_endpoint(HELLO, setting))).url for setting in settings
        ]
        found = await find_servers(around(tmp_path, ports=[*urls, await closed_url()]))

    assert [(server.url, server.kind, server.models, server.wants_key) for server in found] == [
        (urls[0], EndpointKind.FOUNDRY_V2, 3, False),
        (urls[1], EndpointKind.FOUNDRY_V1, 1, False),
        (urls[2], EndpointKind.OPENAI, 2, False),
        (urls[3], EndpointKind.OPENAI, None, True),
    ]
    assert found[0].how == f"port {urls[0].rpartition(':')[2]}"


async def test_nothing_around_is_an_empty_list(tmp_path: Path) -> None:
    assert await find_servers(around(tmp_path)) == ()


@pytest.mark.parametrize("form", ["{url}", "{url}/v1", "{url}/v1/", "{url}/"])
async def test_the_environment_names_one_with_or_without_v1(tmp_path: Path, form: str) -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        environment = {"FOUNDRY_LOCAL_ENDPOINT": form.format(url=endpoint.url)}

        found = await find_servers(around(tmp_path, environment=environment))

    assert [(server.url, server.how) for server in found] == [(endpoint.url, "environment")]


@pytest.mark.parametrize("form", ["127.0.0.1:{port}", ":{port}", "0.0.0.0:{port}", "http://127.0.0.1:{port}"])
async def test_the_environment_of_ollama_is_understood_in_its_forms(tmp_path: Path, form: str) -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        environment = {"OLLAMA_HOST": form.format(port=endpoint.url.rpartition(":")[2])}

        found = await find_servers(around(tmp_path, environment=environment))

    assert [server.url for server in found] == [endpoint.url]


@pytest.mark.parametrize(
    "named",
    [
        "",
        "   ",
        "not an address",
        "ftp://x:1",
        "http://user:secret@127.0.0.1:9",
        "http://[",
        "http://x:99999",
    ],
)
async def test_a_variable_that_names_no_address_is_passed_over(tmp_path: Path, named: str) -> None:
    environment = {"FOUNDRY_LOCAL_ENDPOINT": named, "OLLAMA_HOST": named}

    assert await find_servers(around(tmp_path, environment=environment)) == ()


@pytest.mark.parametrize(
    "content",
    [
        '{{"webUrls": ["{url}"], "pid": 7}}',
        '{{"url": "{escaped}\\/v1"}}',
        '{{"Port": {port}}}',
        "running on {url}/openai/status",
    ],
)
async def test_the_daemons_file_names_one_in_whatever_form(tmp_path: Path, content: str) -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        url = endpoint.url
        (tmp_path / ".foundry").mkdir()
        text = content.format(url=url, escaped=url.replace("/", "\\/"), port=url.rpartition(":")[2])
        (tmp_path / ".foundry" / "daemon.json").write_text(text, encoding="utf-8")

        found = await find_servers(around(tmp_path))

    assert [(server.url, server.how) for server in found] == [(url, "~/.foundry/daemon.json")]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b'{"url": "http://10.0.0.7:5272"}', b"[" * 1_000_000]
)
async def test_a_daemons_file_that_makes_no_sense_or_leads_away_is_passed_over(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / ".foundry").mkdir()
    (tmp_path / ".foundry" / "daemon.json").write_bytes(content)

    assert await find_servers(around(tmp_path)) == ()


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs a resolver that takes 127.1 for a loopback address"
)
async def test_what_is_not_plainly_this_machine_is_not_followed(tmp_path: Path) -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        away = endpoint.url.replace("127.0.0.1", "127.1")  # which would lead there
        (tmp_path / ".foundry").mkdir()
        (tmp_path / ".foundry" / "daemon.json").write_text(json.dumps({"url": away}), encoding="utf-8")
        program = stand_in(tmp_path, f"echo '{away}'")

        found = await find_servers(around(tmp_path, program=program))

    assert found == ()
    assert endpoint.requests == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
async def test_a_daemons_file_that_is_no_file_blocks_nobody(tmp_path: Path) -> None:
    (tmp_path / ".foundry").mkdir()
    os.mkfifo(tmp_path / ".foundry" / "daemon.json")

    assert await find_servers(around(tmp_path)) == ()


@needs_a_shebang
async def test_the_program_is_asked_for_its_status(tmp_path: Path) -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        said = json.dumps({"running": True, "webUrls": [endpoint.url]})
        program = stand_in(tmp_path, f"echo 'Checking …'; echo '{said}'")

        found = await find_servers(around(tmp_path, program=program))

    assert [(server.url, server.how) for server in found] == [(endpoint.url, "foundry program")]
    assert (tmp_path / "calls").read_text() == "server status -o json\n"


@needs_a_shebang
async def test_an_older_program_is_asked_in_the_older_way(tmp_path: Path) -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        words = f"🟢 Model management service is running on {endpoint.url}/openai/status"
        program = stand_in(tmp_path, f'test "$1" = service && echo "{words}"')

        found = await find_servers(around(tmp_path, program=program))

    assert [server.url for server in found] == [endpoint.url]
    assert (tmp_path / "calls").read_text() == "server status -o json\nservice status\n"


@needs_a_shebang
@pytest.mark.parametrize(
    "body",
    [
        "exit 3",
        "echo '{'",
        "printf 'http://10.0.0.7:5272 http://evil.example:80 \\033]0;x\\007'",
        "kill -9 $$",
        "yes http://10.0.0.7:5272",
    ],
    ids=["fails", "broken", "leads-away", "dies", "floods"],
)
async def test_a_program_that_says_nothing_usable_is_passed_over(tmp_path: Path, body: str) -> None:
    assert await find_servers(around(tmp_path, program=stand_in(tmp_path, body))) == ()


@needs_a_shebang
async def test_a_program_that_hangs_is_ended_and_holds_nobody_up(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = stand_in(tmp_path, f"echo $$ > '{pid}.new'; mv '{pid}.new' '{pid}'; exec sleep 60")

    found = await find_servers(around(tmp_path, program=program), program_limit_s=0.5)

    assert found == ()
    if pid.exists():  # else it was ended before it said so
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


@needs_a_shebang
async def test_what_is_in_the_current_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = stand_in(tmp_path, "true")
    monkeypatch.chdir(tmp_path)

    await find_servers(around(tmp_path, program=program))

    assert not (tmp_path / "calls").exists()


async def test_one_server_known_in_several_ways_is_told_once_by_the_most_telling_one(tmp_path: Path) -> None:
    async with scripted_endpoint(HELLO) as endpoint:
        port = endpoint.url.rpartition(":")[2]
        environment = {"FOUNDRY_LOCAL_ENDPOINT": f"http://localhost:{port}/v1"}

        found = await find_servers(around(tmp_path, ports=[endpoint.url], environment=environment))

    assert [server.how for server in found] == ["environment"]


async def test_a_server_that_is_slow_to_list_is_told_without_a_count(tmp_path: Path) -> None:
    async with scripted_endpoint(HELLO, Setting(kind="foundry-v2")) as endpoint:
        endpoint.routes.extra["/v1/models"] = Script((HoldOpen(),))

        found = await find_servers(around(tmp_path, ports=[endpoint.url]), limit_s=0.3)

    assert [(server.kind, server.models) for server in found] == [(EndpointKind.FOUNDRY_V2, None)]


async def test_servers_are_looked_at_all_at_once_and_none_for_longer_than_the_limit(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        silent: list[Endpoint] = []
        for _ in range(5):
            silent.append(await stack.enter_async_context(scripted_endpoint(HELLO)))
            silent[-1].routes.extra["/status"] = Script((HoldOpen(),))
        good = await stack.enter_async_context(scripted_endpoint(HELLO))
        loop = asyncio.get_running_loop()
        told: list[RunningServer] = []
        started = loop.time()

        found = await find_servers(
            around(tmp_path, ports=[*(endpoint.url for endpoint in silent), good.url]),
            told.append,
            limit_s=0.5,
        )

        took_s = loop.time() - started

    assert [server.url for server in found] == [good.url]
    assert told == list(found)
    assert took_s < 5 * 0.5  # one after the other they would take as long as this


async def test_no_key_is_sent_to_what_was_only_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    async with scripted_endpoint(HELLO) as endpoint:
        await find_servers(around(tmp_path, ports=[endpoint.url]))

        assert endpoint.requests
        assert all("authorization" not in request.headers for request in endpoint.requests)
        assert {request.method for request in endpoint.requests} == {"GET"}
