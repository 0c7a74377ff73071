from typing import Any

import pytest

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, ClockRead, Moment, TokenUsage
from foundry_tui.engines.streaming.chunks import AnswerSoFar


def texts(delta: object) -> list[tuple[ChunkKind, str]]:
    events = AnswerSoFar().take({"choices": [{"delta": delta}]}, at_ns=5, read=2)
    return [(event.kind, event.text) for event in events if isinstance(event, ChunkReceived)]


def test_the_first_choice_is_the_role_moment_and_is_told_once() -> None:
    answer = AnswerSoFar()

    first = answer.take({"choices": [{"delta": {"role": "assistant", "content": ""}}]}, at_ns=5, read=1)
    second = answer.take({"choices": [{"delta": {"content": "hi"}}]}, at_ns=9, read=2)

    assert first == [ClockRead(moment=Moment.ROLE, at_ns=5)]
    assert second == [ChunkReceived(at_ns=9, text="hi", read=2)]
    assert answer.last_ns == 9


def test_reasoning_comes_before_the_text_and_tools_after_it() -> None:
    delta = {
        "content": "b",
        "reasoning_content": "a",
        "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}],
    }

    assert texts(delta) == [
        (ChunkKind.REASONING, "a"),
        (ChunkKind.CONTENT, "b"),
        (ChunkKind.TOOL, "f"),
        (ChunkKind.TOOL, "{}"),
    ]
    assert texts({"reasoning": "a"}) == [(ChunkKind.REASONING, "a")]


def test_the_first_id_and_the_last_reason_to_finish_are_kept() -> None:
    answer = AnswerSoFar()
    chunks: list[dict[str, Any]] = [
        {"id": ""},
        {"id": "one", "choices": [{"delta": {}, "finish_reason": None}]},
        {"id": "two", "choices": [{"delta": {}, "finish_reason": "length"}]},
        {"id": "", "choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [{"delta": {}, "finish_reason": None}]},
    ]

    for chunk in chunks:
        answer.take(chunk, at_ns=5, read=1)

    assert (answer.response_id, answer.finish_reason) == ("one", "stop")


def test_usage_that_comes_with_a_chunk_counts_it() -> None:
    answer = AnswerSoFar()

    events = answer.take(
        {"choices": [{"delta": {"content": "hi"}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
        at_ns=5,
        read=1,
    )

    assert events[-1] == ChunkReceived(at_ns=5, text="hi", read=1, tokens=2)
    assert answer.usage == TokenUsage(prompt_tokens=3, completion_tokens=2)


def test_content_in_parts_is_the_text_of_its_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, "x", {"type": "text", "text": "b"}]

    assert texts({"content": parts}) == [(ChunkKind.CONTENT, "ab")]
    assert texts({"content": [{"type": "text", "text": ""}]}) == []


def test_of_several_choices_the_first_that_came_is_read() -> None:
    answer = AnswerSoFar()

    both = {"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "b"}}]}
    other = {"choices": [{"index": 1, "delta": {"content": "c"}, "finish_reason": "length"}]}
    unnumbered = {"choices": [{"delta": {"content": "d"}}]}
    events = [event for chunk in (both, other, unnumbered) for event in answer.take(chunk, at_ns=5, read=1)]

    assert [event.text for event in events if isinstance(event, ChunkReceived)] == ["a", "d"]
    assert answer.finish_reason is None


@pytest.mark.parametrize("later", [{}, {"prompt_tokens": None}, {"completion_tokens": -1}])
def test_a_later_usage_without_counts_takes_none_back(later: dict[str, Any]) -> None:
    answer = AnswerSoFar()

    answer.take({"usage": {"prompt_tokens": 3, "completion_tokens": 2}}, at_ns=5, read=1)
    answer.take({"usage": later}, at_ns=6, read=2)

    assert answer.usage == TokenUsage(prompt_tokens=3, completion_tokens=2)


@pytest.mark.parametrize("count", [-1, 2**53, 10**30, "7", 7.0, True, None, [7]])
def test_what_cannot_be_a_count_is_none(count: object) -> None:
    answer = AnswerSoFar()

    answer.take({"usage": {"prompt_tokens": count, "completion_tokens": 2}}, at_ns=5, read=1)

    assert answer.usage == TokenUsage(prompt_tokens=None, completion_tokens=2)


@pytest.mark.parametrize(
    "chunk",
    [
        {},
        {"choices": None},
        {"choices": "text"},
        {"choices": [None, 3, "x", []]},
        {"choices": {}, "usage": []},
        {"id": 7, "usage": {"prompt_tokens": -1, "completion_tokens": True}},
        {"choices": [{"delta": {"content": 7, "tool_calls": [None, {"function": 3}]}}]},
        {"choices": [{"delta": None, "finish_reason": 3}]},
    ],
)
def test_what_has_another_type_is_passed_over(chunk: dict[str, Any]) -> None:
    answer = AnswerSoFar()

    events = answer.take(chunk, at_ns=5, read=1)

    assert [event for event in events if isinstance(event, ChunkReceived)] == []
    assert answer.finish_reason is None
    assert answer.response_id is None
