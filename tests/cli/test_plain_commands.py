"""The commands of plain mode: how they are found and explained; options, settings, the log."""

import re
from pathlib import Path

import pytest

from foundry_tui.cli.plain import COMMANDS
from foundry_tui.cli.plain_commands import Command, CommandTable
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.engines.hosting.configs import ScriptedConfig
from tests.cli.plain_sitting import SHELF, heard
from tests.cli.plain_talks import told
from tests.support.supervised import SupervisedScript

GUIDE = Path(__file__).parents[2] / "docs" / "plain-mode.md"


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


async def test_quit_leaves_the_rest_unread(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/q", "Hi")

    assert end.code == 0
    assert end.engine.seen == []
