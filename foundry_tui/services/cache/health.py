"""Whether the models on this disk are sound: checked one after the other, remembered, put in words."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from foundry_tui.aio import Feed
from foundry_tui.domain.errors import ModelNotFound, ModelRefused
from foundry_tui.domain.health import HealthState, ModelHealth
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.downloads import ModelChecker

__all__ = ["HealthProgress", "HealthService", "WatchfulChecker", "damage_in_words"]

_NAME_LIMIT = 60
_REPAIR = "download it again to repair it"
_OWN = "copy its files again; if you changed them on purpose, tell the program to trust them"


class WatchfulChecker(ModelChecker, Protocol):
    """A checker that tells how far it is, and whether what it found still counts.  Blocks."""

    def check(
        self,
        model_id: str,
        folder: Path,
        *,
        is_deep: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> ModelHealth:
        """As in ``ModelChecker``; ``progress`` is told bytes read and to read, and may raise to end it."""
        ...

    def is_unchanged(self, model_id: str, folder: Path) -> bool:
        """Whether no file was written since the last check."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthProgress:
    """A check under way.

    Attributes:
        place: Which of ``count`` models it is, from 1.
        total_bytes: What a deep check will read of this model; 0 before it has begun to.
    """

    model_id: str
    place: int
    count: int
    done_bytes: int = 0
    total_bytes: int = 0


class HealthService:
    """Checks models and knows what the last check found.

    Cancelling the task that awaits a check ends it within a megabyte of reading; what was found before stays.

    Args:
        checker: Used in a worker thread, one check at a time.
        folder_of: Where the files of a model are; None where they are not on this machine.

    Attributes:
        results: What is known, by model id; models that were not asked about are missing.
        progress: The check under way; None between checks.
    """

    def __init__(self, checker: WatchfulChecker, folder_of: Callable[[str], Path | None]) -> None:
        self._checker = checker
        self._folder_of = folder_of
        self._turn = asyncio.Lock()
        self.results: Feed[Mapping[str, ModelHealth]] = Feed(MappingProxyType({}))
        self.progress: Feed[HealthProgress | None] = Feed(None)

    def problem_of(self, model_id: str) -> str | None:
        """What is known against the files of that model, in words for a list; None if nothing is."""
        health = self.results.value.get(model_id)
        return None if health is None else damage_in_words(health)

    async def recall(self, model_ids: Iterable[str]) -> None:
        """Publish what the last checks found of these, as far as no file was written since.

        Costs a look into each folder, so that it can be done for all of them at the start.
        """
        folders = self._folders(model_ids)
        found = await asyncio.to_thread(
            lambda: {
                model_id: self._checker.last(model_id)
                for model_id, folder in folders.items()
                if self._checker.is_unchanged(model_id, folder)
            }
        )
        kept = {key: health for key, health in self.results.value.items() if key not in folders}
        self.results.publish(MappingProxyType({**kept, **found}))

    async def check(self, model_id: str, *, is_deep: bool = False) -> ModelHealth:
        """Look at the files of one model now and publish what was found.

        Raises:
            ModelNotFound: Its files are not on this machine.
        """
        folder = self._folder_of(model_id)
        if folder is None:
            raise ModelNotFound(
                f"the files of {model_id} are not on this machine", remedy="download it, or choose another"
            )
        return await self._checked(model_id, folder, is_deep=is_deep, place=1, count=1)

    async def check_all(self, model_ids: Iterable[str], *, is_deep: bool = False) -> tuple[ModelHealth, ...]:
        """Check those whose files are here, one after the other, publishing each result as it comes."""
        folders = self._folders(model_ids)
        return tuple(
            [
                await self._checked(model_id, folder, is_deep=is_deep, place=place, count=len(folders))
                for place, (model_id, folder) in enumerate(folders.items(), 1)
            ]
        )

    async def require_sound(self, model_id: str, *, is_own: bool = False) -> None:
        """Let pass a model that may be loaded; takes milliseconds.

        A model that was never checked or was written to since is looked at now, but not deeply.  One whose
        files are not on this machine is the engine's business and passes.

        Args:
            model_id: The variant.
            is_own: Whether it is a folder of the user's own, who may have changed a file on purpose.

        Raises:
            ModelRefused: It is damaged; the message says what, the remedy how it is repaired.
        """
        folder = self._folder_of(model_id)
        if folder is None:
            return
        health = self.results.value.get(model_id)
        if health is None or not await asyncio.to_thread(self._checker.is_unchanged, model_id, folder):
            health = await self._checked(model_id, folder, is_deep=False, place=1, count=1)
        damage = damage_in_words(health)
        if damage is not None:
            raise ModelRefused(f"{model_id} is not loaded: {damage}", remedy=_OWN if is_own else _REPAIR)

    async def trust(self, model_id: str) -> ModelHealth:
        """Take the files as they are for sound, if nothing is wrong with their form: hash them anew.

        For somebody who changed a file on purpose.

        Raises:
            ModelNotFound: Its files are not on this machine.
        """
        await self.forget(model_id)
        return await self.check(model_id, is_deep=True)

    async def forget(self, model_id: str) -> None:
        """Drop all that is known of a model: it was removed, or is fetched anew."""
        await asyncio.to_thread(self._checker.forget, model_id)
        self.results.publish(
            MappingProxyType({key: one for key, one in self.results.value.items() if key != model_id})
        )

    def _folders(self, model_ids: Iterable[str]) -> dict[str, Path]:
        return {
            model_id: folder for model_id in model_ids if (folder := self._folder_of(model_id)) is not None
        }

    async def _checked(
        self, model_id: str, folder: Path, *, is_deep: bool, place: int, count: int
    ) -> ModelHealth:
        loop, stop = asyncio.get_running_loop(), threading.Event()
        begun = HealthProgress(model_id=model_id, place=place, count=count)

        def publish(done_bytes: int, total_bytes: int) -> None:
            if not stop.is_set():
                self.progress.publish(
                    HealthProgress(
                        model_id=model_id,
                        place=place,
                        count=count,
                        done_bytes=done_bytes,
                        total_bytes=total_bytes,
                    )
                )

        def told(done_bytes: int, total_bytes: int) -> None:
            if stop.is_set():
                raise _Stopped
            loop.call_soon_threadsafe(publish, done_bytes, total_bytes)

        async with self._turn:
            self.progress.publish(begun)
            try:
                health = await asyncio.to_thread(
                    self._checker.check, model_id, folder, is_deep=is_deep, progress=told
                )
            finally:
                stop.set()
                self.progress.publish(None)
        self.results.publish(MappingProxyType({**self.results.value, model_id: health}))
        return health


class _Stopped(Exception):
    """Ends a check in its thread after its task was cancelled; nobody is left to see it."""


def damage_in_words(health: ModelHealth) -> str | None:
    """``damaged: model.onnx.data is missing, and 2 more``; None if it is not damaged.

    Names of files come with the model and are made harmless.
    """
    if health.state is not HealthState.DAMAGED:
        return None
    if not health.problems:
        return "damaged"
    first = health.problems[0]
    name = "its folder" if first.file == "." else clean_line(first.file, _NAME_LIMIT)
    more = len(health.problems) - 1
    return f"damaged: {name} {clean_line(first.what, 200)}" + (f", and {more} more" if more else "")
