"""``foundry-tui models pull --endpoint``: an older service downloads for itself, others say why not."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.cli.program import COMMAND, Ended, environment, run_async
from tests.support.endpoint import Endpoint, Setting, scripted_endpoint
from tests.support.foundry_v1 import download_script
from tests.support.script import Gate, Headers, HoldOpen, Raw, Reset, Script, answer
from tests.support.served import ServedModel

PHI = "phi-4-mini-generic-cpu:3"
QWEN = "qwen2.5-0.5b-generic-cpu:2"
LEFT_WITHIN_S = 2.0
SETTING = Setting(
    kind="foundry-v1",
    models=(ServedModel(id=PHI, is_cached=False, size_mb=2000), ServedModel(id=QWEN, is_cached=False)),
)
HELLO = answer(("Hello",))
BEGUN = (Headers(content_type="text/plain"), Raw(b"Total 45.67% Downloading model.onnx\n"))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def pull(endpoint: Endpoint, data_dir: Path, *arguments: str) -> Ended:
    return await run_async("models", "pull", *arguments, "--endpoint", endpoint.url, data_dir=data_dir)


def ordered(endpoint: Endpoint) -> list[object]:
    """The names of the models that the service was told to download."""
    return [order["model"]["Name"] for order in endpoint.routes.v1.orders if isinstance(order["model"], dict)]


async def test_the_service_downloads_each_and_the_licence_and_the_end_are_told(data_dir: Path) -> None:
    async with scripted_endpoint(HELLO, SETTING) as endpoint:
        end = await pull(endpoint, data_dir, "phi-4-mini", QWEN, PHI)

    assert (end.code, end.out) == (0, f"{PHI} is on the server\n{QWEN} is on the server\n")
    assert ordered(endpoint) == [PHI, QWEN]
    assert f"{PHI} comes under the licence MIT" in end.err
    assert "Permission is hereby granted" in end.err
    assert f"{PHI}: 1.95 GiB into the server's own cache, not into this app's" in end.err


async def test_a_licence_is_shown_once_for_each_text_and_its_consent_is_remembered(data_dir: Path) -> None:
    async with scripted_endpoint(HELLO, SETTING) as endpoint:
        first = await pull(endpoint, data_dir, PHI)
        second = await pull(endpoint, data_dir, QWEN)

    assert (first.code, second.code) == (0, 0)
    assert first.err.count("Permission is hereby granted") == 1
    assert "licence" not in second.err


async def test_how_far_it_is_is_told_while_it_goes_on(data_dir: Path) -> None:
    rest = asyncio.Event()
    async with scripted_endpoint(HELLO, SETTING) as endpoint:
        endpoint.routes.v1.downloads[PHI] = Script((*BEGUN, Gate(rest), *download_script().steps[1:]))
        process = await begun(endpoint, data_dir)

        told = await line_with(process, "45 %")
        rest.set()
        out, _ = await process.communicate()

    assert "[" not in told
    assert "913 MiB of 1.95 GiB" in told
    assert (process.returncode, out) == (0, f"{PHI} is on the server\n".encode())


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        (
            download_script(
                ["Total 45.67% x"], {"success": False, "errorMessage": "No space left on device"}
            ),
            1,
            f"the service did not download {PHI}: No space left on device",
        ),
        (Script((*BEGUN, Reset())), 3, f"the download of {PHI} broke off"),
    ],
    ids=["given up", "reset"],
)
async def test_a_download_that_fails_is_told_and_the_next_one_is_tried_all_the_same(
    data_dir: Path, script: Script, code: int, words: str
) -> None:
    async with scripted_endpoint(HELLO, SETTING) as endpoint:
        endpoint.routes.v1.downloads[PHI] = script

        end = await pull(endpoint, data_dir, PHI, QWEN)

    assert (end.code, end.out) == (code, f"{QWEN} is on the server\n")
    assert words in end.err
    assert "start it again" in end.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
async def test_control_c_is_seen_by_the_service_within_two_seconds(data_dir: Path) -> None:
    async with scripted_endpoint(HELLO, SETTING) as endpoint:
        endpoint.routes.v1.downloads[PHI] = Script((*BEGUN, HoldOpen()))
        process = await begun(endpoint, data_dir)
        await line_with(process, "45 %")

        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(LEFT_WITHIN_S):
            await endpoint.until(lambda: endpoint.open_streams == 0)
        out, err = await process.communicate()

    assert (process.returncode, out) == (130, b"")
    assert b"what the server has of it is its own to keep" in err


async def test_what_can_be_refused_is_refused_before_anything_is_ordered(data_dir: Path) -> None:
    config = data_dir.parent / "config"
    config.mkdir()
    (config / "settings.toml").write_text('[licenses]\ndeny = "MIT"\n')
    async with scripted_endpoint(HELLO, SETTING) as endpoint:
        unknown = await pull(endpoint, data_dir, PHI, "nobody")
        denied = await pull(endpoint, data_dir, PHI, "--config", str(config))
        orders_before = ordered(endpoint)
        accepted = await pull(endpoint, data_dir, PHI, "--accept-license", "--config", str(config))

    assert (unknown.code, denied.code, orders_before) == (2, 2, [])
    assert "licenses.deny" in denied.err
    assert (accepted.code, ordered(endpoint)) == (0, [PHI])


async def test_a_server_that_downloads_nothing_for_others_says_so(data_dir: Path) -> None:
    async with scripted_endpoint(HELLO, Setting(kind="openai", models=(PHI,))) as endpoint:
        end = await pull(endpoint, data_dir, PHI)

    assert (end.code, end.out) == (2, "")
    assert "the server's own disk" in end.err
    assert "download on that machine" in end.err


async def begun(endpoint: Endpoint, data_dir: Path) -> asyncio.subprocess.Process:
    """The command, started and not waited for."""
    return await asyncio.create_subprocess_exec(
        *(*COMMAND, "models", "pull", PHI, "--endpoint", endpoint.url),
        cwd=data_dir.parent,
        env=environment(data_dir),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def line_with(process: asyncio.subprocess.Process, words: str) -> str:
    """The first line on its stderr that has these words."""
    assert process.stderr is not None
    async with asyncio.timeout(30):
        async for line in process.stderr:
            if words in line.decode():
                return line.decode()
    raise AssertionError(f"it ended without {words!r}")
