"""Quality against latency in cells: it keeps to its room, and hides nobody."""

import pytest
from rich.cells import cell_len

from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.selection import Fit
from foundry_tui.reports.choice_points import ChoicePoint, ChoicePoints, size_of, sizes
from foundry_tui.tui.screens.bench.ink import Ink
from foundry_tui.tui.screens.choose.chart import chart_lines

GIB = 1 << 30


def point(
    letter: str, latency_s: float, quality: float, *, memory: int | None = GIB, fit: Fit = Fit.FITS
) -> ChoicePoint:
    return ChoicePoint(
        letter=letter,
        name=f"{letter}-cpu:1",
        latency_s=latency_s,
        latency_interval=Interval(latency_s * 0.9, latency_s * 1.2),
        quality=quality,
        quality_interval=Interval(max(1.0, quality - 0.5), min(5.0, quality + 0.5)),
        memory_bytes=memory,
        fit=fit,
        is_on_front=fit is Fit.FITS,
    )


def drawn(*points: ChoicePoint, cells: int = 60, rows: int = 20, chosen: str | None = None) -> list[str]:
    found = ChoicePoints(drawn=points, left_out=(("not scored", ("X", "Y")),))
    return ["".join(text for text, _ in line) for line in chart_lines(found, cells, rows, chosen)]


@pytest.mark.parametrize("cells", [24, 40, 76, 190])
@pytest.mark.parametrize("rows", [5, 9, 20, 50])
@pytest.mark.parametrize("spread", [1.0, 1.0001, 3.0, 1000.0])
def test_it_keeps_to_the_cells_and_rows_that_it_is_given(cells: int, rows: int, spread: float) -> None:
    points = [
        point(letter, 0.02 * spread ** (place / 3), 1 + place, memory=place * GIB or None)
        for place, letter in enumerate("ABCDE")
    ]

    lines = drawn(*points, cells=cells, rows=rows)

    assert max(map(cell_len, lines)) <= cells
    assert len(lines) <= rows


def test_every_model_is_on_it_by_its_letter_and_its_size_goes_with_memory() -> None:
    lines = drawn(
        point("A", 1.0, 4.5, memory=9 * GIB),
        point("B", 2.0, 3.5, memory=4 * GIB),
        point("C", 3.0, 2.5, memory=GIB),
        point("D", 4.0, 1.5, memory=None),
    )

    said = "\n".join(lines)
    assert all(bubble in said for bubble in ("(  A  )", "( B )", "(C)", "D"))
    assert "without brackets: memory not known" in " ".join(said.replace("\n", " ").split())
    assert "not scored: X, Y" in said


def test_models_that_would_hide_each_other_share_a_bubble() -> None:
    said = "\n".join(drawn(point("A", 1.0, 4.0), point("B", 1.001, 4.0), point("C", 3.0, 2.0)))

    assert "A,B" in said


def test_who_does_not_fit_has_a_sign_and_not_only_a_colour() -> None:
    said = "\n".join(drawn(point("A", 1.0, 4.0, fit=Fit.DOES_NOT), point("B", 3.0, 2.0, fit=Fit.NOT_KNOWN)))

    assert "A!" in said
    assert "B?" in said


def test_better_is_higher_and_faster_is_to_the_left_and_the_axis_has_its_unit() -> None:
    lines = drawn(point("A", 0.1, 4.5), point("B", 0.4, 2.0))

    (a,), (b,) = (
        [
            (row, line.index(letter))
            for row, line in enumerate(lines)
            if letter in line and "memory" not in line
        ]
        for letter in "AB"
    )
    assert a[0] < b[0]
    assert a[1] < b[1]
    assert any("200 ms" in line for line in lines)


def test_the_one_under_the_cursor_stands_out() -> None:
    found = ChoicePoints(drawn=(point("A", 1.0, 4.0), point("B", 3.0, 2.0)), left_out=())

    inks = {
        text.strip("() "): ink
        for line in chart_lines(found, 60, 20, "B")
        for text, ink in line
        if "(" in text and "memory" not in text
    }

    assert inks == {"A": Ink.INTERVAL, "B": Ink.CHOSEN}


def test_sizes_go_by_area() -> None:
    assert [size_of(memory, 9 * GIB) for memory in (None, 1, GIB, 2 * GIB, 4 * GIB, 9 * GIB)] == [
        0,
        1,
        1,
        2,
        2,
        3,
    ]
    assert sizes([9 * GIB, GIB]) == [(1, "up to 1.00 GiB"), (3, "up to 9.00 GiB")]
    assert sizes([]) == []
