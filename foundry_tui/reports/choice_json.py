"""A choice as ``foundry-tui/choice@1``, a promise: fields are added, and never change their meaning."""

from foundry_tui.metrics.candidate import Candidate, Dimension, Figure, Unknown
from foundry_tui.metrics.rank_stability import drawn_of
from foundry_tui.metrics.selection import Check, Judged, uncompared
from foundry_tui.reports.choice import Choice
from foundry_tui.reports.json_text import interval_list

__all__ = ["CHOICE_SCHEMA", "choice_object"]

CHOICE_SCHEMA = "foundry-tui/choice@1"


def choice_object(found: Choice) -> dict[str, object]:
    """All of it; texts exactly as they came.  Candidates are named by their place, from 0 on."""
    places = {id(judged.candidate): place for place, judged in enumerate(found.judged)}

    def place(candidate: Candidate) -> int:
        return places[id(candidate)]

    return {
        "schema": CHOICE_SCHEMA,
        "limits": {
            asked.value: list(limit) if isinstance(limit, tuple) else limit
            for asked, limit in found.limits.given()
        },
        "candidates": [_candidate(judged) for judged in found.judged],
        "standings": [
            {
                "candidate": place(standing.candidate),
                "on_front": standing.is_on_front,
                "beaten_by": [
                    {
                        "candidate": place(other),
                        "not_compared": [each.value for each in uncompared(other, standing.candidate)],
                    }
                    for other in standing.beaten_by
                ],
            }
            for standing in found.standings
        ],
        "front": [place(candidate) for candidate in found.front],
        "stability": _stability(found),
        "weighted": (
            None
            if found.order is None
            else {
                "weights": {dimension.value: weight for dimension, weight in found.weights},
                "places": [[place(each) for each in shared] for shared in found.order.places],
                "left_out": [
                    {"candidate": place(each), "unknown": [dimension.value for dimension in lacking]}
                    for each, lacking in found.order.left_out
                ],
            }
        ),
        "unlike": list(found.unlike),
    }


def _stability(found: Choice) -> dict[str, object] | None:
    if found.stability is None:
        return None
    return {
        "seed": found.seed,
        "resamples": found.resamples,
        "candidates": [
            {
                "fits": held.fits,
                "on_front": held.on_front,
                "first": {dimension.value: share for dimension, share in held.first},
                "drawn": [dimension.value for dimension in drawn_of(held.candidate)],
            }
            for held in found.stability
        ],
    }


def _candidate(judged: Judged) -> dict[str, object]:
    candidate = judged.candidate
    return {
        "run": candidate.run_id,
        "model": candidate.model,
        "model_id": candidate.model_id,
        "answers": candidate.answers,
        "tried": candidate.tried,
        "answer_tokens": candidate.answer_tokens,
        "fit": judged.fit.value,
        **{
            dimension.value: {
                "state": judged.of(dimension).state.value,
                "checks": [_check(check) for check in judged.of(dimension).checks],
                **_values(candidate, dimension),
            }
            for dimension in Dimension
        },
        "time_to_good": {
            "unknown": candidate.time_to_good.why if isinstance(candidate.time_to_good, Unknown) else None,
            "seconds": _figure(candidate.time_to_good),
        },
    }


def _check(check: Check) -> dict[str, object]:
    return {"limit": check.asked.value, "state": check.state.value, "close": check.is_close}


def _values(candidate: Candidate, dimension: Dimension) -> dict[str, object]:
    """The values of one dimension; each is null where ``unknown`` says why."""
    match dimension:
        case Dimension.LATENCY:
            waits = candidate.latency
            if isinstance(waits, Unknown):
                return {"unknown": waits.why, "e2e_s": None, "p95_s": None, "ttft_s": None}
            return {
                "unknown": None,
                "e2e_s": _figure(waits.e2e_s),
                "p95_s": waits.p95_s,
                "ttft_s": _figure(waits.ttft_s),
            }
        case Dimension.THROUGHPUT:
            rates = candidate.throughput
            if isinstance(rates, Unknown):
                return {"unknown": rates.why, "tokens_per_s": None, "characters_per_s": None}
            rate = rates.tokens_per_s
            return {
                "unknown": rate.why if isinstance(rate, Unknown) else None,
                "tokens_per_s": _figure(rate),
                "characters_per_s": _figure(rates.characters_per_s),
            }
        case Dimension.MEMORY:
            memory = candidate.memory
            if isinstance(memory, Unknown):
                return {"unknown": memory.why, "peak_rss_bytes": None, "peak_vram_bytes": None}
            return {
                "unknown": None,
                "peak_rss_bytes": memory.rss_bytes,
                "peak_vram_bytes": memory.vram_bytes,
            }
        case Dimension.QUALITY:
            mean = candidate.quality
            return {"unknown": mean.why if isinstance(mean, Unknown) else None, "mean": _figure(mean)}
        case Dimension.FOOTPRINT:
            return _plain("disk_bytes", candidate.footprint_bytes)
        case Dimension.LICENSE:
            return _plain("declared", candidate.license)


def _figure(figure: Figure | Unknown) -> dict[str, object] | None:
    if isinstance(figure, Unknown):
        return None
    return {
        "value": figure.value,
        "interval": interval_list(figure.interval),
        "n": figure.n,
        "estimated": figure.is_estimate,
    }


def _plain(name: str, value: int | str | Unknown) -> dict[str, object]:
    is_unknown = isinstance(value, Unknown)
    return {"unknown": value.why if isinstance(value, Unknown) else None, name: None if is_unknown else value}
