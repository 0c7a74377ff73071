"""Loops for the program's life that notice what changes behind the engine's back: downloads, the network."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from foundry_tui.services.engine.catalogs import CacheFolders, Catalogs

__all__ = ["Pace", "changed_ids", "watch_folders", "watch_network"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often is looked.

    Attributes:
        folders_s: Between two looks at the folders of models.
        first_probe_s: Until a catalog that failed is asked again, the first time.
        longest_probe_s: Each further time takes twice as long, up to this.
    """

    folders_s: float = 3.0
    first_probe_s: float = 5.0
    longest_probe_s: float = 120.0


async def watch_folders(
    folders: Callable[[], CacheFolders | None],
    known: Callable[[], Mapping[str, int] | None],
    on_change: Callable[[frozenset[str]], None],
    every_s: float,
) -> None:
    """Tell ``on_change`` the variants that came or went since the engine looked; never ends.

    Args:
        folders: Those of the engine of the moment, if it has any.
        known: What the engine saw when it started; None while it is not up.
        on_change: Called again after the next look, if the engine has not seen them by then.
        every_s: Between two looks.
    """
    while True:
        await asyncio.sleep(every_s)
        source, before = folders(), known()
        if source is None or before is None:
            continue
        found = await asyncio.to_thread(source.complete)
        if before is known() and (ids := changed_ids(before, found)):
            on_change(ids)


def changed_ids(before: Mapping[str, int], after: Mapping[str, int]) -> frozenset[str]:
    """Ids of the variants that came, went or were fetched anew, as their folders' names tell them."""
    names = (PurePath(path).name for path, _ in before.items() ^ after.items())
    return frozenset(":".join(name.rsplit("-", 1)) for name in names)


async def watch_network(
    catalogs: Callable[[], Catalogs | None],
    is_missed: Callable[[], bool],
    is_idle: Callable[[], bool],
    on_back: Callable[[], Awaitable[None]],
    pace: Pace,
) -> None:
    """Call ``on_back`` when a catalog that could not be reached answers again; never ends.

    Args:
        catalogs: Those of the engine of the moment, if it has any that may be asked.
        is_missed: Whether there is anything to wait for.
        is_idle: Whether nobody uses the engine; a probe costs little, but a measurement would mind.
        on_back: May take its time; nothing is looked at meanwhile.
        pace: How long is waited.
    """
    delay_s = pace.first_probe_s
    while True:
        await asyncio.sleep(delay_s * random.uniform(0.8, 1.2))
        asked = catalogs()
        if asked is None or not is_missed():
            delay_s = pace.first_probe_s
            continue
        if not is_idle():
            continue
        if await asked.is_one_back():
            await on_back()
        # Still missed after that: the engine is kept from what we can reach, and must not restart for ever.
        delay_s = min(delay_s * 2, pace.longest_probe_s) if is_missed() else pace.first_probe_s
