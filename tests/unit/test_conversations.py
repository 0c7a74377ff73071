"""Conversations as trees: paths, branches, and what a request carries of them."""

import pytest

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Conversation, SavedPrompt, Turn, title_from


def turn(turn_id: str, parent_id: str | None, text: str = "") -> Turn:
    role = Role.USER if turn_id.startswith("u") else Role.ASSISTANT
    return Turn(id=turn_id, parent_id=parent_id, role=role, text=text or turn_id, at_unix_ms=0)


# Two prompts at the beginning; the first has two answers, of which the second goes on.
TREE = Conversation(
    id="c",
    title="t",
    created_unix_ms=0,
    updated_unix_ms=0,
    turns=(
        turn("u1", None),
        turn("a1", "u1"),
        turn("a2", "u1"),
        turn("u2", "a2"),
        turn("a3", "u2"),
        turn("u3", None),
    ),
    head_id="a3",
)


def ids(turns: tuple[Turn, ...]) -> list[str]:
    return [each.id for each in turns]


def test_the_path_goes_from_the_first_turn_to_the_head() -> None:
    assert ids(TREE.path()) == ["u1", "a2", "u2", "a3"]
    assert ids(TREE.path_to("a1")) == ["u1", "a1"]
    assert TREE.path_to(None) == ()


def test_siblings_were_said_by_the_same_side_at_the_same_point() -> None:
    assert ids(TREE.siblings(TREE.turns[1])) == ["a1", "a2"]
    assert ids(TREE.siblings(TREE.turns[0])) == ["u1", "u3"]
    assert ids(TREE.siblings(TREE.turns[3])) == ["u2"]


def test_branches_are_counted_along_the_path_only() -> None:
    assert TREE.branches() == {"u1": (1, 2), "a2": (2, 2)}


def test_the_tip_is_the_newest_end_below_a_turn() -> None:
    assert TREE.tip_below("u1") == "a3"
    assert TREE.tip_below("a1") == "a1"


def test_a_turn_with_a_known_id_takes_the_place_of_that_one() -> None:
    changed = TREE.with_turn(turn("a1", "u1", "changed"))

    assert ids(changed.turns) == ids(TREE.turns)
    assert changed.turns[1].text == "changed"


def test_a_turn_that_follows_nothing_known_is_refused() -> None:
    with pytest.raises(ValueError, match="does not stand before it"):
        TREE.with_turn(turn("u9", "nobody"))


def test_a_head_that_is_no_turn_is_refused() -> None:
    with pytest.raises(ValueError, match="head"):
        Conversation(id="c", title="", created_unix_ms=0, updated_unix_ms=0, head_id="x")


def test_a_request_carries_the_path() -> None:
    assert [message.text for message in TREE.messages()] == ["u1", "a2", "u2", "a3"]


def test_a_title_is_the_first_line_that_says_something_and_not_too_long() -> None:
    assert title_from("\n \n  Hello   there \nmore") == "Hello there"
    assert title_from("x" * 100) == "x" * 59 + "…"
    assert title_from("   ") == ""


@pytest.mark.parametrize(("name", "text"), [("", "x"), ("x", " \n")])
def test_a_saved_prompt_needs_a_name_and_a_text(name: str, text: str) -> None:
    with pytest.raises(ValueError, match="name and a text"):
        SavedPrompt(id="p", name=name, text=text)
