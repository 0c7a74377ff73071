"""Why this machine cannot run a variant that a catalog offers, in words."""

from collections.abc import Set
from typing import Final

from foundry_tui.domain.models import Device, ModelVariant
from foundry_tui.domain.text import clean_line

__all__ = ["why_unavailable"]

_CPU: Final = "CPUExecutionProvider"
_WORDS: Final = {
    "CoreMLExecutionProvider": "needs an Apple processor (Core ML execution provider)",
    "CUDAExecutionProvider": "needs an NVIDIA GPU (CUDA execution provider)",
    "DmlExecutionProvider": "needs Windows and a DirectX 12 GPU (DirectML execution provider)",
    "MIGraphXExecutionProvider": "needs an AMD GPU (MIGraphX execution provider)",
    "NvTensorRTRTXExecutionProvider": "needs an NVIDIA RTX GPU (TensorRT RTX execution provider)",
    "OpenVINOExecutionProvider": "needs Intel hardware (OpenVINO execution provider)",
    "QNNExecutionProvider": "needs a Qualcomm NPU (QNN execution provider)",
    "ROCMExecutionProvider": "needs an AMD GPU (ROCm execution provider)",
    "VitisAIExecutionProvider": "needs an AMD NPU (Vitis AI execution provider)",
    "WebGpuExecutionProvider": "needs a GPU with WebGPU (WebGPU execution provider)",
}
_DEVICES: Final = {Device.GPU: "a GPU", Device.NPU: "an NPU"}


def why_unavailable(model: ModelVariant, usable: Set[str], runtime_version: str | None) -> str | None:
    """The reason; None where nothing speaks against it.

    Args:
        model: As its catalog describes it.
        usable: Execution providers that the engine has, the CPU's aside.
        runtime_version: Of the runtime, such as ``2.2.1``; None if it is not known yet.
    """
    least, have = _parts(model.min_runtime_version), _parts(runtime_version)
    if least is not None and have is not None and have < least:
        return f"needs a newer Foundry Local runtime ({model.min_runtime_version}; here is {runtime_version})"
    provider = model.execution_provider
    if provider is None:
        device = _DEVICES.get(model.device) if model.device is not None else None
        return f"needs {device}, and the catalog does not say which" if device and not usable else None
    if provider == _CPU or provider in usable:
        return None
    if provider in _WORDS:
        return _WORDS[provider]
    device = _DEVICES.get(model.device) if model.device is not None else None
    with_device = f"{device} with " if device else ""
    return f"needs {with_device}the execution provider {clean_line(provider, 60)}"


def _parts(version: str | None) -> tuple[int, ...] | None:
    """Numbers to compare; None for what is no plain version."""
    parts = (version or "").partition("-")[0].split(".")
    if not 1 <= len(parts) <= 4 or not all(
        part.isascii() and part.isdigit() and len(part) < 9 for part in parts
    ):
        return None
    return tuple([*map(int, parts), 0, 0, 0][:4])
