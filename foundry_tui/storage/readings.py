"""Readings of an answer as compact JSON, and back to an equal trace.

Stamps are kept as differences.  The texts of the chunks are not kept a second time: they are cut out of the
answer by their lengths.  Nothing is rounded or left out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, groupby, pairwise

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace

__all__ = ["packed", "unpacked"]

_FORMAT = 1


def packed(trace: GenerationTrace, *, text: str, reasoning: str) -> str:
    """``trace`` in one line.

    Args:
        trace: Of an answer that has ended, however.
        text: What is kept of the answer; chunks whose texts do not make it up bring theirs along.
        reasoning: The same for what was thought aloud.
    """
    chunks = trace.chunks
    own = {
        kind: [chunk.text for chunk in chunks if chunk.kind is kind]
        for kind in ChunkKind
        if any(chunk.kind is kind for chunk in chunks)
    }
    for kind, kept in ((ChunkKind.CONTENT, text), (ChunkKind.REASONING, reasoning)):
        if kind in own and "".join(own[kind]) == kept:
            del own[kind]
    usage = trace.usage
    line: dict[str, object] = {
        "format": _FORMAT,
        "call": trace.call_ns,
        "sent": trace.sent_ns,
        "headers": trace.headers_ns,
        "role": trace.role_ns,
        "end": trace.end_ns,
        "at": _differences([chunk.at_ns for chunk in chunks]),
        "kinds": [[kind.value, len(list(run))] for kind, run in groupby(chunk.kind for chunk in chunks)],
        "chars": [len(chunk.text) for chunk in chunks if chunk.kind not in own],
        "reads": _differences([chunk.read for chunk in chunks]),
        "tokens": [chunk.tokens for chunk in chunks] if any(c.tokens is not None for c in chunks) else None,
        "texts": {kind.value: texts for kind, texts in own.items()} or None,
        "usage": usage and [usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens],
        "outcome": trace.outcome.value,
        "finish": trace.finish_reason,
        "response": trace.response_id,
        "warnings": list(trace.warnings) or None,
        "delay": trace.delay_p99_ns,
        "error": trace.error,
    }
    known = {name: value for name, value in line.items() if value is not None}
    # Not as ASCII: the halves of a surrogate pair that came apart would be joined when they are read.
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def unpacked(line: str, *, text: str, reasoning: str) -> GenerationTrace | None:
    """The trace; None where ``line`` is damaged, or is not of this answer: readings are right or absent."""
    try:
        kept = json.loads(line)
        if kept["format"] != _FORMAT:
            return None
        kinds = [ChunkKind(kind) for kind, count in kept["kinds"] for _ in range(count)]
        stamps = list(accumulate(_whole(kept["at"])))
        reads = list(accumulate(_whole(kept["reads"])))
        tokens = kept.get("tokens") or [None] * len(kinds)
        texts = _texts(
            kinds,
            iter(_whole(kept["chars"])),
            {ChunkKind(kind): iter(own) for kind, own in kept.get("texts", {}).items()},
            {ChunkKind.CONTENT: text, ChunkKind.REASONING: reasoning},
        )
        usage = kept.get("usage")
        return GenerationTrace(
            call_ns=kept.get("call"),
            sent_ns=kept.get("sent"),
            headers_ns=kept.get("headers"),
            role_ns=kept.get("role"),
            chunks=tuple(
                ChunkReceived(at_ns=at_ns, text=piece, kind=kind, read=read, tokens=count)
                for at_ns, piece, kind, read, count in zip(stamps, texts, kinds, reads, tokens, strict=True)
            ),
            end_ns=kept.get("end"),
            usage=None if usage is None else _usage(*usage),
            outcome=Outcome(kept["outcome"]),
            finish_reason=kept.get("finish"),
            response_id=kept.get("response"),
            warnings=tuple(kept.get("warnings", ())),
            delay_p99_ns=kept.get("delay"),
            error=kept.get("error"),
        )
    except (ValueError, LookupError, TypeError, AttributeError, StopIteration, RecursionError):
        return None


def _texts(
    kinds: Sequence[ChunkKind],
    lengths: Iterator[int],
    own: Mapping[ChunkKind, Iterator[str]],
    answer: Mapping[ChunkKind, str],
) -> list[str]:
    """The text of each chunk, its own or cut out of the answer."""
    texts: list[str] = []
    places = {kind: 0 for kind in kinds if kind not in own}
    for kind in kinds:
        if kind in own:
            texts.append(next(own[kind]))
            continue
        start, places[kind] = places[kind], places[kind] + next(lengths)
        if places[kind] < start:
            raise ValueError("a chunk of less than nothing")
        texts.append(answer[kind][start : places[kind]])
    if next(lengths, None) is not None or any(end != len(answer[kind]) for kind, end in places.items()):
        raise ValueError("the answer is longer or shorter than its chunks")
    return texts


def _usage(prompt: int | None, completion: int | None, reasoning: int | None) -> TokenUsage:
    return TokenUsage(prompt_tokens=prompt, completion_tokens=completion, reasoning_tokens=reasoning)


def _differences(numbers: Sequence[int]) -> list[int]:
    """The first one, then how much each is more than the one before."""
    return [*numbers[:1], *(later - earlier for earlier, later in pairwise(numbers))]


def _whole(numbers: Sequence[object]) -> list[int]:
    """The same, if they are whole numbers."""
    checked = [number for number in numbers if type(number) is int]
    if len(checked) != len(numbers):
        raise TypeError("no whole number")
    return checked
