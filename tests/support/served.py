"""What the scripted servers share: the models that they serve, and answers in one write."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.support.script import Respond, Script

__all__ = ["ServedModel", "as_json", "as_text", "find", "listed", "refusal"]

_BUILD = re.compile(r"(-[a-z]+-(cpu|gpu|npu))?(:\d+)?$")


@dataclass(slots=True, kw_only=True)
class ServedModel:
    """One entry of a server's list.

    Attributes:
        id: What a chat names.
        alias: What a load of the v2 runtime names; the id without device and version unless given.
        is_cached: Whether it was downloaded; one that was not cannot be loaded.
        device: As the v1 catalog says, such as ``CPU``.
        provider: Its execution provider, likewise.
        details: Further fields of its entry in ``/v1/models`` or, for v1, in the catalog.
    """

    id: str
    alias: str = ""
    is_cached: bool = True
    is_loaded: bool = False
    device: Literal["CPU", "GPU", "NPU"] = "CPU"
    provider: str = "CPUExecutionProvider"
    size_mb: int = 100
    details: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.alias = self.alias or _BUILD.sub("", self.id)


def find(model_id: str, models: Sequence[ServedModel]) -> ServedModel | None:
    """The model of that id."""
    return next((model for model in models if model.id == model_id), None)


def listed(model: ServedModel) -> dict[str, object]:
    """An entry of ``/v1/models``."""
    entry = {"created": 1_780_000_000, "id": model.id, "object": "model", "owned_by": "Scripted"}
    return {**entry, **model.details}


def as_json(value: Mapping[str, object] | Sequence[object], status: int = 200) -> Script:
    """A whole JSON answer."""
    return Script((Respond(status, json.dumps(value, separators=(",", ":")).encode()),))


def as_text(status: int, body: str) -> Script:
    """A whole answer in plain text."""
    return Script((Respond(status, body.encode(), "text/plain"),))


def refusal(status: int, message: str) -> Script:
    """An error in the usual envelope."""
    kind = "invalid_request_error"
    return as_json({"error": {"code": None, "message": message, "param": None, "type": kind}}, status)
