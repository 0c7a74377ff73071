"""Hostile text made harmless: whatever a model, a catalog or a server sends passes here before a screen.

Cleaning is for showing.  What is stored and exported as data stays exactly as it came.
"""

import re
import unicodedata

__all__ = ["clean_line", "clean_text", "shorten"]

# C0 and DEL become the picture of themselves, so that an attempt is seen and not hidden.
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_KEPT = {ord("\n"), ord("\t")}
# C1 controls, soft hyphens, bidirectional marks, embeddings and overrides, isolates, line and paragraph
# separators, letters that are blank, interlinear annotation, deprecated format characters, lone surrogates,
# codes that are no characters and those that are reserved for more of all this.
_HIDDEN = re.compile(
    "[\x80-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufeff"
    "\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff]"
)
# Likewise musical and shorthand format characters and tag characters.  Each set is fast as long as it has no
# member on the other side of U+FFFF.
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_HIDDEN_ASTRAL = re.compile(
    "[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
# More marks than this on one base is no script: it is a tower drawn over the neighbouring lines.  Burmese and
# pointed Hebrew come to five.
_MARKS_KEPT = 5
_MARKS = frozenset({"Mn", "Me"})
# What else takes no cell of its own: signs beside their base, joiners, vowels and finals of Korean syllables
# in parts, marks of scripts younger than Python's tables.  Without a limit one row of the screen could be a
# megabyte.
_RIDERS_KEPT = 4
_RIDERS = frozenset({"Mc", "Cf"})
_LETTER_RIDERS = re.compile("[\u0897\u0cf3\u0ece\u1160-\u11ff\u1acf-\u1aeb\ud7b0-\ud7ff]")
_ASTRAL_RIDERS = re.compile(
    "[\U00010d69-\U00010d6d\U00010efa-\U00010eff\U00011241\U000113b8-\U000113e2\U00011b60-\U00011b67"
    "\U00011f00-\U00011f03\U00011f34-\U00011f42\U00011f5a\U00013430-\U00013455\U0001611e-\U0001612f\U0001e08f"
    "\U0001e4ec-\U0001e4ef\U0001e5ee\U0001e5ef\U0001e6e3-\U0001e6f5]"
)
# A tone of skin is part of an emoji before it that has a skin.  Elsewhere it is a picture of two cells which
# counts as none, and half a flag may be one which counts as one; a row of them would run over its edge.
_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_SKIN = re.compile(
    "[\u261d\u26f9\u270a-\u270d\U0001f385\U0001f3c2-\U0001f3c4\U0001f3c7\U0001f3ca-\U0001f3cc\U0001f442\U0001f443"
    "\U0001f446-\U0001f450\U0001f466-\U0001f478\U0001f47c\U0001f481-\U0001f483\U0001f485-\U0001f487\U0001f48f"
    "\U0001f491\U0001f4aa\U0001f574\U0001f575\U0001f57a\U0001f590\U0001f595\U0001f596\U0001f645-\U0001f647"
    "\U0001f64b-\U0001f64f\U0001f6a3\U0001f6b4-\U0001f6b6\U0001f6c0\U0001f6cc\U0001f90c\U0001f90f"
    "\U0001f918-\U0001f91f\U0001f926\U0001f930-\U0001f939\U0001f93c-\U0001f93e\U0001f977\U0001f9b5\U0001f9b6"
    "\U0001f9b8\U0001f9b9\U0001f9bb\U0001f9cd-\U0001f9cf\U0001f9d1-\U0001f9dd\U0001fac3-\U0001fac5"
    "\U0001faf0-\U0001faf8]"
)
_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]{1,2}")
_LETTER_OF_A_FLAG = ord("\U0001f1e6") - ord("\U0001f130")  # to the same letter in a square, of one cell
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
    has_riders = _LETTER_RIDERS.search(text) is not None
    if _ASTRAL.search(text):
        text = _FLAGS.sub(_flag, _TONES.sub(_tone, _HIDDEN_ASTRAL.sub("\ufffd", text)))
        has_riders = has_riders or _ASTRAL_RIDERS.search(text) is not None
    return _without_towers(text) if has_riders or _MANY_MARKS.search(text) else text


def clean_line(text: str, limit: int | None = None) -> str:
    """``clean_text`` on a single line: line feeds and tabs become spaces; cut to ``limit`` characters."""
    line = " ".join(clean_text(text).split())
    return line if limit is None else shorten(line, limit)


def shorten(text: str, limit: int) -> str:
    """``text`` cut to ``limit`` characters, the last one then an ellipsis."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def _tone(match: re.Match[str]) -> str:
    before = match.start() - 1
    return match[0] if before >= 0 and _SKIN.match(match.string, before) else "\ufffd"


def _flag(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) == 2 else chr(ord(match[0]) - _LETTER_OF_A_FLAG)


def _without_towers(text: str) -> str:
    kept: list[str] = []
    marks = riders = 0
    for character in text:
        # By category: the marks of Thai, for one, stack without having a combining class.
        category = unicodedata.category(character)
        if category in _MARKS:
            marks += 1
            is_wanted = marks <= _MARKS_KEPT
        elif category in _RIDERS or _LETTER_RIDERS.match(character) or _ASTRAL_RIDERS.match(character):
            riders += 1
            is_wanted = riders <= _RIDERS_KEPT
        else:
            marks = riders = 0
            is_wanted = True
        if is_wanted:
            kept.append(character)
    return "".join(kept)
