"""Commands about what is kept: conversations and saved prompts."""

import asyncio
import time
from dataclasses import replace

from foundry_tui.cli.plain_commands import Command, amount_in, number_in
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_words import count_words, listed, nearest, sentence, spoken, unquoted
from foundry_tui.cli.plain_words_chat import turn_line
from foundry_tui.cli.plain_words_kept import conversation_line, prompt_line, summary_line, title_of
from foundry_tui.domain.conversations import Conversation, ConversationSummary, SavedPrompt, new_id
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.conversation import (
    IMPORT_LIMIT_BYTES,
    conversation_file,
    copied,
    format_of,
    read_conversation,
    tags_from,
)
from foundry_tui.services.files import read_text, write_new

__all__ = ["COMMANDS"]

_GROUP, _PROMPTS = "Kept conversations", "Saved prompts"
_LISTED = 200
_IN_LIST = "in the last list"


async def _conversations(session: Session, text: str) -> None:
    await session.services.recorder.settled()
    tags = [word[1:] for word in text.split() if word.startswith("#") and len(word) > 1]
    words = " ".join(word for word in text.split() if not word.startswith("#"))
    if len(tags) > 1:
        raise BadInput("only one tag can be looked for at a time")
    store, tag = session.services.conversations, tags[0] if tags else None
    found = await store.find(text=words, tag=tag, limit=_LISTED)
    total = await store.count(text=words, tag=tag)
    session.listed_conversations = found
    if not found:
        session.say("No conversation matches." if text else "No conversation was kept yet.")
        return
    now = time.time_ns() // 1_000_000
    lines = [summary_line(number, summary, now) for number, summary in enumerate(found, start=1)]
    if total > len(found):
        lines.append(f"{total - len(found)} more; words after /conversations find fewer.")
    session.read_out([f"{count_words(total, 'conversation')}. /open NUMBER goes on with one.", *lines])


async def _tags(session: Session, text: str) -> None:
    await session.services.recorder.settled()
    tags = await session.services.conversations.tags()
    lines = [f"{clean_line(tag)}, {count_words(count, 'conversation')}." for tag, count in tags]
    session.read_out(lines or ["No conversation has a tag."])


async def _open(session: Session, text: str) -> None:
    summary = _listed(session, text)
    await session.services.recorder.settled()
    conversation = await session.services.conversations.load(summary.id)
    if conversation is None:
        raise BadInput("that conversation is gone: it was deleted meanwhile")
    session.dialogue.adopt(conversation)
    if summary.hit_id is not None and summary.hit_id not in {turn.id for turn in conversation.path()}:
        session.dialogue.go_to(conversation.tip_below(summary.hit_id))
    _reopened(session)


def _reopened(session: Session) -> None:
    """Say where one is, and let questions go to who answered last, if that model is there."""
    conversation = session.dialogue.conversation
    session.say(conversation_line(conversation, is_kept=session.dialogue.is_kept))
    path = conversation.path()
    first = max(0, len(path) - 2)
    for number, turn in enumerate(path[first:], start=first + 1):
        session.say(turn_line(number, turn, conversation))
    answered = [turn.model_id for turn in path if turn.model_id]
    if answered and session.client.catalog.value.find(answered[-1]) is not None:
        session.model_id = answered[-1]
        session.say(f"Questions go to {clean_line(answered[-1], 120)}.")


def _listed(session: Session, text: str) -> ConversationSummary:
    if not session.listed_conversations:
        raise BadInput(
            "no conversations were listed yet", remedy="/conversations lists them with their numbers"
        )
    number = number_in(text, len(session.listed_conversations), "conversation", _IN_LIST)
    return session.listed_conversations[number - 1]


async def _rename(session: Session, text: str) -> None:
    session.dialogue.rename(text)
    session.say(f"The conversation is now called {title_of(session.dialogue.conversation)}.")


async def _tag(session: Session, text: str) -> None:
    _set_tags(session, tags_from(" ".join((*session.dialogue.conversation.tags, text))))


async def _untag(session: Session, text: str) -> None:
    gone = {tag.casefold() for tag in tags_from(text)}
    kept = tuple(tag for tag in session.dialogue.conversation.tags if tag.casefold() not in gone)
    if kept == session.dialogue.conversation.tags:
        raise BadInput("this conversation has no such tag", remedy="/messages says its tags")
    _set_tags(session, kept)


def _set_tags(session: Session, tags: tuple[str, ...]) -> None:
    session.dialogue.tag(tags)
    words = f"tags {' '.join(clean_line(tag) for tag in tags)}" if tags else "no tags"
    session.say(f"The conversation has {words}.")


async def _delete(session: Session, text: str) -> None:
    current = session.dialogue.conversation
    chosen: Conversation | ConversationSummary = _listed(session, text) if text else current
    if chosen is current and not current.turns:
        raise BadInput("nothing was said yet, so there is nothing to delete")
    turns = chosen.turns if isinstance(chosen, ConversationSummary) else len(chosen.turns)
    question = f"Delete the conversation {title_of(chosen)}, {count_words(turns, 'message')}, for good?"
    if not await session.confirm(question):
        session.say("Nothing was deleted.")
        return
    await session.services.recorder.settled()  # what is still to be written would find it gone
    await session.services.conversations.delete(chosen.id)
    if chosen.id == current.id:
        session.dialogue.new()
    session.say("It was deleted.")


async def _export(session: Session, text: str) -> None:
    path = unquoted(text)
    file_format = format_of(path)
    conversation = session.dialogue.conversation
    if not conversation.turns:
        raise BadInput("nothing was said yet, so there is nothing to export")
    content = await asyncio.to_thread(conversation_file, conversation, file_format)
    written = await write_new(path, content)
    session.say(f"Written to {clean_line(str(written))}.")


async def _import(session: Session, text: str) -> None:
    file = await read_text(unquoted(text), limit_bytes=IMPORT_LIMIT_BYTES)
    imported = await asyncio.to_thread(read_conversation, file.text, file.name)
    conversation = imported.conversation
    await session.services.recorder.settled()
    if session.dialogue.is_kept:
        if await session.services.conversations.load(conversation.id) is not None:
            conversation = copied(conversation)
            session.say("It is here already, so this is a copy.")
        await session.services.conversations.create(conversation)
    session.dialogue.adopt(conversation)
    for note in imported.notes:
        session.say(f"Note: {sentence(spoken(clean_line(note)))}")
    _reopened(session)


async def _prompts(session: Session, text: str) -> None:
    prompts = await session.services.prompts.prompts()
    wanted = text.casefold().split()
    found = [
        prompt
        for prompt in prompts
        if all(word in " ".join((prompt.name, prompt.text, *prompt.tags)).casefold() for word in wanted)
    ]
    session.listed_prompts = tuple(found)
    lines = [prompt_line(number, prompt) for number, prompt in enumerate(found, start=1)]
    if not lines:
        session.say(
            "No saved prompt matches." if text else "No prompt was saved yet. /prompt-save NAME saves one."
        )
        return
    session.read_out([f"{count_words(len(lines), 'saved prompt')}.", *lines])


async def _prompt(session: Session, text: str) -> None:
    prompt = await _saved(session, text)
    session.draft = prompt.text
    session.say(
        f"{prompt.text}\nThis goes in front of your next line. /send sends it alone, /detach drops it."
    )
    used = replace(prompt, used_unix_ms=time.time_ns() // 1_000_000)
    await session.services.prompts.save_prompt(used)


async def _prompt_save(session: Session, text: str) -> None:
    name, _, given = (part.strip() for part in text.partition("="))
    words = given or session.last_written
    if not name or not words.strip():
        raise BadInput(
            "a saved prompt needs a name and a text", remedy="for example: /prompt-save short = Be brief."
        )
    await session.services.prompts.save_prompt(SavedPrompt(id=new_id(), name=name, text=words))
    session.say(f"Saved as {clean_line(name, 120)}: {clean_line(words, 200)}")


async def _prompt_delete(session: Session, text: str) -> None:
    prompt = await _saved(session, text)
    if not await session.confirm(f"Delete the saved prompt {clean_line(prompt.name, 120)}?"):
        session.say("Nothing was deleted.")
        return
    await session.services.prompts.delete_prompt(prompt.id)
    session.say("It was deleted.")


async def _saved(session: Session, text: str) -> SavedPrompt:
    wanted = unquoted(text)
    prompts = await session.services.prompts.prompts()
    for prompt in prompts:
        if prompt.name.casefold() == wanted.casefold():
            return prompt
    if wanted.isdecimal():
        listed_prompts = session.listed_prompts or prompts
        return listed_prompts[number_in(wanted, len(listed_prompts), "saved prompt", _IN_LIST) - 1]
    close = [clean_line(name, 120) for name in nearest(wanted, [prompt.name for prompt in prompts])]
    raise BadInput(
        f"there is no saved prompt {clean_line(wanted, 120)}",
        remedy=f"did you mean {listed(close)}?" if close else "/prompts lists them",
    )


async def _inputs(session: Session, text: str) -> None:
    count = amount_in(text, 1_000) if text else 10
    await session.services.recorder.settled()
    inputs = await session.services.history.inputs(count)
    lines = [
        f"{number}: {clean_line(written, 200)}" for number, written in enumerate(reversed(inputs), start=1)
    ]
    session.read_out(lines or ["Nothing was asked yet."])


COMMANDS = (
    Command(
        names=("conversations", "c"),
        group=_GROUP,
        arguments="[WORDS]",
        help="list what was kept, or only where the words are found; #TAG finds a tag",
        example="/conversations paris #travel",
        run=_conversations,
    ),
    Command(
        names=("open", "o"),
        group=_GROUP,
        arguments="NUMBER",
        help="go on with a conversation of the last list",
        example="/open 2",
        run=_open,
    ),
    Command(
        names=("rename",),
        group=_GROUP,
        arguments="TITLE",
        help="give this conversation another title",
        example="/rename Capitals of Europe",
        run=_rename,
    ),
    Command(
        names=("tag",),
        group=_GROUP,
        arguments="TAGS",
        help="give this conversation tags",
        example="/tag travel france",
        run=_tag,
    ),
    Command(
        names=("untag",),
        group=_GROUP,
        arguments="TAGS",
        help="take tags away from this conversation",
        example="/untag travel",
        run=_untag,
    ),
    Command(names=("tags",), group=_GROUP, help="list the tags in use", example="/tags", run=_tags),
    Command(
        names=("delete",),
        group=_GROUP,
        arguments="[NUMBER]",
        help="delete this conversation, or one of the last list; asks first",
        example="/delete 3",
        run=_delete,
    ),
    Command(
        names=("export",),
        group=_GROUP,
        arguments="PATH",
        help="write this conversation to a new file, .md for people or .json for everything",
        example="/export ~/capitals.md",
        run=_export,
    ),
    Command(
        names=("import",),
        group=_GROUP,
        arguments="PATH",
        help="read a conversation from a file and go on with it",
        example="/import ~/capitals.json",
        run=_import,
    ),
    Command(
        names=("inputs",),
        group=_GROUP,
        arguments="[COUNT]",
        help="list what was asked last, in this and in earlier sittings, the newest first",
        example="/inputs 5",
        run=_inputs,
    ),
    Command(
        names=("prompts",),
        group=_PROMPTS,
        arguments="[WORDS]",
        help="list the saved prompts",
        example="/prompts",
        run=_prompts,
    ),
    Command(
        names=("prompt", "p"),
        group=_PROMPTS,
        arguments="NAME",
        help="put a saved prompt in front of the next question",
        example="/prompt summary",
        run=_prompt,
    ),
    Command(
        names=("prompt-save",),
        group=_PROMPTS,
        arguments="NAME [= TEXT]",
        help="save the last question, or the text given, under a name",
        example="/prompt-save summary = Summarise this in three sentences.",
        run=_prompt_save,
    ),
    Command(
        names=("prompt-delete",),
        group=_PROMPTS,
        arguments="NAME",
        help="delete a saved prompt; asks first",
        example="/prompt-delete summary",
        run=_prompt_delete,
    ),
)
