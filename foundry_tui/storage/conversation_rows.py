"""Conversations in rows: written turn by turn, loaded whole."""

from collections.abc import Mapping

import sqlalchemy as sa

from foundry_tui.domain.chat import ChatOptions, Role
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.domain.errors import BadInput
from foundry_tui.storage.names import folded, normal_tags, one_line
from foundry_tui.storage.options import packed_options, unpacked_options
from foundry_tui.storage.readings import packed, unpacked
from foundry_tui.storage.tables import (
    conversation,
    piece,
    place_of,
    reading,
    tag,
    turn,
    turn_number,
    turns_of,
    words,
)
from foundry_tui.storage.words import index_text

__all__ = ["ConversationRows"]


class ConversationRows:
    """Reads and writes within one transaction.

    The index has the words of each turn's ``text`` as it stands in its row.  What an answer gained since
    then are pieces beside it, which belong to it wherever it is read.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def create(self, made: Conversation) -> None:
        """Write a conversation that is not there yet.

        Raises:
            BadInput: It is there, or one of its turns is, in another conversation.
        """
        if self._number(made.id) is not None:
            raise BadInput("this conversation is kept here already", remedy="open it from the list")
        values = {
            "id": made.id,
            "title": one_line(made.title),
            "created_unix_ms": made.created_unix_ms,
            "updated_unix_ms": made.updated_unix_ms,
            "options": packed_options(made.options),
        }
        self._connection.execute(sa.insert(conversation).values(values))
        number = self._existing(made.id)
        numbers: dict[str, int] = {}
        for place, said in enumerate(made.turns, start=1):
            numbers[said.id] = turn_number(number, place)
            self._insert(number, said, numbers)
        self._update(number, head=numbers[made.head_id] if made.head_id is not None else None)
        self._tag(number, made.tags)
        self._index_name(number)

    def add_turn(self, conversation_id: str, added: Turn) -> None:
        """Write a turn at the end of a conversation, and make it the head.

        Raises:
            BadInput: The conversation or the turn's parent is not there, or the turn is there already.
        """
        number = self._existing(conversation_id)
        first, last = turns_of(sa.literal(number))
        query = sa.select(sa.func.max(turn.c.number)).where(turn.c.number.between(first, last))
        newest = self._connection.scalar(query)
        own = turn_number(number, 1 if newest is None else place_of(newest) + 1)
        numbers = {added.id: own}
        if added.parent_id is not None:
            numbers[added.parent_id] = self._existing_turn(added.parent_id, number)
        self._insert(number, added, numbers)
        updated = sa.func.max(conversation.c.updated_unix_ms, added.at_unix_ms)
        self._update(number, head=own, updated_unix_ms=updated)

    def extend_turn(self, turn_id: str, *, text: str, reasoning: str) -> None:
        """Add a piece to an answer; pieces as long as the answer before them are joined to it.

        That way an answer of any length is written about twice, not once for each piece.

        Raises:
            BadInput: The turn is not there, or is finished.
        """
        number = self._existing_turn(turn_id)
        if self._connection.scalar(sa.select(reading.c.turn).where(reading.c.turn == number)) is not None:
            raise BadInput("this answer is finished already", remedy="ask again")
        self._connection.execute(sa.insert(piece).values(turn=number, text=text, reasoning=reasoning))
        kept = self._connection.execute(_size(turn).where(turn.c.number == number)).scalar_one()
        waiting = self._connection.execute(_size(piece).where(piece.c.turn == number)).scalar_one()
        if waiting >= kept:
            self._join(number)

    def finish_turn(self, done: Turn) -> None:
        """Put an answer in the place of what was kept of it; where it stands in the tree stays as it is.

        Raises:
            BadInput: The turn is not there.
        """
        number = self._existing_turn(done.id)
        self._connection.execute(sa.delete(piece).where(piece.c.turn == number))
        self._connection.execute(sa.delete(reading).where(reading.c.turn == number))
        values = {
            "text": done.text,
            "reasoning": done.reasoning,
            "model": done.model_id,
            "begun_unix_ms": done.at_unix_ms,
        }
        self._connection.execute(sa.update(turn).where(turn.c.number == number).values(values))
        self._keep_readings(number, done)
        self._index(number, done.text)

    def set_head(self, conversation_id: str, turn_id: str | None) -> None:
        """Write down which branch is being read.

        Raises:
            BadInput: The conversation is not there, or has no such turn.
        """
        number = self._existing(conversation_id)
        self._update(number, head=None if turn_id is None else self._existing_turn(turn_id, number))

    def set_options(self, conversation_id: str, options: ChatOptions) -> None:
        """Write down what the next request carries.

        Raises:
            BadInput: The conversation is not there.
        """
        self._update(self._existing(conversation_id), options=packed_options(options))

    def set_title(self, conversation_id: str, title: str) -> None:
        """Rename.

        Raises:
            BadInput: The conversation is not there.
        """
        number = self._existing(conversation_id)
        self._update(number, title=one_line(title))
        self._index_name(number)

    def set_tags(self, conversation_id: str, tags: tuple[str, ...]) -> None:
        """Replace all tags.

        Raises:
            BadInput: The conversation is not there.
        """
        number = self._existing(conversation_id)
        self._connection.execute(sa.delete(tag).where(tag.c.conversation == number))
        self._tag(number, tags)
        self._index_name(number)

    def delete(self, conversation_id: str) -> None:
        """Remove it, if it is there; turns, tags and index follow by themselves."""
        self._connection.execute(sa.delete(conversation).where(conversation.c.id == conversation_id))

    def load(self, conversation_id: str) -> Conversation | None:
        """All of it; None if it is not there."""
        row = self._connection.execute(
            sa.select(conversation).where(conversation.c.id == conversation_id)
        ).one_or_none()
        if row is None:
            return None
        turns = self._turns(row.number)
        head = turns.get(row.head)
        return Conversation(
            id=row.id,
            title=row.title,
            created_unix_ms=row.created_unix_ms,
            updated_unix_ms=row.updated_unix_ms,
            options=unpacked_options(row.options),
            tags=self._tags(row.number),
            turns=tuple(turns.values()),
            head_id=None if head is None else head.id,
        )

    def has_pieces(self) -> bool:
        """Whether an answer has gained something that its row does not have."""
        return self._connection.scalar(sa.select(piece.c.number).limit(1)) is not None

    def join_pieces(self) -> None:
        """Bring all answers and the index up to date; what a reader sees stays the same."""
        for number in self._connection.scalars(sa.select(piece.c.turn).distinct()).all():
            self._join(number)

    def _turns(self, number: int) -> dict[int, Turn]:
        """The turns of a conversation by number, in order."""
        first, last = turns_of(sa.literal(number))
        query = sa.select(turn, reading.c.trace).outerjoin(reading, reading.c.turn == turn.c.number)
        rows = self._connection.execute(
            query.where(turn.c.number.between(first, last)).order_by(turn.c.number)
        ).all()
        gained: dict[int, list[tuple[str, str]]] = {}
        query_pieces = sa.select(piece.c.turn, piece.c.text, piece.c.reasoning)
        for of_turn, *texts in self._connection.execute(
            query_pieces.where(piece.c.turn.between(first, last)).order_by(piece.c.number)
        ):
            gained.setdefault(of_turn, []).append((texts[0], texts[1]))
        turns: dict[int, Turn] = {}
        for row in rows:
            pieces = gained.get(row.number, [])
            text = row.text + "".join(piece_text for piece_text, _ in pieces)
            reasoning = row.reasoning + "".join(thought for _, thought in pieces)
            turns[row.number] = Turn(
                id=row.id,
                parent_id=None if row.parent is None else turns[row.parent].id,
                role=Role(row.role),
                text=text,
                at_unix_ms=row.begun_unix_ms,
                reasoning=reasoning,
                model_id=row.model,
                trace=None if row.trace is None else unpacked(row.trace, text=text, reasoning=reasoning),
            )
        return turns

    def _insert(self, number: int, added: Turn, numbers: Mapping[str, int]) -> None:
        if self._connection.scalar(sa.select(turn.c.number).where(turn.c.id == added.id)) is not None:
            raise BadInput("this turn is kept here already", remedy="open its conversation from the list")
        values = {
            "number": numbers[added.id],
            "conversation": number,
            "id": added.id,
            "parent": None if added.parent_id is None else numbers[added.parent_id],
            "role": added.role.value,
            "begun_unix_ms": added.at_unix_ms,
            "model": added.model_id,
            "text": added.text,
            "reasoning": added.reasoning,
        }
        self._connection.execute(sa.insert(turn).values(values))
        self._keep_readings(numbers[added.id], added)
        self._index(numbers[added.id], added.text)

    def _keep_readings(self, number: int, of: Turn) -> None:
        if of.trace is not None:
            line = packed(of.trace, text=of.text, reasoning=of.reasoning)
            self._connection.execute(sa.insert(reading).values(turn=number, trace=line))

    def _join(self, number: int) -> None:
        row = self._connection.execute(
            sa.select(turn.c.text, turn.c.reasoning).where(turn.c.number == number)
        ).one()
        pieces = self._connection.execute(
            sa.select(piece.c.text, piece.c.reasoning).where(piece.c.turn == number).order_by(piece.c.number)
        ).all()
        text, reasoning = ("".join(parts) for parts in zip(row, *pieces, strict=True))
        self._connection.execute(
            sa.update(turn).where(turn.c.number == number).values(text=text, reasoning=reasoning)
        )
        self._connection.execute(sa.delete(piece).where(piece.c.turn == number))
        self._index(number, text)

    def _index(self, number: int, *texts: str) -> None:
        statement = sa.insert(words).prefix_with("OR REPLACE")
        self._connection.execute(statement.values(rowid=number, tokens=index_text(texts)))

    def _index_name(self, number: int) -> None:
        title = self._connection.scalar(
            sa.select(conversation.c.title).where(conversation.c.number == number)
        )
        self._index(turn_number(number, 0), str(title), *self._tags(number))

    def _tag(self, number: int, tags: tuple[str, ...]) -> None:
        rows = [{"conversation": number, "folded": folded(name), "name": name} for name in normal_tags(tags)]
        if rows:
            self._connection.execute(sa.insert(tag), rows)

    def _tags(self, number: int) -> tuple[str, ...]:
        query = sa.select(tag.c.name).where(tag.c.conversation == number)
        return normal_tags(self._connection.scalars(query))

    def _update(self, number: int, **values: object) -> None:
        self._connection.execute(
            sa.update(conversation).where(conversation.c.number == number).values(values)
        )

    def _number(self, conversation_id: str) -> int | None:
        query = sa.select(conversation.c.number).where(conversation.c.id == conversation_id)
        return self._connection.scalar(query)

    def _existing(self, conversation_id: str) -> int:
        number = self._number(conversation_id)
        if number is None:
            raise BadInput(
                "this conversation is not kept here any more",
                remedy="it was deleted meanwhile; export it if you want to keep it",
            )
        return number

    def _existing_turn(self, turn_id: str, conversation_number: int | None = None) -> int:
        query = sa.select(turn.c.number).where(turn.c.id == turn_id)
        if conversation_number is not None:
            query = query.where(turn.c.conversation == conversation_number)
        number = self._connection.scalar(query)
        if number is None:
            raise BadInput(
                "this turn is not kept here any more",
                remedy="its conversation was deleted meanwhile; export it if you want to keep it",
            )
        return int(number)


def _size(of: sa.Table) -> sa.Select[int]:
    """How many bytes of text the rows have together."""
    # As bytes: of texts SQLite counts the characters before the first NUL.
    text, reasoning = (sa.cast(column, sa.LargeBinary) for column in (of.c.text, of.c.reasoning))
    return sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(text) + sa.func.length(reasoning)), 0))
