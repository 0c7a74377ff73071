"""How long a database takes, as ``conversations.py`` and ``results_store.py`` read it on the event loop."""

import time
from collections.abc import Awaitable, Callable

from figures import Spread, print_table

__all__ = ["Writes", "timed"]


async def timed(
    rounds: int, ask: Callable[[], Awaitable[object]], *, before: Callable[[], None] | None = None
) -> list[float]:
    """Seconds that each of ``rounds`` took, after one that is not counted; ``before`` is not in them."""
    taken: list[float] = []
    for _ in range(rounds + 1):
        if before is not None:
            before()
        begun = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - begun)
    return taken[1:]


class Writes:
    """What writes took, in seconds, by their names."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {}

    async def time(self, name: str, job: Awaitable[None]) -> None:
        """Do ``job`` and note how long that took."""
        begun = time.perf_counter()
        await job
        self.taken.setdefault(name, []).append(time.perf_counter() - begun)

    def print_table(self) -> None:
        """A row for each name."""
        print_table(
            ("writing", "times", "median, ms", "least", "greatest"),
            [
                (name, str(len(each)), *Spread.of(each).cells(scale=1e3, digits=2))
                for name, each in self.taken.items()
            ],
        )
