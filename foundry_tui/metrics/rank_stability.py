"""How far a choice holds: the same candidates again, of answers drawn anew from those that were measured."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foundry_tui.metrics.candidate import (
    COMPARED,
    Candidate,
    Dimension,
    Figure,
    Latency,
    Sample,
    Throughput,
    Unknown,
    worth,
)
from foundry_tui.metrics.intervals import BOOTSTRAP_COUNT
from foundry_tui.metrics.selection import Fit, Limits, judge, standings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RESAMPLES", "Stability", "drawn_of", "rank_stability"]

RESAMPLES = 1_000
_DRAWN = (Dimension.LATENCY, Dimension.THROUGHPUT)
_MEASURES = ("latency_s", "ttft_s", "tokens_per_s", "characters_per_s")
_NOTHING_MEASURES = Unknown("no answer that was drawn has it")
_NOTHING_SCORED = Unknown("no prompt that was drawn has a scored answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """One candidate over all resamples; shares are from 0 to 1.

    Attributes:
        fits: Where it kept to all limits.
        on_front: Where it did, and nothing that did beat it.
        first: By dimension, where it did, and nothing that did was better in it; those that are equal are all
            first.  A dimension that is not known of it is absent.
    """

    candidate: Candidate
    fits: float
    on_front: float
    first: tuple[tuple[Dimension, float], ...]


@dataclass(frozen=True, slots=True)
class _Draws:
    """A row for each resample: the prompts by place, and the slots of prompt and round by place."""

    prompts: "NDArray[np.int64]"
    slots: "NDArray[np.int64]"


def drawn_of(candidate: Candidate) -> tuple[Dimension, ...]:
    """What is drawn anew of it; the others stay as they are.

    Quality is one of them from ``BOOTSTRAP_COUNT`` scored prompts on, below which it has no interval either.
    """
    has_scores = len(candidate.scores) >= BOOTSTRAP_COUNT
    return (*_DRAWN, Dimension.QUALITY) if has_scores else _DRAWN


def rank_stability(
    candidates: Sequence[Candidate], limits: Limits, *, seed: int, resamples: int = RESAMPLES
) -> tuple[Stability, ...] | None:
    """In which share of ``resamples`` each candidate fits, is on the Pareto front, and is first.

    Of each run as many prompts are drawn with replacement as it has, and of each of them as many rounds as
    the most measured prompt has: the same draw for all models of the run, which shared its conditions.
    Latency, TTFT and both rates are medians over what was drawn; they are held against the limits, and
    compared, as ever.  Quality is the mean over the scored answers to the prompts that were drawn, each with
    all of them: mostly one round of a prompt is scored, and to draw rounds would lose it.  It stays as it is
    below ``BOOTSTRAP_COUNT`` scored prompts, see ``drawn_of``; memory, footprint and licence always do.  The
    same seed, candidates and limits give the same shares.  It assumes that the prompts stand for others like
    them; with one prompt only its rounds are drawn, and nothing is said of other prompts.

    Returns:
        In the order of ``candidates``; None where a run has fewer than ``BOOTSTRAP_COUNT`` slots of prompt
        and round with an answer, or there is nothing to draw from.
    """
    slots = _slots(candidates)
    if not slots or any(sum(map(len, rounds.values())) < BOOTSTRAP_COUNT for rounds in slots.values()):
        return None
    fits, fronts = [0] * len(candidates), [0] * len(candidates)
    firsts = [dict.fromkeys(COMPARED, 0) for _ in candidates]
    for drawn in _resampled(candidates, slots, seed, resamples):
        fitting = [n for n, each in enumerate(drawn) if judge(each, limits).fit is Fit.FITS]
        for n, standing in zip(fitting, standings([drawn[n] for n in fitting]), strict=True):
            fits[n] += 1
            fronts[n] += standing.is_on_front
        for dimension in COMPARED:
            values = {n: value for n in fitting if (value := worth(drawn[n], dimension)) is not None}
            best = max(values.values(), default=None)
            for n, value in values.items():
                firsts[n][dimension] += value == best
    return tuple(
        Stability(
            candidate=candidate,
            fits=fits[n] / resamples,
            on_front=fronts[n] / resamples,
            first=tuple(
                (dimension, firsts[n][dimension] / resamples)
                for dimension in COMPARED
                if worth(candidate, dimension) is not None
            ),
        )
        for n, candidate in enumerate(candidates)
    )


def _slots(candidates: Sequence[Candidate]) -> dict[str, dict[str, list[int]]]:
    """By run and prompt the rounds of which some model has an answer, in a fixed order."""
    found: dict[str, dict[str, set[int]]] = {}
    for candidate in candidates:
        for sample in candidate.samples:
            found.setdefault(candidate.run_id, {}).setdefault(sample.prompt_id, set()).add(sample.round)
    return {
        run: {prompt: sorted(prompts[prompt]) for prompt in sorted(prompts)} for run, prompts in found.items()
    }


def _resampled(
    candidates: Sequence[Candidate], slots: dict[str, dict[str, list[int]]], seed: int, resamples: int
) -> Iterator[list[Candidate]]:
    """The candidates of each resample."""
    import numpy as np  # late: no module of the first frame may load it

    generator = np.random.default_rng(seed)
    draws = {run: _draws(generator, list(map(len, slots[run].values())), resamples) for run in sorted(slots)}
    medians: list[dict[str, list[float]]] = []
    means: list[list[float] | None] = []
    for candidate in candidates:
        places = [
            (prompt, each) for prompt, rounds in slots.get(candidate.run_id, {}).items() for each in rounds
        ]
        medians.append(
            {
                name: _medians(_readings(candidate.samples, name, places), draws[candidate.run_id].slots)
                for name in (_MEASURES if candidate.samples else ())
            }
        )
        own = slots.get(candidate.run_id)
        is_drawn = own is not None and Dimension.QUALITY in drawn_of(candidate)
        means.append(_means(candidate, [*(own or ())], draws[candidate.run_id].prompts) if is_drawn else None)
    for number in range(resamples):
        yield [
            _with_quality(
                _of_draw(candidate, {name: values[number] for name, values in found.items()})
                if found
                else candidate,
                None if scored is None else scored[number],
            )
            for candidate, found, scored in zip(candidates, medians, means, strict=True)
        ]


def _draws(generator: "np.random.Generator", rounds: list[int], resamples: int) -> _Draws:
    """``rounds`` says how many slots each prompt has, one behind another."""
    import numpy as np

    counts, most = np.asarray(rounds), max(rounds)
    begins = np.cumsum(counts) - counts
    prompts = generator.integers(len(rounds), size=(resamples, len(rounds), 1))
    within = (generator.random((resamples, len(rounds), most)) * counts[prompts]).astype(np.int64)
    places: NDArray[np.int64] = (begins[prompts] + within).reshape(resamples, -1)
    return _Draws(prompts=prompts.reshape(resamples, -1), slots=places)


def _means(candidate: Candidate, prompts: list[str], draws: "NDArray[np.int64]") -> list[float]:
    """Of each row of ``draws`` the mean score over the prompts that have any; NaN where none has."""
    import numpy as np

    known = {each.prompt_id: each for each in candidate.scores}
    totals = np.asarray([known[one].total if one in known else 0.0 for one in prompts])
    counts = np.asarray([known[one].answers if one in known else 0 for one in prompts])
    answers = counts[draws].sum(axis=1)
    means = totals[draws].sum(axis=1) / np.maximum(answers, 1)
    return [float(mean) if count else math.nan for mean, count in zip(means, answers, strict=True)]


def _readings(samples: Sequence[Sample], name: str, places: list[tuple[str, int]]) -> "NDArray[np.float64]":
    """What ``name`` is in each of ``places``; NaN where it is nothing."""
    import numpy as np

    known: dict[tuple[str, int], float | None] = {
        (sample.prompt_id, sample.round): getattr(sample, name) for sample in samples
    }
    return np.asarray([known.get(place) for place in places], dtype=np.float64)


def _medians(readings: "NDArray[np.float64]", draws: "NDArray[np.int64]") -> list[float]:
    """Of each row of ``draws``, over the readings that are there; NaN where none is."""
    import numpy as np

    # Row by row: a matrix of all draws of a long run would take a gigabyte.
    found: list[float] = []
    for row in draws:
        drawn = readings[row]
        there = drawn[~np.isnan(drawn)]
        found.append(float(np.median(there)) if there.size else float("nan"))
    return found


def _with_quality(candidate: Candidate, mean: float | None) -> Candidate:
    if mean is None:
        return candidate
    return replace(candidate, quality=_NOTHING_SCORED if math.isnan(mean) else Figure(value=mean))


def _of_draw(candidate: Candidate, medians: dict[str, float]) -> Candidate:
    def figure(name: str) -> Figure | Unknown:
        value = medians[name]
        return _NOTHING_MEASURES if math.isnan(value) else Figure(value=value)

    whole = figure("latency_s")
    return replace(
        candidate,
        latency=whole if isinstance(whole, Unknown) else Latency(e2e_s=whole, ttft_s=figure("ttft_s")),
        throughput=Throughput(
            tokens_per_s=figure("tokens_per_s"), characters_per_s=figure("characters_per_s")
        ),
    )
