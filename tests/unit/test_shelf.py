"""The list that is shown: what was seen meanwhile is not undone by what was asked before."""

from dataclasses import replace

import pytest

from foundry_tui.domain.models import CatalogKind, CatalogSnapshot, ModelVariant, SnapshotOrigin
from foundry_tui.services.engine.shelf import Shelf

ONE, OTHER = (
    ModelVariant(id=f"{name}:1", alias=name, catalog=CatalogKind.LOCAL) for name in ("one", "other")
)


def told(**loaded: bool) -> CatalogSnapshot:
    """The engine's list, with what it says of memory."""
    models = tuple(replace(model, is_loaded=loaded.get(model.alias, False)) for model in (ONE, OTHER))
    return CatalogSnapshot(models=models, origin=SnapshotOrigin.LIVE)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(None, None)


async def test_a_list_from_before_a_load_does_not_take_the_model_out_of_memory(shelf: Shelf) -> None:
    await shelf.show(told())
    asked_at = shelf.changes
    stale = told()

    shelf.mark(ONE.id, is_loaded=True)
    shown = await shelf.show(stale, asked_at=asked_at)

    assert shelf.loaded_ids == (ONE.id,)
    assert [model.is_loaded for model in shown.models] == [True, False]


async def test_a_list_from_before_an_unload_or_the_engines_end_brings_nothing_back(
    shelf: Shelf,
) -> None:
    stale = told(one=True, other=True)
    await shelf.show(stale)
    asked_at = shelf.changes

    shelf.mark(ONE.id, is_loaded=False)
    await shelf.show(stale, asked_at=asked_at)
    after_unload = shelf.loaded_ids
    shelf.empty_memory()
    await shelf.show(stale, asked_at=asked_at)
    after_end = shelf.loaded_ids
    shelf.mark(OTHER.id, is_loaded=True)
    await shelf.show(stale, asked_at=asked_at)

    assert (after_unload, after_end, shelf.loaded_ids) == ((OTHER.id,), (), (OTHER.id,))


async def test_a_list_that_was_asked_for_afterwards_has_the_word(shelf: Shelf) -> None:
    await shelf.show(told())
    shelf.mark(ONE.id, is_loaded=True)

    await shelf.show(told(other=True), asked_at=shelf.changes)

    assert shelf.loaded_ids == (OTHER.id,)
