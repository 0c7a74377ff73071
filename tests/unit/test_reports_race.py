"""What a race says: how many times as fast, what it takes, and never a GPU where none has worked."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import BenchPlan, ModelRun, Order, PlannedPrompt, RequestRun, Run, RunStatus
from foundry_tui.domain.bench_conditions import EnergyReading, EnergyScope, RequestConditions
from foundry_tui.domain.chat import Outcome
from foundry_tui.reports.race_words import race_lines
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_results import model_results
from foundry_tui.reports.run_summary_words import morning_lines
from tests.support.hostile import CORPUS, Payload, harm_in
from tests.support.timed import request, trace

MIB = 1 << 20
CPU, GPU, NPU = "phi-generic-cpu:1", "phi-cuda-gpu:2", "phi-qnn-npu:1"
PROMPTS = tuple(PlannedPrompt(id=name, text=name) for name in ("p1", "p2"))


def runner(
    name: str,
    device: str,
    provider: str,
    *,
    ram: int | None = 400,
    vram: int | None = None,
    alias: str = "phi",
    **known: object,
) -> ModelRun:
    """Memory in MiB, grown from 100 over the load."""
    base = ModelRun(
        model=name,
        model_id=name,
        outcome=Outcome.COMPLETED,
        load_ns=1,
        rss_before_bytes=None if ram is None else 100 * MIB,
        rss_loaded_bytes=None if ram is None else (100 + ram) * MIB,
        vram_before_bytes=None if vram is None else 100 * MIB,
        vram_loaded_bytes=None if vram is None else (100 + vram) * MIB,
        facts=(
            ("alias", alias),
            ("device", device),
            ("execution_provider", provider),
            ("disk_bytes", str(600 * MIB)),
        ),
    )
    return replace(base, **known)  # type: ignore[arg-type]  # each by its name


ON_CPU = runner(CPU, "cpu", "CPUExecutionProvider")
ON_GPU = runner(GPU, "gpu", "CUDAExecutionProvider", ram=300, vram=1100)


def answers(
    model: str, gap_ms: float, *, ttft_ms: float = 100.0, rounds: int = 4, joule: float | None = None
) -> list[RequestRun]:
    """Ten tokens each; over the time of which the GPUs draw that much net."""
    made = []
    for place in range(rounds * 2):
        # A little uneven, as pairs are, but alike for all.
        one = request(
            place + 1 + 1000 * len(model),
            trace((gap_ms * (1 + place / 100),) * 9, ttft_ms=ttft_ms * (1 + place / 100), completion=10),
            model=model,
            round_=place // 2 + 1,
            prompt_id=PROMPTS[place % 2].id,
        )
        made.append(replace(one, model_id=model, conditions=_drew(joule)))
    return made


def _drew(joule: float | None) -> RequestConditions:
    if joule is None:
        return RequestConditions(no_energy="no counter can be read")
    reading = EnergyReading(
        scope=EnergyScope.GPU, window_s=1.0, counter_j=joule + 10, integrated_j=None, idle_w=10.0
    )
    return RequestConditions(energy=(reading,))


def lines(models: Sequence[ModelRun], requests: Sequence[RequestRun], **plan: object) -> list[str]:
    run = made(models, **plan)
    return race_lines(run, model_results(run, requests))


def made(models: Sequence[ModelRun], **plan: object) -> Run:
    base = BenchPlan(models=tuple(model.model for model in models), prompts=PROMPTS, rounds=4)
    return Run(
        id="r1",
        name="race phi",
        plan=replace(base, **plan),  # type: ignore[arg-type]  # likewise
        status=RunStatus.COMPLETED,
        started_unix_ms=0,
        ended_unix_ms=1,
        models=tuple(models),
    )


def test_speed_first_token_memory_and_energy_are_told_against_the_processor() -> None:
    requests = [*answers(GPU, 10.0, ttft_ms=40.0, joule=6.0), *answers(CPU, 31.0, joule=10.0)]

    (line,) = lines([ON_GPU, ON_CPU], requests)

    assert line == (
        "phi: GPU decodes 3.1x [3.1, 3.1] as fast as CPU, first token after 0.40x [0.40, 0.40] the time,"
        " takes 1000 MiB more memory (RAM -100 MiB, GPU +1.07 GiB) (by their loads in one process, of which"
        " the first bears what is taken once), 0.60x the energy for a token"
    )


def test_without_a_variant_for_the_processor_the_first_is_what_others_are_held_against() -> None:
    on_npu = runner(NPU, "npu", "QNNExecutionProvider")

    (line, *_) = lines([ON_GPU, on_npu], [*answers(GPU, 10.0), *answers(NPU, 20.0)])

    assert line.startswith(f"phi: {NPU} decodes 0.50x [0.50, 0.50] as fast as GPU, first token after 1.00x")


def test_too_few_pairs_are_no_verdict() -> None:
    (line,) = lines([ON_CPU, ON_GPU], [*answers(CPU, 30.0, rounds=2), *answers(GPU, 10.0, rounds=2)])

    assert "GPU decodes 3.0x (too few to tell: 4 pairs) as fast as CPU" in line


def test_where_no_difference_is_shown_that_is_said() -> None:
    (line,) = lines([ON_CPU, ON_GPU], [*answers(CPU, 10.0), *answers(GPU, 10.0)])

    assert "GPU decodes 1.00x [1.00, 1.00] (no difference shown) as fast as CPU" in line


def test_what_is_not_known_has_its_reason() -> None:
    before = runner(GPU, "gpu", "CUDAExecutionProvider", ram=None, vram=1100, load_ns=None)

    (line,) = lines([ON_CPU, before], [*answers(CPU, 30.0), *answers(GPU, 10.0)])

    assert "memory n/a (GPU: was in memory before the run)" in line
    assert "energy n/a (no counter can be read)" in line


def test_gpu_memory_that_was_not_read_is_no_number() -> None:
    unread = runner(GPU, "gpu", "CUDAExecutionProvider", ram=300, vram=None)

    line, doubt = lines([ON_CPU, unread], [*answers(CPU, 30.0), *answers(GPU, 10.0)])

    assert "takes 100 MiB less RAM, GPU memory n/a (not read)" in line
    assert doubt == (f"phi: whether the GPU worked for {GPU} is not known: nothing that was read shows it")


def test_a_variant_that_fell_back_to_the_processor_is_never_called_gpu() -> None:
    fallback = runner(GPU, "gpu", "CUDAExecutionProvider", ram=900, vram=12)

    line, told = lines([ON_CPU, fallback], [*answers(CPU, 30.0), *answers(GPU, 31.0)])

    assert line.startswith(f"phi: {GPU} on the processor decodes 0.97x")
    assert " GPU decodes" not in line
    assert told == (
        f"phi: {GPU} is built for the GPU, but no GPU worked for it: GPU memory grew by 12.0 MiB only, its"
        " weights are 600 MiB"
    )


def test_a_configuration_that_names_the_processor_alone_is_a_fallback_too() -> None:
    fallback = runner(NPU, "npu", "CPUExecutionProvider")

    line, told = lines([ON_CPU, fallback], [*answers(CPU, 30.0), *answers(NPU, 31.0)])

    assert line.startswith(f"phi: {NPU} on the processor decodes")
    assert told.endswith(
        "no NPU worked for it: the configuration that was loaded names CPUExecutionProvider alone"
    )


def test_a_variant_that_failed_is_named_with_its_reason() -> None:
    failed = replace(ON_GPU, outcome=Outcome.OUT_OF_MEMORY, reason="not enough \x1b[31mmemory")

    (line,) = lines([ON_CPU, failed], answers(CPU, 30.0))

    assert line.startswith("phi: GPU cannot be held against CPU: GPU out of memory: not enough ")
    assert "\x1b" not in line


def test_two_of_one_device_are_told_by_their_names() -> None:
    other = runner("phi-webgpu-gpu:1", "gpu", "WebGpuExecutionProvider", ram=300, vram=1100)

    first, second = lines(
        [ON_CPU, ON_GPU, other],
        [*answers(CPU, 30.0), *answers(GPU, 10.0), *answers("phi-webgpu-gpu:1", 15.0)],
    )

    assert first.startswith(f"phi: {GPU} decodes 3.0x")
    assert second.startswith("phi: phi-webgpu-gpu:1 decodes 2.0x")


@pytest.mark.parametrize("order", Order)
def test_whatever_the_order_memory_is_told_with_what_may_be_wrong_with_it(order: Order) -> None:
    requests = [*answers(CPU, 30.0), *answers(GPU, 10.0)]

    (line,) = lines([ON_CPU, ON_GPU], requests, order=order)

    assert "by their loads in one process, of which the first bears what is taken once" in line


def test_a_run_of_other_models_or_of_two_versions_says_nothing_of_a_race() -> None:
    llama = runner("llama-generic-cpu:1", "cpu", "CPUExecutionProvider", alias="llama")
    later = runner("phi-generic-cpu:2", "cpu", "CPUExecutionProvider")

    assert lines([ON_CPU, llama], [*answers(CPU, 30.0), *answers(llama.model, 10.0)]) == []
    assert lines([ON_CPU, later], [*answers(CPU, 30.0), *answers(later.model, 10.0)]) == []
    assert lines([ON_CPU], answers(CPU, 30.0)) == []


def test_the_morning_and_the_report_have_the_same_line() -> None:
    run, requests = made([ON_CPU, ON_GPU]), [*answers(CPU, 31.0), *answers(GPU, 10.0)]
    results = model_results(run, requests)

    (line,) = race_lines(run, results)

    assert line in morning_lines(run, results)
    assert "## With and without acceleration" in run_markdown(run, requests)
    assert "decodes 3\\.1x" in run_markdown(run, requests) or "decodes 3.1x" in run_markdown(run, requests)


@pytest.mark.parametrize("payload", CORPUS[::40], ids=lambda payload: payload.name)
def test_hostile_aliases_and_names_are_harmless(payload: Payload) -> None:
    text = payload.text or "x"
    models = [
        replace(
            each,
            model=f"{each.model}{text}",
            model_id=f"{text}{each.model}",
            facts=(("alias", text), *each.facts[1:]),
        )
        for each in (ON_CPU, ON_GPU)
    ]
    requests = [*answers(models[0].model, 30.0), *answers(models[1].model, 10.0)]

    said = lines(models, requests)

    assert len(said) == 1
    assert harm_in("".join(said)) == set()
