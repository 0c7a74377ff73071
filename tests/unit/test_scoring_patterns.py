"""Regular expressions in a process of their own: one without an end stops nothing."""

import time

from foundry_tui.domain.checks import Matches
from foundry_tui.metrics.checks import TriedPattern
from foundry_tui.services.scoring.patterns import tried_patterns

WITHOUT_END = Matches(pattern="(a+)+$")


async def test_patterns_are_looked_for_as_python_does() -> None:
    plain, any_case, lines = (
        Matches(pattern="b"),
        Matches(pattern="B", ignores_case=True),
        Matches(pattern="(?m)^b$"),
    )
    odd = "\ud83d \x00 \u2028 \U0001f600"

    tried = await tried_patterns(
        [(plain, "abc"), (plain, "xyz"), (any_case, "abc"), (lines, "a\nb\nc"), (plain, odd), (plain, "")]
    )

    assert [found.is_found for found in tried.values()] == [True, False, True, True, False, False]
    assert all(found.why is None for found in tried.values())


async def test_one_without_an_end_is_given_up_and_the_others_are_tried() -> None:
    begun = time.perf_counter()
    fine = Matches(pattern="a")

    tried = await tried_patterns(
        [(WITHOUT_END, "a" * 60 + "!"), (WITHOUT_END, "aa"), (fine, "aa")], limit_s=0.3
    )

    assert list(tried.values()) == [
        TriedPattern(is_found=None, why="the pattern took longer than 0.3 s"),
        TriedPattern(is_found=None, why="the pattern took longer than 0.3 s, on another answer"),
        TriedPattern(is_found=True),
    ]
    assert time.perf_counter() - begun < 15


async def test_in_a_long_answer_none_is_looked_for() -> None:
    (found,) = (await tried_patterns([(WITHOUT_END, "a" * 20_001)])).values()

    assert found == TriedPattern(
        is_found=None, why="the answer has 20,001 characters, a pattern is for 20,000"
    )


async def test_without_a_pattern_no_process_is_started() -> None:
    assert await tried_patterns([]) == {}
