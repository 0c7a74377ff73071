"""``foundry-tui runs …``: what was measured, without the screen and without an engine."""

import argparse
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from foundry_tui.cli.bench_output import print_results
from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.groups import add_group, page_by_page
from foundry_tui.cli.numbers import positive
from foundry_tui.cli.options import launch_options
from foundry_tui.cli.output import print_json, print_table, print_text, say
from foundry_tui.cli.run_files import RunFormat, format_of, run_file
from foundry_tui.cli.run_ids import load_run, load_whole
from foundry_tui.domain.bench import RunStatus, RunSummary
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.quantities import count_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.launching import Launch, resolve
from foundry_tui.ports.storage import RunStore
from foundry_tui.reports.comparison_words import answered_before_line
from foundry_tui.reports.conversation import tags_from
from foundry_tui.reports.conversation_markdown import utc_moment
from foundry_tui.reports.run_history import (
    HISTORY_HEADER,
    HISTORY_MEASURES,
    HISTORY_RIGHT,
    chart_lines,
    history,
    history_object,
    history_rows,
    since_lines,
)
from foundry_tui.reports.run_reading import IMPORT_LIMIT_BYTES, ImportedRun, read_run
from foundry_tui.reports.run_results import model_results
from foundry_tui.reports.run_words import status_words
from foundry_tui.services.bench.history import model_history
from foundry_tui.services.files import read_text, write_new
from foundry_tui.services.scoring.context import known_context
from foundry_tui.storage import FileLock
from foundry_tui.wiring.archive import open_archive

__all__ = ["RUN_LIST_SCHEMA", "add_commands"]

RUN_LIST_SCHEMA = "foundry-tui/run-list@1"
_HEADER = ("ID", "NAME", "BEGUN", "STATUS", "REQUESTS", "TAGS", "MODELS")
_SHOWN_ID = 8
_HISTORY = 20
_CHART_CELLS = 79

Act: TypeAlias = Callable[[RunStore, argparse.Namespace], Awaitable[int]]


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``runs`` and what is below it."""
    add = add_group(commands, "runs", description="The benchmarks that were kept.", example="list --json")

    def action(name: str, words: str, example: str, act: Act) -> argparse.ArgumentParser:
        return add(name, words, example, run=_run, act=act)

    listing = action("list", "one row per run, the newest first", "list --limit 10", _list)
    listing.add_argument("--limit", metavar="N", type=positive, help="the newest N; default: all")
    listing.add_argument("--tag", metavar="TAG", help="only runs that have it")
    listing.add_argument("--json", action="store_true", help="one JSON object on stdout")

    show = action("show", "what one run came to", "show last", _show)
    show.add_argument("id", metavar="RUN", help="its id, the beginning of it, or last")
    show.add_argument("--json", action="store_true", help="everything, foundry-tui/results@1")

    export = action("export", "write a run to a file", "export 3f2a --output run.json", _export)
    export.add_argument("id", metavar="RUN", help="its id, the beginning of it, or last")
    export.add_argument("--output", metavar="PATH", help="the file; default: stdout")
    export.add_argument(
        "--format",
        choices=[each.value for each in RunFormat],
        help="json has everything; default: as PATH ends, json on stdout",
    )
    export.add_argument("--force", action="store_true", help="write over what is there")

    bring_in = action("import", "keep the runs in files", "import results.json", _import)
    bring_in.add_argument("files", metavar="FILE", nargs="+", help="results of ours, or the workshop's JSON")

    past = action("history", "one model over its runs, the oldest first", "history phi-4-mini", _history)
    past.add_argument("model", metavar="MODEL", help="its name in a plan, its alias, or a variant")
    past.add_argument(
        "--measure", choices=list(HISTORY_MEASURES), default="decode", help="what of it; default: decode"
    )
    past.add_argument(
        "--limit", metavar="N", type=positive, default=_HISTORY, help=f"the newest N runs; default {_HISTORY}"
    )
    past.add_argument("--json", action="store_true", help="one JSON object on stdout")

    tag = action("tag", "add tags to a run, or take them away", "tag last nightly cpu --remove draft", _tag)
    tag.add_argument("id", metavar="RUN", help="its id, the beginning of it, or last")
    tag.add_argument("tags", metavar="TAG", nargs="*", help="what it gets")
    tag.add_argument("--remove", metavar="TAG", action="append", default=[], help="what it loses; repeatable")

    note = action(
        "note", "write a note to a run, which its reports show", 'note last "before the update"', _note
    )
    note.add_argument("id", metavar="RUN", help="its id, the beginning of it, or last")
    note.add_argument("text", metavar="TEXT", help='what it is; "" removes it')

    rename = action("rename", "give a run another name", 'rename 3f2a "with CUDA"', _rename)
    rename.add_argument("id", metavar="RUN", help="its id, the beginning of it, or last")
    rename.add_argument("name", metavar="NAME")

    delete = action("delete", "remove for good, with all requests", "delete 3f2a", _delete)
    delete.add_argument("ids", metavar="RUN", nargs="+", help="its id, or the beginning of it")


async def _run(arguments: argparse.Namespace) -> int:
    act: Act = arguments.act
    launch = resolve(launch_options(arguments))
    arguments.measured_now = _measured_now(launch)
    async with open_archive(launch) as archive:
        arguments.scores = archive.scores  # of what is shown and written, as the quality of it
        return await act(archive.runs, arguments)


def _measured_now(launch: Launch) -> bool:
    """Whether some process measures: a run that is not ended and that nobody works on has died."""
    return FileLock(launch.setup.data_dir / "measurement.lock").holder() is not None


async def _list(store: RunStore, arguments: argparse.Namespace) -> int:
    if arguments.tag is None:
        found = await _all(store, limit=arguments.limit)
    else:
        wanted = arguments.tag.strip().casefold()
        tagged = [run for run in await _all(store, limit=None) if wanted in map(str.casefold, run.tags)]
        found = tagged[: arguments.limit]
    is_running = arguments.measured_now
    if arguments.json:
        print_json(_list_object(found, is_running=is_running))
    elif found:
        print_table(_HEADER, [_row(run, is_running=is_running) for run in found], right=frozenset({4}))
    elif arguments.tag is not None:
        say(f"no run has the tag {clean_line(arguments.tag, 60)!r}: foundry-tui runs tag gives it one")
    else:
        say("no run is kept: foundry-tui bench makes one")
    return ExitCode.DONE


async def _show(store: RunStore, arguments: argparse.Namespace) -> int:
    run, requests, resources = await load_whole(store, arguments.id)
    if not arguments.json:
        name = f" “{clean_line(run.name)}”" if run.name else ""
        words = status_words(run, model_results(run, requests))
        if run.status is RunStatus.RUNNING and not arguments.measured_now:
            words = RunStatus.INTERRUPTED.value
        print_text(f"run {run.id}{name}, begun {utc_moment(run.started_unix_ms)}: {words}")
        if run.tags:
            print_text(f"tags: {clean_line(', '.join(run.tags))}")
        if run.note:
            print_text(f"note: {clean_line(run.note)}")
    context = await known_context(store, arguments.scores, run, requests)
    print_results(run, requests, resources, context, as_json=arguments.json)
    if not arguments.json:
        for found in context.before:
            print_text(answered_before_line(found))
    return ExitCode.DONE


async def _history(store: RunStore, arguments: argparse.Namespace) -> int:
    measured = await model_history(store, arguments.model, limit=arguments.limit)
    if not measured:
        raise BadInput(
            f"no run has a model that is called {clean_line(arguments.model, 60)!r}",
            remedy="foundry-tui runs list shows the models of each run",
        )
    measure = HISTORY_MEASURES[arguments.measure]
    points = history(measured, measure)
    if arguments.json:
        print_json(history_object(arguments.model, measure, points))
        return ExitCode.DONE
    print_table(HISTORY_HEADER, history_rows(points), right=HISTORY_RIGHT)
    for lines in (chart_lines(points, cells=_CHART_CELLS), since_lines(points)):
        if lines:
            print_text("\n" + "\n".join(lines))
    return ExitCode.DONE


async def _export(store: RunStore, arguments: argparse.Namespace) -> int:
    run, requests, resources = await load_whole(store, arguments.id)
    context = await known_context(store, arguments.scores, run, requests)
    file_format = format_of(arguments.format, arguments.output)
    text = run_file([(run, requests, resources)], file_format, {run.id: context})
    if arguments.output is None:
        print_text(text, end="")
        return ExitCode.DONE
    say(f"{run.id} written to {await write_new(arguments.output, text, replaces=arguments.force)}")
    return ExitCode.DONE


async def _import(store: RunStore, arguments: argparse.Namespace) -> int:
    read: list[tuple[str, ImportedRun]] = []
    known: set[str] = set()
    for name in arguments.files:
        file = await read_text(name, limit_bytes=IMPORT_LIMIT_BYTES)
        imported = read_run(file.text, Path(name).name, now_unix_ms=time.time_ns() // 1_000_000)
        run_id = imported.run.id
        if run_id in known or await store.run(run_id) is not None:
            raise BadInput(
                f"{clean_line(name)}: the run {clean_line(run_id)} is here already",
                remedy="delete it first, or leave this file out; nothing was imported",
            )
        known.add(run_id)
        read.append((name, imported))
    for name, imported in read:
        await store.import_run(imported.run, imported.requests, imported.resources)
        print_text(f"{imported.run.id}  {clean_line(imported.run.name) or 'unnamed'}")
        for note in imported.notes:
            say(f"{clean_line(name)}: {note}")
    return ExitCode.DONE


async def _tag(store: RunStore, arguments: argparse.Namespace) -> int:
    run = await load_run(store, arguments.id)
    lost = {tag.strip("# ").casefold() for tag in arguments.remove}
    if strange := lost - set(map(str.casefold, run.tags)):
        raise BadInput(
            f"the run has no tag {clean_line(min(strange), 60)!r}",
            remedy=f"it has {clean_line(', '.join(run.tags)) or 'none'}; nothing was changed",
        )
    kept = [tag for tag in run.tags if tag.casefold() not in lost]
    known = set(map(str.casefold, kept))
    new = [tag for tag in tags_from(",".join([*arguments.tags, ""])) if tag.casefold() not in known]
    tags = tuple(sorted([*kept, *new], key=str.casefold))
    await store.describe_run(run.id, name=run.name, note=run.note, tags=tags)
    print_text(f"{run.id}  {clean_line(', '.join(tags)) or 'no tags'}")
    return ExitCode.DONE


async def _note(store: RunStore, arguments: argparse.Namespace) -> int:
    run = await load_run(store, arguments.id)
    await store.describe_run(run.id, name=run.name, note=arguments.text.strip(), tags=run.tags)
    print_text(f"{run.id}  {clean_line(arguments.text) or 'no note'}")
    return ExitCode.DONE


async def _rename(store: RunStore, arguments: argparse.Namespace) -> int:
    run = await load_run(store, arguments.id)
    name = clean_line(arguments.name)
    await store.describe_run(run.id, name=name, note=run.note, tags=run.tags)
    print_text(f"{run.id}  {name or 'unnamed'}")
    return ExitCode.DONE


async def _delete(store: RunStore, arguments: argparse.Namespace) -> int:
    runs = [await load_run(store, given) for given in arguments.ids]
    if arguments.measured_now and any(run.status is RunStatus.RUNNING for run in runs):
        raise BadInput("one of these runs is under way", remedy="stop it first; nothing was deleted")
    for run_id in dict.fromkeys(run.id for run in runs):
        await store.delete_run(run_id)
        print_text(f"{run_id} deleted")
    return ExitCode.DONE


async def _all(store: RunStore, *, limit: int | None) -> list[RunSummary]:
    return await page_by_page(lambda size, offset: store.runs(limit=size, offset=offset), limit=limit)


def _status(run: RunSummary, *, is_running: bool) -> str:
    if run.status is RunStatus.RUNNING and not is_running:
        return RunStatus.INTERRUPTED.value
    return run.status.value


def _row(run: RunSummary, *, is_running: bool) -> tuple[str, ...]:
    return (
        run.id[:_SHOWN_ID],
        run.name or "unnamed",
        utc_moment(run.started_unix_ms),
        _status(run, is_running=is_running),
        count_in_words(run.requests),
        ", ".join(run.tags),
        ", ".join(run.models),
    )


def _list_object(found: list[RunSummary], *, is_running: bool) -> dict[str, object]:
    return {
        "schema": RUN_LIST_SCHEMA,
        "runs": [
            {
                "id": run.id,
                "name": run.name or None,
                "status": _status(run, is_running=is_running),
                "started_at": utc_moment(run.started_unix_ms),
                "started_unix_ms": run.started_unix_ms,
                "ended_unix_ms": run.ended_unix_ms,
                "models": list(run.models),
                "requests": run.requests,
                "planned": run.planned,
                "tags": list(run.tags),
            }
            for run in found
        ],
    }
