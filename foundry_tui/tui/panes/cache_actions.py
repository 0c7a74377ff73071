"""What the cache pane does to a model: each thing asks first where something would be gone or begun."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.widget import Widget

from foundry_tui.domain.cache import DiskSpace, UnfinishedMove
from foundry_tui.domain.downloads import ENDED_STATES
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.health import HealthState, ModelHealth
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.cache import check_words, left_words, summary_words
from foundry_tui.services.cache.health import HealthService
from foundry_tui.services.cache.removing import remove_model
from foundry_tui.services.cache.service import CacheService
from foundry_tui.services.client import ClientService, JobKind
from foundry_tui.services.downloads.facade import Downloads
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.panes.cache_rows import CacheItem
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.widgets.table_parts import cut_within

__all__ = ["CacheActions", "CacheTools"]

_NAME_CELLS = 54


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheTools:
    """What they are done with; each as ``CachePane`` says, None where it is not to be had."""

    client: ClientService
    cache: CacheService | None
    health: HealthService | None
    downloads: Downloads | None
    remove_partial: Callable[[str], int] | None
    on_repair: Callable[[str], Awaitable[object]] | None
    switch: Callable[[Path], Awaitable[None]] | None
    space: Callable[[Path], DiskSpace | None] | None


class CacheActions:
    """Asks over ``place`` and tells there what became of it."""

    def __init__(self, place: Widget, tools: CacheTools) -> None:
        self._place = place
        self._tools = tools

    async def guarded(self, work: Awaitable[None]) -> None:
        """Await ``work``, and say what did not work and what to do about it."""
        try:
            await work
        except FoundryTuiError as error:
            complain(self._place, error)

    # --- removing

    async def remove(self, item: CacheItem | None) -> None:
        """Ask, naming what becomes free, and remove it."""
        if item is None:
            return
        if item.download is not None and not item.is_here:
            await self._remove_download(item)
        elif item.partial is not None and not item.is_here:
            await self._remove_partial(item)
        elif item.is_own:
            await self._unregister(item)
        elif self._tools.cache is not None:
            await self._remove_model(self._tools.cache, item)

    async def _remove_model(self, cache: CacheService, item: CacheItem) -> None:
        name, model = _name(item), item.model
        if self._is_loading(item):
            tell(self._place, f"{name} is being loaded: wait until that has ended", is_warning=True)
            return
        if model is not None and model.is_loaded:
            size = bytes_in_words(item.disk_bytes)
            question = (
                f"{name}\nis in memory. Unload it and remove it from this disk?\n{size} become free there."
            )
            if not await self._is_wanted(question, "Unload and remove"):
                return
            await self._tools.client.unload(item.key)
        else:
            freed = bytes_in_words(await cache.frees(item.key))
            question = f"Remove from this disk?\n{name}\n{freed} become free."
            if not await self._is_wanted(question, "Remove"):
                return
        freed_bytes = await remove_model(self._tools.client, cache, item.key)
        tell(self._place, f"{name} was removed: {bytes_in_words(freed_bytes)} became free")

    async def _unregister(self, item: CacheItem) -> None:
        name, is_loaded = _name(item), item.model is not None and bool(item.model.is_loaded)
        first = "Unload it and take it off the list?" if is_loaded else "Take it off the list?"
        question = (
            f"{name}\nis a folder of your own. {first}\nIts files stay where they are; nothing becomes free."
        )
        if not await self._is_wanted(question, "Take it off"):
            return
        if is_loaded:
            await self._tools.client.unload(item.key)
        await self._tools.client.unregister(item.key)
        tell(self._place, f"{name} was taken off the list; its files stay")

    async def _remove_partial(self, item: CacheItem) -> None:
        partial, remove = item.partial, self._tools.remove_partial
        if partial is None or remove is None:
            tell(self._place, "what is here of it cannot be removed here", is_warning=True)
        elif partial.is_locked:
            tell(self._place, "another process is at work on it: end that one first", is_warning=True)
        else:
            size = bytes_in_words(partial.disk_bytes)
            question = f"Remove what is here of an unfinished download?\n{_name(item)}\n{size} become free."
            if await self._is_wanted(question, "Remove"):
                freed = await asyncio.to_thread(remove, partial.path)
                tell(self._place, f"{bytes_in_words(freed)} became free")

    async def _remove_download(self, item: CacheItem) -> None:
        entry, downloads = item.download, self._tools.downloads
        if entry is None or downloads is None or entry.state in ENDED_STATES:
            return
        size = bytes_in_words(item.disk_bytes or 0)
        question = f"Cancel this download and remove what is here?\n{_name(item)}\n{size} become free."
        if await self._is_wanted(question, "Cancel it"):
            freed = await downloads.cancel(entry.id, removes_partial=True)
            tell(self._place, f"The download was cancelled: {bytes_in_words(freed)} became free")

    # --- checking and repairing

    async def verify(self, health: HealthService, model_ids: Sequence[str]) -> None:
        """Read everything of these models and compare it, and say what was found."""
        if len(model_ids) == 1:
            results: tuple[ModelHealth, ...] = (await health.check(model_ids[0], is_deep=True),)
            words = f"{_short(model_ids[0])} is {check_words(results[0])}"
        else:
            results = await health.check_all(model_ids, is_deep=True)
            words = summary_words(results)
        damaged = [one for one in results if one.state is HealthState.DAMAGED]
        if len(results) > 1:
            words = "\n".join([words, *(f"{_short(one.model_id)}: {check_words(one)}" for one in damaged)])
        if damaged:
            words += "\n→ R repairs the one under the cursor"
        tell(self._place, words, is_warning=any(one.state is not HealthState.SOUND for one in results))
        await self._tools.client.look_again()

    async def repair(self, item: CacheItem | None) -> None:
        """Have a damaged model downloaded again, or take it as it is if it is the user's own."""
        health, on_repair = self._tools.health, self._tools.on_repair
        if item is None or health is None:
            return
        name, found = _name(item), health.results.value.get(item.key)
        if found is None or found.state is not HealthState.DAMAGED:
            tell(self._place, f"no damage of {name} is known: v checks it")
        elif item.download is not None:
            tell(self._place, f"{name} is on its way already")
        elif item.is_own:
            await self._trust(health, item)
        elif on_repair is None:
            tell(self._place, "nothing can be downloaded here", is_warning=True)
        else:
            size = bytes_in_words(item.size_bytes if item.size_bytes else item.disk_bytes)
            is_loaded = item.model is not None and bool(item.model.is_loaded)
            first = "Unload and repair" if is_loaded else "Repair"
            question = (
                f"{first} this model?\n{name}\nIts damaged files go and {size} are downloaded anew,\n"
                "as soon as its turn in the queue comes."
            )
            if not await self._is_wanted(question, first):
                return
            if is_loaded:
                await self._tools.client.unload(item.key)
            await on_repair(item.key)

    async def _trust(self, health: HealthService, item: CacheItem) -> None:
        question = (
            f"{_name(item)}\nis a folder of your own and cannot be downloaded again.\n"
            "If you changed it on purpose, it can be taken for\nsound as it is. Do so?"
        )
        if await self._is_wanted(question, "Take it as it is"):
            found = await health.trust(item.key)
            is_sound = found.state is HealthState.SOUND
            tell(self._place, f"{_name(item)} is {check_words(found)}", is_warning=not is_sound)
            await self._tools.client.look_again()

    # --- moving

    async def move(self, unfinished: UnfinishedMove | None) -> None:
        """Ask for a folder and bring all models there, or end a move that was interrupted."""
        # Late: few sessions move anything, and all have a first frame.
        from foundry_tui.tui.screens.cache_move import (
            FolderScreen,
            InterruptedMove,
            MovePlan,
            MovingScreen,
            WholeMove,
        )

        cache, switch = self._tools.cache, self._tools.switch
        if cache is None or switch is None:
            tell(self._place, "the model cache cannot be moved here", is_warning=True)
            return
        if unfinished is not None:
            interrupted = InterruptedMove(cache=cache, found=unfinished, switch=switch)
            outcome = await self._place.app.push_screen_wait(MovingScreen(interrupted))
        elif not await self._nothing_is_loaded():
            return
        else:
            report, folder, outcome = await cache.report(), "", None
            while outcome is None:
                chosen = await self._place.app.push_screen_wait(FolderScreen(report, folder))
                if chosen is None:
                    return
                folder = chosen
                target = await asyncio.to_thread(_in_full, chosen)
                space = self._tools.space
                plan = MovePlan(
                    report=report,
                    target=target,
                    space=None if space is None else await asyncio.to_thread(space, target),
                )
                whole = WholeMove(cache=cache, plan=plan, switch=switch)
                outcome = await self._place.app.push_screen_wait(MovingScreen(whole))
        if outcome is None:
            if unfinished is not None and await cache.unfinished_move() is None:
                tell(
                    self._place,
                    f"What was copied was taken back; {clean_line(unfinished.source)} is in force",
                )
        else:
            words = f"The models are in {clean_line(outcome.target)} now"
            left = left_words(outcome)
            tell(self._place, words if left is None else f"{words}.\n{left}", is_warning=left is not None)

    async def _nothing_is_loaded(self) -> bool:
        client = self._tools.client
        loaded = [model for model in client.catalog.value.models if model.is_loaded]
        if not loaded:
            return True
        names = "\n".join(_short(model.id) for model in loaded[:4])
        more = f"\nand {len(loaded) - 4} more" if len(loaded) > 4 else ""
        question = f"Models can be moved only while none is in memory:\n{names}{more}"
        if not await self._is_wanted(question, "Unload and go on"):
            return False
        for model in loaded:
            await client.unload(model.id)
        return True

    # --- what they share

    async def _is_wanted(self, question: str, yes: str) -> bool:
        return await self._place.app.push_screen_wait(ConfirmScreen(question, yes)) is True

    def _is_loading(self, item: CacheItem) -> bool:
        jobs = self._tools.client.jobs.value
        return any(job.kind is JobKind.LOAD and job.model_id == item.key for job in jobs)


def _in_full(path: str) -> Path:
    return Path(path).expanduser().absolute()


def _name(item: CacheItem) -> str:
    return _short(item.name)


def _short(name: str) -> str:
    return cut_within(clean_line(name), _NAME_CELLS)
