"""What a transcript shows: messages, and the parts that each of them consists of."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from rich.segment import Segment

from foundry_tui.tui.widgets.markdown_blocks import Block, BlockKind, BlockSplitter

__all__ = ["Flow", "Message", "Part", "Role"]


class Role(StrEnum):
    """What a part is for; the value ends the name of its component class."""

    USER_HEADING = "user-heading"
    ANSWER_HEADING = "answer-heading"
    USER = "user"
    ANSWER = "answer"
    REASONING = "reasoning"
    NOTICE = "notice"
    PROBLEM = "problem"
    FOOTER = "footer"


@dataclass(slots=True, eq=False, kw_only=True)
class Part:
    """A run of rows with one source, drawn together.

    Attributes:
        gap: Empty rows above it, where it has rows at all.
        is_final: Its source will not change.
        rows: As drawn last; they may be of another width.  No strips: each of those brings eight caches, and
            thousands of them make the collector stop the program for 50 ms.
        drawn_for: The painter's edition that drew ``rows``; None if never, or if the source changed since.
    """

    role: Role
    source: str
    kind: BlockKind = BlockKind.PLAIN
    gap: int = 0
    is_final: bool = True
    rows: list[list[Segment]] = field(default_factory=list)
    drawn_for: int | None = None
    drawn_width: int = 0

    def replace(self, source: str, role: Role | None = None) -> None:
        """Show ``source`` from the next drawing on."""
        self.source = source
        self.role = role or self.role
        self.drawn_for = None

    def height(self, width: int) -> int:
        """Rows it takes, with its gap; an estimate while it is not drawn for ``width``."""
        if self.drawn_width:
            rows = -(-len(self.rows) * self.drawn_width // width)
        else:
            rows = len(self.source) // width + self.source.count("\n") + bool(self.source)
        return self.gap + rows if rows else 0


class Flow:
    """Text that may grow, as parts of which only the last is open."""

    def __init__(self, role: Role, kind: BlockKind) -> None:
        self.parts: list[Part] = []
        self._role = role
        self._splitter = BlockSplitter(kind)
        self._open: Part | None = None
        self._chunks: list[str] = []

    @property
    def source(self) -> str:
        """Everything that was fed, exactly."""
        return "".join(self._chunks)

    def feed(self, text: str) -> None:
        """Add ``text`` to the end."""
        self._chunks.append(text)
        self._settle(self._splitter.feed(text))
        if (tail := self._splitter.tail) is not None:
            self._show(tail, is_final=False)

    def close(self) -> None:
        """Nothing follows: the last part is drawn once more, for good."""
        self._settle(self._splitter.close())

    def _settle(self, blocks: list[Block]) -> None:
        for block in blocks:
            self._show(block, is_final=True)
            self._open = None

    def _show(self, block: Block, *, is_final: bool) -> None:
        part = self._open
        if part is None:
            part = self._open = Part(role=self._role, source="")
            self.parts.append(part)
        part.gap = int(not block.continues and len(self.parts) > 1)
        part.kind = block.kind
        part.is_final = is_final
        part.replace(block.source)


@dataclass(slots=True, eq=False, kw_only=True)
class Message:
    """One message and, while it is an answer that streams, what has come in but is not shown yet.

    Attributes:
        gap: Empty rows above it.
    """

    heading: Part
    reasoning: Flow
    text: Flow
    footer: Part
    gap: int
    is_open: bool = False
    pending: list[str] = field(default_factory=list)
    pending_reasoning: list[str] = field(default_factory=list)

    def drain(self) -> bool:
        """Move what is pending into the parts; False if there was nothing."""
        if not self.pending and not self.pending_reasoning:
            return False
        for pending, flow in ((self.pending_reasoning, self.reasoning), (self.pending, self.text)):
            if pending:
                flow.feed("".join(pending))
                pending.clear()
        return True

    def parts(self) -> Iterator[Part]:
        """Its parts from top to bottom."""
        above = self.gap
        for parts in ([self.heading], self.reasoning.parts, self.text.parts):
            if parts and parts[0].source:
                parts[0].gap = above
                above = int(parts[0] is not self.heading)
            yield from parts
        yield self.footer
