"""What every store of conversations promises of a search for words."""

from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import ConversationStore
from tests.contract.conversation_stores import MEGABYTE, answered, asked, found, loaded, talk, trace_of

TEXT = (
    "Über den Flüssen, im Café: naïve résumé of foo_bar_baz() and C++20; state-of-the-art. "
    "今天天气很好。カタカナ ひらがな 한국어를 สวัสดีชาวโลก 🎉👩‍👩‍👧 ΣΊΣΥΦΟΣ Straße ﬁne ＡＢＣ"
)
FOUND = (
    "über",
    "UBER",
    "flussen",
    "cafe naive",
    "résumé",
    "resume",
    "den über",
    "foo",
    "bar_baz",
    "foo_bar_baz()",
    "c++20",
    "state-of-the",
    "art",
    "ca",
    "über f",
    "天气",
    "天",
    "今天 很好",
    "タカナ",
    "ひらがな",
    "국어",
    "\u1112\u1161\u11ab\u1100\u116e\u11a8",  # the same in single letters
    "ชาวโลก",
    "🎉",
    "👩‍👩‍👧",
    "σίσυφος",
    "strasse",
    "STRASSE",
    "fine",
    "abc",
    "cafe\u0301",
    '"café"',
    "café*",
    "café^",
    "-café",
    "café ???",
    "?! café",
    "  café  ",
    "café\x00",
    "café\ud800",
)
NOT_FOUND = (
    "afe",
    "af café",
    "flus den",
    "bar_foo",
    "天今",
    "今很",
    "🎈",
    "cafés",
    "café AND nothing",
    "nothing OR café",
    "NOT nothing",
    "NEAR(café résumé)",
    "tokens:café",
)
NO_SEARCH = ("", "  ", '"', "*", "-", "()", "+ - ^ : .", "\x00", "\ud800", '""', "…")


async def test_a_search_finds_words_and_parts_of_scripts_without_spaces(store: ConversationStore) -> None:
    await store.create(talk(asked(TEXT)))

    hits = {text: [summary.hit_id for summary in await store.find(text=text)] for text in FOUND}

    assert hits == {text: ["q1"] for text in FOUND}
    assert {await store.count(text=text) for text in FOUND} == {1}


async def test_a_search_finds_nothing_else_and_knows_no_operators(store: ConversationStore) -> None:
    await store.create(talk(asked(TEXT)))

    hits = {text: await store.find(text=text) for text in NOT_FOUND}

    assert hits == dict.fromkeys(NOT_FOUND, ())
    assert {await store.count(text=text) for text in NOT_FOUND} == {0}


async def test_a_search_without_words_is_none(store: ConversationStore) -> None:
    await store.create(talk(asked("café")))
    await store.create(talk(conversation_id="c2"))

    lists = {text: await found(store, text) for text in NO_SEARCH}

    assert lists == {text: ["c2", "c1"] for text in NO_SEARCH}
    assert {await store.count(text=text) for text in NO_SEARCH} == {2}


async def test_an_endless_search_is_bounded(store: ConversationStore) -> None:
    await store.create(talk(asked("word " * 50)))

    assert await found(store, "word " * 10_000) == ["c1"]
    assert await found(store, "天" * 10_000) == []
    assert await found(store, "x" * MEGABYTE) == []
    assert await found(store, '"' * 10_000) == ["c1"]


async def test_a_long_run_without_spaces_is_found_by_its_beginning(store: ConversationStore) -> None:
    await store.create(talk(asked("key " + "a1b2" * 5000)))

    assert await found(store, "a1b2a1b2") == ["c1"]
    assert await found(store, "a1b2" * 100) == ["c1"]


async def test_all_words_stand_in_one_turn_or_in_title_and_tags(store: ConversationStore) -> None:
    await store.create(talk(asked("red apple"), answered("green pear"), title="fruit", tags=("food",)))

    assert await found(store, "red apple") == ["c1"]
    assert await found(store, "fruit food") == ["c1"]
    assert await found(store, "red pear") == []
    assert await found(store, "fruit apple") == []


async def test_what_was_thought_aloud_is_not_searched(store: ConversationStore) -> None:
    await store.create(talk(asked("hi"), answered("hello", reasoning="platypus")))

    assert await found(store, "platypus") == []


async def test_a_hit_is_the_newest_turn_and_the_words_around_are_shown(store: ConversationStore) -> None:
    long = "before " * 100 + "the needle\n\n\nin \x1b the haystack " + "after " * 100
    await store.create(talk(asked("a needle"), answered(long), asked("last", turn_id="q2", parent="a1")))

    (summary,) = await store.find(text="needle hay")

    (either,) = await store.find(text="needle")

    assert summary.hit_id == either.hit_id == "a1"
    assert "the needle in ␛ the haystack after" in summary.snippet
    assert summary.snippet.startswith("…before")
    assert summary.snippet.endswith("…")
    assert [summary.snippet[start:end] for start, end in summary.hits] == ["needle", "haystack"]
    assert clean_line(summary.snippet) == summary.snippet


async def test_words_with_other_accents_are_shown_as_hits(store: ConversationStore) -> None:
    await store.create(talk(asked("x " * 300 + "im grünen Wald, cafe\u0301 und 今天天气很好" + " y" * 300)))

    (summary,) = await store.find(text="grun")
    (composed,) = await store.find(text="café 天气")

    assert [summary.snippet[start:end] for start, end in summary.hits] == ["grünen"]
    assert [composed.snippet[start:end] for start, end in composed.hits] == ["café", "天气"]


async def test_a_title_that_is_hit_leaves_the_snippet_as_it_is(store: ConversationStore) -> None:
    await store.create(talk(asked("something else"), title="The needle"))

    (summary,) = await store.find(text="needle")

    assert (summary.snippet, summary.hits, summary.hit_id) == ("something else", (), None)


async def test_words_that_are_no_longer_there_are_not_found(store: ConversationStore) -> None:
    await store.create(talk(asked("question"), answered("draft"), title="before", tags=("old",)))

    await store.finish_turn(answered("final", trace=trace_of("final")))
    assert [await found(store, text) for text in ("draft", "final")] == [[], ["c1"]]

    await store.set_title("c1", "after")
    assert [await found(store, text) for text in ("before", "after", "old")] == [[], ["c1"], ["c1"]]

    await store.set_tags("c1", ("new",))
    assert [await found(store, text) for text in ("old", "new", "after")] == [[], ["c1"], ["c1"]]


async def test_an_answer_that_is_being_made_is_found(store: ConversationStore) -> None:
    await store.create(talk(asked(), answered("")))
    for piece in ("The qui", "ck brown", " fox"):
        await store.extend_turn("a1", text=piece, reasoning="")

    (summary,) = await store.find(text="quick fox")
    await store.extend_turn("a1", text=" jumps", reasoning="")

    assert (summary.hit_id, summary.snippet) == ("a1", "The quick brown fox")
    assert await found(store, "fox jumps") == ["c1"]
    assert (await loaded(store)).turns[1].text == "The quick brown fox jumps"
