"""``foundry-tui score …``: answers scored by hand and checked, without the screen."""

import argparse
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.groups import add_group
from foundry_tui.cli.options import launch_options
from foundry_tui.cli.output import print_json, print_table, print_text, say
from foundry_tui.cli.run_ids import load_with_requests
from foundry_tui.cli.score_checks import add_checks
from foundry_tui.cli.score_judge import add_judge, print_judge_agreements, print_judges
from foundry_tui.config.locate import config_folders, find_file
from foundry_tui.config.rubric_file import load_rubric
from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.quantities import plural
from foundry_tui.domain.scoring import AnswerNote, Rubric, Said, Score, SheetItem
from foundry_tui.domain.text import clean_line
from foundry_tui.launching import resolve
from foundry_tui.reports.agreement_words import (
    AGREEMENT_HEADER,
    AGREEMENT_RIGHT,
    CONFUSION_RIGHT,
    DISAGREEMENT_HEADER,
    DISAGREEMENT_RIGHT,
    agreement_lines,
    agreement_object,
    agreement_rows,
    confusion_header,
    confusion_rows,
    disagreement_object,
    disagreement_rows,
)
from foundry_tui.reports.aspect_words import aspect_lines, aspect_object
from foundry_tui.reports.judge_words import judge_agreement_object, judge_object
from foundry_tui.reports.preference_words import preference_lines, preference_object
from foundry_tui.reports.quality_words import (
    QUALITY_HEADER,
    QUALITY_RIGHT,
    quality_lines,
    quality_object,
    quality_rows,
)
from foundry_tui.reports.score_sheet import ReadSheet, read_sheet, sheet_csv, sheet_json
from foundry_tui.services.files import read_text, write_new
from foundry_tui.services.scoring.judged import judged
from foundry_tui.services.scoring.quality import RunQuality, agreed, run_quality, ticked
from foundry_tui.services.scoring.sheet import answers_by_key, sheet_items
from foundry_tui.wiring.archive import Archive, open_archive

__all__ = ["AGREEMENT_SCHEMA", "QUALITY_SCHEMA", "add_commands"]

AGREEMENT_SCHEMA = "foundry-tui/agreement@1"
QUALITY_SCHEMA = "foundry-tui/quality@1"

_SHEET_BYTES = 50_000_000
_NAME_CHARACTERS = 60

Act: TypeAlias = Callable[[Archive, Rubric, argparse.Namespace], Awaitable[int]]


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``score`` and what is below it."""
    add = add_group(
        commands,
        "score",
        description="Score answers by hand, by the criteria of rubric.json: from 1 to 5, and blind.",
        example="export last --output sheet.csv",
    )

    def action(name: str, words: str, example: str, act: Act) -> argparse.ArgumentParser:
        return add(name, words, example, run=_run, act=act)

    export = action(
        "export",
        "write a sheet of the answers of a run to fill in; it names no model, and a tenth comes twice",
        "export last --output sheet.csv",
        _export,
    )
    export.add_argument("id", metavar="RUN", help="its id, the beginning of it, or last")
    export.add_argument("--output", metavar="PATH", required=True, help="the file: *.csv or *.json")
    export.add_argument("--seed", metavar="N", type=int, default=0, help="of the order; default: 0")
    export.add_argument("--force", action="store_true", help="write over what is there")

    bring_in = action(
        "import",
        "keep the scores of a sheet that was filled in; of one with a bad cell nothing",
        "import sheet.csv --annotator Ada",
        _import,
    )
    bring_in.add_argument("file", metavar="FILE", help="a sheet of ours, as CSV or JSON")
    bring_in.add_argument("--annotator", metavar="NAME", required=True, help="who gave these scores")
    bring_in.add_argument("--partial", action="store_true", help="keep the rows without a bad cell")

    add_judge(add)

    show = action("show", "what each model of a run got, and how much of it is scored", "show last", _show)
    agreement = action(
        "agreement",
        "how people agree with each other, themselves a second time, and judges; tells no answer's model",
        "agreement last",
        _agreement,
    )
    add_checks(add)
    for one in (show, agreement):
        one.add_argument("id", metavar="RUN", help="its id, the beginning of it, or last")
        one.add_argument("--json", action="store_true", help="one JSON object on stdout")


async def _run(arguments: argparse.Namespace) -> int:
    act: Act = arguments.act
    launch = resolve(launch_options(arguments))
    rubric = load_rubric(find_file("rubric.json", config_folders(launch.options.config_dir)))
    async with open_archive(launch) as archive:
        return await act(archive, rubric, arguments)


async def _export(archive: Archive, rubric: Rubric, arguments: argparse.Namespace) -> int:
    as_text = _format_of(arguments.output)
    run, requests = await load_with_requests(archive.runs, arguments.id)
    items = sheet_items(run, requests, seed=arguments.seed)
    if not items:
        raise BadInput(
            f"no answer of run {clean_line(run.id)} can be scored: none ended well with text",
            remedy="foundry-tui runs show tells what became of them",
        )
    path = await write_new(arguments.output, as_text(run.id, items, rubric), replaces=arguments.force)
    again = sum(item.occasion == 2 for item in items)
    say(f"{plural(len(items) - again, 'answer')} to score, {again} of them twice, written to {path}")
    return ExitCode.DONE


async def _import(archive: Archive, rubric: Rubric, arguments: argparse.Namespace) -> int:
    annotator = arguments.annotator.strip()
    if not annotator:
        raise BadInput("--annotator: expected a name, found nothing", remedy="name who gave these scores")
    file = await read_text(arguments.file, limit_bytes=_SHEET_BYTES)
    sheet = read_sheet(file.text, file.name, rubric)
    run, requests = await load_with_requests(archive.runs, sheet.run_id)
    scores, notes, problems = _given(run, requests, sheet, rubric, annotator)
    for line in (*problems, *sheet.notes):
        say(line)
    if problems and not arguments.partial:
        raise BadInput(
            f"{clean_line(file.name)}: {plural(len(problems), 'bad cell')}, named above",
            remedy="mend them, or take the other rows with --partial; nothing was kept",
        )
    await archive.scores.keep(rubric, Said(scores=tuple(scores), notes=tuple(notes)))
    answers = len({(score.number, score.occasion) for score in scores})
    who = clean_line(annotator, _NAME_CHARACTERS)
    told = f"{plural(len(scores), 'score')} of {plural(answers, 'answer')}, {plural(len(notes), 'note')}"
    print_text(f"{run.id}  {who}: {told}")
    return ExitCode.FAILED if problems else ExitCode.DONE


async def _show(archive: Archive, rubric: Rubric, arguments: argparse.Namespace) -> int:
    run, requests = await load_with_requests(archive.runs, arguments.id)
    found = await run_quality(archive.scores, run, requests)
    besides = await ticked(archive.scores, run, requests)
    judges = await judged(archive.scores, archive.judgements, run, requests)
    if arguments.json:
        print_json(
            {
                "schema": QUALITY_SCHEMA,
                "run": run.id,
                "models": [quality_object(quality, to_good) for quality, to_good in found.models],
                "unmatched_scores": found.unmatched,
                "preferences": preference_object(besides.preferences),
                "aspects": [aspect_object(one) for one in besides.aspects],
                "judges": [judge_object(one.figures, one.models) for one in judges],
            }
        )
        return ExitCode.DONE
    if found.rubric is None:
        _say_unscored(run)
    else:
        _print_quality(found, found.rubric)
    for line in (*aspect_lines(besides.aspects), *preference_lines(besides.preferences)):
        print_text(line)
    print_judges(judges, arguments, is_behind=found.rubric is not None)
    return ExitCode.DONE


def _print_quality(found: RunQuality, rubric: Rubric) -> None:
    qualities = [quality for quality, _ in found.models]
    print_table(QUALITY_HEADER, quality_rows(qualities, rubric=rubric), right=QUALITY_RIGHT)
    for quality, to_good in found.models:
        for line in quality_lines(quality, to_good):
            print_text(line)
    if found.unmatched:
        say(f"{plural(found.unmatched, 'score')} of answers that stand no more, for they were measured again")


def _say_unscored(run: Run) -> None:
    who = clean_line(run.id)
    say(f"nothing of run {who} is scored by people: foundry-tui score export writes a sheet")


async def _agreement(archive: Archive, rubric: Rubric, arguments: argparse.Namespace) -> int:
    run, requests = await load_with_requests(archive.runs, arguments.id)
    found = await agreed(archive.scores, run.id)
    judges = await judged(archive.scores, archive.judgements, run, requests)
    if arguments.json:
        print_json(
            {
                "schema": AGREEMENT_SCHEMA,
                "run": run.id,
                "agreements": [agreement_object(one) for one in found.agreements],
                "disagreements": [disagreement_object(one) for one in found.disagreements],
                "judges": [judge_agreement_object(one.figures) for one in judges],
            }
        )
        return ExitCode.DONE
    if found.rubric is None:
        _say_unscored(run)
        return ExitCode.DONE
    print_table(
        AGREEMENT_HEADER, agreement_rows(found.agreements, rubric=found.rubric), right=AGREEMENT_RIGHT
    )
    for line in agreement_lines(found.agreements, found.disagreements):
        print_text(line)
    for one in found.agreements:
        if one.overall.n:
            print_text("")
            print_table(confusion_header(one), confusion_rows(one.overall), right=CONFUSION_RIGHT)
    if found.disagreements:
        print_text("")
        rows = disagreement_rows(found.disagreements, rubric=found.rubric, rubric_sha256=found.rubric.sha256)
        print_table(DISAGREEMENT_HEADER, rows, right=DISAGREEMENT_RIGHT)
    print_judge_agreements(judges, arguments)
    return ExitCode.DONE


def _format_of(path: str) -> Callable[[str, Sequence[SheetItem], Rubric], str]:
    for ending, write in ((".csv", sheet_csv), (".json", sheet_json)):
        if path.lower().endswith(ending):
            return write
    raise BadInput(
        f"--output {clean_line(path)}: expected a name that ends in .csv or .json",
        remedy="a spreadsheet opens the first",
    )


def _given(
    run: Run, requests: Sequence[RequestRun], sheet: ReadSheet, rubric: Rubric, annotator: str
) -> tuple[list[Score], list[AnswerNote], list[str]]:
    """What the sheet says of answers of ``run``, and all that is wrong with it."""
    known = answers_by_key(run, requests)
    problems = list(sheet.problems)
    scores: list[Score] = []
    notes: list[AnswerNote] = []
    now_unix_ms = time.time_ns() // 1_000_000
    for row in sheet.rows:
        if row.key not in known:
            problems.append(f"{row.place}, item: no answer of the run is called {clean_line(row.key, 40)!r}")
            continue
        number, occasion = known[row.key]
        scores += [
            Score(
                run_id=run.id,
                number=number,
                criterion=criterion,
                annotator=annotator,
                occasion=occasion,
                value=value,
                rubric_sha256=rubric.sha256,
                at_unix_ms=now_unix_ms,
            )
            for criterion, value in row.values.items()
        ]
        if row.note:
            notes.append(AnswerNote(run_id=run.id, number=number, annotator=annotator, text=row.note))
    return scores, notes, problems
