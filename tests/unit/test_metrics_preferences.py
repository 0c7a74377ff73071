"""Counting which of two models people prefer."""

from foundry_tui.domain.scoring import Chosen, Preference
from foundry_tui.metrics.intervals import wilson_interval
from foundry_tui.metrics.preferences import preference_count
from foundry_tui.reports.preference_words import preference_lines

MODELS = ("alpha", "beta", "gamma")
# Odd requests are of alpha, even ones of beta; 100 is gamma's.
MODEL_OF = {number: ("beta", "alpha")[number % 2] for number in range(1, 41)} | {100: "gamma"}


def preference(
    first: int, chosen: Chosen, *, left: int | None = None, occasion: int = 1, annotator: str = "Ada"
) -> Preference:
    return Preference(
        run_id="a1",
        first=first,
        second=first + 1,
        annotator=annotator,
        occasion=occasion,
        left=first if left is None else left,
        chosen=chosen,
        at_unix_ms=1,
    )


def test_wins_ties_and_skips_of_two_models_are_counted_whatever_their_numbers() -> None:
    said = [
        preference(1, Chosen.FIRST),
        preference(2, Chosen.SECOND),  # 3 is alpha's too
        preference(5, Chosen.SECOND),
        preference(7, Chosen.TIE),
        preference(9, Chosen.SKIPPED),
    ]

    found = preference_count(said, MODEL_OF, MODELS)

    (tally,) = found.tallies
    assert (tally.one, tally.other) == ("alpha", "beta")
    assert (tally.one_wins, tally.other_wins, tally.ties) == (2, 1, 1)
    assert tally.share == 2 / 3
    assert tally.interval == wilson_interval(2, 3)
    assert (found.skipped, found.annotators) == (1, 1)


def test_a_side_that_always_wins_is_exposed() -> None:
    said = [
        preference(number, chosen, left=number + (chosen is Chosen.SECOND))
        for number in range(1, 40, 2)
        for chosen in [Chosen.FIRST if number % 4 == 1 else Chosen.SECOND]
    ]

    found = preference_count(said, MODEL_OF, MODELS)

    assert (found.left, found.decided) == (20, 20)
    assert any("the side mattered" in line for line in preference_lines(found))


def test_repeats_enter_no_share_and_tell_whether_the_same_was_said() -> None:
    said = [
        preference(1, Chosen.FIRST),
        preference(1, Chosen.FIRST, occasion=2, left=2),
        preference(3, Chosen.FIRST),
        preference(3, Chosen.SECOND, occasion=2, left=4),
        preference(5, Chosen.FIRST),
        preference(5, Chosen.SKIPPED, occasion=2, left=6),
        preference(7, Chosen.TIE, occasion=2),
    ]

    found = preference_count(said, MODEL_OF, MODELS)

    assert (found.tallies[0].one_wins, found.tallies[0].other_wins) == (3, 0)
    assert (found.again, found.same) == (2, 1)


def test_answers_that_stand_no_more_are_left_out_and_told() -> None:
    found = preference_count([preference(1, Chosen.FIRST), preference(60, Chosen.FIRST)], MODEL_OF, MODELS)

    assert (found.unmatched, found.decided) == (1, 1)
    assert "1 of answers that stand no more" in " ".join(preference_lines(found))


def test_where_nothing_was_compared_nothing_is_said() -> None:
    assert preference_lines(preference_count([], MODEL_OF, MODELS)) == []


def test_lines_name_the_models_harmlessly() -> None:
    found = preference_count(
        [preference(1, Chosen.TIE)], {1: "\x1b[31mred", 2: "beta"}, ("\x1b[31mred", "beta")
    )

    assert preference_lines(found)[0].endswith("[31mred against beta: 0 : 0, 1 tie")
    assert "\x1b" not in "".join(preference_lines(found))
