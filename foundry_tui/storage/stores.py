"""The ports, served by the database."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.conversations import Conversation, ConversationSummary, SavedPrompt, Turn
from foundry_tui.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from foundry_tui.storage.conversation_rows import ConversationRows
    from foundry_tui.storage.conversation_search import ConversationSearch
    from foundry_tui.storage.entry_rows import EntryRows
    from foundry_tui.storage.prompt_rows import PromptRows

__all__ = ["StoredConversations", "StoredInputs", "StoredPrompts"]

T = TypeVar("T")

# The modules that speak SQL are imported in the database's thread, for they bring the driver along.


class StoredConversations:
    """Keeps conversations in a database that it borrows.

    What it was given is on disk when it returns, also after a loss of power.  A write to a conversation or a
    turn that is not there (any more) raises ``BadInput``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, conversation: Conversation) -> None:
        await self._write(lambda rows: rows.create(conversation))

    async def add_turn(self, conversation_id: str, turn: Turn) -> None:
        await self._write(lambda rows: rows.add_turn(conversation_id, turn))

    async def extend_turn(self, turn_id: str, *, text: str, reasoning: str) -> None:
        await self._write(lambda rows: rows.extend_turn(turn_id, text=text, reasoning=reasoning))

    async def finish_turn(self, turn: Turn) -> None:
        await self._write(lambda rows: rows.finish_turn(turn))

    async def set_head(self, conversation_id: str, turn_id: str | None) -> None:
        await self._write(lambda rows: rows.set_head(conversation_id, turn_id))

    async def set_options(self, conversation_id: str, options: ChatOptions) -> None:
        await self._write(lambda rows: rows.set_options(conversation_id, options))

    async def set_title(self, conversation_id: str, title: str) -> None:
        await self._write(lambda rows: rows.set_title(conversation_id, title))

    async def set_tags(self, conversation_id: str, tags: tuple[str, ...]) -> None:
        await self._write(lambda rows: rows.set_tags(conversation_id, tags))

    async def delete(self, conversation_id: str) -> None:
        await self._write(lambda rows: rows.delete(conversation_id))

    async def load(self, conversation_id: str) -> Conversation | None:
        return await self._read(lambda rows: rows.load(conversation_id))

    async def find(
        self, *, text: str = "", tag: str | None = None, limit: int = 500, offset: int = 0
    ) -> tuple[ConversationSummary, ...]:
        await self._index_all_for(text)
        return await self._search(lambda search: search.find(text, tag=tag, limit=limit, offset=offset))

    async def count(self, *, text: str = "", tag: str | None = None) -> int:
        await self._index_all_for(text)
        return await self._search(lambda search: search.count(text, tag=tag))

    async def tags(self) -> tuple[tuple[str, int], ...]:
        return await self._search(lambda search: search.tags())

    async def _index_all_for(self, text: str) -> None:
        # Of an answer that is being made, or that nobody finished, not all words are in the index.
        if text.strip() and await self._has_pieces():
            await self._write(lambda rows: rows.join_pieces())

    async def _has_pieces(self) -> bool:
        return await self._read(lambda rows: rows.has_pieces())

    async def _read(self, work: Callable[["ConversationRows"], T]) -> T:
        return await self._database.read(lambda connection: work(_rows(connection)))

    async def _write(self, work: Callable[["ConversationRows"], T]) -> T:
        return await self._database.write(lambda connection: work(_rows(connection)))

    async def _search(self, work: Callable[["ConversationSearch"], T]) -> T:
        def look(connection: "Connection") -> T:
            from foundry_tui.storage.conversation_search import ConversationSearch

            return work(ConversationSearch(connection))

        return await self._database.read(look)


class StoredPrompts:
    """Keeps the prompt library in a database that it borrows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prompts(self) -> tuple[SavedPrompt, ...]:
        return await self._database.read(lambda connection: self._rows(connection).all())

    async def save_prompt(self, prompt: SavedPrompt) -> None:
        await self._database.write(lambda connection: self._rows(connection).save(prompt))

    async def delete_prompt(self, prompt_id: str) -> None:
        await self._database.write(lambda connection: self._rows(connection).delete(prompt_id))

    @staticmethod
    def _rows(connection: "Connection") -> "PromptRows":
        from foundry_tui.storage.prompt_rows import PromptRows

        return PromptRows(connection)


class StoredInputs:
    """Keeps what was typed in a database that it borrows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def inputs(self, limit: int) -> tuple[str, ...]:
        return await self._database.read(lambda connection: self._rows(connection).newest(limit))

    async def remember_input(self, text: str, *, keep: int) -> None:
        await self._database.write(lambda connection: self._rows(connection).remember(text, keep=keep))

    @staticmethod
    def _rows(connection: "Connection") -> "EntryRows":
        from foundry_tui.storage.entry_rows import EntryRows

        return EntryRows(connection)


def _rows(connection: "Connection") -> "ConversationRows":
    from foundry_tui.storage.conversation_rows import ConversationRows

    return ConversationRows(connection)
