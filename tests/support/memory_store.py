"""Conversations, saved prompts and inputs in memory: the three ports without a database."""

from dataclasses import replace

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.conversations import Conversation, ConversationSummary, SavedPrompt, Turn
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.storage.names import folded, normal_tags, one_line
from foundry_tui.storage.snippets import beginning, words_around
from foundry_tui.storage.words import Query, index_text

__all__ = ["MemoryStore"]


class MemoryStore:
    """Implements ``ConversationStore``, ``PromptLibrary`` and ``InputHistory``.

    Attributes:
        fail_with: Raised by every call; for tests of what happens when the disk is full.
        kept: The conversations by id, in the order in which they were created.
    """

    def __init__(self) -> None:
        self.fail_with: StorageProblem | None = None
        self.kept: dict[str, Conversation] = {}
        self._prompts: dict[str, SavedPrompt] = {}
        self._inputs: list[str] = []

    async def create(self, conversation: Conversation) -> None:
        self._check()
        if conversation.id in self.kept:
            raise BadInput("this conversation is kept here already")
        if any(self._place(turn.id) is not None for turn in conversation.turns):
            raise BadInput("this turn is kept here already")
        self.kept[conversation.id] = replace(
            conversation, title=one_line(conversation.title), tags=normal_tags(conversation.tags)
        )

    async def add_turn(self, conversation_id: str, turn: Turn) -> None:
        found = self._existing(conversation_id)
        if self._place(turn.id) is not None:
            raise BadInput("this turn is kept here already")
        if turn.parent_id is not None and found.turn(turn.parent_id) is None:
            raise BadInput("this turn is not kept here any more")
        self.kept[found.id] = replace(
            found,
            turns=(*found.turns, turn),
            head_id=turn.id,
            updated_unix_ms=max(found.updated_unix_ms, turn.at_unix_ms),
        )

    async def extend_turn(self, turn_id: str, *, text: str, reasoning: str) -> None:
        found, turn = self._existing_turn(turn_id)
        if turn.trace is not None:
            raise BadInput("this answer is finished already")
        longer = replace(turn, text=turn.text + text, reasoning=turn.reasoning + reasoning)
        self.kept[found.id] = found.with_turn(longer)

    async def finish_turn(self, turn: Turn) -> None:
        found, before = self._existing_turn(turn.id)
        done = replace(turn, parent_id=before.parent_id, role=before.role)
        self.kept[found.id] = found.with_turn(done)

    async def set_head(self, conversation_id: str, turn_id: str | None) -> None:
        found = self._existing(conversation_id)
        if turn_id is not None and found.turn(turn_id) is None:
            raise BadInput("this turn is not kept here any more")
        self.kept[found.id] = replace(found, head_id=turn_id)

    async def set_options(self, conversation_id: str, options: ChatOptions) -> None:
        found = self._existing(conversation_id)
        self.kept[found.id] = replace(found, options=options)

    async def set_title(self, conversation_id: str, title: str) -> None:
        found = self._existing(conversation_id)
        self.kept[found.id] = replace(found, title=one_line(title))

    async def set_tags(self, conversation_id: str, tags: tuple[str, ...]) -> None:
        found = self._existing(conversation_id)
        self.kept[found.id] = replace(found, tags=normal_tags(tags))

    async def delete(self, conversation_id: str) -> None:
        self._check()
        self.kept.pop(conversation_id, None)

    async def load(self, conversation_id: str) -> Conversation | None:
        self._check()
        return self.kept.get(conversation_id)

    async def find(
        self, *, text: str = "", tag: str | None = None, limit: int = 500, offset: int = 0
    ) -> tuple[ConversationSummary, ...]:
        self._check()
        query = Query.parse(text)
        found = [one for one in self.kept.values() if _has_tag(one, tag) and _has(one, query)]
        found.reverse()  # of two with the same time the newer one comes first
        found.sort(key=lambda one: one.updated_unix_ms, reverse=True)
        return tuple(_summary(one, query) for one in found[offset : offset + limit])

    async def count(self, *, text: str = "", tag: str | None = None) -> int:
        return len(await self.find(text=text, tag=tag, limit=len(self.kept)))

    async def tags(self) -> tuple[tuple[str, int], ...]:
        self._check()
        spellings: dict[str, list[str]] = {}
        for one in self.kept.values():
            for tag in one.tags:
                spellings.setdefault(folded(tag), []).append(tag)
        return tuple((min(spellings[key]), len(spellings[key])) for key in sorted(spellings))

    async def prompts(self) -> tuple[SavedPrompt, ...]:
        self._check()
        by_name = sorted(self._prompts.values(), key=lambda prompt: folded(prompt.name))
        used = [prompt for prompt in by_name if prompt.used_unix_ms is not None]
        used.sort(key=lambda prompt: prompt.used_unix_ms or 0, reverse=True)
        return (*used, *(prompt for prompt in by_name if prompt.used_unix_ms is None))

    async def save_prompt(self, prompt: SavedPrompt) -> None:
        self._check()
        if any(
            other.id != prompt.id and folded(other.name) == folded(prompt.name)
            for other in self._prompts.values()
        ):
            raise BadInput("a saved prompt has that name already")
        self._prompts[prompt.id] = replace(prompt, name=one_line(prompt.name), tags=normal_tags(prompt.tags))

    async def delete_prompt(self, prompt_id: str) -> None:
        self._check()
        self._prompts.pop(prompt_id, None)

    async def inputs(self, limit: int) -> tuple[str, ...]:
        self._check()
        return tuple(self._inputs[max(0, len(self._inputs) - limit) :])

    async def remember_input(self, text: str, *, keep: int) -> None:
        self._check()
        self._inputs = [*(other for other in self._inputs if other != text), text]
        self._inputs = self._inputs[max(0, len(self._inputs) - keep) :]

    def _check(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with

    def _existing(self, conversation_id: str) -> Conversation:
        self._check()
        if conversation_id not in self.kept:
            raise BadInput("this conversation is not kept here any more")
        return self.kept[conversation_id]

    def _existing_turn(self, turn_id: str) -> tuple[Conversation, Turn]:
        self._check()
        place = self._place(turn_id)
        if place is None:
            raise BadInput("this turn is not kept here any more")
        return place

    def _place(self, turn_id: str) -> tuple[Conversation, Turn] | None:
        places = ((one, one.turn(turn_id)) for one in self.kept.values())
        return next(((one, turn) for one, turn in places if turn is not None), None)


def _has_tag(conversation: Conversation, tag: str | None) -> bool:
    return tag is None or folded(tag) in map(folded, conversation.tags)


def _has(conversation: Conversation, query: Query) -> bool:
    name = " ".join((conversation.title, *conversation.tags))
    return any(_stands_in(query, text) for text in (name, *(turn.text for turn in conversation.turns)))


def _stands_in(query: Query, text: str) -> bool:
    if not query.phrases:
        return True
    words = f" {index_text([text])} "
    *whole, last = (f" {' '.join(phrase)} " for phrase in query.phrases)
    return last.rstrip() in words and all(phrase in words for phrase in whole)


def _summary(conversation: Conversation, query: Query) -> ConversationSummary:
    newest_first = conversation.turns[::-1]
    hit = next((turn for turn in newest_first if query.phrases and _stands_in(query, turn.text)), None)
    said = next((turn.text for turn in newest_first if turn.text), "")
    snippet, hits = (beginning(said), ()) if hit is None else words_around(query, hit.text)
    return ConversationSummary(
        id=conversation.id,
        title=conversation.title,
        updated_unix_ms=conversation.updated_unix_ms,
        turns=len(conversation.turns),
        tags=conversation.tags,
        models=tuple(dict.fromkeys(turn.model_id for turn in newest_first if turn.model_id is not None)),
        snippet=snippet,
        hits=hits,
        hit_id=None if hit is None else hit.id,
    )
