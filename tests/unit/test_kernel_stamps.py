import asyncio
import socket
import sys
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from foundry_tui.engines.streaming.kernel_stamps import KernelClock, PacketSocket, taken_over
from foundry_tui.engines.streaming.sockets import StampedStream, StampingBackend

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells when its packets came")

START_NS = 1_000_000_000_000
DAY_NS = 1_800_000_000_000_000_000
READING_NS = 40
HELD_UP_S = 0.05
SOON_S = 30.0


@dataclass(slots=True)
class Clocks:
    """A monotonic clock and a time of day which only run while they are read."""

    now_ns: int = START_NS
    ahead_ns: int = DAY_NS

    def now(self) -> int:
        self.now_ns += READING_NS
        return self.now_ns

    def of_day(self) -> int:
        self.now_ns += READING_NS
        return self.now_ns + self.ahead_ns


class Peer:
    """The other end of a connection, in the hands of the test."""

    def __init__(self, family: socket.AddressFamily, host: str) -> None:
        self.listening = socket.create_server((host, 0), family=family)
        self.address: tuple[str, int] = self.listening.getsockname()[:2]

    def accepted(self) -> socket.socket:
        connection, _ = self.listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


@pytest.fixture(params=[(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["IPv4", "IPv6"])
def peer(request: pytest.FixtureRequest) -> Generator[Peer, None, None]:
    family, host = request.param
    try:
        peer = Peer(family, host)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with closing(peer.listening):
        # The kernel begins to stamp some packets after it was asked to, and goes on while anybody wants it.
        ours, theirs = stamped(peer)
        with ours, theirs:
            yield peer


def stamped(peer: Peer) -> tuple[PacketSocket, socket.socket]:
    """A connection of which the kernel stamps already; on a busy machine it takes its time to begin."""
    ours = PacketSocket(fileno=socket.create_connection(peer.address).detach())
    ours.stamp(KernelClock())
    theirs = peer.accepted()
    until_s = time.monotonic() + SOON_S
    while time.monotonic() < until_s:
        theirs.send(b"?")
        ours.recv(10)
        if ours.arrived_ns is not None:
            return ours, theirs
    ours.close()
    theirs.close()
    raise AssertionError("the kernel stamps nothing")


def hold_up() -> None:
    """Keep this thread from its work, as a busy machine does."""
    threading.Event().wait(HELD_UP_S)


@contextmanager
def held_up_in_send() -> Generator[None, None, None]:
    """Hold up whoever sends, between the kernel's return and anything that follows."""

    def after(_: FrameType, event: str, function: Any) -> None:
        if event == "c_return" and function.__name__ == "send":
            hold_up()

    before = sys.getprofile()
    sys.setprofile(after)
    try:
        yield
    finally:
        sys.setprofile(before)


def descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


async def connected(peer: Peer) -> tuple[StampedStream, socket.socket]:
    """A stream, and its other end."""
    stream = await StampingBackend().connect_tcp(*peer.address, timeout=5)
    assert isinstance(stream, StampedStream)
    return stream, peer.accepted()


def test_a_stamp_is_put_on_our_clock_at_most_some_hundred_nanoseconds_late() -> None:
    clocks = Clocks()
    clock = KernelClock(clocks.now, clocks.of_day)
    came_ns = clocks.now_ns
    clocks.now_ns += 5_000_000

    found_ns = clock.monotonic_ns(came_ns + DAY_NS, not_before_ns=START_NS)

    assert found_ns is not None
    assert came_ns <= found_ns <= came_ns + 200


def test_a_long_wait_between_the_readings_of_both_clocks_makes_no_stamp_worse() -> None:
    clocks = Clocks()
    clock = KernelClock(clocks.now, clocks.of_day)
    came_ns = clocks.now_ns

    def slow_of_day() -> int:
        clocks.now_ns += 3_000_000
        return clocks.now_ns + clocks.ahead_ns

    slow = KernelClock(clocks.now, slow_of_day)

    for one in (clock, slow):
        found_ns = one.monotonic_ns(came_ns + DAY_NS, not_before_ns=START_NS)
        assert found_ns is not None
        assert found_ns >= came_ns
    again_ns = clock.monotonic_ns(came_ns + DAY_NS, not_before_ns=START_NS)
    assert again_ns is not None
    assert again_ns <= came_ns + 200


@pytest.mark.parametrize("by_ns", [-3_600_000_000_000, -2_000, 2_000, 60_000_000_000])
def test_a_time_of_day_that_was_set_makes_one_stamp_unknown_and_the_next_right(by_ns: int) -> None:
    clocks = Clocks()
    clock = KernelClock(clocks.now, clocks.of_day)
    before_ns = clocks.now_ns + clocks.ahead_ns

    clocks.ahead_ns += by_ns
    first_ns = clock.monotonic_ns(before_ns, not_before_ns=START_NS)
    came_ns = clocks.now_ns
    then_ns = clock.monotonic_ns(came_ns + clocks.ahead_ns, not_before_ns=START_NS)

    assert first_ns is None
    assert then_ns is not None
    assert came_ns <= then_ns <= came_ns + 200


@pytest.mark.parametrize("stamp_ns", [START_NS, DAY_NS, START_NS + DAY_NS + 1_000_000_000], ids=str)
def test_a_stamp_from_another_clock_or_from_later_is_none(stamp_ns: int) -> None:
    clocks = Clocks()
    clock = KernelClock(clocks.now, clocks.of_day)

    assert clock.monotonic_ns(stamp_ns, not_before_ns=START_NS) is None


@on_linux
def test_a_reader_that_is_held_up_still_learns_when_the_packet_came(peer: Peer) -> None:
    ours, theirs = stamped(peer)

    with ours, theirs:
        begun_ns = time.perf_counter_ns()
        theirs.send(b"text")
        hold_up()
        data = ours.recv(100)
        read_ns = time.perf_counter_ns()
        came_ns = ours.arrived_ns

    assert data == b"text"
    assert came_ns is not None
    assert begun_ns <= came_ns
    assert came_ns - begun_ns < 0.5 * (read_ns - begun_ns)


@on_linux
def test_a_sender_that_is_held_up_still_learns_when_its_last_byte_left(peer: Peer) -> None:
    ours, theirs = stamped(peer)

    with ours, theirs:
        begun_ns = time.perf_counter_ns()
        ours.send(b"question")
        hold_up()
        late_ns = time.perf_counter_ns()
        left_ns = ours.departed_ns(len(b"question"))

    assert left_ns is not None
    assert begun_ns <= left_ns
    assert left_ns - begun_ns < 0.5 * (late_ns - begun_ns)


@on_linux
def test_a_stamp_of_fewer_bytes_is_not_taken_for_that_of_the_last(peer: Peer) -> None:
    ours, theirs = stamped(peer)

    with ours, theirs:
        ours.send(b"a")
        assert ours.departed_ns(2) is None
        ours.send(b"b")
        assert ours.departed_ns(2) is not None


@on_linux
def test_what_several_packets_brought_bears_the_stamp_of_the_last(peer: Peer) -> None:
    ours, theirs = stamped(peer)

    with ours, theirs:
        theirs.send(b"a")
        hold_up()
        begun_ns = time.perf_counter_ns()
        theirs.send(b"b")
        data = ours.recv(100)
        came_ns = ours.arrived_ns

    assert data == b"ab"
    assert came_ns is not None
    assert came_ns >= begun_ns


@on_linux
def test_a_read_that_left_something_behind_has_no_stamp(peer: Peer) -> None:
    ours, theirs = stamped(peer)

    with ours, theirs:
        theirs.send(b"abcd")
        data = ours.recv(2)

        assert data == b"ab"
        assert ours.arrived_ns is None


@on_linux
def test_without_stamps_a_read_is_as_ever_and_has_none(peer: Peer) -> None:
    ours, theirs = stamped(peer)

    with ours, theirs:
        ours.send(b"before")
        ours.leave_unstamped()
        theirs.send(b"text")
        data = ours.recv(100)
        ours.send(b"after")

        assert data == b"text"
        assert ours.arrived_ns is None
        assert ours.departed_ns(len(b"beforeafter")) is None


@on_linux
async def test_a_stream_whose_loop_is_held_up_has_the_moment_of_the_packet(peer: Peer) -> None:
    stream, theirs = await connected(peer)

    with theirs:
        begun_ns = time.perf_counter_ns()
        theirs.send(b"text")
        hold_up()
        data = await stream.read(100, timeout=5)
        read_ns = time.perf_counter_ns()
        await stream.aclose()

    assert data == b"text"
    assert begun_ns <= stream.last_read_ns
    assert stream.last_read_ns - begun_ns < 0.5 * (read_ns - begun_ns)


@on_linux
async def test_a_stream_whose_write_is_held_up_has_the_moment_at_which_it_left(peer: Peer) -> None:
    stream, theirs = await connected(peer)

    with theirs, held_up_in_send():
        begun_ns = time.perf_counter_ns()
        await stream.write(b"question")
        await stream.write(b"")  # as the HTTP library ends a request
        done_ns = time.perf_counter_ns()
    await stream.aclose()

    assert begun_ns <= stream.last_write_ns
    assert stream.last_write_ns - begun_ns < 0.5 * (done_ns - begun_ns)


@on_linux
async def test_a_request_is_sent_before_the_server_has_it_and_before_its_answer(peer: Peer) -> None:
    stream, theirs = await connected(peer)

    with theirs:
        begun_ns = time.perf_counter_ns()
        await stream.write(b"head")
        await stream.write(b"body")
        theirs.recv(100)
        served_ns = time.perf_counter_ns()
        theirs.send(b"answer")
        await stream.read(100, timeout=5)
        await stream.aclose()

    assert begun_ns < stream.last_write_ns < served_ns
    assert stream.last_write_ns <= stream.last_read_ns


@on_linux
async def test_stamps_never_run_backwards_over_many_packets(peer: Peer) -> None:
    stream, theirs = await connected(peer)
    stamps = []

    with theirs:
        for number in range(200):
            await stream.write(b"more")
            stamps.append(stream.last_write_ns)
            theirs.send(b"%d" % number)
            await stream.read(100, timeout=5)
            stamps.append(stream.last_read_ns)
        await stream.aclose()

    assert stamps == sorted(stamps)


@on_linux
async def test_a_request_longer_than_the_kernel_takes_at_once_arrives_whole_and_stamped(peer: Peer) -> None:
    stream, theirs = await connected(peer)
    body = bytes(range(256)) * 65_536  # 16 MiB
    received: list[bytes] = []

    def serve() -> None:
        while sum(map(len, received)) < len(body):
            received.append(theirs.recv(1 << 20))

    with theirs:
        begun_ns = time.perf_counter_ns()
        serving = asyncio.create_task(asyncio.to_thread(serve))
        await stream.write(body, timeout=20)
        done_ns = time.perf_counter_ns()
        await serving
        await stream.aclose()

    assert b"".join(received) == body
    assert begun_ns < stream.last_write_ns <= done_ns


@on_linux
async def test_a_closed_stream_leaves_no_descriptor_and_the_server_sees_its_end(peer: Peer) -> None:
    before = descriptors()

    for _ in range(20):
        stream, theirs = await connected(peer)
        with theirs:
            theirs.settimeout(5)
            await stream.aclose()
            assert await asyncio.to_thread(theirs.recv, 10) == b""

    assert len(descriptors() - before) <= 1  # the thread's own, if any


async def test_a_socket_of_no_network_is_not_taken_over_and_works_on() -> None:
    if not hasattr(socket, "AF_UNIX"):
        pytest.skip("no such sockets here")
    ours, theirs = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)

    taken = taken_over(transport, KernelClock())
    transport.write(b"still here")

    with theirs:
        assert taken is None
        assert theirs.recv(100) == b"still here"
    transport.close()
