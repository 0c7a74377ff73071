"""When full garbage collections are made: in quiet moments, and never within a calm block."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from foundry_tui.services import calm


class Knot:
    """Refers to itself, as every closed screen does."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def collector_as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def dropped_knot(*, middle_collections: int) -> "weakref.ref[Knot]":
    """Something only a full collection frees, after that many collections of the middle generation."""
    gc.set_threshold(700, 10, 1000)
    gc.collect()
    knot = Knot()
    for _ in range(middle_collections):
        gc.collect(1)
    return weakref.ref(knot)


def test_a_quiet_moment_is_used_once_enough_was_made() -> None:
    knot = dropped_knot(middle_collections=100)

    calm.tidy(is_quiet=True)

    assert knot() is None


def test_a_quiet_moment_is_left_alone_when_little_was_made() -> None:
    knot = dropped_knot(middle_collections=3)

    calm.tidy(is_quiet=True)

    assert knot() is not None


@pytest.mark.parametrize(("made", "is_freed"), [(100, False), (400, True)])
def test_a_busy_program_is_tidied_only_when_it_is_overdue(made: int, is_freed: bool) -> None:
    knot = dropped_knot(middle_collections=made)

    calm.tidy(is_quiet=False)

    assert (knot() is None) is is_freed


def test_nothing_is_tidied_within_a_calm_block() -> None:
    knot = dropped_knot(middle_collections=400)

    with calm.calm():
        calm.tidy(is_quiet=True)
        held = knot() is not None

    assert held


def test_what_is_to_be_left_out_is_left_out_after_the_garbage_is_gone() -> None:
    knot = dropped_knot(middle_collections=100)
    before = gc.get_freeze_count()
    calm.leave_out()

    calm.tidy(is_quiet=True)

    assert knot() is None
    assert gc.get_freeze_count() > before


def test_full_collections_wait_for_the_end_of_all_that_want_calm() -> None:
    before = gc.get_threshold()

    with calm.calm():
        with calm.calm():
            inner = gc.get_threshold()
        between = gc.get_threshold()

    assert inner == between
    assert between[:2] == before[:2]
    assert between[2] > 1_000_000
    assert gc.get_threshold() == before


@pytest.mark.parametrize(("objects", "is_left_out"), [(20_000, False), (200_000, True)])
def test_only_a_long_list_is_left_out_of_later_collections(objects: int, is_left_out: bool) -> None:
    gc.set_threshold(700, 10, 1000)
    gc.collect()
    before = gc.get_freeze_count()

    with calm.calm():
        made = [[number] for number in range(objects)]
    for _ in range(100):
        gc.collect(1)
    calm.tidy(is_quiet=True)

    assert len(made) == objects
    assert (gc.get_freeze_count() > before) is is_left_out
