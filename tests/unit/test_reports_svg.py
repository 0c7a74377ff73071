"""Scales and shapes of drawings, and text that cannot get out of its place."""

import math
from xml.etree import ElementTree

import pytest

from foundry_tui.reports.page.svg import (
    Axis,
    across,
    axis_of,
    bar,
    curve,
    label,
    linear_axis,
    percent,
    tick_numbers,
)
from foundry_tui.reports.page.text import Markup, line, number, tag, words


@pytest.mark.parametrize(
    ("values", "low", "high", "ticks"),
    [
        ([0.9, 1.4], 0.9, 1.4, (0.9, 1.0, 1.1, 1.2, 1.3, 1.4)),
        ([4, 97], 0, 100, (0, 20, 40, 60, 80, 100)),
        ([5], 4.4, 5.6, (4.4, 4.6, 4.8, 5.0, 5.2, 5.4, 5.6)),
        ([0], -1, 1, (-1, -0.5, 0, 0.5, 1)),
    ],
)
def test_an_axis_ends_at_ticks_around_its_values_and_begins_at_nought_where_that_is_near(
    values: list[float], low: float, high: float, ticks: tuple[float, ...]
) -> None:
    axis = axis_of(values)

    assert [axis.low, axis.high, *axis.ticks] == pytest.approx([low, high, *ticks])
    assert not axis.is_log


def test_values_that_lie_far_apart_are_drawn_on_a_logarithmic_axis() -> None:
    axis = axis_of([0.02, 3])

    assert axis.is_log
    assert axis.ticks == pytest.approx((0.01, 0.1, 1, 10))
    assert [axis.share(value) for value in (0.01, 0.1, 10)] == pytest.approx([0, 1 / 3, 1])


@pytest.mark.parametrize("values", [[1e-300, 1e300], [5e-324, 1], [1e18, 1e18 + 128], [-1e300, 1e300]])
def test_any_finite_values_have_an_axis_with_few_ticks(values: list[float]) -> None:
    axis = axis_of(values)

    assert 2 <= len(axis.ticks) <= 12
    assert all(0 <= axis.share(value) <= 1 for value in values)


def test_values_that_are_no_numbers_have_none() -> None:
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            axis_of([1, value])


def test_ticks_have_as_many_decimals_as_they_need() -> None:
    assert [tick_numbers(linear_axis(0, 1))(value) for value in (0, 0.2, 1)] == ["0.0", "0.2", "1.0"]
    assert [tick_numbers(linear_axis(0, 12))(value) for value in (0, 2.5)] == ["0.0", "2.5"]
    assert tick_numbers(linear_axis(0, 0.05), 1000)(0.02) == "20"
    assert tick_numbers(linear_axis(0, 5000))(2000) == "2,000"


def test_places_are_shares_of_the_width_with_room_at_the_edges_and_more_is_higher() -> None:
    axis = Axis(low=0, high=10, ticks=(0, 10))

    assert (percent(0), percent(0.5), percent(1)) == ("1.5%", "50%", "98.5%")
    assert (across(axis, 0, 10, 110), across(axis, 10, 10, 110)) == (110, 10)


def test_shapes_are_written_in_few_signs() -> None:
    assert bar(0, 0.5, 4, 8, "box") == '<rect x="1.5%" y="4" width="48.5%" height="8" class="box"/>'
    assert curve([(0, 0), (0.5, 1)], "line") == '<path d="M0 100L500 0" class="line"/>'
    assert 'text-anchor="end"' in label(1, 10, "10")
    assert [number(value) for value in (1.0, 0.256, -0.001, 100, 10.5)] == ["1", "0.26", "-0", "100", "10.5"]


def test_a_text_is_escaped_and_harmless_in_content_and_in_attributes() -> None:
    made = tag("g", words("<a&\x1b\u202e>"), data_of='"><script>\x00')

    element = ElementTree.fromstring(made)
    assert element.text == "<a&\u241b\ufffd>"
    assert element.attrib == {"data-of": '"><script>\u2400'}
    assert line("a\nb  c", 4) == Markup("a b…")
