"""The list that everybody is shown: what the engine told, what the catalogs add, what checks found."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from foundry_tui.aio import Feed
from foundry_tui.domain.errors import ModelNotFound
from foundry_tui.domain.models import CatalogSnapshot, ModelVariant, SnapshotOrigin
from foundry_tui.services.engine.catalogs import Catalogs

__all__ = ["Shelf"]


class Shelf:
    """Keeps the engine's own list apart from what is made of it, so that either can change alone.

    Args:
        problem_of: What is wrong with the files of a variant, if anything is known; answers at once.

    Attributes:
        catalogs: Merged into the list; None where the engine tells all.
        usable: Execution providers that are registered with the engine.
        runtime_version: Of the running engine; None if it is not known.
        feed: The list as it is shown.
    """

    def __init__(
        self, catalogs: Catalogs | None, problem_of: Callable[[ModelVariant], str | None] | None
    ) -> None:
        self.catalogs = catalogs
        self.usable: frozenset[str] = frozenset()
        self.runtime_version: str | None = None
        self._problem_of = problem_of
        self._told = CatalogSnapshot(models=(), origin=SnapshotOrigin.FILE)
        self._showing = asyncio.Lock()
        # What came into memory or left it, numbered: a list that was asked for before does not know of it.
        self._changes = 0
        self._changed: dict[str, tuple[int, bool]] = {}
        self._emptied = 0
        self.feed: Feed[CatalogSnapshot] = Feed(self._told)

    @property
    def loaded_ids(self) -> tuple[str, ...]:
        """What is in memory, as far as it was told."""
        return tuple(model.id for model in self._told.models if model.is_loaded)

    @property
    def is_cut_off(self) -> bool:
        """Whether the engine could not reach a catalog."""
        return self._told.is_cut_off

    @property
    def changes(self) -> int:
        """How often something came into memory or left it: the moment at which a list is asked for."""
        return self._changes

    async def show(self, told: CatalogSnapshot, *, asked_at: int | None = None) -> CatalogSnapshot:
        """Publish what the engine told, with what belongs to it.

        Args:
            told: Its list.
            asked_at: ``changes`` when it was asked; what came into memory or left it since then stands as
                it was seen, for the list may be from before.  None where nothing can have.
        """
        self._told = told if asked_at is None else self._as_seen_since(told, asked_at)
        return await self.show_again()

    async def show_again(self) -> CatalogSnapshot:
        """Publish the engine's list anew: the catalogs or the checks have more to say than before."""
        async with self._showing:
            while True:
                told, catalogs = self._told, self.catalogs
                shown = told
                if catalogs is not None:
                    shown = await catalogs.merged(
                        told, usable=self.usable, runtime_version=self.runtime_version
                    )
                # A model may have been loaded meanwhile.
                if told is self._told and catalogs is self.catalogs:
                    break
            shown = self._with_problems(shown)
            self.feed.publish(shown)
        return shown

    def note(self, notice: str) -> None:
        """Publish why something may be missing."""
        self._told = replace(self._told, notice=notice)
        self.feed.publish(replace(self.feed.value, notice=notice))

    def mark(self, model_id: str, *, is_loaded: bool) -> None:
        """Publish that one model came into memory or left it."""
        self._changes += 1
        self._changed[model_id] = (self._changes, is_loaded)
        self._mark(lambda model: model.id == model_id, is_loaded=is_loaded)

    def empty_memory(self) -> None:
        """Publish that nothing is in memory any more."""
        self._changes += 1
        self._changed.clear()
        self._emptied = self._changes
        self._mark(lambda model: bool(model.is_loaded), is_loaded=False)

    def find(self, name: str) -> ModelVariant:
        """The variant of that id, or the best of that alias.

        Raises:
            ModelNotFound: With names that are close.
        """
        found = self.feed.value.find(name)
        if found is not None:
            return found
        close = [model.id for model in self.feed.value.models if name.lower() in model.id.lower()][:3]
        remedy = (
            f"did you mean {', '.join(close)}?" if close else "foundry-tui models list shows what there is"
        )
        raise ModelNotFound(f"no model {name!r}", remedy=remedy)

    def problem(self, model: ModelVariant) -> str | None:
        """What is wrong with its files, if anything is known."""
        return self._problem_of(model) if self._problem_of is not None else None

    def _as_seen_since(self, told: CatalogSnapshot, asked_at: int) -> CatalogSnapshot:
        def seen(model: ModelVariant) -> ModelVariant:
            at, is_loaded = self._changed.get(model.id, (0, False))
            if at > asked_at:
                return replace(model, is_loaded=is_loaded)
            return replace(model, is_loaded=False) if model.is_loaded and self._emptied > asked_at else model

        if self._changes == asked_at:
            return told
        return replace(told, models=tuple(map(seen, told.models)))

    def _mark(self, concerns: Callable[[ModelVariant], bool], *, is_loaded: bool) -> None:
        def marked(snapshot: CatalogSnapshot) -> CatalogSnapshot:
            models = tuple(
                replace(model, is_loaded=is_loaded) if concerns(model) else model for model in snapshot.models
            )
            return replace(snapshot, models=models)

        self._told = marked(self._told)
        self.feed.publish(marked(self.feed.value))

    def _with_problems(self, snapshot: CatalogSnapshot) -> CatalogSnapshot:
        if self._problem_of is None:
            return snapshot
        found = {
            model.id: problem
            for model in snapshot.models
            if model.is_cached and (problem := self._problem_of(model)) is not None
        }
        if not found:
            return snapshot
        models = tuple(
            replace(model, problem=found[model.id]) if model.id in found else model
            for model in snapshot.models
        )
        return replace(snapshot, models=models)
