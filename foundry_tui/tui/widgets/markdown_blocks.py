"""Growing text split into finished blocks and an open tail.

Where a block ends decides only what is rendered again, never what is shown: the sources of all blocks and
of the tail join to the exact text that was fed.
"""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

__all__ = ["Block", "BlockKind", "BlockSplitter"]

# A longer block goes on as plain pieces, so that one flush never has more than this to render.
_MARKDOWN_LIMIT = 8_192
_PIECE_LIMIT = 4_096
# Rows cost more than characters: Rich takes 200 ms for 8,000 empty lines of code, a lexer up to seconds.
_LINES_LIMIT = 400
# A longer list is cut before its next item: each flush renders the whole open block.
_LIST_LIMIT = 2_048
# How far back from a hard cut a space is looked for.
_SPACE_WITHIN = 80

_FENCE = re.compile(r"(?P<indent> *)(?P<marker>`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
_ITEM = re.compile(r"(?P<indent> *)([-+*]|\d{1,9}[.)])(\s|$)")
# A number other than 1 does not end a paragraph: "in\n1984. It was" is no list.
_INTERRUPTING_ITEM = re.compile(r" {0,3}([-+*]|1[.)])\s+\S")


class BlockKind(StrEnum):
    """How a block is to be shown."""

    MARKDOWN = "markdown"
    CODE = "code"  # a piece of a fence that grew past the limit, with its marker lines
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A run of the source.

    Attributes:
        source: The text exactly as it came.
        kind: How to show it.
        continues: It is the rest of what the block before it began, so no gap stands between them.
    """

    source: str
    kind: BlockKind
    continues: bool


class _Within(Enum):
    NOTHING = auto()
    TEXT = auto()
    LIST = auto()
    FENCE = auto()


class BlockSplitter:
    """Takes text as it arrives and hands out blocks as soon as nothing that follows can change them.

    A splitter of kind PLAIN knows no Markdown and cuts at line ends once a piece is long enough.
    """

    def __init__(self, kind: BlockKind = BlockKind.MARKDOWN) -> None:
        self._whole_kind = kind
        self._kind = kind
        self._within = _Within.NOTHING
        self._lines: list[str] = []
        self._length = 0  # of self._lines, in characters
        self._partial = ""  # the last line, still without its line feed
        self._is_mid_line = False  # the beginning of self._partial was handed out
        self._continues = False
        self._marker = ""  # closes the fence that is open
        self._was_blank = False
        self._finished: list[Block] = []

    @property
    def tail(self) -> Block | None:
        """What may still change, or None if nothing is open."""
        source = "".join(self._lines) + self._partial
        if not source:
            return None
        return Block(source=source, kind=self._kind, continues=self._continues)

    def feed(self, text: str) -> list[Block]:
        """Add ``text`` and return the blocks it finished, in order."""
        *lines, rest = (self._partial + text).split("\n")
        self._partial = ""
        for line in lines:
            self._take(self._without_long_start(line) + "\n")
        self._partial = self._without_long_start(rest)
        return self._handed_out()

    def close(self) -> list[Block]:
        """End the text and return the blocks that were still open."""
        if self._partial:
            self._take(self._partial)
        self._partial = ""
        self._finish()
        return self._handed_out()

    def _handed_out(self) -> list[Block]:
        finished, self._finished = self._finished, []
        return finished

    def _without_long_start(self, line: str) -> str:
        start = 0
        while len(line) - start > _MARKDOWN_LIMIT:
            if not self._is_mid_line and self._whole_kind is BlockKind.MARKDOWN:
                self._begin_long_line(line[:_SPACE_WITHIN])
            end = _cut(line, start, start + _PIECE_LIMIT)
            self._add(line[start:end])
            self._emit()
            self._is_mid_line = True
            start = end
        return line[start:]

    def _begin_long_line(self, beginning: str) -> None:
        if self._within is _Within.LIST and self._was_blank and not _belongs_to_list(beginning):
            self._finish()
        self._was_blank = False
        if self._within is _Within.FENCE:
            self._kind = BlockKind.CODE
            return
        self._emit()
        self._kind = BlockKind.PLAIN
        if self._within is _Within.NOTHING:
            self._within = _Within.TEXT

    def _take(self, line: str) -> None:
        if self._is_mid_line or self._whole_kind is not BlockKind.MARKDOWN:
            self._is_mid_line = False
            self._add(line)
        else:
            self._take_markdown(line)
        limit = _MARKDOWN_LIMIT if self._kind is BlockKind.MARKDOWN else _PIECE_LIMIT
        if self._length > limit or len(self._lines) > _LINES_LIMIT:
            self._overflow()

    def _take_markdown(self, line: str) -> None:
        if self._within is _Within.FENCE or self._marker:
            self._add(line)
            self._end_fence(line)
        elif not line.strip():
            self._was_blank = True
            self._add(line)
            if self._within is _Within.TEXT:
                self._finish()
        else:
            self._take_filled(line)
            self._was_blank = False

    def _take_filled(self, line: str) -> None:
        fence = _FENCE.match(line.rstrip())
        item = _ITEM.match(line)
        if self._ends_before(line, fence):
            self._finish()
        if self._within is _Within.NOTHING:
            self._within = _Within.LIST if item else _Within.FENCE if _is_top(fence) else _Within.TEXT
        elif self._length > _LIST_LIMIT and item and len(item["indent"]) < 2:
            self._emit()
        self._add(line)
        if self._within is _Within.LIST and item:
            fence = _FENCE.match(line[item.end() :].rstrip())
        if self._within is not _Within.TEXT and fence:
            self._marker = fence["marker"]
        if self._within is _Within.TEXT and _HEADING.match(line):
            self._finish()

    def _ends_before(self, line: str, fence: re.Match[str] | None) -> bool:
        if self._within is _Within.TEXT:
            return bool(_is_top(fence) or _HEADING.match(line) or _INTERRUPTING_ITEM.match(line))
        if self._within is _Within.LIST:
            if (fence is not None and len(fence["indent"]) < 2) or _HEADING.match(line):
                return True
            return self._was_blank and not _belongs_to_list(line)
        return False

    def _end_fence(self, line: str) -> None:
        closing = line.strip()
        if self._within is _Within.FENCE and line.startswith("    "):
            return
        if len(closing) >= len(self._marker) and set(closing) == {self._marker[0]}:
            self._marker = ""
            if self._within is _Within.FENCE:
                self._finish()

    def _add(self, text: str) -> None:
        self._lines.append(text)
        self._length += len(text)

    def _overflow(self) -> None:
        # The first piece of a fence is code as well: half a fence as Markdown and half as text looks torn.
        if self._within is _Within.FENCE:
            self._kind = BlockKind.CODE
        self._emit()
        if self._within in (_Within.TEXT, _Within.LIST) and self._whole_kind is BlockKind.MARKDOWN:
            self._kind = BlockKind.PLAIN

    def _emit(self) -> None:
        if source := "".join(self._lines):
            self._finished.append(Block(source=source, kind=self._kind, continues=self._continues))
            self._continues = True
        self._lines.clear()
        self._length = 0

    def _finish(self) -> None:
        self._emit()
        self._continues = False
        self._kind = self._whole_kind
        self._within = _Within.NOTHING
        self._marker = ""
        self._was_blank = False
        self._is_mid_line = False


def _is_top(fence: re.Match[str] | None) -> bool:
    return fence is not None and len(fence["indent"]) < 4


def _belongs_to_list(line: str) -> bool:
    return line.startswith(("  ", "\t")) or _ITEM.match(line) is not None


def _cut(line: str, start: int, end: int) -> int:
    """Where to cut ``line`` before ``end``: after a space that is near, else hard."""
    space = line.rfind(" ", end - _SPACE_WITHIN, end)
    return space + 1 if space > start else end
