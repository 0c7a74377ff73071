"""The routes of the older Foundry Local service: a catalog with metadata, downloads that tell their progress.

Written from its documentation and from the parsers of its SDKs; a session recorded from a real one is played
by ``tests.support.sessions``.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

from tests.support.record import Request
from tests.support.script import Gate, Headers, Raw, Script
from tests.support.served import ServedModel, as_json, as_text, find

__all__ = ["FoundryV1Service", "download_script"]

PROMPT_TEMPLATE = {"assistant": "{Content}", "prompt": "<|user|>\n{Content}<|end|>\n<|assistant|>"}


@dataclass(slots=True, kw_only=True)
class FoundryV1Service:
    """Its state, and its answers.

    Attributes:
        catalog_form: Whether ``/foundry/list`` is a bare array, as the SDK reads it, or an object, as
            documented; None for a service that has no such route.
        status_case: Of the keys of ``/openai/status``.
        downloads: What a download of a model answers in place of a good one, by its id.
        orders: Bodies of the downloads asked for.
    """

    models: Sequence[ServedModel]
    cache_dir: str = "/models"
    catalog_form: Literal["bare", "models"] | None = "bare"
    status_case: Literal["pascal", "camel"] = "pascal"
    downloads: dict[str, Script] = field(default_factory=dict)
    orders: list[dict[str, object]] = field(default_factory=list)

    def answer(self, request: Request, url: str) -> Script | None:
        """The answer to any request that is no chat; None where there is no such route."""
        head, _, name = request.path.rpartition("/")
        match request.method, head, unquote(name):
            case "POST", "/openai", "download":
                return self._download(request)
            case "GET", "/foundry", "list":
                return self._catalog()
            case "GET", "/openai", "status":
                return self._status(url)
            case "GET", "/openai", "models":
                return as_json([model.id for model in self.models if model.is_cached])
            case "GET", "/openai", "loadedmodels":
                return as_json([model.id for model in self.models if model.is_loaded])
            case "GET", "/openai/load", model_id:
                return self._load(model_id)
            case "GET", "/openai/unload", model_id:
                return self._unload(model_id)
        return None

    def _status(self, url: str) -> Script:
        said = {"Endpoints": [url], "ModelDirPath": self.cache_dir, "PipeName": "inference_agent"}
        if self.status_case == "camel":
            return as_json({f"{key[0].lower()}{key[1:]}": value for key, value in said.items()})
        return as_json(said)

    def _catalog(self) -> Script | None:
        records = [_record(model) for model in self.models]
        match self.catalog_form:
            case "bare":
                return as_json(records)
            case "models":
                return as_json({"models": records})
            case None:
                return None

    def _load(self, model_id: str) -> Script:
        model = find(model_id, self.models)
        if model is None or not model.is_cached:
            return as_text(400, f"No OpenAIService provider found for modelName: {model_id}")
        model.is_loaded = True
        return as_text(200, "")

    def _unload(self, model_id: str) -> Script:
        model = find(model_id, self.models)
        if model is None or not model.is_loaded:
            return as_text(400, f"No OpenAIService provider found for modelName: {model_id}")
        model.is_loaded = False
        return as_text(200, "")

    def _download(self, request: Request) -> Script:
        self.orders.append(request.body)
        wanted = request.body.get("model")
        name = wanted.get("Name") if isinstance(wanted, dict) else None
        model = find(name, self.models) if isinstance(name, str) else None
        if model is None:
            return as_text(400, f"Model {name} was not found in the catalog")
        if model.id in self.downloads:
            return self.downloads[model.id]

        def keep(arrived: ServedModel = model) -> None:
            arrived.is_cached = True

        return download_script(then=keep)


def download_script(
    lines: Sequence[str] = (
        "Total 0.00% Downloading genai_config.json",
        "Total 45.67% Downloading model.onnx.data",
        "Total 100.00% Downloading model.onnx.data",
        "[DONE] All Completed!",
    ),
    end: dict[str, object] | None = None,
    *,
    then: Callable[[], None] | None = None,
) -> Script:
    """A download's answer: the lines, then what ``then`` does, then the object at the end."""
    said = {"success": True, "errorMessage": None} if end is None else end
    gates = () if then is None else (Gate(_Noted(then)),)
    pieces = [Raw(f"{line}\n".encode()) for line in lines]
    return Script((Headers(content_type="text/plain"), *pieces, *gates, Raw(json.dumps(said).encode())))


class _Noted(asyncio.Event):
    """A gate that is always open, and that notes when somebody passes."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self._then = then

    async def wait(self) -> Literal[True]:
        self._then()
        return True


def _record(model: ServedModel) -> dict[str, object]:
    name, _, version = model.id.partition(":")
    record = {
        "name": model.id,
        "displayName": name,
        "providerType": "AzureFoundry",
        "uri": f"azureml://registries/azureml/models/{name}/versions/{version}",
        "version": version,
        "modelType": "ONNX",
        "promptTemplate": PROMPT_TEMPLATE,
        "publisher": "Scripted",
        "task": "chat-completion",
        "runtime": {"deviceType": model.device, "executionProvider": model.provider},
        "fileSizeMb": model.size_mb,
        "modelSettings": {"parameters": []},
        "alias": model.alias,
        "supportsToolCalling": False,
        "license": "MIT",
        "licenseDescription": "Permission is hereby granted",
        "maxOutputTokens": 2048,
        "minFLVersion": "0.5.0",
        "parentModelUri": f"azureml://registries/azureml/models/{model.alias}/versions/{version}",
    }
    return {**record, **model.details}
