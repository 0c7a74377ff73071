"""A kept conversation as JSON: all branches, all readings, equal again when it is read."""

import json
from typing import TypeAlias

from foundry_tui.domain.chat import ChatOptions, ChunkKind, ChunkReceived, Outcome, Role, TokenUsage
from foundry_tui.domain.conversations import Conversation, Turn, title_from
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.json_reading import JsonNode, parse_json
from foundry_tui.reports.json_text import carried

__all__ = ["CONVERSATION_SCHEMA", "conversation_json", "parse_conversation_json"]

CONVERSATION_SCHEMA = "foundry-tui/conversation@1"

_KIND, _, _VERSION = CONVERSATION_SCHEMA.partition("@")
# The last millisecond of the year 9999: no calendar goes further.
_LAST_UNIX_MS = 253_402_300_799_999
_ID_CHARACTERS = 200

_Object: TypeAlias = dict[str, object]


def conversation_json(conversation: Conversation) -> str:
    """``conversation`` without its time-outs, which belong to the machine; ASCII, one line for each turn.

    A text in which the two halves of a surrogate pair came apart is a list of its parts: in one string JSON
    would join them to another character, and the readings would count one too many.
    """
    head: _Object = {
        "schema": CONVERSATION_SCHEMA,
        "id": conversation.id,
        "title": carried(conversation.title),
        "tags": list(conversation.tags),
        "created_unix_ms": conversation.created_unix_ms,
        "updated_unix_ms": conversation.updated_unix_ms,
        "options": _options_object(conversation.options),
        "head_id": conversation.head_id,
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    turns = ",\n".join(f"    {json.dumps(_turn_object(turn))}" for turn in conversation.turns)
    lines.append(f'  "turns": [\n{turns}\n  ]' if turns else '  "turns": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def parse_conversation_json(text: str, name: str) -> Conversation:
    """The conversation that ``text`` is, under the ids it has there; its time-outs are the usual ones.

    Args:
        text: What ``conversation_json`` gave, maybe with fields of a later version, which are ignored.
        name: Of the file, for the error.

    Raises:
        BadInput: It is no such JSON; the message has the place and what was expected there.
    """
    root = parse_json(text, name)
    _check_schema(root.field("schema"))
    turns: list[Turn] = []
    known: set[str] = set()
    for node in root.field("turns").items():
        turn = _turn(node, known)
        turns.append(turn)
        known.add(turn.id)
    head = root.field("head_id")
    head_id = head.text_or_none()
    if head_id is not None and head_id not in known:
        raise head.problem("the id of a turn, or null")
    title = root.field("title").text()
    return Conversation(
        id=_id(root.field("id")),
        title=title if len(title.splitlines()) < 2 else title_from(title),
        created_unix_ms=_unix_ms(root.field("created_unix_ms")),
        updated_unix_ms=_unix_ms(root.field("updated_unix_ms")),
        options=_options(root.field("options")),
        tags=tuple(dict.fromkeys(node.text() for node in root.field("tags").items())),
        turns=tuple(turns),
        head_id=head_id,
    )


def _options_object(options: ChatOptions) -> _Object:
    return {
        "system_prompt": None if options.system_prompt is None else carried(options.system_prompt),
        "max_tokens": options.max_tokens,
        "temperature": options.temperature,
        "seed": options.seed,
    }


def _turn_object(turn: Turn) -> _Object:
    return {
        "id": turn.id,
        "parent_id": turn.parent_id,
        "role": turn.role.value,
        "at_unix_ms": turn.at_unix_ms,
        "model_id": turn.model_id,
        "text": carried(turn.text),
        "reasoning": carried(turn.reasoning),
        "answer": None if turn.trace is None else _answer_object(turn, turn.trace),
    }


def _answer_object(turn: Turn, trace: GenerationTrace) -> _Object:
    """The readings, in the names of the results format; texts of chunks are cut from the turn's by length."""
    usage = trace.usage
    return {
        "status": trace.outcome.value,
        "finish_reason": trace.finish_reason,
        "response_id": trace.response_id,
        "warnings": list(trace.warnings),
        "error": None if trace.error is None else carried(trace.error),
        "call_ns": trace.call_ns,
        "sent_ns": trace.sent_ns,
        "headers_ns": trace.headers_ns,
        "role_ns": trace.role_ns,
        "chunk_ns": [chunk.at_ns for chunk in trace.chunks],
        "chunk_kind": [chunk.kind.value for chunk in trace.chunks],
        "chunk_chars": [len(chunk.text) for chunk in trace.chunks],
        "chunk_read": [chunk.read for chunk in trace.chunks],
        "chunk_tokens": [chunk.tokens for chunk in trace.chunks],
        "end_ns": trace.end_ns,
        "delay_p99_ns": trace.delay_p99_ns,
        "usage": None
        if usage is None
        else {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
        },
        # Null where it is what the turn says anyway.
        "text": None if trace.text == turn.text else carried(trace.text),
        "reasoning": None if trace.reasoning == turn.reasoning else carried(trace.reasoning),
        "tool_text": carried("".join(chunk.text for chunk in trace.chunks if chunk.kind is ChunkKind.TOOL)),
    }


def _check_schema(node: JsonNode) -> None:
    found = node.text()
    if found == CONVERSATION_SCHEMA:
        return
    kind, _, version = found.partition("@")
    if kind != _KIND:
        raise node.problem(
            f'"{CONVERSATION_SCHEMA}"',
            remedy="pick a file that `foundry-tui conversations export` has written",
        )
    if version.isdecimal() and int(version[:9]) > int(_VERSION):
        raise node.problem(
            f'"{CONVERSATION_SCHEMA}"', remedy="a newer foundry-tui has written it: update this one"
        )
    raise node.problem(f'"{CONVERSATION_SCHEMA}"')


def _turn(node: JsonNode, known: set[str]) -> Turn:
    turn_id = _id(node.field("id"))
    if turn_id in known:
        raise node.field("id").problem("an id that no other turn has")
    parent = node.field("parent_id")
    parent_id = parent.text_or_none()
    if parent_id is not None and parent_id not in known:
        raise parent.problem("the id of a turn that stands before this one, or null")
    role = node.field("role").choice((Role.USER, Role.ASSISTANT))
    text, reasoning = node.field("text").text(), node.field("reasoning").text()
    answer = node.field("answer")
    if role is Role.USER and not answer.is_null:
        raise answer.problem("null, for what the user said")
    return Turn(
        id=turn_id,
        parent_id=parent_id,
        role=role,
        text=text,
        at_unix_ms=_unix_ms(node.field("at_unix_ms")),
        reasoning=reasoning,
        model_id=node.field("model_id").text_or_none(),
        trace=None if answer.is_null else _trace(answer, text, reasoning),
    )


def _trace(node: JsonNode, text: str, reasoning: str) -> GenerationTrace:
    own_text, own_reasoning = node.field("text").text_or_none(), node.field("reasoning").text_or_none()
    chunks = _chunks(
        node,
        {
            ChunkKind.CONTENT: text if own_text is None else own_text,
            ChunkKind.REASONING: reasoning if own_reasoning is None else own_reasoning,
            ChunkKind.TOOL: node.field("tool_text").text(),
        },
    )
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


def _chunks(node: JsonNode, texts: dict[ChunkKind, str]) -> tuple[ChunkReceived, ...]:
    at_ns = node.field("chunk_ns").wholes()
    kinds = [kind.choice(tuple(ChunkKind)) for kind in node.field("chunk_kind").items()]
    lengths = node.field("chunk_chars").wholes()
    reads = node.field("chunk_read").wholes()
    tokens = node.field("chunk_tokens").wholes_or_none()
    for key, found in (
        ("chunk_kind", kinds),
        ("chunk_chars", lengths),
        ("chunk_read", reads),
        ("chunk_tokens", tokens),
    ):
        if len(found) != len(at_ns):
            raise node.field(key).problem(f"{len(at_ns)} entries, as many as chunk_ns has")
    position = dict.fromkeys(ChunkKind, 0)
    chunks: list[ChunkReceived] = []
    for stamp, kind, length, read, count in zip(at_ns, kinds, lengths, reads, tokens, strict=True):
        start = position[kind]
        position[kind] = start + length
        chunks.append(
            ChunkReceived(
                at_ns=stamp, text=texts[kind][start : start + length], kind=kind, read=read, tokens=count
            )
        )
    for kind, end in position.items():
        if end != len(texts[kind]):
            raise node.field("chunk_chars").problem(
                f"lengths of {kind.value} that add up to the {len(texts[kind])} characters of its text",
                f"{end}",
            )
    return tuple(chunks)


def _usage(node: JsonNode) -> TokenUsage | None:
    if node.is_null:
        return None
    return TokenUsage(
        prompt_tokens=node.field("prompt_tokens").whole_or_none(),
        completion_tokens=node.field("completion_tokens").whole_or_none(),
        reasoning_tokens=node.field("reasoning_tokens").whole_or_none(),
    )


def _options(node: JsonNode) -> ChatOptions:
    return ChatOptions(
        system_prompt=node.field("system_prompt").text_or_none(),
        max_tokens=node.field("max_tokens").whole(low=1),
        temperature=node.field("temperature").number_or_none(low=0, high=2),
        seed=node.field("seed").whole_or_none(low=None),
    )


def _id(node: JsonNode) -> str:
    found = node.text()
    if not found.isprintable() or not 0 < len(found.strip()) == len(found) <= _ID_CHARACTERS:
        raise node.problem(f"an id of 1 to {_ID_CHARACTERS} printable characters")
    return found


def _unix_ms(node: JsonNode) -> int:
    return node.whole(low=0, high=_LAST_UNIX_MS)
