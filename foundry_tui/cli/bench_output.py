"""What a finished benchmark leaves: data on stdout, files in a folder."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from foundry_tui.cli.output import print_table, print_text, say
from foundry_tui.cli.run_ids import WholeRun
from foundry_tui.domain.bench import RequestRun, ResourceReading, Run
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.reports.check_words import checks_lines
from foundry_tui.reports.reruns import again_lines
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_csv import models_csv, requests_csv
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_results import model_results
from foundry_tui.reports.run_words import (
    MODEL_HEADER,
    RIGHT_COLUMNS,
    highlights,
    left_out_lines,
    memory_lines,
    model_row,
)
from foundry_tui.services.files import write_new

__all__ = ["print_results", "require_room", "write_results"]

_REPORT, _RESULTS = "benchmark_report.md", "benchmark_report.json"
_PAGE = "benchmark_report.html"
_REQUESTS, _MODELS = "benchmark_requests.csv", "benchmark_models.csv"


def print_results(
    run: Run,
    requests: Sequence[RequestRun],
    resources: Sequence[ResourceReading],
    context: RunContext,
    *,
    as_json: bool,
) -> None:
    """The results format, or a table and what it says."""
    if as_json:
        print_text(results_json(results_object(run, requests, resources, context)), end="")
        return
    results = model_results(run, requests)
    planned = len(run.plan.prompts) * run.plan.rounds
    print_table(MODEL_HEADER, [model_row(result, rounds=planned) for result in results], right=RIGHT_COLUMNS)
    for line in (*highlights(results), *again_lines(results), *checks_lines(context.checks)):
        print_text(line)
    for line in (*memory_lines(run, results), *left_out_lines(results)):
        say(line)


async def require_room(folder: Path, *, replaces: bool, run_id: str | None = None) -> bool:
    """See to it before anything is begun that the files can be written into ``folder``, which is made.

    Args:
        folder: Where to.
        replaces: Whether the user agreed to lose what is there.
        run_id: Of the run that goes on: what an earlier life of it wrote there is replaced.

    Returns:
        Whether to write over what is there.

    Raises:
        BadInput: One of them is there already, or the folder cannot be one.
        StorageProblem: It cannot be made.
    """
    return await asyncio.to_thread(_require_room, folder, replaces, run_id)


async def write_results(
    folder: Path,
    whole: WholeRun,
    context: RunContext,
    *,
    replaces: bool,
) -> tuple[Path, ...]:
    """Write reports, results and tables into ``folder``; their paths.

    Args:
        folder: Which must be there.
        whole: The run.
        context: What is known of it from elsewhere.
        replaces: Whether to write over what is there.

    Raises:
        BadInput: One of them is there already.
        StorageProblem: One cannot be written.
    """
    from foundry_tui.reports.run_html import run_html  # late: most commands write no files

    run, requests, resources = whole
    written: list[Path] = []
    for name, text in (
        (_RESULTS, results_json(results_object(run, requests, resources, context))),
        (_REPORT, run_markdown(run, requests, context)),
        (_PAGE, run_html([whole], {run.id: context})),
        (_REQUESTS, requests_csv(run, requests)),
        (_MODELS, models_csv(run, requests)),
    ):
        written.append(await write_new(str(folder / name), text, replaces=replaces))
    return tuple(written)


def _require_room(folder: Path, replaces: bool, run_id: str | None) -> bool:
    try:
        folder.expanduser().mkdir(parents=True, exist_ok=True)
        names = (_RESULTS, _REPORT, _PAGE, _REQUESTS, _MODELS)
        there = [name for name in names if (folder.expanduser() / name).exists()]
    except FileExistsError as error:
        raise BadInput(
            f"--out {folder} is no folder", remedy="name a folder, or one that is not there"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise StorageProblem(
            f"--out {folder} cannot be made: {error}", remedy="name another folder"
        ) from error
    is_its_own = run_id is not None and _run_id_in(folder.expanduser() / _RESULTS) == run_id
    if there and not replaces and not is_its_own:
        raise BadInput(
            f"{folder / there[0]} exists already",
            remedy="name another folder, or write over it with --force; nothing was begun",
        )
    return replaces or is_its_own


def _run_id_in(path: Path) -> object:
    """The id of the run in a results file; None where it is none."""
    try:
        content = json.loads(path.read_bytes())
        return content["run"]["id"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
