"""What every library of prompts and every history of inputs promises, asked of each of them."""

from dataclasses import replace

import pytest

from foundry_tui.domain.conversations import SavedPrompt
from foundry_tui.domain.errors import BadInput
from tests.contract.conversation_stores import ODD_TEXTS, Stores


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
