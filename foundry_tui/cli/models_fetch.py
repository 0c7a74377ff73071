"""``foundry-tui models pull --endpoint``: a server that downloads for itself is told to, and followed."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from foundry_tui.cli.exit_codes import ExitCode, code_of
from foundry_tui.cli.output import complain, print_text, say
from foundry_tui.cli.progress import BAR_SIGNS, LINE_CELLS, ProgressLine, following
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.errors import FoundryTuiError, NotSupported
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line, clean_text
from foundry_tui.reports.catalogs import missing_lines
from foundry_tui.reports.downloads import progress_line
from foundry_tui.reports.fetching import ended_words, place_words, stopped_words
from foundry_tui.services.client import FetchEnd, Job, JobKind
from foundry_tui.services.downloads.licenses import Licenses, Verdict
from foundry_tui.services.opened import Services

__all__ = ["agree", "fetch_all"]


async def fetch_all(services: Services, names: Sequence[str]) -> int:
    """Have the server download all of them, one after the other; the exit code.

    Raises:
        NotSupported: This kind of server downloads nothing for others.
        BadInput: The settings deny a licence; nothing was asked for then.
        StorageProblem: What was agreed to cannot be read or kept; likewise.
        EngineError: The server cannot be reached, or has no such model.
    """
    info = await services.client.start()
    if not info.can(Capability.DOWNLOAD):
        raise NotSupported(
            "the models lie on the server's own disk: nothing here can be fetched onto it",
            remedy="leave out --endpoint, or download on that machine",
        )
    snapshot = await services.client.refresh()
    for line in missing_lines(snapshot, time.time()):
        say(line)
    wanted = dict.fromkeys(services.client.find(name) for name in names)
    for model in wanted:
        await agree(services.licenses, model)
    code = ExitCode.DONE
    for model in wanted:
        try:
            end = await _fetch(services, model)
        except FoundryTuiError as error:
            complain(error)
            code = code_of(error)
            continue
        except asyncio.CancelledError:
            say(stopped_words(model.id))
            raise
        print_text(ended_words(model.id) if end is FetchEnd.DONE else stopped_words(model.id))
    return code


async def agree(licenses: Licenses, model: ModelVariant) -> None:
    """Take the command for consent, and print the licence unless it was agreed to before.

    Raises:
        BadInput: The settings deny it.
        StorageProblem: What was agreed to cannot be read or kept.
    """
    verdict = await licenses.consent(model)
    if verdict.verdict is Verdict.ASK:
        name = verdict.name or "(none named)"
        say(f"{model.id} comes under the licence {clean_line(name)}; fetching it is consent. Its text:")
        say(clean_text(verdict.text) if verdict.text else "The catalog has no text of it.")


async def _fetch(services: Services, model: ModelVariant) -> FetchEnd:
    say(f"{model.id}: {place_words(model)}")
    words = partial(_words, model_id=model.id)
    async with following(ProgressLine(), services.client.jobs, words):
        return await services.client.fetch(model.id)


def _words(jobs: Sequence[Job], model_id: str) -> str | None:
    for job in jobs:
        if job.kind is JobKind.FETCH and job.model_id == model_id and job.transfer is not None:
            return progress_line(job.transfer, cells=LINE_CELLS, signs=BAR_SIGNS)
    return None
