"""``foundry-tui score judge``: a second model scores the answers of a run, apart from what people gave."""

import argparse
import asyncio
import time
from collections.abc import Sequence

from foundry_tui.bootstrap import open_services
from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.groups import AddAction
from foundry_tui.cli.loading import load_if_needed
from foundry_tui.cli.models import find_model, tell_notes
from foundry_tui.cli.options import launch_options
from foundry_tui.cli.output import print_json, print_table, print_text, say
from foundry_tui.cli.progress import ProgressLine
from foundry_tui.cli.run_ids import load_with_requests
from foundry_tui.config.locate import config_folders, find_file
from foundry_tui.config.rubric_file import load_rubric
from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.errors import BadInput, EngineError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import plural
from foundry_tui.domain.scoring import Rubric
from foundry_tui.domain.text import clean_line
from foundry_tui.launching import Launch, resolve
from foundry_tui.ports.storage import JudgeStore
from foundry_tui.reports.agreement_words import AGREEMENT_HEADER, AGREEMENT_RIGHT
from foundry_tui.reports.judge_words import (
    JUDGE_HEADER,
    JUDGE_RIGHT,
    PAIR_HEADER,
    PAIR_RIGHT,
    judge_agreement_rows,
    judge_lines,
    judge_object,
    judge_rows,
    pair_rows,
)
from foundry_tui.services.opened import Services
from foundry_tui.services.scoring.judge import Judge, JudgeProgress
from foundry_tui.services.scoring.judged import JudgedRun, judged
from foundry_tui.services.scoring.kinship import Kinship, kinship, need_stranger
from foundry_tui.services.scoring.sheet import answers_to_score
from foundry_tui.wiring.archive import open_archive

__all__ = ["JUDGE_SCHEMA", "add_judge", "print_judge_agreements", "print_judges"]

JUDGE_SCHEMA = "foundry-tui/judge@1"

_NAME_CHARACTERS = 60


def add_judge(add: AddAction) -> None:
    """Add ``judge`` below ``score``."""
    judge = add(
        "judge",
        "have a second model score the answers of a run; told apart from people, and held against them",
        "judge last --judge qwen2.5-7b",
        run=_judge,
    )
    judge.add_argument("id", metavar="RUN", help="its id, the beginning of it, or last")
    judge.add_argument(
        "--judge",
        metavar="MODEL",
        required=True,
        help="variant id or alias; of none of the run's families",
    )
    judge.add_argument(
        "--pairs", action="store_true", help="hold two and two answers against each other, in both orders"
    )
    judge.add_argument("--again", action="store_true", help="judge once more what it has judged before")
    judge.add_argument(
        "--allow-same-family",
        action="store_true",
        help="let a model of the run, or its kin, judge; told beside every figure",
    )
    judge.add_argument("--json", action="store_true", help="one JSON object on stdout")


async def _judge(arguments: argparse.Namespace) -> int:
    launch = resolve(launch_options(arguments))
    rubric = load_rubric(find_file("rubric.json", config_folders(launch.options.config_dir)))
    async with open_archive(launch) as archive:
        run, requests = await load_with_requests(archive.runs, arguments.id)
        _need_answers(run, requests, is_in_pairs=arguments.pairs)
        model, work = await _work(launch, arguments, rubric, archive.judgements, run, requests)
        found = await judged(archive.scores, archive.judgements, run, requests, judge=model.id)
    say(_work_words(work, is_in_pairs=arguments.pairs))
    if arguments.json:
        print_json(
            {
                "schema": JUDGE_SCHEMA,
                "run": run.id,
                "work": _work_object(work, is_in_pairs=arguments.pairs),
                "judge": judge_object(found[0].figures, found[0].models) if found else None,
            }
        )
    else:
        print_judges(found, arguments)
    return ExitCode.DONE if work.is_complete else ExitCode.FAILED


def print_judges(
    found: Sequence[JudgedRun], arguments: argparse.Namespace, *, is_behind: bool = False
) -> None:
    """What each judge gave, then how far it can be relied on; ``is_behind`` parts it from what is above."""
    for one in found:
        for header, rows, right in (
            (JUDGE_HEADER, judge_rows(one.figures, one.models, rubric=one.rubric), JUDGE_RIGHT),
            (PAIR_HEADER, pair_rows(one.figures), PAIR_RIGHT),
        ):
            if rows:
                if is_behind:
                    print_text("")
                print_table(header, rows, right=right, dim=_dimmed(one, rows, arguments))
                is_behind = True
        for line in judge_lines(one.figures):
            print_text(line)


def print_judge_agreements(found: Sequence[JudgedRun], arguments: argparse.Namespace) -> None:
    """How each judge of single answers agrees with people; names no model but the judge."""
    for one in found:
        if one.figures.scored_by is not None:
            rows = judge_agreement_rows(one.figures, rubric=one.rubric)
            print_text("")
            print_table(AGREEMENT_HEADER, rows, right=AGREEMENT_RIGHT, dim=_dimmed(one, rows, arguments))


async def _work(
    launch: Launch,
    arguments: argparse.Namespace,
    rubric: Rubric,
    store: JudgeStore,
    run: Run,
    requests: Sequence[RequestRun],
) -> tuple[ModelVariant, JudgeProgress]:
    async with open_services(launch) as services:
        tell_notes(await services.client.start(), is_verbose=arguments.verbose)
        model = await find_model(services, arguments.judge)
        kin = kinship(model, run)
        if not arguments.allow_same_family:
            need_stranger(kin, model, run)
        _tell_kin(kin, model)
        await load_if_needed(services, model)
        judge = _make(services, store, model, rubric, same_family=kin.is_any)
        do = judge.compare if arguments.pairs else judge.score
        try:
            with ProgressLine() as line:
                work = await do(
                    run,
                    requests,
                    again=arguments.again,
                    on_progress=lambda progress: line.tell(_progress_words(progress)),
                )
        except (EngineError, asyncio.CancelledError):
            say("what was judged is kept: the same command goes on behind it")
            raise
    return model, work


def _make(
    services: Services, store: JudgeStore, model: ModelVariant, rubric: Rubric, *, same_family: bool
) -> Judge:
    return Judge(
        services.client,
        store,
        model=model,
        rubric=rubric,
        same_family=same_family,
        unix_ms=lambda: time.time_ns() // 1_000_000,
        timeouts=services.setup.chat.timeouts,
    )


def _need_answers(run: Run, requests: Sequence[RequestRun], *, is_in_pairs: bool) -> None:
    answers = answers_to_score(run, requests)
    if not answers:
        raise BadInput(
            f"no answer of run {clean_line(run.id)} can be judged: none ended well with text",
            remedy="foundry-tui runs show tells what became of them",
        )
    if is_in_pairs and len({answer.prompt_id for answer in answers}) == len(answers):
        raise BadInput(
            f"no prompt of run {clean_line(run.id)} was answered by two models",
            remedy="without --pairs answers are judged one by one",
        )


def _tell_kin(kin: Kinship, model: ModelVariant) -> None:
    who = clean_line(model.id, _NAME_CHARACTERS)
    if kin.is_any:
        say(f"warning: {who} is, or is kin to, a model of the run; that is told beside every figure")
    if kin.unknown:
        names = ", ".join(clean_line(name, _NAME_CHARACTERS) for name in kin.unknown)
        say(f"whether {who} is kin to {names} is not known: no family is known by the name of one of both")


def _progress_words(progress: JudgeProgress) -> str:
    words = f"{progress.known + progress.made} of {progress.total} judged"
    notes = [f"{progress.refused} refused", f"asked again {plural(progress.retries, 'time')}"]
    if progress.failed:
        notes.append(f"{progress.failed} broke")
    return f"{words}, {', '.join(notes)}"


def _work_words(work: JudgeProgress, *, is_in_pairs: bool) -> str:
    thing = "order of two answers" if is_in_pairs else "answer"
    things = "orders of two answers" if is_in_pairs else "answers"
    words = f"{work.made} {thing if work.made == 1 else things} judged now, {work.refused} refused"
    if work.known:
        words += f"; {work.known} judged before"
    if work.failed:
        words += (
            f"; {work.failed} not answered ({clean_line(work.problem or '')}): the same command tries again"
        )
    return words


def _work_object(work: JudgeProgress, *, is_in_pairs: bool) -> dict[str, object]:
    return {
        "of": "pairs" if is_in_pairs else "answers",
        "total": work.total,
        "known": work.known,
        "made": work.made,
        "refused": work.refused,
        "retries": work.retries,
        "failed": work.failed,
        "problem": work.problem,
    }


def _dimmed(one: JudgedRun, rows: Sequence[tuple[str, ...]], arguments: argparse.Namespace) -> frozenset[int]:
    """All rows of a judge that is not trusted yet; that stands in their cells too."""
    is_plain = one.figures.is_trusted or arguments.no_color
    return frozenset() if is_plain else frozenset(range(len(rows)))
