"""What a server answers beside chats: who it is, which models it has, which of them are in memory."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tests.support.foundry_v1 import FoundryV1Service
from tests.support.foundry_v2 import answer_v2, missing_v2
from tests.support.record import Request
from tests.support.script import Script
from tests.support.served import ServedModel, as_json, as_text, listed

__all__ = ["Routes", "ServedModel", "ServerKind"]

ServerKind: TypeAlias = Literal["foundry-v2", "foundry-v1", "openai"]


@dataclass(slots=True, kw_only=True)
class Routes:
    """Answers every request that is no chat, and keeps the little state behind the answers.

    Attributes:
        models: The public catalog, or all there is.
        local_models: What the v2 runtime lists under ``/catalogs/local``.
        url: Told by the status routes.
        pid: Told by the v2 status route; our own process unless given.
        v1: The state of the v1 service, whatever the kind.
        extra: Answers of further paths, and others than usual, by path.
    """

    kind: ServerKind
    models: Sequence[ServedModel]
    local_models: Sequence[ServedModel] = ()
    url: str = ""
    cache_dir: str = "/models"
    pid: int = field(default_factory=os.getpid)
    v1: FoundryV1Service = field(init=False)
    extra: dict[str, Script] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.v1 = FoundryV1Service(models=self.models, cache_dir=self.cache_dir)

    def is_chat(self, request: Request) -> bool:
        """Whether ``request`` asks for a chat completion, so that a script answers it."""
        return request.method == "POST" and request.path in self._chat_paths()

    def answer(self, request: Request) -> Script:
        """The answer to any other request."""
        if request.path in self.extra:
            return self.extra[request.path]
        path, models = request.path, self.models
        if self.kind == "foundry-v2" and path.startswith("/catalogs/local/"):
            path, models = path.removeprefix("/catalogs/local"), self.local_models
        if request.method == "GET" and (found := _list(path, models)) is not None:
            return found
        match self.kind:
            case "foundry-v2":
                found = None
                if request.method == "GET":
                    found = answer_v2(path, models, url=self.url, cache_dir=self.cache_dir, pid=self.pid)
                return found or missing_v2(request)
            case "foundry-v1":
                return self.v1.answer(request, self.url) or as_text(404, "")
            case "openai":
                return as_json({"detail": "Not Found"}, status=404)

    def _chat_paths(self) -> tuple[str, ...]:
        plain = "/v1/chat/completions"
        return (plain, f"/catalogs/local{plain}") if self.kind == "foundry-v2" else (plain,)


def _list(path: str, models: Sequence[ServedModel]) -> Script | None:
    head, _, name = path.rpartition("/")
    match head, name:
        case "/v1", "models":
            return as_json({"data": [listed(model) for model in models], "object": "list"})
        case "/v1/models", _:
            return next((as_json(listed(model)) for model in models if model.id == name), None)
    return None
