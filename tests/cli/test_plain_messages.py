"""What was said, in plain mode: read, asked again, edited, saved, and the numbers of an answer."""

from pathlib import Path

from foundry_tui.domain.chat import Role
from foundry_tui.engines.hosting.configs import ScriptedConfig
from tests.cli.plain_sitting import MODEL, SHELF, heard
from tests.cli.plain_talks import conversation, store_with
from tests.support.supervised import SupervisedScript

CODE = 'Two:\n\n```python\nprint("a")\n```\n\n1. item\n\n   ~~~\n   b\n   ~~~\n'


def saying(text: str) -> SupervisedScript:
    return SupervisedScript(ScriptedConfig(pieces=(text,)), models=SHELF)


async def test_the_messages_are_listed_read_found_and_numbered(tmp_path: Path) -> None:
    end = await heard(
        tmp_path, "Hi there", "/messages", "/read 1", "/read", "/find hello", "/find xyz", "/read 3"
    )

    assert end.lines[-12:] == [
        'Conversation "Hi there", 2 messages.',
        "1, you, 2 words: Hi there",
        f"2, {MODEL}, 2 words: Hello, world",
        "Message 1, you:",
        "Hi there",
        f"Message 2, {MODEL}:",
        "Hello, world",
        "Found in 1 place in 1 message.",
        f"Message 2, {MODEL}: Hello, world",
        "Not found in this conversation.",
        "There is no message 3.",
        "What to do: the numbers go from 1 to 2.",
    ]


async def test_an_answer_is_asked_for_again_and_both_branches_stay(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", "/again", "/branches", "/branch 1", "/branch 2 2", "/branch 3")

    (kept,) = end.store.kept.values()
    assert [turn.role for turn in kept.turns] == [Role.USER, Role.ASSISTANT, Role.ASSISTANT]
    assert end.lines[-9:] == [
        "Message 2 has 2 branches; you are on branch 2.",
        f"Branch 1, {MODEL}: Hello, world",
        f"Branch 2, {MODEL}: Hello, world",
        "Branch 1 of 2, from message 2 on:",
        f"2, {MODEL}, 2 words, branch 1 of 2: Hello, world",
        "Branch 2 of 2, from message 2 on:",
        f"2, {MODEL}, 2 words, branch 2 of 2: Hello, world",
        "There is no branch 3.",
        "What to do: the numbers go from 1 to 2.",
    ]
    assert kept.head_id == kept.turns[2].id


async def test_without_branches_that_is_said(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", "/branches", "/branch 1")

    assert end.lines[-3:] == [
        "There is one branch only. /edit changes a question, /again asks for an answer again.",
        "There is one branch only.",
        "What to do: /edit and /again make others.",
    ]


async def test_a_question_is_edited_and_sent_as_another_branch(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", "More", "/edit 1", "Hello?", "/edit", "", "/edit 2")

    (kept,) = end.store.kept.values()
    assert [turn.text for turn in kept.path()] == ["Hello?", "Hello, world"]
    assert [message.text for message in end.engine.seen[-1].messages] == ["Hello?"]
    assert len(kept.turns) == 6
    assert end.lines[-6:] == [
        "The question was:",
        "Hello?",
        "Type the new one, or /long for several lines. An empty line leaves it as it is.",
        "It stays as it is.",
        "Message 2 is no question.",
        "What to do: /messages lists them with their numbers.",
    ]


async def test_an_answer_that_nobody_can_give_again_leaves_the_conversation_as_it_is(tmp_path: Path) -> None:
    store = await store_with(conversation("Paris", model_id="gone:1"))

    end = await heard(
        tmp_path, "/conversations", "/open 1", "/again", "/messages", store=store, start_with=None
    )

    assert "2, gone:1, 1 word, cut off: Paris!" in end.lines[-3:]


async def test_code_in_the_last_answer_is_listed_read_and_saved(tmp_path: Path) -> None:
    saved = tmp_path / "a b.py"

    end = await heard(
        tmp_path,
        *("Hi", "/code", "/code 2", "/code 3", f'/save code 1 "{saved}"', f"/save code 1 {saved}"),
        engine=saying(CODE),
    )

    assert saved.read_text() == 'print("a")\n'
    assert end.lines[-9:] == [
        "2 pieces of code in the last answer.",
        '1: python, 1 line, begins: print("a")',
        "2: 1 line, begins: b",
        "b",
        "There is no piece of code 3 in the last answer.",
        "What to do: the numbers go from 1 to 2.",
        f"Written to {saved}.",
        f"{saved} exists already.",
        "What to do: give another name; nothing is overwritten.",
    ]


async def test_a_message_is_saved_exactly_as_it_came(tmp_path: Path) -> None:
    end = await heard(
        tmp_path,
        *("Hi", f"/save {tmp_path}/last.txt", f"/save 1 {tmp_path}/first.txt", "/save 9 x"),
        engine=saying("\x1b[31mred"),
    )

    assert (tmp_path / "last.txt").read_text() == "\x1b[31mred\n"
    assert (tmp_path / "first.txt").read_text() == "Hi\n"
    assert end.lines[-2] == "There is no message 9."


async def test_an_answer_without_code_says_so(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi", "/code")

    assert end.lines[-1] == "There is no code in the last answer."


async def test_numbers_and_timings_of_an_answer_are_read_out(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/numbers", "Hi", "/numbers", "/timings", "/timings 1", "/context")

    numbers = next(line for line in end.lines if line.startswith("Time to first token"))
    assert "There is no answer yet." in end.lines
    assert end.lines[-8:] == [
        numbers,
        "The first chunk came after 10.0 milliseconds.",
        "2 gaps between tokens: median 10.0 milliseconds, longest 10.0 milliseconds.",
        "Of the gaps: 2 from 10 to 20 milliseconds.",
        "No stalls.",
        "Message 1 is no answer.",
        "What to do: /messages lists them with their numbers.",
        "About 10 of 4,096 tokens: 4,086 left for the answer.",
    ]


async def test_thoughts_of_an_answer_that_has_some_are_read_and_others_are_said_to_have_none(
    tmp_path: Path,
) -> None:
    store = await store_with(conversation("Paris"))

    end = await heard(tmp_path, "/conversations", "/open 1", "/thoughts 2", "Hi", "/thoughts", store=store)

    assert "hm" in end.lines
    assert end.lines[-1] == "It did not think aloud."
