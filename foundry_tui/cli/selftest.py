"""``foundry-tui selftest``: our own measurement error against a built-in server of known timing."""

import argparse
import os
import sys

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.numbers import positive
from foundry_tui.cli.options import add_common, launch_options
from foundry_tui.cli.output import print_json, print_table, print_text, say
from foundry_tui.cli.progress import ProgressLine
from foundry_tui.launching import resolve
from foundry_tui.metrics.clock_error import is_passed
from foundry_tui.reports.selftest import (
    CLOCK_HEADER,
    CLOCK_RIGHT,
    FAULT_HEADER,
    clock_rows,
    diagnosis_lines,
    fault_rows,
    selftest_object,
    verdict_line,
)
from foundry_tui.services.own_error import is_wanted
from foundry_tui.services.selftest import SelfTestProgress
from foundry_tui.wiring.selftest import keep_own_error, make_own_error, open_selftest, selftest_environment

__all__ = ["add_commands", "know_own_error"]

_ROUNDS = 10
_EPILOG = """example: foundry-tui selftest --json

A server of known timing runs beside us and keeps when it wrote each piece.  It is asked through the very
child process, transport and clock of a benchmark: once while nothing else happens, and once while this
process draws what arrives.  Exit code 1 if a median error is above its aim, a count is not exact, or a
failure is told as another.  What was found stands at the foot of the reports of runs that come.
"""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``selftest``."""
    selftest = commands.add_parser(
        "selftest",
        description="How far our own numbers are from the truth, on this machine, now.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common(selftest, top=False)
    selftest.add_argument(
        "--rounds",
        metavar="N",
        type=positive,
        default=_ROUNDS,
        help=f"answers of each schedule (default {_ROUNDS}, the least for a p99 of the gaps)",
    )
    selftest.add_argument("--no-screen", action="store_true", help="leave out the part that draws meanwhile")
    selftest.add_argument("--json", action="store_true", help="one JSON object on stdout")
    selftest.set_defaults(run=_selftest)


async def know_own_error(arguments: argparse.Namespace) -> None:
    """Before a benchmark: a short self-test, if it is wanted and none of this version and machine is kept.

    What nobody decided is decided by whether somebody watches: a script is not kept waiting.
    """
    wanted: bool | None = arguments.selftest
    if wanted is None:
        wanted = is_wanted(os.environ.get("BENCH_SELFTEST"), default=sys.stderr.isatty())
    if wanted:
        await make_own_error(resolve(launch_options(arguments)), tell=_tell)


def _tell() -> None:
    say("first our own error is measured, once for each version; --no-selftest leaves it out")


async def _selftest(arguments: argparse.Namespace) -> int:
    open_drawing = None
    if not arguments.no_screen:
        # The second place that reaches for the screen: its work is part of what is measured.
        from foundry_tui.tui.unseen import unseen_drawing

        open_drawing = unseen_drawing
    launch = resolve(launch_options(arguments))
    with ProgressLine(tells_at_once=False) as line:
        async with open_selftest(
            launch,
            rounds=arguments.rounds,
            open_drawing=open_drawing,
            tell=lambda progress: line.tell(_progress_words(progress)),
        ) as selftest:
            result = await selftest.run()
    await keep_own_error(launch, result)
    if arguments.json:
        print_json(selftest_object(result, await selftest_environment()))
    else:
        print_table(CLOCK_HEADER, clock_rows(result), right=CLOCK_RIGHT)
        print_text("")
        print_table(FAULT_HEADER, fault_rows(result), right=frozenset())
        print_text("")
        for told in (*diagnosis_lines(result), verdict_line(result)):
            print_text(told)
    return ExitCode.DONE if is_passed(result) else ExitCode.FAILED


def _progress_words(progress: SelfTestProgress) -> str:
    return f"self-test: {progress.done} of {progress.total} answers"
