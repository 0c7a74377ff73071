"""How the loopback hub comes and goes, what it remembers of it, and how it is started by hand."""

import asyncio
import http.client
import os
import signal
import subprocess
import sys
import threading
import urllib.error
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.hub import (
    NONSENSE,
    CutAt,
    Hub,
    Missing,
    NoRanges,
    Place,
    Ports,
    Slow,
    Stalled,
    Status,
    synthetic_model,
    variant,
)
from tests.support.hub.__main__ import main
from tests.support.hub.client import (
    DATA,
    ONE,
    SIZE,
    TWO,
    Answer,
    ask,
    blob,
    fetch,
    listed,
    part,
    resolve,
    two_models,
)
from tests.support.hub.control import BadOrder, Control, parse_fault

ROOT = Path(__file__).parents[2]
END_S = 10.0


@pytest.fixture
def hub() -> Generator[Hub, None, None]:
    """Two models of 300,000 bytes of weights."""
    with Hub(two_models()) as hub:
        yield hub


@pytest.fixture
def pool() -> Generator[ThreadPoolExecutor, None, None]:
    """Where a client reads while the test does something else."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


# Coming and going


def test_a_hub_that_went_is_back_on_the_same_ports(hub: Hub, pool: ThreadPoolExecutor) -> None:
    url, region, link = hub.catalog_url, hub.catalog_region, hub.link(ONE)
    hub.fault(ONE, Stalled(after_bytes=10))
    reading: Future[Answer] = pool.submit(fetch, blob(hub))
    hub.wait_until(hub.stalled)

    hub.down()
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        reading.result(END_S)
    with pytest.raises(ConnectionRefusedError):
        ask(hub)
    with pytest.raises(urllib.error.URLError):
        resolve(hub, synthetic_model("one"))
    hub.up()
    hub.mend()

    assert (hub.catalog_url, hub.catalog_region) == (url, region)
    assert fetch(blob(hub, link=link)).status == 200
    assert resolve(hub, synthetic_model("one")).status == 200


def test_going_and_coming_may_be_repeated(hub: Hub) -> None:
    for _ in range(3):
        hub.down(Place.CATALOG)
        hub.down()
        hub.up()
        hub.up(Place.CATALOG)

    assert ask(hub) == [ONE, TWO]


def test_connections_are_reset_and_new_ones_accepted(hub: Hub, pool: ThreadPoolExecutor) -> None:
    hub.fault(ONE, Stalled(after_bytes=10))
    reading = pool.submit(fetch, blob(hub))
    hub.wait_until(hub.stalled)

    hub.drop_connections(Place.BLOBS)

    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        reading.result(END_S)
    assert fetch(blob(hub, TWO)).status == 200


def test_a_port_that_is_taken_is_told() -> None:
    with Hub([]) as hub:
        port = urlsplit(hub.catalog_url).port or 0

        with pytest.raises(OSError, match="in use"):
            Hub([], Ports(catalog=port)).start()


def test_a_hub_that_does_not_run_says_so() -> None:
    hub = Hub([])

    with pytest.raises(RuntimeError, match="not running"):
        hub.down()


def test_a_mistake_in_the_hub_reaches_the_test() -> None:
    class Broken:
        size_bytes = 10

        def read(self, offset: int, length: int) -> bytes:
            raise LookupError("no such bytes")

    hub = Hub([replace(variant("one", "generic-cpu"), files={"x": Broken()})])
    hub.start()
    with pytest.raises(http.client.IncompleteRead):
        fetch(blob(hub, name="x"))

    with pytest.raises(LookupError, match="no such bytes"):
        hub.stop()


def test_a_hub_leaves_no_thread() -> None:
    before = threading.active_count()
    with Hub([]):
        during = threading.active_count()

    assert (during, threading.active_count()) == (before + 1, before)


# The record


def test_every_request_is_recorded_with_what_it_wanted_and_got(hub: Hub) -> None:
    ask(hub, type="models")
    resolve(hub, synthetic_model("one"))
    listed(hub)
    fetch(blob(hub), method="HEAD")
    part(hub, 5, 14)
    hub.wait_until(lambda: not any(exchange.is_open for exchange in hub.requests))

    catalog, registry, lists, head, get = hub.requests
    assert [e.place for e in hub.requests] == [
        Place.CATALOG,
        Place.REGISTRY,
        Place.BLOBS,
        Place.BLOBS,
        Place.BLOBS,
    ]
    assert [e.asks for e in hub.requests] == ["POST", "GET", "LIST", "HEAD", "GET"]
    assert catalog.catalog == "main"
    assert catalog.request.body["pageSize"] == 50
    assert registry.model == lists.model == head.model == ONE
    assert (get.blob, get.byte_range, get.status, get.sent_bytes) == (DATA, (5, 14), 206, 10)
    assert hub.sent_bytes(ONE) == hub.sent_bytes(ONE, DATA) == 10
    assert get.ended_ns is not None
    assert get.ended_ns > get.request.at_ns


async def test_waiting_is_by_event_on_the_callers_own_loop(hub: Hub) -> None:
    hub.fault(ONE, Stalled(after_bytes=1000))
    reading = asyncio.create_task(asyncio.to_thread(fetch, blob(hub)))

    await hub.sent(ONE, at_least_bytes=1000)
    await hub.until(hub.stalled)
    hub.mend()

    assert len((await reading).body) == SIZE


async def test_what_does_not_come_is_told() -> None:
    async with Hub([]) as hub:
        with pytest.raises(TimeoutError):
            await hub.until(lambda: False, within_s=0.01)
        with pytest.raises(TimeoutError):
            hub.wait_until(lambda: False, within_s=0.01)


# By hand


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("slow,bytes_per_s=1e6", Slow(bytes_per_s=1_000_000)),
        ("Cut-At,at_byte=5,ending=close,times=null", CutAt(at_byte=5, ending="close", times=None)),
        ("status,code=503,methods=LIST+HEAD", Status(code=503, methods=("LIST", "HEAD"))),
        ("missing,is_listed=true", Missing(is_listed=True)),
        ("no-ranges", NoRanges()),
        ("nonsense,html", NONSENSE["html"]),
    ],
)
def test_a_fault_can_be_named_on_a_command_line(text: str, fault: object) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize("text", ["", "rain", "slow", "slow,speed=1", "slow,bytes_per_s=fast", "nonsense,x"])
def test_a_fault_that_is_named_wrongly_is_told(text: str) -> None:
    with pytest.raises(BadOrder):
        parse_fault(text)


def test_orders_are_taken_while_it_runs(hub: Hub) -> None:
    with Control(hub) as control:

        def order(text: str) -> int:
            return fetch(f"{control.url}{text}", method="POST").status

        faults = [order(f"/fault?where={ONE}/{DATA}&what=status,code=503"), fetch(blob(hub)).status]
        mended = [order(f"/mend?where={ONE}"), fetch(blob(hub)).status]
        registry = [
            order(f"/registry-fault?where={ONE}&what=status,code=429"),
            resolve(hub, synthetic_model("one")).status,
        ]
        comings = [order("/down?place=catalog"), order("/up"), order("/drop"), order(f"/expire?model={ONE}")]
        removed = [order(f"/remove?model={TWO}"), order("/mend"), ask(hub)]
        wrong = [
            order("/fault?where=nobody&what=slow,bytes_per_s=1"),
            order("/fault?where=catalog&what=rain"),
            order("/fault"),
            order("/down?place=cellar"),
            order("/remove?model=nobody:1"),
            order("/dance"),
        ]
        requests = fetch(f"{control.url}/requests").body.decode()
        offered = fetch(f"{control.url}/models").body.decode()
        words = fetch(control.url).body.decode()

    assert faults == [200, 503]
    assert mended == [200, 200]
    assert registry == [200, 429]
    assert comings == [200, 200, 200, 200]
    assert removed == [200, 200, [ONE]]
    assert wrong == [400] * 6
    assert f"blobs GET {ONE}/{DATA} - 503" in requests
    assert offered == f"{ONE} 300301\n"
    assert "POST /fault" in words


@pytest.mark.skipif(sys.platform == "win32", reason="an interrupt as the terminal sends it is POSIX")
def test_a_hub_by_hand_says_how_to_reach_it_and_ends_when_interrupted() -> None:
    command = [
        sys.executable,
        "-m",
        "tests.support.hub",
        "--models",
        "5",
        "--fault",
        "catalog=status,code=503",
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "# Ctrl-C ends it\n")
        words = "".join(lines)
        url = words.partition("--catalog-url ")[2].split()[0]
        status = fetch(url, method="POST", body=b"{}").status
        os.kill(process.pid, signal.SIGINT)
        rest, errors = process.communicate(timeout=END_S)

    assert words.startswith("# 25 models")
    assert "export SSL_CERT_FILE=" in words
    assert status == 503
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_hub_by_hand_that_is_told_nonsense_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--fault", "catalog=rain"])

    assert code == 2
    assert "no fault 'rain'" in capsys.readouterr().err
