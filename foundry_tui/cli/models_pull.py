"""``foundry-tui models pull``: models onto this disk, checked; what is damaged is fetched anew.

Onto the disk of a server that downloads for itself: ``models_fetch``.
"""

import argparse
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from foundry_tui.bootstrap import open_services
from foundry_tui.cli.exit_codes import ExitCode, code_of
from foundry_tui.cli.groups import AddAction
from foundry_tui.cli.models_fetch import agree, fetch_all
from foundry_tui.cli.options import launch_options
from foundry_tui.cli.output import complain, print_text, say
from foundry_tui.cli.progress import BAR_SIGNS, LINE_CELLS, ProgressLine
from foundry_tui.domain.downloads import ENDED_STATES, Download, DownloadState
from foundry_tui.domain.errors import FoundryTuiError, StorageProblem
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.launching import resolve
from foundry_tui.reports.catalogs import missing_lines
from foundry_tui.reports.downloads import detail_lines, progress_line
from foundry_tui.services.downloads.facade import DownloadQueue
from foundry_tui.services.model_care import ModelCare
from foundry_tui.services.opened import Services
from foundry_tui.services.setup import LicensePolicy

__all__ = ["add_actions"]


def add_actions(action: AddAction) -> None:
    """Add ``pull`` to ``models``; ``action`` makes its parser from name, words and example."""
    pull = action(
        "pull",
        "download models, resume what was left in the middle, repair what is damaged; Ctrl-C leaves a partial"
        " that the same command goes on with",
        "pull qwen2.5-0.5b phi-4-mini-generic-cpu:3",
    )
    pull.add_argument("models", metavar="ID", nargs="+", help="variant id or alias")
    pull.add_argument(
        "--accept-license",
        action="store_true",
        help="agree to licences that the settings deny too; without it the command itself is consent"
        " to all others",
    )
    pull.set_defaults(run=_pull)


async def _pull(arguments: argparse.Namespace) -> int:
    async with _opened(arguments) as services:
        if services.care is None:
            return await fetch_all(services, arguments.models)
        return await _pull_here(services.care, arguments.models)


async def _pull_here(care: ModelCare, names: Sequence[str]) -> int:
    await care.client.start()
    snapshot = await care.client.refresh()
    for line in missing_lines(snapshot, time.time()):
        say(line)
    await care.recall()
    care.downloads.start()
    wanted = [_wanted(care, name) for name in names]
    # All that can be refused is refused before anything is fetched.
    for model in wanted:
        await agree(care.licenses, model)
    code = ExitCode.DONE
    for model in dict.fromkeys(wanted):
        try:
            ended = await _fetch(care, model)
        except FoundryTuiError as error:
            complain(error)
            code = code_of(error)
            continue
        if ended.state is DownloadState.DONE:
            print_text(f"{model.id} is here and sound")
            continue
        code = ExitCode.FAILED
        for line in detail_lines(ended, None, _now_unix_ms()):
            say(f"foundry-tui: {model.id}: {line}")
    return code


@asynccontextmanager
async def _opened(arguments: argparse.Namespace) -> AsyncGenerator[Services, None]:
    launch = resolve(launch_options(arguments))
    if arguments.accept_license:
        launch = replace(launch, setup=replace(launch.setup, licenses=LicensePolicy()))
    async with open_services(launch, only_own_downloads=True) as services:
        yield services


def _wanted(care: ModelCare, name: str) -> ModelVariant:
    """The variant of that id; of an alias, what is here, else the first that this machine can run."""
    family = [
        model
        for model in care.client.catalog.value.models
        if model.alias == name and model.catalog is CatalogKind.PUBLIC
    ]
    if care.client.catalog.value.find(name) in family:
        return min(family, key=lambda model: (not model.is_cached, model.unavailable is not None))
    return care.client.find(name)


async def _fetch(care: ModelCare, model: ModelVariant) -> Download:
    """Have ``model`` fetched, and tell how far it is until that has ended."""
    if model.is_cached and care.health.problem_of(model.id) is not None:
        say(f"{model.id} is damaged, and fetched anew")
        entry = await care.repair(model.id)
    else:
        entry = await care.downloads.add(model)
    say(f"{model.id}: {bytes_in_words(model.size_bytes)}")
    is_over = False
    try:
        with ProgressLine() as line:
            async with care.downloads.watching() as queues:
                async for queue in queues:
                    if queue.problem is not None:
                        raise StorageProblem(queue.problem.message, remedy=queue.problem.remedy)
                    found = next((other for other in queue.entries if other.id == entry.id), None)
                    if found is None or found.state in ENDED_STATES | {DownloadState.PAUSED}:
                        is_over = True
                        return found or replace(entry, state=DownloadState.CANCELLED)
                    line.tell(_words(found, queue))
    finally:
        if not is_over:
            await care.downloads.pause(entry.id)  # Ctrl-C: what is here is kept for the next time
    raise AssertionError("the queue does not end")


def _words(entry: Download, queue: DownloadQueue) -> str:
    running = queue.running if queue.running and queue.running.download_id == entry.id else None
    if running is None:
        return detail_lines(entry, None, _now_unix_ms())[0]
    return progress_line(running, cells=LINE_CELLS, signs=BAR_SIGNS)


def _now_unix_ms() -> int:
    return time.time_ns() // 1_000_000
