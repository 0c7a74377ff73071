"""What of the kept conversations a list shows: page by page, and always for the newest question."""

from dataclasses import dataclass

from foundry_tui.domain.conversations import ConversationSummary
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import ConversationStore

__all__ = ["ConversationPages", "Query"]

_PAGE = 200
_WORDS_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for.

    Attributes:
        tag: As it is kept; None for any.
    """

    text: str = ""
    tag: str | None = None

    @property
    def words(self) -> str:
        """As one says it, harmless; "" for everything."""
        text = f"“{clean_line(self.text, _WORDS_SHOWN)}”" if self.text else ""
        tag = f"the tag #{clean_line(self.tag, _WORDS_SHOWN)}" if self.tag is not None else ""
        return " and ".join(filter(None, (text, tag)))


class ConversationPages:
    """The answer to one query, as far as it was asked for.

    Attributes:
        query: What ``shown`` answers.
        shown: By id, the most recently used first.
        count: How many there are; None while that is not known.
        is_complete: Whether ``shown`` has them all.
    """

    def __init__(self, store: ConversationStore) -> None:
        self._store = store
        self._asked = 0
        self._is_looking = False
        self._is_fetching = False
        self.query = Query()
        self.shown: dict[str, ConversationSummary] = {}
        self.count: int | None = None
        self.is_complete = True

    @property
    def is_busy(self) -> bool:
        """Whether something is being asked for."""
        return self._is_looking or self._is_fetching

    async def understood(self, typed: str) -> Query:
        """The query in what was typed: ``#word`` is a tag, the one of that name or the first that begins so.

        Raises:
            StorageProblem: The tags cannot be read.
        """
        words = typed.split()
        tags = [word[1:] for word in words if word.startswith("#") and len(word) > 1]
        # The store knows one tag at a time; a further one is looked for as a word, for tags are searched too.
        text = " ".join([*(word for word in words if not word.startswith("#")), *tags[1:]])
        if not tags:
            return Query(text=text)
        folded = tags[0].casefold()
        known = [tag for tag, _ in await self._store.tags() if tag.casefold().startswith(folded)]
        same = (tag for tag in known if tag.casefold() == folded)
        return Query(text=text, tag=next(same, known[0] if known else tags[0]))

    async def look(self, query: Query) -> bool:
        """Ask anew; False if another question has overtaken this one.

        Raises:
            StorageProblem: The store cannot be read.
        """
        self._asked += 1
        asked, limit = self._asked, _PAGE if query != self.query else max(_PAGE, len(self.shown))
        self._is_looking = True
        try:
            found = await self._store.find(text=query.text, tag=query.tag, limit=limit)
        finally:
            if asked == self._asked:
                self._is_looking = False
        if asked != self._asked:
            return False
        self.query = query
        self.shown = {summary.id: summary for summary in found}
        self.is_complete = len(found) < limit
        self.count = len(found) if self.is_complete else None
        return True

    async def count_all(self) -> None:
        """Learn how many there are.

        Raises:
            StorageProblem: The store cannot be read.
        """
        asked, query = self._asked, self.query
        count = await self._store.count(text=query.text, tag=query.tag)
        if asked == self._asked:
            self.count = count

    async def more(self) -> bool:
        """Add the next page; False if there is none, or another question has overtaken this.

        Raises:
            StorageProblem: The store cannot be read; no more is asked for until the next ``look``.
        """
        if self.is_complete or self.is_busy:
            return False
        asked, query = self._asked, self.query
        self._is_fetching = True
        try:
            found = await self._store.find(
                text=query.text, tag=query.tag, limit=_PAGE, offset=len(self.shown)
            )
        except StorageProblem:
            self.is_complete = True
            raise
        finally:
            self._is_fetching = False
        if asked != self._asked:
            return False
        self.is_complete = len(found) < _PAGE
        # What was said meanwhile has moved others down: they come a second time.
        self.shown |= {summary.id: summary for summary in found if summary.id not in self.shown}
        self.count = len(self.shown) if self.is_complete else self.count
        return True

    def forget(self) -> None:
        """Show nothing, for it is not known what there is."""
        self._asked += 1
        self._is_looking = False
        self.shown, self.count, self.is_complete = {}, None, True

    def put(self, summary: ConversationSummary) -> None:
        """Show it as it is now, in its place."""
        if summary.id in self.shown:
            self.shown[summary.id] = summary

    def drop(self, conversation_id: str) -> None:
        """Show it no more."""
        if self.shown.pop(conversation_id, None) is not None and self.count is not None:
            self.count -= 1
