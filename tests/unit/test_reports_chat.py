"""What the next request takes and what became of an answer, for every front end alike."""

import pytest

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Turn
from foundry_tui.metrics.tokens import ContextUse
from foundry_tui.reports.chat import context_in_words, describe_turn, overlong_in_words


@pytest.mark.parametrize(
    ("prompt", "context", "words"),
    [
        (100, None, "~100 tokens"),
        (100, 4096, "~100 of 4,096 tokens"),
        (4000, 4096, "~4,000 of 4,096 tokens: 96 left for the answer"),
        (4096, 4096, "~4,096 of 4,096 tokens: too long for this model"),
    ],
)
def test_the_context_is_told_with_what_it_leaves_where_that_is_little(
    prompt: int, context: int | None, words: str
) -> None:
    assert context_in_words(ContextUse(prompt_tokens=prompt, context_tokens=context), 512) == words


def test_what_does_not_fit_is_told_with_its_numbers_and_both_ways_on() -> None:
    use = ContextUse(prompt_tokens=5008, context_tokens=4096)

    assert overlong_in_words(use, anew="Ctrl+N", again="Enter again") == (
        "This would take about 5,008 of the model's 4,096 tokens and be refused. Shorten it, or begin anew"
        " with Ctrl+N; Enter again sends it all the same."
    )


def test_an_answer_that_the_end_of_the_app_cut_off_says_so() -> None:
    turn = Turn(id="a", parent_id=None, role=Role.ASSISTANT, text="It", at_unix_ms=0)

    assert describe_turn(turn) == "cut off: the app ended while this was being written"
