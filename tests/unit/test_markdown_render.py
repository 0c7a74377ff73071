import random
import threading
from collections import defaultdict

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from foundry_tui.tui.widgets.folding import breaks, shown
from foundry_tui.tui.widgets.markdown_code import SHADES, Shades
from foundry_tui.tui.widgets.markdown_render import MarkdownRenderer, code_blocks
from foundry_tui.tui.widgets.markdown_shades import shades_of
from foundry_tui.tui.widgets.transcript_rows import Drawing

PLAIN: dict[str, Style] = defaultdict(Style)


def drawn(text: str, width: int = 60, *, palette: dict[str, Style] = PLAIN) -> Drawing:
    drawing = MarkdownRenderer(palette).draw(shown(text), width, {})
    assert drawing is not None
    return drawing


def rows(text: str, width: int = 60) -> list[str]:
    return drawn(text, width).row_texts()


def lit(drawing: Drawing, ranges: list[tuple[int, int]]) -> list[str]:
    """The characters that stand where those ranges of the reading are."""
    texts = drawing.row_texts()
    return [texts[span.row][span.start : span.end] for _, span in drawing.spans(ranges)]


def test_paragraphs_are_wrapped_between_words_and_keep_their_lines() -> None:
    assert rows("one two three four\nfive *six*", 12) == ["one two", "three four", "five six"]


def test_lists_are_indented_and_numbered_as_they_begin() -> None:
    assert rows("- one\n- two longer words\n  - deep\n\n9. nine\n10. ten", 15) == [
        " • one",
        " • two longer",
        "   words",
        "    • deep",
        "",
        "  9. nine",
        " 10. ten",
    ]


def test_an_empty_item_keeps_its_bullet() -> None:
    assert rows("- a\n-\n- c") == [" • a", " •", " • c"]


def test_quotes_have_a_bar_on_every_row() -> None:
    assert rows("> one two\n>\n> - three", 14) == ["│ one two", "│", "│  • three"]


def test_code_keeps_its_spaces_and_stands_on_a_block_of_one_width() -> None:
    drawing = drawn("```python\ndef f():\n\treturn 1\n```", 20)

    assert drawing.row_texts() == [" def f():", "     return 1"]
    assert drawing.rows is not None
    assert [sum(segment.cell_length for segment in row) for row in drawing.rows] == [20, 20]
    assert drawing.codes == ((0, 2),)


def test_a_table_has_columns_as_wide_as_needed_and_aligned_as_asked() -> None:
    assert rows("| name | n |\n|:--|--:|\n| a | 1 |\n| bcdefg | 12345 |") == [
        "name        n",
        "──────  ─────",
        "a           1",
        "bcdefg  12345",
    ]


def test_a_table_that_is_too_wide_wraps_its_cells_and_cuts_no_word() -> None:
    text = "| a | b |\n|--|--|\n| short | some longer words in here |"

    assert rows(text, 20) == [
        "a      b",
        "─────  ─────────────",
        "short  some longer",
        "       words in here",
    ]


def test_a_table_without_room_for_its_columns_is_shown_cell_after_cell() -> None:
    assert rows("| a | b | c |\n|--|--|--|\n| 1 | 2 | 3 |", 13) == ["a | b | c", "1 | 2 | 3"]


def test_blocks_of_one_piece_stand_apart() -> None:
    assert rows("# Head\ntext\n\n---\n> quote") == ["Head", "", "text", "", "─" * 60, "", "│ quote"]


def test_what_has_no_room_or_is_nested_too_deep_is_not_drawn() -> None:
    renderer = MarkdownRenderer(PLAIN)

    assert renderer.draw("> > > > text", 14, {}) is None
    assert renderer.draw("".join("  " * n + "- x\n" for n in range(30)), 200, {}) is None
    assert renderer.draw("```\n```", 60, {}) is None


def test_a_link_shows_its_address_and_leads_there_from_its_text_as_well() -> None:
    drawing = drawn("go [he*re*](https://x.example/a) now")

    (row,) = drawing.row_texts()
    assert row == "go here (https://x.example/a) now"
    assert {drawing.url_at(0, n) for n in range(3, 29)} == {"https://x.example/a"}
    assert {drawing.url_at(0, n) for n in (0, 2, 30, 32, 99)} == {None}
    assert drawing.url_at(5, 0) is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("see https://a.example/b.", "https://a.example/b"),
        ("(https://a.example/b_(c))", "https://a.example/b_(c)"),
        ("<https://a.example/b>", "https://a.example/b"),
        ("**https://a.example/b**", "https://a.example/b"),
        ("`curl https://a.example/b`", "https://a.example/b"),
        ("```\ncurl https://a.example/b\n```", "https://a.example/b"),
        ("https://", None),
        ("https://a.example/" + "b" * 3_000, None),
    ],
)
def test_an_address_is_found_without_the_signs_around_it(text: str, url: str | None) -> None:
    drawing = drawn(text, 200)
    row = next(n for n, row in enumerate(drawing.row_texts()) if "http" in row)

    assert drawing.url_at(row, drawing.row_texts()[row].index("http") + 3) == url


def test_the_address_of_an_image_leads_nowhere_by_its_text() -> None:
    drawing = drawn("![alt](https://img.example/y.png)")

    assert drawing.row_texts() == ["[image: alt] (https://img.example/y.png)"]
    assert drawing.url_at(0, 9) is None
    assert drawing.url_at(0, 20) == "https://img.example/y.png"


def test_the_text_reads_on_where_its_rows_are_wrapped() -> None:
    drawing = drawn("> - one two three\n> - abcdefghijklmnop", 13)

    assert drawing.row_texts() == ["│  • one two", "│    three", "│  • abcdefgh", "│    ijklmnop"]
    assert drawing.reading() == "\none two three\nabcdefghijklmnop"
    assert lit(drawing, [(5, 14), (22, 26)]) == ["two", "three", "h", "ijk"]


def test_the_cells_of_a_table_are_read_one_after_the_other() -> None:
    drawing = drawn("| a | b |\n|--|--|\n| one two three | four five six |", 18)

    assert drawing.row_texts()[2:] == ["one two   four", "three     five six"]
    assert drawing.reading() == "\na\nb\none two three\nfour five six"
    assert lit(drawing, [(9, 18), (24, 32)]) == ["two", "three", "five six"]


def test_code_is_given_its_colours_by_the_place_of_its_characters() -> None:
    palette = defaultdict(Style, {"code-keyword": Style(bold=True), "code-string": Style(italic=True)})
    text = "```python\nif x:\n    'a\tb'\n```"
    renderer = MarkdownRenderer(palette)
    plain = renderer.draw(text, 40, {})
    assert plain is not None
    (wish,) = plain.unlit

    coloured = renderer.draw(text, 40, {wish: shades_of(*wish, threading.Event())})

    assert coloured is not None
    assert coloured.rows is not None
    assert coloured.text == plain.text
    assert coloured.unlit == ()
    assert emphasised(coloured.rows) == [("if", "bold"), ("'a  b'", "italic")]


def emphasised(drawn_rows: list[list[Segment]]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for segment in (segment for row in drawn_rows for segment in row):
        if segment.style is not None and (segment.style.bold or segment.style.italic):
            found.append((segment.text, "bold" if segment.style.bold else "italic"))
    return found


def test_code_without_a_language_asks_for_no_colours() -> None:
    assert drawn("```\n#!/bin/sh\n```").unlit == ()
    assert drawn("    indented").unlit == ()


def test_a_language_is_never_guessed() -> None:
    assert list(shades_of("no-such-language", "#!/bin/sh\n", threading.Event())) == []
    assert list(shades_of("", "#!/bin/sh\n", threading.Event())) == []


def test_shades_cover_the_code_and_an_early_end_leaves_none() -> None:
    code = "def f(x):\n    return 'text' + 1  # why"
    given_up = threading.Event()

    runs = list(shades_of("python", code, given_up))
    given_up.set()

    assert sum(length for length, _ in runs) == len(code)
    assert {SHADES[shade] for _, shade in runs} == set(SHADES)
    assert list(shades_of("python", code, given_up)) == []


def test_shades_that_end_before_the_code_leave_the_rest_plain() -> None:
    drawing = MarkdownRenderer(PLAIN).draw("```x\nab\ncd\n```", 20, {("x", "ab\ncd"): Shades([(1, 2)])})

    assert drawing is not None
    assert drawing.row_texts() == [" ab", " cd"]


def test_code_blocks_are_given_out_without_their_fences() -> None:
    text = "```py\nx = 1\n\ty\n```\n\n- item\n  ~~~\n  z\n  ~~~\n\ntext\n\n    indented\n"

    assert code_blocks(text) == ["x = 1\n\ty\n", "z\n", "indented\n"]


def test_the_cuts_of_a_line_leave_out_nothing_but_white_space() -> None:
    chance = random.Random(2)
    for _ in range(500):
        line = "".join(
            chance.choice(["a", " ", "日", "é", "word", "x" * 20]) for _ in range(chance.randint(0, 40))
        )
        width = chance.randint(2, 20)
        at = 0
        for start, end in breaks(line, width):
            assert line[at:start].strip() == ""
            assert cell_len(line[start:end]) <= width
            at = end
        assert line[at:].strip() == ""


def test_whatever_is_drawn_fits_and_is_harmless_and_reads_as_it_stands() -> None:
    chance = random.Random(9)
    atoms = [
        *"*_`~#>|-\n[]()!\\ \t",
        "\n\n",
        "```",
        "    ",
        "1. ",
        "| a | b |\n|--|:-:|\n",
        "[a](http://x.y)",
        "https://b.c/d",
    ]
    atoms += [
        "日本語",
        "x" * 30,
        "\u0301",
        "👩\u200d💻",
        "&#13;",
        "&zwj;",
        "\x1b[31m",
        "\u202e",
        "word",
        "- ",
    ]
    renderer = MarkdownRenderer(PLAIN)

    for _ in range(600):
        text = shown("".join(chance.choice(atoms) for _ in range(chance.randint(1, 50))))
        width = chance.choice([12, 20, 47])
        drawing = renderer.draw(text, width, {})
        if drawing is None:
            continue
        assert drawing.rows is not None
        texts = ["".join(segment.text for segment in row) for row in drawing.rows]
        assert all(cell_len(row) <= width for row in texts)
        assert not any(
            ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u200d" for row in texts for c in row
        )
        reading = drawing.reading()
        assert drawing.reading_length == len(reading)
        assert "".join(lit(drawing, [(0, len(reading))])).replace(" ", "") == reading.replace(
            "\n", ""
        ).replace(" ", "")
