"""The list of conversations, searched by words and tags."""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVarTuple

import sqlalchemy as sa

from foundry_tui.domain.conversations import ConversationSummary
from foundry_tui.storage.names import folded, normal_tags
from foundry_tui.storage.snippets import beginning, words_around
from foundry_tui.storage.tables import conversation, conversation_of, place_of, tag, turn, turns_of, words
from foundry_tui.storage.words import Query

__all__ = ["ConversationSearch"]

Ts = TypeVarTuple("Ts")

# More than a screen shows of it, in bytes.
_BEGINNING_BYTES = 3200
# SQLite takes some hundreds of values in a list, however it was built.
_AT_ONCE = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A conversation of the page that was asked for; ``hit`` is the newest turn with all words, 0 without."""

    number: int
    id: str
    title: str
    updated_unix_ms: int
    hit: int


class ConversationSearch:
    """Reads within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def find(self, text: str, *, tag: str | None, limit: int, offset: int) -> tuple[ConversationSummary, ...]:
        """One page of the conversations, most recently used first."""
        query = Query.parse(text)
        columns = (
            conversation.c.number,
            conversation.c.id,
            conversation.c.title,
            conversation.c.updated_unix_ms,
        )
        hits = _hits(query) if query.phrases else None
        hit = sa.literal(0) if hits is None else hits.c.newest
        page = _filtered(sa.select(*columns, hit.label("hit")), hits, tag)
        rows = self._connection.execute(
            page.order_by(conversation.c.updated_unix_ms.desc(), conversation.c.number.desc())
            .limit(limit)
            .offset(offset)
        )
        found = [_Found(**row._mapping) for row in rows]
        return tuple(
            summary
            for start in range(0, len(found), _AT_ONCE)
            for summary in self._summaries(found[start : start + _AT_ONCE], query)
        )

    def count(self, text: str, *, tag: str | None) -> int:
        """How many there are on all pages."""
        query = Query.parse(text)
        hits = _hits(query) if query.phrases else None
        number = self._connection.scalar(_filtered(sa.select(sa.func.count()), hits, tag))
        return int(number or 0)

    def tags(self) -> tuple[tuple[str, int], ...]:
        """Every tag in one of its spellings, and how many conversations have it."""
        query = sa.select(sa.func.min(tag.c.name), sa.func.count()).group_by(tag.c.folded)
        return tuple(
            (name, number) for name, number in self._connection.execute(query.order_by(tag.c.folded))
        )

    def _summaries(self, found: Sequence[_Found], query: Query) -> Iterator[ConversationSummary]:
        sizes, models, tags = self._sizes(found), self._models(found), self._all_tags(found)
        hit_turns = self._hit_turns(one.hit for one in found if place_of(one.hit))
        said = self._said_last(one.number for one in found if one.hit not in hit_turns)
        for one in found:
            hit = hit_turns.get(one.hit)
            snippet, hits = (said.get(one.number, ""), ()) if hit is None else words_around(query, hit[1])
            yield ConversationSummary(
                id=one.id,
                title=one.title,
                updated_unix_ms=one.updated_unix_ms,
                turns=sizes.get(one.number, 0),
                tags=normal_tags(tags.get(one.number, ())),
                models=tuple(models.get(one.number, ())),
                snippet=snippet,
                hits=hits,
                hit_id=None if hit is None else hit[0],
            )

    def _sizes(self, found: Sequence[_Found]) -> dict[int, int]:
        """How many turns each has: the place of the last one, since none is ever removed alone."""
        last = (
            sa.select(sa.func.max(turn.c.number))
            .where(turn.c.number.between(*turns_of(conversation.c.number)))
            .scalar_subquery()
        )
        query = sa.select(conversation.c.number, last).where(_is_one_of(conversation.c.number, found))
        return {number: place_of(newest) for number, newest in self._connection.execute(query) if newest}

    def _models(self, found: Sequence[_Found]) -> dict[int, list[str]]:
        """Which models answered, the most recent first."""
        newest = sa.func.max(turn.c.number)
        query = (
            sa.select(turn.c.conversation, turn.c.model)
            .where(_is_one_of(turn.c.conversation, found), turn.c.model.is_not(None))
            .group_by(turn.c.conversation, turn.c.model)
            .order_by(newest.desc())
        )
        models: dict[int, list[str]] = {}
        for number, model in self._connection.execute(query):
            models.setdefault(number, []).append(model)
        return models

    def _all_tags(self, found: Sequence[_Found]) -> dict[int, list[str]]:
        query = sa.select(tag.c.conversation, tag.c.name).where(_is_one_of(tag.c.conversation, found))
        tags: dict[int, list[str]] = {}
        for number, name in self._connection.execute(query):
            tags.setdefault(number, []).append(name)
        return tags

    def _hit_turns(self, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Id and text of these turns."""
        query = sa.select(turn.c.number, turn.c.id, turn.c.text).where(turn.c.number.in_(list(numbers)))
        return {number: (turn_id, text) for number, turn_id, text in self._connection.execute(query)}

    def _said_last(self, numbers: Iterable[int]) -> dict[int, str]:
        """How the newest turn with a text begins, for each conversation that has one."""
        # As bytes: on texts SQLite's functions stop at a NUL.
        start = sa.func.substr(sa.cast(turn.c.text, sa.LargeBinary), 1, _BEGINNING_BYTES)
        newest = (
            sa.select(start)
            .where(turn.c.number.between(*turns_of(conversation.c.number)), turn.c.text != "")
            .order_by(turn.c.number.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = sa.select(conversation.c.number, newest).where(conversation.c.number.in_(list(numbers)))
        return {
            # Where the bytes end in the middle of a character, that one is left out.
            number: beginning(codecs.utf_8_decode(text, "surrogatepass", False)[0])
            for number, text in self._connection.execute(query)
            if text is not None
        }


def _hits(query: Query) -> sa.Subquery:
    """The newest row of the index with all words, for each conversation that has one."""
    return (
        sa.select(
            conversation_of(words.c.rowid).label("conversation"), sa.func.max(words.c.rowid).label("newest")
        )
        .where(words.c.words.match(query.fts))
        .group_by(sa.literal_column("1"))
        .subquery("hits")
    )


def _filtered(query: sa.Select[*Ts], hits: sa.Subquery | None, tag_name: str | None) -> sa.Select[*Ts]:
    query = query.select_from(conversation)
    if hits is not None:
        query = query.join(hits, hits.c.conversation == conversation.c.number)
    if tag_name is not None:
        tagged = sa.select(tag.c.conversation).where(tag.c.folded == folded(tag_name))
        query = query.where(conversation.c.number.in_(tagged))
    return query


def _is_one_of(column: sa.ColumnElement[int], found: Sequence[_Found]) -> sa.ColumnElement[bool]:
    return column.in_([one.number for one in found])
