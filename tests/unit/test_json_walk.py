"""A long JSON object read entry by entry comes to the same as read at once."""

import json
import random

import pytest

from foundry_tui.engines.catalog.json_walk import LIST_BEGINS, entries_of


def put_together(text: str, lists: tuple[str, ...]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in entries_of(text, lists=lists):
        if value is LIST_BEGINS:
            found[key] = []
        elif key in lists and isinstance(into := found.get(key), list):
            into.append(value)
        else:
            found[key] = value
    return found


def some_value(dice: random.Random, depth: int = 3) -> object:
    kind = dice.randrange(8 if depth else 5)
    if kind < 5:
        return [None, True, dice.randrange(-5, 10**6), dice.random(), f'"\\{chr(dice.randrange(0xD7FF))}'][
            kind
        ]
    if kind == 5:
        return {str(n): some_value(dice, depth - 1) for n in range(dice.randrange(4))}
    return [some_value(dice, depth - 1) for _ in range(dice.randrange(4))]


def test_it_comes_to_what_json_says_whatever_the_layout() -> None:
    dice = random.Random(5)
    for _ in range(300):
        whole = {name: some_value(dice) for name in dice.sample(["a", "models", "value", "z"], 3)}
        text = json.dumps(whole, indent=dice.choice([None, 0, 2]), ensure_ascii=dice.random() < 0.5)

        assert put_together(f" \n{text}\t", ("models", "value")) == whole


def test_an_empty_list_is_told() -> None:
    assert list(entries_of('{"models":[]}', lists=("models",))) == [("models", LIST_BEGINS)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '{"a"}',
        '{"a":}',
        '{"a":1',
        '{"a":1,}',
        '{"a":1 "b":2}',
        '{"a":1}}',
        '{"a":1} x',
        "{1:2}",
        '{"m":[1,]}',
        '{"m":[1 2]}',
        '{"m":[',
        '{"m":[1',
        '{"m":[1]',
        '{"a":"',
        '{"a":' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        list(entries_of(text, lists=("m",)))


def test_too_many_brackets_are_refused() -> None:
    with pytest.raises(RecursionError):
        list(entries_of('{"m":' + "[" * 100_000, lists=()))
