"""A conversation as Markdown: every text comes back, and a reader sees who said what."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

from foundry_tui.domain.errors import BadInput
from foundry_tui.reports.conversation_markdown import conversation_markdown
from foundry_tui.reports.markdown_reading import read_markdown
from tests.support.conversations import (
    AT,
    HALVES,
    MODEL,
    answered,
    branched,
    chunk,
    conversation,
    read_back,
    said,
    trace,
)

HOSTILE_TEXTS = {
    "our heading": "## You\n\nlies\n\n## small-instruct-generic-cpu:1\n\nmore",
    "our mark": '<!-- foundry-tui:turn {"role":"user"} -->\n## You\n\nlies',
    "our mark in a fence": '```\n<!-- foundry-tui:turn {"role":"user"} -->\n```',
    "front matter": "---\ntitle: lies\n---",
    "an open fence": "```python\nprint(1)",
    "an open tilde fence": "~~~~\ncode\n~~~",
    "fences of all lengths": "`````\n````\n```\n````````\n",
    "an indented fence": "1. a\n\n   ```\n   b\n   ```\n",
    "html": "<details>\n<summary>x\n\n</div></blockquote><!-- never closed",
    "html in code": "Use `List<int>` and `<b>`; see <https://example.org/a>.",
    "html in a false span": "\\`<!-- \\`",
    "a setext heading": "You\n===\n\nx\n---\ny",
    "quotes": "> a\n>\n> b",
    "blank ends": "\n\n a \n\n",
    "nothing": "",
    "blanks": "  \n\t\n",
    "line ends": "a\r\nb\rc",
    "controls": "\x00\x1b]0;owned\x07\\u0041\\\\ \x85 \u202egnp \ufeff",
    "halves": f"a{HALVES}b\ud800",
    "a backslash": "C:\\new \\u0041",
}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS.keys())
def test_a_text_of_any_kind_comes_back_from_markdown_exactly(text: str) -> None:
    exported = conversation(
        said("u1", text),
        answered("a1", text, "u1", reasoning=text),
        said("u2", "plain", "a1"),
        answered("a2", text, "u2"),
    )

    back = read_back(conversation_markdown(exported), "c.md")

    assert [turn.text for turn in back.turns] == [text, text, "plain", text]
    assert [turn.reasoning for turn in back.turns] == ["", text, "", ""]


def test_texts_made_of_markdown_at_random_come_back_exactly() -> None:
    source = random.Random(7)
    pieces = [
        "`",
        "```",
        "~~~",
        "\n",
        "\n\n",
        " ",
        "    ",
        "#",
        "## You",
        "> ",
        "- ",
        "1. ",
        "<",
        "<!--",
        "-->",
    ]
    pieces += [
        "</details>",
        "<!-- foundry-tui:text -->",
        "---",
        "===",
        "a",
        "\\",
        "\\u0041",
        "\t",
        "\r",
        "|",
        "&lt;",
    ]

    for _ in range(400):
        texts = ["".join(source.choices(pieces, k=source.randrange(12))) for _ in range(3)]
        exported = conversation(
            said("u1", texts[0]), answered("a1", texts[1], "u1", reasoning=texts[2] or "x")
        )

        back = read_back(conversation_markdown(exported), "c.md")

        assert [turn.text for turn in back.turns] == texts[:2]
        assert back.turns[1].reasoning == (texts[2] or "x")


def test_roles_models_title_tags_options_and_times_come_back_from_markdown() -> None:
    exported = replace(branched(), title='Two "hens" \x1b[2J: # yes')

    back = read_back(conversation_markdown(exported), "c.md")

    assert (back.title, back.tags, back.options) == (exported.title, exported.tags, exported.options)
    assert (back.created_unix_ms, back.updated_unix_ms) == (AT, AT + 2)
    assert [(turn.role, turn.model_id, turn.at_unix_ms) for turn in back.path()] == [
        (turn.role, turn.model_id, turn.at_unix_ms) for turn in exported.path()
    ]


def test_a_conversation_from_markdown_is_a_new_one_and_is_read_from_its_end() -> None:
    text = conversation_markdown(branched())

    first, second = read_back(text, "c.md"), read_back(text, "c.md")

    assert first.id not in ("c1", second.id)
    assert first.head_id == first.turns[-1].id
    assert [turn.parent_id for turn in first.turns] == [None, *(turn.id for turn in first.turns[:-1])]


def test_what_markdown_leaves_out_is_told() -> None:
    notes = read_markdown(conversation_markdown(branched()), "c.md", now_unix_ms=AT).notes

    assert notes == (
        "the readings of an answer: Markdown has them in words only, JSON keeps them",
        "2 turns on other branches: Markdown has one branch, JSON keeps all",
    )


def test_markdown_shows_the_numbers_of_an_answer_below_it_and_why_it_failed() -> None:
    failed = replace(answered("a1", "Two", "u1"), trace=trace(chunk(2_000_002, "Two"), error="cut <b>"))

    lines = conversation_markdown(conversation(said("u1", "?"), failed)).splitlines()

    assert lines[-2].startswith("> TTFT 2.0 ms · n/a tok/s · 12 in · 3 out")
    assert lines[-1] == "> cut \\<b\\>  "


def headings(markdown: str) -> list[str]:
    """The headings that stand at the outermost level, as GitHub's kind of parser finds them."""
    body = markdown.split("---\n", 2)[2]
    tokens = MarkdownIt().parse(body)
    return [
        "".join(child.content for child in inline.children or [])
        for token, inline in pairwise(tokens)
        if token.type == "heading_open" and token.level == 0 and token.tag in ("h1", "h2")
    ]


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS.keys())
def test_a_reader_sees_the_speakers_and_no_others_whatever_is_said(text: str) -> None:
    exported = conversation(
        said("u1", text), answered("a1", text, "u1", reasoning=text), said("u2", "plain", "a1")
    )

    assert headings(conversation_markdown(exported)) == ["Two hens", "You", MODEL, "You"]


def test_a_hostile_title_or_model_makes_no_heading_link_or_html_of_its_own() -> None:
    evil = "x</h1> [a](http://b) `c`\n## You\n*d* --> <!--"
    exported = conversation(said("u1", "?"), answered("a1", "!", "u1", model_id=evil), title=evil)

    text = conversation_markdown(exported)

    plain = " ".join(evil.split())
    assert headings(text) == [plain, "You", plain]
    assert not [line for line in text.splitlines() if line.startswith("<!--") and line.count("-->") > 1]
    assert read_back(text, "c.md").turns[1].model_id == evil


def test_ordinary_markdown_stands_in_the_file_as_the_model_wrote_it() -> None:
    answer = "### Steps\n\n1. Look.\n2. Count:\n\n```python\nlen(hens)  # <b>\n```\n\nDone, *two*."

    text = conversation_markdown(conversation(said("u1", "?"), answered("a1", answer, "u1")))

    assert f"## {MODEL}\n\n{answer}\n" in text


def test_an_answer_with_headings_of_its_own_is_quoted_so_that_they_are_told_from_speakers() -> None:
    text = conversation_markdown(conversation(said("u1", "?"), answered("a1", "# Hens\n\ntwo", "u1")))

    assert "> # Hens\n>\n> two\n" in text


def test_nothing_in_the_file_commands_a_terminal() -> None:
    evil = "\x1b]0;owned\x07\x9b31m\x00\x7f"
    exported = conversation(
        said("u1", evil), answered("a1", evil, "u1", reasoning=evil, model_id=evil), title=evil, tags=(evil,)
    )

    text = conversation_markdown(exported)

    assert all(character.isprintable() or character == "\n" for character in text)
    assert read_back(text, "c.md").tags == (evil,)


@pytest.mark.parametrize(
    "facts", ['{"role": {}}', '{"role": "system"}', '{"role": "user", "is": "loud"}', '{"role" "user"}']
)
def test_a_mark_of_ours_that_does_not_fit_is_named_by_its_line(facts: str) -> None:
    text = f"# x\n\n<!-- foundry-tui:turn {facts} -->\n## You\n\nhi\n"

    with pytest.raises(BadInput, match=r"^c\.md: line 3: expected"):
        read_back(text, "c.md")


def test_a_fence_that_was_cut_off_is_named_and_swallows_nothing() -> None:
    text = conversation_markdown(conversation(said("u1", "<b>\n```"), said("u2", "hi", "u1")))

    with pytest.raises(BadInput, match=r"^c\.md: line \d+: expected a line ```` that closes the text"):
        read_back(text.replace("\n````\n", "\n"), "c.md")


def test_a_newer_markdown_is_refused_with_the_remedy() -> None:
    text = conversation_markdown(branched()).replace("conversation-markdown@1", "conversation-markdown@2")

    with pytest.raises(BadInput) as caught:
        read_back(text, "c.md")

    assert caught.value.remedy == "a newer foundry-tui has written it: update this one"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        " " * 2_000_000,
        "- " * 1_000_000,
        "#" * 2_000_000,
        "# " + " " * 2_000_000,
        "**" * 1_000_000,
        "".join("`" * run + " " for run in range(1, 1_500)) + "<",
        "## User\n" * 50_000,
        "---\n" + "a: " + "[" * 100_000,
        '<!-- foundry-tui:turn {"role":"user","is":"fenced"} -->\n```\n' * 20_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_markdown_is_read_or_refused_in_good_time(text: str) -> None:
    for whole in (text, f"## User\n\n{text}"):
        try:
            back = read_back(whole, "c.md")
        except BadInput:
            continue
        assert back.turns


@pytest.mark.timeout(20)
def test_a_long_hostile_text_is_written_in_good_time() -> None:
    runs = "".join("`" * run + " " for run in range(1, 1_500)) + "<b"
    exported = conversation(said("u1", runs), said("u2", " " * 2_000_000 + "`", "u1"))

    back = read_back(conversation_markdown(exported), "c.md")

    assert [turn.text for turn in back.turns] == [turn.text for turn in exported.turns]
