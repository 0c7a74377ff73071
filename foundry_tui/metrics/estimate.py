"""How long a plan will take, judged by how long earlier requests of the same models took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import BenchPlan, Phase, RequestRun
from foundry_tui.domain.chat import Outcome
from foundry_tui.metrics.latency import latency_s, ttft_s
from foundry_tui.metrics.tokens import output_tokens

__all__ = ["Earlier", "Estimate", "answer_s", "estimate", "is_basis"]

# What is asked before the timed requests, in tokens of answer: see the probes of a benchmark.
_PROBE_TOKENS = 48
_COLD_TOKENS = 8
_CALIBRATION_TOKENS = (4, 4)
_CERTIFICATE_TOKENS = (64,) * 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What an earlier run tells of one model.

    Attributes:
        run_id: Which run.
        concurrency: At which its requests were made.
        load_s: How long it took to load there; None if it was loaded already.
        requests: Its timed requests that were answered; at least one.
    """

    run_id: str
    concurrency: int
    load_s: float | None
    requests: tuple[RequestRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How long a plan takes from its first load to its last answer, and by what that was judged.

    Attributes:
        seconds: Of the models of which something is known.
        requests: How many earlier requests it is judged by.
        run_ids: Of which runs, in the order of the plan's models, each once.
        unknown: Names in the plan of models that were never measured here: their time comes on top.
        is_least: Whether the plan may add rounds, so that it is the least.
    """

    seconds: float
    requests: int
    run_ids: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    is_least: bool = False


def answer_s(request: RequestRun, max_tokens: int) -> float | None:
    """How long an answer like that of ``request`` would take with ``max_tokens``, in seconds.

    TTFT + (n − 1)·(tn − t1)/(C − 1), n being the C tokens it had, at most ``max_tokens``; one that was cut
    off by its own limit is taken to fill the new one.  Takes tokens to cost the same, and prompts to be of
    like length.  Without a count of tokens, or with only one: its latency as it was.  None without any text.
    """
    first_s, whole_s = ttft_s(request.trace), latency_s(request.trace)
    if first_s is None or whole_s is None:
        return None
    counted = output_tokens(request.trace)
    if counted is None or counted.count < 2:
        return whole_s
    is_cut_off = request.trace.outcome is Outcome.TRUNCATED
    tokens = max_tokens if is_cut_off else min(counted.count, max_tokens)
    return first_s + (tokens - 1) * (whole_s - first_s) / (counted.count - 1)


def estimate(plan: BenchPlan, earlier: Mapping[str, Earlier]) -> Estimate | None:
    """How long ``plan`` takes; None where nothing is known of any of its models.

    Args:
        plan: What is to be measured.
        earlier: By the name in the plan, of the models that were measured before.

    The mean over the earlier answers, times the requests.  At a concurrency of c, requests that were made at
    the same c are taken to overlap as they did; others are taken to gain nothing, which is the longest.
    """
    known = {model: earlier[model] for model in plan.models if model in earlier}
    if not known:
        return None
    seconds = sum(_model_s(plan, of_model) for of_model in known.values())
    return Estimate(
        seconds=seconds,
        requests=sum(len(of_model.requests) for of_model in known.values()),
        run_ids=tuple(dict.fromkeys(of_model.run_id for of_model in known.values())),
        unknown=tuple(model for model in plan.models if model not in known),
        is_least=plan.precision is not None,
    )


def _model_s(plan: BenchPlan, earlier: Earlier) -> float:
    timed = len(plan.prompts) * plan.rounds
    gain = plan.concurrency if earlier.concurrency == plan.concurrency else 1
    before = [_PROBE_TOKENS, *_CALIBRATION_TOKENS] if plan.has_probes else []
    if plan.has_cold_start:
        before.append(_COLD_TOKENS)
    if plan.is_deterministic:
        before += _CERTIFICATE_TOKENS
    alone_s = sum(_mean_s(earlier.requests, tokens) for tokens in before)
    each_s = _mean_s(earlier.requests, plan.max_tokens)
    # The warm-up is asked one after the other, whatever the concurrency.
    return (earlier.load_s or 0.0) + alone_s + plan.warmup * each_s + timed * each_s / gain


def _mean_s(requests: Sequence[RequestRun], max_tokens: int) -> float:
    values = [value for request in requests if (value := answer_s(request, max_tokens)) is not None]
    return sum(values) / len(values) if values else 0.0


def is_basis(request: RequestRun, model_id: str) -> bool:
    """Whether ``request`` is one by which the time of later ones of that variant can be judged."""
    is_answered = request.phase is Phase.TIMED and request.trace.outcome.is_timed
    return is_answered and request.model_id == model_id and bool(request.trace.chunks)
