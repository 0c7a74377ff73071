"""Why a machine cannot run a variant."""

import pytest

from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.services.engine.availability import why_unavailable


def variant(
    provider: str | None, device: Device | None = None, min_runtime: str | None = None
) -> ModelVariant:
    return ModelVariant(
        id="m:1",
        alias="m",
        catalog=CatalogKind.PUBLIC,
        device=device,
        execution_provider=provider,
        min_runtime_version=min_runtime,
    )


@pytest.mark.parametrize(
    ("provider", "device", "reason"),
    [
        ("CPUExecutionProvider", Device.CPU, None),
        ("CUDAExecutionProvider", Device.GPU, "needs an NVIDIA GPU (CUDA execution provider)"),
        ("QNNExecutionProvider", Device.NPU, "needs a Qualcomm NPU (QNN execution provider)"),
        ("OddExecutionProvider", Device.NPU, "needs an NPU with the execution provider OddExecutionProvider"),
        ("\x1b[31mOdd\n", None, "needs the execution provider ␛[31mOdd"),
        (None, Device.GPU, "needs a GPU, and the catalog does not say which"),
        (None, Device.CPU, None),
        (None, None, None),
    ],
)
def test_a_machine_with_nothing_but_a_processor(
    provider: str | None, device: Device | None, reason: str | None
) -> None:
    assert why_unavailable(variant(provider, device), frozenset(), "2.2.1") == reason


def test_a_provider_that_is_registered_is_no_reason() -> None:
    usable = frozenset({"CUDAExecutionProvider"})

    assert why_unavailable(variant("CUDAExecutionProvider", Device.GPU), usable, "2.2.1") is None


@pytest.mark.parametrize(
    ("least", "have", "is_too_old"),
    [
        ("2.2.1", "2.2.1", False),
        ("2.2", "2.2.1", False),
        ("2.3", "2.2.1", True),
        ("99.0.0", "2.2.1", True),
        ("10.0", "9.9.9", True),
        ("2.2.1-preview", "2.2.1", False),
        ("99.0.0", None, False),
        ("soon", "2.2.1", False),
        ("", "2.2.1", False),
        ("1.2.3.4.5", "2.2.1", False),
        ("9" * 50, "2.2.1", False),
    ],
)
def test_a_runtime_that_is_too_old(least: str, have: str | None, is_too_old: bool) -> None:
    reason = why_unavailable(variant("CPUExecutionProvider", Device.CPU, least), frozenset(), have)

    assert (reason is not None) == is_too_old
    assert reason is None or reason == f"needs a newer Foundry Local runtime ({least}; here is {have})"
