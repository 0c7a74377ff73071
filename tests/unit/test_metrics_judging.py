"""A judge in numbers: judges of known habits, exposed by them."""

from dataclasses import replace

import pytest

from foundry_tui.domain.judging import Judgement, Verdict
from foundry_tui.domain.scoring import Score
from foundry_tui.metrics.agreement import NoKappa
from foundry_tui.metrics.judging import (
    TRUSTED_FROM,
    JudgedAnswer,
    JudgeFigures,
    PairFigures,
    as_scores,
    judge_figures,
)
from foundry_tui.metrics.quality import ScorableAnswer
from tests.support.judgements import BY, judgement, preference
from tests.support.scores import RUBRIC, score

# What a person and a judge gave sixty answers: of scikit-learn 1.9.1, cohen_kappa_score(one, other,
# weights="quadratic", labels=[1, 2, 3, 4, 5]), it is 0.8849058865843424; of scipy 1.17.1, spearmanr(one,
# other).statistic, 0.9034073915215427.
PERSON = "113222151541112255152542453124332231141335314514153535211231"
JUDGE = "114242151541112455151532552124544231142435333414152545211231"
KAPPA, RHO = 0.8849058865843424, 0.9034073915215427


def answers(count: int, *, lengths: str = "") -> list[JudgedAnswer]:
    """Of alpha and beta in turns, two to a prompt; as long as the digits say."""
    return [
        JudgedAnswer(
            answer=ScorableAnswer(
                run_id="run",
                number=number,
                model="beta" if number % 2 else "alpha",
                prompt_id=f"p{number // 2}",
            ),
            characters=int(lengths[number]) if lengths else 10,
        )
        for number in range(count)
    ]


def judged(values: str) -> list[Judgement]:
    """The same by both criteria, a digit for each answer; 0 is a refusal."""
    return [
        judgement(number, int(value), int(value)) if value != "0" else judgement(number)
        for number, value in enumerate(values)
    ]


def given(values: str) -> list[Score]:
    """By both criteria, of one person."""
    return [
        score(number, int(value), criterion=criterion.id)
        for number, value in enumerate(values)
        for criterion in RUBRIC.criteria
    ]


def figures(
    judgements: list[Judgement], scores: list[Score] | None = None, *, lengths: str = ""
) -> JudgeFigures:
    (found,) = judge_figures(
        judgements, (), scores or (), answers(len(judgements), lengths=lengths or "7" * len(judgements))
    )
    return found


def pair_figures(*verdicts: tuple[Verdict | None, Verdict | None], lengths: str = "") -> PairFigures:
    """Of a pair for each prompt, as alpha came first and then beta."""
    preferences = [
        preference(first, second, verdict)
        for prompt, pair in enumerate(verdicts)
        for (first, second), verdict in zip(
            ((2 * prompt, 2 * prompt + 1), (2 * prompt + 1, 2 * prompt)), pair, strict=True
        )
    ]
    (found,) = judge_figures((), preferences, (), answers(2 * len(verdicts), lengths=lengths))
    assert found.pairs is not None
    return found.pairs


def test_agreement_with_people_is_the_weighted_kappa_of_an_independent_library() -> None:
    found = figures(judged(JUDGE), given(PERSON))

    assert found.human.kappa == pytest.approx(KAPPA, abs=1e-12)
    assert [name for name, _ in found.criteria] == ["correctness", "brevity"]
    assert [own.kappa for _, own in found.criteria] == pytest.approx([KAPPA, KAPPA], abs=1e-12)
    assert found.human.interval is not None
    assert found.human.interval.holds(KAPPA)
    assert (found.human.n, found.human_answers) == (120, 60)


def test_the_person_is_in_the_rows_and_the_judge_in_the_columns() -> None:
    found = figures(judged("55"), given("12"))

    assert [row[4] for row in found.human.table] == [2, 2, 0, 0, 0]


def test_length_bias_is_the_rank_correlation_of_an_independent_library() -> None:
    found = figures(judged(JUDGE), lengths=PERSON)

    assert found.length.correlation.rho == pytest.approx(RHO, abs=1e-12)
    assert found.length.correlation.interval is not None
    assert found.length.is_warned_of
    assert (found.length.partial, found.length.partial_answers) == (None, 0)


def test_a_judge_that_goes_by_length_is_told_from_one_that_likes_what_people_like() -> None:
    by_length = figures(judged("123451234512"), given("314152553521"), lengths="123451234512")
    by_worth = figures(judged("123451234512"), given("123451234512"), lengths="224451234411")
    unmoved = figures(judged("314152553521"), lengths="123451234512")

    assert by_length.length.correlation.rho == 1
    assert by_length.length.is_warned_of
    assert by_length.length.partial == pytest.approx(1)
    # Of scipy 1.17.1, spearmanr; what people like explains all of it.
    assert by_worth.length.correlation.rho == pytest.approx(0.9024690991376028, abs=1e-12)
    assert by_worth.length.partial is None
    assert not unmoved.length.is_warned_of


def test_what_people_scored_in_part_does_not_explain_what_a_judge_gave() -> None:
    whole, part = given("12345"), [score(number, 3) for number in range(5, 10)]

    found = figures(judged("1234512345"), [*whole, *part], lengths="1234554321")

    assert found.length.partial_answers == 5


def test_a_judge_that_prefers_what_is_short_goes_by_length_too() -> None:
    found = figures(judged("5432154321"), lengths="1234512345")

    assert found.length.correlation.rho == -1
    assert found.length.is_warned_of


@pytest.mark.parametrize("count", [TRUSTED_FROM - 1, TRUSTED_FROM])
def test_it_is_trusted_once_people_scored_twenty_of_the_answers_that_it_judged(count: int) -> None:
    found = figures(judged(JUDGE), given(PERSON[:count]))

    assert found.human_answers == count
    assert found.is_trusted is (count == TRUSTED_FROM)


def test_an_answer_that_was_refused_stands_in_no_figure_but_that_of_refusals() -> None:
    found = figures(judged("1203"), given("1233"))

    assert (found.asked.count, found.asked.refused, found.asked.share) == (4, 1, 0.25)
    # Of scipy 1.17.1, binomtest(1, 4).proportion_ci(method="wilson").
    assert found.asked.interval is not None
    assert found.asked.interval.low == pytest.approx(0.045587, abs=1e-6)
    assert found.asked.interval.high == pytest.approx(0.699358, abs=1e-6)
    assert found.human_answers == 3
    assert found.length.correlation.n == 3
    assert {one.number for one in found.scores} == {0, 1, 3}


def test_second_tries_are_counted_whether_they_helped_or_not() -> None:
    found = figures([judgement(0, 1, 1), judgement(1, 2, 2, attempts=2), judgement(2, attempts=2)])

    assert (found.asked.retries, found.asked.refused) == (2, 1)


def test_repeats_and_scores_under_another_rubric_are_no_pairs() -> None:
    others = [score(0, 3, occasion=2), score(0, 3, rubric="another")]

    found = figures(judged("3"), others)

    assert (found.human.kappa, found.human.no_kappa) == (None, NoKappa.NO_PAIRS)


def test_what_an_older_version_gave_and_what_is_of_no_answer_any_more_is_left_out_and_counted() -> None:
    older = replace(judgement(0, 1, 1), by=replace(BY, prompt_sha256="old"))
    newer = [judgement(0, 5, 5, at=1), judgement(9, 5, 5, at=2)]

    (found,) = judge_figures([*newer, older], [preference(0, 9, Verdict.A)], (), answers(2))

    assert [one.value for one in found.scores] == [5, 5]
    assert (found.other_versions, found.unmatched) == (1, 2)
    assert found.pairs is None


def test_each_judge_stands_for_itself() -> None:
    other = replace(judgement(0, 1, 1), by=replace(BY, judge="a-judge"), same_family=True)

    found = judge_figures([judgement(0, 5, 5), other], (), (), answers(2))

    assert [(one.judge, one.same_family) for one in found] == [("a-judge", True), (BY.judge, False)]
    assert judge_figures((), (), given("12"), answers(2)) == ()


def test_a_judge_that_always_says_a_is_exposed_by_flips() -> None:
    found = pair_figures(*[(Verdict.A, Verdict.A)] * 10)

    assert (found.flips, found.flips_to_first, found.flip_share) == (10, 10, 1)
    # Of scipy 1.17.1, binomtest(10, 10).proportion_ci(method="wilson").
    assert found.flip_interval is not None
    assert found.flip_interval.low == pytest.approx(0.722467, abs=1e-6)
    assert (found.agreeing, found.shares[0].one_share) == (0, None)


def test_shares_are_of_pairs_alone_whose_two_orders_agree() -> None:
    found = pair_figures(
        (Verdict.A, Verdict.B),  # alpha, in both orders
        (Verdict.A, Verdict.B),
        (Verdict.B, Verdict.A),  # beta
        (Verdict.TIE, Verdict.TIE),
        (Verdict.B, Verdict.B),
        (Verdict.A, Verdict.TIE),
        (Verdict.A, None),
    )

    (share,) = found.shares
    assert (share.one, share.other) == ("alpha", "beta")
    assert (share.one_wins, share.other_wins, share.ties) == (2, 1, 1)
    assert (share.one_share, share.other_share) == (0.5, 0.25)
    assert (found.pairs, found.agreeing, found.flips, found.flips_to_first, found.wavering) == (6, 4, 1, 0, 1)
    assert (found.asked.count, found.asked.refused) == (14, 1)


@pytest.mark.parametrize(("lengths", "longer"), [("29" * 10, 10), ("92" * 10, 0)])
def test_a_judge_of_pairs_that_goes_by_length_is_exposed_though_its_orders_agree(
    lengths: str, longer: int
) -> None:
    """It always prefers beta's answers, and these are always the longer or always the shorter ones."""
    found = pair_figures(*[(Verdict.B, Verdict.A)] * 10, lengths=lengths)

    assert (found.flips, found.agreeing) == (0, 10)
    assert (found.longer_wins, found.shorter_wins) == (longer, 10 - longer)
    assert found.goes_by_length


@pytest.mark.parametrize(
    ("verdicts", "lengths"),
    [
        ([(Verdict.B, Verdict.A)] * 10, "55" * 10),  # as long as each other
        ([(Verdict.B, Verdict.A)] * 3, "29" * 3),  # too few to tell
        ([(Verdict.B, Verdict.A), (Verdict.A, Verdict.B)] * 10, "29" * 20),  # by turns
        ([(Verdict.TIE, Verdict.TIE), (Verdict.A, Verdict.A)] * 5, "29" * 10),  # nothing is decided
    ],
)
def test_a_judge_of_pairs_is_not_said_to_go_by_length_without_reason(
    verdicts: list[tuple[Verdict | None, Verdict | None]], lengths: str
) -> None:
    assert not pair_figures(*verdicts, lengths=lengths).goes_by_length


def test_a_pair_of_which_one_order_is_known_is_no_pair_yet() -> None:
    (found,) = judge_figures((), [preference(0, 1, Verdict.A)], (), answers(2))

    assert found.pairs is not None
    assert (found.pairs.pairs, found.pairs.flip_share, found.pairs.flip_interval) == (0, None, None)


def test_means_are_made_of_what_it_gave_under_its_own_name() -> None:
    assert as_scores([judgement(1, 4, 2), judgement(2)]) == (
        score(1, 4, BY.judge),
        score(1, 2, BY.judge, criterion="brevity"),
    )
