"""Downloads that a server does for itself, in words: where to, what is not known, and why there are none."""

from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.engine import KIND_NAMES

__all__ = [
    "NOT_KNOWN_THERE",
    "ended_words",
    "no_fetch_words",
    "place_words",
    "server_words",
    "stopped_words",
]

NOT_KNOWN_THERE = (
    "The server does not tell how much room it has or what its machine can run; if it lacks room, its own"
    " words will say so."
)
_CHARACTERS = 120


def server_words(info: EngineInfo) -> str:
    """``http://10.0.0.7:5272, Foundry Local service v1``."""
    name = KIND_NAMES[info.kind]
    return name if info.url is None else f"{clean_line(info.url, _CHARACTERS)}, {name}"


def place_words(model: ModelVariant) -> str:
    """How much comes, and onto which disk."""
    if model.size_bytes is None:
        return "into the server's own cache, not into this app's; the catalog does not tell how much"
    return f"{bytes_in_words(model.size_bytes)} into the server's own cache, not into this app's"


def ended_words(model_id: str) -> str:
    """The server has it."""
    return f"{clean_line(model_id, _CHARACTERS)} is on the server"


def stopped_words(model_id: str) -> str:
    """The order was taken back."""
    name = clean_line(model_id, _CHARACTERS)
    return f"{name}: stopped; what the server has of it is its own to keep, and to go on with"


def no_fetch_words(info: EngineInfo) -> str:
    """Why nothing can be downloaded with this engine, and what to do instead."""
    match info.kind:
        case EndpointKind.FOUNDRY_V2:
            return (
                "A Foundry v2 service downloads with its own tools only: fetch the model on its machine with"
                " the foundry command, then r lists it here"
            )
        case EndpointKind.OPENAI:
            return (
                "This server downloads with its own tools only, such as ollama pull: fetch the model on its"
                " machine, then r lists it here"
            )
        case _:
            return (
                "The app was started for a server and does not look after this machine's models: start it"
                " without --endpoint (and FOUNDRY_LOCAL_ENDPOINT) to download"
            )
