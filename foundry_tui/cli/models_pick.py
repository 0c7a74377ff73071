"""``foundry-tui models pick``: choose among measured models by limits, and write down why."""

import argparse
import math
import time
from dataclasses import replace

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.groups import AddAction
from foundry_tui.cli.numbers import seconds, size
from foundry_tui.cli.options import launch_options
from foundry_tui.cli.output import print_json, print_table, print_text, say
from foundry_tui.cli.run_ids import load_with_requests
from foundry_tui.domain.scoring import HIGHEST, LOWEST
from foundry_tui.launching import resolve
from foundry_tui.metrics.candidate import COMPARED, Dimension
from foundry_tui.metrics.selection import Asked, Limits
from foundry_tui.reports.candidates import candidates_of, unlike_lines
from foundry_tui.reports.choice import Choice, choice
from foundry_tui.reports.choice_json import choice_object
from foundry_tui.reports.choice_tables import (
    SIGNS_LINE,
    VALUES_HEADER,
    WHO_HEADER,
    WHO_RIGHT,
    cut_lines,
    values_rows,
    who_rows,
)
from foundry_tui.reports.choice_words import (
    front_lines,
    limit_lines,
    weights_line,
    why_lines,
)
from foundry_tui.reports.decision import decision_markdown
from foundry_tui.reports.limit_line import LIMIT_EXAMPLE, read_limit_line
from foundry_tui.services.files import write_new
from foundry_tui.services.scoring.quality import run_quality
from foundry_tui.wiring.archive import open_archive

__all__ = ["add_actions"]


def add_actions(action: AddAction) -> None:
    """Add ``pick`` to ``models``; ``action`` makes its parser from name, words and example."""
    pick = action(
        "pick",
        "choose among the models of kept runs: who keeps to the limits, and whom no other one beats; exit"
        " code 1 where none is known to fit",
        "pick last --max-latency 2 --max-memory 6GB --license MIT,apache-2.0",
    )
    pick.add_argument("runs", metavar="RUN", nargs="*", help="its id, the beginning of it; default: last")
    limits = pick.add_argument_group("limits; what is not known of a model neither passes nor fails")
    limits.add_argument("--max-latency", metavar="S", type=seconds, help="median time of a whole answer")
    limits.add_argument("--max-ttft", metavar="S", type=seconds, help="median time to the first token")
    limits.add_argument("--min-rate", metavar="TOK_S", type=_rate, help="median decode rate")
    limits.add_argument("--max-memory", metavar="SIZE", type=size, help="peak RSS and VRAM, such as 6GB")
    limits.add_argument("--max-footprint", metavar="SIZE", type=size, help="on disk, such as 3GB")
    limits.add_argument("--min-quality", metavar="Q", type=_quality, help="mean score, from 1 to 5")
    limits.add_argument(
        "--license", metavar="A,B", type=_licenses, help="whole names that are allowed, in any case"
    )
    limits.add_argument(
        "--limits",
        metavar="LINE",
        default="",
        help=f"all on one line, as the screen takes them: '{LIMIT_EXAMPLE}'; the others come before it",
    )
    pick.add_argument(
        "--weights",
        metavar="NAME=W,…",
        type=_weights,
        help="print an order beside the list, such as latency=2,memory=1",
    )
    pick.add_argument("--decision", metavar="PATH", help="write a decision record in Markdown")
    pick.add_argument("--question", metavar="TEXT", default="", help="what is to be decided, for that record")
    pick.add_argument("--force", action="store_true", help="write over what is there")
    pick.add_argument("--json", action="store_true", help="one JSON object on stdout")
    pick.set_defaults(run=_pick)


async def _pick(arguments: argparse.Namespace) -> int:
    wanted = read_limit_line(arguments.limits)
    async with open_archive(resolve(launch_options(arguments))) as archive:
        whole = {
            run.id: (run, requests)
            for given in arguments.runs or ["last"]
            for run, requests in [await load_with_requests(archive.runs, given)]
        }
        qualities = {
            run_id: await run_quality(archive.scores, run, requests)
            for run_id, (run, requests) in whole.items()
        }
    runs = [run for run, _ in whole.values()]
    candidates = [
        each for run, requests in whole.values() for each in candidates_of(run, requests, qualities[run.id])
    ]
    found = choice(
        candidates,
        _limits(arguments, wanted.limits),
        weights=arguments.weights or wanted.weights,
        unlike=unlike_lines(runs, candidates),
    )
    if arguments.decision is not None:
        text = decision_markdown(
            found, runs, made_unix_ms=time.time_ns() // 1_000_000, question=arguments.question
        )
        path = await write_new(arguments.decision, text, replaces=arguments.force)
        say(f"the decision record is written to {path}")
    if arguments.json:
        print_json(choice_object(found))
    else:
        _print(found)
    return ExitCode.DONE if found.front else ExitCode.FAILED


def _limits(arguments: argparse.Namespace, of_line: Limits) -> Limits:
    """Each as its own option has it, else as the line has it."""
    given = {
        Asked.LATENCY: arguments.max_latency,
        Asked.TTFT: arguments.max_ttft,
        Asked.RATE: arguments.min_rate,
        Asked.MEMORY: arguments.max_memory,
        Asked.FOOTPRINT: arguments.max_footprint,
        Asked.QUALITY: arguments.min_quality,
        Asked.LICENSES: arguments.license,
    }
    return replace(of_line, **{asked.value: limit for asked, limit in given.items() if limit is not None})


def _print(found: Choice) -> None:
    print_text(f"limits: {'; '.join(limit_lines(found.limits))}\n")
    print_table(WHO_HEADER, who_rows(found), right=WHO_RIGHT)
    print_text("")
    print_table(VALUES_HEADER, values_rows(found), right=frozenset())
    print_text("\n" + "\n".join([SIGNS_LINE, *cut_lines(found)]))
    order = weights_line(found)
    for lines in (why_lines(found), front_lines(found), [] if order is None else [order]):
        if lines:
            print_text("\n" + "\n".join(lines))
    for line in found.unlike:
        say(line)
    if not found.front:
        say("no candidate is known to fit")


def _rate(text: str) -> float:
    """A rate above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"a number of tokens a second above 0, not {text!r}")
    return value


def _quality(text: str) -> float:
    """A mean score."""
    value = _number(text)
    if not LOWEST <= value <= HIGHEST:
        raise argparse.ArgumentTypeError(f"a number from {LOWEST} to {HIGHEST}, not {text!r}")
    return value


def _licenses(text: str) -> tuple[str, ...]:
    """Names with commas between them; each once."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not all(names):
        raise argparse.ArgumentTypeError(f"names of licences such as MIT,apache-2.0, not {text!r}")
    return names


def _weights(text: str) -> dict[Dimension, float]:
    """Weights by dimension: ``latency=2,memory=1``."""
    weights: dict[Dimension, float] = {}
    known = {dimension.value: dimension for dimension in COMPARED}
    for part in text.split(","):
        name, _, number = part.partition("=")
        dimension, weight = known.get(name.strip().lower()), _number(number)
        if dimension is None or dimension in weights or not 0 < weight < math.inf:
            raise argparse.ArgumentTypeError(
                f"such as latency=2,memory=1, each once, of {', '.join(known)}; not {text!r}"
            )
        weights[dimension] = weight
    return weights


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
