import itertools
import random
import re
import sys

import pytest

from foundry_tui.metrics.repetition import REPEATED_TOKENS, Repetition

LONG = 3_000


def pieces(text: str) -> list[str]:
    """Cut about as a tokenizer cuts: words with the space before them, digits and signs one by one."""
    return re.findall(r" ?[A-Za-z]+| ?[^A-Za-z ]| +", text)


def ends_at(words: list[str]) -> int | None:
    """After how many pieces a text is called endless; None if it is not."""
    repetition = Repetition()
    for count, word in enumerate(words, start=1):
        repetition.take(word)
        if repetition.is_endless:
            return count
    return None


def repeated(text: str) -> list[str]:
    return list(itertools.islice(itertools.cycle(pieces(text)), LONG))


@pytest.mark.parametrize(
    "circle",
    [
        "ha",
        "\n",
        " the same",
        "I am sorry, I cannot do that. ",
        "| 0 | 0 | 0 | 0 |\n",
        "A B C D X A B C D Y ",
        "one two two two two two two two two three ",
        "".join(f"{n}. A step that comes again and again.\n" for n in range(1, 15)),
    ],
)
def test_a_text_that_goes_round_is_found_soon_after_the_limit(circle: str) -> None:
    period = len(pieces(circle))

    found = ends_at(["Well", ",", " then", ":", *repeated(circle)])

    assert found is not None
    assert REPEATED_TOKENS < found <= REPEATED_TOKENS + 4 * period + 20


def test_so_many_repeated_tokens_are_none_too_many_and_one_more_is() -> None:
    repetition = Repetition()
    for _ in range(6 + REPEATED_TOKENS):
        repetition.take("ha")
    before = repetition.is_endless
    repetition.take("ha")
    repetition.take("ha")

    assert (before, repetition.is_endless) == (False, True)


def test_what_ends_before_the_limit_is_forgiven() -> None:
    refrain = pieces("Row, row, row your boat, gently down the stream. ") * 30
    words = list(itertools.chain.from_iterable((*refrain, f"verse {n}") for n in range(20)))

    assert len(words) > 20 * 300
    assert ends_at(words) is None


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{n}. An item of a long list, and what there is to say of it.\n" for n in range(400)),
        "".join(f"| row {n} | 0 | 0 | {n % 7} | yes |\n" for n in range(300)),
        "".join(f"    if x == {n}:\n        return {n * n}\n" for n in range(300)),
        "".join(f"- [ ] write the test for case {n:04d}\n" for n in range(300)),
        "".join(f'{{"id": {n}, "name": "a", "tags": [], "size": 0}},\n' for n in range(300)),
        "0.0, " * 100 + "\n" + "1.0, " * 100,
        "-" * 120 + "\n" + "a table\n" + "-" * 120,
    ],
    ids=["list", "table", "code", "boxes", "json", "vectors", "rules"],
)
def test_ordinary_lists_tables_and_code_are_none(text: str) -> None:
    assert ends_at(pieces(text)) is None


def test_the_sources_of_this_program_are_none() -> None:
    folder = sys.modules[Repetition.__module__].__file__
    assert folder is not None
    with open(folder, encoding="utf-8") as file:  # noqa: PTH123 - one file of a known place
        assert ends_at(pieces(file.read())) is None


def test_words_at_random_are_none() -> None:
    dice = random.Random(5)

    assert ends_at(dice.choices(["a", "b", "c"], k=20_000)) is None


def test_a_piece_counts_for_the_tokens_that_it_holds() -> None:
    repetition = Repetition()
    for _ in range(6 + REPEATED_TOKENS // 4 + 2):
        repetition.take("ha ha ha ha", 4)

    assert repetition.is_endless


def test_a_piece_takes_as_many_steps_late_as_early() -> None:
    """Counted, for no time is told that this machine could change: lines run for each piece."""

    def steps(repetition: Repetition, words: list[str]) -> int:
        count = 0

        def trace(frame: object, event: str, argument: object) -> object:
            nonlocal count
            count += event == "line"
            return trace

        before = sys.gettrace()
        sys.settrace(trace)  # type: ignore[arg-type]  # its own type cannot be written down
        try:
            for word in words:
                repetition.take(word)
        finally:
            sys.settrace(before)
        return count

    dice = random.Random(7)
    words = dice.choices(["a", "b", "c", "d"], k=20_000)
    repetition = Repetition()
    early = steps(repetition, words[:1_000])
    for word in words[1_000:19_000]:
        repetition.take(word)

    assert steps(repetition, words[19_000:]) <= early * 1.2
