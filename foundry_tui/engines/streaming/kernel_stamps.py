"""Sockets that tell the kernel's own moments of their packets, so that no wait for a processor is in them.

Linux only, and only between two processes of this machine: what a lossy network delivers out of order bears
the stamp of a packet that nobody could read yet.  Where the kernel tells nothing there is None, and the
reader's own clock has to do (docs/decisions/0016-kernel-stamps.md).
"""

import asyncio
import contextlib
import ipaddress
import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

__all__ = ["KernelClock", "PacketSocket", "taken_over"]

_Notes: TypeAlias = Iterable[tuple[int, int, bytes]]

# SO_TIMESTAMPING and what belongs to it (linux/net_tstamp.h, linux/errqueue.h), which Python does not name.
# The numbers are of these machines, as is the layout of a timespec; others have numbers of their own.
_MACHINES = frozenset({"x86_64", "aarch64", "riscv64", "ppc64le", "s390x", "loongarch64"})
_TIMESTAMPING = 37
_STAMP_SENT, _STAMP_RECEIVED, _SOFTWARE, _NUMBERED, _STAMP_ONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 7, 1 << 11
_ALL = _STAMP_SENT | _STAMP_RECEIVED | _SOFTWARE | _NUMBERED | _STAMP_ONLY
_ERROR_QUEUE = 0x2000  # MSG_ERRQUEUE, where the stamps of what was sent arrive; Linux alone has the name
_EXTENDED_ERRORS = frozenset({(0, 11), (41, 25)})  # IP_RECVERR, IPV6_RECVERR
_FROM_TIMESTAMPING = 4
_TIMESPEC = struct.Struct("qq")
_EXTENDED_ERROR = struct.Struct("IBBBBII")
_NOTES_BYTES = 256
_NS_PER_S = 1_000_000_000
_SLACK_NS = 50
"""For the rounding of either clock, which must not look like a time of day that was set."""
_TURN = 1 << 32
"""Bytes are numbered in 32 bits."""


class KernelClock:
    """Puts the kernel's stamps, which are of the time of day, on the monotonic clock of all our readings.

    Both clocks are steered alike, so the time of day less the other is one number until somebody sets the
    time or the machine sleeps.  Each reading of both tells a range that holds it; what all the ranges share
    is it to within some hundred nanoseconds.  A range that shares nothing with the others: the time was set.

    Args:
        now_ns: The monotonic clock.
        day_ns: The time of day.
    """

    def __init__(
        self, now_ns: Callable[[], int] = time.perf_counter_ns, day_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._now_ns = now_ns
        self._day_ns = day_ns
        before_ns = now_ns()
        of_day_ns = day_ns()
        self._least_ns, self._most_ns = of_day_ns - now_ns() - _SLACK_NS, of_day_ns - before_ns + _SLACK_NS

    def monotonic_ns(self, stamp_ns: int, *, not_before_ns: int) -> int | None:
        """``stamp_ns`` on our clock, never too early; None if it cannot be of the clock as it runs now.

        Args:
            stamp_ns: The kernel's, not later than this call.
            not_before_ns: On our clock: what bears the stamp is newer than this.
        """
        before_ns = self._now_ns()
        day_ns = self._day_ns()
        now_ns = self._now_ns()
        least_ns, most_ns = day_ns - now_ns - _SLACK_NS, day_ns - before_ns + _SLACK_NS
        if least_ns > self._most_ns or most_ns < self._least_ns:
            self._least_ns, self._most_ns = least_ns, most_ns
            return None
        if least_ns > self._least_ns:
            self._least_ns = least_ns
        if most_ns < self._most_ns:
            self._most_ns = most_ns
        at_ns = stamp_ns - self._least_ns
        if at_ns < not_before_ns or stamp_ns - self._most_ns > now_ns:
            return None
        return at_ns if at_ns < now_ns else now_ns


class PacketSocket(socket.socket):
    """A connected TCP socket that knows when its packets came and left.

    Works under an asyncio transport as any other; it is ``recv`` that takes the stamps, so nothing has them
    that reads in another way, as TLS does.

    Attributes:
        arrived_ns: When all that ``recv`` returned last had come in; None if nobody knows.
    """

    arrived_ns: int | None = None

    def stamp(self, clock: KernelClock) -> None:
        """Have the kernel stamp from now on; before anything was sent.

        Raises:
            OSError: The kernel cannot.
        """
        self.setsockopt(socket.SOL_SOCKET, _TIMESTAMPING, _ALL)
        self._clock = clock
        self._since_ns = time.perf_counter_ns()

    def leave_unstamped(self) -> None:
        """Have nothing stamped any more: whoever reads in another way would not fetch the stamps."""
        with contextlib.suppress(OSError):
            self.setsockopt(socket.SOL_SOCKET, _TIMESTAMPING, 0)
        self.departed_ns(0)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """As ever; and remember when the last packet of it came in."""
        self.arrived_ns = None
        try:
            data, notes, _, _ = self.recvmsg(bufsize, _NOTES_BYTES, flags)
        except BlockingIOError:
            self.departed_ns(0)  # a stamp that is late wakes the loop until it is fetched
            raise
        # Where there was no room for more, the stamp may be of a packet before the last one.
        if notes and len(data) < bufsize and (stamp_ns := _stamp_ns(notes)) is not None:
            self.arrived_ns = self._clock.monotonic_ns(stamp_ns, not_before_ns=self._since_ns)
        return data

    def departed_ns(self, sent_bytes: int) -> int | None:
        """When the last of the first ``sent_bytes`` left; None if nobody knows."""
        departed_ns = None
        while True:
            try:
                _, notes, _, _ = self.recvmsg(0, _NOTES_BYTES, _ERROR_QUEUE)
            except OSError:  # no more of them, or the connection is gone
                return departed_ns
            if not notes:  # no kernel of Linux's own, which has no such queue and read nothing
                return departed_ns
            # Sent again, it would be stamped again.
            if departed_ns is None and sent_bytes and _last_byte(notes) == (sent_bytes - 1) % _TURN:
                stamp_ns = _stamp_ns(notes)
                if stamp_ns is not None:
                    departed_ns = self._clock.monotonic_ns(stamp_ns, not_before_ns=self._since_ns)


def taken_over(transport: asyncio.Transport, clock: KernelClock) -> PacketSocket | None:
    """The socket of ``transport``, stamped and to be closed by the caller; None where that cannot be.

    If there is one, the transport is closed; it must not have read or written.
    """
    connected = transport.get_extra_info("socket")
    if not _can_stamp(asyncio.get_running_loop()) or not _is_of_this_machine(connected):
        return None
    try:
        stamped = PacketSocket(fileno=os.dup(connected.fileno()))
    except OSError:
        return None
    try:
        stamped.setblocking(False)
        stamped.stamp(clock)
    except OSError:
        stamped.close()
        return None
    transport.abort()  # closes its own descriptor; the connection lives on in ours
    return stamped


def _can_stamp(loop: asyncio.AbstractEventLoop) -> bool:
    # Another loop may read otherwise, and would then never fetch what waits in the error queue.
    return (
        sys.platform == "linux"
        and os.uname().machine in _MACHINES
        and isinstance(loop, asyncio.SelectorEventLoop)
    )


def _is_of_this_machine(connected: socket.socket) -> bool:
    try:
        ours, theirs = connected.getsockname()[0], connected.getpeername()[0]
        return bool(ours == theirs or ipaddress.ip_address(theirs).is_loopback)
    except (OSError, ValueError, IndexError, TypeError):  # closed meanwhile, or no address of the internet
        return False


def _stamp_ns(notes: _Notes) -> int | None:
    for level, kind, value in notes:
        if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMPING) and len(value) >= _TIMESPEC.size:
            seconds, rest_ns = _TIMESPEC.unpack_from(value)
            stamp_ns: int = seconds * _NS_PER_S + rest_ns
            return stamp_ns or None
    return None


def _last_byte(notes: _Notes) -> int | None:
    """The number, from 0, of the byte with which what left ended."""
    for level, kind, value in notes:
        if (level, kind) in _EXTENDED_ERRORS and len(value) >= _EXTENDED_ERROR.size:
            _, origin, _, _, _, what, number = _EXTENDED_ERROR.unpack_from(value)
            # 0 is "handed to the device"
            return int(number) if origin == _FROM_TIMESTAMPING and what == 0 else None
    return None
