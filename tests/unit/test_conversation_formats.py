"""What both file formats of a conversation have in common: copies, names, tags, moments, harmlessness."""

from datetime import UTC

import pytest

from foundry_tui.domain.errors import BadInput
from foundry_tui.reports.conversation import (
    ConversationFormat,
    conversation_file,
    copied,
    file_name,
    format_of,
    read_conversation,
    tags_from,
    when_in_words,
)
from tests.support.conversations import answered, branched, conversation, said
from tests.support.hostile import CORPUS


@pytest.mark.parametrize("file_format", ConversationFormat)
def test_whatever_was_written_to_harm_comes_back_exactly(file_format: ConversationFormat) -> None:
    first, *others = (payload.text for payload in CORPUS)
    turns = [said("t0", first)]
    for number, text in enumerate(others, start=1):
        turns.append(answered(f"t{number}", text, f"t{number - 1}", reasoning=text))
    exported = conversation(*turns)

    back = read_conversation(conversation_file(exported, file_format), f"c.{file_format}").conversation

    assert [turn.text for turn in back.turns] == [turn.text for turn in turns]
    assert [turn.reasoning for turn in back.turns] == [turn.reasoning for turn in turns]


def test_a_copy_has_new_ids_throughout_and_is_the_same_otherwise() -> None:
    original = branched()

    copy = copied(original)

    assert {copy.id, *(turn.id for turn in copy.turns)} & {"c1", "u1", "a1", "a2", "u2", "u3"} == set()
    assert [turn.text for turn in copy.path()] == [turn.text for turn in original.path()]
    assert [turn.trace for turn in copy.turns] == [turn.trace for turn in original.turns]
    assert (copy.title, copy.tags, copy.options) == (original.title, original.tags, original.options)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Two hens", "Two-hens.md"),
        ("../../etc/passwd", "etc-passwd.md"),
        ("a/b\\c:d*?\x00\x1b", "a-b-c-d.md"),
        ("", "conversation.md"),
        ("…", "conversation.md"),
        ("CON", "conversation-CON.md"),
        ("Süße Grüße", "Süße-Grüße.md"),
        ("-rf", "rf.md"),
        ("x" * 300, "x" * 60 + ".md"),
        ("漢" * 300, "漢" * 60 + ".md"),
    ],
)
def test_a_title_becomes_a_name_that_every_file_system_takes(title: str, expected: str) -> None:
    assert file_name(title, ConversationFormat.MARKDOWN) == expected


def test_the_end_of_a_name_chooses_the_format_and_any_other_is_refused() -> None:
    assert format_of("a.JSON") is ConversationFormat.JSON
    assert format_of("a.md") is format_of("a.markdown") is ConversationFormat.MARKDOWN
    with pytest.raises(BadInput, match=r"expected a name that ends in \.md or \.json"):
        format_of("a.txt")


def test_a_file_is_read_by_its_name_or_else_by_how_it_begins() -> None:
    exported = branched()
    as_json = conversation_file(exported, ConversationFormat.JSON)
    as_markdown = conversation_file(exported, ConversationFormat.MARKDOWN)

    assert read_conversation(as_json, "c.json").conversation == exported
    assert read_conversation(as_json, "c.bak").conversation == exported
    assert read_conversation(as_markdown, "c.txt").conversation.title == exported.title
    with pytest.raises(BadInput):
        read_conversation(as_markdown, "c.json")


def test_tags_are_read_as_people_write_them() -> None:
    assert tags_from(" #hens farm\x1b  hens # ") == ("farm\u241b", "hens")
    assert tags_from("two hens, #Farm,, ") == ("Farm", "two hens")
    assert tags_from(" ") == ()


def test_a_moment_is_told_as_far_as_it_matters() -> None:
    now = 1_780_000_000_000  # Thursday, 28 May 2026, 20:26:40 UTC

    assert when_in_words(now - 3_600_000, now, UTC) == "19:26"
    assert when_in_words(now - 3 * 86_400_000, now, UTC) == "Mon 20:26"
    assert when_in_words(now - 60 * 86_400_000, now, UTC) == "2026-03-29"
    assert when_in_words(now + 86_400_000, now, UTC) == "2026-05-29"
    assert when_in_words(10**30, now, UTC) == "n/a"
