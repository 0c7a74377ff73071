"""What goes wrong at the loopback hub when it is told to, and nowhere else."""

import http.client
import socket
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.support.hub import (
    NONSENSE,
    CutAt,
    Delayed,
    EmptyContainer,
    Ending,
    Hub,
    Missing,
    NoRanges,
    Place,
    Slow,
    Stalled,
    Status,
    Synthetic,
    WrongBytes,
    WrongSize,
    synthetic_model,
    variant,
)
from tests.support.hub.client import (
    DATA,
    ONE,
    SIZE,
    TWO,
    ask,
    blob,
    fetch,
    listed,
    part,
    resolve,
    two_models,
)
from tests.support.hub.control import parse_fault

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


def test_a_slow_body_takes_its_time(hub: Hub) -> None:
    hub.fault(ONE, Slow(bytes_per_s=100_000))

    started_s = time.perf_counter()
    answer = part(hub, 0, 19_999)
    took_s = time.perf_counter() - started_s

    assert len(answer.body) == 20_000
    assert took_s > 0.19


def test_a_slow_body_runs_on_as_soon_as_it_is_mended(hub: Hub, pool: ThreadPoolExecutor) -> None:
    hub.fault(ONE, Slow(bytes_per_s=20))
    reading = pool.submit(fetch, blob(hub))
    hub.wait_sent(ONE, at_least_bytes=1)

    hub.mend(ONE)

    assert len(reading.result(END_S).body) == SIZE


def test_several_readers_share_a_slow_line(hub: Hub, pool: ThreadPoolExecutor) -> None:
    hub.fault(ONE, Slow(bytes_per_s=100_000))

    started_s = time.perf_counter()
    parts = [pool.submit(part, hub, 0, 9_999) for _ in range(2)]
    bodies = [reading.result(END_S).body for reading in parts]
    took_s = time.perf_counter() - started_s

    assert [len(body) for body in bodies] == [10_000, 10_000]
    assert took_s > 0.19


def test_a_stalled_model_sends_so_many_bytes_and_the_rest_when_mended(
    hub: Hub, pool: ThreadPoolExecutor
) -> None:
    hub.fault(ONE, Stalled(after_bytes=100_001))
    readings = [pool.submit(part, hub, n * 100_000, n * 100_000 + 99_999) for n in range(3)]
    hub.wait_until(lambda: len(hub.stalled(ONE)) == 2)
    sent_bytes = hub.sent_bytes(ONE)

    hub.mend()

    assert sent_bytes == 100_001
    assert b"".join(reading.result(END_S).body for reading in readings) == Synthetic(
        size_bytes=SIZE, seed=1
    ).read(0, SIZE)


def test_a_client_that_leaves_a_stall_is_told_of(hub: Hub) -> None:
    hub.fault(ONE, Stalled())
    parts = urlsplit(blob(hub))
    with socket.create_connection(("127.0.0.1", parts.port or 0)) as client:
        client.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        hub.wait_until(hub.stalled)

    hub.wait_until(lambda: hub.requests[0].ending is Ending.CLIENT_LEFT)

    assert hub.stalled() == []


def test_a_connection_is_reset_at_the_byte_and_the_next_goes_through(hub: Hub) -> None:
    hub.fault(ONE, CutAt(at_byte=200_000))
    with pytest.raises(ConnectionResetError):
        part(hub, 100_000, 299_999)

    again = part(hub, 100_000, 299_999)

    hub.wait_until(lambda: not any(exchange.is_open for exchange in hub.requests))
    (cut, whole) = hub.asked(Place.BLOBS)
    assert (cut.sent_bytes, cut.ending) == (100_000, Ending.CUT)
    assert (whole.sent_bytes, whole.ending) == (200_000, Ending.DONE)
    assert len(again.body) == 200_000


def test_a_connection_may_end_too_early_in_good_order(hub: Hub) -> None:
    hub.fault(ONE, CutAt(at_byte=1000, ending="close", times=None))

    for _ in range(2):
        with pytest.raises(http.client.IncompleteRead) as caught:
            fetch(blob(hub))
        assert len(caught.value.partial) == 1000


def test_a_cut_elsewhere_does_not_concern_a_range(hub: Hub) -> None:
    hub.fault(ONE, CutAt(at_byte=200_000))

    assert len(part(hub, 0, 199_999).body) == 200_000


@pytest.mark.parametrize(("how", "wrong"), [("zeros", b"\0\0\0\0"), ("flipped", None)])
def test_wrong_bytes_are_wrong_where_it_was_said_and_nowhere_else(
    hub: Hub, how: str, wrong: bytes | None
) -> None:
    right = Synthetic(size_bytes=SIZE, seed=1).read(0, SIZE)
    fault = parse_fault(f"wrong-bytes,how={how},from_byte=70000,to_byte=70004")
    hub.fault(ONE, fault, blob=DATA)

    body = fetch(blob(hub)).body

    expected = wrong if wrong is not None else bytes(255 - byte for byte in right[70_000:70_004])
    assert isinstance(fault, WrongBytes)
    assert body == right[:70_000] + expected + right[70_004:]
    assert fetch(blob(hub, name="tokenizer.json")).body[:1] == b"{"


def test_a_missing_file_is_not_listed_and_not_found(hub: Hub) -> None:
    hub.fault(ONE, Missing(), blob=DATA)

    assert DATA not in listed(hub)[0]
    assert fetch(blob(hub), method="HEAD").status == 404
    assert fetch(blob(hub)).status == 404
    assert fetch(blob(hub, name="model.onnx")).status == 200


def test_a_missing_file_may_be_listed_all_the_same(hub: Hub) -> None:
    hub.fault(ONE, Missing(is_listed=True), blob=DATA)

    assert DATA in listed(hub)[0]
    assert fetch(blob(hub)).status == 404


def test_an_empty_container_has_nothing(hub: Hub) -> None:
    hub.fault(ONE, EmptyContainer())

    assert listed(hub) == ({}, "")
    assert fetch(blob(hub)).status == 404


def test_a_status_comes_as_often_as_it_was_told_and_says_when_to_come_back(hub: Hub) -> None:
    hub.fault(ONE, Status(code=429, retry_after_s=7, times=2))

    answers = [fetch(blob(hub)) for _ in range(3)]

    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"


def test_a_status_concerns_the_requests_that_it_names(hub: Hub) -> None:
    hub.fault(ONE, Status(code=503, methods=("LIST", "HEAD")))

    assert fetch(f"{hub.link(ONE)}&restype=container&comp=list").status == 503
    assert fetch(blob(hub), method="HEAD").status == 503
    assert fetch(blob(hub)).status == 200


def test_a_server_without_ranges_answers_with_all_of_it(hub: Hub) -> None:
    hub.fault(ONE, NoRanges())

    answer = part(hub, 10, 19)

    assert (answer.status, len(answer.body)) == (200, SIZE)
    assert "accept-ranges" not in answer.headers


@pytest.mark.parametrize("size", [SIZE - 7, SIZE + 7])
def test_a_size_that_is_wrong_is_wrong_everywhere(hub: Hub, size: int) -> None:
    hub.fault(ONE, WrongSize(size_bytes=size), blob=DATA)

    assert listed(hub)[0][DATA] == size
    assert fetch(blob(hub), method="HEAD").headers["content-length"] == str(size)
    assert fetch(blob(hub)).body == Synthetic(size_bytes=SIZE, seed=1).read(0, size).ljust(size, b"\0")


def test_a_delay_without_end_ends_when_it_is_mended(hub: Hub, pool: ThreadPoolExecutor) -> None:
    hub.fault(Place.CATALOG, Delayed())
    asking = pool.submit(ask, hub)
    hub.wait_until(hub.stalled)

    hub.mend(Place.CATALOG)

    assert asking.result(END_S) == [ONE, TWO]


@pytest.mark.parametrize("kind", sorted(NONSENSE))
def test_a_catalog_may_answer_nonsense(hub: Hub, kind: str) -> None:
    hub.fault(Place.CATALOG, NONSENSE[kind])

    answer = fetch(hub.catalog_url, method="POST", body=b"{}")

    assert answer.status == 200
    assert answer.body == NONSENSE[kind].body


def test_a_fault_of_one_model_leaves_the_others_alone(hub: Hub) -> None:
    hub.fault(ONE, Status(code=503))

    assert (fetch(blob(hub, ONE)).status, fetch(blob(hub, TWO)).status) == (503, 200)


def test_a_fault_may_be_of_every_version_or_of_a_place(hub: Hub) -> None:
    hub.put(synthetic_model("one", version=2))
    hub.fault("one-generic-cpu", Status(code=503))
    both = [fetch(blob(hub, model_id)).status for model_id in (ONE, "one-generic-cpu:2", TWO)]
    hub.fault(Place.BLOBS, Status(code=500))

    assert both == [503, 503, 200]
    assert fetch(blob(hub, TWO)).status == 500


def test_a_models_entry_in_the_registry_may_fail_alone(hub: Hub) -> None:
    hub.fault(ONE, Status(code=404), at=Place.REGISTRY)

    assert resolve(hub, synthetic_model("one")).status == 404
    assert resolve(hub, synthetic_model("two")).status == 200
    assert fetch(blob(hub)).status == 200


def test_one_of_several_catalogs_may_fail() -> None:
    other = replace(variant("b", "generic-cpu"), catalog="other")
    with Hub([variant("a", "generic-cpu"), other]) as hub:
        hub.fault_in_catalog("other", Status(code=503))

        statuses = [fetch(url, method="POST", body=b"{}").status for url in hub.catalog_urls]

    assert statuses == [200, 503]
