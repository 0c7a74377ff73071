"""Automatic checks in the report of a run, as Markdown: a table of their own, and what failed."""

from collections.abc import Sequence

from foundry_tui.metrics.checks import ModelChecks, Passed
from foundry_tui.reports.check_words import checks_rows, finding_lines, unanswered_lines
from foundry_tui.reports.markdown_text import plain_words, table_lines

__all__ = ["checks_markdown"]

_HEADER = ("Model", "Passed", "Share", "95 %", "Answers", "95 %", "n/a")
_SHOWN = 60


def checks_markdown(models: Sequence[ModelChecks]) -> list[str]:
    """The lines of the section; none without a check."""
    if not any(found.made or found.not_applicable or found.unanswered for found in models):
        return []
    told = [
        *(f"failed: {line}" for line in finding_lines(models, Passed.NO)),
        *(f"n/a: {line}" for line in finding_lines(models, Passed.NOT_APPLICABLE)),
        *unanswered_lines(models),
    ]
    more = [f"- and {len(told) - _SHOWN} more: `foundry-tui score checks` has them all"]
    return [
        *table_lines(_HEADER, [[plain_words(cell) for cell in row] for row in checks_rows(models)]),
        "",
        "What a program can tell of the first answer of each model to each prompt; no score of people or of a"
        " judge is in it. Answers are those that pass all their checks. Intervals are Wilson's.",
        *(["", *(f"- {plain_words(line)}" for line in told[:_SHOWN])] if told else []),
        *(more if len(told) > _SHOWN else []),
    ]
