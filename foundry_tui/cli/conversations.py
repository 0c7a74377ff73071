"""``foundry-tui conversations …``: what was kept of the chats, without the screen and without an engine."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.groups import add_group, page_by_page
from foundry_tui.cli.numbers import positive
from foundry_tui.cli.options import launch_options
from foundry_tui.cli.output import print_json, print_table, print_text, say
from foundry_tui.domain.conversations import Conversation, ConversationSummary
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.quantities import count_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.launching import resolve
from foundry_tui.ports.storage import ConversationStore
from foundry_tui.reports.conversation import (
    IMPORT_LIMIT_BYTES,
    ConversationFormat,
    Imported,
    conversation_file,
    copied,
    file_name,
    format_of,
    read_conversation,
)
from foundry_tui.reports.conversation_markdown import utc_moment
from foundry_tui.services.files import read_text, write_new
from foundry_tui.wiring.archive import open_archive

__all__ = ["CONVERSATION_LIST_SCHEMA", "add_commands"]

CONVERSATION_LIST_SCHEMA = "foundry-tui/conversation-list@1"
_HEADER = ("ID", "TITLE", "USED", "TURNS", "TAGS", "MODELS")
# Fewer characters of an id would often fit several.
_SHORTEST_ID = 4

Act: TypeAlias = Callable[[ConversationStore, argparse.Namespace], Awaitable[int]]


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``conversations`` and what is below it."""
    add = add_group(
        commands,
        "conversations",
        description="The conversations that were kept.",
        example='search "slow start" --json',
    )

    def action(name: str, words: str, example: str, act: Act) -> argparse.ArgumentParser:
        return add(name, words, example, run=_run, act=act)

    listing = action("list", "one row per conversation, the newest first", "list --tag work --json", _list)
    search = action(
        "search", "those that have all the words, the last one as a beginning", "search slow start", _search
    )
    search.add_argument("words", metavar="WORD", nargs="+", help="what was said, or stands in title or tags")
    for parser in (listing, search):
        parser.add_argument("--tag", metavar="TAG", help="only those with this tag")
        parser.add_argument("--limit", metavar="N", type=positive, help="the newest N; default: all")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    show = action("show", "one conversation as Markdown, the branch that was read last", "show 3f2a", _show)
    show.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    show.add_argument("--json", action="store_true", help="every branch and reading, as JSON")

    export = action(
        "export", "write to a file, or all of them into a folder", "export --all --output backup/", _export
    )
    export.add_argument("id", metavar="ID", nargs="?", help="its id, or the beginning of it")
    export.add_argument("--all", action="store_true", help="every conversation, a file each")
    export.add_argument("--output", metavar="PATH", required=True, help="the file, with --all the folder")
    export.add_argument(
        "--format",
        choices=[each.value for each in ConversationFormat],
        help="md for people, json for everything; default: as PATH ends, with --all md",
    )
    export.add_argument("--force", action="store_true", help="write over what is there")

    bring_in = action("import", "keep the conversations in files", "import notes.md backup/*.json", _import)
    bring_in.add_argument("files", metavar="FILE", nargs="+", help=".json or .md; a chat log with ## User")
    bring_in.add_argument("--copy", action="store_true", help="keep a second one beside one that is here")

    delete = action("delete", "remove for good, with all branches", "delete 3f2a", _delete)
    delete.add_argument("ids", metavar="ID", nargs="+", help="its id, or the beginning of it")


async def _run(arguments: argparse.Namespace) -> int:
    act: Act = arguments.act
    async with open_archive(resolve(launch_options(arguments))) as archive:
        return await act(archive.conversations, arguments)


async def _list(store: ConversationStore, arguments: argparse.Namespace) -> int:
    found = await _found(store, "", arguments)
    if arguments.json:
        print_json(_list_object(found))
    elif found:
        print_table(_HEADER, (_row(summary) for summary in found), right=frozenset({3}))
    else:
        say("no conversation is kept" if arguments.tag is None else "no conversation has this tag")
    return ExitCode.DONE


async def _search(store: ConversationStore, arguments: argparse.Namespace) -> int:
    found = await _found(store, " ".join(arguments.words), arguments)
    if arguments.json:
        print_json(_list_object(found))
    elif found:
        rows = ((*_row(summary)[:3], summary.snippet) for summary in found)
        print_table((*_HEADER[:3], "WHERE"), rows, right=frozenset())
    else:
        say("no conversation has all these words")
    return ExitCode.DONE


async def _show(store: ConversationStore, arguments: argparse.Namespace) -> int:
    conversation = await _load(store, arguments.id)
    file_format = ConversationFormat.JSON if arguments.json else ConversationFormat.MARKDOWN
    print_text(conversation_file(conversation, file_format), end="")
    return ExitCode.DONE


async def _export(store: ConversationStore, arguments: argparse.Namespace) -> int:
    if arguments.all is (arguments.id is not None):
        raise BadInput("export wants one conversation or all", remedy="give an ID, or --all and no ID")
    if arguments.all:
        return await _export_all(store, arguments)
    given = arguments.format
    file_format = format_of(arguments.output) if given is None else ConversationFormat(given)
    conversation = await _load(store, arguments.id)
    text = conversation_file(conversation, file_format)
    written = await write_new(arguments.output, text, replaces=arguments.force)
    say(f"{conversation.id} written to {written}")
    return ExitCode.DONE


async def _export_all(store: ConversationStore, arguments: argparse.Namespace) -> int:
    file_format = ConversationFormat(arguments.format or ConversationFormat.MARKDOWN)
    found = await _all(store)
    names = _names(found, file_format)
    folder = await asyncio.to_thread(_make_folder, arguments.output, names, arguments.force)
    written = 0
    for summary, name in zip(found, names, strict=True):
        conversation = await store.load(summary.id)
        if conversation is not None:  # else somebody deleted it meanwhile
            text = conversation_file(conversation, file_format)
            await write_new(str(folder / name), text, replaces=arguments.force)
            written += 1
    say(f"{count_in_words(written)} written to {folder}")
    return ExitCode.DONE


async def _import(store: ConversationStore, arguments: argparse.Namespace) -> int:
    read: list[tuple[str, Imported]] = []
    known: set[str] = set()
    for name in arguments.files:
        file = await read_text(name, limit_bytes=IMPORT_LIMIT_BYTES)
        imported = read_conversation(file.text, name)
        conversation = imported.conversation
        if conversation.id in known or await store.load(conversation.id) is not None:
            if not arguments.copy:
                raise BadInput(
                    f"{clean_line(name)}: the conversation {conversation.id} is here already",
                    remedy="--copy keeps a second one beside it; nothing was imported",
                )
            imported = Imported(conversation=copied(conversation), notes=imported.notes)
        known.add(imported.conversation.id)
        read.append((name, imported))
    for name, imported in read:
        await store.create(imported.conversation)
        print_text(f"{imported.conversation.id}  {clean_line(imported.conversation.title) or 'untitled'}")
        for note in imported.notes:
            say(f"{clean_line(name)}: left out: {note}")
    return ExitCode.DONE


async def _delete(store: ConversationStore, arguments: argparse.Namespace) -> int:
    ids = dict.fromkeys([(await _load(store, given)).id for given in arguments.ids])
    for conversation_id in ids:
        await store.delete(conversation_id)
        print_text(f"{conversation_id} deleted")
    return ExitCode.DONE


async def _found(
    store: ConversationStore, text: str, arguments: argparse.Namespace
) -> list[ConversationSummary]:
    return await _all(store, text=text, tag=arguments.tag, limit=arguments.limit)


async def _all(
    store: ConversationStore, *, text: str = "", tag: str | None = None, limit: int | None = None
) -> list[ConversationSummary]:
    return await page_by_page(
        lambda size, offset: store.find(text=text, tag=tag, limit=size, offset=offset), limit=limit
    )


async def _load(store: ConversationStore, given: str) -> Conversation:
    """The conversation of that id, or the only one whose id begins so.

    Raises:
        BadInput: There is none, or more than one.
    """
    found = await store.load(given)
    if found is None and len(given) >= _SHORTEST_ID:
        ids = [summary.id for summary in await _all(store) if summary.id.startswith(given)]
        if len(ids) > 1:
            raise BadInput(
                f"{len(ids)} conversations have ids that begin with {given!r}", remedy="give more of it"
            )
        found = await store.load(ids[0]) if ids else None
    if found is None:
        raise BadInput(f"no conversation {given!r}", remedy="foundry-tui conversations list shows all ids")
    return found


def _names(found: list[ConversationSummary], file_format: ConversationFormat) -> list[str]:
    """A name for each file, with the beginning of the id, so that none is there twice."""
    names: list[str] = []
    taken: set[str] = set()
    end = f".{file_format.value}"
    for summary in found:
        title = file_name(summary.title, file_format).removesuffix(end)
        # An id that was imported may hold anything, and a name must not leave its folder.
        stem = f"{title}-{file_name(summary.id[:8], file_format).removesuffix(end)}"
        number, name = 1, stem + end
        while name.casefold() in taken:  # not every file system tells a from A
            number += 1
            name = f"{stem}-{number}{end}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _make_folder(given: str, names: list[str], replaces: bool) -> Path:
    """The folder, made if it is not there; nothing of ``names`` is in it, unless that may be replaced."""
    try:
        folder = Path(given).expanduser().absolute()
        folder.mkdir(parents=True, exist_ok=True)
        there = [] if replaces else [name for name in names if (folder / name).exists()]
    except FileExistsError as error:
        raise BadInput(
            f"{given} is no folder", remedy="name a folder, or one that is not there yet"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise StorageProblem(f"{given} cannot be made: {error}", remedy="name another folder") from error
    if there:
        raise BadInput(
            f"{folder / there[0]} exists already"
            + (f", and {len(there) - 1} more" if len(there) > 1 else ""),
            remedy="name another folder, or write over them with --force; nothing was written",
        )
    return folder


def _row(summary: ConversationSummary) -> tuple[str, ...]:
    return (
        summary.id,
        summary.title or "untitled",
        utc_moment(summary.updated_unix_ms),
        count_in_words(summary.turns),
        " ".join(f"#{tag}" for tag in summary.tags),
        ", ".join(summary.models),
    )


def _list_object(found: list[ConversationSummary]) -> dict[str, object]:
    return {
        "schema": CONVERSATION_LIST_SCHEMA,
        "conversations": [
            {
                "id": summary.id,
                "title": summary.title,
                "updated_unix_ms": summary.updated_unix_ms,
                "turns": summary.turns,
                "tags": list(summary.tags),
                "models": list(summary.models),
                "snippet": summary.snippet,
                "hits": [list(hit) for hit in summary.hits],
                "hit_turn_id": summary.hit_id,
            }
            for summary in found
        ],
    }
