"""A conversation as JSON: exact, harmless, and refused by the place of its fault."""

import json

import pytest

from foundry_tui.domain.chat import ChatOptions, PhaseTimeouts
from foundry_tui.domain.errors import BadInput
from foundry_tui.reports.conversation_json import conversation_json, parse_conversation_json
from tests.support.conversations import branched, conversation


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
