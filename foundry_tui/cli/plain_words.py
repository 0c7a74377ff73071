"""Words fit to be spoken: numbers with their units, sentences with their ends, ASCII signs."""

import difflib
import re
from collections.abc import Iterable, Sequence

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.quantities import count_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.errors import capitalised

__all__ = [
    "count_words",
    "duration_words",
    "error_lines",
    "listed",
    "nearest",
    "remedy_line",
    "sentence",
    "spoken",
    "unquoted",
]

_NAME_CHARACTERS = 200
_SIGNS = (
    (" · ", ", "),
    ("…", "..."),
    ("→ ", ""),
    ("“", '"'),
    ("”", '"'),
)
_UNITS = (
    (re.compile(r"(?<=\d) ms\b"), " milliseconds"),
    (re.compile(r"(?<=\d) min (?=\d)"), " minutes "),
    (re.compile(r"(?<=\d) s\b"), " seconds"),
    (re.compile(r"\b1 min\b"), "1 minute"),
    (re.compile(r"(?<=\d) min\b"), " minutes"),
    (re.compile(r"\b1 h\b"), "1 hour"),
    (re.compile(r"(?<=\d) h\b"), " hours"),
    (re.compile(r"\b1 d\b"), "1 day"),
    (re.compile(r"(?<=\d) d\b"), " days"),
    (re.compile(r"(?<=\d) ?%(?!\w)"), " percent"),
    (re.compile(r"(?<=\d B|[KMGT]iB)/s\b"), " per second"),
    (re.compile(r"\btok/s\b"), "tokens per second"),
    (re.compile(r"\bTTFT\b"), "time to first token"),
    # Nothing in the middle of a path.
    (re.compile(r"(?<![\w/])~(?=\d)"), "about "),
    (re.compile(r"(?<![\w/])n/a(?![\w/])"), "unknown"),
)
# What a remedy names that is done in another way here.
_ELSEWHERE = (
    ("foundry-tui models list --cached", "/cached"),
    ("foundry-tui models list", "/models"),
    ("foundry-tui models pull", "/download"),
    ("foundry-tui models remove", "/remove"),
    ("; Tab completes it", ""),
    ("then r lists", "then /refresh lists"),
)


def spoken(words: str) -> str:
    """Words that were made for the screen as one says them; not for text of others."""
    for sign, said in _SIGNS:
        words = words.replace(sign, said)
    for unit, said in _UNITS:
        words = unit.sub(said, words)
    return words


def duration_words(seconds: float | None) -> str:
    """``12.3 milliseconds``, ``1.92 seconds``, ``2 minutes 05 seconds``."""
    return spoken(seconds_in_words(seconds))


def count_words(count: int, one: str, many: str | None = None) -> str:
    """``no models``, ``1 model``, ``1,200 models``."""
    number = "no" if count == 0 else count_in_words(count)
    return f"{number} {one if count == 1 else many or one + 's'}"


def sentence(words: str) -> str:
    """``words`` with a capital at its beginning, unless that is a name, and a full stop at its end."""
    words = capitalised(words.strip())
    return words if words.endswith((".", "!", "?", ":")) or not words else f"{words}."


def error_lines(error: FoundryTuiError) -> str:
    """What went wrong, and what to do about it."""
    words = sentence(spoken(clean_line(error.message)))
    if error.remedy is None:
        return words
    return f"{words}\n{remedy_line(error.remedy)}"


def remedy_line(remedy: str) -> str:
    """What to do about something, in the commands of this mode; made harmless here."""
    words = spoken(clean_line(remedy))
    for there, here in _ELSEWHERE:
        words = words.replace(there, here)
    return f"What to do: {words if words.endswith('?') else words.rstrip('.') + '.'}"


def listed(words: Sequence[str], last: str = "or") -> str:
    """``a, b or c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Those of ``names`` that ``name`` was most likely meant to be, the likeliest first."""
    every = list(dict.fromkeys(names))
    wanted = name[:_NAME_CHARACTERS].casefold()
    folded = {one: one.casefold() for one in every}
    begun = [one for one in every if wanted and folded[one].startswith(wanted)]
    alike = difflib.get_close_matches(wanted, folded.values(), n=count, cutoff=0.6)
    alike_names = [one for match in alike for one in every if folded[one] == match]
    within = [one for one in every if len(wanted) > 1 and wanted in folded[one]]
    return list(dict.fromkeys([*begun, *alike_names, *within]))[:count]


def unquoted(text: str) -> str:
    """A name or path as it is meant: without the blanks around it, nor the quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text
