"""What wishes and events make of the entries of the queue."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadState
from foundry_tui.domain.errors import BadInput
from foundry_tui.services.downloads.changes import (
    Entries,
    added,
    cancelled,
    due,
    letting_live,
    moved,
    next_due_unix_ms,
    paused,
    resumed,
    retried,
    stepped,
    without_ended,
)

State = DownloadState
OPEN_STATES = sorted(set(State) - ENDED_STATES)


def entry(
    name: str, place: int = 1, state: State = State.QUEUED, *, not_before: int | None = None
) -> Download:
    return Download(
        id=name,
        model_id=f"{name}:1",
        added_unix_ms=0,
        place=place,
        state=state,
        not_before_unix_ms=not_before,
    )


def names(entries: Entries) -> list[str]:
    return [one.id for one in sorted(entries, key=lambda one: one.place)]


ABC = (entry("a", 1), entry("b", 2), entry("c", 3))


def test_a_new_entry_comes_behind_all_others() -> None:
    assert names(added(ABC, entry("d", 0))) == ["a", "b", "c", "d"]


def test_a_model_is_in_the_queue_once() -> None:
    again = replace(entry("other id"), model_id="b:1")

    assert added(ABC, again) == ABC


@pytest.mark.parametrize("state", sorted(ENDED_STATES))
def test_a_new_entry_takes_the_place_of_one_of_its_model_that_has_ended(state: State) -> None:
    new = replace(entry("new"), model_id="a:1")

    assert names(added((entry("a", state=state), entry("b", 2)), new)) == ["b", "new"]


def test_a_paused_model_goes_on_when_it_is_asked_for_again() -> None:
    there = replace(entry("a", state=State.PAUSED), attempts=2)

    (after,) = added((there,), replace(entry("new"), model_id="a:1", outlives_app=True))

    assert after == replace(there, state=State.QUEUED, outlives_app=True)


@pytest.mark.parametrize(
    ("there", "wanted", "then"), [(900, None, None), (None, 900, None), (900, 500, 500), (500, 900, 500)]
)
def test_asked_for_twice_it_begins_as_soon_as_either_would(
    there: int | None, wanted: int | None, then: int | None
) -> None:
    new = replace(entry("new", not_before=wanted), model_id="a:1")

    (after,) = added((entry("a", not_before=there),), new)

    assert after.not_before_unix_ms == then


def test_what_is_under_way_goes_on_undisturbed_when_it_is_asked_for_again() -> None:
    there = entry("a", state=State.RUNNING)

    assert added((there,), replace(entry("new", not_before=9), model_id="a:1")) == (there,)


@pytest.mark.parametrize(
    ("who", "by", "then"),
    [
        ("b", -1, ["b", "a", "c"]),
        ("b", 1, ["a", "c", "b"]),
        ("c", -9, ["c", "a", "b"]),
        ("a", 9, ["b", "c", "a"]),
    ],
)
def test_an_entry_moves_within_the_line(who: str, by: int, then: list[str]) -> None:
    assert names(moved(ABC, who, by)) == then


def test_those_that_ended_are_no_places_in_the_line() -> None:
    entries = (entry("a", 1), entry("done", 2, State.DONE), entry("b", 3))

    assert names(moved(entries, "b", -1)) == ["done", "b", "a"]


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.RETRYING, State.PAUSED])
def test_what_is_open_can_be_paused_and_forgets_its_time(state: State) -> None:
    (after,) = paused((entry("a", state=state, not_before=5),), "a")

    assert (after.state, after.not_before_unix_ms) == (State.PAUSED, None)


def test_a_check_cannot_be_paused() -> None:
    with pytest.raises(BadInput, match="being checked"):
        paused((entry("a", state=State.VERIFYING),), "a")


@pytest.mark.parametrize("state", [State.PAUSED, State.RETRYING, State.QUEUED])
def test_resumed_it_waits_for_nothing_but_its_turn(state: State) -> None:
    (after,) = resumed((entry("a", state=state, not_before=5),), "a")

    assert (after.state, after.not_before_unix_ms) == (State.QUEUED, None)


def test_resuming_what_is_under_way_changes_nothing() -> None:
    entries = (entry("a", state=State.RUNNING),)

    assert resumed(entries, "a") == entries


@pytest.mark.parametrize("state", OPEN_STATES)
def test_whatever_has_not_ended_can_be_cancelled(state: State) -> None:
    (after,) = cancelled((entry("a", state=state, not_before=5),), "a", at_unix_ms=7)

    assert (after.state, after.ended_unix_ms, after.not_before_unix_ms) == (State.CANCELLED, 7, None)


@pytest.mark.parametrize("state", sorted(ENDED_STATES))
def test_cancelling_what_has_ended_changes_nothing(state: State) -> None:
    entries = (entry("a", state=state),)

    assert cancelled(entries, "a", at_unix_ms=7) == entries


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_retried_it_is_as_new_behind_all_others(state: State) -> None:
    failed = replace(entry("a", 1, state), attempts=8, problem="p", remedy="r", ended_unix_ms=4)

    after = retried((failed, entry("b", 2)), "a")

    assert names(after) == ["b", "a"]
    assert after[0] == entry("a", 3)


def test_what_is_here_is_not_fetched_by_a_retry() -> None:
    with pytest.raises(BadInput, match="here already"):
        retried((entry("a", state=State.DONE),), "a")


def test_a_failed_entry_is_not_retried_beside_a_newer_one_of_its_model() -> None:
    newer = replace(entry("newer", 2), model_id="a:1")

    with pytest.raises(BadInput, match="in the queue already"):
        retried((entry("a", 1, State.FAILED), newer), "a")


WISHES: dict[str, Callable[[Entries], Entries]] = {
    "move": lambda entries: moved(entries, "a", 1),
    "pause": lambda entries: paused(entries, "a"),
    "resume": lambda entries: resumed(entries, "a"),
    "let live": lambda entries: letting_live(entries, "a"),
}


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("entries", [(), *((entry("a", state=state),) for state in sorted(ENDED_STATES))])
def test_nothing_else_can_be_done_with_what_has_ended_or_is_gone(wish: str, entries: Entries) -> None:
    with pytest.raises(BadInput) as caught:
        WISHES[wish](entries)

    assert caught.value.remedy is not None


@pytest.mark.parametrize("change", [retried, lambda entries, name: cancelled(entries, name, at_unix_ms=0)])
def test_what_is_gone_can_be_neither_retried_nor_cancelled(
    change: Callable[[Entries, str], Entries],
) -> None:
    with pytest.raises(BadInput, match="not in the queue any more"):
        change(ABC, "x")


def test_clearing_leaves_what_has_not_ended() -> None:
    entries = tuple(entry(state.value, state=state) for state in State)

    assert {one.state for one in without_ended(entries)} == set(OPEN_STATES)


def test_a_step_is_taken_only_from_the_states_that_it_is_for() -> None:
    entries = (entry("a", state=State.CANCELLED),)

    assert stepped(entries, "a", {State.RUNNING}, lambda one: replace(one, state=State.DONE)) == entries
    assert stepped(entries, "x", set(State), lambda one: replace(one, state=State.DONE)) == entries


def test_the_first_of_those_whose_time_has_come_is_due() -> None:
    entries = (entry("a", not_before=500), entry("b", 2, State.RETRYING, not_before=100), entry("c", 3))

    assert [due(entries, now) for now in (99, 100, 500)] == [entries[2], entries[1], entries[0]]


def test_what_was_begun_comes_before_what_waits() -> None:
    waiting, running = entry("a", 1), entry("b", 2, State.RUNNING)

    assert due((waiting, running), 0) == running
    assert due((waiting, running, entry("c", 3, State.VERIFYING)), 0) == entry("c", 3, State.VERIFYING)
    assert due((waiting, running), 0, but={"b"}) == waiting


def test_nothing_is_due_of_what_is_paused_or_has_ended() -> None:
    assert due(tuple(entry(s.value, state=s) for s in (State.PAUSED, *ENDED_STATES)), 0) is None


def test_the_next_time_is_the_first_that_is_still_to_come() -> None:
    entries = (entry("a", not_before=5), entry("b", not_before=9), entry("c", not_before=7))

    assert [next_due_unix_ms(entries, now) for now in (0, 5, 8, 9)] == [5, 7, 9, None]
