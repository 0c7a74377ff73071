"""How the scripts that run inside an app wait for what it does."""

import asyncio
from collections.abc import Callable

__all__ = ["until"]


async def until(holds: Callable[[], object], *, every_s: float = 0.05) -> None:
    """Look again and again: a benchmark looks in from outside and has nothing that would wake it."""
    while not holds():  # noqa: ASYNC110 - see above
        await asyncio.sleep(every_s)
