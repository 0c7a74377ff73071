"""What every store of conversations promises of what is written into it, asked of each of them."""

import pytest

from foundry_tui.domain.chat import ChatOptions, PhaseTimeouts
from foundry_tui.domain.conversations import Conversation
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.ports.storage import ConversationStore
from tests.contract.conversation_stores import ODD_TEXTS, answered, asked, found, loaded, talk, trace_of
from tests.support.memory_store import MemoryStore


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


async def test_the_store_in_memory_can_be_told_to_fail() -> None:
    store = MemoryStore()
    store.fail_with = StorageProblem("the disk is full")

    with pytest.raises(StorageProblem, match="full"):
        await store.create(talk())
    store.fail_with = None

    assert await store.count() == 0
