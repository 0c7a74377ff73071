"""A choice as a decision record in Markdown: what was asked, what speaks for it, and what would change it."""

from collections.abc import Callable, Iterable, Sequence

from foundry_tui.domain.bench import Run
from foundry_tui.domain.quantities import bytes_in_words, rate_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.candidate import COMPARED, Candidate, Dimension, Figure, Unknown, worth
from foundry_tui.metrics.quality import GOOD
from foundry_tui.metrics.selection import Asked, Fit, Judged, State
from foundry_tui.reports.choice import Choice
from foundry_tui.reports.choice_words import (
    CHOICE_HEADER,
    characters_words,
    choice_rows,
    figure_words,
    front_lines,
    limit_lines,
    limit_words,
    mean_words,
    namer,
    weights_line,
    why_lines,
)
from foundry_tui.reports.conversation_markdown import utc_moment
from foundry_tui.reports.markdown_text import cell_words, plain_words, table_lines
from foundry_tui.reports.run_footer import environment_facts, own_error_lines

__all__ = ["decision_markdown"]

_SHAKY = 0.95
"""On the front in a smaller share of the resamples than that, a candidate may owe its place to chance."""
_HOW = (
    "Latency is the median time of a whole answer, throughput the median decode rate; models are compared by"
    " characters a second, since their tokens differ. Memory is the peak of the engine's process, with GPU"
    " memory added. The time to a good answer is the median latency / the share of the answers whose mean"
    f" score is {GOOD:g} or more. In brackets: 95 % intervals. One model beats another that is known to be"
    " worse in something and better in nothing; what is unknown is not compared. No figure is a mixture of"
    " others, but for that time, by which nothing is compared."
)


def decision_markdown(found: Choice, runs: Sequence[Run], *, made_unix_ms: int, question: str = "") -> str:
    """The whole record; every text that is not ours stands in it as plain words.

    Args:
        found: The choice.
        runs: Those that the candidates are of.
        made_unix_ms: When it was made.
        question: What was to be decided, in the words of whoever decides.
    """
    limits = limit_lines(found.limits)
    asked = question or "Which of these models keeps to the limits, and which of them does no other one beat?"
    cells = [[*map(cell_words, row)] for row in choice_rows(found)]
    sections: list[tuple[str, list[str]]] = [
        ("Question", [plain_words(asked)]),
        ("Limits", _listed(limits)),
        ("Candidates", [*table_lines(CHOICE_HEADER, cells), "", _HOW]),
        ("Evidence", _evidence(found)),
        ("What does not fit, and why", _listed(why_lines(found))),
        ("Pareto list", _listed(front_lines(found))),
        ("By weights", _listed(filter(None, [weights_line(found)]))),
        ("Choice", _choice(found)),
        ("What would change it", _listed(_changes(found))),
        ("Hard to compare", _listed(found.unlike)),
        *((f"Run {plain_words(run.id)}", _run(run)) for run in runs),
    ]
    head = ["# Which model to use", "", f"Written {utc_moment(made_unix_ms)} by foundry-tui models pick."]
    body = [["", f"## {title}", "", *lines] for title, lines in sections if lines]
    return "\n".join([*head, *(line for lines in body for line in lines), ""])


def _evidence(found: Choice) -> list[str]:
    name = namer([judged.candidate for judged in found.judged])
    lines: list[str] = []
    for judged in found.judged:
        one = judged.candidate
        lines += [f"- {plain_words(name(one))}: {one.answers} of {one.tried} answers count"]
        lines += [f"  - {plain_words(fact)}" for fact in _facts(one)]
    return lines


def _facts(one: Candidate) -> list[str]:
    """Each value with its interval, or why there is none."""
    facts: list[str] = []
    if isinstance(one.latency, Unknown):
        facts.append(f"latency: not known, {one.latency.why}")
    else:
        facts.append(f"latency: {_told(one.latency.e2e_s, seconds_in_words)}")
        if one.latency.p95_s is not None:
            facts.append(f"latency, p95: {seconds_in_words(one.latency.p95_s)}")
        facts.append(f"time to first token: {_told(one.latency.ttft_s, seconds_in_words)}")
    if isinstance(one.throughput, Unknown):
        facts.append(f"throughput: not known, {one.throughput.why}")
    else:
        facts.append(f"decode rate: {_told(one.throughput.tokens_per_s, rate_in_words)}")
        facts.append(f"characters: {_told(one.throughput.characters_per_s, characters_words)}")
    memory = one.memory
    if isinstance(memory, Unknown):
        facts.append(f"memory: not known, {memory.why}")
    else:
        facts.append(f"peak RSS: {bytes_in_words(memory.rss_bytes)}")
        facts.append(f"peak GPU memory: {bytes_in_words(memory.vram_bytes)}")
    facts.append(f"quality, 1 to 5: {_told(one.quality, mean_words)}")
    facts.append(f"time to a good answer: {_told(one.time_to_good, seconds_in_words)}")
    size, declared = one.footprint_bytes, one.license
    on_disk = f"not known, {size.why}" if isinstance(size, Unknown) else bytes_in_words(size)
    said = f"not known, {declared.why}" if isinstance(declared, Unknown) else f"{declared}, as declared"
    return [*facts, f"on disk: {on_disk}", f"licence: {said}"]


def _told(figure: Figure | Unknown, words: Callable[[float], str]) -> str:
    if isinstance(figure, Unknown):
        return f"not known, {figure.why}"
    return figure_words(figure, words) + ("" if figure.n is None else f" (n={figure.n})")


def _choice(found: Choice) -> list[str]:
    """What follows from limits and figures alone; where they leave it open, who is first in what."""
    name = namer([judged.candidate for judged in found.judged])
    front = found.front
    if not front:
        return ["None: no candidate is known to fit."]
    if len(front) == 1:
        alone = "the only one that fits" if len(found.standings) == 1 else "alone on the Pareto front"
        lines = [f"**{plain_words(name(front[0]))}**: {alone}."]
    else:
        names = ", ".join(f"**{plain_words(name(each))}**" for each in front)
        lines = [f"Open between {names}: none of them beats another. It depends on what matters most:", ""]
        lines += [
            f"- {each.value}: {plain_words(_best(found, each))}" for each in COMPARED if _best(found, each)
        ]
    if found.order is not None and found.order.places:
        first = " and ".join(f"**{plain_words(name(each))}**" for each in found.order.places[0])
        lines += ["", f"By the weights that were given, {first} comes first among those that fit."]
    return lines


def _best(found: Choice, dimension: Dimension) -> str:
    """Who on the front is first in ``dimension``; empty where that is known of fewer than two of them."""
    name = namer([judged.candidate for judged in found.judged])
    known = [(value, each) for each in found.front if (value := worth(each, dimension)) is not None]
    if len(known) < 2:
        return ""
    most = max(value for value, _ in known)
    return " and ".join(name(each) for value, each in known if value == most)


def _changes(found: Choice) -> list[str]:
    name = namer([judged.candidate for judged in found.judged])
    lines = [
        f"{name(judged.candidate)} {_needs(judged)}" for judged in found.judged if judged.fit is not Fit.FITS
    ]
    for each in found.front:
        held = found.stability_of(each)
        if held is not None and held.on_front < _SHAKY:
            lines.append(f"more rounds: {name(each)} may owe its place to chance, see the Pareto list")
    if found.stability is None:
        lines.append("more rounds: so few answers do not tell how far the list holds")
    if any(isinstance(judged.candidate.quality, Unknown) for judged in found.judged):
        lines.append("scores: quality is not known of all, and may turn the list round")
    return [*lines, "another machine, runtime, variant or set of prompts: all figures are of the runs below"]


def _needs(judged: Judged) -> str:
    """What would have to be otherwise for a candidate to fit."""
    checks = [check for verdict in judged.verdicts for check in verdict.checks]
    fails = [_relaxed(check.asked, check.value) for check in checks if check.state is State.FAILS]
    unknown = [
        f"its {check.asked.dimension.value} turned out {limit_words(check.asked, check.limit)}"
        for check in checks
        if check.state is State.UNKNOWN
    ]
    if not judged.candidate.answers:
        unknown.append("it answered at all")
    return f"would fit if {' and '.join([*fails, *unknown])}"


def _relaxed(asked: Asked, value: float | str | Unknown) -> str:
    if isinstance(value, Unknown):
        return f"{asked.dimension.value} were known"
    if isinstance(value, str):
        return f"the licence {clean_line(value, 60)} were allowed"
    return f"{asked.dimension.value} {limit_words(asked, value)} were enough"


def _run(run: Run) -> list[str]:
    begun = f"begun {utc_moment(run.started_unix_ms)}"
    plan = run.plan
    facts = [
        f"id: {run.id}",
        f"name: {run.name or 'none'}; {begun}; {run.status.value}",
        f"{len(plan.prompts)} prompts, {plan.rounds} rounds, at most {plan.max_tokens} tokens,"
        f" {plan.concurrency} at once",
        *(f"{name}: {value}" for name, value in environment_facts(run)),
        *(f"{model.model}: {name} {value}" for model in run.models for name, value in model.facts),
        *own_error_lines(run),
    ]
    return _listed(facts)


def _listed(lines: Iterable[str | None]) -> list[str]:
    return [f"- {plain_words(line)}" for line in lines if line]
