"""What a conversation's next request carries, as JSON."""

import json
from dataclasses import asdict

from foundry_tui.domain.chat import ChatOptions, PhaseTimeouts

__all__ = ["packed_options", "unpacked_options"]


def packed_options(options: ChatOptions) -> str:
    """``options`` in one line."""
    return json.dumps(asdict(options), ensure_ascii=False, separators=(",", ":"))


def unpacked_options(line: str) -> ChatOptions:
    """The options; the usual ones where ``line`` is damaged, for the conversation is still worth reading."""
    try:
        kept = json.loads(line)
        return ChatOptions(**{**kept, "timeouts": PhaseTimeouts(**kept["timeouts"])})
    except (ValueError, LookupError, TypeError, RecursionError):
        return ChatOptions()
