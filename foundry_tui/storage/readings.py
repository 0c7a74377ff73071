"""Readings of an answer, compact, and back to an equal trace: as a line of JSON, or in fewer bytes.

Stamps are kept as differences.  The texts of the chunks are not kept a second time: they are cut out of the
answer by their lengths.  Nothing is rounded or left out.
"""

import json
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import accumulate, chain, groupby, islice, pairwise, repeat

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace

__all__ = ["packed", "pressed", "unpacked", "unpressed"]

_FORMAT = 1
_WHOLE = 8
"""Bytes of a difference while it is packed: no clock counts further."""
_CHECK = struct.Struct("<BI")
_DAMAGE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
    zlib.error,
)
_SETTERS = {field.name: getattr(ChunkReceived, field.name).__set__ for field in fields(ChunkReceived)}


def packed(trace: GenerationTrace, *, text: str, reasoning: str) -> str:
    """``trace`` in one line.

    Args:
        trace: Of an answer that has ended, however.
        text: What is kept of the answer; chunks whose texts do not make it up bring theirs along.
        reasoning: The same for what was thought aloud.
    """
    return _line(_taken_apart(trace, text, reasoning))


def pressed(trace: GenerationTrace, *, text: str, reasoning: str) -> bytes:
    """The same in two fifths of the room: for readings by the thousand.

    Behind the compressed rest stand the differences of the stamps: how many bytes each has, a checksum, the
    lowest byte of each, the next one of each, and so on.  Nothing compresses these: clocks end in noise.

    Raises:
        OverflowError: Two stamps are centuries apart.
    """
    parts = _taken_apart(trace, text, reasoning)
    stamps = _differences([chunk.at_ns for chunk in trace.chunks])
    line = _line({**parts, "at": stamps[:1]})
    gaps = stamps[1:]
    width = max(1, (max(gaps, default=0).bit_length() + 7) // 8)
    if width > _WHOLE:
        raise OverflowError("a stamp that no clock shows")
    whole = struct.pack(f"<{len(gaps)}Q", *gaps)
    planes = b"".join(whole[place::_WHOLE] for place in range(width))
    check = _CHECK.pack(width, zlib.crc32(planes))
    return zlib.compress(line.encode(errors="surrogatepass")) + check + planes


def unpacked(line: str, *, text: str, reasoning: str) -> GenerationTrace | None:
    """The trace; None where ``line`` is damaged, or is not of this answer: readings are right or absent."""
    try:
        return _put_together(line, (), text, reasoning)
    except _DAMAGE:
        return None


def unpressed(data: bytes, *, text: str, reasoning: str) -> GenerationTrace | None:
    """What ``unpacked`` gives, of what ``pressed`` made."""
    try:
        inflating = zlib.decompressobj()
        line = inflating.decompress(data).decode(errors="surrogatepass")
        width, checksum = _CHECK.unpack_from(inflating.unused_data)
        planes = inflating.unused_data[_CHECK.size :]
        count, rest = divmod(len(planes), width)
        if rest or zlib.crc32(planes) != checksum:
            return None
        whole = bytearray(_WHOLE * count)
        for place in range(width):
            whole[place::_WHOLE] = planes[place * count : (place + 1) * count]
        return _put_together(line, struct.unpack(f"<{count}Q", whole), text, reasoning)
    except _DAMAGE:
        return None


def _taken_apart(trace: GenerationTrace, text: str, reasoning: str) -> dict[str, object]:
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
    parts: dict[str, object] = {
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
    return {name: value for name, value in parts.items() if value is not None}


def _line(parts: Mapping[str, object]) -> str:
    # Not as ASCII: the halves of a surrogate pair that came apart would be joined when they are read.
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def _put_together(line: str, gaps: Sequence[int], text: str, reasoning: str) -> GenerationTrace:
    """The trace of a line that has its stamps, but for those that are ``gaps`` apart and follow.

    Raises one of ``_DAMAGE`` where something does not fit.
    """
    kept = json.loads(line)
    if kept["format"] != _FORMAT:
        raise ValueError("another format")
    stamps = list(accumulate(_whole([*kept["at"], *gaps])))
    runs = [(ChunkKind(kind), count) for kind, count in kept["kinds"]]
    if sum(_whole([count for _, count in runs])) != len(stamps):
        raise ValueError("more or fewer kinds than stamps")
    lengths = _whole(kept["chars"])
    if min(lengths, default=0) < 0:
        raise ValueError("a chunk of less than nothing")
    texts = _texts(
        runs,
        iter(lengths),
        {ChunkKind(kind): iter(own) for kind, own in kept.get("texts", {}).items()},
        {ChunkKind.CONTENT: text, ChunkKind.REASONING: reasoning},
    )
    usage = kept.get("usage")
    return GenerationTrace(
        call_ns=kept.get("call"),
        sent_ns=kept.get("sent"),
        headers_ns=kept.get("headers"),
        role_ns=kept.get("role"),
        chunks=_chunks(
            at_ns=stamps,
            text=texts,
            kind=list(chain.from_iterable(repeat(kind, count) for kind, count in runs)),
            read=list(accumulate(_whole(kept["reads"]))),
            tokens=kept.get("tokens") or [None] * len(stamps),
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


def _texts(
    runs: Sequence[tuple[ChunkKind, int]],
    lengths: Iterator[int],
    own: Mapping[ChunkKind, Iterator[str]],
    answer: Mapping[ChunkKind, str],
) -> list[str]:
    """The text of each chunk, its own or cut out of the answer."""
    texts: list[str] = []
    places = {kind: 0 for kind, _ in runs if kind not in own}
    for kind, count in runs:
        if kind in own:
            texts.extend(islice(own[kind], count))
            continue
        ends = list(accumulate(islice(lengths, count), initial=places[kind]))
        places[kind] = ends[-1]
        whole = answer[kind]
        texts.extend([whole[start:end] for start, end in pairwise(ends)])
    if next(lengths, None) is not None or any(end != len(answer[kind]) for kind, end in places.items()):
        raise ValueError("the answer is longer or shorter than its chunks")
    return texts


def _chunks(**columns: Sequence[object]) -> tuple[ChunkReceived, ...]:
    """What ``ChunkReceived(...)`` makes of each row, in a third of the time: a run can have 240,000.

    A frozen class sets each field by a call of its own; here one call sets it in all of them.
    """
    chunks = list(map(object.__new__, repeat(ChunkReceived, len(columns["at_ns"]))))
    for name, set_in in _SETTERS.items():
        column = columns[name]
        if len(column) != len(chunks):
            raise ValueError("more or fewer of one thing than of another")
        deque(map(set_in, chunks, column), maxlen=0)
    return tuple(chunks)


def _usage(prompt: int | None, completion: int | None, reasoning: int | None) -> TokenUsage:
    return TokenUsage(prompt_tokens=prompt, completion_tokens=completion, reasoning_tokens=reasoning)


def _differences(numbers: Sequence[int]) -> list[int]:
    """The first one, then how much each is more than the one before."""
    return [*numbers[:1], *(later - earlier for earlier, later in pairwise(numbers))]


def _whole(numbers: Sequence[int]) -> Sequence[int]:
    """The same, if they are whole numbers."""
    if not set(map(type, numbers)) <= {int}:
        raise TypeError("no whole number")
    return numbers
