"""What every store of conversations promises of their list, its pages and its tags."""

from foundry_tui.ports.storage import ConversationStore
from tests.contract.conversation_stores import answered, asked, found, talk


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
