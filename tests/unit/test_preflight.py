"""Room for a model, in numbers worked out by hand."""

from dataclasses import replace

import pytest

from foundry_tui.domain.downloads import Download, Partial
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.services.downloads.preflight import (
    NotEnoughRoom,
    Removable,
    needed_bytes,
    preflight,
    removal_in_words,
)

GIB = 1 << 30
CACHED = ModelVariant(id="old:1", alias="old", catalog=CatalogKind.PUBLIC, is_cached=True, disk_bytes=3 * GIB)


def partial(model_id: str | None, disk_bytes: int, *, is_locked: bool = False) -> Partial:
    return Partial(
        model_id=model_id, path="/cache/x", disk_bytes=disk_bytes, touched_unix=0, is_locked=is_locked
    )


@pytest.mark.parametrize(
    ("size", "present", "needed"),
    [(1000, 0, 1050), (1000, 50, 1000), (1000, 2000, 0), (1, 0, 2), (None, 500, None), (0, 0, 0)],
)
def test_what_is_needed_is_a_twentieth_more_than_the_size_less_what_is_here(
    size: int | None, present: int, needed: int | None
) -> None:
    assert needed_bytes(size, present) == needed


@pytest.mark.parametrize(("free", "is_enough"), [(1049, False), (1050, True)])
def test_it_fits_from_the_needed_byte_on(free: int, is_enough: bool) -> None:
    room = preflight("new:1", 1000, models=(), partials=(), free_bytes=free)

    assert room.is_enough is is_enough
    assert room.missing_bytes == 1050 - free


def test_what_is_here_of_it_counts() -> None:
    room = preflight("new:1", 1000, models=(), partials=(partial("new:1", 600),), free_bytes=450)

    assert (room.present_bytes, room.needed_bytes, room.is_enough) == (600, 450, True)
    assert room.removable == ()


@pytest.mark.parametrize("size", [None, 0, -1])
def test_what_has_no_size_is_not_refused(size: int | None) -> None:
    room = preflight("new:1", size, models=(), partials=(), free_bytes=0)

    assert room.is_enough
    assert (room.size_bytes, room.needed_bytes) == (None, None)


def test_what_others_before_it_still_need_is_not_free() -> None:
    other = Download(id="d", model_id="other:1", added_unix_ms=0, place=1, size_bytes=2000)
    unknown = replace(other, id="e", model_id="unknown:1", size_bytes=None)
    partials = (partial("other:1", 1100),)

    room = preflight("new:1", 1000, models=(), partials=partials, free_bytes=2000, before_it=(other, unknown))

    assert room.promised_bytes == 1000
    assert room.missing_bytes == 50
    assert room.removable == ()


def test_what_could_go_is_named_the_largest_first() -> None:
    models = (
        CACHED,
        replace(CACHED, id="bigger:1", disk_bytes=None, size_bytes=5 * GIB),
        replace(CACHED, id="loaded:1", is_loaded=True),
        replace(CACHED, id="elsewhere:1", is_cached=False),
        replace(CACHED, id="own:1", catalog=CatalogKind.LOCAL),
        replace(CACHED, id="new:1"),
    )
    partials = (partial("left:1", 4 * GIB), partial(None, GIB), partial("at-work:1", GIB, is_locked=True))

    room = preflight("new:1", 9 * GIB, models=models, partials=partials, free_bytes=0)

    assert room.removable == (
        Removable(name="bigger:1", disk_bytes=5 * GIB),
        Removable(name="left:1", disk_bytes=4 * GIB, is_partial=True),
        Removable(name="old:1", disk_bytes=3 * GIB),
        Removable(name="/cache/x", disk_bytes=GIB, is_partial=True),
    )
    assert removal_in_words(room.removable) == (
        "remove what you can spare, such as bigger:1 (5.00 GiB), left:1 (partial, 4.00 GiB),"
        " old:1 (3.00 GiB) or 1 more"
    )


def test_a_refusal_has_the_numbers_and_names_what_could_go() -> None:
    room = preflight(
        "new\n:1",
        10 * GIB,
        models=(CACHED,),
        partials=(partial("new\n:1", GIB),),
        free_bytes=2 * GIB,
        before_it=(Download(id="d", model_id="o:1", added_unix_ms=0, place=1, size_bytes=GIB),),
    )

    error = NotEnoughRoom(room)

    assert error.message == (
        "no room for new :1: it needs 9.50 GiB more (1.00 GiB are here), and 2.00 GiB are free,"
        " of which 1.05 GiB are for downloads before it"
    )
    assert error.remedy == "remove what you can spare, such as old:1 (3.00 GiB)"
    assert error.preflight is room


def test_with_nothing_to_remove_the_remedy_is_another_disk() -> None:
    error = NotEnoughRoom(preflight("new:1", GIB, models=(), partials=(), free_bytes=5))

    assert error.remedy is not None
    assert "--model-cache-dir" in error.remedy
