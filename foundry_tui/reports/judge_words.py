"""Judges in words, as table rows, and as objects for JSON; the words and rows are harmless.

No figure of a judge stands without how far it can be trusted, and whether it judged its own kin.
"""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from foundry_tui.domain.model_families import families_of
from foundry_tui.domain.quantities import UNKNOWN, plural
from foundry_tui.domain.scoring import Rubric
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.agreement import Agreement, NoInterval
from foundry_tui.metrics.intervals import BOOTSTRAP_COUNT, Interval
from foundry_tui.metrics.judging import TRUSTED_FROM, Asked, JudgeFigures, LengthBias, PairFigures, PairShare
from foundry_tui.metrics.quality import ModelQuality
from foundry_tui.metrics.rank_correlation import LEAST_COUNT, NoCorrelation, RankCorrelation
from foundry_tui.reports.agreement_words import (
    agreement_cells,
    agreement_words,
    criterion_word,
    figures_object,
    percent_words,
)
from foundry_tui.reports.json_text import interval_list
from foundry_tui.reports.quality_words import mean_cells, mean_object

__all__ = [
    "JUDGE_HEADER",
    "JUDGE_RIGHT",
    "PAIR_HEADER",
    "PAIR_RIGHT",
    "judge_agreement_object",
    "judge_agreement_rows",
    "judge_lines",
    "judge_object",
    "judge_rows",
    "pair_rows",
    "trust_words",
]

JUDGE_HEADER = (
    *("JUDGE", "MODEL", "CRITERION", "MEAN", "95 %", "JUDGED"),
    *("KAPPA", "RHO", "FLIPS", "REFUSED", "TRUST"),
)
JUDGE_RIGHT = frozenset(range(3, 10))
PAIR_HEADER = (
    *("JUDGE", "MODEL", "AGAINST", "WINS", "LOSES", "TIES", "SHARE", "95 %"),
    *("FLIPS", "REFUSED", "TRUST"),
)
PAIR_RIGHT = frozenset(range(3, 10))

_Object: TypeAlias = dict[str, object]

_ALL = "all"
_NAME_CHARACTERS = 60


def trust_words(found: JudgeFigures) -> str:
    """``not yet (3 of 20), own family``: from how many answers that people scored too on it is trusted."""
    notes = [f"from {plural(found.human_answers, 'answer')}"]
    if not found.is_trusted:
        notes = [f"not yet ({found.human_answers} of {TRUSTED_FROM})"]
    return ", ".join([*notes, "own family"] if found.same_family else notes)


def judge_lines(found: JudgeFigures) -> list[str]:
    """What is known of one judge, a line for each; first what keeps it from being trusted."""
    who = f"judge {_name(found.judge)}"
    marks = [] if found.is_trusted else ["not trusted yet"]
    marks += ["own family"] if found.same_family else []
    marked = who + (f" ({', '.join(marks)})" if marks else "")
    lines = [f"{who}: {line}" for line in _caveats(found)]
    lines += [f"{marked}: {line}" for line in _figure_lines(found)]
    left_out = []
    if found.other_versions:
        left_out.append(f"{plural(found.other_versions, 'judgement')} by another rubric or in other words")
    if found.unmatched:
        left_out.append(f"{plural(found.unmatched, 'judgement')} of answers that were measured again")
    return [*lines, f"{who}: left out: {', '.join(left_out)}"] if left_out else lines


def judge_rows(
    found: JudgeFigures, models: Sequence[ModelQuality], *, rubric: Rubric | None = None
) -> list[tuple[str, ...]]:
    """Under ``JUDGE_HEADER``: for each model a row for each criterion, then one for all together."""
    kappas = dict(found.criteria)
    beside = (_rho(found.length.correlation), _flips(found.pairs), percent_words(found.asked.share))
    rows = []
    for quality in models:
        for name, mean in (*quality.criteria, (None, quality.overall)):
            kappa = found.human if name is None else kappas.get(name)
            word = _ALL if name is None else criterion_word(name, quality.rubric_sha256, rubric)
            rows.append(
                (
                    *(_name(found.judge), _name(quality.model), word, *mean_cells(mean)[:3]),
                    *(UNKNOWN if kappa is None else agreement_cells(kappa)[0], *beside, trust_words(found)),
                )
            )
    return rows


def pair_rows(found: JudgeFigures) -> list[tuple[str, ...]]:
    """Under ``PAIR_HEADER``: for every two models what was preferred in both orders."""
    pairs = found.pairs
    if pairs is None:
        return []
    return [
        (
            *(_name(found.judge), _name(share.one), _name(share.other)),
            *map(str, (share.one_wins, share.other_wins, share.ties)),
            percent_words(share.one_share),
            UNKNOWN if share.one_interval is None else _percent_ends(share.one_interval),
            *(_flips(pairs), percent_words(pairs.asked.share), trust_words(found)),
        )
        for share in pairs.shares
    ]


def judge_agreement_rows(found: JudgeFigures, *, rubric: Rubric | None = None) -> list[tuple[str, ...]]:
    """Under ``AGREEMENT_HEADER``: a row for each criterion, then for all; names no model but the judge."""
    who = f"people and judge {_name(found.judge)}, trusted {trust_words(found)}"
    named = [(criterion_word(name, found.rubric_sha256, rubric), own) for name, own in found.criteria]
    return [(who, word, *agreement_cells(own)) for word, own in (*named, (_ALL, found.human))]


def judge_object(found: JudgeFigures, models: Sequence[ModelQuality]) -> _Object:
    """Everything of one judge; unknown is null, with the reason beside it where there may be several."""
    return {
        **_who(found),
        "prompt_sha256": None if found.scored_by is None else found.scored_by.prompt_sha256,
        "pair_prompt_sha256": None if found.paired_by is None else found.paired_by.prompt_sha256,
        "asked": _asked_object(found.asked),
        "agreement": _agreement_object(found.human, found.criteria),
        "length": _length_object(found.length),
        "models": [
            {
                "model": quality.model,
                "overall": mean_object(quality.overall),
                "criteria": [{"id": name, **mean_object(mean)} for name, mean in quality.criteria],
            }
            for quality in models
        ],
        "pairs": None if found.pairs is None else _pairs_object(found.pairs),
        "other_versions": found.other_versions,
        "unmatched": found.unmatched,
    }


def judge_agreement_object(found: JudgeFigures) -> _Object:
    """How one judge agrees with people; no model of the run is named."""
    return {**_who(found), **_agreement_object(found.human, found.criteria)}


def _caveats(found: JudgeFigures) -> list[str]:
    lines = []
    if not found.is_trusted:
        lines.append(
            f"not to be trusted yet: people scored {found.human_answers} of the answers that it judged,"
            f" {TRUSTED_FROM} are needed"
        )
    if found.same_family:
        lines.append("it is, or is kin to, a model of this run, which was allowed; a judge prefers its kin")
    elif not families_of([found.judge]):
        lines.append("no family is known by its name: whether it judged its own kin cannot be told")
    if found.length.is_warned_of:
        which = "longer" if (found.length.correlation.rho or 0) > 0 else "shorter"
        lines.append(f"warning: it goes by length: {which} answers got more")
    if found.pairs is not None and found.pairs.goes_by_length:
        which = "longer" if found.pairs.longer_wins > found.pairs.shorter_wins else "shorter"
        lines.append(f"warning: it goes by length: of two answers it prefers the {which} one")
    return lines


def _figure_lines(found: JudgeFigures) -> list[str]:
    lines = []
    if found.asked.count:
        lines = [
            f"{plural(found.asked.count, 'answer')} judged, {_asked_words(found.asked)}",
            f"with people: {_human_words(found.human)}",
            _length_words(found.length),
        ]
    return lines if found.pairs is None else [*lines, *_pair_lines(found.pairs)]


def _who(found: JudgeFigures) -> _Object:
    return {
        "judge": found.judge,
        "families": sorted(families_of([found.judge])),
        "same_family": found.same_family,
        "trusted": found.is_trusted,
        "trusted_from": TRUSTED_FROM,
        "human_answers": found.human_answers,
        "rubric_sha256": found.rubric_sha256,
    }


def _asked_words(found: Asked) -> str:
    ends = "" if found.interval is None else f" {_percent_ends(found.interval)}"
    again = plural(found.retries, "time")
    return f"{found.refused} refused ({percent_words(found.share)}{ends}), asked again {again}"


def _human_words(found: Agreement) -> str:
    if found.n == 0:
        return f"weighted kappa {UNKNOWN}: nobody scored one of these answers by this version of the rubric"
    return agreement_words(found)


def _length_words(found: LengthBias) -> str:
    correlation = found.correlation
    if correlation.rho is None:
        return f"score and length: rho {UNKNOWN}: {_no_rho(correlation)}"
    notes = [plural(correlation.n, "answer"), plural(correlation.groups, "prompt")]
    ends = ""
    if correlation.interval is not None:
        ends = f" [{_two(correlation.interval.low)}, {_two(correlation.interval.high)}]"
    elif correlation.no_interval is not None:
        notes.append(f"no interval: {_no_interval(correlation.no_interval)}")
    words = f"score and length: rho {_two(correlation.rho)}{ends} ({', '.join(notes)})"
    if found.partial is not None:
        of = plural(found.partial_answers, "answer")
        words += f"; {_two(found.partial)} with what people gave taken out ({of})"
    return words


def _pair_lines(found: PairFigures) -> list[str]:
    lines = [
        f"{plural(found.asked.count, 'order')} of two answers judged, {_asked_words(found.asked)}",
    ]
    if found.flip_share is None or found.flip_interval is None:
        return [*lines, f"position flips {UNKNOWN}: no pair was judged in both orders"]
    share = f"{percent_words(found.flip_share)} {_percent_ends(found.flip_interval)}"
    lines.append(
        f"the verdict followed the position in {found.flips} of {plural(found.pairs, 'pair')} ({share}),"
        f" {plural(found.flips_to_first, 'time')} to the first; {found.wavering} were a tie in one order"
        f" alone; shares are of the {found.agreeing} whose orders agree"
    )
    if found.longer_share is not None and found.longer_interval is not None:
        decided = plural(found.longer_wins + found.shorter_wins, "pair")
        share = f"{percent_words(found.longer_share)} {_percent_ends(found.longer_interval)}"
        lines.append(f"the longer answer was preferred in {found.longer_wins} of {decided} ({share})")
    return lines


def _asked_object(found: Asked) -> _Object:
    return {
        "count": found.count,
        "refused": found.refused,
        "retries": found.retries,
        "refused_share": found.share,
        "interval": interval_list(found.interval),
    }


def _agreement_object(overall: Agreement, criteria: Sequence[tuple[str, Agreement]]) -> _Object:
    return {
        "overall": figures_object(overall),
        "criteria": [{"id": name, **figures_object(own)} for name, own in criteria],
    }


def _length_object(found: LengthBias) -> _Object:
    correlation = found.correlation
    return {
        "answers": correlation.n,
        "prompts": correlation.groups,
        "spearman_rho": correlation.rho,
        "no_rho": None if correlation.no_rho is None else correlation.no_rho.value,
        "interval": interval_list(correlation.interval),
        "no_interval": None if correlation.no_interval is None else correlation.no_interval.value,
        "partial_rho": found.partial,
        "partial_answers": found.partial_answers,
        "goes_by_length": found.is_warned_of,
    }


def _pairs_object(found: PairFigures) -> _Object:
    return {
        "asked": _asked_object(found.asked),
        "pairs": found.pairs,
        "agreeing": found.agreeing,
        "flips": found.flips,
        "flips_to_first": found.flips_to_first,
        "wavering": found.wavering,
        "flip_share": found.flip_share,
        "interval": interval_list(found.flip_interval),
        "longer_wins": found.longer_wins,
        "shorter_wins": found.shorter_wins,
        "longer_interval": interval_list(found.longer_interval),
        "goes_by_length": found.goes_by_length,
        "shares": [_share_object(share) for share in found.shares],
    }


def _share_object(share: PairShare) -> _Object:
    return {
        "one": share.one,
        "other": share.other,
        "one_wins": share.one_wins,
        "other_wins": share.other_wins,
        "ties": share.ties,
        "one_share": share.one_share,
        "other_share": share.other_share,
        "one_interval": interval_list(share.one_interval),
    }


def _rho(found: RankCorrelation) -> str:
    return UNKNOWN if found.rho is None else _two(found.rho)


def _flips(found: PairFigures | None) -> str:
    return UNKNOWN if found is None else percent_words(found.flip_share)


def _no_rho(found: RankCorrelation) -> str:
    match found.no_rho:
        case NoCorrelation.TOO_FEW | None:
            return f"fewer than {LEAST_COUNT} answers have scores"
        case NoCorrelation.NO_VARIANCE:
            return "all have one score, or one length"
        case _:
            assert_never(found.no_rho)


def _no_interval(why: NoInterval) -> str:
    match why:
        case NoInterval.TOO_FEW:
            return f"fewer than {BOOTSTRAP_COUNT} prompts"
        case NoInterval.NO_SPREAD | NoInterval.UNBOUNDED:
            return "it is the same in nearly every sample"
        case _:
            assert_never(why)


def _two(value: float) -> str:
    """Two digits, and no minus before what they leave of a little less than 0."""
    return f"{round(value, 2) + 0.0:.2f}"


def _percent_ends(interval: Interval) -> str:
    return f"[{interval.low * 100:.0f}, {interval.high * 100:.0f}]"


def _name(text: str) -> str:
    return clean_line(text, _NAME_CHARACTERS)
