"""What may be compared with what, and how it is told."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from foundry_tui.domain.bench import ModelRun, Order, RequestRun
from foundry_tui.metrics.comparison import compared
from foundry_tui.metrics.measures import Measure
from foundry_tui.reports.comparison_words import comparison_sentence
from foundry_tui.reports.run_matching import Across, Side, difference_words, differences
from tests.support.runs import a_run
from tests.support.timed import request, trace

CPU = (("alias", "phi"), ("device", "cpu"), ("execution_provider", "CPU"))
CUDA = (("alias", "phi"), ("device", "gpu"), ("execution_provider", "CUDA"))
PHI = ModelRun(model="phi", model_id="phi-cpu:1", facts=CPU)
PHI_CUDA = ModelRun(model="phi", model_id="phi-gpu:2", facts=CUDA)


def asked(times: float, *, n: int = 8, model: str = "phi", completion: int = 10) -> list[RequestRun]:
    """Each answer in one chunk after a second and a little more than the one before, ``times`` as late."""
    return [
        request(
            number,
            trace((), ttft_ms=(1000 + number) * times * (1 + number / 1000), completion=completion),
            model=model,
        )
        for number in range(1, n + 1)
    ]


def side(model: ModelRun = PHI, change: Mapping[str, object] = MappingProxyType({})) -> Side:
    run = a_run()
    changed = replace(run.plan, **change)  # type: ignore[arg-type] # each by its name
    return Side(run=replace(run, plan=changed, environment=(("cpu", "fast"),)), model=model)


def stray(a: Side, b: Side, across: Across) -> list[str]:
    return [difference_words(found) for found in differences(a, b, across) if not found.is_meant]


def test_a_shown_difference_is_told_with_its_interval_its_pairs_and_p() -> None:
    slower = compared(asked(1), asked(1.25), measure=Measure.TTFT)
    faster = compared(asked(1.25), asked(1), measure=Measure.TTFT)

    assert comparison_sentence(slower, "before", "after") == (
        "after is slower than before by 25.0 % [25.0, 25.0] in time to first token (8 pairs, p = 0.008)"
    )
    assert comparison_sentence(faster, "before", "after") == (
        "after is faster than before by 20.0 % [20.0, 20.0] in time to first token (8 pairs, p = 0.008)"
    )


def test_no_difference_and_too_few_rounds_claim_nothing() -> None:
    same = compared(asked(1), asked(1), measure=Measure.TTFT)
    few = compared(asked(1, n=2), asked(9, n=2), measure=Measure.TTFT)

    assert comparison_sentence(same, "a", "b") == (
        "no difference shown between a and b in time to first token: +0.0 % [+0.0, +0.0] (8 pairs, p = 1.000)"
    )
    assert comparison_sentence(few, "a", "b") == (
        "too few rounds to compare b with a in time to first token: 4 more"
    )


def test_without_a_pair_no_number_of_rounds_is_promised() -> None:
    nothing = compared(asked(1), [], measure=Measure.TTFT)

    assert comparison_sentence(nothing, "a", "b") == (
        "nothing to compare b with a by in time to first token: no prompt and round has it of both"
    )


def test_latencies_of_longer_answers_are_told_as_such_and_rates_are_not() -> None:
    longer = asked(2, completion=20)

    latency = comparison_sentence(compared(asked(1), longer), "a", "b")
    rate = comparison_sentence(compared(asked(1), longer, measure=Measure.END_TO_END_RATE), "a", "b")

    assert latency.endswith("; the answers of b are 2.00 times as long, so only rates compare")
    assert "as long" not in rate


def test_names_are_made_harmless() -> None:
    sentence = comparison_sentence(compared(asked(1), asked(1.25)), "a\x1b[31m", "b\n\x07")

    assert not any(sign in sentence for sign in "\x1b\x07\n")


def test_another_provider_is_named_unless_it_is_what_is_compared() -> None:
    a, b = side(), side(PHI_CUDA)

    assert "EP CPU ≠ CUDA" in stray(a, b, Across.RUN)
    assert stray(a, b, Across.EP) == []
    assert stray(a, b, Across.DEVICE) == []
    assert "EP CPU ≠ CUDA" in stray(a, b, Across.VERSION)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"max_tokens": 7}, "max_tokens 120 ≠ 7"),
        ({"temperature": None}, "temperature 0.2 ≠ None"),
        ({"seed": 8}, "seed 7 ≠ 8"),
        ({"concurrency": 2}, "concurrency 1 ≠ 2"),
        ({"order": Order.BLOCKED}, "order interleaved ≠ blocked"),
        ({"warmup": 0}, "warmup 1 ≠ 0"),
    ],
)
@pytest.mark.parametrize("across", list(Across))
def test_another_plan_is_never_what_is_compared(
    across: Across, change: dict[str, object], words: str
) -> None:
    assert stray(side(), side(change=change), across) == [words]


def test_other_sizes_of_a_model_are_no_versions_of_it() -> None:
    small = ModelRun(model="llama3:8b", model_id="llama3:8b", facts=(("alias", "llama3"),))
    large = ModelRun(model="llama3:70b", model_id="llama3:70b", facts=(("alias", "llama3"),))

    assert stray(side(small), side(large), Across.VERSION) == ["variant llama3:8b ≠ llama3:70b"]
    assert stray(side(PHI), side(replace(PHI, model_id="phi-cpu:2")), Across.VERSION) == []
