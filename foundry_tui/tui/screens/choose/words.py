"""What the choice says beside its table: of the row under the cursor, of all, and what to do next."""

from foundry_tui.domain.quantities import plural, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.candidate import Dimension, Unknown
from foundry_tui.metrics.rank_stability import RESAMPLES
from foundry_tui.metrics.selection import Fit
from foundry_tui.reports.choice import Choice
from foundry_tui.reports.choice_tables import letters, value_lines
from foundry_tui.reports.choice_words import (
    Namer,
    caveat_lines,
    figure_words,
    namer,
    share_words,
    standing_line,
    weights_line,
    why_lines_of,
)
from foundry_tui.reports.limit_line import LIMIT_EXAMPLE
from foundry_tui.tui.screens.choose.reading import Field
from foundry_tui.tui.widgets.sheet import Paragraph, Tone

__all__ = ["BUSY", "EMPTY", "LIMITS_HINT", "detail_words", "paragraphs", "state_words", "title_words"]

EMPTY = (
    "There is no run to choose from.\n\n"
    "Esc goes back; Alt+4 shows the benchmark, where n plans a run and r lists those that were kept."
)
BUSY = f"Drawing {RESAMPLES:,} resamples …"
LIMITS_HINT = f"none; such as {LIMIT_EXAMPLE}"
_TONES = {Fit.FITS: Tone.NORMAL, Fit.DOES_NOT: Tone.PROBLEM, Fit.NOT_KNOWN: Tone.WARNING}
_NOT_SCORED = (
    "No answer is scored, so quality is n/a: foundry-tui score export writes a sheet to score them by hand."
)
_ONE_MODEL = "One model only: in the list of runs (r in the benchmark) Space marks others to choose among."


def title_words(field: Field) -> str:
    """Of which runs the candidates are."""
    if len(field.runs) > 1:
        return f"Choose a model of {len(field.runs)} runs"
    run = field.runs[0]
    return f"Choose a model of the run {clean_line(run.name or run.id[:8], 40)}"


def state_words(found: Choice) -> str:
    """``2 of 4 models fit · 1 does not · 1 not known``; without limits that there are none."""
    counts = {fit: len(found.of_fit(fit)) for fit in Fit}
    parts = [f"{counts[Fit.FITS]} of {plural(len(found.judged), 'model')} fit"]
    if count := counts[Fit.DOES_NOT]:
        parts.append(f"{count} {'does' if count == 1 else 'do'} not")
    if count := counts[Fit.NOT_KNOWN]:
        parts.append(f"{count} not known: n/a neither passes nor fails")
    if not found.limits.given():
        parts.append("without a limit all that answered do")
    return " · ".join(parts)


def detail_words(found: Choice, place: int) -> str:
    """Of one candidate: whether it fits and why not, and each value with what belongs to it."""
    judged = found.judged[place]
    name = namer([each.candidate for each in found.judged])(judged.candidate)
    said = why_lines_of(found, judged)
    if judged.fit is Fit.FITS:
        held = found.stability_of(judged.candidate)
        share = "" if held is None else f", on the front in {share_words(held.on_front)} of the resamples"
        said.insert(0, f"{name} fits{share}")
    values = [f"{each.value} {' '.join(value_lines(judged.candidate, each))}" for each in Dimension]
    good = figure_words(judged.candidate.time_to_good, seconds_in_words)
    return "\n".join([*said, " · ".join([*values, f"a good answer takes {good}"])])


def paragraphs(found: Choice, field: Field) -> list[Paragraph]:
    """The Pareto list with how far it holds, the order by weights, and what to mind; by letters."""
    name = _letter_namer(found)
    said = [
        Paragraph(text=standing_line(found, each, name), tone=Tone.GOOD if each.is_on_front else Tone.NORMAL)
        for each in sorted(found.standings, key=lambda each: not each.is_on_front)
    ]
    if not said:
        said.append(Paragraph(text="Nobody is known to fit.", tone=Tone.WARNING))
    if (order := weights_line(found, name)) is not None:
        said.insert(0, Paragraph(text=order))  # first, for whoever asked for it looks for it
    said += [
        Paragraph(text=line, tone=_TONES[judged.fit])
        for judged in found.judged
        for line in why_lines_of(found, judged, name)
    ]
    said += [Paragraph(text=line, tone=Tone.MUTED) for line in caveat_lines(found, name)]
    said += [Paragraph(text=line, tone=Tone.WARNING) for line in field.unlike]
    return said + [Paragraph(text=line, tone=Tone.MUTED) for line in _next_lines(found)]


def _next_lines(found: Choice) -> list[str]:
    candidates = [judged.candidate for judged in found.judged]
    lines = [_ONE_MODEL] if len(candidates) == 1 else []
    if all(isinstance(candidate.quality, Unknown) for candidate in candidates):
        lines.append(_NOT_SCORED)
    return lines


def _letter_namer(found: Choice) -> Namer:
    """Calls each by its letter, which the table has."""
    keys = letters(len(found.judged))
    # By identity, for two runs may have candidates that are alike.
    by_id = {id(judged.candidate): key for judged, key in zip(found.judged, keys, strict=True)}
    return lambda candidate: by_id[id(candidate)]
