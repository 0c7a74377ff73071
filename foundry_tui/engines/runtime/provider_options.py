"""Which execution providers run a model, as its own ``genai_config.json`` asks for them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from foundry_tui.domain.models import ProviderEvidence

__all__ = ["configured_providers", "providers_of"]

_CPU: Final = "CPUExecutionProvider"
_CONFIG_LIMIT_BYTES: Final = 4_000_000
_MOST: Final = 8
_LONGEST: Final = 60
# The short names of onnxruntime-genai; what is not here is told as it stands.
_FULL_NAMES: Final = {
    "coreml": "CoreMLExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "dml": "DmlExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "nvtensorrtrtx": "NvTensorRTRTXExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "qnn": "QNNExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "vitisai": "VitisAIExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
}


def providers_of(
    folder: Path | None, declared: str | None
) -> tuple[tuple[str, ...], ProviderEvidence | None]:
    """What runs the model in ``folder``, and how that is known.

    Args:
        folder: The model's files; None if it is not known where they are.
        declared: What the catalog says of the variant.
    """
    configured = configured_providers(folder) if folder is not None else None
    if configured:
        return configured, ProviderEvidence.CONFIGURED
    # Without options ONNX Runtime GenAI runs on the CPU; where the catalog says otherwise, the runtime may
    # add a provider of its own, which nothing confirms.
    if configured is not None and declared in (None, _CPU):
        return (_CPU,), ProviderEvidence.CONFIGURED
    return ((declared,), ProviderEvidence.DECLARED) if declared is not None else ((), None)


def configured_providers(folder: Path) -> tuple[str, ...] | None:
    """Providers that any part of the model asks for, each once; None if its configuration cannot be read."""
    path = folder / "genai_config.json"
    try:
        if path.stat().st_size > _CONFIG_LIMIT_BYTES:
            return None
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(config, dict):
        return None
    found = dict.fromkeys(_FULL_NAMES.get(name.lower(), name) for name in _names(config.get("model"), 6))
    return tuple(name for name in found if len(name) <= _LONGEST)[:_MOST]


def _names(part: Any, depth: int) -> Iterator[str]:
    """Names in every ``provider_options`` at or below ``part``: decoder, encoder, stages of a pipeline."""
    if depth == 0:
        return
    if isinstance(part, list):
        for entry in part:
            yield from _names(entry, depth - 1)
    elif isinstance(part, dict):
        options = part.get("provider_options")
        for entry in options if isinstance(options, list) else []:
            if isinstance(entry, dict):
                yield from (name for name in entry if name)
        for key, value in part.items():
            if key != "provider_options":
                yield from _names(value, depth - 1)
