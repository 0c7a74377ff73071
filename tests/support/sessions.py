"""Plays back what a real server once answered, from a JSON file of exchanges.

``{"about": "…", "exchanges": [{"method": "GET", "path": "/openai/status", "status": 200,
"content_type": "application/json", "body": "…"}, {"method": "POST", "path": "/openai/download",
"status": 200, "content_type": "text/plain", "pieces": [{"after_ms": 0, "text": "…"}], "ends": "well"}]}``;
``ends`` is ``well``, ``hangup`` or ``reset``.

A route that was recorded several times answers in that order, its last answer again and again.  The query is
left out of the comparison.
"""

import json
from pathlib import Path
from typing import Any

from tests.support.record import Request
from tests.support.script import Hangup, Headers, Raw, Reset, Respond, Script, Step, Wait

__all__ = ["Session"]

ENDS: dict[str, tuple[Step, ...]] = {"well": (), "hangup": (Hangup(),), "reset": (Reset(),)}


class Session:
    """A recorded session; it remembers how far each route is."""

    def __init__(self, path: Path) -> None:
        content = json.loads(path.read_text(encoding="utf-8"))
        self._scripts: dict[tuple[str, str], list[Script]] = {}
        for exchange in content["exchanges"]:
            key = (exchange["method"], exchange["path"])
            self._scripts.setdefault(key, []).append(_script(exchange))

    def answer(self, request: Request) -> Script:
        """What was answered then; 404 without a body to what was never asked."""
        scripts = self._scripts.get((request.method, request.path))
        if scripts is None:
            return Script((Respond(404, b"", "text/plain"),))
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]


def _script(exchange: dict[str, Any]) -> Script:
    status, kind = exchange.get("status", 200), exchange.get("content_type", "application/json")
    if "body" in exchange:
        return Script((Respond(status, exchange["body"].encode(), kind),))
    steps: list[Step] = [Headers(status, kind)]
    for piece in exchange["pieces"]:
        steps += [Wait(piece.get("after_ms", 0)), Raw(piece["text"].encode())]
    return Script((*steps, *ENDS[exchange.get("ends", "well")]))
