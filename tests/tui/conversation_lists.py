"""A store of a few conversations that can be watched, and the screen that lists them."""

import asyncio

from textual.widgets import Static

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Conversation, ConversationSummary, Turn
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.tui.screens.conversations import ConversationChosen, ConversationsScreen
from tests.support.memory_store import MemoryStore
from tests.tui.overlay_host import Opened

__all__ = ["FULL", "Listed", "WatchedStore", "back", "farm", "kept", "listed", "over", "text_of", "titles"]

AT = 1_780_000_000_000
FULL = StorageProblem("the database cannot be read: disk I/O error", remedy="look at the disk")


class WatchedStore(MemoryStore):
    """Remembers what was looked for, and lets a test hold an answer back.

    Attributes:
        asked: Text, limit and offset of each ``find``.
        held: ``find`` of a text in it waits for its event.
    """

    def __init__(self, *conversations: Conversation) -> None:
        super().__init__()
        self.kept = {conversation.id: conversation for conversation in conversations}
        self.asked: list[tuple[str, int, int]] = []
        self.held: dict[str, asyncio.Event] = {}

    async def find(
        self, *, text: str = "", tag: str | None = None, limit: int = 500, offset: int = 0
    ) -> tuple[ConversationSummary, ...]:
        self.asked.append((text, limit, offset))
        if text in self.held:
            await self.held[text].wait()
        return await super().find(text=text, tag=tag, limit=limit, offset=offset)

    async def count(self, *, text: str = "", tag: str | None = None) -> int:
        return len(await super().find(text=text, tag=tag, limit=len(self.kept)))


def kept(number: int, title: str, *texts: str, tags: tuple[str, ...] = ()) -> Conversation:
    """A conversation; the higher its number, the later it was used."""
    turns: list[Turn] = []
    for place, text in enumerate(texts):
        turns.append(
            Turn(
                id=f"t{number}-{place}",
                parent_id=turns[-1].id if turns else None,
                role=Role.ASSISTANT if place % 2 else Role.USER,
                text=text,
                at_unix_ms=AT + number,
                model_id="small-instruct-generic-cpu:1" if place % 2 else None,
            )
        )
    return Conversation(
        id=f"c{number}",
        title=title,
        created_unix_ms=AT,
        updated_unix_ms=AT + number,
        tags=tags,
        turns=tuple(turns),
        head_id=turns[-1].id if turns else None,
    )


def farm() -> WatchedStore:
    """Three conversations, one of them without a title."""
    return WatchedStore(
        kept(1, "Two hens", "How many hens?", "Two hens lay eggs.", tags=("farm", "hens")),
        kept(2, "Bread", "How is bread made?", "From flour.", "And eggs?", tags=("food",)),
        kept(3, "", "hi"),
    )


Listed = Opened[ConversationChosen]


def titles(user: Listed) -> list[str]:
    """What the rows are called, from top to bottom."""
    assert isinstance(user.screen, ConversationsScreen)
    return [row.cells[0] for row in user.screen.table.rows]


def text_of(user: Listed, name: str) -> str:
    """What stands in one of the fields around the list."""
    return str(user.screen.query_one(f"#conversations-{name}", Static).content)


async def listed(user: Listed, count: int) -> None:
    """So many rows are there."""
    await user.until(lambda: len(titles(user)) == count)


async def over(user: Listed, kind: type[object]) -> None:
    """A screen of that kind is on top."""
    await user.until(lambda: isinstance(user.app.screen, kind))
    await user.pilot.pause()  # what opened has its focus


async def back(user: Listed) -> None:
    """The list is on top again, and nothing is under way."""
    await user.until(lambda: user.app.screen is user.screen)
    await user.app.workers.wait_for_complete()
