"""Every command of plain mode, given as a line."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.cli.plain import COMMANDS
from foundry_tui.cli.plain_commands import Command, CommandTable
from foundry_tui.domain.chat import ChatOptions, Role
from foundry_tui.domain.conversations import Conversation, SavedPrompt, Turn
from foundry_tui.engines.hosting.configs import ScriptedConfig
from tests.cli.plain_sitting import MODEL, SHELF, Heard, heard
from tests.support.memory_store import MemoryStore
from tests.support.supervised import SupervisedScript

CODE = 'Two:\n\n```python\nprint("a")\n```\n\n1. item\n\n   ~~~\n   b\n   ~~~\n'
GUIDE = Path(__file__).parents[2] / "docs" / "plain-mode.md"


def told(end: Heard, after: str = f"Questions go to {MODEL}.") -> list[str]:
    """The lines behind the last that reads so."""
    lines = end.lines
    return lines[len(lines) - lines[::-1].index(after) :]


def saying(text: str) -> SupervisedScript:
    return SupervisedScript(ScriptedConfig(pieces=(text,)), models=SHELF)


async def store_with(*conversations: Conversation) -> MemoryStore:
    store = MemoryStore()
    for conversation in conversations:
        await store.create(conversation)
    return store


def conversation(title: str, *, model_id: str = MODEL, at: int = 0) -> Conversation:
    said = Turn(id=f"{title}-q", parent_id=None, role=Role.USER, text=f"{title}?", at_unix_ms=at)
    answered = Turn(
        id=f"{title}-a",
        parent_id=said.id,
        role=Role.ASSISTANT,
        text=f"{title}!",
        at_unix_ms=at,
        reasoning="hm",
        model_id=model_id,
    )
    return Conversation(
        id=title,
        title=title,
        created_unix_ms=at,
        updated_unix_ms=at,
        options=ChatOptions(),
        turns=(said, answered),
        head_id=answered.id,
    )


@pytest.mark.parametrize("command", list(COMMANDS), ids=lambda command: command.names[0])
async def test_help_explains_each_command_with_an_example(command: Command, tmp_path: Path) -> None:
    end = await heard(tmp_path, f"/help {command.names[-1]}")

    assert told(end)[:2] == [f"{command.usage}: {command.help}.", f"For example: {command.example}"]


def test_each_command_can_be_found_by_each_of_its_names_in_its_own_example_and_in_the_guide() -> None:
    guide = GUIDE.read_text(encoding="utf-8")

    for command in COMMANDS:
        assert [COMMANDS.find(name) for name in command.names] == [command] * len(command.names)
        assert command.example.split()[0] == f"/{command.names[0]}"
        assert f"`{command.usage}`" in guide
        assert command.usage.isascii()
        assert command.help.isascii()


def test_no_group_is_called_as_a_command_is() -> None:
    names = {name for command in COMMANDS for name in command.names}

    assert not names & {group.casefold() for group in COMMANDS.groups()}


def test_two_commands_of_one_name_are_a_mistake() -> None:
    first = next(iter(COMMANDS))

    with pytest.raises(ValueError, match="two commands are called"):
        CommandTable((first, first))


async def test_help_names_all_commands_by_group_and_explains_them_on_demand(tmp_path: Path) -> None:
    names = await heard(tmp_path, "/help")
    group = await heard(tmp_path, "/help saved prompts")
    everything = await heard(tmp_path, "/help all")

    headings = [line.partition(":")[0] for line in told(names)[1:-2]]
    assert headings == [
        *("Writing", "Reading", "Measuring", "Models and engine", "Getting models"),
        *("Servers and other programs", "Kept conversations", "Saved prompts"),
        *("Options and settings", "Everything else"),
    ]
    assert "Saved prompts: /prompts, /prompt, /prompt-save, /prompt-delete." in told(names)
    assert told(group)[:2] == ["Saved prompts:", "/prompts [WORDS]: list the saved prompts."]
    assert [line for line in told(everything) if line.startswith("/")] == [
        f"{command.usage}: {command.help}." for command in COMMANDS
    ]


async def test_models_are_listed_with_words_and_units_and_filtered_as_in_the_app(tmp_path: Path) -> None:
    end = await heard(
        tmp_path, "/models -synthetic", "/models size<1gb device:cpu", "/models phi", "/models size<"
    )

    assert told(end)[:3] == [
        "2 of 4 models.",
        "1: small-instruct-cpu:1, on disk, 129 MiB, CPU, context unknown, licence apache-2.0.",
        "2: large-instruct-npu:3, not on this machine, 8.38 GiB, NPU, context 131,072 tokens, licence MIT.",
    ]
    assert told(end)[3].startswith("1 of 4 models.")
    assert told(end)[5:8] == [
        "None of 4 models matches.",
        'Left out of the filter: "size<": a number is missing, try size<2gb.',
        "4 of 4 models.",
    ]


async def test_models_are_sorted_by_what_was_asked_for(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/sort size", "/models -synthetic-broken", "/sort none", "/sort colour")

    lines = told(end, "Sorted by size.")
    assert [line.split(",")[0] for line in lines[1:4]] == [
        "1: small-instruct-cpu:1",
        "2: large-instruct-npu:3",
        f"3: {MODEL}",
    ]
    assert lines[4:] == [
        "Lists of models stand as the catalog has them.",
        "Models cannot be sorted by colour.",
        "What to do: by name, size, context, device, licence, publisher or none.",
    ]


async def test_a_model_is_loaded_used_unloaded_and_found_by_alias_id_or_number(tmp_path: Path) -> None:
    end = await heard(
        tmp_path,
        *(
            "/models small",
            "/use 1",
            "Hi",
            "/load small",
            "/loaded",
            "/unload small",
            "/unload",
            "/load",
            "/cached",
        ),
    )

    assert end.code == 0
    assert end.engine.seen[0].model == "small-instruct-cpu:1"
    lines = told(end, "Questions go to small-instruct-cpu:1.")
    assert lines[0] == "small-instruct-cpu:1 answers:"
    assert lines[3:6] == [
        "small-instruct-cpu:1 is loaded already.",
        "2 models loaded.",
        f"1: {MODEL}, loaded, size unknown, device unknown, context 4,096 tokens, licence unknown.",
    ]
    assert lines[7:12] == [
        "small-instruct-cpu:1 was unloaded.",
        "small-instruct-cpu:1 is not loaded.",
        "Loading small-instruct-cpu:1.",
        "small-instruct-cpu:1 was loaded in 10.0 milliseconds.",
        "3 models on disk.",
    ]


async def test_a_model_that_cannot_be_used_is_told_why(tmp_path: Path) -> None:
    end = await heard(
        tmp_path, "/use large", "/use smal", "/use synthetic-broken", "/use 7", "/loaded", "/use 7"
    )

    assert end.code == 1
    assert [line for line in told(end) if "1: " not in line] == [
        "large-instruct-npu:3 is not on this machine.",
        "What to do: /download large-instruct-npu:3 fetches it; /cached lists the models that are here.",
        "There is no model smal.",
        "What to do: did you mean small-instruct-cpu:1 or small?",
        "Loading synthetic-broken-generic-cpu:1.",
        "synthetic-broken-generic-cpu:1 does not load: scripted.",
        "What to do: choose the other one.",
        "There is no model in the last list yet.",
        "1 model loaded.",
        "There is no model 7 in the last list.",
        "What to do: the only one is number 1.",
    ]


async def test_everything_known_of_a_model_is_read_out(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/info small", "/info")

    lines = told(end)
    assert lines[:4] == [
        "Id: small-instruct-cpu:1.",
        "Name: unknown.",
        "Alias: small.",
        "From: the public catalog.",
    ]
    assert "Download size: 129 MiB." in lines
    assert "Last load: 10.0 milliseconds." in lines


async def test_models_are_compared_fact_by_fact(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/compare small large", "/compare small")

    lines = told(end)
    assert lines[:4] == [
        "Compared: 1: small-instruct-cpu:1, 2: large-instruct-npu:3.",
        "Device: 1, CPU; 2, NPU.",
        "Size: 1, 129 MiB; 2, 8.38 GiB.",
        "On disk: the same, unknown.",
    ]
    assert lines[-2:] == [
        "One model alone cannot be compared.",
        "What to do: name two or more: /compare 1 2.",
    ]


async def test_the_catalog_and_the_engine_are_asked_again_and_their_state_is_told(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/refresh", "/restart", "/status")

    lines = told(end)
    assert end.engine.starts == 2
    assert lines[:5] == [
        "4 models, 3 on disk, 1 loaded.",
        "Restarting the engine.",
        "The engine was restarted.",
        f"{MODEL} was loaded in 10.0 milliseconds.",
        "The engine, scripted, is ready.",
    ]
    assert "Note: Synthetic: every answer is replayed." in lines
    assert f"Questions go to {MODEL}, loaded." in lines
    assert lines[-2:] == [
        "CPU 25 percent, RAM 2.00 GiB of 8.00 GiB, engine unknown.",
        "GPU memory unknown: no driver.",
    ]


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


async def test_files_and_a_saved_prompt_go_with_the_next_question_only(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("one\ntwo\n")

    end = await heard(
        tmp_path,
        *("/prompt-save short = Be brief.", f"/attach {note}", "/prompt short", "/context", "Why?", "Else?"),
        *(
            f"/attach {note}",
            "/send",
            f"/attach {note}",
            "/detach",
            "/detach",
            "/send",
            "/attach nowhere.txt",
        ),
    )

    sent = [request.messages[-1].text for request in end.engine.seen]
    file = "File: note.txt\n```\none\ntwo\n```"
    assert sent == [f"Be brief.\nWhy?\n\n{file}", "Else?", f"\n\n{file}"]
    assert "Attached: note.txt, 8 B, 2 lines. It goes with your next question." in end.lines
    assert "About 22 of 4,096 tokens: 4,074 left for the answer." in end.lines
    assert "Taken away: note.txt." in end.lines
    assert "Nothing is attached." in end.lines
    assert "There is nothing to send." in end.lines
    assert end.lines[-2].endswith("/nowhere.txt: no such file.")
    assert end.lines[-1] == "What to do: check the path."


async def test_saved_prompts_are_listed_used_by_name_or_number_and_deleted_after_a_yes(
    tmp_path: Path,
) -> None:
    store = MemoryStore()
    await store.save_prompt(SavedPrompt(id="1", name="Rhyme", text="Make it rhyme:"))

    end = await heard(
        tmp_path,
        *(
            "Hi",
            "/prompt-save greeting",
            "/prompts",
            "/prompts rhym",
            "/prompt 1",
            "The sea",
            "/prompt-save greeting",
        ),
        *(
            "/prompt gretting",
            "/prompt-delete greeting",
            "no",
            "/prompt-delete greeting",
            "yes",
            "/prompts xyz",
        ),
        store=store,
    )

    assert end.engine.seen[1].messages[-1].text == "Make it rhyme:\nThe sea"
    assert [(prompt.name, prompt.text) for prompt in await store.prompts()] == [("Rhyme", "Make it rhyme:")]
    assert (await store.prompts())[0].used_unix_ms is not None
    lines = told(end, "Saved as greeting: Hi")
    assert lines[:7] == [
        "2 saved prompts.",
        "1, greeting: Hi",
        "2, Rhyme: Make it rhyme:",
        "1 saved prompt.",
        "1, Rhyme: Make it rhyme:",
        "Make it rhyme:",
        "This goes in front of your next line. /send sends it alone, /detach drops it.",
    ]
    assert lines[10:] == [
        "A saved prompt has that name already.",
        "There is no saved prompt gretting.",
        "What to do: did you mean greeting?",
        "Delete the saved prompt greeting? Yes or no?",
        "Nothing was deleted.",
        "Delete the saved prompt greeting? Yes or no?",
        "It was deleted.",
        "No saved prompt matches.",
    ]


async def test_what_was_asked_before_is_listed_newest_first(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/inputs", "One", "Two", "/inputs 5")

    assert "Nothing was asked yet." in end.lines
    assert end.lines[-2:] == ["1: Two", "2: One"]


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


async def test_options_are_set_and_go_with_the_next_question(tmp_path: Path) -> None:
    end = await heard(
        tmp_path,
        *("/set system Be \\", "brief.", "/set temperature 0.5", "/set max_tokens 99", "/set seed -3", "Hi"),
        *("/set temperature none", "/set system", "/set seed none", "/options"),
    )

    sent = end.engine.seen[0]
    assert (sent.temperature, sent.max_tokens, sent.seed) == (0.5, 99, -3)
    assert sent.messages[0].text == "Be \nbrief."
    assert end.lines[-8:] == [
        "temperature: the engine's own",
        "system, the system prompt: none",
        "seed: none",
        "system, the system prompt: none",
        "temperature: the engine's own",
        "max-tokens, the longest answer: 99 tokens",
        "seed: none",
        "speech, answers by whole phrases: on",
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/set temperature 3", "The temperature is a number from 0 to 2, or none for the engine's own."),
        ("/set temperature nan", "The temperature is a number from 0 to 2, or none for the engine's own."),
        ("/set max-tokens 0", "The longest answer is a whole number of tokens from 1 on."),
        ("/set seed x", "The seed is a whole number of up to 18 digits, or none."),
        ("/set speech maybe", "Speech is on or off, not maybe."),
        ("/set sead 3", "There is no option sead."),
    ],
)
async def test_an_option_that_cannot_be_is_left_as_it_was(line: str, problem: str, tmp_path: Path) -> None:
    end = await heard(tmp_path, line, "/options")

    assert end.code == 1
    assert told(end)[0] == problem
    assert end.services.dialogue.options == ChatOptions()


async def test_settings_are_listed_searched_checked_and_written(tmp_path: Path) -> None:
    end = await heard(
        tmp_path,
        *(
            "/settings chat.max_tokens",
            "/settings chat.max_tokens 256",
            "/options",
            "/settings chat.max_tokens 0",
        ),
        *("/settings chat.max_tokens default", "/settings nowhere", "/settings"),
    )

    file = tmp_path / "config" / "settings.toml"
    lines = told(end)
    assert lines[0] == "chat.max_tokens is 512, the default. The longest answer, in tokens."
    assert lines[1] == f"Written to {file}."
    assert re.fullmatch(rf"chat.max_tokens is 256, from {file} line \d+. The longest .*", lines[2])
    assert "max-tokens, the longest answer: 256 tokens" in lines
    assert any(line.startswith("chat.max_tokens cannot be 0: ") for line in lines)
    assert "There is no setting nowhere." in lines
    assert sum(line.startswith("timeouts.") for line in lines) == 5
    assert "\nmax_tokens = 256" not in file.read_text()


async def test_the_log_is_read_and_saved(tmp_path: Path) -> None:
    engine = SupervisedScript(ScriptedConfig(pieces=("x",)), models=SHELF)

    end = await heard(tmp_path, "/log", "/log 2", "/log save", "/log all", engine=engine)

    (saved,) = (tmp_path / "logs").glob("log-*.txt")
    assert told(end)[:2] == ["The log is empty.", "The log is empty."]
    assert f"Written to {saved}." in end.lines
    assert end.lines[-2] == "All says not how many."


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


async def test_quit_leaves_the_rest_unread(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/q", "Hi")

    assert end.code == 0
    assert end.engine.seen == []
