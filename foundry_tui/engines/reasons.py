"""The runtime's own words made readable, and what to do about them."""

import re

from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.domain.memory_words import tells_of_no_memory
from foundry_tui.domain.text import clean_line

__all__ = ["did_not_start", "failure_of", "load_remedy", "plain_reason"]

# "search_options.cc:108 int fl::Validate(int64_t, int) request requires …" → "request requires …"
_WITH_SIGNATURE = re.compile(
    r"\S{1,200}\.(?:cc|cpp|h):\d+ [^()]*\([^()]*(?:\([^()]*\)[^()]*)*\)(?: const)? (?=\S)"
)
_WITH_PLACE = re.compile(r"\S{1,200}\.(?:cc|cpp|h):\d+\s*")
_PREFIX = re.compile(r"^Error code: \d+ - ")
_CONTEXT = re.compile(r"\((\d+) input \+ (\d+) output\), which exceeds .*?(\d+) tokens")
_LIMIT = 600
# A message may be hostile: what is matched is bounded, in all and for each word.
_MATCHED = 8_000


def plain_reason(message: str) -> str:
    """``message`` without source places and C++ signatures, on one line, harmless, at most 600 characters."""
    text = _PREFIX.sub("", message[:_MATCHED])
    text = _WITH_SIGNATURE.sub("", text)
    text = _WITH_PLACE.sub("", text)
    return clean_line(text, _LIMIT) or "no reason given"


def failure_of(status: int | None, message: str) -> tuple[Outcome, str | None]:
    """The outcome and the remedy that a refusal by a server deserves.

    Args:
        status: HTTP status, or None for an error object inside a stream that had begun with 200.
        message: The server's words.
    """
    lowered = message.lower()
    if tells_of_no_memory(lowered):
        return Outcome.OUT_OF_MEMORY, "unload other models, or choose a smaller variant or a shorter context"
    if "not loaded" in lowered:
        return Outcome.NOT_LOADED, "load the model first"
    outcome = Outcome.STREAM_ERROR if status is None else Outcome.HTTP_ERROR
    if (found := _CONTEXT.search(message[:_MATCHED])) is not None:
        given, _, limit = (int(number) for number in found.groups())
        room = limit - given
        if room >= 1:
            return outcome, f"ask for at most {room} tokens, or start a new conversation"
        return outcome, f"the conversation alone has {given} tokens of {limit}: start a new one"
    if status in (401, 403):
        return outcome, "check the key: name its environment variable with --api-key-env"
    if status == 404:
        return outcome, "check the model id: foundry-tui models list"
    if status == 429:
        return outcome, "the server asks for fewer requests: wait and try again"
    return outcome, None


def load_remedy(reason: str) -> str:
    """What to do about a model that does not load for ``reason``."""
    lowered = reason.lower()
    if tells_of_no_memory(lowered) or "memory" in lowered:
        return "unload other models, or choose a smaller variant"
    if "tokenizer" in lowered:
        return "the folder lacks a usable tokenizer: copy the model's tokenizer files again"
    if ".onnx" in lowered or "onnx" in lowered:
        return "the weights are missing, incomplete or damaged: copy or download the model again"
    if "genai_config" in lowered or "json" in lowered or "context_length" in lowered:
        return "genai_config.json is incomplete or damaged: copy or download the model again"
    return "check that the folder is complete, or download the model again"


def did_not_start(port: int, text: str) -> EngineUnavailable:
    """The runtime's web service did not come up, for the reason that ``text`` gives; ``port`` 0 is any."""
    reason = plain_reason(text)
    if port and ("Address already in use" in reason or "bind" in reason.lower()):
        return EngineUnavailable(
            f"port {port} of this machine is taken by another program",
            remedy="stop that program, choose another --port, or leave it out for a free one",
        )
    return EngineUnavailable(f"the Foundry Local runtime did not start: {reason}")
