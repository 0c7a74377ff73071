"""What a run came to for whoever left it alone: done, failed, left out, how long, why it ended.

Everything in it is harmless.
"""

from collections import Counter
from collections.abc import Sequence

from foundry_tui.domain.bench import GoodputLimits, Phase, Run, RunLimits, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.quantities import bytes_in_words, seconds_in_words, span_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.estimate import Estimate
from foundry_tui.metrics.goodput import Goodput
from foundry_tui.reports.prediction_lines import prediction_lines
from foundry_tui.reports.race_words import race_lines
from foundry_tui.reports.reruns import again_lines
from foundry_tui.reports.run_results import ModelResult
from foundry_tui.reports.run_words import highlights

__all__ = [
    "estimate_words",
    "goodput_lines",
    "goodput_words",
    "limit_words",
    "limits_lines",
    "morning_lines",
    "summary_lines",
]

_MS_PER_S = 1000
_ID_CHARACTERS = 8


def summary_lines(
    run: Run,
    results: Sequence[ModelResult],
    *,
    paused_s: float | None = None,
    notes: Sequence[str] = (),
) -> tuple[str, ...]:
    """A few lines: how it ended and why, what was made, what went wrong, how long nothing was asked.

    Args:
        run: It has ended, or its process died.
        results: Of its models.
        paused_s: How long nothing was asked in its last life; None where that is not known any more.
        notes: Of its last life.
    """
    lines = [_end(run), _requests(run, results), *_models(results)]
    if paused_s is not None and paused_s >= 1:
        lines.append(f"nothing was asked for {span_in_words(paused_s)}: paused, or too hot")
    lines += [clean_line(note, 300) for note in notes]
    return tuple(lines)


def morning_lines(
    run: Run,
    results: Sequence[ModelResult],
    *,
    paused_s: float | None = None,
    notes: Sequence[str] = (),
) -> tuple[str, ...]:
    """``summary_lines`` and what the numbers say.

    That is what was measured again, what acceleration brings, who was fast enough, who is fastest, and how
    far from that the predictions were.

    Draws thousands of samples: for a thread, and not while somebody waits.
    """
    told = summary_lines(run, results, paused_s=paused_s, notes=notes)
    return (
        *told,
        *again_lines(results),
        *race_lines(run, results),
        *goodput_lines(results),
        *highlights(results),
        *prediction_lines(results),
    )


def goodput_lines(results: Sequence[ModelResult]) -> list[str]:
    """A line for each model that was judged by limits."""
    return [
        f"{clean_line(result.name)}: {goodput_words(result.goodput)}"
        for result in results
        if result.goodput is not None and (result.goodput.judged or result.goodput.unknown)
    ]


def goodput_words(found: Goodput) -> str:
    """``38 of 40 answers (95 % [84, 99]) within chat (TTFT ≤ 2.00 s, …), 0.52 good ones a second``."""
    if found.share is None or found.share_interval is None:
        return f"no answer can be judged by {limit_words(found.limits)}"
    low, high = found.share_interval.low, found.share_interval.high
    words = (
        f"{found.good} of {found.judged} answers ({found.share * 100:.0f} % [{low * 100:.0f},"
        f" {high * 100:.0f}]) within {limit_words(found.limits)}"
    )
    if found.requests_per_s is not None:
        words += f", {found.requests_per_s:.3g} good ones a second"
    if found.unknown:
        words += f"; {found.unknown} more cannot be judged"
    return words


def limit_words(limits: GoodputLimits) -> str:
    """``chat (TTFT ≤ 2.00 s, ≤ 200 ms for each further token)``."""
    parts = []
    if limits.ttft_s is not None:
        parts.append(f"TTFT ≤ {seconds_in_words(limits.ttft_s)}")
    if limits.per_token_s is not None:
        parts.append(f"≤ {seconds_in_words(limits.per_token_s)} for each further token")
    return f"{clean_line(limits.name, 60)} ({', '.join(parts) or 'all that end well'})"


def limits_lines(limits: RunLimits) -> tuple[str, ...]:
    """What may end the run early, one limit a line; empty where nothing may."""
    lines = []
    if limits.max_s is not None:
        lines.append(f"no request later than {span_in_words(limits.max_s)} after it began")
    if limits.min_free_disk_bytes is not None:
        lines.append(f"none with less than {bytes_in_words(limits.min_free_disk_bytes)} free on the disk")
    if limits.max_temperature_c is not None:
        lines.append(f"none while the machine is hotter than {limits.max_temperature_c:.0f} °C")
    return tuple(lines)


def estimate_words(found: Estimate | None) -> str:
    """``about 12 min, from 24 requests of run 3f2a91c0``; unknown says when it will be known."""
    if found is None:
        return "unknown until the first answers: none of these models was measured here before"
    runs = ", ".join(clean_line(run_id[:_ID_CHARACTERS]) for run_id in found.run_ids)
    least = "at least " if found.is_least or found.unknown else ""
    words = (
        f"{least}about {span_in_words(max(1.0, found.seconds))}, from {found.requests}"
        f" request{'s' * (found.requests != 1)} of run{'s' * (len(found.run_ids) != 1)} {runs}"
    )
    if found.unknown:
        names = ", ".join(clean_line(name, 40) for name in found.unknown)
        words += f"; never measured here: {names}"
    return words


def _end(run: Run) -> str:
    took = None if run.ended_unix_ms is None else max(0, run.ended_unix_ms - run.started_unix_ms) / _MS_PER_S
    after = "" if took is None else f" {span_in_words(took)} after it began"
    why = "" if run.reason is None else f": {clean_line(run.reason, 300)}"
    match run.status:
        case RunStatus.COMPLETED:
            return f"completed{after}"
        case RunStatus.RUNNING:
            return "not ended: its process died, or it is under way"
        case RunStatus.INTERRUPTED | RunStatus.FAILED:
            return f"{run.status.value}{after}{why}"


def _requests(run: Run, results: Sequence[ModelResult]) -> str:
    timed = [
        request
        for result in results
        for request in result.requests
        if request.phase is Phase.TIMED and request.trace.outcome is not Outcome.CANCELLED
    ]
    slots = {(request.model, request.prompt_id, request.round) for request in timed}
    planned = len(run.plan.models) * len(run.plan.prompts) * run.plan.rounds
    planned += sum(number > run.plan.rounds for _, _, number in slots)
    failed = Counter(request.trace.outcome for request in timed if not request.trace.outcome.is_timed)
    words = f"{len(slots)} of {planned} timed requests made"
    if failed:
        kinds = ", ".join(f"{count} {outcome.words}" for outcome, count in failed.most_common())
        words += f", {sum(failed.values())} failed ({kinds})"
    return words if len(slots) >= planned else f"{words}, {planned - len(slots)} left out"


def _models(results: Sequence[ModelResult]) -> list[str]:
    """Who did all of it well, if somebody did not."""
    bad = [result for result in results if not result.is_well]
    if not bad:
        return []
    told = ", ".join(f"{clean_line(result.name, 60)} ({result.status.words})" for result in bad)
    return [f"{len(results) - len(bad)} of {len(results)} models did all of it well; not {told}"]
