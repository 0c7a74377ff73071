"""Searched words and where they stand, in texts of all kinds."""

import random

import pytest

from foundry_tui.domain.text import clean_line
from foundry_tui.storage.snippets import beginning, words_around
from foundry_tui.storage.words import Query, index_text

PIECES = (
    "the ",
    "Then ",
    "THE",
    " ",
    "\n\n",
    "\t",
    "\x00",
    "\x1b[31m",
    "\ud800",
    "café",
    "cafe\u0301",
    "\u0301" * 12,
    "天气",
    "🎉",
    "\u200b",
    "\u2028",
    "_",
    "-",
    "x" * 90,
    "한국",
    "\u1112\u1161\u11ab",
    "ﷺ",
    "⑴",
    "½",
    "ͺ",
)
QUERIES = ("the", "th", "café", "天", "the café", "foo", "xx", "🎉", "한", "1", "the-the")


def spans(query: str, text: str) -> list[str]:
    return [text[start:end] for start, end in Query.parse(query).hits(text)]


def test_words_are_cut_at_everything_that_is_no_letter_or_digit() -> None:
    assert index_text(["Don't foo_bar(x2) C++ über-Ich"]) == "don t foo bar x2 c über ich".replace("ü", "u")


def test_characters_of_scripts_without_spaces_stand_alone() -> None:
    assert index_text(["a天气b カナ 한국 ไทย 🎉🎈"]) == "a 天 气 b カ ナ 한 국 ไ ท ย 🎉 🎈"


def test_parts_are_joined_by_a_space() -> None:
    assert index_text(["one", "", "two three"]) == "one two three"


def test_compatibility_characters_are_the_letters_they_stand_for() -> None:
    assert index_text(["ﬁne ⑴ ＡＢＣ Straße ﷺ"]) == "fine 1 abc strasse صلىاللهعليهوسلم"


def test_a_run_without_end_is_one_short_word() -> None:
    assert index_text(["A" * 1_000_000]) == "a" * 64
    assert index_text(["É" * 1000]) == "e" * 64


def test_the_last_word_may_be_the_beginning_of_one_and_the_others_not() -> None:
    assert spans("mod run", "Models, a mod and a runner") == ["mod", "runner"]
    assert spans("run mod", "Models, a mod and a runner") == ["Models", "mod"]


def test_what_was_typed_in_one_piece_stands_in_one_piece() -> None:
    assert spans("foo-ba", "foo bar, foo x bar, FOO_BARS") == ["foo bar", "FOO_BARS"]
    assert spans("天气", "天 气候 气 天") == ["天 气"]


def test_hits_that_overlap_are_one() -> None:
    assert spans("a-b b-c", "a b c d") == ["a b c"]


def test_a_query_is_words_for_fts_whatever_it_looks_like() -> None:
    query = Query.parse('one "two OR* NEAR(three, 4) -five ^six:seven')

    assert query.fts == '"one" AND "two" AND "or" AND "near three" AND "4" AND "five" AND "six seven" *'


@pytest.mark.parametrize("text", ["", " ", '"*-()', "\x00", "\u0301"])
def test_nothing_to_look_for_is_no_phrase(text: str) -> None:
    assert Query.parse(text).phrases == ()


@pytest.mark.parametrize("seed", range(200))
def test_a_snippet_is_clean_and_its_hits_are_words_of_the_query(seed: int) -> None:
    rng = random.Random(seed)
    text = "".join(rng.choices(PIECES, k=rng.randint(0, 400)))
    query = Query.parse(rng.choice(QUERIES))

    snippet, hits = words_around(query, text)

    assert clean_line(snippet) == snippet
    assert clean_line(beginning(text)) == beginning(text)
    assert len(snippet) <= 200
    assert len(beginning(text)) <= 200
    assert list(hits) == sorted(hits)
    for start, end in hits:
        assert 0 <= start < end <= len(snippet)
        words = index_text([snippet[start:end]])
        assert any(words.startswith(" ".join(phrase)) for phrase in query.phrases)


@pytest.mark.parametrize("before", [0, 1, 59, 60, 61, 5000])
def test_a_hit_is_shown_wherever_it_stands(before: int) -> None:
    text = "ab " * before + "needle" + " yz" * before

    snippet, hits = words_around(Query.parse("need"), text)

    assert [snippet[start:end] for start, end in hits] == ["needle"]


def test_the_first_whole_word_is_shown_and_not_one_that_begins_like_it() -> None:
    text = "there " * 200 + "the cat"

    snippet, hits = words_around(Query.parse("the cat"), text)

    assert [snippet[start:end] for start, end in hits] == ["the", "cat"]


def test_a_short_text_is_shown_whole() -> None:
    assert words_around(Query.parse("b"), "a b c") == ("a b c", ((2, 3),))
    assert beginning("a\n b") == "a b"
