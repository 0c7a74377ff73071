"""How good the answers of a run are, and its models in the six dimensions: two sections of its reports."""

from collections.abc import Sequence

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.quantities import bytes_in_words, seconds_in_words
from foundry_tui.metrics.candidate import Dimension
from foundry_tui.metrics.run_quality import RunQuality
from foundry_tui.metrics.selection import Limits, judge
from foundry_tui.reports.candidates import candidates_of, unlike_lines
from foundry_tui.reports.choice import Choice, unresampled
from foundry_tui.reports.choice_points import choice_points, left_out_lines
from foundry_tui.reports.choice_tables import letters
from foundry_tui.reports.choice_words import figure_words, mean_words, namer, value_words
from foundry_tui.reports.markdown_text import cell_words, plain_words, table_lines
from foundry_tui.reports.quality_words import QUALITY_HEADER, quality_lines, quality_rows
from foundry_tui.reports.run_results import ModelResult

__all__ = ["CHOICE_TITLE", "QUALITY_TITLE", "choice_lines", "quality_section", "run_choice"]

QUALITY_TITLE = "Quality"
CHOICE_TITLE = "Six dimensions to choose by"
_CHOICE_HEADER = ("", "Model", *(dimension.value.capitalize() for dimension in Dimension), "Good answer in")
_POINTS_HEADER = ("", "Quality", "Latency", "Memory")
_HOW = (
    "Medians, of quality the mean of what people gave, from 1 to 5; in brackets: 95 % intervals. No figure is"
    " a mixture of others, but the time to a good answer, which is the median latency / the share of good"
    " answers. foundry-tui models pick holds the models against limits and lists whom no other one beats."
)
_POINTS_TITLE = "Quality against latency, as the chart of the HTML report has it."


def run_choice(
    run: Run, requests: Sequence[RequestRun], results: Sequence[ModelResult], quality: RunQuality
) -> Choice:
    """The models of a run without limits, as they are; nothing is drawn anew."""
    candidates = candidates_of(run, requests, quality, results=results)
    judged = [judge(candidate, Limits()) for candidate in candidates]
    return unresampled(judged, Limits(), unlike=unlike_lines([run], candidates))


def quality_section(quality: RunQuality) -> list[str]:
    """Each mean with its interval and how much is scored; none where nothing is."""
    if not quality.is_scored:
        return []
    rows = quality_rows([own for own, _ in quality.models], rubric=quality.rubric)
    header = [name.capitalize() if name.isalpha() else name for name in QUALITY_HEADER]
    said: list[str] = []
    for own, time in quality.models:
        mean, *others = quality_lines(own, time)
        # The table has the mean already; why there is none it has not.
        said += others if own.overall.answers else [mean]
    if quality.unmatched:
        said.append(f"{quality.unmatched} scores are of answers that were measured again since")
    return [
        *table_lines(header, _escaped(rows)),
        "",
        *(f"- {plain_words(line)}" for line in said),
    ]


def choice_lines(found: Choice) -> list[str]:
    """A row for each model, then what a chart would draw, as a table."""
    name = namer([judged.candidate for judged in found.judged])
    rows = [
        [
            letter,
            name(judged.candidate),
            *(value_words(judged.candidate, dimension) for dimension in Dimension),
            figure_words(judged.candidate.time_to_good, seconds_in_words),
        ]
        for letter, judged in zip(letters(len(found.judged)), found.judged, strict=True)
    ]
    points = choice_points(found)
    drawn = [
        [
            point.letter,
            mean_words(point.quality),
            seconds_in_words(point.latency_s),
            bytes_in_words(point.memory_bytes),
        ]
        for point in points.drawn
    ]
    lines = [*table_lines(_CHOICE_HEADER, _escaped(rows)), "", _HOW]
    if drawn:
        lines += [
            "",
            _POINTS_TITLE,
            "",
            *table_lines(_POINTS_HEADER, _escaped(drawn)),
        ]
    aside = [*left_out_lines(points), *found.unlike]
    return [*lines, *(["", *(f"- {plain_words(line)}" for line in aside)] if aside else [])]


def _escaped(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[*map(cell_words, row)] for row in rows]
