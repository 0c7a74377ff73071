"""The engine restarted once nobody uses it, so that it sees what a running one never looks at again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from foundry_tui.aio import Feed, Tasks
from foundry_tui.domain.errors import EngineBusy
from foundry_tui.domain.models import LoadReport
from foundry_tui.services.engine.lease import EngineLease

__all__ = ["Revival", "Revived", "Wish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Why the engine is to be restarted.

    Attributes:
        model_ids: Variants that came onto this machine or left it; nothing is done if it knows that already.
        must: Whether it is restarted whatever it knows: a catalog can be reached again.
    """

    model_ids: frozenset[str]
    must: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Revived:
    """What became of a restart.

    Attributes:
        reports: Of what was loaded again.
        problems: Why something was not, in words.
    """

    wish: Wish
    reports: tuple[LoadReport, ...] = ()
    problems: tuple[str, ...] = ()


class Revival:
    """Waits until the engine is free, then has it restarted; what is wished for meanwhile is one restart.

    Args:
        lease: Nobody is interrupted, and nobody can begin while it lasts.
        revive: Restarts the engine and loads again what was loaded.
        tasks: Owns the waiting.
        look_every_s: How often the lease is looked at; it tells nobody that it is free.

    Attributes:
        last: What became of the last one; None until there was one.
    """

    def __init__(
        self,
        lease: EngineLease,
        revive: Callable[[Wish], Awaitable[Revived | None]],
        tasks: Tasks,
        *,
        look_every_s: float = 0.25,
    ) -> None:
        self._lease = lease
        self._revive = revive
        self._tasks = tasks
        self._look_every_s = look_every_s
        self._wished: set[str] = set()
        self._must = False
        self._waiting: asyncio.Task[None] | None = None
        self._is_passed = asyncio.Event()
        self._is_passed.set()
        self.last: Feed[Revived | None] = Feed(None)

    @property
    def wished_ids(self) -> frozenset[str]:
        """Variants that the engine will see after the restart that is waited for."""
        return frozenset(self._wished)

    def ask(self, model_ids: Iterable[str] = (), *, must: bool = False) -> None:
        """Have the engine restarted as soon as it is free; returns at once."""
        self._wished.update(model_ids)
        self._must = self._must or must
        if self._waiting is None or self._waiting.done():
            self._waiting = self._tasks.start("engine revival", self._run())

    async def passed(self) -> None:
        """Return once no restart is under way; one that waits is not waited for."""
        await self._is_passed.wait()

    async def settled(self) -> None:
        """Return once nothing is wished for any more."""
        while self._waiting is not None and not self._waiting.done():
            await asyncio.wait([self._waiting])

    async def _run(self) -> None:
        is_first = True
        while is_first or self._wished or self._must:
            is_first = False
            with ExitStack() as stack:
                while not self._takes(stack):  # noqa: ASYNC110 - it tells nobody that it is free
                    await asyncio.sleep(self._look_every_s)
                wish = Wish(model_ids=frozenset(self._wished), must=self._must)
                self._wished.clear()
                self._must = False
                self._is_passed.clear()
                try:
                    revived = await self._revive(wish)
                finally:
                    self._is_passed.set()
            if revived is not None:
                self.last.publish(revived)

    def _takes(self, stack: ExitStack) -> bool:
        """Keep everybody else from the engine until the stack is closed, if it is free."""
        try:
            stack.enter_context(self._lease.hold("the engine's restart for what is new", exclusive=True))
        except EngineBusy:
            return False
        return True
