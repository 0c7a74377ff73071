"""How much memory a model will need, by numbers worked out by hand."""

import pytest

from foundry_tui.domain.models import Device
from foundry_tui.metrics.fit import Fit, FitVerdict, ModelShape, cache_bytes_per_token, fit

MIB = 1_048_576
GIB = 1024 * MIB
SMOLLM = ModelShape(
    layers=30, kv_heads=3, head_size=64, cache_value_bytes=4, context_tokens=8192, vocabulary=49_152
)
SMOLLM_FILES = 117_164_340


def need_of_smollm(tokens: int, *, with_scores: bool = False) -> int:
    shape = (
        SMOLLM
        if with_scores
        else ModelShape(layers=30, kv_heads=3, head_size=64, cache_value_bytes=4, context_tokens=8192)
    )
    found = fit(file_bytes=SMOLLM_FILES, shape=shape, available_ram_bytes=8 * GIB, conversation_tokens=tokens)
    assert found.need_bytes is not None
    return found.need_bytes


def test_keys_and_values_of_a_token() -> None:
    # 30 layers × 3 heads × 64 × 2 × 4 bytes
    assert cache_bytes_per_token(SMOLLM) == 46_080


def test_a_value_of_unknown_size_has_four_bytes() -> None:
    assert cache_bytes_per_token(ModelShape(layers=1, kv_heads=1, head_size=1)) == 8


def test_the_need_is_the_sum_of_its_terms() -> None:
    shape = ModelShape(
        layers=2, kv_heads=4, head_size=8, cache_value_bytes=2, context_tokens=2000, vocabulary=1000
    )

    found = fit(file_bytes=50 * MIB, shape=shape, available_ram_bytes=GIB)

    assert [(term.label, term.size_bytes, term.is_assumed) for term in found.terms] == [
        ("weights", 52_428_800, False),
        ("weights packed for the processor", 52_428_800, True),
        ("keys and values of 2,000 tokens, twice", 1_024_000, False),  # 2 × 4 × 8 × 2 × 2 × 2,000 × 2
        ("scores of a prompt of 1,024 tokens", 4_096_000, True),  # 1,024 × 1,000 × 4
        ("the runtime's own", 77_594_624, True),  # 59 + 15 MiB
    ]
    assert found.need_bytes == 187_572_224
    assert found.margin_bytes == GIB - 187_572_224
    assert found.verdict is FitVerdict.FITS


@pytest.mark.parametrize(("tokens", "measured_mb"), [(2048, 500), (4096, 680), (8192, 1045)])
def test_a_session_of_the_whole_context_takes_what_was_measured(tokens: int, measured_mb: int) -> None:
    # foundry-runtime.md, section 7: the runtime's own chat session of SmolLM2 at three contexts.
    assert need_of_smollm(tokens) / 1e6 == pytest.approx(measured_mb, rel=0.05)


def test_a_short_conversation_over_the_web_service_takes_what_was_measured() -> None:
    # 411 MiB after a prompt of 1,231 tokens with 8 of answer, whatever the context is.
    assert need_of_smollm(1239) / MIB == pytest.approx(411, rel=0.03)


def test_the_height_of_a_long_prompt_is_what_was_measured() -> None:
    # 641 MiB while 1,231 tokens were read: as with 1,024 of them, and 207 × 49,152 × 4 bytes more.
    assert (need_of_smollm(1239, with_scores=True) + 207 * 49_152 * 4) / MIB == pytest.approx(641, rel=0.03)


def weighed(available_bytes: int | None) -> Fit:
    # 2 × 100 MiB of weights, 74 MiB of the runtime, 2 × 5,242 × 4,096 bytes assumed for the cache.
    return fit(file_bytes=100 * MIB, available_ram_bytes=available_bytes)


def test_the_verdict_turns_at_85_percent_and_at_all_of_it() -> None:
    need = 274 * MIB + 2 * 5_242 * 4_096

    assert weighed(round(need / 0.85) + 1).verdict is FitVerdict.FITS
    assert weighed(round(need / 0.85) - 1).verdict is FitVerdict.TIGHT
    assert weighed(need).verdict is FitVerdict.TIGHT
    assert weighed(need - 1).verdict is FitVerdict.DOES_NOT_FIT
    assert weighed(need - 1).margin_bytes == -1


def test_what_is_not_known_gives_no_verdict() -> None:
    assert weighed(None).verdict is FitVerdict.UNKNOWN
    assert weighed(None).margin_bytes is None
    nothing = fit(file_bytes=None, available_ram_bytes=GIB)
    assert (nothing.verdict, nothing.need_bytes, nothing.terms) == (FitVerdict.UNKNOWN, None, ())


def test_before_the_download_the_catalogs_size_stands_in_and_is_marked() -> None:
    found = fit(
        file_bytes=None, catalog_bytes=4_000_000_000, context_tokens=131_072, available_ram_bytes=16 * GIB
    )

    assert all(term.is_assumed for term in found.terms)
    assert found.terms[0].size_bytes == 4_000_000_000
    assert found.terms[2].size_bytes == 2 * 200_000 * 4_096  # 4e9 / 20,000 for a token
    assert found.full_context_bytes == (found.need_bytes or 0) + 2 * 200_000 * (131_072 - 4_096)


def test_a_gpu_variant_is_weighed_against_the_gpus_memory() -> None:
    found = fit(
        file_bytes=GIB,
        shape=SMOLLM,
        device=Device.GPU,
        available_ram_bytes=64 * GIB,
        available_vram_bytes=GIB,
    )

    assert found.memory == "GPU memory"
    assert found.verdict is FitVerdict.DOES_NOT_FIT
    assert "weights packed for the processor" not in [term.label for term in found.terms]


def test_without_a_gpu_to_read_a_gpu_variant_has_no_verdict() -> None:
    found = fit(file_bytes=GIB, device=Device.GPU, available_ram_bytes=64 * GIB)

    assert found.verdict is FitVerdict.UNKNOWN


def test_a_host_that_runs_is_not_counted_twice() -> None:
    idle = fit(file_bytes=GIB, available_ram_bytes=GIB)
    up = fit(file_bytes=GIB, available_ram_bytes=GIB, host_is_running=True)

    assert (idle.need_bytes or 0) - (up.need_bytes or 0) == 59 * MIB
