"""``foundry-tui bench``: a benchmark without the screen."""

import argparse
import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from foundry_tui.cli.bench_limits import GIVEN, add_limits, limits_of
from foundry_tui.cli.bench_output import print_results, require_room, write_results
from foundry_tui.cli.bench_plan import made_plan
from foundry_tui.cli.bench_progress import telling
from foundry_tui.cli.bench_race import add_race, raced
from foundry_tui.cli.bench_told import size_in_words, tell_plan
from foundry_tui.cli.bench_wishes import wishes_of
from foundry_tui.cli.exit_codes import ExitCode, code_of
from foundry_tui.cli.models import opened
from foundry_tui.cli.numbers import concurrencies, positive, seconds, share, temperature, whole
from foundry_tui.cli.options import add_common, launch_options
from foundry_tui.cli.output import complain, print_table, print_text, say
from foundry_tui.cli.run_ids import WholeRun, load_whole, load_with_requests
from foundry_tui.cli.selftest import know_own_error
from foundry_tui.config.env_file import with_env_file
from foundry_tui.domain.bench import BenchPlan, Order, RequestRun, Run, RunStatus
from foundry_tui.domain.errors import BadInput, FoundryTuiError, StorageProblem
from foundry_tui.domain.text import clean_line
from foundry_tui.launching import resolve
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.reports.comparison_words import answered_before_line
from foundry_tui.reports.prediction_lines import prediction_lines
from foundry_tui.reports.race_words import race_lines
from foundry_tui.reports.reruns import marked_words
from foundry_tui.reports.run_results import is_all_well, model_results
from foundry_tui.reports.run_summary_words import (
    goodput_lines,
    summary_lines,
)
from foundry_tui.reports.run_words import status_words
from foundry_tui.reports.sweep_words import SWEEP_HEADER, SWEEP_RIGHT_COLUMNS, sweep_rows
from foundry_tui.services.bench.rerun import next_rerun
from foundry_tui.services.bench.state import BenchState
from foundry_tui.services.opened import Services
from foundry_tui.services.scoring.checks import run_checks
from foundry_tui.services.scoring.context import known_context
from foundry_tui.wiring.archive import open_archive

__all__ = ["add_commands"]

_PLANNING = (
    *("models", "race", "prompts", "prompt", "rounds", "warmup", "max_tokens", "temperature", "seed"),
    *("concurrency", "name", "plan", "order", "precision", "max_rounds", "max_time"),
    *GIVEN,
)
"""What an interrupted run has decided already, by option."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``bench``."""
    bench = commands.add_parser(
        "bench",
        description="Measure models on prompts: every request is kept the moment it ends, progress goes to"
        " stderr, results to stdout. Ctrl-C leaves a run that --resume goes on with. Exit code 1 if a model"
        " failed; the others are measured all the same.",
        epilog="example: foundry-tui bench --models qwen2.5-0.5b,phi-4-mini --rounds 5 --deterministic"
        " --json > results.json",
    )
    add_common(bench, top=False)
    what = bench.add_argument_group("what is measured")
    what.add_argument(
        "--models",
        metavar="A,B",
        type=_names,
        help="aliases or ids; auto: every chat model on this machine (BENCH_MODELS; default: auto)",
    )
    add_race(what)
    what.add_argument(
        "--prompts", metavar="FILE", type=Path, help="every prompt in it, or of a ready set: rag"
    )
    what.add_argument(
        "--prompt",
        metavar="TEXT",
        action="append",
        help="one prompt, repeatable (BENCH_PROMPT; default: the workshop's)",
    )
    what.add_argument("--plan", metavar="FILE", type=Path, help="plan as JSON, or a results file to repeat")
    what.add_argument("--name", metavar="NAME", help="what the run is called")
    how = bench.add_argument_group("how")
    how.add_argument(
        "--rounds",
        metavar="N",
        type=positive,
        help="timed requests of each model and prompt (BENCH_ROUNDS; 3)",
    )
    how.add_argument("--warmup", metavar="N", type=whole(0), help="requests to each model before these; 1")
    how.add_argument(
        "--max-tokens", metavar="N", type=positive, help="longest answer (BENCH_MAX_TOKENS; 120)"
    )
    how.add_argument("--temperature", metavar="F", type=temperature, help="0 to 2 (BENCH_TEMPERATURE; 0.2)")
    how.add_argument(
        "--seed", metavar="N", type=whole(-(2**63), 2**63 - 1), help="sent; also draws the order"
    )
    how.add_argument(
        "--deterministic",
        action="store_true",
        help="temperature 0, a seed, and a certificate of how repeatable each model is",
    )
    how.add_argument(
        "--concurrency",
        metavar="N,M",
        type=concurrencies,
        help="requests under way at once; 1. Several, such as 1,2,4,8: a run for each, and a table of them",
    )
    how.add_argument(
        "--order",
        choices=[order.value for order in Order],
        help="default: interleaved, so that drift favours none; blocked if they do not fit into memory",
    )
    how.add_argument(
        "--cold-start", action="store_true", help="load each model anew and time its first request"
    )
    how.add_argument(
        "--precision",
        metavar="PCT",
        type=share,
        help="go on until the median latency is known within ±PCT, such as 5%%",
    )
    how.add_argument("--max-rounds", metavar="N", type=positive, help="with --precision: not more rounds; 50")
    how.add_argument("--max-time", metavar="S", type=seconds, help="with --precision: nor longer; 3600 s")
    add_limits(bench)
    run = bench.add_argument_group("the run")
    run.add_argument(
        "--resume", metavar="RUN", help="do what is left of a run: its id, its beginning, or last"
    )
    run.add_argument(
        "--rerun-flagged",
        metavar="RUN",
        help="measure the rounds of a complete run again that its report marks, in that run, and nothing"
        " else; what was measured first is kept",
    )
    run.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    run.add_argument("--out", metavar="DIR", type=Path, help="write report, results and tables into DIR too")
    run.add_argument("--force", action="store_true", help="write over files that are in DIR")
    run.add_argument(
        "--selftest",
        action=argparse.BooleanOptionalAction,
        help="measure our own error first, once for a version (BENCH_SELFTEST; default: on a terminal)",
    )
    run.add_argument("--json", action="store_true", help="one JSON object on stdout, foundry-tui/results@1")
    bench.set_defaults(run=_bench)


async def _bench(arguments: argparse.Namespace) -> int:
    if arguments.resume is not None and arguments.rerun_flagged is not None:
        raise BadInput(
            "--resume and --rerun-flagged are two things", remedy="resume the run first, then measure again"
        )
    if arguments.resume is not None:
        return await _resume(arguments)
    if arguments.rerun_flagged is not None:
        return await _rerun(arguments)
    wishes = wishes_of(arguments, with_env_file(os.environ, Path.cwd()))
    is_sweep = len(wishes.sweep) > 1
    if is_sweep and arguments.json:
        raise BadInput(
            "--json prints one run, and several concurrencies make several",
            remedy="leave --json out, and have each with foundry-tui runs export, or name one concurrency",
        )
    for at_once in () if arguments.dry_run else wishes.sweep:
        if (folder := _own_folder(arguments.out, at_once, is_sweep)) is not None:
            await require_room(folder, replaces=arguments.force)
    told = frozenset(phase for phase, _ in launch_options(arguments).timeouts)
    async with opened(arguments) as services:
        if arguments.race is not None:
            wishes = await raced(services, wishes, arguments.race)
        for note in wishes.notes:
            say(note)
        made = await made_plan(services, wishes, told=told)
        for note in made.notes:
            say(note)
        plans = [replace(made.plan, concurrency=at_once) for at_once in wishes.sweep]
        if arguments.dry_run:
            for plan in plans:
                estimate = await services.bench.estimated_s(plan, made.variants)
                expected = await services.bench.predictions.of(made.variants, plan=plan)
                tell_plan(replace(made, plan=plan), estimate, expected, as_json=arguments.json)
            return ExitCode.DONE
        await know_own_error(arguments)
        return await _measure(services, plans, arguments)


async def _measure(services: Services, plans: Sequence[BenchPlan], arguments: argparse.Namespace) -> int:
    """Make a run of each plan, one after the other; they differ in their concurrency."""
    code, runs, is_sweep = int(ExitCode.DONE), list[tuple[Run, Sequence[RequestRun]]](), len(plans) > 1
    for plan in plans:
        run_id = await services.bench.begin(plan)
        say(f"run {run_id}: {size_in_words(plan)}")
        own = argparse.Namespace(**vars(arguments))
        own.out = _own_folder(arguments.out, plan.concurrency, is_sweep)
        code = max(code, await _to_its_end(services, own))
        state = services.bench.state.value
        assert state is not None
        runs.append((state.run, state.requests))
        if state.run.status is not RunStatus.COMPLETED:
            break
    if is_sweep:
        print_table(SWEEP_HEADER, sweep_rows(runs), right=SWEEP_RIGHT_COLUMNS)
    if len(runs) < len(plans):
        left = ",".join(str(plan.concurrency) for plan in plans[len(runs) :])
        say(f"the other runs were not begun: --concurrency {left}")
    return code


def _own_folder(folder: Path | None, at_once: int, is_sweep: bool) -> Path | None:
    """Where the files of one of several runs go, if files are wanted."""
    return folder / f"concurrency-{at_once}" if folder is not None and is_sweep else folder


def _require_no_plan(arguments: argparse.Namespace, option: str) -> None:
    given = [name for name in _PLANNING if getattr(arguments, name) is not None]
    if given or arguments.deterministic or arguments.cold_start:
        stray = f"--{given[0].replace('_', '-')}" if given else "--deterministic or --cold-start"
        raise BadInput(
            f"{option} goes on with the plan of that run, which {stray} cannot change",
            remedy="leave it out, or begin a new run",
        )


async def _rerun(arguments: argparse.Namespace) -> int:
    """Measure the marked rounds of a run again; a run without any is an input that cannot be used."""
    _require_no_plan(arguments, "--rerun-flagged")
    async with open_archive(resolve(launch_options(arguments))) as archive:
        run, requests = await load_with_requests(archive.runs, arguments.rerun_flagged)
    rerun = await next_rerun(run, requests, at_unix_ms=run.started_unix_ms)
    of_each = [(model, rerun.rounds_of(model)) for model in run.plan.models]
    told = [f"{clean_line(model)}: {marked_words(rounds)}" for model, rounds in of_each if rounds]
    if arguments.out is not None and not arguments.dry_run:
        arguments.force = await require_room(arguments.out, replaces=arguments.force, run_id=run.id)
    count = len(rerun.rounds) * len(run.plan.prompts)
    size = f"{count} timed request{'s' * (count != 1)}"
    if arguments.dry_run:
        say(f"run {run.id}: {size} would be measured again")
        for line in told:
            print_text(line)
        return ExitCode.DONE
    async with opened(arguments) as services:
        await services.bench.measure_again(run.id, limits=limits_of(arguments, run.plan.limits))
        say(f"run {run.id}: {size} measured again: {'; '.join(told)}")
        return await _to_its_end(services, arguments)


async def _resume(arguments: argparse.Namespace) -> int:
    _require_no_plan(arguments, "--resume")
    # Before an engine is started: the id may be wrong, or nothing be left.
    async with open_archive(resolve(launch_options(arguments))) as archive:
        whole = await load_whole(archive.runs, arguments.resume)
        run, requests, _ = whole
        context = await known_context(archive.runs, archive.scores, run, requests)
    if arguments.out is not None and not arguments.dry_run:
        arguments.force = await require_room(arguments.out, replaces=arguments.force, run_id=run.id)
    if run.status is RunStatus.COMPLETED:
        say(f"run {run.id} is complete: nothing is left of it")
        return await _hand_over(whole, context, arguments)
    if arguments.dry_run:
        say(f"run {run.id} would go on: {size_in_words(run.plan)}, {len(requests)} requests are made")
        return ExitCode.DONE
    async with opened(arguments) as services:
        await services.bench.resume(run.id, limits=limits_of(arguments, run.plan.limits))
        say(f"run {run.id} goes on: {size_in_words(run.plan)}")
        return await _to_its_end(services, arguments)


async def _to_its_end(services: Services, arguments: argparse.Namespace) -> int:
    bench = services.bench
    problem: FoundryTuiError | None = None
    try:
        async with telling(bench.state):
            await bench.finished()
    except asyncio.CancelledError:
        await bench.stop()
        if bench.state.value is not None:
            await _hand_over_last(services, bench.state.value, arguments)
        raise
    except FoundryTuiError as error:
        problem = error
    state = bench.state.value
    assert state is not None
    code = await _hand_over_last(services, state, arguments)
    if problem is None:
        return code
    complain(problem)
    return code_of(problem)


async def _hand_over_last(services: Services, state: BenchState, arguments: argparse.Namespace) -> int:
    """What ``_hand_over`` does, for the run that this command has made."""
    bench = services.bench
    context = RunContext(checks=(await run_checks(state.run, state.requests)).models)
    with suppress(StorageProblem):  # what was measured is handed over even if what was before cannot be read
        context = await known_context(bench.store, services.scores, state.run, state.requests)
    return await _hand_over((state.run, state.requests, bench.resources), context, arguments, state)


async def _hand_over(
    whole: WholeRun,
    context: RunContext,
    arguments: argparse.Namespace,
    state: BenchState | None = None,
) -> int:
    """Print the results, however it ended, and write them; whether all went well.

    Args:
        whole: What is kept of the run.
        context: What is known of it from elsewhere.
        arguments: Of the command.
        state: The last of it; None where nothing was done by this command.
    """
    run, requests, resources = whole
    results = model_results(run, requests)
    told: tuple[str, ...] = ()
    if state is not None:
        told = summary_lines(run, results, paused_s=state.paused_s, notes=state.notes)
    print_results(run, requests, resources, context, as_json=arguments.json)
    if not arguments.json:
        for line in (
            *race_lines(run, results),
            *prediction_lines(results),
            *goodput_lines(results),
            *map(answered_before_line, context.before),
        ):
            print_text(line)
    say(f"run {run.id} {status_words(run, results)}")
    for line in told:
        say(f"  {line}")
    if run.status is not RunStatus.COMPLETED:
        say(f"  → foundry-tui bench --resume {run.id[:8]} goes on with it")
    if arguments.out is not None:
        for path in await write_results(arguments.out, whole, context, replaces=arguments.force):
            say(f"written: {path}")
    return ExitCode.DONE if is_all_well(run, results) else ExitCode.FAILED


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("name at least one model, several with commas between them")
    return list(dict.fromkeys(names))
