"""The gap ribbon of answers in a report: the same cells and classes as on the screen, from the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from foundry_tui.domain.bench import Phase, RequestRun
from foundry_tui.domain.chat import ChunkKind
from foundry_tui.domain.quantities import UNKNOWN, plural, seconds_in_words
from foundry_tui.metrics.gaps import CLASS_EDGES_MS, GapTrack, GapUnit, WaitKind, gap_class
from foundry_tui.metrics.trust import Withheld
from foundry_tui.reports.page.parts import Row, figure, paragraph
from foundry_tui.reports.page.svg import drawing, label, stretched
from foundry_tui.reports.page.text import NOTHING, Markup, joined, line, number, tag
from foundry_tui.reports.run_results import ModelResult
from foundry_tui.reports.run_words import CAUSE_WORDS, WITHHELD_WORDS

__all__ = ["gap_charts"]

_NS_PER_S = 1_000_000_000
_MOST_RIBBONS = 6
_MOST_CELLS = 240
_LEAST_CELLS = 40
_MOST_SIGNS = 12
_HEIGHT, _TOP = 40, 14
_CLASSES = len(CLASS_EDGES_MS) + 1
# In rising order: the last of a few in one cell is the one that is drawn.
_ORDER = ("same", *(f"g{grade}" for grade in range(_CLASSES)), "stall", "first")


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell, of one chunk or of a few: its class in the style, and how high it is, to 1."""

    kind: str
    height: float
    is_thought: bool


def gap_charts(key: str, results: Sequence[ModelResult]) -> Markup:
    """A few answers of each model: the first, the last, those that stand out, halted or failed."""
    charts = [_chart(f"{key}-gaps{index}", result) for index, result in enumerate(results)]
    if not any(charts):
        return paragraph("No answer has two chunks, so there are no gaps to be drawn.")
    return joined([_legend(), *charts])


def _chart(key: str, result: ModelResult) -> Markup:
    has_gaps = [request for request in result.requests if _is_shown(request)]
    if not has_gaps:
        return NOTHING
    chosen = _chosen(has_gaps, result)
    tracks = [GapTrack.of(request.trace) for request in chosen]
    ribbons = [_cells(track) for track in tracks]
    wide = max(_LEAST_CELLS, *map(len, ribbons))
    causes = {outlier.number: CAUSE_WORDS[outlier.cause] for outlier in result.outliers}
    rows = [
        _row(f"{key}-{request.number}", request, track, cells, wide, causes.get(request.number))
        for request, track, cells in zip(chosen, tracks, ribbons, strict=True)
    ]
    notes = []
    if len(chosen) < len(has_gaps):
        notes.append(
            f"{len(chosen)} of {plural(len(has_gaps), 'answer')} are drawn: those that stand out or halted"
            " for longest, the first, the middle and the last one before others. The readings"
            " of all are in the JSON."
        )
    most = max(len(track.chunks) for track in tracks)
    if most > _MOST_CELLS:
        notes.append(
            f"Of an answer with more than {_MOST_CELLS} chunks a cell is the longest of a few gaps in a row."
        )
    return figure(f"Gaps of {result.name}", rows, NOTHING, notes)


def _is_shown(request: RequestRun) -> bool:
    """Whether it is timed, however it ended, and has a gap."""
    return request.phase is Phase.TIMED and len(request.trace.chunks) > 1


def _chosen(requests: Sequence[RequestRun], result: ModelResult) -> list[RequestRun]:
    if len(requests) <= _MOST_RIBBONS:
        return list(requests)
    marked = {outlier.number: outlier.score for outlier in result.outliers}
    out = sorted(
        (request for request in requests if request.number in marked),
        key=lambda request: -marked[request.number],
    )
    longest = max(requests, key=lambda request: (_longest_gap_ns(request), -request.number))
    failed = [request for request in requests if not request.trace.outcome.is_timed]
    wanted = [requests[0], requests[-1], longest, *failed[:1], *out[:2], requests[len(requests) // 2]]
    wanted += [*out, *requests]
    numbers = list(dict.fromkeys(request.number for request in wanted))[:_MOST_RIBBONS]
    return [request for request in requests if request.number in numbers]


def _longest_gap_ns(request: RequestRun) -> int:
    chunks = request.trace.chunks
    return max(later.at_ns - earlier.at_ns for earlier, later in pairwise(chunks))


def _row(
    key: str, request: RequestRun, track: GapTrack, cells: Sequence[_Cell], wide: int, cause: str | None
) -> Row:
    told = _told(request, track)
    if cause is not None:
        told += f"; it stands out: {cause}"
    name = f"request {request.number}, {request.prompt_id}, round {request.round}"
    shapes = stretched(_paths(cells), wide=wide, high=10, top=_TOP, height=_HEIGHT - _TOP)
    stalls = [index for index, cell in enumerate(cells) if cell.kind == "stall"][:_MOST_SIGNS]
    signs = [label((index + 0.5) / wide, _TOP - 3, "✕", "sign") for index in stalls]
    return Row(name=name, told=told, drawn=drawing(key, f"Gaps: {name}", told, _HEIGHT, shapes, *signs))


def _told(request: RequestRun, track: GapTrack) -> str:
    """The words below the ribbon: of all its gaps."""
    numbers = track.summary()
    unit = "token gaps" if numbers.unit is GapUnit.TOKEN else "chunk gaps"
    parts = [plural(numbers.chunks, "chunk")]
    if numbers.median_ns is not None and numbers.max_ns is not None:
        parts.append(
            f"{unit}: median {seconds_in_words(numbers.median_ns / _NS_PER_S)},"
            f" max {seconds_in_words(numbers.max_ns / _NS_PER_S)} (n={numbers.count})"
        )
    else:
        parts.append(f"{unit}: {UNKNOWN}, all came in one read")
    if numbers.stalls:
        parts.append(
            f"{plural(numbers.stalls, 'stall')} of {seconds_in_words(numbers.stalled_ns / _NS_PER_S)} in all"
        )
    if numbers.is_late:
        parts.append(WITHHELD_WORDS[Withheld.LATE_CLOCK])
    if numbers.same_read:
        parts.append(f"{numbers.same_read} in one read with the chunk before")
    if not request.trace.outcome.is_timed:
        parts.append(f"it failed: {request.trace.outcome.words}")
    return "; ".join(parts)


def _cells(track: GapTrack) -> list[_Cell]:
    count = len(track.chunks)
    every = max(1, -(-count // _MOST_CELLS))
    singles = [_cell(track, index) for index in range(count)]
    if every == 1:
        return singles
    # The first is no gap, and stays by itself.
    return [
        singles[0],
        *(
            max(singles[start : start + every], key=lambda cell: _ORDER.index(cell.kind))
            for start in range(1, count, every)
        ),
    ]


def _cell(track: GapTrack, index: int) -> _Cell:
    is_thought = track.chunks[index].kind is ChunkKind.REASONING
    match track.kind_of(index):
        case WaitKind.FIRST:
            return _Cell("first", 1.0, is_thought)
        case WaitKind.SAME_READ:
            return _Cell("same", 0.08, is_thought)
        case WaitKind.STALL:
            return _Cell("stall", 1.0, is_thought)
        case WaitKind.GAP:
            grade = gap_class(track.wait_ns(index) or 0)
            return _Cell(f"g{grade}", (grade + 1) / _CLASSES, is_thought)


def _paths(cells: Sequence[_Cell]) -> Markup:
    """A path for each class: hundreds of cells in a few hundred bytes."""
    paths: dict[str, list[str]] = {}
    for index, cell in enumerate(cells):
        high = 9 * cell.height
        paths.setdefault(cell.kind, []).append(f"M{index} {number(9 - high)}h.85v{number(high)}h-.85z")
    thoughts = "".join(f"M{index} 9.4h1v.6h-1z" for index, cell in enumerate(cells) if cell.is_thought)
    drawn = [tag("path", d="".join(paths[kind]), class_=kind) for kind in _ORDER if kind in paths]
    if thoughts:
        drawn.append(tag("path", d=thoughts, class_="thought"))
    return joined(drawn)


def _legend() -> Markup:
    edges = CLASS_EDGES_MS
    told = [
        f"below {edges[0]} ms",
        *(f"{low} to {high} ms" for low, high in pairwise(edges)),
    ]
    told.append(f"{edges[-1]} ms or more")
    signs = [(f"g{grade}", (grade + 1) / _CLASSES, words) for grade, words in enumerate(told)]
    signs += [
        ("first", 1.0, "the first chunk"),
        ("stall", 1.0, "✕ a stall: above three medians and 250 ms"),
        ("same", 0.08, "in one read with the chunk before"),
    ]
    items = [
        tag(
            "li",
            tag(
                "svg",
                tag("rect", y=number(16 - 16 * height), width=8, height=number(16 * height), class_=kind),
                width=8,
                height=16,
                aria_hidden="true",
            ),
            line(f" {words}"),
        )
        for kind, height, words in signs
    ]
    intro = paragraph(
        "One cell for each chunk of an answer, from left to right; the longer the wait before it, the higher"
        " and the stronger its colour. A line below cells marks reasoning."
    )
    return joined([intro, tag("ul", *items, class_="legend")])
