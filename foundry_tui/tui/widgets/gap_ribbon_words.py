"""What a gap ribbon is written with: its two alphabets, and the words below it."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from rich.cells import cell_len, set_cell_size

from foundry_tui.domain.chat import ChunkKind, ChunkReceived
from foundry_tui.domain.quantities import count_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.gaps import CLASS_EDGES_MS, GapSummary, GapTrack, WaitKind, gap_class
from foundry_tui.tui.widgets.folding import shown

__all__ = ["GRAPHIC", "PLAIN", "Alphabet", "Parts", "chunk_words", "legends", "summary_words", "titled"]

_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000
# No row shows more of one chunk; a longer one must not cost its length at each move of the cursor.
_CHARACTERS_READ = 400
_TITLE_CELLS = 24
# So much of a chunk's text is to be seen before the other words are written in full.
_TEXT_CELLS = 12
# Signs that the usual terminal fonts have, unlike the control pictures.
_VISIBLE_SPACE = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})
_ASCII_SIGNS = str.maketrans({"·": "|", "…": "..."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alphabet:
    """The characters of a ribbon, one cell each.

    Attributes:
        heights: Of the classes of gaps, in rising order.
        thoughts: The same, before chunks of reasoning.
        more_left: There is more of the ribbon on that side.
        is_ascii: Whether words are to be ASCII too.
    """

    heights: str
    thoughts: str
    first: str
    stall: str
    same_read: str
    more_left: str
    more_right: str
    at_least: str
    ellipsis: str
    is_ascii: bool

    def cell(self, track: GapTrack, index: int) -> tuple[str, str]:
        """The character of chunk ``index``, and the end of its component class."""
        match track.kind_of(index):
            case WaitKind.FIRST:
                return self.first, "first"
            case WaitKind.SAME_READ:
                return self.same_read, "same-read"
            case WaitKind.STALL:
                return self.stall, "stall"
            case WaitKind.GAP:
                grade = gap_class(track.wait_ns(index) or 0)
                is_thought = track.chunks[index].kind is ChunkKind.REASONING
                return (self.thoughts if is_thought else self.heights)[grade], f"class-{grade}"
            case kind:
                assert_never(kind)

    def worded(self, text: str) -> str:
        """Words of ours, perhaps with a clean name in them, in the characters of this alphabet."""
        return _ascii(text.translate(_ASCII_SIGNS)) if self.is_ascii else text

    def quoted(self, text: str) -> str:
        """Hostile ``text`` as one harmless piece in quotes, its white space visible."""
        text = text[:_CHARACTERS_READ]
        inner = _ascii(_escaped(text)) if self.is_ascii else shown(text).translate(_VISIBLE_SPACE)
        return f'"{inner}"'

    def cut(self, text: str, width: int) -> str:
        """``text`` in at most ``width`` cells."""
        if cell_len(text) <= width:
            return text
        return set_cell_size(text, max(0, width - len(self.ellipsis))).rstrip() + self.ellipsis[:width]


GRAPHIC = Alphabet(
    heights="▁▂▃▄▅▆▇█",
    thoughts="⡀⣀⣄⣤⣦⣶⣷⣿",
    first="T",
    stall="╳",
    same_read="·",
    more_left="‹",
    more_right="›",
    at_least="≥",
    ellipsis="…",
    is_ascii=False,
)
PLAIN = Alphabet(
    heights="01234567",
    thoughts="abcdefgh",
    first="T",
    stall="!",
    same_read=".",
    more_left="<",
    more_right=">",
    at_least=">=",
    ellipsis="...",
    is_ascii=True,
)

Parts: TypeAlias = list[tuple[str, str]]
"""Texts from left to right, each with the end of its component class."""


def legends(alphabet: Alphabet) -> list[Parts]:
    """The signs explained, in full and then in shorter and shorter words."""
    bounds = [f"<{edge}" for edge in CLASS_EDGES_MS] + [f"{alphabet.at_least}{CLASS_EDGES_MS[-1]} ms"]
    scale: Parts = []
    for grade, bound in enumerate(bounds):
        scale += [(alphabet.heights[grade], f"class-{grade}"), (f"{bound} ", "legend")]
    stall: Parts = [(f" {alphabet.stall}", "stall"), (" stall", "legend")]
    full: Parts = [
        *scale,
        *stall,
        (f"  {alphabet.same_read}", "same-read"),
        (" same read", "legend"),
        (f"  {alphabet.first}", "first"),
        (" first", "legend"),
    ]
    thought: Parts = [(f"  {alphabet.thoughts[3]}", "class-3"), (" reasoning", "legend")]
    brief = [part for grade in (0, 3, 6) for part in scale[2 * grade : 2 * grade + 2]]
    return [[*full, *thought], full, [*scale, *stall], [*brief, ("ms", "legend"), *stall]]


def titled(title: str, words: str) -> str:
    """``words`` behind a title of whatever origin; without one, ``words``."""
    name = clean_line(title[:_CHARACTERS_READ], _TITLE_CELLS)
    return f"{shown(name)} · {words}" if name else words


def summary_words(summary: GapSummary) -> list[str]:
    """The gaps of an answer on a line, in full and then in shorter and shorter words."""
    if summary.chunks == 0:
        return ["no chunks"]
    if summary.chunks == 1:
        return ["1 chunk: no gaps"]
    if summary.median_ns is None:
        return [f"{summary.unit} gaps n/a: all {count_in_words(summary.chunks)} chunks came in one read"]
    median = _time(summary.median_ns)
    spread = f"{_spread(summary)} (n={count_in_words(summary.count)})"
    full = [f"{summary.unit} gaps: median {median}", spread]
    short = [f"{summary.unit} gaps med {median}", spread]
    if summary.stalls:
        stalls = "1 stall" if summary.stalls == 1 else f"{count_in_words(summary.stalls)} stalls"
        full.append(f"{stalls} ({_time(summary.stalled_ns)})")
        short.append(f"{stalls} {_time(summary.stalled_ns)}")
    else:
        full.append("no stalls")
        short.append("no stalls")
    if summary.same_read:
        full.append(f"{count_in_words(summary.same_read)} of {count_in_words(summary.chunks)} shared a read")
        short.append(f"{summary.same_read}/{summary.chunks} shared")
    if summary.is_late:
        full.append(f"own delay {_time(summary.delay_p99_ns)} (p99)")
        short.append(f"delay {_time(summary.delay_p99_ns)}")
    wordings = [full, *(short[:count] for count in range(len(short), 0, -1))]
    return [" · ".join(parts) for parts in wordings]


def chunk_words(track: GapTrack, index: int, *, alphabet: Alphabet, width: int) -> str:
    """What is known of chunk ``index``, and as much of its text as ``width`` cells leave room for."""
    chunk = track.chunks[index]
    quoted = alphabet.quoted(chunk.text)
    since_sent = _time(track.since_sent_ns(index))
    number, total = index + 1, len(track.chunks)
    wait = _wait(track, index)
    kind = _kind(chunk)
    full = [f"chunk {count_in_words(number)} of {count_in_words(total)}", *wait, *kind]
    short = [f"{number}/{total}", *wait, *kind]
    if index:
        full.append(f"{since_sent} after sent")
        short.append(f"at {since_sent}")
    least = min(cell_len(quoted), _TEXT_CELLS)
    words = ""
    for parts in (full, short):
        words = alphabet.worded(" · ".join(parts) + " · ")
        if cell_len(words) + least <= width:
            break
    return alphabet.cut(words + quoted, width)


def _wait(track: GapTrack, index: int) -> list[str]:
    wait_ns = track.wait_ns(index)
    match track.kind_of(index):
        case WaitKind.FIRST:
            return [f"first after {_time(wait_ns)}"]
        case WaitKind.SAME_READ:
            return [f"same read as {count_in_words(index)}"]  # the chunk before, counted from one
        case WaitKind.STALL:
            return [_gap(wait_ns), "stall"]
        case WaitKind.GAP:
            return [_gap(wait_ns)]
        case kind:
            assert_never(kind)


def _kind(chunk: ChunkReceived) -> list[str]:
    return [] if chunk.kind is ChunkKind.CONTENT else [chunk.kind.value]


def _spread(summary: GapSummary) -> str:
    return f"max {_time(summary.max_ns)}" if summary.p95_ns is None else f"p95 {_time(summary.p95_ns)}"


def _gap(gap_ns: int | None) -> str:
    # To the tenth of a ms however long, so that two gaps can be told apart.
    return "n/a" if gap_ns is None else f"+{gap_ns / _NS_PER_MS:,.1f} ms"


def _time(duration_ns: float | None) -> str:
    return seconds_in_words(None if duration_ns is None else duration_ns / _NS_PER_S)


def _escaped(text: str) -> str:
    return text.encode("unicode_escape", errors="backslashreplace").decode("ascii")


def _ascii(text: str) -> str:
    return text.encode("ascii", errors="backslashreplace").decode("ascii")
