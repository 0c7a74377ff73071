"""Which of two models people prefer, pair by pair, and whether the side on which an answer stood mattered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from foundry_tui.domain.scoring import Chosen, Preference
from foundry_tui.metrics.intervals import Interval, wilson_interval

__all__ = ["PairTally", "PreferenceCount", "preference_count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTally:
    """Two models against each other.

    Attributes:
        one: The first of them in the plan, as ``other`` by name.
        one_wins: How often its answer was preferred; ``other_wins`` likewise.
        ties: How often neither was.
    """

    one: str
    other: str
    one_wins: int
    other_wins: int
    ties: int

    @property
    def share(self) -> float | None:
        """Of those that were decided, how many went to ``one``; None where none was."""
        decided = self.one_wins + self.other_wins
        return self.one_wins / decided if decided else None

    @property
    def interval(self) -> Interval | None:
        """95 % by Wilson around ``share``; each pair counts as one draw."""
        return wilson_interval(self.one_wins, self.one_wins + self.other_wins)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceCount:
    """All that was preferred in a run.

    Attributes:
        tallies: Of each two models that were compared, in the order of the plan.
        annotators: So many people compared.
        skipped: Pairs that somebody left out.
        left: How often the left answer was preferred, of ``decided``: near half where sides do not matter.
        again: Pairs that came twice, with the sides changed, ``same`` of them with the same end.
        unmatched: Preferences between answers that stand no more.
    """

    tallies: tuple[PairTally, ...]
    annotators: int
    skipped: int
    left: int
    decided: int
    again: int
    same: int
    unmatched: int

    @property
    def left_interval(self) -> Interval | None:
        """95 % by Wilson around the share of the left side."""
        return wilson_interval(self.left, self.decided)


def preference_count(
    preferences: Sequence[Preference], model_of: Mapping[int, str], models: Sequence[str]
) -> PreferenceCount:
    """Count what people preferred at first sight; repeats only show whether they say the same again.

    Args:
        preferences: Of one run.
        model_of: Who wrote each answer that stands, by the number of its request.
        models: All models, in the order of the plan.
    """
    known = [one for one in preferences if one.first in model_of and one.second in model_of]
    first_time = [one for one in known if one.occasion == 1]
    wins: Counter[tuple[str, str]] = Counter()
    ties: Counter[frozenset[str]] = Counter()
    left = decided = 0
    for one in first_time:
        first, second = model_of[one.first], model_of[one.second]
        if one.chosen is Chosen.TIE:
            ties[frozenset((first, second))] += 1
        elif one.chosen is not Chosen.SKIPPED:
            is_first = one.chosen is Chosen.FIRST
            wins[(first, second) if is_first else (second, first)] += 1
            left += one.left == (one.first if is_first else one.second)
            decided += 1
    again = _twice(known)
    return PreferenceCount(
        tallies=tuple(
            tally
            for one_model, other in combinations(models, 2)
            if _any(
                tally := PairTally(
                    one=one_model,
                    other=other,
                    one_wins=wins[(one_model, other)],
                    other_wins=wins[(other, one_model)],
                    ties=ties[frozenset((one_model, other))],
                )
            )
        ),
        annotators=len({one.annotator for one in first_time if one.chosen is not Chosen.SKIPPED}),
        skipped=sum(one.chosen is Chosen.SKIPPED for one in first_time),
        left=left,
        decided=decided,
        again=len(again),
        same=sum(before is after for before, after in again),
        unmatched=len(preferences) - len(known),
    )


def _any(tally: PairTally) -> bool:
    return bool(tally.one_wins or tally.other_wins or tally.ties)


def _twice(preferences: Sequence[Preference]) -> list[tuple[Chosen, Chosen]]:
    said = {(one.annotator, one.first, one.second, one.occasion): one.chosen for one in preferences}
    pairs = (
        (said[(*key[:3], 1)], chosen) for key, chosen in said.items() if key[3] == 2 and (*key[:3], 1) in said
    )
    return [pair for pair in pairs if Chosen.SKIPPED not in pair]
