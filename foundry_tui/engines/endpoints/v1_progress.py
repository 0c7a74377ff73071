"""The progress stream of the v1 service's downloads, in every form that it is known to take.

Lines such as ``Total 45.67% Downloading model.onnx.data`` or ``("model.onnx.data", 0.5)``, then
``[DONE] All Completed!``, then a JSON object, which may follow on the same line.
"""

import codecs
import json
import re
from dataclasses import dataclass

from foundry_tui.engines.endpoints.models import folded

__all__ = ["DownloadEnd", "ProgressReader"]

# A service that speaks the language of its user may write a decimal comma.
_PERCENT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[.,]\d{1,20})?)\s?%")
_FRACTION = re.compile(r"\(\s*\"[^\"]*\"\s*,\s*(\d{1,3}(?:[.,]\d{1,20})?)\s*\)")
# Neither a line nor the object at the end is longer than this in earnest.
_LINE_CHARACTERS = 8 * 1024
_TAIL_CHARACTERS = 64 * 1024
_BRACES_TRIED = 64


@dataclass(frozen=True, slots=True)
class DownloadEnd:
    """The service's last word on a download; ``message`` is its own, None if it gave none."""

    is_done: bool
    message: str | None


class ProgressReader:
    """Takes bytes as they come; keeps little, however much comes."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._line = ""
        self._tail = ""
        self.said_done = False

    def feed(self, data: bytes) -> list[float]:
        """The shares of the whole, 0 to 1, in the lines that ``data`` completes."""
        text = self._decoder.decode(data)
        self._tail = (self._tail + text)[-_TAIL_CHARACTERS:]
        *lines, rest = re.split(r"[\r\n]+", self._line + text)
        self._line = rest[-_LINE_CHARACTERS:]
        shares = []
        for line in lines:
            self.said_done = self.said_done or "[DONE]" in line
            if (share := _share_in(line[:_LINE_CHARACTERS])) is not None:
                shares.append(share)
        return shares

    def end(self) -> DownloadEnd | None:
        """What the object at the end says; None where there is none.  Call when the stream has ended."""
        self.said_done = self.said_done or "[DONE]" in self._line
        at = len(self._tail)
        for _ in range(_BRACES_TRIED):
            at = self._tail.rfind("{", 0, at)
            if at < 0:
                break
            try:
                content = json.loads(self._tail[at:])
            except (ValueError, RecursionError):
                continue
            table = folded(content) if isinstance(content, dict) else {}
            if "success" in table:
                texts = (table.get(key) for key in ("errormessage", "error", "message"))
                words = next((text for text in texts if isinstance(text, str) and text), None)
                return DownloadEnd(is_done=table["success"] is True, message=words)
        return None


def _share_in(line: str) -> float | None:
    if line.lstrip().startswith("{"):
        return None
    if (found := _PERCENT.search(line)) is not None:
        return min(1.0, float(found[1].replace(",", ".")) / 100)
    if (found := _FRACTION.search(line)) is not None:
        return min(1.0, float(found[1].replace(",", ".")))
    return None
