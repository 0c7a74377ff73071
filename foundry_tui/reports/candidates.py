"""The models of kept runs as candidates: each of the six dimensions with its value, or why there is none."""

from collections.abc import Sequence

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.quantities import plural
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.acceleration import Worked, acceleration
from foundry_tui.metrics.candidate import Candidate, Figure, Latency, Memory, Sample, Throughput, Unknown
from foundry_tui.metrics.measures import Measure, is_counted, read
from foundry_tui.metrics.quality import ModelQuality, NoTimeToGood, TimeToGood
from foundry_tui.metrics.run_quality import RunQuality
from foundry_tui.metrics.spread import Spread
from foundry_tui.reports.run_costs import holds_one_model
from foundry_tui.reports.run_matching import Across, Side, difference_words, differences
from foundry_tui.reports.run_results import ModelResult, model_results

__all__ = ["candidates_of", "unlike_lines"]

NOT_SCORED = Unknown("not scored")
# They tell models apart and are what is chosen among; all else should be the same.
_OF_MODELS = frozenset({"device", "execution_provider", "quantization", "path", "engine"})
_ALIKE_LENGTHS = 1.1


def candidates_of(
    run: Run,
    requests: Sequence[RequestRun],
    quality: RunQuality | None = None,
    *,
    results: Sequence[ModelResult] | None = None,
) -> tuple[Candidate, ...]:
    """A candidate for each model of ``run``, in the order of the plan.

    Args:
        run: Which one.
        requests: All of it.
        quality: What people's scores of it come to; None where nobody looked.
        results: ``model_results`` of the two, where the caller has them already; None reckons them up.
    """
    if results is None:
        results = model_results(run, requests)
    is_apart = holds_one_model(run, results)
    return tuple(
        _candidate(run, result, None if quality is None else quality.of(result.name), is_apart=is_apart)
        for result in results
    )


def unlike_lines(runs: Sequence[Run], candidates: Sequence[Candidate]) -> list[str]:
    """What makes the candidates hard to compare, one harmless sentence each; empty where nothing does."""
    lines: list[str] = []
    for other in runs[1:]:
        unlike = _unlike(runs[0], other)
        if unlike:
            lines.append(
                f"runs {clean_line(runs[0].id[:8])} and {clean_line(other.id[:8])} were not measured alike:"
                f" {'; '.join(unlike)}"
            )
    lengths = [each.answer_tokens for each in candidates if each.answer_tokens]
    if lengths and max(lengths) > _ALIKE_LENGTHS * min(lengths):
        lines.append(
            f"answers are of other lengths, {min(lengths):.0f} to {max(lengths):.0f} tokens in the mean:"
            " latency compares how much was said, too; throughput does not"
        )
    return lines


def _unlike(a: Run, b: Run) -> list[str]:
    if not a.models or not b.models:
        return []
    found = differences(Side(run=a, model=a.models[0]), Side(run=b, model=b.models[0]), Across.MODEL)
    return [difference_words(one) for one in found if not one.is_meant and one.field not in _OF_MODELS]


def _candidate(
    run: Run, result: ModelResult, scored: tuple[ModelQuality, TimeToGood] | None, *, is_apart: bool
) -> Candidate:
    facts, summary = dict(result.model.facts), result.summary
    return Candidate(
        run_id=run.id,
        model=result.name,
        model_id=result.model.model_id,
        answers=summary.rounds_ok,
        tried=summary.tried,
        latency=_latency(result),
        throughput=_throughput(result),
        memory=_memory(result, is_apart=is_apart),
        quality=NOT_SCORED if scored is None else _quality(scored[0]),
        footprint_bytes=_footprint(facts.get("disk_bytes")),
        license=facts.get("license") or Unknown("the record has no licence of it"),
        time_to_good=NOT_SCORED if scored is None else _time_to_good(*scored),
        answer_tokens=None if summary.completion_tokens is None else summary.completion_tokens.mean,
        samples=tuple(_sample(request) for request in result.requests if is_counted(request)),
        scores=() if scored is None else scored[0].by_prompt,
    )


def _quality(scored: ModelQuality) -> Figure | Unknown:
    told = scored.overall
    if told.mean is None:
        return Unknown("no answer is scored by every criterion") if scored.partly else NOT_SCORED
    return Figure(value=told.mean, interval=told.interval, n=told.answers)


def _time_to_good(scored: ModelQuality, found: TimeToGood) -> Figure | Unknown:
    if found.seconds is not None:
        return Figure(value=found.seconds, interval=found.interval, n=found.good.answers)
    if found.no_time is NoTimeToGood.NO_GOOD_ANSWER:
        return Unknown(f"none of its {plural(found.good.answers, 'scored answer')} is good")
    if found.no_time is NoTimeToGood.NO_LATENCY:
        return Unknown("no answer of it has a latency")
    return Unknown("no answer is scored by every criterion") if scored.partly else NOT_SCORED


def _latency(result: ModelResult) -> Latency | Unknown:
    whole = result.summary.latency_s
    if whole is None:
        return _no_answer(result)
    wait = result.summary.ttft_s
    return Latency(
        e2e_s=_median(whole),
        ttft_s=Unknown("no answer of it has text") if wait is None else _median(wait),
        p95_s=whole.p95 if whole.p95_supported else None,
    )


def _throughput(result: ModelResult) -> Throughput | Unknown:
    summary = result.summary
    if not summary.rounds_ok:
        return _no_answer(result)
    rate, characters = summary.decode_tokens_per_s, summary.characters_per_s
    why = (
        "its answers count tokens that nobody saw"
        if summary.hidden
        else "its answers came in one piece, or nobody counts their tokens"
    )
    return Throughput(
        tokens_per_s=(
            Unknown(why)
            if rate is None
            else _median(rate, is_estimate=Measure.DECODE_RATE in summary.estimated)
        ),
        characters_per_s=(
            Unknown("its answers came in one piece") if characters is None else _median(characters)
        ),
    )


def _memory(result: ModelResult, *, is_apart: bool) -> Memory | Unknown:
    rss, vram = result.peak_rss_bytes, result.peak_vram_bytes
    if rss is None:
        return Unknown("the memory of the engine's process was not read")
    if not is_apart:
        return Unknown("other models were in the engine's process; --order blocked measures it apart")
    if vram is None:
        worked = acceleration(result.model, result.requests)
        if worked.device != "cpu" and worked.worked is not Worked.NO:
            return Unknown("GPU memory was not read, and it may have used some")
    return Memory(rss_bytes=rss, vram_bytes=vram)


def _footprint(told: str | None) -> int | Unknown:
    if told is None:
        return Unknown("the record has no size on disk of it")
    # A record may be of anybody's making; more digits than a number of bytes has are no number of bytes.
    if not (told.isascii() and told.isdecimal() and len(told) <= 18):
        return Unknown("the record's size on disk is no number")
    return int(told)


def _no_answer(result: ModelResult) -> Unknown:
    reason = f": {result.reason}" if result.reason else ""
    return Unknown(f"no request of it ended well{reason}")


def _sample(request: RequestRun) -> Sample:
    def value(measure: Measure) -> float | None:
        reading = read(request.trace, measure)
        return None if reading is None else reading.value

    return Sample(
        prompt_id=request.prompt_id,
        round=request.round,
        latency_s=value(Measure.LATENCY),
        ttft_s=value(Measure.TTFT),
        tokens_per_s=value(Measure.DECODE_RATE),
        characters_per_s=value(Measure.CHARACTERS_RATE),
    )


def _median(values: Spread, *, is_estimate: bool = False) -> Figure:
    return Figure(value=values.median, interval=values.median_interval, n=values.n, is_estimate=is_estimate)
