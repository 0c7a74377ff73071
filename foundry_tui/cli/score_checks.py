"""``foundry-tui score checks``: what a program can check of the answers of a run."""

import argparse
from collections.abc import Callable
from pathlib import Path

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.options import launch_options
from foundry_tui.cli.output import print_json, print_table, print_text, say
from foundry_tui.cli.run_ids import load_with_requests
from foundry_tui.config.locate import find_prompts
from foundry_tui.config.prompts_file import load_prompts
from foundry_tui.domain.quantities import plural
from foundry_tui.domain.text import clean_line
from foundry_tui.launching import resolve
from foundry_tui.metrics.checks import Passed
from foundry_tui.reports.check_words import (
    CHECKS_HEADER,
    CHECKS_RIGHT,
    checks_object,
    checks_rows,
    finding_lines,
    unanswered_lines,
)
from foundry_tui.services.scoring.checks import RunChecks, run_checks
from foundry_tui.wiring.archive import open_archive

__all__ = ["CHECKS_SCHEMA", "add_checks"]

CHECKS_SCHEMA = "foundry-tui/checks@1"


def add_checks(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add ``checks`` to the group that ``add`` adds to."""
    checks = add(
        "checks",
        "which answers of a run pass the checks of their prompts, a column of their own beside all scores",
        "checks last",
        run=_checks,
    )
    checks.add_argument("id", metavar="RUN", help="its id, the beginning of it, or last")
    checks.add_argument(
        "--prompts",
        metavar="FILE",
        type=Path,
        help="take the checks of this prompts.json, by the ids of its prompts; or a ready set, such as rag",
    )
    checks.add_argument("--json", action="store_true", help="one JSON object on stdout")


async def _checks(arguments: argparse.Namespace) -> int:
    launch = resolve(launch_options(arguments))
    others = None
    if arguments.prompts is not None:
        path = find_prompts(arguments.prompts, launch.options.config_dir)
        others = [prompt.planned for prompt in load_prompts(path)]
    async with open_archive(launch) as archive:
        run, requests = await load_with_requests(archive.runs, arguments.id)
    found = await run_checks(run, requests, others)
    if arguments.json:
        print_json(
            {
                "schema": CHECKS_SCHEMA,
                "run": run.id,
                "prompts": found.prompts,
                "models": [checks_object(model) for model in found.models],
                "not_in_run": list(found.strangers),
                "reworded": list(found.reworded),
            }
        )
        return ExitCode.DONE
    if found.prompts == 0:
        where = "the prompts of that file" if others is not None else "its prompts"
        say(f"run {clean_line(run.id)} has no checks: none of {where} that it asked has any")
        say("  → add them under checks in prompts.json; --prompts FILE applies those of a file to this run")
        return ExitCode.DONE
    _tell(found)
    return ExitCode.DONE


def _tell(found: RunChecks) -> None:
    print_table(CHECKS_HEADER, checks_rows(found.models), right=CHECKS_RIGHT)
    for title, lines in (
        ("failed", finding_lines(found.models, Passed.NO)),
        ("neither passed nor failed", finding_lines(found.models, Passed.NOT_APPLICABLE)),
        ("not answered", unanswered_lines(found.models)),
    ):
        if lines:
            print_text(f"\n{title}:")
        for line in lines:
            print_text(f"  {line}")
    if found.reworded:
        names = clean_line(", ".join(found.reworded))
        say(
            f"{plural(len(found.reworded), 'prompt')} of the file say other words than the run asked: {names}"
        )
    if found.strangers:
        names = clean_line(", ".join(found.strangers))
        say(f"{plural(len(found.strangers), 'prompt')} of the file were not asked in the run: {names}")
