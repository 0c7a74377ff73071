"""What stands in the tables of the resources: models and what they took, and what has happened."""

from collections.abc import Callable, Sequence

from foundry_tui.domain.quantities import bytes_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.domain.timeline import Happening
from foundry_tui.metrics.stays import Stay, StayEnd, Taken
from foundry_tui.reports.machine import happening_words
from foundry_tui.tui.screens.resources_picture import SIGNS
from foundry_tui.tui.widgets.table_parts import Align, Column, Emphasis, Row

__all__ = ["EVENT_COLUMNS", "MODEL_COLUMNS", "event_rows", "model_rows"]

_MOST_EVENTS = 500
MODEL_COLUMNS = (
    Column(key="model", label="Model", width=16, weight=2, priority=9),
    Column(key="load", label="Load", width=8, align=Align.RIGHT, priority=1),
    Column(key="before", label="Before", width=8, align=Align.RIGHT, priority=4),
    Column(key="loaded", label="Loaded", width=8, align=Align.RIGHT, priority=6),
    Column(key="grown", label="Took", width=9, align=Align.RIGHT, priority=2),
    Column(key="peak", label="Peak", width=9, align=Align.RIGHT, priority=7),
    Column(key="after", label="After", width=9, align=Align.RIGHT, priority=5),
    Column(key="residual", label="Residual", width=9, align=Align.RIGHT, priority=8),
)
EVENT_COLUMNS = (
    Column(key="time", label="Time", width=8, priority=8),
    Column(key="sign", label=" ", width=1, priority=7),
    Column(key="what", label="What", width=30, weight=1, priority=9),
)


def model_rows(stays: Sequence[Stay]) -> list[Row]:
    """The newest first; memory of GPUs has a row of its own below the model's."""
    rows: list[Row] = []
    for stay in reversed(stays):
        key = f"{stay.begun_ns} {stay.model_id}"
        load = "" if stay.load_ns is None else seconds_in_words(stay.load_ns / 1e9)
        ram = _cells(stay, lambda taken: taken.rss_bytes)
        is_dim = Emphasis.NORMAL if stay.ended_ns is None else Emphasis.DIM
        rows.append(Row(key=key, cells=(clean_line(stay.model_id), load, *ram), emphasis=is_dim))
        if stay.peak.vram_bytes is not None:
            vram = _cells(stay, lambda taken: taken.vram_bytes)
            rows.append(Row(key=f"{key} GPU", cells=("  GPU memory", "", *vram), emphasis=is_dim))
    return rows


def _cells(stay: Stay, of: Callable[[Taken], int | None]) -> tuple[str, ...]:
    shared = "*" if stay.is_shared else ""
    after = stay.after
    if stay.end is None:
        later = "in memory"
    elif stay.end is StayEnd.ENGINE_ENDED:
        later = "gone"
    else:
        later = "…" if after is None else bytes_in_words(of(after))
    return (
        bytes_in_words(of(stay.before)),
        bytes_in_words(of(stay.loaded)),
        bytes_in_words(of(stay.grown), sign=True),
        bytes_in_words(of(stay.peak)) + shared,
        later,
        "" if after is None else bytes_in_words(of(stay.residual), sign=True) + shared,
    )


def event_rows(happenings: Sequence[Happening], wall: Callable[[int], str]) -> list[Row]:
    """The newest first, five hundred at most; a row's key begins with its moment.

    Args:
        happenings: In order of time.
        wall: The time of day of a moment.
    """
    newest = {f"{one.at_ns} {one.kind} {one.model_id}": one for one in happenings[-_MOST_EVENTS:]}
    return [
        Row(
            key=key,
            cells=(wall(one.at_ns), SIGNS[one.kind], happening_words(one)),
            emphasis=Emphasis.PROBLEM if one.kind.is_trouble else Emphasis.NORMAL,
        )
        for key, one in reversed(newest.items())
    ]
