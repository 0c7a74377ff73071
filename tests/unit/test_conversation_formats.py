"""Kept conversations as files: what comes back, what is told where it does not, and what stays readable."""

import json
import random
from dataclasses import replace
from datetime import UTC
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

from foundry_tui.domain.chat import (
    ChatOptions,
    ChunkKind,
    ChunkReceived,
    Outcome,
    PhaseTimeouts,
    Role,
    TokenUsage,
)
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.chat_log import read_chat_log
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
from foundry_tui.reports.conversation_json import conversation_json, parse_conversation_json
from foundry_tui.reports.conversation_markdown import conversation_markdown
from foundry_tui.reports.markdown_reading import parse_conversation_markdown, read_markdown
from tests.support.hostile import CORPUS

AT = 1_780_000_000_123
MODEL = "small-instruct-generic-cpu:1"
HALVES = "\ud83d" + "\ude00"
"""An emoji that arrived in two pieces, each of them half of a surrogate pair."""


def chunk(at_ns: int, text: str, kind: ChunkKind = ChunkKind.CONTENT, **more: int) -> ChunkReceived:
    return ChunkReceived(at_ns=at_ns, text=text, kind=kind, **more)


def trace(*chunks: ChunkReceived, error: str | None = None) -> GenerationTrace:
    return GenerationTrace(
        call_ns=1,
        sent_ns=2,
        headers_ns=3,
        role_ns=None,
        chunks=chunks,
        end_ns=9_000_000_000,
        usage=TokenUsage(prompt_tokens=12, completion_tokens=3),
        outcome=Outcome.COMPLETED,
        finish_reason="stop",
        response_id="chatcmpl-1",
        warnings=("no_done",),
        delay_p99_ns=40_000,
        error=error,
    )


def said(turn_id: str, text: str, parent_id: str | None = None) -> Turn:
    return Turn(id=turn_id, parent_id=parent_id, role=Role.USER, text=text, at_unix_ms=AT)


def answered(
    turn_id: str, text: str, parent_id: str, *, reasoning: str = "", model_id: str | None = MODEL
) -> Turn:
    return Turn(
        id=turn_id,
        parent_id=parent_id,
        role=Role.ASSISTANT,
        text=text,
        reasoning=reasoning,
        at_unix_ms=AT + 1,
        model_id=model_id,
    )


def conversation(*turns: Turn, title: str = "Two hens", **more: object) -> Conversation:
    fields: dict[str, object] = {
        "id": "c1",
        "title": title,
        "created_unix_ms": AT,
        "updated_unix_ms": AT + 2,
        "turns": turns,
        "head_id": turns[-1].id if turns else None,
        **more,
    }
    return Conversation(**fields)  # type: ignore[arg-type]  # the fields that a test names


def branched() -> Conversation:
    chunks = (
        chunk(10, "hm ", ChunkKind.REASONING, read=1),
        chunk(20, "Two", read=2, tokens=1),
        chunk(20, " hens", read=2, tokens=2),
        chunk(25, "{}", ChunkKind.TOOL, read=3),
        chunk(30, HALVES[0], read=4),
        chunk(40, HALVES[1], read=5),
    )
    first = replace(answered("a1", "Two hens" + HALVES, "u1", reasoning="hm "), trace=trace(*chunks))
    odd = replace(
        answered("a2", "kept \x1b[2J\r\n\x00", "u1"), trace=trace(chunk(5, "sent"), error="cut \ud800")
    )
    return conversation(
        said("u1", "How many hens?"),
        first,
        odd,
        said("u2", "Ünd \u2028 now?", "a1"),
        said("u3", "", "a2"),
        tags=("farm", "hens"),
        head_id="u2",
        options=ChatOptions(system_prompt="Count.\n", max_tokens=77, temperature=0.25, seed=-(2**63)),
    )


# --- JSON


def test_what_was_exported_as_json_comes_back_equal_with_every_branch_and_reading() -> None:
    exported = branched()

    assert parse_conversation_json(conversation_json(exported), "c.json") == exported


def test_json_is_ascii_so_that_it_harms_no_terminal_and_a_lone_surrogate_survives_as_an_escape() -> None:
    text = conversation_json(branched())

    assert text.isascii()
    assert not any(ord(character) < 32 and character != "\n" for character in text)
    assert '"error": "cut \\ud800"' in text


def test_json_names_the_readings_as_the_results_format_does() -> None:
    answer = json.loads(conversation_json(branched()))["turns"][1]["answer"]

    assert answer["chunk_ns"] == [10, 20, 20, 25, 30, 40]
    assert answer["chunk_kind"] == ["reasoning", "content", "content", "tool", "content", "content"]
    assert answer["chunk_chars"] == [3, 3, 5, 2, 1, 1]
    assert (answer["call_ns"], answer["sent_ns"], answer["headers_ns"]) == (1, 2, 3)
    assert (answer["role_ns"], answer["end_ns"]) == (None, 9_000_000_000)
    assert (answer["status"], answer["finish_reason"]) == ("completed", "stop")
    assert (answer["warnings"], answer["error"]) == (["no_done"], None)
    assert answer["usage"] == {"prompt_tokens": 12, "completion_tokens": 3, "reasoning_tokens": None}


def test_time_outs_stay_on_the_machine_they_were_set_for() -> None:
    exported = conversation(options=ChatOptions(timeouts=PhaseTimeouts(connect_s=1)))

    text = conversation_json(exported)

    assert "connect" not in text
    assert parse_conversation_json(text, "c.json").options == ChatOptions()


def test_fields_that_are_not_known_are_ignored() -> None:
    content = json.loads(conversation_json(branched()))
    content["mood"] = {"deep": [[[{}]]]}
    content["turns"][0]["mood"] = 1

    assert parse_conversation_json(json.dumps(content), "c.json") == branched()


def edited(path: str, value: object) -> str:
    """The export of ``branched`` with the value at a JSON pointer replaced; ``...`` takes it away."""
    content = json.loads(conversation_json(branched()))
    *keys, last = path.strip("/").split("/")
    inner = content
    for key in keys:
        inner = inner[int(key) if isinstance(inner, list) else key]
    place = int(last) if isinstance(inner, list) else last
    if value is ...:
        del inner[place]
    else:
        inner[place] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("/turns", ..., "this key, found nothing"),
        ("/turns", {}, "a list, found an object of 0"),
        ("/title", 7, "text in quotes, found 7"),
        ("/id", "", "an id of 1 to 200 printable characters"),
        ("/id", "a\x1bb", "an id of 1 to 200 printable characters"),
        ("/created_unix_ms", -1, "a whole number from 0 to 253402300799999, found -1"),
        ("/updated_unix_ms", 1.5, "a whole number from 0 to 253402300799999, found 1.5"),
        ("/updated_unix_ms", True, "a whole number from 0 to 253402300799999, found true"),
        ("/tags/1", None, "text in quotes, found null"),
        ("/options/temperature", 3, "a number from 0 to 2, or null, found 3"),
        ("/options/max_tokens", 0, "a whole number from 1 up, found 0"),
        ("/options/seed", 2**63, "a whole number of 64 bits"),
        ("/head_id", "u9", 'the id of a turn, or null, found "u9"'),
        ("/turns/0/role", "system", 'one of user, assistant, found "system"'),
        ("/turns/0/parent_id", "a1", "the id of a turn that stands before this one, or null"),
        ("/turns/1/id", "u1", "an id that no other turn has"),
        ("/turns/0/answer", {}, "null, for what the user said"),
        ("/turns/1/answer/status", "fine", "one of completed, truncated, "),
        ("/turns/1/answer/chunk_kind", ["content"], "6 entries, as many as chunk_ns has"),
        ("/turns/1/answer/chunk_kind/0", "thought", "one of content, reasoning, tool"),
        ("/turns/1/answer/chunk_chars", [3, 4, 5, 2, 1, 1], "lengths of content that add up to the 10 "),
        ("/turns/1/answer/chunk_chars", 9, "a list, found 9"),
        ("/turns/1/answer/chunk_ns/2", -1, "a whole number from 0 up"),
        ("/turns/1/answer/chunk_tokens/2", "x", "a whole number from 0 up"),
    ],
)
def test_a_fault_is_named_by_its_place_with_what_was_expected_there(
    path: str, value: object, expected: str
) -> None:
    with pytest.raises(BadInput) as caught:
        parse_conversation_json(edited(path, value), "c.json")

    assert str(caught.value).startswith(f"c.json: {path}")
    assert f"expected {expected}" in str(caught.value)


def test_clock_readings_that_go_back_are_refused_at_the_answer_they_are_of() -> None:
    with pytest.raises(
        BadInput, match=r"^c\.json: /turns/1/answer: expected clock readings that never go back"
    ):
        parse_conversation_json(edited("/turns/1/answer/chunk_ns/5", 1), "c.json")


def test_a_key_that_stands_twice_is_refused_and_not_one_of_both_taken() -> None:
    text = conversation_json(branched()).replace('"title":', '"title": "x", "title":')

    with pytest.raises(BadInput, match='the whole file: expected each key once, found "title" again'):
        parse_conversation_json(text, "c.json")


def test_what_a_newer_program_wrote_is_refused_with_the_remedy() -> None:
    with pytest.raises(BadInput) as caught:
        parse_conversation_json(edited("/schema", "foundry-tui/conversation@2"), "c.json")

    assert str(caught.value) == (
        'c.json: /schema: expected "foundry-tui/conversation@1", found "foundry-tui/conversation@2"'
    )
    assert caught.value.remedy == "a newer foundry-tui has written it: update this one"


def test_json_of_another_kind_is_refused_with_another_remedy() -> None:
    with pytest.raises(BadInput) as caught:
        parse_conversation_json(edited("/schema", "foundry-tui/results@1"), "c.json")

    assert caught.value.remedy == "pick a file that `foundry-tui conversations export` has written"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "nothing",
        "[" * 200_000,
        '{"a":' * 200_000,
        "9" * 10_000,
        '{"schema": NaN}',
        '{"schema": 1e999}',
        '{"schema": "foundry-tui/conversation@1", "turns": [[]]}',
        '{"schema": "foundry-tui/conversation@99999999999999999999999"}',
    ],
    ids=lambda text: text[:12],
)
def test_hostile_json_is_refused_and_does_no_harm(text: str) -> None:
    with pytest.raises(BadInput):
        parse_conversation_json(text, "c.json")


def test_the_error_of_a_hostile_file_is_short_and_on_one_line() -> None:
    text = edited("/turns/0/role", "\x1b]0;owned\x07" + "x" * 100_000)

    with pytest.raises(BadInput) as caught:
        parse_conversation_json(text, "a\nb.json")

    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


# --- Markdown

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

    back = parse_conversation_markdown(conversation_markdown(exported), "c.md")

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

        back = parse_conversation_markdown(conversation_markdown(exported), "c.md")

        assert [turn.text for turn in back.turns] == texts[:2]
        assert back.turns[1].reasoning == (texts[2] or "x")


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


def test_roles_models_title_tags_options_and_times_come_back_from_markdown() -> None:
    exported = replace(branched(), title='Two "hens" \x1b[2J: # yes')

    back = parse_conversation_markdown(conversation_markdown(exported), "c.md")

    assert (back.title, back.tags, back.options) == (exported.title, exported.tags, exported.options)
    assert (back.created_unix_ms, back.updated_unix_ms) == (AT, AT + 2)
    assert [(turn.role, turn.model_id, turn.at_unix_ms) for turn in back.path()] == [
        (turn.role, turn.model_id, turn.at_unix_ms) for turn in exported.path()
    ]


def test_a_conversation_from_markdown_is_a_new_one_and_is_read_from_its_end() -> None:
    text = conversation_markdown(branched())

    first, second = parse_conversation_markdown(text, "c.md"), parse_conversation_markdown(text, "c.md")

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
    assert parse_conversation_markdown(text, "c.md").turns[1].model_id == evil


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
    assert parse_conversation_markdown(text, "c.md").tags == (evil,)


@pytest.mark.parametrize(
    "facts", ['{"role": {}}', '{"role": "system"}', '{"role": "user", "is": "loud"}', '{"role" "user"}']
)
def test_a_mark_of_ours_that_does_not_fit_is_named_by_its_line(facts: str) -> None:
    text = f"# x\n\n<!-- foundry-tui:turn {facts} -->\n## You\n\nhi\n"

    with pytest.raises(BadInput, match=r"^c\.md: line 3: expected"):
        parse_conversation_markdown(text, "c.md")


def test_a_fence_that_was_cut_off_is_named_and_swallows_nothing() -> None:
    text = conversation_markdown(conversation(said("u1", "<b>\n```"), said("u2", "hi", "u1")))

    with pytest.raises(BadInput, match=r"^c\.md: line \d+: expected a line ```` that closes the text"):
        parse_conversation_markdown(text.replace("\n````\n", "\n"), "c.md")


def test_a_newer_markdown_is_refused_with_the_remedy() -> None:
    text = conversation_markdown(branched()).replace("conversation-markdown@1", "conversation-markdown@2")

    with pytest.raises(BadInput) as caught:
        parse_conversation_markdown(text, "c.md")

    assert caught.value.remedy == "a newer foundry-tui has written it: update this one"


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
    found = parse_conversation_markdown(text, "log.md")

    assert [(turn.role, turn.text) for turn in found.turns] == [
        (Role.USER, "How many?"),
        (Role.ASSISTANT, "Two.\n\n### Why\n\nI counted."),
    ]
    assert found.title == "How many?"


def test_the_title_the_system_prompt_and_the_model_of_a_plain_log_are_taken_over() -> None:
    text = "---\ntags: [a, b]\n---\n# Hens\n\n## System\nCount.\n\n## User\n?\n\n## Assistant (gpt-4o)\n2\n"

    found = parse_conversation_markdown(text, "log.md")

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
        parse_conversation_markdown("# Notes\n\nmilk, eggs\n", "notes.md")

    assert str(caught.value) == "notes.md: expected a conversation, found nobody who speaks"
    assert caught.value.remedy is not None
    assert "## User" in caught.value.remedy


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
            back = parse_conversation_markdown(whole, "c.md")
        except BadInput:
            continue
        assert back.turns


@pytest.mark.timeout(20)
def test_a_long_hostile_text_is_written_in_good_time() -> None:
    runs = "".join("`" * run + " " for run in range(1, 1_500)) + "<b"
    exported = conversation(said("u1", runs), said("u2", " " * 2_000_000 + "`", "u1"))

    back = parse_conversation_markdown(conversation_markdown(exported), "c.md")

    assert [turn.text for turn in back.turns] == [turn.text for turn in exported.turns]


# --- what both have in common


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
