"""``foundry-tui report``: what was measured, for people and for spreadsheets."""

import argparse

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.options import add_common, launch_options
from foundry_tui.cli.output import print_text, say
from foundry_tui.cli.run_files import RunFormat, format_of, run_file
from foundry_tui.cli.run_ids import load_whole
from foundry_tui.launching import resolve
from foundry_tui.services.files import write_new
from foundry_tui.services.scoring.context import known_context
from foundry_tui.wiring.archive import open_archive

__all__ = ["add_commands"]


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``report``."""
    report = commands.add_parser(
        "report",
        description="Write a report of runs: a page with charts (html) or Markdown for people, CSV with a row"
        " for each request, or JSON.",
        epilog="example: foundry-tui report last --output benchmark_report.html",
    )
    add_common(report, top=False)
    report.add_argument("ids", metavar="RUN", nargs="+", help="its id, the beginning of it, or last")
    report.add_argument(
        "--format", choices=[each.value for each in RunFormat], help="default: as PATH ends, md on stdout"
    )
    report.add_argument("--output", metavar="PATH", help="the file; default: stdout")
    report.add_argument("--force", action="store_true", help="write over what is there")
    report.set_defaults(run=_report)


async def _report(arguments: argparse.Namespace) -> int:
    file_format = format_of(arguments.format, arguments.output, default=RunFormat.MARKDOWN)
    async with open_archive(resolve(launch_options(arguments))) as archive:
        runs = [await load_whole(archive.runs, given) for given in arguments.ids]
        context = {
            run.id: await known_context(archive.runs, archive.scores, run, requests)
            for run, requests, _ in runs
        }
    text = run_file(runs, file_format, context)
    if arguments.output is None:
        print_text(text, end="")
        return ExitCode.DONE
    say(f"written to {await write_new(arguments.output, text, replaces=arguments.force)}")
    return ExitCode.DONE
