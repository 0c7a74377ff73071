"""Conversations in plain mode: found, opened, changed, exported and imported."""

from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Turn
from tests.cli.plain_sitting import MODEL, heard
from tests.cli.plain_talks import conversation, store_with, told


async def test_conversations_are_listed_found_and_opened_with_the_model_that_answered(tmp_path: Path) -> None:
    store = await store_with(
        replace(conversation("Paris", model_id="small-instruct-cpu:1"), tags=("france",)),
        conversation("Rome", at=86_400_000),
    )

    end = await heard(
        tmp_path,
        *(
            "/open 1",
            "/conversations",
            "/conversations paris",
            "/conversations #france",
            "/tags",
            "/open 1",
            "And?",
        ),
        *("/conversations nowhere", "/conversations #a #b"),
        store=store,
    )

    lines = told(end, "What to do: /conversations lists them with their numbers.")
    assert lines[:4] == [
        "2 conversations. /open NUMBER goes on with one.",
        f'1: "Rome", 1970-01-02, 2 messages, with {MODEL}.',
        '2: "Paris", 1970-01-01, 2 messages, tags france, with small-instruct-cpu:1.',
        "1 conversation. /open NUMBER goes on with one.",
    ]
    assert lines[4].endswith("with small-instruct-cpu:1. Found in: Paris!")
    assert lines[7:12] == [
        "france, 1 conversation.",
        'Conversation "Paris", 2 messages, tags france.',
        "1, you, 1 word: Paris?",
        "2, small-instruct-cpu:1, 1 word, cut off: Paris!",
        "Questions go to small-instruct-cpu:1.",
    ]
    assert end.engine.seen[0].model == "small-instruct-cpu:1"
    assert [message.text for message in end.engine.seen[0].messages] == ["Paris?", "Paris!", "And?"]
    assert lines[-2:] == ["No conversation matches.", "Only one tag can be looked for at a time."]


async def test_a_search_opens_the_branch_that_it_hit(tmp_path: Path) -> None:
    whole = conversation("Paris")
    other = Turn(
        id="other", parent_id="Paris-q", role=Role.ASSISTANT, text="Lutetia", at_unix_ms=1, model_id=MODEL
    )
    store = await store_with(replace(whole, turns=(*whole.turns, other)))

    end = await heard(tmp_path, "/conversations lutetia", "/open 1", "/read", store=store)

    assert end.lines[-3:] == [
        f"Message 2, {MODEL}, branch 2 of 2:",
        "Lutetia",
        "Cut off: the app ended while this was being written.",
    ]


async def test_the_conversation_is_renamed_tagged_and_deleted_after_a_yes(tmp_path: Path) -> None:
    end = await heard(
        tmp_path,
        *("/tag early", "Hi", "/rename Greetings", "/tag b a", "/untag a", "/untag c", "/messages"),
        *("/delete", "no way", "/delete", "yes", "/messages", "/delete", "/tags", "Hi again"),
    )

    lines = told(end, 'The conversation is now called "Greetings".')
    assert lines == [
        "The conversation has tags a b early.",
        "The conversation has tags b early.",
        "This conversation has no such tag.",
        "What to do: /messages says its tags.",
        'Conversation "Greetings", 2 messages, tags b early.',
        "1, you, 1 word: Hi",
        f"2, {MODEL}, 2 words: Hello, world",
        'Delete the conversation "Greetings", 2 messages, for good? Yes or no?',
        "Nothing was deleted.",
        'Delete the conversation "Greetings", 2 messages, for good? Yes or no?',
        "It was deleted.",
        "A new conversation; nothing was said yet.",
        "Nothing was said yet, so there is nothing to delete.",
        "No conversation has a tag.",
        f"{MODEL} answers:",
        "Hello, world",
        *lines[-1:],
    ]
    assert [kept.title for kept in end.store.kept.values()] == ["Hi again"]


async def test_a_listed_conversation_is_deleted_while_another_one_is_under_way(tmp_path: Path) -> None:
    store = await store_with(conversation("Paris"))

    end = await heard(tmp_path, "Hi", "/conversations paris", "/delete 1", "y", store=store)

    assert [kept.title for kept in end.store.kept.values()] == ["Hi"]


async def test_a_new_conversation_carries_nothing_of_the_last(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", "/new", "Hello")

    assert [message.text for message in end.engine.seen[1].messages] == ["Hello"]
    assert len(end.store.kept) == 2


@pytest.mark.parametrize("suffix", ["md", "json"])
async def test_a_conversation_goes_to_a_new_file_and_comes_back(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"greeting.{suffix}"
    first = await heard(tmp_path, "Hi", f"/export {path}", f"/export {path}", f"/export {path}.txt")

    second = await heard(tmp_path, f"/import {path}", f"/import {path}", "And?")

    assert first.code == 1
    assert first.lines[-5:-3] == [f"Written to {path}.", f"{path} exists already."]
    assert first.lines[-2].endswith("greeting." + suffix + ".txt: expected a name that ends in .md or .json.")
    assert [message.text for message in second.engine.seen[0].messages] == ["Hi", "Hello, world", "And?"]
    assert len(second.store.kept) == 2
    assert ("It is here already, so this is a copy." in second.lines) is (suffix == "json")


async def test_nothing_said_is_nothing_to_export_and_no_chat_is_nothing_to_import(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("[]")

    end = await heard(tmp_path, "/export x.md", f"/import {tmp_path}/no.json")

    assert end.code == 1
    assert told(end)[0] == "Nothing was said yet, so there is nothing to export."
    assert "no.json" in told(end)[1]
