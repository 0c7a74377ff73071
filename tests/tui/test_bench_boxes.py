"""Readings in cells: points, boxes and bars on one scale, honest of few and harmless of names."""

import pytest

from foundry_tui.tui.screens.bench.axis import Axis, axis_of, number_words
from foundry_tui.tui.screens.bench.boxes import Drawing, Group, Shape, drawing_of
from foundry_tui.tui.screens.bench.ink import Ink
from tests.support.hostile import CORPUS, Payload, harm_in

# Eleven readings from 0 to 100, so that a quartile is a reading: 25 at the cell of 25, and so on.
ELEVEN = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0]


def group(*values: float, key: str = "m", **known: bool) -> Group:
    return Group(key=key, name=key, values=values, **known)


def drawn(
    *groups: Group,
    shape: Shape = Shape.BOX,
    width: int = 59,
    height: int = 8,
    chosen: str | None = None,
    is_plain: bool = True,
) -> Drawing:
    return drawing_of(groups, shape=shape, width=width, height=height, chosen=chosen, is_plain=is_plain)


def texts(drawing: Drawing) -> list[str]:
    return ["".join(text for text, _ in line) for line in drawing.lines]


@pytest.mark.parametrize(
    ("groups", "ends", "is_log"),
    [
        ([[1.0, 2.0], [3.0]], (1.0, 3.0), False),
        ([[1.0], [21.0]], (1.0, 21.0), True),
        ([[0.0], [21.0]], (0.0, 21.0), False),
        # All alike: 5 % on either side, so that they stand in the middle.
        ([[2.0, 2.0]], (1.9, 2.1), False),
    ],
)
def test_a_scale_holds_all_and_is_logarithmic_from_twenty_times_on(
    groups: list[list[float]], ends: tuple[float, float], is_log: bool
) -> None:
    axis = axis_of(groups, 40)

    assert axis is not None
    assert (axis.low, axis.high) == pytest.approx(ends)
    assert axis.is_log is is_log


def test_without_a_reading_or_without_room_there_is_no_scale() -> None:
    assert axis_of([[], []], 40) is None
    assert axis_of([[1.0, 2.0]], 1) is None


def test_the_ends_stand_in_the_first_and_the_last_cell_and_what_is_off_it_too() -> None:
    axis = Axis(low=0.0, high=10.0, cells=11)

    assert [axis.cell(value) for value in (0.0, 5.0, 10.0, -3.0, 99.0)] == [0, 5, 10, 0, 10]


def test_equal_ratios_are_equally_wide_on_a_logarithmic_scale() -> None:
    axis = Axis(low=1.0, high=100.0, cells=21, is_log=True)

    assert [axis.cell(value) for value in (1.0, 10.0, 100.0)] == [0, 10, 20]
    assert axis.ticks() == [(0, "1"), (10, "10"), (20, "100")]


def test_round_values_are_written_below_a_scale() -> None:
    # 30 cells have room for three steps: of a third of 0.9 the next round one is 0.5.
    axis = Axis(low=0.3, high=1.2, cells=30)

    assert [words for _, words in axis.ticks()] == ["0.5", "1"]


@pytest.mark.parametrize(("value", "words"), [(0.05, "0.05"), (12.0, "12"), (1500.0, "1,500"), (1e-12, "0")])
def test_a_round_number_is_as_short_as_it_can_be(value: float, words: str) -> None:
    assert number_words(value) == words


def test_a_box_goes_from_quartile_to_quartile_with_the_median_and_its_interval() -> None:
    # 51 cells of 2 each: quartiles at 25 and 75, the median at 50; the 95 % interval of the median of eleven
    # goes from the second reading to the tenth, 10 to 90.
    line = texts(drawn(group(*ELEVEN)))[0]
    plot = line[3:54]

    assert [plot.index("("), plot.index("M"), plot.index(")")] == [5, 25, 45]
    assert (plot.index("="), plot.rindex("=")) == (12, 38)
    assert (plot[0], plot[-1], plot[1:5], plot[46:50]) == ("|", "|", "----", "----")


def test_below_six_readings_the_median_has_no_interval() -> None:
    # Five readings: the quartiles are the second and the fourth of them.
    line = texts(drawn(group(0.0, 25.0, 50.0, 75.0, 100.0)))[0]

    assert "(" not in line
    assert line[3:].startswith("|------------====")


def test_what_lies_beyond_one_and_a_half_boxes_is_drawn_itself() -> None:
    # Quartiles 2 and 4: whiskers reach to 5, the last within 7, where the interval ends too; 20 is beyond.
    values = [1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 4.0, 5.0, 20.0]
    plot = texts(drawn(group(*values)))[0][3:54]

    assert plot[-1] == "o"
    assert plot.rindex(")") == 11  # 5 on the way from 1 to 20
    assert plot[12:50].strip(" :") == ""


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_fewer_than_five_readings_are_points_and_no_box(count: int) -> None:
    drawing = drawn(group(*[10.0 * place for place in range(count)]), shape=Shape.HISTOGRAM)
    inks = {ink for line in drawing.lines for _, ink in line}

    assert sum(line.count("*") for line in texts(drawing)) == count
    assert not inks & {Ink.BOX, Ink.MEDIAN, Ink.WHISKER, Ink.BAR}


def test_points_that_share_a_cell_are_counted() -> None:
    line = texts(drawn(group(1.0, 1.0, 5.0)))[0]

    assert "2" in line
    assert line.count("*") == 1


def test_a_bar_is_as_high_as_the_part_of_readings_in_its_cell() -> None:
    # In three rows of eight steps: five of six at the left end are the highest, one is a fifth of it.
    drawing = drawn(group(0.0, 0.0, 0.0, 0.0, 10.0, 0.0), shape=Shape.HISTOGRAM, height=3)
    bars = [{text[0] for text, ink in line if ink is Ink.BAR} for line in drawing.lines]

    assert bars == [{"8"}, {"8"}, {"8", "5"}]


def test_bars_have_a_scale_of_their_own_for_each_model_with_its_ends_in_numbers() -> None:
    quick, slow = [0.2501, 0.25, 0.2502, 0.25, 0.2503], [1200.0, 1300.0, 1300.0, 1300.0, 1400.0]
    lines = texts(drawn(group(*quick, key="a"), group(*slow, key="b"), shape=Shape.HISTOGRAM, height=2))

    assert lines[0].split()[:2] == ["a", "0.25"]
    assert lines[1].split()[0:2] == ["b", "1,200"]
    assert lines[1].split()[-2:] == ["1,400", "n=5"]
    assert [len(line) for line in lines] == [59, 59]


def test_all_models_stand_on_one_scale() -> None:
    lines = texts(drawn(group(0.0, 10.0, key="a"), group(100.0, key="b")))

    assert lines[0].index("*") < lines[0].rindex("*") < lines[1].index("*")
    assert lines[2].split() == ["0", "20", "40", "60", "80", "100"]


def test_an_estimate_and_a_model_without_a_reading_are_told() -> None:
    lines = texts(drawn(group(1.0, 2.0, key="a", is_estimate=True), group(key="b")))

    assert lines[0].endswith("~n=2")
    assert lines[1].endswith("no reading")


def test_where_not_all_have_room_the_chosen_one_is_among_those_that_have() -> None:
    groups = [group(float(place), key=f"m{place}") for place in range(9)]

    drawing = drawn(*groups, height=4, chosen="m6")
    assert drawing.keys == ("m5", "m6", "m7", None)
    assert drawing.hidden == 6
    assert texts(drawing)[1].startswith(">m6")


@pytest.mark.parametrize("size", [(0, 0), (5, 1), (12, 2), (80, 0), (200, 60)])
def test_no_size_is_too_small(size: tuple[int, int]) -> None:
    groups = [group(*ELEVEN, key=f"m{place}") for place in range(3)]

    for shape in Shape:
        drawing = drawn(*groups, shape=shape, width=size[0], height=size[1])
        assert len(drawing.lines) <= max(0, size[1])


def test_every_line_is_as_wide_as_was_asked_for_wide_letters_too() -> None:
    drawing = drawing_of(
        [Group(key="a", name="模型-七-very-long-name-of-a-model-cuda-gpu:12", values=ELEVEN)],
        shape=Shape.BOX,
        width=70,
        height=3,
    )

    head = drawing.lines[0][0][0]
    assert head.startswith(" 模型")
    assert sum(2 if ord(sign) > 0x3000 else 1 for sign in texts(drawing)[0]) == 70


@pytest.mark.parametrize("payload", CORPUS[::20], ids=lambda payload: payload.name)
def test_names_are_harmless(payload: Payload) -> None:
    drawing = drawing_of(
        [Group(key="a", name=payload.text, values=ELEVEN)], shape=Shape.BOX, width=80, height=3
    )

    assert [harm for line in texts(drawing) for harm in harm_in(line)] == []
