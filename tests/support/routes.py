"""What a server answers beside chats: who it is, which models it has, which of them are in memory."""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import unquote

from tests.support.record import Request
from tests.support.script import Respond, Script

__all__ = ["Routes", "ServedModel", "ServerKind"]

ServerKind: TypeAlias = Literal["foundry-v2", "foundry-v1", "openai"]

_BUILD = re.compile(r"(-[a-z]+-(cpu|gpu|npu))?(:\d+)?$")


@dataclass(slots=True, kw_only=True)
class ServedModel:
    """One entry of a server's list.

    Attributes:
        id: What a chat names.
        alias: What a load of the v2 runtime names; the id without device and version unless given.
        is_cached: Whether it was downloaded; one that was not cannot be loaded.
    """

    id: str
    alias: str = ""
    is_cached: bool = True
    is_loaded: bool = False

    def __post_init__(self) -> None:
        self.alias = self.alias or _BUILD.sub("", self.id)


@dataclass(slots=True, kw_only=True)
class Routes:
    """Answers every request that is no chat, and keeps the little state behind the answers.

    Attributes:
        models: The public catalog, or all there is.
        local_models: What the v2 runtime lists under ``/catalogs/local``.
        url: Told by the status routes.
        pid: Told by the v2 status route; our own process unless given.
    """

    kind: ServerKind
    models: Sequence[ServedModel]
    local_models: Sequence[ServedModel] = ()
    url: str = ""
    cache_dir: str = "/models"
    pid: int = field(default_factory=os.getpid)

    def is_chat(self, request: Request) -> bool:
        """Whether ``request`` asks for a chat completion, so that a script answers it."""
        return request.method == "POST" and request.path in self._chat_paths()

    def answer(self, request: Request) -> Script:
        """The answer to any other request."""
        if request.method == "GET":
            path, models = request.path, self.models
            if self.kind == "foundry-v2" and path.startswith("/catalogs/local/"):
                path, models = path.removeprefix("/catalogs/local"), self.local_models
            if (found := self._get(path, models)) is not None:
                return found
        return self._not_found(request)

    def _chat_paths(self) -> tuple[str, ...]:
        plain = "/v1/chat/completions"
        return (plain, f"/catalogs/local{plain}") if self.kind == "foundry-v2" else (plain,)

    def _get(self, path: str, models: Sequence[ServedModel]) -> Script | None:
        head, _, name = path.rpartition("/")
        match self.kind, head, name:
            case _, "/v1", "models":
                return _json({"data": [_listed(model) for model in models], "object": "list"})
            case _, "/v1/models", _:
                return next((_json(_listed(model)) for model in models if model.id == name), None)
            case "foundry-v2", "", "status":
                return _json({"endpoints": [self.url], "modelCachePath": self.cache_dir, "pid": self.pid})
            case "foundry-v2", "/models", "loaded":
                return _json([model.id for model in models if model.is_loaded])
            case "foundry-v2", "/models/load", _:
                return _load_alias(name, models)
            case "foundry-v2", "/models/unload", _:
                return _unload_alias(name, models)
            case "foundry-v1", "/openai", _:
                return self._v1(name)
            case "foundry-v1", "/openai/load", _:
                return _load_id(unquote(name), models)
            case "foundry-v1", "/openai/unload", _:
                return _unload_id(unquote(name), models)
        return None

    def _v1(self, name: str) -> Script | None:
        match name:
            case "status":
                return _json(
                    {"Endpoints": [self.url], "ModelDirPath": self.cache_dir, "PipeName": "inference_agent"}
                )
            case "models":
                return _json([model.id for model in self.models if model.is_cached])
            case "loadedmodels":
                return _json([model.id for model in self.models if model.is_loaded])
        return None

    def _not_found(self, request: Request) -> Script:
        match self.kind:
            case "foundry-v2":
                lines = (
                    "server=oatpp/1.3.0",
                    "code=404",
                    "description=Not Found",
                    f"message=No mapping for HTTP-method: '{request.method}', URL: '{request.path}'",
                )
                return _text(404, "\n".join(lines))
            case "foundry-v1":
                return _text(404, "")
            case "openai":
                return _json({"detail": "Not Found"}, status=404)


def _load_alias(alias: str, models: Iterable[ServedModel]) -> Script:
    model = _of_alias(alias, models)
    if model is None:
        return _refusal(404, f"Model not found: No model matching '{alias}'")
    if not model.is_cached:
        return _refusal(400, "Model not cached: Model must be downloaded before loading")
    status = "already_loaded" if model.is_loaded else "loaded"
    model.is_loaded = True
    return _json({"status": status})


def _unload_alias(alias: str, models: Iterable[ServedModel]) -> Script:
    model = _of_alias(alias, models)
    if model is None:
        return _refusal(404, f"Model not found: No model matching '{alias}'")
    status = "unloaded" if model.is_loaded else "not_loaded"
    model.is_loaded = False
    return _json({"status": status})


def _load_id(model_id: str, models: Iterable[ServedModel]) -> Script:
    model = next((model for model in models if model.id == model_id and model.is_cached), None)
    if model is None:
        return _text(400, f"No OpenAIService provider found for modelName: {model_id}")
    model.is_loaded = True
    return _text(200, "")


def _unload_id(model_id: str, models: Iterable[ServedModel]) -> Script:
    for model in models:
        if model.id == model_id:
            model.is_loaded = False
    return _text(200, "")


def _of_alias(alias: str, models: Iterable[ServedModel]) -> ServedModel | None:
    """The first of the family, which is the one that the runtime has selected."""
    return next((model for model in models if model.alias == alias), None)


def _listed(model: ServedModel) -> dict[str, object]:
    return {"created": 1_780_000_000, "id": model.id, "object": "model", "owned_by": "Scripted"}


def _json(value: Mapping[str, object] | Sequence[object], status: int = 200) -> Script:
    return Script((Respond(status, json.dumps(value, separators=(",", ":")).encode()),))


def _refusal(status: int, message: str) -> Script:
    kind = "invalid_request_error"
    return _json({"error": {"code": None, "message": message, "param": None, "type": kind}}, status)


def _text(status: int, body: str) -> Script:
    return Script((Respond(status, body.encode(), "text/plain"),))
