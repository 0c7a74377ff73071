"""Hostile text made harmless: whatever a model, a catalog or a server sends passes here before a screen.

Cleaning is for showing.  What is stored and exported as data stays exactly as it came.
"""

import re
import unicodedata

__all__ = ["clean_line", "clean_text", "shorten"]

# C0 and DEL become the picture of themselves, so that an attempt is seen and not hidden.
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_KEPT = {ord("\n"), ord("\t")}
# C1 controls, bidirectional marks, embeddings and overrides, isolates, line and paragraph separators,
# interlinear annotation, deprecated format characters, tag characters, lone surrogates.
_HIDDEN = re.compile(
    "[\x80-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
# More marks than this on one base is no script: it is a tower drawn over the neighbouring lines.  Burmese and
# pointed Hebrew come to five.
_MARKS_KEPT = 5
_MARKS = frozenset({"Mn", "Me"})
# A cheap test that spares ordinary text the walk over its characters: marks are neither letters nor space.
# Rules, boxes and arrows are let off, since a screen is often full of them.
_MANY_MARKS = re.compile(r"[^\w\s\x00-\x7f\u2010-\u205e\u2190-\u27bf]{6}")


def clean_text(text: str) -> str:
    r"""``text`` with every control shown as its picture and every hidden format character as ``\ufffd``.

    Line feeds and tabs stay; ``\r\n`` and lone ``\r`` become line feeds, U+2028 and U+2029 too.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    text = _CONTROLS.sub(lambda match: _PICTURES[ord(match[0])], text)
    text = _HIDDEN.sub("\ufffd", text)
    return _without_towers(text) if _MANY_MARKS.search(text) else text


def clean_line(text: str, limit: int | None = None) -> str:
    """``clean_text`` on a single line: line feeds and tabs become spaces; cut to ``limit`` characters."""
    line = " ".join(clean_text(text).split())
    return line if limit is None else shorten(line, limit)


def shorten(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` characters, the last one then an ellipsis."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def _without_towers(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        # By category: the marks of Thai, for one, stack without having a combining class.
        marks = marks + 1 if unicodedata.category(character) in _MARKS else 0
        if marks <= _MARKS_KEPT:
            kept.append(character)
    return "".join(kept)
