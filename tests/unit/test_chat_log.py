"""Chats of other programs, read by their headings."""

import pytest

from foundry_tui.domain.chat import Role
from foundry_tui.domain.errors import BadInput
from foundry_tui.reports.chat_log import read_chat_log
from foundry_tui.reports.markdown_reading import read_markdown
from tests.support.conversations import AT, read_back


@pytest.mark.parametrize(
    "text",
    [
        "## User\n\nHow many?\n\n## Assistant\n\nTwo.\n\n### Why\n\nI counted.\n",
        "**User:** How many?\n\n**Assistant:** Two.\n\n### Why\n\nI counted.\n",
        "**User**: How many?\n\n**Assistant**: Two.\n\n### Why\n\nI counted.",
        "**You**\n\nHow many?\n\n**AI**\n\nTwo.\n\n### Why\n\nI counted.",
        "# **Human**\nHow many?\n# **ChatGPT**:\nTwo.\n\n### Why\n\nI counted.",
    ],
)
def test_a_plain_chat_log_is_read_by_its_speakers(text: str) -> None:
    found = read_back(text, "log.md")

    assert [(turn.role, turn.text) for turn in found.turns] == [
        (Role.USER, "How many?"),
        (Role.ASSISTANT, "Two.\n\n### Why\n\nI counted."),
    ]
    assert found.title == "How many?"


def test_the_title_the_system_prompt_and_the_model_of_a_plain_log_are_taken_over() -> None:
    text = "---\ntags: [a, b]\n---\n# Hens\n\n## System\nCount.\n\n## User\n?\n\n## Assistant (gpt-4o)\n2\n"

    found = read_back(text, "log.md")

    assert (found.title, found.tags, found.options.system_prompt) == ("Hens", ("a", "b"), "Count.")
    assert [turn.model_id for turn in found.turns] == [None, "gpt-4o"]


def test_without_an_assistant_the_other_headings_are_models_and_that_is_told() -> None:
    found = read_markdown("## You\n\n?\n\n## phi-4\n\n2\n\n## You\n\nsure?\n", "log.md", now_unix_ms=AT)

    assert [(turn.role, turn.model_id) for turn in found.conversation.turns] == [
        (Role.USER, None),
        (Role.ASSISTANT, "phi-4"),
        (Role.USER, None),
    ]
    assert found.notes == ("“phi-4” was taken for the name of a model",)


def test_a_speaker_in_a_code_block_is_code() -> None:
    log = read_chat_log("## User\n\n```\n## Assistant\n```\n\n## Assistant\n\nyes\n")

    assert [entry.text for entry in log.said] == ["```\n## Assistant\n```", "yes"]


def test_what_was_not_understood_of_a_log_is_told_by_line() -> None:
    found = read_markdown(
        "---\nseed: x\n---\nexported by me\non Monday\n\n## User\n?\n## User\n## AI\n2", "l.md", now_unix_ms=0
    )

    assert found.notes == (
        "lines 4 to 5 before the first speaker: left out",
        "1 speaker without a word: left out",
        "seed is no whole number: left out",
    )


def test_a_file_without_a_speaker_is_refused_and_the_remedy_says_what_is_understood() -> None:
    with pytest.raises(BadInput) as caught:
        read_back("# Notes\n\nmilk, eggs\n", "notes.md")

    assert str(caught.value) == "notes.md: expected a conversation, found nobody who speaks"
    assert caught.value.remedy is not None
    assert "## User" in caught.value.remedy
