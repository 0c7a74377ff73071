"""Words as the search understands them: cut and folded in the same way in texts and in queries.

A word is a run of letters and digits, without case and accents.  Scripts that are written without spaces, and
pictographs, have no such runs: there each character is a word, and what was typed in one piece must stand in
one piece, so that any part of a sentence is found.  Everything else (punctuation, operators) is not searched.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Query", "index_text"]

# Thai and Lao, Burmese, Khmer, kana, bopomofo, Han, Hangul, pictographs.
_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\u2b00-\u2bff\u3005-\u3007\u3040-\u312f\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U0001f000-\U0001fbff"
    "\U00020000-\U0003ffff"
)
# Accents, points and vowel signs that writers leave out: Latin, Greek and Cyrillic; Hebrew; Arabic.
_ACCENTS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)
_IS_ALONE = re.compile(f"[{_ALONE}]")
# What a compatibility character may bring along, such as the brackets of "⑴", is no part of a word either.
_DROPPED = re.compile(f"[{_ACCENTS}\x00-/:-@[-`{{-\x7f]")
_WORD = re.compile(rf"[{_ALONE}]|(?:[^\W_{_ALONE}][{_ACCENTS}]*)+")
_ASCII_WORD = re.compile("[a-z0-9]+")
_NO_WORD_BEFORE, _NO_WORD_BEHIND = r"(?<![^\W_])", r"(?![^\W_])"

# Longer runs are keys and encoded files, which nobody types to their end.
_WORD_CHARACTERS = 64
_QUERY_WORDS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a user looks for.

    Attributes:
        phrases: For each piece between spaces the words that must stand one behind the other; of the very
            last word the beginning is enough.  Empty if there is nothing to look for.
    """

    phrases: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, text: str) -> "Query":
        """The query in ``text``; at most 32 pieces of at most 32 words count."""
        pieces = text.split(maxsplit=_QUERY_WORDS)[:_QUERY_WORDS]
        phrases = (tuple(_words(piece, _QUERY_WORDS)) for piece in pieces)
        return cls(phrases=tuple(phrase for phrase in phrases if phrase))

    @property
    def fts(self) -> str:
        """As FTS5 wants it; every word is quoted, so that none is an operator."""
        return " AND ".join(f'"{" ".join(phrase)}"' for phrase in self.phrases) + " *"

    def hits(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where it stands in ``text``: first character, and the one behind; in order, none overlapping."""
        # Case folds to as many characters in ASCII, so that places stay right.
        found = list(_ASCII_WORD.finditer(text.lower()) if text.isascii() else _WORD.finditer(text))
        words = [_folded(word[0]) for word in found]
        spans = sorted(
            (found[at].start(), found[at + len(phrase) - 1].end())
            for number, phrase in enumerate(self.phrases, start=1)
            for at in _places(words, phrase, is_whole=number < len(self.phrases))
        )
        return _joined(spans)

    def first_in(self, text: str) -> int:
        """Where some of it stands in ``text`` for the first time, or nearly so; 0 if it does not."""
        guessed = self._guess().search(text)
        if guessed is not None:
            return guessed.start()
        # Then the words are there with other accents than the user wrote.
        first = tuple(phrase[0] for phrase in self.phrases)
        return next((at.start() for at in _WORD.finditer(text) if _folded(at[0]).startswith(first)), 0)

    def _guess(self) -> re.Pattern[str]:
        """Finds most hits without cutting a text into words; it knows case, not accents."""
        parts: list[str] = []
        for number, phrase in enumerate(self.phrases, start=1):
            start = "" if _IS_ALONE.match(phrase[0]) else _NO_WORD_BEFORE
            end = "" if number == len(self.phrases) or _IS_ALONE.match(phrase[-1]) else _NO_WORD_BEHIND
            parts.append(start + r"[\W_]*".join(map(re.escape, phrase)) + end)
        return re.compile("|".join(parts), re.IGNORECASE)


def index_text(parts: Iterable[str]) -> str:
    """The words of ``parts`` with spaces between them, for the index."""
    return " ".join(word for part in parts for word in _words(part))


def _words(text: str, limit: int | None = None) -> list[str]:
    """The first ``limit`` words of ``text``."""
    if text.isascii():
        return [word[:_WORD_CHARACTERS] for word in _ASCII_WORD.findall(text.lower())[:limit]]
    # Composed first: Korean may come as single letters, which are runs and not characters that stand alone.
    found = _WORD.findall(unicodedata.normalize("NFC", text))[:limit]
    return [folded for word in found if (folded := _folded(word))]


def _folded(word: str) -> str:
    return (word.lower() if word.isascii() else _fold(word))[:_WORD_CHARACTERS]


@lru_cache(maxsize=4096)
def _fold(word: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
    return unicodedata.normalize("NFC", _DROPPED.sub("", apart))


def _places(words: Sequence[str], phrase: tuple[str, ...], *, is_whole: bool) -> Iterator[int]:
    """Where the phrase begins among ``words``; its last word may be the beginning of one or ``is_whole``."""
    *others, last = phrase
    for end, word in enumerate(words):
        if word.startswith(last) and (word == last or not is_whole):
            at = end - len(others)
            if at >= 0 and list(words[at:end]) == others:
                yield at


def _joined(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The same characters in spans that do not overlap."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
