"""Agreement of scores in words, as table rows, and as objects for JSON; the words and rows are harmless."""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from foundry_tui.domain.quantities import UNKNOWN, plural
from foundry_tui.domain.scoring import HIGHEST, LOWEST, Rubric
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.agreement import Agreement, Agreements, Disagreement, NoInterval, NoKappa
from foundry_tui.metrics.intervals import BOOTSTRAP_COUNT
from foundry_tui.reports.json_text import interval_list

__all__ = [
    "AGREEMENT_HEADER",
    "AGREEMENT_RIGHT",
    "CONFUSION_RIGHT",
    "DISAGREEMENT_HEADER",
    "DISAGREEMENT_RIGHT",
    "agreement_cells",
    "agreement_lines",
    "agreement_object",
    "agreement_rows",
    "agreement_words",
    "agreements_words",
    "confusion_header",
    "confusion_rows",
    "criterion_word",
    "disagreement_object",
    "disagreement_rows",
    "figures_object",
    "percent_words",
]

AGREEMENT_HEADER = ("WHO", "CRITERION", "KAPPA", "95 %", "N", "SAME", "WITHIN ONE")
AGREEMENT_RIGHT = frozenset({2, 3, 4, 5, 6})
CONFUSION_RIGHT = frozenset(range(1, 1 + HIGHEST))
DISAGREEMENT_HEADER = ("RUN", "ANSWER", "CRITERION", "SCORES", "APART")
DISAGREEMENT_RIGHT = frozenset({1, 4})

_Object: TypeAlias = dict[str, object]

_ALL = "all"
_SHORT_ID = 8
_NAME_CHARACTERS = 60


def agreement_words(found: Agreement) -> str:
    """``weighted kappa 0.71 [0.58, 0.82] (n=60), 62 % the same, 97 % within one``."""
    if found.kappa is None and found.no_kappa is not NoKappa.NO_VARIANCE:
        return f"weighted kappa {UNKNOWN}: no answer has two scores to hold against each other"
    kappa, notes = _kappa(found), [_count(found)]
    if found.kappa is None:
        notes.append(f"nothing was given but {_only(found)}, where chance would agree as well")
    elif found.no_interval is not None:
        notes.append(f"no interval: {_no_interval(found.no_interval)}")
    if found.interval is not None:
        kappa += f" {_ends(found)}"
    return (
        f"weighted kappa {kappa} ({'; '.join(notes)}), {percent_words(found.same_share)} the same,"
        f" {percent_words(found.near_share)} within one"
    )


def agreements_words(found: Agreements) -> str:
    """``ann and bob: weighted kappa …``, over all criteria together, and what is left out."""
    words = agreement_words(found.overall)
    if found.overall.n == 0:
        who = "by both" if found.other is not None else "a second time"
        words = f"weighted kappa {UNKNOWN}: no answer was scored {who}"
    if found.other_rubric_scores:
        left_out = plural(found.other_rubric_scores, "score")
        words += f"; {left_out} under another version of the rubric left out"
    return f"{_who(found)}: {words}"


def agreement_lines(
    agreements: Sequence[Agreements], disagreements: Sequence[Disagreement] = ()
) -> list[str]:
    """A line for each of ``agreements``, and how much there is to talk over."""
    lines = [agreements_words(one) for one in agreements]
    if disagreements:
        least, farthest = (of(one.apart for one in disagreements) for of in (min, max))
        points = f"{least} points" if least == farthest else f"{least} to {farthest} points"
        lines.append(f"{plural(len(disagreements), 'disagreement')} to talk over, {points} apart")
    return lines


def agreement_rows(
    agreements: Sequence[Agreements], *, rubric: Rubric | None = None
) -> list[tuple[str, ...]]:
    """Under ``AGREEMENT_HEADER``: for each of ``agreements`` a row for each criterion, then one for all."""
    rows = []
    for found in agreements:
        who = _who(found)
        for criterion, own in _in_order(found, rubric):
            rows.append((who, criterion_word(criterion, found.rubric_sha256, rubric), *agreement_cells(own)))
        rows.append((who, _ALL, *agreement_cells(found.overall)))
    return rows


def confusion_header(found: Agreements) -> tuple[str, ...]:
    """Who gave the rows and who the columns, then each score: of ``confusion_rows``."""
    columns = "second time" if found.other is None else _name(found.other)
    rows = "first time" if found.other is None else _name(found.one)
    return (f"{rows} ↓ {columns} →", *(str(value) for value in range(LOWEST, HIGHEST + 1)))


def confusion_rows(found: Agreement) -> list[tuple[str, ...]]:
    """A row for each score that the first rater gave: how often the second one gave which."""
    return [
        (str(value), *map(str, counts))
        for value, counts in zip(range(LOWEST, HIGHEST + 1), found.table, strict=True)
    ]


def disagreement_rows(
    disagreements: Sequence[Disagreement],
    *,
    rubric: Rubric | None = None,
    rubric_sha256: str | None = None,
) -> list[tuple[str, ...]]:
    """Under ``DISAGREEMENT_HEADER``, in their order; no model is named.

    Args:
        disagreements: All under one version of the rubric.
        rubric: For the names of the criteria.
        rubric_sha256: That version; the names are told only where it is that of ``rubric``.
    """
    return [
        (
            clean_line(one.run_id[:_SHORT_ID]),
            str(one.number),
            criterion_word(one.criterion, rubric_sha256, rubric),
            ", ".join(f"{_name(annotator)} {value}" for annotator, value in one.values),
            str(one.apart),
        )
        for one in disagreements
    ]


def agreement_object(found: Agreements) -> _Object:
    """Everything; unknown is null, with the reason beside it."""
    return {
        "kind": "within" if found.other is None else "between",
        "annotators": [found.one] if found.other is None else [found.one, found.other],
        "rubric_sha256": found.rubric_sha256,
        "overall": figures_object(found.overall),
        "criteria": [{"id": criterion, **figures_object(own)} for criterion, own in found.criteria],
        "other_rubric_scores": found.other_rubric_scores,
    }


def disagreement_object(one: Disagreement) -> _Object:
    """One answer that people should talk about."""
    return {
        "run": one.run_id,
        "number": one.number,
        "criterion": one.criterion,
        "apart": one.apart,
        "scores": [{"annotator": annotator, "value": value} for annotator, value in one.values],
    }


def criterion_word(criterion: str, rubric_sha256: str | None, rubric: Rubric | None) -> str:
    """Its name in ``rubric`` where that is the version that is meant, else its id."""
    known = rubric.criteria if rubric is not None and rubric.sha256 == rubric_sha256 else ()
    names = {one.id: one.name for one in known}
    return _name(names.get(criterion) or criterion)


def percent_words(share: float | None) -> str:
    """``62 %``; 0 % and 100 % only where there is none and where it is all."""
    if share is None:
        return UNKNOWN
    percent = round(share * 100)
    return f"{min(99, max(1, percent)) if 0 < share < 1 else percent} %"


def _who(found: Agreements) -> str:
    if found.other is None:
        return f"{_name(found.one)}, first and second time"
    return f"{_name(found.one)} and {_name(found.other)}"


def _in_order(found: Agreements, rubric: Rubric | None) -> list[tuple[str, Agreement]]:
    """The criteria as the rubric has them, then those that it does not have."""
    places = {one.id: place for place, one in enumerate(rubric.criteria)} if rubric is not None else {}
    return sorted(found.criteria, key=lambda one: places.get(one[0], len(places)))


def agreement_cells(found: Agreement) -> tuple[str, ...]:
    """Under ``AGREEMENT_HEADER``, from the kappa on."""
    return (
        _kappa(found),
        UNKNOWN if found.interval is None else _ends(found),
        str(found.n),
        percent_words(found.same_share),
        percent_words(found.near_share),
    )


def _kappa(found: Agreement) -> str:
    return UNKNOWN if found.kappa is None else _two(found.kappa)


def _ends(found: Agreement) -> str:
    return "" if found.interval is None else f"[{_two(found.interval.low)}, {_two(found.interval.high)}]"


def _two(value: float) -> str:
    """Two digits, and no minus before what they leave of a little less than 0."""
    return f"{round(value, 2) + 0.0:.2f}"


def _count(found: Agreement) -> str:
    return f"n={found.n}" if found.n == found.answers else f"n={found.n} of {plural(found.answers, 'answer')}"


def _only(found: Agreement) -> str:
    given = [place for place, counts in enumerate(found.table) if any(counts)]
    return str(LOWEST + given[0])


def _no_interval(why: NoInterval) -> str:
    match why:
        case NoInterval.TOO_FEW:
            return f"fewer than {BOOTSTRAP_COUNT} answers"
        case NoInterval.NO_SPREAD | NoInterval.UNBOUNDED:
            return "these hardly differ, so samples of them tell nothing"
        case _:
            assert_never(why)


def figures_object(found: Agreement) -> _Object:
    """Pairs of scores in a few numbers; unknown is null, with the reason beside it."""
    return {
        "n": found.n,
        "answers": found.answers,
        "weighted_kappa": found.kappa,
        "no_kappa": None if found.no_kappa is None else found.no_kappa.value,
        "interval": interval_list(found.interval),
        "no_interval": None if found.no_interval is None else found.no_interval.value,
        "same_share": found.same_share,
        "within_one_share": found.near_share,
        "confusion": [list(counts) for counts in found.table],
    }


def _name(text: str) -> str:
    return clean_line(text, _NAME_CHARACTERS)
