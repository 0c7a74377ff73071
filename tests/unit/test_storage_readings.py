"""Readings come back equal to what was kept, or not at all."""

import json
import random
from collections.abc import Callable

import pytest

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.storage.readings import packed, unpacked

ALPHABET = (
    "a",
    "b",
    " ",
    "\n",
    "\x00",
    "\ud83d",
    "\ude00",
    "\U0001f600",
    "今",
    "é",
    '"',
    "\\",
    "\u2028",
    "\x7f",
)


def random_trace(seed: int) -> GenerationTrace:
    rng = random.Random(seed)
    at_ns = rng.choice((0, 5, 2**62, rng.randrange(2**50)))

    def text(most: int) -> str:
        return "".join(rng.choices(ALPHABET, k=rng.randint(0, most)))

    def maybe(value: int | str) -> int | str | None:
        return value if rng.random() < 0.5 else None

    def number(most: int) -> int | None:
        return rng.choice((None, 0, rng.randrange(most)))

    kinds = rng.sample(tuple(ChunkKind), k=rng.randint(1, 3))
    counts_tokens = rng.random() < 0.5
    sent_ns = at_ns if rng.random() < 0.5 else None
    chunks: list[ChunkReceived] = []
    for _ in range(rng.choice((0, 1, 2, rng.randint(3, 60)))):
        at_ns += rng.choice((0, 1, rng.randrange(10**9)))
        chunks.append(
            ChunkReceived(
                at_ns=at_ns,
                text=text(6),
                kind=rng.choice(kinds),
                read=rng.randint(0, 2**40),
                tokens=number(99) if counts_tokens else None,
            )
        )
    return GenerationTrace(
        call_ns=number(2**63),
        sent_ns=sent_ns,
        headers_ns=number(2**62),
        role_ns=number(9),
        chunks=tuple(chunks),
        end_ns=rng.choice((None, at_ns, at_ns + 7)),
        usage=rng.choice(
            (
                None,
                TokenUsage(),
                TokenUsage(prompt_tokens=number(9), completion_tokens=number(9), reasoning_tokens=number(9)),
            )
        ),
        outcome=rng.choice(tuple(Outcome)),
        finish_reason=rng.choice((None, "", "stop", text(5))),
        response_id=rng.choice((None, "", text(9))),
        warnings=tuple(text(4) for _ in range(rng.randint(0, 3))),
        delay_p99_ns=number(10**9),
        error=rng.choice((None, "", text(30))),
    )


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
