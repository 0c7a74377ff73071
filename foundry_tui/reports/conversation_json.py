"""A kept conversation as JSON: all branches, all readings, equal again when it is read."""

import json
from typing import TypeAlias

from foundry_tui.domain.chat import ChatOptions, ChunkKind, Role
from foundry_tui.domain.conversations import Conversation, Turn, title_from
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.json_reading import JsonNode, parse_json
from foundry_tui.reports.json_text import carried
from foundry_tui.reports.trace_json import chunks_of, stamps_object, tool_text, trace_of, usage_object

__all__ = ["CONVERSATION_SCHEMA", "conversation_json", "parse_conversation_json"]

CONVERSATION_SCHEMA = "foundry-tui/conversation@1"

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
    root.field("schema").check_schema(
        CONVERSATION_SCHEMA, remedy="pick a file that `foundry-tui conversations export` has written"
    )
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
        id=root.field("id").identifier(),
        title=title if len(title.splitlines()) < 2 else title_from(title),
        created_unix_ms=root.field("created_unix_ms").unix_ms(),
        updated_unix_ms=root.field("updated_unix_ms").unix_ms(),
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
    return {
        "status": trace.outcome.value,
        "finish_reason": trace.finish_reason,
        "response_id": trace.response_id,
        "warnings": list(trace.warnings),
        "error": None if trace.error is None else carried(trace.error),
        **stamps_object(trace),
        "chunk_read": [chunk.read for chunk in trace.chunks],
        "chunk_tokens": [chunk.tokens for chunk in trace.chunks],
        "end_ns": trace.end_ns,
        "delay_p99_ns": trace.delay_p99_ns,
        "usage": usage_object(trace.usage),
        # Null where it is what the turn says anyway.
        "text": None if trace.text == turn.text else carried(trace.text),
        "reasoning": None if trace.reasoning == turn.reasoning else carried(trace.reasoning),
        "tool_text": carried(tool_text(trace)),
    }


def _turn(node: JsonNode, known: set[str]) -> Turn:
    turn_id = node.field("id").identifier()
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
        at_unix_ms=node.field("at_unix_ms").unix_ms(),
        reasoning=reasoning,
        model_id=node.field("model_id").text_or_none(),
        trace=None if answer.is_null else _trace(answer, text, reasoning),
    )


def _trace(node: JsonNode, text: str, reasoning: str) -> GenerationTrace:
    own_text, own_reasoning = node.field("text").text_or_none(), node.field("reasoning").text_or_none()
    chunks = chunks_of(
        node,
        {
            ChunkKind.CONTENT: text if own_text is None else own_text,
            ChunkKind.REASONING: reasoning if own_reasoning is None else own_reasoning,
            ChunkKind.TOOL: node.field("tool_text").text(),
        },
    )
    return trace_of(node, chunks)


def _options(node: JsonNode) -> ChatOptions:
    return ChatOptions(
        system_prompt=node.field("system_prompt").text_or_none(),
        max_tokens=node.field("max_tokens").whole(low=1),
        temperature=node.field("temperature").number_or_none(low=0, high=2),
        seed=node.field("seed").whole_or_none(low=None),
    )
