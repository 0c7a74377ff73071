"""Runs as one HTML page that needs nothing else: no script, no network; for a screen, a phone and paper."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from foundry_tui.domain.bench import RequestRun, ResourceReading, Run
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.reports.choice_points import choice_points
from foundry_tui.reports.page.choice import bubble_chart
from foundry_tui.reports.page.gaps import gap_charts
from foundry_tui.reports.page.parts import bullets, paragraph, section
from foundry_tui.reports.page.spreads import drift_chart, spread_charts
from foundry_tui.reports.page.style import CONTENT_POLICY, STYLE
from foundry_tui.reports.page.tables import answers, prompts, requests_table, summary_table
from foundry_tui.reports.page.text import NOTHING, Markup, line, tag, words
from foundry_tui.reports.page.time import run_time
from foundry_tui.reports.page.timeline import time_chart
from foundry_tui.reports.page.words import Bullets, Paragraph, Part, Table, blocks, parts_of
from foundry_tui.reports.run_choice import CHOICE_TITLE, run_choice
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_results import model_results

__all__ = ["RunOfPage", "run_html"]

RunOfPage: TypeAlias = tuple[Run, Sequence[RequestRun], Sequence[ResourceReading]]
"""A run, its requests in order of their numbers, and what was read of the machine as it was kept."""

_LEGACY, _GAPS, _PLAN = "Beside the workshop's figure", "Gaps between chunks", "Plan"


def run_html(
    runs: Sequence[RunOfPage],
    context: Mapping[str, RunContext] = MappingProxyType({}),
) -> str:
    """One page; the same runs give the same page, to the last byte.

    Args:
        runs: In the order of the page.
        context: By run what is known of it from elsewhere.
    """
    articles = [
        _article(f"r{number}", *kept, context.get(kept[0].id, RunContext()))
        for number, kept in enumerate(runs, 1)
    ]
    names = [clean_line(run.name or run.id, 200) for run, _, _ in runs]
    title = f"Benchmark: {', '.join(names)}" if names else "Benchmark"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=CONTENT_POLICY),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", line(title, 300)),
        # Ours, and constant: it has nothing in it that would have to be escaped.
        Markup(f"<style>{STYLE}</style>"),
    )
    several = NOTHING
    if len(runs) > 1:
        several = _links("Runs", [(f"r{number}", name) for number, name in enumerate(names, 1)])
    page = tag("html", head, tag("body", several, *articles, _foot()), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _article(
    key: str,
    run: Run,
    requests: Sequence[RequestRun],
    resources: Sequence[ResourceReading],
    context: RunContext,
) -> Markup:
    results = model_results(run, requests)
    first, *others = parts_of(run_markdown(run, requests, context, results=results))
    parts = {part.title: part for part in others}
    workshop = [block for block in first.blocks if isinstance(block, Table)]
    legacy, gaps = (parts.pop(title, Part(title)) for title in (_LEGACY, _GAPS))
    sections: list[tuple[str, str, list[Markup]]] = [
        ("summary", "Summary", [summary_table(run, results), *_explained(first)]),
        ("workshop", legacy.title, blocks([*workshop, *legacy.blocks])),
        ("spread", "Distributions", [spread_charts(key, results)]),
        ("drift", "Drift", [drift_chart(key, results)]),
        ("time", "Time line", [time_chart(key, results, run_time(requests, resources))]),
        ("gaps", gaps.title, [*blocks(gaps.blocks), gap_charts(key, results)]),
    ]
    for number, part in enumerate(parts.values(), 1):
        drawn = blocks(part.blocks)
        if part.title == CHOICE_TITLE and context.quality is not None:
            points = choice_points(run_choice(run, requests, results, context.quality))
            drawn.append(bubble_chart(key, points))
        if part.title == _PLAN:
            sections += [
                ("requests", "Requests", [requests_table(key, requests, results)]),
                ("answers", "Answers", [answers(results)]),
            ]
            drawn.append(prompts(run.plan))
        sections.append((f"part{number}", part.title, drawn))
    links = _links("Contents", [(f"{key}-{name}", title) for name, title, _ in sections])
    article = [section(f"{key}-{name}", title, *content) for name, title, content in sections]
    return tag("article", *_head(first), links, *article, id=key)


def _head(first: Part) -> list[Markup]:
    """The title, how and when it went, and what the numbers say."""
    said = [block for block in first.blocks if not isinstance(block, Table)]
    place = next((index for index, block in enumerate(said) if _is_verdict(block)), len(said))
    verdict = [block.text for block in said[place : place + 1] if isinstance(block, Paragraph)]
    more = [item for block in said[place:] if isinstance(block, Bullets) for item in block.items]
    return [
        tag("h1", words(first.title)),
        *blocks(said[:place]),
        tag("div", *map(paragraph, verdict), *([bullets(more)] if more else []), class_="verdict"),
    ]


def _explained(first: Part) -> list[Markup]:
    """What the numbers of the table mean: what stands below the verdict."""
    said = [block for block in first.blocks if isinstance(block, Paragraph)]
    place = next((index for index, block in enumerate(said) if _is_verdict(block)), len(said))
    return [paragraph(block.text, "soft") for block in said[place + 1 :]]


def _is_verdict(block: object) -> bool:
    return isinstance(block, Paragraph) and block.is_strong


def _links(name: str, places: Sequence[tuple[str, str]]) -> Markup:
    # A place is one of ours; only what is read is somebody's.
    items = [tag("li", tag("a", line(title), href=f"#{place}")) for place, title in places]
    return tag("nav", tag("ul", *items), aria_label=name)


def _foot() -> Markup:
    return tag(
        "footer",
        paragraph(
            "Made by foundry-tui. This page loads nothing and runs nothing; every reading is in the JSON."
        ),
    )
