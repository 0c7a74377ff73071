"""Text written to harm whoever shows it: a well-known list, and families of sequences made up here."""

import json
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = [
    "BROKEN_UTF8",
    "CORPUS",
    "Payload",
    "Sequence",
    "bidirectional",
    "controls",
    "floods",
    "harm_in",
    "long_lines",
    "markdown_bombs",
    "markup",
    "naughty_strings",
    "no_characters",
    "odd_pieces",
    "sequences",
    "split_everywhere",
]

_NAUGHTY = Path(__file__).parents[1] / "data" / "blns.json"
# Each kind of string that a terminal swallows up to its end, by 7-bit and by 8-bit introducer.
_STRINGS = {"OSC": ("\x1b]", "\x9d"), "DCS": ("\x1bP", "\x90"), "APC": ("\x1b_", "\x9f")}
_STRINGS |= {"PM": ("\x1b^", "\x9e"), "SOS": ("\x1bX", "\x98")}
_BODIES = {
    "OSC": {
        "title and icon": "0;owned",
        "icon": "1;owned",
        "title": "2;owned",
        "colour": "4;1;#ff0000",
        "link": "8;;http://owned",
        "notification": "9;owned",
        "foreground": "10;?",
        "pointer": "22;wait",
        "font": "50;owned",
        "clipboard": "52;c;c2VjcmV0",
        "clipboard query": "52;c;?",
        "reset colours": "104",
        "shell mark": "133;A",
        "notification of urxvt": "777;notify;owned;owned",
        "file of iTerm2": "1337;File=inline=1:c2VjcmV0",
    },
    "DCS": {"settings": "$qm", "names": "+q544e", "sixel": "q#0;2;0;0;0#0~~", "keys": "0;1|17/17;owned"},
    "APC": {"picture of kitty": "Ga=T,f=24;c2VjcmV0", "screen": "owned"},
    "PM": {"words": "owned"},
    "SOS": {"words": "owned"},
}
_ENDS = {
    "BEL": "\x07",
    "ST": "\x1b\\",
    "8-bit ST": "\x9c",
    "CAN": "\x18",
    "no end": "",
    "half an end": "\x1b",
}
_CSI = {
    "colour": "31;47;5m",
    "clear": "2J",
    "clear with history": "3J",
    "to a cell": "7;77H",
    "alternate screen": "?1049l",
    "no cursor": "?25l",
    "mouse": "?1000l",
    "no bracketed paste": "?2004l",
    "no wrap": "?7l",
    "scroll region": "5;6r",
    "where": "6n",
    "who": "c",
    "who, secondly": ">c",
    "title told": "21t",
    "size of the window": "8;1;1t",
    "insert mode": "4h",
    "erase": "99X",
    "repeat": "99999b",
    "soft reset": "!p",
    "cursor shape": "5 q",
    "no end": "31",
    "many numbers": "1;" * 500 + "m",
}
_ESC = {
    "reset": "c",
    "line drawing": "(0",
    "alignment": "#8",
    "index": "D",
    "reverse index": "M",
    "save": "7",
}
_ESC |= {"restore": "8", "keypad": "=", "single shift": "N", "locking shift": "n", "half": "", "spaced": " F"}
# Embeddings, overrides and isolates, by what Unicode says of them; what has no such property and is not seen.
_TURNING = {"LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_INVISIBLE = {0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0x3164, 0xFEFF, 0xFFA0, *range(0x2060, 0x2070)}
_INVISIBLE |= {*range(0xFDD0, 0xFDF0), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)}
BROKEN_UTF8 = {
    "a control of 8 bits": b"\x9b31m \x9d0;owned\x9c",
    "an escape spelt too long": b"\xc0\x9b[31m \xe0\x80\x9b[31m \xf0\x80\x80\x9b[31m",
    "halves of pairs": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80 \xf8\x88\x80\x80\x80 \xfe\xff",
    "cut off": b"\xe2\x82 \xf0\x9f\x98 \xc3",
    "only the rest": b"\x80\xbf\x80\xbf",
}
"""Bytes that are no UTF-8, by what is wrong with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One hostile text, and a name that says what it tries."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence(Payload):
    """A text that is a terminal's sequence: whole, cut off or ended by another one's end."""


@cache
def naughty_strings() -> tuple[Payload, ...]:
    """The Big List of Naughty Strings."""
    texts = json.loads(_NAUGHTY.read_text(encoding="ascii"))
    return tuple(Payload(name=f"naughty {n}", text=text) for n, text in enumerate(texts))


def controls() -> Iterator[Payload]:
    """Every C0 and C1 control and DEL, alone and within words."""
    for code in (*range(0x20), *range(0x7F, 0xA0)):
        yield Payload(name=f"control {code:02x}", text=chr(code))
        yield Payload(name=f"control {code:02x} in words", text=f"some{chr(code)}what {chr(code)}else")


def sequences() -> Iterator[Sequence]:
    """OSC, DCS, APC, PM, SOS, CSI and escapes of two characters, in 7 and in 8 bits, ended in every way."""
    for kind, introducers in _STRINGS.items():
        for bits, introducer in zip((7, 8), introducers, strict=True):
            for what, body in _BODIES[kind].items():
                for end, terminator in _ENDS.items():
                    name = f"{kind} {bits} bits, {what}, {end}"
                    yield Sequence(name=name, text=f"{introducer}{body}{terminator}")
    for bits, introducer in zip((7, 8), ("\x1b[", "\x9b"), strict=True):
        for what, body in _CSI.items():
            yield Sequence(name=f"CSI {bits} bits, {what}", text=introducer + body)
    for what, body in _ESC.items():
        yield Sequence(name=f"ESC, {what}", text=f"\x1b{body}")
    link = "\x1b]8;;http://owned\x1b\\words\x1b]8;;\x1b\\"
    yield Sequence(name="a link around words", text=link)
    yield Sequence(name="a paste that ends itself", text="\x1b[201~\x11\x1b[200~")


def bidirectional() -> Iterator[Payload]:
    """Overrides, embeddings, isolates and marks that turn the order of what is read."""
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)):
        yield Payload(name=f"bidirectional {code:04x}", text=f"photo{chr(code)}gnp.exe")
    yield Payload(name="trojan source", text="if access != 'user\u202e \u2066// admin\u2069 \u2066':")
    yield Payload(name="deep overrides", text="\u202e" * 500 + "deep")


def floods(length: int = 2_000) -> Iterator[Payload]:
    """Very many characters that take no cell or change the width of others, on one base and between many."""
    kinds = {
        "zero-width space": "\u200b",
        "non-joiner": "\u200c",
        "joiner": "\u200d",
        "word joiner": "\u2060",
        "byte order mark": "\ufeff",
        "soft hyphen": "\xad",
        "acute": "\u0301",
        "enclosing": "\u20dd",
        "Thai vowel": "\u0e47",
        "spacing sign": "\u0903",
        "variation 16": "\ufe0f",
        "variation 15": "\ufe0e",
        "variation 256": "\U000e01ef",
        "tag": "\U000e0041",
        "tone of skin": "\U0001f3fd",
        "Korean vowel": "\u1161",
        "Korean final": "\ud7cb",
        "blank letter": "\u3164",
        "grapheme joiner": "\u034f",
        "marks and joiners": "\u0301\u200d",
        "a mark and a vowel": "\u0301\u1161",
    }
    for name, character in kinds.items():
        yield Payload(name=f"flood of {name}", text="a" + character * (length // len(character)) + "b")
        yield Payload(name=f"{name} between letters", text=f"a{character}" * (length // 8))
    yield Payload(name="a family without end", text="\U0001f469\u200d" * (length // 2))
    yield Payload(name="hearts of two kinds", text="\u2764\ufe0f\u2764\ufe0e" * (length // 8))
    yield Payload(name="flags", text="\U0001f1e9" * (length // 8))


def no_characters() -> Iterator[Payload]:
    """Halves of surrogate pairs and codes that Unicode says are no characters."""
    yield Payload(name="halves of pairs", text="\ud83d\ude00 \ud800 \udfff\udc00")
    codes = [*range(0xFDD0, 0xFDF0), *(p * 0x10000 + end for p in range(17) for end in (0xFFFE, 0xFFFF))]
    yield Payload(name="no characters", text="x".join(map(chr, codes)))
    yield Payload(name="private use", text="\ue000\uf8ff\U000f0000\U0010fffd")


def markup() -> Iterator[Payload]:
    """What Textual and Rich would take for styles, links and actions."""
    texts = (
        "[b]x[/b][/]y[",
        "[@click=app.quit]x[/]",
        "[@click=screen.dismiss]x[/]",
        "[link=http://owned]x[/link]",
        "[link http://owned]x",
        "[bold red on white]x[/]",
        "[/]",
        "[[[[[[",
        "\\[b]x\\\\[/b]",
        "[$error]x[/]",
        "[not a style]x[/not a style]",
        "[" * 2_000 + "]" * 2_000,
        ":smile: :warning: [#123456]x",
    )
    for n, text in enumerate(texts):
        yield Payload(name=f"markup {n}", text=text)


def markdown_bombs(size: int = 2_000) -> Iterator[Payload]:
    """Markdown that nests without end, is slow to parse, points elsewhere or spells controls as entities."""
    texts = {
        "quotes": ">" * size + " deep",
        "lists": "\n".join(" " * (2 * n) + "- item" for n in range(size // 20)),
        "lists in a line": "- " * (size // 2) + "deep",
        "brackets": "[" * size + "](x)" * (size // 4),
        "emphasis": "*a **b " * (size // 7),
        "stars": "*" * size + "x" + "*" * size,
        "underscores": "_" * size,
        "backticks": "".join("`" * n + " " for n in range(1, 60)),
        "an open fence": "```python\n" + "def f(): pass\n" * (size // 14),
        "fences within fences": "````\n```\n" * (size // 9),
        "a fence of an unknown language": "```\x1b[31m[b]owned\nx\n```",
        "a wide table": "|" * (size // 4) + "\n" + "|-" * (size // 4) + "|\n" + "|x" * (size // 4),
        "an uneven table": "| a | b |\n|---|---|\n" + "| x " * 50 + "\n|\n",
        "headings": "\n".join("#" * (n % 9) + " h" for n in range(size // 10)),
        "references": "".join(f"[r{n}]: http://owned/{n}\n" for n in range(size // 20)) + "[r1] [r2]",
        "a link": "[words](http://owned 'title') <http://owned> ![image](http://owned/\x1b[31m)",
        "a script in a link": "[x](javascript:alert(1)) [y](file:///etc/passwd) [z](<http://o\x07wned>)",
        "entities": "&#27;[31m &#x9b;31m &#x1b;]0;owned&#7; &#x202e; &#0; &#xd800; &shy;",
        "named entities": "&zwj; &lrm; &NewLine; &Tab; &lbrack;b&rbrack; &#91;@click=app.quit&#93;x",
        "entities in code": "`&#27;[31m` and <b>&#27;]52;c;c2VjcmV0&#7;</b>",
        "a page": "<script>alert(1)</script><style>*{}</style><!-- \x1b]0;owned\x07 -->",
        "rules": "---\n" * (size // 8),
        "numbers of lists": "999999999. x\n1000000000. y\n-1. z",
        "escapes": "\\" * size,
        "breaks": "x  \n" * (size // 8),
    }
    for name, text in texts.items():
        yield Payload(name=f"Markdown: {name}", text=text)


def long_lines(length: int = 1_000_000) -> Iterator[Payload]:
    """Lines of a megabyte: one word, words, wide characters."""
    yield Payload(name="a long word", text="x" * length)
    yield Payload(name="long words", text="word " * (length // 5))
    yield Payload(name="wide characters", text="\u5bbd" * length)


def split_everywhere(payload: Payload) -> Iterator[tuple[str, str]]:
    """``payload`` in two pieces, cut at every place."""
    for place in range(1, len(payload.text)):
        yield payload.text[:place], payload.text[place:]


def odd_pieces(text: str, seed: int = 1) -> list[str]:
    """``text`` cut into pieces of odd lengths, the same for the same ``seed``."""
    sizes = random.Random(seed)
    pieces: list[str] = []
    place = 0
    while place < len(text):
        size = sizes.choice((1, 1, 2, 3, 5, 7, 11, 13, 31, 97))
        pieces.append(text[place : place + size])
        place += size
    return pieces


CORPUS: tuple[Payload, ...] = (
    *naughty_strings(),
    *controls(),
    *sequences(),
    *bidirectional(),
    *floods(),
    *no_characters(),
    *markup(),
    *markdown_bombs(),
)
"""All of it but the long lines."""


def harm_in(text: str) -> set[str]:
    """The codes in ``text`` that no screen may be given: line feeds are the caller's to split at."""
    return {f"U+{ord(character):04X}" for character in set(text) if _is_harmful(character)}


def _is_harmful(character: str) -> bool:
    code = ord(character)
    is_hidden = unicodedata.bidirectional(character) in _TURNING or code in _INVISIBLE
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or is_hidden or code & 0xFFFE == 0xFFFE
