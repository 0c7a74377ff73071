"""What keeps a run from beginning its next request: the user, the clock, the disk, the heat."""

import asyncio
from collections.abc import Awaitable, Callable

from foundry_tui.domain.bench import RunLimits
from foundry_tui.domain.quantities import bytes_in_words, span_in_words
from foundry_tui.ports.machine import Surroundings
from foundry_tui.services.bench.ledger import Ledger
from foundry_tui.services.bench.state import Step

__all__ = ["Vigil"]

_NS_PER_S = 1_000_000_000
_LOOK_S = 2.0
"""A disk does not fill, nor a machine get hot, in less; nothing is read more often than that."""
_COOLER_C = 5.0
"""It goes on that much below the limit, so as not to stop again at once."""
_COOLING_LOOK_S = 5.0
_LONGEST_COOLING_S = 900.0


class Vigil:
    """Asked before each request, and each load, whether it may be begun.

    Args:
        ledger: Of the run; told why it ends.
        surroundings: Reads disk and temperatures; None where nothing of that can be read.
        clock_ns: For limits of time, no reading of a request.
        sleep: Waits that many seconds of the same clock.
    """

    def __init__(
        self,
        ledger: Ledger,
        surroundings: Surroundings | None,
        *,
        clock_ns: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._ledger = ledger
        self._surroundings = surroundings
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._began_ns = clock_ns()
        self._looked_ns: int | None = None
        self._turn = asyncio.Lock()
        self._goes_on = asyncio.Event()
        self._goes_on.set()
        self._stopped = asyncio.Event()
        self.reason: str | None = None
        """Why the run ends before its plan is done; None while it goes on."""

    @property
    def passed_s(self) -> float:
        """Since this life of the run began."""
        return (self._clock_ns() - self._began_ns) / _NS_PER_S

    def pause(self) -> None:
        """Let nothing more begin until ``go_on``."""
        self._goes_on.clear()
        self._ledger.publish(pauses=True)

    def go_on(self) -> None:
        """Take a pause back."""
        self._goes_on.set()
        state = self._ledger.state
        is_held = state.hold is not None
        step = Step.ASKING if state.step is Step.PAUSED and not is_held else state.step
        self._ledger.publish(step=step, pauses=False)

    def stop(self, reason: str) -> None:
        """Let nothing more begin at all."""
        if self.reason is None:
            self.reason = reason
        self._ledger.publish(stops=True, pauses=False, hold=None)
        self._goes_on.set()
        self._stopped.set()

    async def passes(self) -> None:
        """Return when the next thing may begin, or when the run ends; the ledger's state says which.

        Of several that ask at once one waits for all.
        """
        async with self._turn:
            if not self._goes_on.is_set():
                self._ledger.publish(step=Step.PAUSED)
                await self._counted(self._goes_on.wait())
            if not self._ledger.state.stops:
                await self._look()

    async def _look(self) -> None:
        limits = self._ledger.plan.limits
        if limits.max_s is not None and self.passed_s >= limits.max_s:
            self.stop(f"the limit of time is reached: {span_in_words(limits.max_s)}")
            return
        is_early = self._looked_ns is not None and self._clock_ns() - self._looked_ns < _LOOK_S * _NS_PER_S
        if is_early or (limits.min_free_disk_bytes is None and limits.max_temperature_c is None):
            return
        await self._look_at_disk(limits)
        if not self._ledger.state.stops and limits.max_temperature_c is not None:
            await self._look_at_heat(limits.max_temperature_c)
        self._looked_ns = self._clock_ns()

    async def _look_at_disk(self, limits: RunLimits) -> None:
        least_bytes = limits.min_free_disk_bytes
        if least_bytes is None:
            return
        free_bytes = None
        if self._surroundings is not None:
            free_bytes = await asyncio.to_thread(self._surroundings.free_disk_bytes)
        if free_bytes is None:
            self._note("how much is left on the disk cannot be read here: the limit of it does not hold")
        elif free_bytes < least_bytes:
            self.stop(
                f"the disk has {bytes_in_words(free_bytes)} left, less than the limit of"
                f" {bytes_in_words(least_bytes)}"
            )

    async def _look_at_heat(self, most_c: float) -> None:
        hottest = await self._hottest()
        if hottest is None:
            self._note("no temperature can be read here: the limit of it does not hold")
            return
        if hottest[1] <= most_c:
            return
        await self._counted(self._cool(most_c, hottest))

    async def _cool(self, most_c: float, hottest: tuple[str, float]) -> None:
        began_ns = self._clock_ns()
        while hottest[1] > most_c - _COOLER_C:
            if self._clock_ns() - began_ns >= _LONGEST_COOLING_S * _NS_PER_S:
                self.stop(
                    f"{hottest[0]} still has {hottest[1]:.0f} °C after {span_in_words(_LONGEST_COOLING_S)}"
                    f" without a request; the limit is {most_c:.0f} °C"
                )
                return
            self._ledger.publish(
                step=Step.PAUSED,
                hold=f"{hottest[0]} has {hottest[1]:.0f} °C: waits for {most_c - _COOLER_C:.0f} °C",
            )
            await self._wait(_COOLING_LOOK_S)
            if self._stopped.is_set():
                return
            found = await self._hottest()
            if found is None:
                break  # what cannot be read any more cannot be waited for
            hottest = found
        self._ledger.publish(hold=None)

    async def _wait(self, seconds: float) -> None:
        """For so long, or until the run is stopped."""
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        stopping = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait((sleeping, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            stopping.cancel()

    async def _counted(self, waiting: Awaitable[object]) -> None:
        """Wait, and count how long nothing was asked."""
        began_ns = self._clock_ns()
        try:
            await waiting
        finally:
            waited_s = (self._clock_ns() - began_ns) / _NS_PER_S
            self._ledger.publish(paused_s=self._ledger.state.paused_s + waited_s)

    async def _hottest(self) -> tuple[str, float] | None:
        if self._surroundings is None:
            return None
        found = await asyncio.to_thread(self._surroundings.temperatures_c)
        return max(found, key=lambda reading: reading[1], default=None)

    def _note(self, note: str) -> None:
        known = self._ledger.state.notes
        if note not in known:
            self._ledger.publish(notes=(*known, note))
