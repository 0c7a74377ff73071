"""Conversations as trees: a prompt edited and sent again, or an answer asked for again, is a sibling.

Nothing said is ever replaced: the older branch stays beside the newer one.  What a conversation shows and
what the next request carries is the path from its root to its head.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from foundry_tui.domain.chat import ChatMessage, ChatOptions, Role
from foundry_tui.domain.trace import GenerationTrace

__all__ = ["Conversation", "ConversationSummary", "SavedPrompt", "Turn", "new_id", "title_from"]

_TITLE_CHARACTERS = 60


def new_id() -> str:
    """A name that no other machine gives: conversations are exported, and met again."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One thing said.

    Attributes:
        parent_id: What it answers or follows; None for the first.
        text: Exactly as it was written or as it came.
        at_unix_ms: When it was begun.
        reasoning: What the model thought aloud before it answered.
        model_id: The variant that answers; None for what the user said.
        trace: Readings of an answer; None for what the user said, and for an answer whose end nobody saw: one
            that is being made, or that was cut off by a crash.
    """

    id: str
    parent_id: str | None
    role: Role
    text: str
    at_unix_ms: int
    reasoning: str = ""
    model_id: str | None = None
    trace: GenerationTrace | None = None

    def __post_init__(self) -> None:
        if self.role is Role.SYSTEM:
            raise ValueError("the system prompt is an option of the conversation, not a turn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A tree of turns.

    Attributes:
        title: Of one line; "" until something is said.
        options: What its next request carries.
        tags: In alphabetical order, none twice.
        turns: In the order in which they were begun; a parent stands before its children.
        head_id: The turn that is followed next; None where there is none yet.
    """

    id: str
    title: str
    created_unix_ms: int
    updated_unix_ms: int
    options: ChatOptions = field(default_factory=ChatOptions)
    tags: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    head_id: str | None = None

    def __post_init__(self) -> None:
        known: set[str] = set()
        for turn in self.turns:
            if turn.parent_id is not None and turn.parent_id not in known:
                raise ValueError(f"turn {turn.id} follows {turn.parent_id}, which does not stand before it")
            if turn.id in known:
                raise ValueError(f"turn {turn.id} stands there twice")
            known.add(turn.id)
        if self.head_id is not None and self.head_id not in known:
            raise ValueError(f"the head {self.head_id} is no turn of this conversation")

    def turn(self, turn_id: str) -> Turn | None:
        """The turn of that id."""
        return next((turn for turn in self.turns if turn.id == turn_id), None)

    def path(self) -> tuple[Turn, ...]:
        """From the first turn to the head."""
        return self.path_to(self.head_id)

    def path_to(self, turn_id: str | None) -> tuple[Turn, ...]:
        """From the first turn to that one."""
        return tuple(reversed(list(self._upwards(turn_id))))

    def siblings(self, turn: Turn) -> tuple[Turn, ...]:
        """What was said by the same side at the same point, ``turn`` among it, oldest first."""
        return tuple(
            other for other in self.turns if other.parent_id == turn.parent_id and other.role is turn.role
        )

    def branches(self) -> dict[str, tuple[int, int]]:
        """By id, for each turn of the path with siblings: which of them it is, from 1, and of how many."""
        path = {turn.id: (turn.parent_id, turn.role) for turn in self.path()}
        wanted = set(path.values())
        beside: dict[tuple[str | None, Role], list[str]] = {}
        for turn in self.turns:
            if (place := (turn.parent_id, turn.role)) in wanted:
                beside.setdefault(place, []).append(turn.id)
        return {
            turn_id: (beside[place].index(turn_id) + 1, len(beside[place]))
            for turn_id, place in path.items()
            if len(beside[place]) > 1
        }

    def tip_below(self, turn_id: str) -> str:
        """The newest end of the branch that goes through that turn."""
        newest = {turn.parent_id: turn.id for turn in self.turns}  # the last child begun wins
        tip = turn_id
        while (below := newest.get(tip)) is not None:
            tip = below
        return tip

    def carried(self) -> tuple[Turn, ...]:
        """The turns of the path that a request carries.

        A prompt that got no text is left out with its answer, unless it waits for one.
        """
        path = self.path()
        if path and path[-1].role is Role.ASSISTANT and path[-1].trace is None and not path[-1].text:
            path = path[:-1]  # it is the one that is being made
        return tuple(
            turn
            for turn, after in zip_longest(path, path[1:])
            if (turn.text if turn.role is Role.ASSISTANT else after is None or after.text)
        )

    def messages(self) -> tuple[ChatMessage, ...]:
        """What a request carries of the path."""
        return tuple(ChatMessage(role=turn.role, text=turn.text) for turn in self.carried())

    def with_turn(self, turn: Turn) -> "Conversation":
        """The same with ``turn`` added, or put in the place of the one of its id; the head stays."""
        if self.turn(turn.id) is None:
            return replace(self, turns=(*self.turns, turn))
        return replace(self, turns=tuple(turn if other.id == turn.id else other for other in self.turns))

    def _upwards(self, turn_id: str | None) -> Iterator[Turn]:
        by_id = {turn.id: turn for turn in self.turns}
        while turn_id is not None:
            turn = by_id[turn_id]
            yield turn
            turn_id = turn.parent_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSummary:
    """A conversation as a list shows it.

    Attributes:
        turns: How many there are, on all branches.
        models: Variants that answered, most recent first.
        snippet: Where a search hit, the words around it; else the beginning of what was said last.
        hits: Where the words that were searched stand in ``snippet``: first character, and the one behind.
        hit_id: The turn that a search hit; None without a search, or where only title or tags were hit.
    """

    id: str
    title: str
    updated_unix_ms: int
    turns: int
    tags: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    snippet: str = ""
    hits: tuple[tuple[int, int], ...] = ()
    hit_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPrompt:
    """A prompt of the user's library.

    Attributes:
        name: Of one line; once in the library.
        used_unix_ms: When it was last put into the field; None if never.
    """

    id: str
    name: str
    text: str
    tags: tuple[str, ...] = ()
    used_unix_ms: int | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.text.strip():
            raise ValueError("a saved prompt needs a name and a text")


def title_from(text: str) -> str:
    """A title made of the first line that says something."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    words = " ".join(line.split())
    return words if len(words) <= _TITLE_CHARACTERS else words[: _TITLE_CHARACTERS - 1].rstrip() + "…"
