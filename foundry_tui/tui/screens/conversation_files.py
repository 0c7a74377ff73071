"""Conversations out to files and in from them, with the questions that this takes."""

import asyncio

from textual.widget import Widget

from foundry_tui.domain.conversations import Conversation, ConversationSummary
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import ConversationStore
from foundry_tui.reports.conversation import (
    IMPORT_LIMIT_BYTES,
    SUFFIXES,
    ConversationFormat,
    conversation_file,
    copied,
    file_name,
    format_of,
    read_conversation,
)
from foundry_tui.services.files import read_text, write_new
from foundry_tui.services.paths import free_name
from foundry_tui.tui.notices import tell
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.paths import PathPurpose, PathScreen
from foundry_tui.tui.widgets.table_parts import cut

__all__ = ["called", "export_conversation", "import_conversation"]

_TITLE_SHOWN = 60


def called(conversation: Conversation | ConversationSummary) -> str:
    """Its title in quotes, harmless and not too long."""
    return f"“{clean_line(conversation.title, _TITLE_SHOWN) or 'untitled'}”"


async def export_conversation(place: Widget, store: ConversationStore, summary: ConversationSummary) -> None:
    """Ask for a path and write a new file there; ``place`` is what the question opens over.

    Raises:
        BadInput: The conversation is gone, or something has taken the name meanwhile.
        StorageProblem: The file cannot be written, or the conversation not read.
    """
    screen = PathScreen(
        "Export",
        f"{called(summary)} to: .md for people, .json with every branch and reading",
        purpose=PathPurpose.WRITE,
        default=await free_name(file_name(summary.title, ConversationFormat.MARKDOWN)),
        suffixes=SUFFIXES,
    )
    path = await place.app.push_screen_wait(screen)
    if path is None:
        return
    conversation = await store.load(summary.id)
    if conversation is None:
        raise BadInput(f"{called(summary)} is not kept here any more", remedy="r looks again")
    text = await asyncio.to_thread(conversation_file, conversation, format_of(path))
    written = await write_new(path, text)
    tell(place, f"{called(summary)} written to {written}")


async def import_conversation(place: Widget, store: ConversationStore) -> str | None:
    """Ask for a path and keep the conversation in it; its id, or None if the user thought better of it.

    Raises:
        BadInput: There is no conversation in the file.
        StorageProblem: It cannot be kept.
    """
    screen = PathScreen(
        "Import", "A conversation, .md or .json:", purpose=PathPurpose.READ, suffixes=SUFFIXES
    )
    path = await place.app.push_screen_wait(screen)
    if path is None:
        return None
    file = await read_text(path, limit_bytes=IMPORT_LIMIT_BYTES)
    imported = await asyncio.to_thread(read_conversation, file.text, file.name)
    conversation = imported.conversation
    try:
        await store.create(conversation)
    except BadInput as error:
        question = f"{cut(called(conversation), 50)}\n{cut(error.message, 50)}\nImport a copy beside it?"
        if not await place.app.push_screen_wait(ConfirmScreen(question, "Import a copy")):
            return None
        conversation = copied(conversation)
        await store.create(conversation)
    turns = f"{len(conversation.turns):,} {'turn' if len(conversation.turns) == 1 else 'turns'}"
    left_out = "".join(f"\nLeft out: {note}" for note in imported.notes)
    tell(place, f"{called(conversation)} imported, {turns}{left_out}")
    return conversation.id
