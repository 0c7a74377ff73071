"""Readings come back equal to what was kept, or not at all."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

import pytest

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.storage.readings import packed, pressed, unpacked, unpressed
from tests.support.traces import random_trace


def trace_of(*pieces: tuple[ChunkKind, str]) -> GenerationTrace:
    return GenerationTrace(
        call_ns=1,
        sent_ns=2,
        headers_ns=3,
        role_ns=4,
        chunks=tuple(
            ChunkReceived(at_ns=10 + place, text=text, kind=kind, read=place)
            for place, (kind, text) in enumerate(pieces)
        ),
        end_ns=10_000,
        usage=None,
        outcome=Outcome.COMPLETED,
    )


ANSWER = trace_of(
    (ChunkKind.REASONING, "hm"),
    (ChunkKind.CONTENT, "hel"),
    (ChunkKind.TOOL, '{"a":'),
    (ChunkKind.CONTENT, "lo"),
)


@pytest.mark.parametrize("seed", range(150))
def test_any_trace_comes_back_equal(seed: int) -> None:
    trace = random_trace(seed)

    line = packed(trace, text=trace.text, reasoning=trace.reasoning)

    assert unpacked(line, text=trace.text, reasoning=trace.reasoning) == trace


@pytest.mark.parametrize("seed", range(150, 200))
def test_a_trace_of_another_text_than_the_answers_brings_its_own(seed: int) -> None:
    trace = random_trace(seed)

    line = packed(trace, text="edited", reasoning="\ud800 also")

    assert unpacked(line, text="edited", reasoning="\ud800 also") == trace


def test_texts_of_the_answer_are_not_kept_twice() -> None:
    trace = trace_of(*((ChunkKind.CONTENT, f"word{number} ") for number in range(500)))

    line = packed(trace, text=trace.text, reasoning="")

    assert "word" not in line
    assert len(line) < 500 * 8


def test_stamps_are_kept_as_differences() -> None:
    line = packed(ANSWER, text="hello", reasoning="hm")

    assert json.loads(line)["at"] == [10, 1, 1, 1]


@pytest.mark.parametrize(
    ("text", "reasoning"),
    [("hell", "hm"), ("hello!", "hm"), ("hello", "h"), ("hello", "hm?"), ("", ""), ("hello", "")],
)
def test_readings_that_do_not_fit_the_answer_are_none(text: str, reasoning: str) -> None:
    line = packed(ANSWER, text="hello", reasoning="hm")

    assert unpacked(line, text=text, reasoning=reasoning) is None


def changed(**values: object) -> Callable[[dict[str, object]], dict[str, object]]:
    return lambda kept: {**kept, **values}


@pytest.mark.parametrize(
    "damage",
    [
        changed(format=2),
        changed(at=[10, 1, 1]),
        changed(at=[10, 1, 1, 1, 1]),
        changed(at=[10, -1, 1, 1]),
        changed(at=[10, 1.5, 1, 1]),
        changed(at=[10, True, 1, 1]),
        changed(at=None),
        changed(at="1234"),
        changed(reads=[]),
        changed(kinds=[["content", 4]]),
        changed(kinds=[["song", 1]]),
        changed(kinds=[["content"]]),
        changed(kinds=7),
        changed(chars=[2, 3]),
        changed(chars=[2, 3, 2, 0]),
        changed(chars=[2, 6, -1]),
        changed(texts={}),
        changed(texts={"tool": []}),
        changed(texts=[]),
        changed(tokens=[1]),
        changed(usage=[1]),
        changed(usage=7),
        changed(outcome="perfect"),
        changed(sent=11),
        changed(end=5),
        lambda kept: {name: value for name, value in kept.items() if name != "outcome"},
        lambda kept: {},
        lambda kept: [kept],
        lambda kept: None,
    ],
)
def test_damaged_readings_are_none(damage: Callable[[dict[str, object]], object]) -> None:
    line = packed(ANSWER, text="hello", reasoning="hm")

    damaged = json.dumps(damage(json.loads(line)))

    assert unpacked(line, text="hello", reasoning="hm") == ANSWER
    assert unpacked(damaged, text="hello", reasoning="hm") is None


@pytest.mark.parametrize("line", ["", "{", "nonsense", "[" * 100_000, "\x00", '{"format":1}'])
def test_what_is_no_json_is_none(line: str) -> None:
    assert unpacked(line, text="", reasoning="") is None


@pytest.mark.parametrize("seed", range(200, 350))
def test_any_trace_comes_back_equal_from_fewer_bytes(seed: int) -> None:
    trace = random_trace(seed)

    data = pressed(trace, text=trace.text, reasoning=trace.reasoning)

    assert unpressed(data, text=trace.text, reasoning=trace.reasoning) == trace


@pytest.mark.parametrize("gap_ns", [0, 1, 255, 256, 2**24, 2**32 - 1, 2**62])
def test_gaps_of_every_width_come_back_from_fewer_bytes(gap_ns: int) -> None:
    chunks = (*ANSWER.chunks, ChunkReceived(at_ns=13 + gap_ns, text="!", read=9))
    trace = replace(ANSWER, chunks=chunks, end_ns=None)

    data = pressed(trace, text="hello!", reasoning="hm")

    assert unpressed(data, text="hello!", reasoning="hm") == trace


def test_a_gap_that_no_clock_shows_is_refused() -> None:
    chunks = (*ANSWER.chunks, ChunkReceived(at_ns=2**65, text="!", read=9))

    with pytest.raises(OverflowError):
        pressed(replace(ANSWER, chunks=chunks, end_ns=None), text="hello!", reasoning="hm")


def test_fewer_bytes_are_fewer() -> None:
    rng = random.Random(1)
    stamps = accumulate(rng.randrange(5_000_000, 9_000_000) for _ in range(120))
    trace = replace(
        ANSWER,
        chunks=tuple(ChunkReceived(at_ns=at_ns, text="word ", read=1) for at_ns in stamps),
        end_ns=None,
    )
    text = "word " * 120

    assert len(pressed(trace, text=text, reasoning="")) < 600
    assert len(packed(trace, text=text, reasoning="")) > 1200


@pytest.mark.parametrize(
    ("text", "reasoning"), [("hell", "hm"), ("hello!", "hm"), ("hello", "h"), ("hello", ""), ("", "")]
)
def test_bytes_that_do_not_fit_the_answer_are_none(text: str, reasoning: str) -> None:
    data = pressed(ANSWER, text="hello", reasoning="hm")

    assert unpressed(data, text=text, reasoning=reasoning) is None


def test_bytes_are_never_read_as_something_else() -> None:
    data = pressed(ANSWER, text="hello", reasoning="hm")
    changed_bytes = [
        data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]
        for place in range(len(data))
        for change in (0x01, 0x80, 0xFF)
    ]

    read = [unpressed(each, text="hello", reasoning="hm") for each in changed_bytes]

    # Of the compressed part a few bits mean nothing.
    assert set(read) == {None, ANSWER}
    assert read.count(ANSWER) < 8


def test_bytes_that_are_cut_or_have_some_behind_them_are_none() -> None:
    data = pressed(ANSWER, text="hello", reasoning="hm")
    wrong = (*(data[:end] for end in range(len(data))), data + b"x", b"x" + data, data + data)

    assert {unpressed(each, text="hello", reasoning="hm") for each in wrong} == {None}
