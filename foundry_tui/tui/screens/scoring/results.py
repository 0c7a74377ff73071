"""What the models of a run got, and how far the people who said so agree."""

from collections.abc import Sequence

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.quantities import plural
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import JudgeStore, ScoreStore
from foundry_tui.reports.agreement_words import (
    DISAGREEMENT_HEADER,
    agreement_lines,
    confusion_header,
    confusion_rows,
    disagreement_rows,
)
from foundry_tui.reports.aspect_words import aspect_lines
from foundry_tui.reports.check_words import checks_lines
from foundry_tui.reports.errors import error_words
from foundry_tui.reports.judge_words import judge_lines
from foundry_tui.reports.preference_words import preference_lines
from foundry_tui.reports.quality_words import quality_lines, quality_rows
from foundry_tui.services.scoring.checks import run_checks
from foundry_tui.services.scoring.judged import JudgedRun, judged
from foundry_tui.services.scoring.quality import Agreed, RunQuality, agreed, run_quality, ticked
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone
from foundry_tui.tui.widgets.table_parts import Align, Column, Row

__all__ = ["ResultsScreen"]

_ID_CHARACTERS = 8
_EMPTY = "Nothing is scored yet.\n\nEsc goes back; Enter there begins."
_COLUMNS = (
    Column(key="model", label="Model", width=18, weight=3, priority=9),
    Column(key="criterion", label="Criterion", width=14, weight=2, priority=8),
    Column(key="mean", label="Mean", width=5, align=Align.RIGHT, priority=7),
    Column(key="interval", label="95 %", width=13, align=Align.RIGHT, priority=6),
    Column(key="scored", label="Scored", width=9, align=Align.RIGHT, priority=5),
    Column(key="prompts", label="Prompts", width=7, align=Align.RIGHT, priority=2),
)


class ResultsScreen(Overlay[None]):
    """Names the models: whoever has yet to score should not look.

    Args:
        store: Has what people said.
        judgements: Has what judges said.
        run: Of which the answers are.
        requests: Its requests.
    """

    HELP = (
        "Means over prompts with 95 % intervals, where six prompts or more are scored. Below them how people "
        "agree, and which answers they should talk about."
    )
    DEFAULT_CSS = """
    ResultsScreen RowTable { height: auto; max-height: 50%; }
    ResultsScreen RowTable.-empty { height: 1fr; max-height: 100%; }
    """

    def __init__(
        self, store: ScoreStore, judgements: JudgeStore, run: Run, requests: Sequence[RequestRun]
    ) -> None:
        super().__init__()
        self._store = store
        self._judgements = judgements
        self._run = run
        self._requests = requests

    def compose(self) -> ComposeResult:
        with Vertical(classes="full") as box:
            box.border_title = Content(f"Scores of run {clean_line(self._run.id, _ID_CHARACTERS)}")
            box.border_subtitle = "tab changes to the text · Esc goes back"
            yield RowTable(_COLUMNS, empty_text="Reckoning …", id="results-table")
            yield Sheet(label_cells=12, id="results-words")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Reckon."""
        self.query_one(RowTable).focus()
        self._read()

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        store, run, requests = self._store, self._run, self._requests
        table, words = self.query_one(RowTable), self.query_one(Sheet)
        try:
            quality = await run_quality(store, run, requests)
            agreement = await agreed(store, run.id)
            besides = await ticked(store, run, requests)
            judges = await judged(store, self._judgements, run, requests)
            checks = await run_checks(run, requests)
        except FoundryTuiError as error:
            table.empty_text = error_words(error)
            return
        if not self.is_open:
            return
        others = [
            *_part("Preferred", preference_lines(besides.preferences)),
            *_part("Aspects", aspect_lines(besides.aspects)),
        ]
        table.empty_text = "Nothing is scored one by one." if others else _EMPTY
        if quality.rubric is not None:
            rows = quality_rows([one for one, _ in quality.models], rubric=quality.rubric)
            table.set_rows([Row(key=str(place), cells=row) for place, row in enumerate(rows)])
        words.set_paragraphs(
            [
                *others,
                *_quality(quality),
                *_agreement(agreement),
                *_judges(judges),
                *_part("Checks", checks_lines(checks.models)),
            ]
        )


def _part(label: str, lines: Sequence[str], *, tone: Tone = Tone.NORMAL) -> list[Paragraph]:
    """Lines under one label."""
    return [Paragraph(label="" if place else label, text=line, tone=tone) for place, line in enumerate(lines)]


def _judges(found: Sequence[JudgedRun]) -> list[Paragraph]:
    """What is not to be trusted yet is greyed."""
    return [
        paragraph
        for one in found
        for paragraph in _part(
            "Judge", _judge_lines(one), tone=Tone.NORMAL if one.figures.is_trusted else Tone.MUTED
        )
    ]


def _judge_lines(found: JudgedRun) -> list[str]:
    return [*judge_lines(found.figures), *(line for one in found.models for line in quality_lines(one))]


def _quality(found: RunQuality) -> list[Paragraph]:
    if found.rubric is None:
        return []
    lines = [line for quality, to_good in found.models for line in quality_lines(quality, to_good)]
    paragraphs = _part("Quality", lines)
    if found.unmatched:
        words = f"{plural(found.unmatched, 'score')} of answers that stand no more are left out"
        paragraphs.append(Paragraph(label="", text=words, tone=Tone.MUTED))
    return paragraphs


def _agreement(found: Agreed) -> list[Paragraph]:
    if found.rubric is None:
        return []
    lines = agreement_lines(found.agreements, found.disagreements)
    paragraphs = _part("Agreement", lines)
    for one in found.agreements:
        if one.overall.n:
            table = [confusion_header(one), *confusion_rows(one.overall)]
            paragraphs.append(Paragraph(label="Confusion", text="\n".join(map(_line, table))))
    rows = disagreement_rows(found.disagreements, rubric=found.rubric, rubric_sha256=found.rubric.sha256)
    for place, row in enumerate(rows):
        words = ", ".join(
            f"{name.lower()} {cell}" for name, cell in zip(DISAGREEMENT_HEADER, row, strict=True)
        )
        paragraphs.append(Paragraph(label="Talk about" if not place else "", text=words))
    return paragraphs


def _line(cells: Sequence[str]) -> str:
    first, *rest = cells
    return first.ljust(24) + "".join(cell.rjust(6) for cell in rest)
