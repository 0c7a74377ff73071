"""What every store of conversations, prompts and inputs promises, asked of each of them."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from foundry_tui.domain.chat import (
    ChatOptions,
    ChunkKind,
    ChunkReceived,
    Outcome,
    PhaseTimeouts,
    Role,
    TokenUsage,
)
from foundry_tui.domain.conversations import Conversation, SavedPrompt, Turn
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.text import clean_line
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.ports.storage import ConversationStore, InputHistory, PromptLibrary
from foundry_tui.storage import Database, StoredConversations, StoredInputs, StoredPrompts
from tests.support.memory_store import MemoryStore

MEGABYTE = 1_000_000
ODD_TEXTS = {
    "empty": "",
    "null": "before\x00after\x00",
    "only-null": "\x00",
    "lone-surrogates": "high \ud83d, low \ude00, both apart \ud83d\ude00 and together \U0001f600",
    "line-ends": "a\r\nb\rc\nd\u2028e\u2029f\x85g",
    "escapes": "\x1b[31mred\x1b[0m \x07 \u202eright to left",
    "one-long-line": "x" * MEGABYTE,
    "sql": "'; DROP TABLE turn; -- \" ? :x %s",
    "marks": "e\u0301 is not \xe9, \ufeff and \u200b stay",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """One implementation of the three ports."""

    conversations: ConversationStore
    prompts: PromptLibrary
    inputs: InputHistory


@pytest.fixture(params=["memory", "database"])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Stores, None]:
    if request.param == "memory":
        memory = MemoryStore()
        yield Stores(conversations=memory, prompts=memory, inputs=memory)
        return
    database = Database(tmp_path / "foundry-tui.db")
    yield Stores(
        conversations=StoredConversations(database),
        prompts=StoredPrompts(database),
        inputs=StoredInputs(database),
    )
    await database.aclose()


@pytest.fixture
def store(stores: Stores) -> ConversationStore:
    return stores.conversations


def asked(text: str = "hi", *, turn_id: str = "q1", parent: str | None = None, at: int = 10) -> Turn:
    return Turn(id=turn_id, parent_id=parent, role=Role.USER, text=text, at_unix_ms=at)


def answered(
    text: str = "hello",
    *,
    turn_id: str = "a1",
    parent: str | None = "q1",
    at: int = 11,
    reasoning: str = "",
    model_id: str = "m:1",
    trace: GenerationTrace | None = None,
) -> Turn:
    return Turn(
        id=turn_id,
        parent_id=parent,
        role=Role.ASSISTANT,
        text=text,
        at_unix_ms=at,
        reasoning=reasoning,
        model_id=model_id,
        trace=trace,
    )


def talk(
    *turns: Turn,
    conversation_id: str = "c1",
    title: str = "a talk",
    updated: int = 100,
    tags: tuple[str, ...] = (),
) -> Conversation:
    return Conversation(
        id=conversation_id,
        title=title,
        created_unix_ms=1,
        updated_unix_ms=updated,
        tags=tags,
        turns=turns,
        head_id=turns[-1].id if turns else None,
    )


def trace_of(*texts: str, thought: str = "") -> GenerationTrace:
    thoughts = [ChunkReceived(at_ns=90, text=thought, kind=ChunkKind.REASONING, read=1)] if thought else []
    chunks = [ChunkReceived(at_ns=100 + n, text=text, read=2 + n) for n, text in enumerate(texts)]
    return GenerationTrace(
        call_ns=1,
        sent_ns=2,
        headers_ns=3,
        role_ns=4,
        chunks=(*thoughts, *chunks),
        end_ns=1000,
        usage=TokenUsage(prompt_tokens=5, completion_tokens=None),
        outcome=Outcome.TRUNCATED,
        finish_reason="length",
        response_id="r-1",
        warnings=("no_done",),
        delay_p99_ns=7,
    )


async def loaded(store: ConversationStore, conversation_id: str = "c1") -> Conversation:
    conversation = await store.load(conversation_id)
    assert conversation is not None
    return conversation


async def found(store: ConversationStore, text: str = "", *, tag: str | None = None) -> list[str]:
    return [summary.id for summary in await store.find(text=text, tag=tag)]


async def test_a_conversation_comes_back_with_all_its_branches_readings_and_options(
    store: ConversationStore,
) -> None:
    trace = trace_of("hel", "lo", thought="hm")
    conversation = Conversation(
        id="c1",
        title="A talk",
        created_unix_ms=1_700_000_000_001,
        updated_unix_ms=1_700_000_000_999,
        options=ChatOptions(
            system_prompt="be \ud800 brief\x00\n",
            max_tokens=7,
            temperature=0.1,
            seed=-(2**62),
            timeouts=PhaseTimeouts(connect_s=1.5, headers_s=2, first_token_s=3, between_s=4, total_s=5),
        ),
        tags=("Rust", "work"),
        turns=(
            asked(),
            answered(reasoning="hm", trace=trace),
            asked("other", turn_id="q2"),
            answered("same", turn_id="a2", parent="q2"),
            answered("again", turn_id="a3", model_id="m:2"),
        ),
        head_id="a2",
    )

    await store.create(conversation)

    assert await store.load("c1") == conversation


async def test_an_empty_conversation_comes_back(store: ConversationStore) -> None:
    conversation = Conversation(id="c1", title="", created_unix_ms=1, updated_unix_ms=1)

    await store.create(conversation)

    assert await store.load("c1") == conversation


async def test_what_was_never_kept_is_none(store: ConversationStore) -> None:
    assert await store.load("nobody") is None


async def test_an_id_is_taken_only_once(store: ConversationStore) -> None:
    await store.create(talk(asked("first")))

    with pytest.raises(BadInput, match="already"):
        await store.create(talk(asked("second", turn_id="q2"), title="other"))

    assert await loaded(store) == talk(asked("first"))


async def test_a_conversation_with_a_turn_of_another_one_is_refused_whole(store: ConversationStore) -> None:
    await store.create(talk(asked()))

    with pytest.raises(BadInput, match="already"):
        await store.create(talk(asked(turn_id="q0"), asked(turn_id="q1"), conversation_id="c2"))

    assert await store.load("c2") is None
    assert await found(store) == ["c1"]


async def test_an_added_turn_becomes_the_head_and_tells_when_it_was_used(store: ConversationStore) -> None:
    await store.create(talk(asked(), updated=50))

    await store.add_turn("c1", answered(at=60))

    assert await loaded(store) == talk(asked(), answered(at=60), updated=60)


async def test_a_clock_that_was_set_back_makes_no_conversation_older(store: ConversationStore) -> None:
    await store.create(talk(updated=50))

    await store.add_turn("c1", asked(at=10))

    assert (await loaded(store)).updated_unix_ms == 50


async def test_a_turn_can_follow_any_turn_before_it(store: ConversationStore) -> None:
    await store.create(talk(asked(), answered()))

    await store.add_turn("c1", asked("new branch", turn_id="q2", parent=None))
    await store.add_turn("c1", answered("deep", turn_id="a2", parent="a1"))

    turns = (await loaded(store)).turns
    assert [(turn.id, turn.parent_id) for turn in turns] == [
        ("q1", None),
        ("a1", "q1"),
        ("q2", None),
        ("a2", "a1"),
    ]


async def test_an_answer_that_is_being_made_is_there_as_far_as_it_was_kept(store: ConversationStore) -> None:
    await store.create(talk(asked()))
    await store.add_turn("c1", answered("", at=11))

    await store.extend_turn("a1", text="", reasoning="let me ")
    await store.extend_turn("a1", text="It ", reasoning="see")
    await store.extend_turn("a1", text="is", reasoning="")

    assert (await loaded(store)).turns[1] == answered("It is", reasoning="let me see", at=11)


async def test_many_pieces_stay_in_order(store: ConversationStore) -> None:
    await store.create(talk(asked(), answered("")))

    for number in range(60):
        await store.extend_turn("a1", text=f"{number} ", reasoning=f"({number})")

    answer = (await loaded(store)).turns[1]
    assert answer.text == "".join(f"{number} " for number in range(60))
    assert answer.reasoning == "".join(f"({number})" for number in range(60))


async def test_two_answers_can_be_made_at_once(store: ConversationStore) -> None:
    await store.create(talk(asked(), answered("", turn_id="a1"), answered("", turn_id="a2")))

    for number in range(20):
        await store.extend_turn("a1", text=f"one {number} ", reasoning="")
        await store.extend_turn("a2", text=f"two {number} ", reasoning="")

    one, two = (await loaded(store)).turns[1:]
    assert one.text == "".join(f"one {number} " for number in range(20))
    assert two.text == "".join(f"two {number} " for number in range(20))


async def test_the_finished_answer_takes_the_place_of_what_was_kept_of_it(store: ConversationStore) -> None:
    await store.create(talk(asked(), answered("")))
    for piece in ("dra", "ft", " of", " it"):
        await store.extend_turn("a1", text=piece, reasoning="x")
    done = answered("hello", reasoning="hm", model_id="m:9", trace=trace_of("hel", "lo", thought="hm"))

    await store.finish_turn(done)

    assert (await loaded(store)).turns == (asked(), done)


async def test_an_answer_can_be_finished_twice(store: ConversationStore) -> None:
    await store.create(talk(asked(), answered("")))
    await store.finish_turn(answered("first", trace=trace_of("first")))

    await store.finish_turn(answered("second", trace=trace_of("sec", "ond")))

    assert (await loaded(store)).turns[1] == answered("second", trace=trace_of("sec", "ond"))


async def test_a_finished_answer_grows_no_more(store: ConversationStore) -> None:
    done = answered("hello", trace=trace_of("hello"))
    await store.create(talk(asked(), done))

    with pytest.raises(BadInput, match="finished"):
        await store.extend_turn("a1", text=" late", reasoning="")

    assert (await loaded(store)).turns[1] == done


async def test_readings_whose_texts_are_not_the_answers_come_back_all_the_same(
    store: ConversationStore,
) -> None:
    edited = answered("edited", reasoning="other", trace=trace_of("hel", "lo", thought="hm"))

    await store.create(talk(asked(), edited))

    assert (await loaded(store)).turns[1] == edited


async def test_the_branch_that_is_read_is_remembered(store: ConversationStore) -> None:
    await store.create(talk(asked(), answered(), answered(turn_id="a2")))

    await store.set_head("c1", "a1")
    first = (await loaded(store)).head_id
    await store.set_head("c1", None)

    assert first == "a1"
    assert (await loaded(store)).head_id is None


async def test_options_are_remembered(store: ConversationStore) -> None:
    options = ChatOptions(system_prompt="be kind", max_tokens=99, temperature=1.75, seed=0)
    await store.create(talk())

    await store.set_options("c1", options)

    assert (await loaded(store)).options == options


@pytest.mark.parametrize("how", ["create", "set"])
async def test_a_title_is_of_one_line(store: ConversationStore, how: str) -> None:
    title = "  a\ttitle\r\nof  two lines\n"
    await store.create(talk(title=title if how == "create" else "old"))

    if how == "set":
        await store.set_title("c1", title)

    assert (await loaded(store)).title == "a title of two lines"
    assert [summary.title for summary in await store.find()] == ["a title of two lines"]


@pytest.mark.parametrize("how", ["create", "set"])
async def test_tags_are_of_one_line_in_order_and_none_is_there_twice(
    store: ConversationStore, how: str
) -> None:
    tags = (" Zoo ", "b\nc", "Äpfel", "rust", "RUST", "", "  ", "Rust")
    await store.create(talk(tags=tags if how == "create" else ("gone",)))

    if how == "set":
        await store.set_tags("c1", tags)

    assert (await loaded(store)).tags == ("b c", "rust", "Zoo", "Äpfel")
    assert [summary.tags for summary in await store.find()] == [("b c", "rust", "Zoo", "Äpfel")]


async def test_a_write_to_what_is_not_there_is_refused(store: ConversationStore) -> None:
    for write in (
        store.add_turn("nobody", asked()),
        store.extend_turn("nobody", text="x", reasoning=""),
        store.finish_turn(answered(turn_id="nobody")),
        store.set_head("nobody", None),
        store.set_options("nobody", ChatOptions()),
        store.set_title("nobody", "x"),
        store.set_tags("nobody", ("x",)),
    ):
        with pytest.raises(BadInput, match="any more"):
            await write

    assert await store.count() == 0


async def test_a_turn_of_another_conversation_is_no_parent_and_no_head(store: ConversationStore) -> None:
    await store.create(talk(asked()))
    await store.create(talk(asked(turn_id="q2"), conversation_id="c2"))

    with pytest.raises(BadInput):
        await store.add_turn("c2", answered(parent="q1"))
    with pytest.raises(BadInput):
        await store.set_head("c2", "q1")

    assert await loaded(store, "c2") == talk(asked(turn_id="q2"), conversation_id="c2")


async def test_what_is_deleted_is_gone_and_can_be_created_again(store: ConversationStore) -> None:
    conversation = talk(asked("zebra"), answered("", trace=None), title="stripes", tags=("animals",))
    other = talk(asked("lion", turn_id="q9"), conversation_id="c2", title="mane")
    await store.create(conversation)
    await store.create(other)
    await store.extend_turn("a1", text="hooves", reasoning="")

    await store.delete("c1")
    await store.delete("c1")

    assert await store.load("c1") is None
    assert await store.tags() == ()
    assert [await found(store, text) for text in ("zebra", "stripes", "animals", "hooves")] == [[]] * 4
    assert await loaded(store, "c2") == other
    await store.create(conversation)
    assert await loaded(store) == conversation


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
async def test_text_comes_back_exactly_as_it_was_given(store: ConversationStore, text: str) -> None:
    trace = trace_of(text[: len(text) // 2], text[len(text) // 2 :], thought=text)
    await store.create(talk(asked(text), answered("", turn_id="a2")))
    await store.add_turn("c1", answered(text, reasoning=text, trace=trace))
    middle = len(text) // 3

    await store.extend_turn("a2", text=text[:middle], reasoning=text[middle:])
    await store.extend_turn("a2", text=text[middle:], reasoning=text[:middle])

    question, draft, answer = (await loaded(store)).turns
    assert question.text == text
    assert answer == answered(text, reasoning=text, trace=trace)
    assert (draft.text, draft.reasoning) == (text, text[middle:] + text[:middle])


async def test_odd_text_in_titles_tags_and_ids_does_no_harm(store: ConversationStore) -> None:
    odd = "\ud800 \x00 '\" % _ 今天 \U0001f600"
    conversation = talk(asked(turn_id=f"q{odd}"), conversation_id=odd, title=odd, tags=(odd,))

    await store.create(conversation)

    assert await store.load(odd) == conversation
    assert await found(store, "今") == [odd]
    assert await found(store, tag=odd) == [odd]
    assert await store.tags() == ((odd, 1),)


async def test_the_list_begins_with_what_was_used_last(store: ConversationStore) -> None:
    for conversation_id, updated in (("c1", 30), ("c2", 10), ("c3", 20), ("c4", 30)):
        await store.create(talk(conversation_id=conversation_id, updated=updated))

    before = await found(store)
    await store.add_turn("c2", asked(at=40))

    assert before == ["c4", "c1", "c3", "c2"]
    assert await found(store) == ["c2", "c4", "c1", "c3"]


async def test_the_list_comes_in_pages(store: ConversationStore) -> None:
    for number in range(7):
        await store.create(
            talk(asked(f"word {number}", turn_id=f"q{number}"), conversation_id=f"c{number}", updated=number)
        )

    pages = [
        [summary.id for summary in await store.find(text=text, limit=3, offset=offset)]
        for text in ("", "word")
        for offset in (0, 3, 6, 9)
    ]

    assert pages == [["c6", "c5", "c4"], ["c3", "c2", "c1"], ["c0"], []] * 2
    assert (await store.count(), await store.count(text="word")) == (7, 7)


async def test_a_long_list_is_whole(store: ConversationStore) -> None:
    for number in range(260):
        await store.create(talk(conversation_id=f"c{number}", title=f"title {number}", updated=number))

    summaries = await store.find(limit=300)

    assert [summary.title for summary in summaries] == [f"title {number}" for number in range(259, -1, -1)]


async def test_a_summary_tells_of_all_branches(store: ConversationStore) -> None:
    await store.create(
        talk(
            asked("one"),
            answered("two", model_id="m:1"),
            answered("three", turn_id="a2", model_id="m:2"),
            answered("four", turn_id="a3", model_id="m:1"),
            answered("", turn_id="a4", model_id="m:3"),
            title="T",
            tags=("x",),
            updated=77,
        )
    )

    (summary,) = await store.find()

    assert (summary.id, summary.title, summary.updated_unix_ms) == ("c1", "T", 77)
    assert (summary.turns, summary.tags, summary.models) == (5, ("x",), ("m:3", "m:1", "m:2"))
    assert (summary.snippet, summary.hits, summary.hit_id) == ("four", (), None)


async def test_without_a_search_the_snippet_is_how_the_last_turn_begins(store: ConversationStore) -> None:
    await store.create(talk(asked("first"), answered("\x1b[1m\n\n" + "long\x00 text\ud800 " * 200)))

    (summary,) = await store.find()

    assert summary.snippet.startswith("␛[1m long␀ text� long␀ text�")
    assert summary.snippet.endswith("…")
    assert len(summary.snippet) == 200


async def test_an_empty_conversation_has_an_empty_summary(store: ConversationStore) -> None:
    await store.create(talk(title=""))

    (summary,) = await store.find()

    assert (summary.turns, summary.models, summary.snippet, summary.hits) == (0, (), "", ())


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


async def test_a_tag_narrows_the_list_whatever_its_case(store: ConversationStore) -> None:
    await store.create(talk(asked("apple"), tags=("Fruit", "x")))
    await store.create(talk(asked("apple", turn_id="q2"), conversation_id="c2", tags=("fruit",), updated=99))
    await store.create(talk(asked("apple", turn_id="q3"), conversation_id="c3", updated=98))

    assert await found(store, tag="FRUIT") == ["c1", "c2"]
    assert await found(store, "apple", tag="x") == ["c1"]
    assert await found(store, "pear", tag="x") == []
    assert await found(store, tag="none") == []
    assert (await store.count(tag="fruit"), await store.count(text="apple")) == (2, 3)


async def test_tags_in_use_are_counted_in_alphabetical_order(store: ConversationStore) -> None:
    await store.create(talk(tags=("zoo", "Rust")))
    await store.create(talk(conversation_id="c2", tags=("rust", "Äpfel")))
    await store.create(talk(conversation_id="c3", tags=("rust",)))

    await store.set_tags("c1", ("Rust", "new"))

    assert await store.tags() == (("new", 1), ("Rust", 3), ("Äpfel", 1))


def saved(prompt_id: str = "p1", name: str = "name", **values: object) -> SavedPrompt:
    prompt = SavedPrompt(id=prompt_id, name=name, text="text")
    return replace(prompt, **values)  # type: ignore[arg-type]  # a test's own, checked by the class


async def test_prompts_come_most_recently_used_first_and_those_never_used_by_name(stores: Stores) -> None:
    for prompt in (
        saved("p1", "beta"),
        saved("p2", "old", used_unix_ms=5),
        saved("p3", "Alpha"),
        saved("p4", "new", used_unix_ms=9),
    ):
        await stores.prompts.save_prompt(prompt)

    assert [prompt.id for prompt in await stores.prompts.prompts()] == ["p4", "p2", "p3", "p1"]


async def test_a_prompt_comes_back_exactly_but_for_name_and_tags_which_are_of_one_line(
    stores: Stores,
) -> None:
    text = "\r\n\x00 {{input}} \ud83d 今天\n" + "x" * 100_000
    given = saved(name=" my\n prompt ", text=text, tags=("b", " A\n", "a"), used_unix_ms=2**53)

    await stores.prompts.save_prompt(given)

    assert await stores.prompts.prompts() == (replace(given, name="my prompt", tags=("A", "b")),)


async def test_a_prompt_of_the_same_id_is_replaced(stores: Stores) -> None:
    await stores.prompts.save_prompt(saved())

    await stores.prompts.save_prompt(saved(text="other"))
    await stores.prompts.save_prompt(saved(name="NAME", text="third"))

    assert await stores.prompts.prompts() == (saved(name="NAME", text="third"),)


async def test_two_prompts_never_have_one_name(stores: Stores) -> None:
    await stores.prompts.save_prompt(saved("p1", "Straße"))
    await stores.prompts.save_prompt(saved("p2", "other"))

    with pytest.raises(BadInput, match="name"):
        await stores.prompts.save_prompt(saved("p3", " STRASSE\n"))
    with pytest.raises(BadInput, match="name"):
        await stores.prompts.save_prompt(saved("p2", "straße"))

    assert [prompt.name for prompt in await stores.prompts.prompts()] == ["other", "Straße"]


async def test_a_prompt_that_is_deleted_frees_its_name(stores: Stores) -> None:
    await stores.prompts.save_prompt(saved())

    await stores.prompts.delete_prompt("p1")
    await stores.prompts.delete_prompt("p1")
    await stores.prompts.save_prompt(saved("p2"))

    assert await stores.prompts.prompts() == (saved("p2"),)


async def test_the_newest_inputs_come_oldest_first(stores: Stores) -> None:
    for text in ("one", "two", "three"):
        await stores.inputs.remember_input(text, keep=10)

    assert await stores.inputs.inputs(2) == ("two", "three")
    assert await stores.inputs.inputs(9) == ("one", "two", "three")
    assert await stores.inputs.inputs(0) == ()


async def test_an_input_given_again_moves_to_the_end(stores: Stores) -> None:
    for text in ("one", "two", "one", "ONE", "one "):
        await stores.inputs.remember_input(text, keep=10)

    assert await stores.inputs.inputs(9) == ("two", "one", "ONE", "one ")


async def test_no_more_inputs_are_kept_than_wanted(stores: Stores) -> None:
    for number in range(8):
        await stores.inputs.remember_input(str(number), keep=5)
    five = await stores.inputs.inputs(9)

    await stores.inputs.remember_input("last", keep=2)

    assert five == ("3", "4", "5", "6", "7")
    assert await stores.inputs.inputs(9) == ("7", "last")


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
async def test_an_input_comes_back_exactly(stores: Stores, text: str) -> None:
    await stores.inputs.remember_input(text, keep=5)
    await stores.inputs.remember_input(text, keep=5)

    assert await stores.inputs.inputs(5) == (text,)


async def test_the_store_in_memory_can_be_told_to_fail() -> None:
    store = MemoryStore()
    store.fail_with = StorageProblem("the disk is full")

    with pytest.raises(StorageProblem, match="full"):
        await store.create(talk())
    store.fail_with = None

    assert await store.count() == 0
