"""The readings of an answer as JSON, written and read: what a kept conversation and the results share."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.json_reading import JsonNode

__all__ = ["chunks_of", "stamps_object", "tool_text", "trace_of", "usage_object"]

_Object: TypeAlias = dict[str, object]


def stamps_object(trace: GenerationTrace) -> _Object:
    """``call_ns`` to ``chunk_chars``: the clock of a request and its chunks, with their kinds and lengths."""
    return {
        "call_ns": trace.call_ns,
        "sent_ns": trace.sent_ns,
        "headers_ns": trace.headers_ns,
        "role_ns": trace.role_ns,
        "chunk_ns": [chunk.at_ns for chunk in trace.chunks],
        "chunk_kind": [chunk.kind.value for chunk in trace.chunks],
        "chunk_chars": [len(chunk.text) for chunk in trace.chunks],
    }


def usage_object(usage: TokenUsage | None) -> _Object | None:
    """What the engine counted."""
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }


def tool_text(trace: GenerationTrace) -> str:
    """What came for tools, which is neither its text nor its reasoning."""
    return "".join(chunk.text for chunk in trace.chunks if chunk.kind is ChunkKind.TOOL)


def trace_of(node: JsonNode, chunks: tuple[ChunkReceived, ...]) -> GenerationTrace:
    """The readings in ``node``, whose chunks have been read.

    Raises:
        BadInput: Something of it is not what the formats have there.
    """
    try:
        return GenerationTrace(
            call_ns=node.field("call_ns").whole_or_none(),
            sent_ns=node.field("sent_ns").whole_or_none(),
            headers_ns=node.field("headers_ns").whole_or_none(),
            role_ns=node.field("role_ns").whole_or_none(),
            chunks=chunks,
            end_ns=node.field("end_ns").whole_or_none(),
            usage=_usage(node.field("usage")),
            outcome=node.field("status").choice(tuple(Outcome)),
            finish_reason=node.field("finish_reason").text_or_none(),
            response_id=node.field("response_id").text_or_none(),
            warnings=tuple(warning.text() for warning in node.field("warnings").items()),
            delay_p99_ns=node.field("delay_p99_ns").whole_or_none(),
            error=node.field("error").text_or_none(),
        )
    except ValueError as error:
        raise node.problem("clock readings that never go back") from error


def chunks_of(node: JsonNode, texts: Mapping[ChunkKind, str] | Sequence[str]) -> tuple[ChunkReceived, ...]:
    """The chunks in ``node``.

    Args:
        node: It has a list of each of their readings.
        texts: The whole of each kind, out of which those of its chunks are cut by length; or one for each.

    Raises:
        BadInput: The lists do not fit each other, or the lengths not the texts.
    """
    at_ns = node.field("chunk_ns").wholes()
    kinds = [kind.choice(tuple(ChunkKind)) for kind in node.field("chunk_kind").items()]
    lengths = (
        node.field("chunk_chars").wholes() if isinstance(texts, Mapping) else [len(text) for text in texts]
    )
    reads = node.field("chunk_read").wholes()
    tokens = node.field("chunk_tokens").wholes_or_none()
    node.check_as_many(
        "chunk_ns",
        {"chunk_kind": kinds, "chunk_chars": lengths, "chunk_read": reads, "chunk_tokens": tokens},
    )
    each = _cut(node, texts, kinds, lengths) if isinstance(texts, Mapping) else texts
    return tuple(
        ChunkReceived(at_ns=stamp, text=text, kind=kind, read=read, tokens=count)
        for stamp, text, kind, read, count in zip(at_ns, each, kinds, reads, tokens, strict=True)
    )


def _cut(
    node: JsonNode, wholes: Mapping[ChunkKind, str], kinds: Sequence[ChunkKind], lengths: Sequence[int]
) -> list[str]:
    place = dict.fromkeys(ChunkKind, 0)
    texts: list[str] = []
    for kind, length in zip(kinds, lengths, strict=True):
        texts.append(wholes[kind][place[kind] : place[kind] + length])
        place[kind] += length
    for kind, end in place.items():
        if end != len(wholes[kind]):
            raise node.field("chunk_chars").problem(
                f"lengths of {kind.value} that add up to the {len(wholes[kind])} characters of its text",
                f"{end}",
            )
    return texts


def _usage(node: JsonNode) -> TokenUsage | None:
    if node.is_null:
        return None
    return TokenUsage(
        prompt_tokens=node.field("prompt_tokens").whole_or_none(),
        completion_tokens=node.field("completion_tokens").whole_or_none(),
        reasoning_tokens=node.field("reasoning_tokens").whole_or_none(),
    )
