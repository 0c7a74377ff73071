"""What a run came to, model by model: the one pure model behind every report of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import ModelRun, Phase, RequestRun, Run, RunStatus
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.attempts import Remeasured, remeasured, standing, superseded
from foundry_tui.metrics.certificate import Certificate, certificate
from foundry_tui.metrics.goodput import Goodput, Throughput, goodput, throughput
from foundry_tui.metrics.hidden import HiddenAnswers, hidden_answers, hidden_split
from foundry_tui.metrics.measures import is_counted
from foundry_tui.metrics.outliers import Outlier, outliers
from foundry_tui.metrics.prefill import PrefillCalibration, calibrated, prefill_rate
from foundry_tui.metrics.spread import Spread, spread
from foundry_tui.metrics.summary import ModelSummary, first_request_penalty_s, model_summary
from foundry_tui.reports.workshop_figures import corrected_rate, told_rate

__all__ = ["ModelResult", "is_all_well", "model_results"]

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelResult:
    """One model of a run.

    Attributes:
        requests: Those of it that stand, of whatever phase, in order: every figure is of these.
        superseded: The others, whose place later ones took when their rounds were measured again.
        again: What each time came to that rounds of it were measured again.
        status: COMPLETED where every timed request was made and ended well; else why the model was left out,
            or how its first timed request that failed ended.  CANCELLED where the run ended before it did.
        reason: That in words; None where all is well.
        load_s: Of the load call; None where it was not loaded for the run.
        peak_rss_bytes: The highest of the counted requests; likewise of GPU memory.
        hidden: The counted answers with tokens that nobody saw, which have no decode rate; None without any.
        outliers: In latency.
        certificate: None where none was wanted.
        prefill: None where the calibration was not made.
        prefill_tokens_per_s: Of the counted requests; None where the role chunk does not wait for prefill.
        first_request_penalty_s: Of the first request after the load; None where there was no load, and where
            the others shared the machine among them, as the first did not.
        legacy_tokens_per_s: The workshop's figure: as there the mean over the rounds; of an imported run what
            was told.
        corrected_tokens_per_s: What that should have been, C/(tn − t0): likewise.
        throughput: Of all its timed requests together; None unless several were under way at once.
        goodput: How many of them kept within the limits of the plan; None where it has none.
    """

    model: ModelRun
    requests: tuple[RequestRun, ...]
    superseded: tuple[RequestRun, ...]
    again: tuple[Remeasured, ...]
    summary: ModelSummary
    status: Outcome
    reason: str | None
    load_s: float | None
    peak_rss_bytes: int | None
    peak_vram_bytes: int | None
    hidden: HiddenAnswers | None
    outliers: tuple[Outlier, ...]
    certificate: Certificate | None
    prefill: PrefillCalibration | None
    prefill_tokens_per_s: Spread | None
    first_request_penalty_s: float | None
    legacy_tokens_per_s: float | None
    corrected_tokens_per_s: float | None
    throughput: Throughput | None
    goodput: Goodput | None

    @property
    def name(self) -> str:
        """Its name in the plan."""
        return self.model.model

    @property
    def is_well(self) -> bool:
        """Whether all of it ended well."""
        return self.status is Outcome.COMPLETED


def model_results(run: Run, requests: Sequence[RequestRun]) -> tuple[ModelResult, ...]:
    """The result of each model, in the order of the plan."""
    known = {model.model: model for model in run.models}
    return tuple(
        _result(
            run,
            known.get(name) or ModelRun(model=name),
            tuple(request for request in requests if request.model == name),
        )
        for name in run.plan.models
    )


def is_all_well(run: Run, results: Sequence[ModelResult]) -> bool:
    """Whether the plan was done to its end, and every model did all of it well."""
    return run.status is RunStatus.COMPLETED and all(result.is_well for result in results)


def _result(run: Run, model: ModelRun, made: tuple[RequestRun, ...]) -> ModelResult:
    requests = standing(made)
    counted = [request for request in requests if is_counted(request)]
    status, reason = _status(model, requests)
    summary = model_summary(requests)
    prefill = _prefill(requests)
    rates = [prefill_rate(request.trace, prefill) for request in counted] if prefill is not None else []
    rss = [request.peak_rss_bytes for request in counted if request.peak_rss_bytes is not None]
    splits = [hidden_split(request.trace) for request in counted]
    facts = dict(model.facts)
    vram = [request.peak_vram_bytes for request in counted if request.peak_vram_bytes is not None]
    return ModelResult(
        model=model,
        requests=requests,
        superseded=superseded(made),
        again=_again(run, model.model, made),
        summary=summary,
        status=status,
        reason=reason,
        load_s=None if model.load_ns is None else model.load_ns / _NS_PER_S,
        peak_rss_bytes=max(rss, default=None),
        peak_vram_bytes=max(vram, default=None),
        hidden=hidden_answers([split for split in splits if split is not None]),
        outliers=outliers(requests),
        certificate=_certificate(requests),
        prefill=prefill,
        prefill_tokens_per_s=spread([rate for rate in rates if rate is not None]),
        first_request_penalty_s=(
            first_request_penalty_s(made[0], counted)
            if model.load_ns is not None and made and run.plan.concurrency == 1
            else None
        ),
        legacy_tokens_per_s=(
            told_rate(facts) if summary.legacy_tokens_per_s is None else summary.legacy_tokens_per_s.mean
        ),
        corrected_tokens_per_s=(
            corrected_rate(facts)
            if summary.end_to_end_tokens_per_s is None
            else summary.end_to_end_tokens_per_s.mean
        ),
        throughput=throughput(requests) if run.plan.concurrency > 1 else None,
        goodput=None if run.plan.goodput is None else goodput(requests, run.plan.goodput),
    )


def _again(run: Run, model: str, made: Sequence[RequestRun]) -> tuple[Remeasured, ...]:
    prompts = len(run.plan.prompts)
    found = (remeasured(made, rerun, model, prompts) for rerun in run.reruns)
    return tuple(each for each in found if each is not None)


def _status(model: ModelRun, requests: Sequence[RequestRun]) -> tuple[Outcome, str | None]:
    if model.outcome is not None and model.outcome is not Outcome.COMPLETED:
        return model.outcome, model.reason
    for request in requests:
        outcome = request.trace.outcome
        if request.phase is Phase.TIMED and not outcome.is_timed and outcome is not Outcome.CANCELLED:
            return outcome, request.trace.error
    if model.outcome is None:
        return Outcome.CANCELLED, "the run ended before its last request"
    return Outcome.COMPLETED, None


def _certificate(requests: Sequence[RequestRun]) -> Certificate | None:
    made = [request for request in requests if request.phase is Phase.CERTIFICATE]
    if not made:
        return None

    def hashes(prompt_id: str) -> list[str]:
        return [
            request.text_sha256
            for request in made
            if request.prompt_id == prompt_id and request.trace.outcome.is_timed
        ]

    return certificate(hashes("certificate-t0"), hashes("certificate-t1"), hashes("certificate-seeded"))


def _prefill(requests: Sequence[RequestRun]) -> PrefillCalibration | None:
    made = {request.prompt_id: request.trace for request in requests if request.phase is Phase.CALIBRATION}
    short, long = made.get("calibration-short"), made.get("calibration-long")
    return None if short is None or long is None else calibrated(short, long)
