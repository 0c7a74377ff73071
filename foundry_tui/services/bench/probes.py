"""The requests around the timed ones: what they ask, and what speaks against a model."""

import random
from collections import Counter
from dataclasses import dataclass

from foundry_tui.domain.bench import BenchPlan, Phase, PlannedPrompt, RequestRun
from foundry_tui.domain.chat import Outcome

__all__ = [
    "COLD_START",
    "Probe",
    "before_timing",
    "calibration",
    "certificate",
    "coherence",
    "doubt_about",
    "doubt_of",
    "warm_up",
]

_WORDS = (
    *("river", "stone", "window", "letter", "garden", "market", "winter", "engine", "copper", "island"),
    *("forest", "mirror", "candle", "bridge", "harbor", "pepper", "thunder", "basket", "meadow", "lantern"),
)
COLD_START = "cold-start"
"""The id of the prompt of the first request after a load that was made on purpose."""
_LONG_WORDS = 240
_SHORT_WORDS = 12
_REPEATS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One request apart from the timed ones.

    Attributes:
        temperature: In place of the plan's; likewise ``seed``, where None sends none.
    """

    phase: Phase
    prompt: PlannedPrompt
    round: int
    max_tokens: int
    temperature: float | None
    seed: int | None


def coherence() -> Probe:
    """Does it answer at all, in something like language?"""
    return Probe(
        phase=Phase.PROBE,
        prompt=PlannedPrompt(id="probe", text="In one short sentence: what is a bridge?"),
        round=1,
        max_tokens=48,
        temperature=0.0,
        seed=None,
    )


def doubt_about(text: str) -> str | None:
    """What speaks against an answer to the probe, in words; None if nothing does."""
    words = text.split()
    if not any(character.isalnum() for character in text):
        return "the probe was answered without a single letter or digit"
    if len(words) >= _REPEATS:
        word, times = Counter(words).most_common(1)[0]
        if times > len(words) / 2:
            return f"the probe was answered with one word over and over: {word[:40]!r}"
    return None


def doubt_of(request: RequestRun) -> str | None:
    """What a request before the timed ones says against its model, in words; None if nothing."""
    trace, phase = request.trace, request.phase
    if phase is Phase.TIMED or trace.outcome is Outcome.CANCELLED:
        return None
    if not trace.outcome.is_timed:
        return f"{phase.value}: {trace.outcome.value}" + (f": {trace.error}" if trace.error else "")
    return doubt_about(trace.text) if phase is Phase.PROBE else None


def before_timing(plan: BenchPlan, salt: str) -> tuple[Probe, ...]:
    """What each model is asked before its warm-up, in order; ``salt`` as for the calibration."""
    return (
        *((_cold_start(),) if plan.has_cold_start else ()),
        *((coherence(), *calibration(salt)) if plan.has_probes else ()),
        *(certificate() if plan.is_deterministic else ()),
    )


def calibration(salt: str) -> tuple[Probe, Probe]:
    """A short and a long prompt, for how the role chunk depends on the prompt's length.

    They begin with words drawn from ``salt``, so that no cache of an earlier run's prompts answers them.
    """
    dice = random.Random(salt)

    def probe(name: str, number: int, words: int) -> Probe:
        text = f"{' '.join(dice.choices(_WORDS, k=words))}. Say yes."
        prompt = PlannedPrompt(id=f"calibration-{name}", text=text)
        return Probe(
            phase=Phase.CALIBRATION, prompt=prompt, round=number, max_tokens=4, temperature=0.0, seed=None
        )

    return probe("short", 1, _SHORT_WORDS), probe("long", 2, _LONG_WORDS)


def certificate() -> tuple[Probe, ...]:
    """Three times the same at temperature 0, twice at 1, and twice at 1 with one seed."""
    wanted = [("t0", 0.0, None)] * 3 + [("t1", 1.0, None)] * 2 + [("seeded", 1.0, 7)] * 2
    return tuple(
        Probe(
            phase=Phase.CERTIFICATE,
            prompt=PlannedPrompt(
                id=f"certificate-{name}", text="Tell a story of three sentences about a lighthouse."
            ),
            round=number,
            max_tokens=64,
            temperature=temperature,
            seed=seed,
        )
        for number, (name, temperature, seed) in enumerate(wanted, 1)
    )


def warm_up(plan: BenchPlan, *, after: int = 0) -> tuple[Probe, ...]:
    """The first prompts of the plan, as they are asked later; numbered on from ``after``.

    Each life of a run warms its models up, for what it asks first is slower: the numbers tell them apart.
    """
    return tuple(
        Probe(
            phase=Phase.WARMUP,
            prompt=plan.prompts[number % len(plan.prompts)],
            round=number + 1,
            max_tokens=plan.max_tokens,
            temperature=plan.temperature,
            seed=plan.seed,
        )
        for number in range(after, after + plan.warmup)
    )


def _cold_start() -> Probe:
    """The first request after the load, short."""
    return Probe(
        phase=Phase.WARMUP,
        prompt=PlannedPrompt(id=COLD_START, text="Say yes."),
        round=1,
        max_tokens=8,
        temperature=0.0,
        seed=None,
    )
