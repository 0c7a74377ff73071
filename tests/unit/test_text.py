"""Text from models, catalogs and servers is harmless to a screen, and ordinary text stays as it is."""

import time
from collections.abc import Callable

import pytest

from foundry_tui.domain.text import clean_line, clean_text, shorten

FOREIGN = "\N{REPLACEMENT CHARACTER}"

ORDINARY = {
    "ascii": "def f(x):\n\treturn {'a': [1, 2]}  # 100 %, ~tilde, `tick`\n",
    "german": "Größe, Übermaß, fünf Straßen",
    "vietnamese decomposed": "Vie\u0323\u0302t Nam",
    "greek polytonic decomposed": "α\u0313\u0301\u0345",
    "russian with stress": "за\u0301мок",
    "hebrew with points and accents": "בְּרֵאשִׁ֖ית",
    "hebrew with five marks": "ש\u05bc\u05c1\u05b8\u0596\u05bd",
    "arabic with vowels": "ٱلرَّحْمَٰنِ",
    "persian with a non-joiner": "می\u200cخواهم",
    "hindi with conjuncts": "क्षत्रिय हिन्दी",
    "hindi with a joiner": "क्\u200dष",
    "tamil": "தமிழ் மொழி",
    "thai with stacked marks": "ผู้ใหญ่ที่นี่",
    "burmese with stacked marks": "မြွှုံ့",
    "tibetan": "བསྒྲུབས་",
    "khmer": "ភាសាខ្មែរ",
    "chinese": "你好，世界。「引用」",
    "japanese decomposed": "か\u3099き\u3099",
    "korean": "한국어와 조선말",
    "emoji family": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "emoji with tone and sex": "\U0001f3c3\U0001f3fd\u200d\u2640\ufe0f",
    "flags": "\U0001f1e9\U0001f1ea\U0001f1ef\U0001f1f5",
    "keycap": "1\ufe0f\u20e3",
    "many emoji": "🎉🎊🎈🎁🎂🍰🧁🍩",
    "mathematics": "∀x∈ℝ: √x̄ ≤ ∑ₙ aₙ²",
    "box": "┌──────────┐\n│ 1 → 2 ✓ │\n└──────────┘",
    "punctuation": "«wait…» — “no” ……………………",
    "private use": "\ue0b0 powerline",
}


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY.keys())
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize("code", [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20)])
def test_a_c0_control_shows_as_its_picture(code: int) -> None:
    assert clean_text(f"a{chr(code)}b") == f"a{chr(0x2400 + code)}b"


def test_delete_shows_as_its_picture() -> None:
    assert clean_text("a\x7fb") == "a␡b"


def test_line_feeds_and_tabs_stay() -> None:
    assert clean_text("a\n\tb") == "a\n\tb"


@pytest.mark.parametrize("code", range(0x80, 0xA0))
def test_a_c1_control_is_replaced(code: int) -> None:
    assert clean_text(f"a{chr(code)}b") == f"a{FOREIGN}b"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b[2J\x1b[H", "␛[2J␛[H"),
        ("\x9b31mred", f"{FOREIGN}31mred"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\x1b]52;c;cm0gLXJm\x1b\\", "␛]52;c;cm0gLXJm␛\\"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "␛]8;;http://evil␛\\link␛]8;;␛\\"),
        ("\x9d0;title\x9c", f"{FOREIGN}0;title{FOREIGN}"),
        ("\x1bP$q\x1b\\", "␛P$q␛\\"),
        ("\x90q\x9c", f"{FOREIGN}q{FOREIGN}"),
        ("\x1b_Gq\x1b\\", "␛_Gq␛\\"),
        ("\x1bc", "␛c"),
        ("\x08\x08\x08", "␈␈␈"),
        ("\x0e\x0f", "␎␏"),
    ],
)
def test_a_terminal_sequence_is_seen_and_not_obeyed(hostile: str, shown: str) -> None:
    assert clean_text(hostile) == shown


@pytest.mark.parametrize(
    "hidden",
    [
        *"\u202a\u202b\u202c\u202d\u202e",
        *"\u2066\u2067\u2068\u2069",
        *"\u200e\u200f\u061c",
        *"\u200b\u2060\u2061\u2062\u2063\u2064\u2065\ufeff\u180e",
        *"\u206a\u206b\u206c\u206d\u206e\u206f",
        *"\ufff9\ufffa\ufffb",
        *"\U000e0000\U000e0001\U000e0020\U000e0041\U000e007f",
        *"\ud800\udbff\udc00\udfff",
    ],
    ids=lambda character: f"{ord(character):04x}",
)
def test_a_hidden_character_is_replaced(hidden: str) -> None:
    assert clean_text(f"a{hidden}b") == f"a{FOREIGN}b"


def test_source_text_that_reads_otherwise_than_it_runs_shows_its_tricks() -> None:
    trojan = "if access != 'user\u202e \u2066// admin\u2069 \u2066':"

    assert clean_text(trojan) == (f"if access != 'user{FOREIGN} {FOREIGN}// admin{FOREIGN} {FOREIGN}':")


def test_two_halves_of_a_surrogate_pair_do_not_become_a_character() -> None:
    cleaned = clean_text("\ud83d\ude00")

    assert cleaned == FOREIGN * 2
    assert cleaned.encode() == b"\xef\xbf\xbd\xef\xbf\xbd"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("a\r\r\nb", "a\n\nb"),
        ("a\n\rb", "a\n\nb"),
        ("a\u2028b", "a\nb"),
        ("a\u2029b", "a\nb"),
        ("a\x85b", f"a{FOREIGN}b"),
    ],
)
def test_every_way_to_end_a_line_becomes_a_line_feed_or_is_seen(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@pytest.mark.parametrize(
    "marks",
    [
        "\u0300",
        "\u0336\u0489",
        "\u20dd",
        "\u0e47",  # Thai: no combining class, and stacks all the same
        "\u0300\u0e49",
        "\u0fb7",
        "\u034f",
        "\ufe0f",
        "\U000e0100",
    ],
    ids=lambda marks: "-".join(f"{ord(mark):04x}" for mark in marks),
)
def test_of_a_tower_of_marks_five_are_kept(marks: str) -> None:
    tower = (marks * 40)[:40]

    assert clean_text(f"a{tower}b{tower}c") == f"a{tower[:5]}b{tower[:5]}c"


def test_five_marks_on_each_of_many_letters_are_no_tower() -> None:
    text = "a\u0301\u0302\u0303\u0304\u0305" * 20

    assert clean_text(text) == text


def test_cleaning_twice_changes_nothing_more() -> None:
    hostile = "".join(map(chr, range(0x250))) + "\u202e\ud800\r\n\u2028e" + "\u0301" * 30

    once = clean_text(hostile)

    assert clean_text(once) == once


def test_no_control_and_no_half_of_a_pair_is_left_of_the_basic_plane() -> None:
    everything = "".join(map(chr, range(0x10000)))

    cleaned = set(clean_text(everything))

    assert {character for character in cleaned if ord(character) < 0x20} == {"\n", "\t"}
    assert not any(0x7F <= ord(character) < 0xA0 for character in cleaned)
    assert not any(0xD800 <= ord(character) < 0xE000 for character in cleaned)


def test_a_line_is_one_line_whatever_came() -> None:
    assert clean_line("  two\r\n\twords \u2028 and\x1b[1m more  ") == "two words and␛[1m more"


def test_a_line_is_cut_after_cleaning() -> None:
    assert clean_line("a \n b \n c d", 5) == "a b …"


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [("four", 4, "four"), ("five!", 4, "fiv…"), ("ab", 1, "…"), ("", 0, ""), ("é" * 9, 3, "éé…")],
)
def test_shortening_keeps_what_fits_and_marks_the_cut(text: str, limit: int, shown: str) -> None:
    assert shorten(text, limit) == shown


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "word " * (n // 5),
        lambda n: "\x1b" * n,
        lambda n: "\r" * n,
        lambda n: "a" + "\u0301" * n,
        lambda n: "a\u0301\u0301\u0301\u0301\u0301" * (n // 6),
        lambda n: "\u202e" * n,
        lambda n: "—" * n,
        lambda n: "、" * n,
    ],
    ids=["words", "escapes", "returns", "one tower", "small towers", "overrides", "dashes", "commas"],
)
def test_a_megabyte_takes_about_eight_times_as_long_as_an_eighth_of_it(make: Callable[[int], str]) -> None:
    small, large = make(1_000_000 // 8), make(1_000_000)

    ratio = _fastest_ns(large) / _fastest_ns(small)

    # Eight if linear, sixty-four if quadratic.
    assert ratio < 24


def _fastest_ns(text: str) -> int:
    def once() -> int:
        started_ns = time.process_time_ns()
        clean_text(text)
        return max(1, time.process_time_ns() - started_ns)

    return min(once() for _ in range(2))
