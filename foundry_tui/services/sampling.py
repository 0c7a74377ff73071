"""Readings of machine and engine on a fixed grid, taken off the event loop, once for all who want them."""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from foundry_tui.aio import Feed
from foundry_tui.domain.resources import Conditions, GpuSamples, ResourceSample
from foundry_tui.ports.machine import ConditionsProbe, GpuProbe, HostProbe
from foundry_tui.services.probing import ProbeThread
from foundry_tui.services.sampler_cost import SamplerCost

__all__ = ["ResourceSampler"]

_NS_PER_S = 1_000_000_000
_ABSENT_NS = 5 * _NS_PER_S
"""Between two looks for GPUs where there were none."""
_END_S = 1.0
"""How long the end waits for a reading that is under way; one that hangs is left to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setup:
    """What a sampler was made with."""

    probes: Callable[[], tuple[HostProbe, GpuProbe]]
    pid: Callable[[], int | None]
    conditions: Callable[[], ConditionsProbe] | None
    conditions_period_ns: int
    patience_s: float
    clock_ns: Callable[[], int]
    wait: Callable[[threading.Event, float], object]


class ResourceSampler:
    """Publishes a sample at each grid point while anybody wants some.

    A point that was missed is skipped and counted: the grid never drifts, and nothing is caught up with.  The
    event loop only hands on what was taken; while it is busy samples are taken all the same.

    Args:
        probes: Makes the two probes; called in the sampler's thread, since drivers take their time to load.
        pid: The process to watch, asked anew at every tick, in the sampler's thread; None while none is.
        period_s: Distance of the grid points, unless somebody wants them closer.
        conditions: Makes the probe of what changes slowly, never waited for; None where nobody needs it.
        conditions_period_s: Distance of its readings.
        patience_s: How long one tick waits for a GPU's driver that hangs; those after it do not wait.
        clock_ns: What the grid lies on, and each sample's ``at_ns``.
        wait: Waits that many seconds of the same clock, or until the event is set.

    Attributes:
        samples: The newest; None before the first.
        cost: What all this takes of a core.
    """

    def __init__(
        self,
        probes: Callable[[], tuple[HostProbe, GpuProbe]],
        *,
        pid: Callable[[], int | None],
        period_s: float = 0.5,
        conditions: Callable[[], ConditionsProbe] | None = None,
        conditions_period_s: float = 5.0,
        patience_s: float = 1.0,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self.cost = SamplerCost(clock_ns=clock_ns)
        self._setup = _Setup(
            probes=self.cost.of_probes(probes),
            pid=pid,
            conditions=None if conditions is None else self.cost.of_conditions(conditions),
            conditions_period_ns=int(conditions_period_s * _NS_PER_S),
            patience_s=patience_s,
            clock_ns=clock_ns,
            wait=wait,
        )
        self._period_s = period_s
        self._wanted_s: list[float] = []
        self._hearing: list[Callable[[ResourceSample], None]] = []
        self._sampling: _Sampling | None = None
        self.samples: Feed[ResourceSample | None] = Feed(None)

    async def run(self) -> None:
        """Sample until cancelled."""
        async with self.wanted():
            sampling = self._sampling
            assert sampling is not None, "it was just begun"
            await asyncio.shield(sampling.ended)

    @asynccontextmanager
    async def wanted(self, period_s: float | None = None) -> AsyncGenerator[None, None]:
        """Sample for the length of the block, at points no further apart than ``period_s``.

        Several may want samples at once: each gets them all, those of the one who wants them closest.
        """
        wanted_s = self._period_s if period_s is None else min(period_s, self._period_s)
        self._wanted_s.append(wanted_s)
        if self._sampling is None or self._sampling.is_over:
            self._sampling = _Sampling(self._setup, self._publish)
        sampling = self._sampling
        sampling.pace(min(self._wanted_s))
        try:
            yield
        finally:
            self._wanted_s.remove(wanted_s)
            sampling = self._sampling  # another one, if that of the beginning has failed
            if self._wanted_s:
                sampling.pace(min(self._wanted_s))
            else:
                sampling.stop()
                await asyncio.wait([sampling.ended], timeout=self._setup.patience_s + _END_S)
        if sampling.ended.done():
            sampling.ended.result()  # a probe that raises is a bug, and is told

    @contextmanager
    def heard_by(self, take: Callable[[ResourceSample], None]) -> Iterator[None]:
        """Hand every sample that is taken within the block to ``take``, in order, on the event loop."""
        self._hearing.append(take)
        try:
            yield
        finally:
            self._hearing.remove(take)

    def _publish(self, sample: ResourceSample) -> None:
        self.samples.publish(sample)
        for take in tuple(self._hearing):
            take(sample)


class _Sampling:
    """The threads of one stretch of sampling, from the first who wants samples to the last.

    Attributes:
        ended: Done when the grid's thread is; holds the error that ended it, if one did.
    """

    def __init__(self, setup: _Setup, publish: Callable[[ResourceSample], None]) -> None:
        self._setup = setup
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Event()
        self._stops = False
        self._period_ns = 0
        # Daemons all of them: a driver that never returns must not keep the program from ending.
        self._thread = threading.Thread(target=self._live, name="resource sampler", daemon=True)
        self.ended: asyncio.Future[None] = self._loop.create_future()

    @property
    def is_over(self) -> bool:
        """Whether it takes no more samples: it was stopped, or has failed."""
        return self._stops or self.ended.done()

    def pace(self, period_s: float) -> None:
        """Set the distance of the grid points from now on; the first time, begin."""
        is_begin, period_ns = self._period_ns == 0, int(period_s * _NS_PER_S)
        if period_ns == self._period_ns:
            return
        self._period_ns = period_ns
        if is_begin:
            self._thread.start()
        else:
            self._changed.set()

    def stop(self) -> None:
        """Let it end: ``ended`` is done once the drivers are closed, or are left to themselves."""
        self._stops = True
        self._changed.set()

    def _live(self) -> None:
        error: Exception | None = None
        try:
            self._open_and_sample()
        except Exception as caught:  # noqa: BLE001 - handed to whoever wants samples
            error = caught
        with suppress(RuntimeError):  # the loop has ended before us, so that nobody is there to be told
            self._loop.call_soon_threadsafe(self._end, error)

    def _end(self, error: Exception | None) -> None:
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)

    def _open_and_sample(self) -> None:
        setup = self._setup
        host, probe = setup.probes()
        gpus = _Gpus(probe, setup.patience_s)
        slow = None if setup.conditions is None else _Slow(setup.conditions, setup.conditions_period_ns)
        try:
            self._tick(host, gpus, slow)
        finally:
            gpus.close()
            if slow is not None:
                slow.close()

    def _tick(self, host: HostProbe, gpus: "_Gpus", slow: "_Slow | None") -> None:
        clock_ns = self._setup.clock_ns
        origin_ns = due_ns = clock_ns()
        missed = 0
        while self._wait_for(due_ns):
            if (now_ns := clock_ns()) < due_ns:
                # Another pace was set, on a grid of the same origin.
                due_ns = _point_after(now_ns, origin_ns, self._period_ns)
                continue
            pid, at_ns = self._setup.pid(), clock_ns()
            gpus.ask(at_ns, pid)
            sample = ResourceSample(
                at_ns=at_ns,
                late_ns=max(0, at_ns - due_ns),
                missed=missed,
                host=host.sample(pid),
                gpu=gpus.answer(),
                conditions=None if slow is None else slow.newest(at_ns, pid),
                troubles=() if slow is None else slow.troubles(self._setup.patience_s),
            )
            self._loop.call_soon_threadsafe(self._publish, sample)
            period_ns = self._period_ns
            next_ns = _point_after(clock_ns(), origin_ns, period_ns)
            missed, due_ns = max(0, (next_ns - due_ns) // period_ns - 1), next_ns

    def _wait_for(self, due_ns: int) -> bool:
        """Wait until then, or until another pace is set; False if it is to stop."""
        while (ahead_ns := due_ns - self._setup.clock_ns()) > 0 and not self._changed.is_set():
            self._setup.wait(self._changed, ahead_ns / _NS_PER_S)
        self._changed.clear()
        return not self._stops


class _Gpus:
    """All GPUs, asked at each tick in a thread of their own, where the driver is opened, read and closed.

    Where there were none from the first they are asked for from time to time only: two threads that wake each
    other ten times a second for nothing are felt by what is measured.
    """

    def __init__(self, probe: GpuProbe, patience_s: float) -> None:
        self._thread: ProbeThread[int | None, GpuSamples] = ProbeThread(
            "GPU readings", lambda: (probe.sample, probe.close)
        )
        self._patience_s = patience_s
        self._is_asked = False
        self._was_one_read = False
        self._absent: GpuSamples | None = None
        self._due_ns = 0

    def ask(self, at_ns: int, pid: int | None) -> None:
        """Have them read for the tick of that moment."""
        if self._absent is not None and at_ns < self._due_ns:
            return
        self._absent, self._due_ns = None, at_ns + _ABSENT_NS
        self._is_asked = self._thread.ask(pid)

    def answer(self) -> GpuSamples:
        """What was read, or why there is nothing."""
        if self._absent is not None:
            return self._absent
        # What comes as an answer to an earlier tick is of that time, and no reading of this one.
        answer = self._thread.answer(self._patience_s) if self._is_asked else None
        if answer is None:
            return GpuSamples(absence=_silence("the GPU's driver", self._thread.silent_s))
        self._was_one_read |= answer.absence is None
        if not self._was_one_read:
            self._absent = answer
        return answer

    def close(self) -> None:
        """Have the driver closed, or leave it to itself if it hangs."""
        self._thread.close(self._patience_s)


class _Slow:
    """What changes slowly: asked from time to time, and taken when it comes."""

    def __init__(self, conditions: Callable[[], ConditionsProbe], period_ns: int) -> None:
        self._thread: ProbeThread[int | None, Conditions] = ProbeThread(
            "slow readings", lambda: (conditions().sample, _nothing)
        )
        self._period_ns = period_ns
        self._due_ns: int | None = None
        self._newest: Conditions | None = None

    def newest(self, at_ns: int, pid: int | None) -> Conditions | None:
        """The newest there are; asks for newer ones where it is time for that."""
        self._newest = self._thread.answer(0.0) or self._newest
        if (self._due_ns is None or at_ns >= self._due_ns) and self._thread.ask(pid):
            self._due_ns = at_ns + self._period_ns
        return self._newest

    def troubles(self, patience_s: float) -> tuple[str, ...]:
        """What to say of it if it does not answer."""
        silent_s = self._thread.silent_s
        if silent_s is None or silent_s < patience_s:
            return ()
        return (_silence("what reads disk and sensors", silent_s),)

    def close(self) -> None:
        """Let it end by itself: nothing of it has to be given back."""
        self._thread.close(0.0)


def _point_after(now_ns: int, origin_ns: int, period_ns: int) -> int:
    return origin_ns + ((now_ns - origin_ns) // period_ns + 1) * period_ns


def _silence(who: str, silent_s: float | None) -> str:
    return f"{who} does not answer" if silent_s is None else f"{who} has not answered for {silent_s:.0f} s"


def _nothing() -> None:
    """Nothing was opened."""
