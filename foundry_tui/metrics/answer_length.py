"""How long an answer is, in characters, words and sentences."""

import re

__all__ = ["characters_in", "sentences_in", "words_in"]

_WORD_CHARACTER = re.compile(r"[^\W_]")
_LIST_MARK = re.compile(r"\s*(?:[-*+•]|[0-9]{1,3}[.)])\s+")
_HEADING = re.compile(r"\s*#{1,6}\s")
_LONGEST_ABBREVIATION = 8
# What ends a sentence in most scripts, with quotes and brackets that close after it; in Latin script only
# before white space, so that 3.5 and example.org are none.
_END = re.compile(r"(?:(?<![.!?…])[.!?…]+[\"'”’»)\]*_]*(?=\s|$))|(?:[。！？]+[」』”）]*)")
_LAST_WORD = re.compile(r"[\w.]*$")
_ABBREVIATIONS = frozenset(
    (
        *("approx", "ca", "cf", "dr", "e.g", "eg", "fig", "i.e", "ie", "mr", "mrs", "ms", "prof", "st", "vs"),
        *("bzw", "nr", "p.ex", "u.a", "vgl", "z.b"),
    )
)


def characters_in(answer: str) -> int:
    """Code points, without the white space around it."""
    return len(answer.strip())


def words_in(answer: str) -> int:
    """What stands between white space and has a letter or a digit: a lone dash is no word.

    A script without spaces between its words is not counted rightly.
    """
    return sum(_WORD_CHARACTER.search(word) is not None for word in answer.split())


def sentences_in(answer: str) -> int:
    """Sentences, as far as signs tell them: an item of a list, a heading, a last line are one at least.

    Line ends inside of a paragraph are spaces.  A full stop before a small letter, after an initial or
    after a usual abbreviation ends no sentence: where it does, one too few is counted.
    """
    return sum(_sentences_of(paragraph) for paragraph in _paragraphs(answer))


def _paragraphs(answer: str) -> list[str]:
    paragraphs: list[list[str]] = [[]]
    for line in answer.splitlines():
        mark = _LIST_MARK.match(line) or _HEADING.match(line)
        if mark is not None or not line.strip():
            paragraphs.append([])
        paragraphs[-1].append(line[mark.end() :] if mark is not None else line)
        if mark is not None and _HEADING.match(line):
            paragraphs.append([])
    return [" ".join(lines).strip() for lines in paragraphs]


def _sentences_of(paragraph: str) -> int:
    count, begin = 0, 0
    for end in _END.finditer(paragraph):
        # By places and not in slices: an answer of nothing but full stops would be copied once for each.
        if _WORD_CHARACTER.search(paragraph, begin, end.start()) is None:
            begin = end.end()
        elif not (end[0].startswith(".") and _goes_on(paragraph, end)):
            count, begin = count + 1, end.end()
    return count + (_WORD_CHARACTER.search(paragraph, begin) is not None)


def _goes_on(paragraph: str, end: re.Match[str]) -> bool:
    """Whether the full stop there is that of an abbreviation or an initial, or small letters follow it."""
    after = paragraph[end.end() : end.end() + 2].strip()
    if not after:
        return False
    last = _LAST_WORD.search(paragraph[max(0, end.start() - _LONGEST_ABBREVIATION) : end.start()])
    word = last[0] if last is not None else ""
    return after[0].islower() or word.casefold() in _ABBREVIATIONS or (len(word) == 1 and word.isupper())
