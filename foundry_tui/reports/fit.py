"""What a model needs of memory next to what there is: the verdict, the arithmetic, and the same as JSON."""

import math

from foundry_tui.domain.quantities import bytes_in_words, count_in_words
from foundry_tui.metrics.fit import Fit, FitVerdict
from foundry_tui.metrics.fit_lessons import EstimateError
from foundry_tui.reports.errors import capitalised
from foundry_tui.reports.facts import Fact

__all__ = ["error_of_estimate", "fit_facts", "fit_lines", "fit_object", "fit_words"]


def fit_words(need: Fit) -> str:
    """The verdict on the memory with its two numbers; ``~`` marks what rests on assumptions."""
    if need.need_bytes is None:
        return "n/a: the catalog does not tell its size"
    needs = f"needs {_assumed(need)}{bytes_in_words(need.need_bytes)} of {need.memory}"
    if need.available_bytes is None or need.margin_bytes is None:
        return f"{needs}; how much of it is free is not known"
    has = f"{bytes_in_words(need.available_bytes)} are free"
    match need.verdict:
        case FitVerdict.FITS:
            return f"fits: {needs}, {has}"
        case FitVerdict.TIGHT:
            return f"tight: {needs}, {has}"
        case FitVerdict.DOES_NOT_FIT | FitVerdict.UNKNOWN:
            return f"does not fit: {needs}, {has}, {bytes_in_words(-need.margin_bytes)} too little"


def fit_lines(need: Fit) -> list[str]:
    """The arithmetic behind the verdict: the terms, their sum, and what there is."""
    if need.need_bytes is None:
        return []
    lines = [
        f"{sign} {_marked(term.size_bytes, is_assumed=term.is_assumed)}  {term.label}"
        for sign, term in zip(" " + "+" * len(need.terms), need.terms, strict=False)
    ]
    total = _marked(need.need_bytes, is_assumed=bool(_assumed(need)))
    lines.append(f"= {total}  for a conversation of {count_in_words(need.conversation_tokens)} tokens")
    if need.available_bytes is not None:
        lines.append(f"  {_marked(need.available_bytes, is_assumed=False)}  of {need.memory} can be had now")
    if need.limit_bytes is not None and need.used_then_bytes is not None:
        lines.append(
            f"  {_marked(need.used_then_bytes, is_assumed=bool(_assumed(need)))}  {_limit_words(need)}"
        )
    if need.full_context_bytes is not None and need.full_context_bytes > need.need_bytes:
        lines.append(f"  {_marked(need.full_context_bytes, is_assumed=True)}  if its whole context were used")
    if need.unknown:
        lines.append(f"Not known yet: {', '.join(need.unknown)}")
    if need.error is not None:
        lines.append(capitalised(error_of_estimate(need.error)))
    if _assumed(need):
        lines.append("~ rests on a rule of thumb")
    return lines


def fit_facts(need: Fit) -> tuple[Fact, ...]:
    """The verdict, the sum behind it in one line, and how good such estimates were."""
    terms = " + ".join(
        f"{_marked(term.size_bytes, is_assumed=term.is_assumed).strip()} {term.label}" for term in need.terms
    )
    facts = [Fact("Memory", fit_words(need))]
    if terms:
        facts.append(
            Fact("Worked out", f"{terms}, for a conversation of {need.conversation_tokens:,} tokens")
        )
    if need.limit_bytes is not None and need.used_then_bytes is not None:
        facts.append(Fact("Once loaded", f"{bytes_in_words(need.used_then_bytes)} {_limit_words(need)}"))
    if need.unknown:
        facts.append(Fact("Not known yet", ", ".join(need.unknown)))
    if need.error is not None:
        facts.append(Fact("Estimate", error_of_estimate(need.error)))
    return tuple(facts)


def error_of_estimate(error: EstimateError) -> str:
    """How good the estimates of loads were on this machine."""
    if error.worst_share is None:
        return "no load on this machine has checked this estimate yet"
    percent = math.ceil(error.worst_share * 100)
    loads = "the last load" if error.loads == 1 else f"the last {error.loads} loads"
    return f"the estimate of what a load takes was within {percent} % at {loads} here"


def fit_object(need: Fit) -> dict[str, object]:
    """The estimate as JSON; unknown is null."""
    error = need.error
    return {
        "verdict": need.verdict.value,
        "memory": need.memory.value,
        "need_bytes": need.need_bytes,
        "load_bytes": need.load_bytes,
        "available_bytes": need.available_bytes,
        "total_bytes": need.total_bytes,
        "limit_bytes": need.limit_bytes,
        "over_limit_bytes": need.over_limit_bytes,
        "conversation_tokens": need.conversation_tokens,
        "full_context_bytes": need.full_context_bytes,
        "terms": [
            {"label": term.label, "size_bytes": term.size_bytes, "assumed": term.is_assumed}
            for term in need.terms
        ],
        "unknown": list(need.unknown),
        "checked_loads": None if error is None else error.loads,
        "worst_error_share": None if error is None else error.worst_share,
    }


def _limit_words(need: Fit) -> str:
    limit = f"the limit of {bytes_in_words(need.limit_bytes)}"
    of = f"of {bytes_in_words(need.total_bytes)} would be in use"
    return f"{of}, more than {limit}" if need.over_limit_bytes else f"{of}, within {limit}"


def _assumed(need: Fit) -> str:
    return "~" if any(term.is_assumed for term in need.terms) else ""


def _marked(count: int, *, is_assumed: bool) -> str:
    return f"{'~' if is_assumed else ''}{bytes_in_words(count)}".rjust(9)
