"""The routes of the current runtime's web service: of a family it loads the first one, which is selected."""

from collections.abc import Sequence

from tests.support.record import Request
from tests.support.script import Script
from tests.support.served import ServedModel, as_json, as_text, refusal

__all__ = ["answer_v2", "missing_v2"]


def answer_v2(
    path: str, models: Sequence[ServedModel], *, url: str, cache_dir: str, pid: int
) -> Script | None:
    """The answer to ``GET path``; None where there is no such route."""
    head, _, name = path.rpartition("/")
    match head, name:
        case "", "status":
            return as_json({"endpoints": [url], "modelCachePath": cache_dir, "pid": pid})
        case "/models", "loaded":
            return as_json([model.id for model in models if model.is_loaded])
        case "/models/load", _:
            return _load(name, models)
        case "/models/unload", _:
            return _unload(name, models)
    return None


def missing_v2(request: Request) -> Script:
    """What it says of a route that it does not have: no JSON."""
    lines = (
        "server=oatpp/1.3.0",
        "code=404",
        "description=Not Found",
        f"message=No mapping for HTTP-method: '{request.method}', URL: '{request.path}'",
    )
    return as_text(404, "\n".join(lines))


def _load(alias: str, models: Sequence[ServedModel]) -> Script:
    model = _selected(alias, models)
    if model is None:
        return refusal(404, f"Model not found: No model matching '{alias}'")
    if not model.is_cached:
        return refusal(400, "Model not cached: Model must be downloaded before loading")
    status = "already_loaded" if model.is_loaded else "loaded"
    model.is_loaded = True
    return as_json({"status": status})


def _unload(alias: str, models: Sequence[ServedModel]) -> Script:
    model = _selected(alias, models)
    if model is None:
        return refusal(404, f"Model not found: No model matching '{alias}'")
    status = "unloaded" if model.is_loaded else "not_loaded"
    model.is_loaded = False
    return as_json({"status": status})


def _selected(alias: str, models: Sequence[ServedModel]) -> ServedModel | None:
    return next((model for model in models if model.alias == alias), None)
