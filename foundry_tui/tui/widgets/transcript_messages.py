"""What a transcript shows: messages, and the parts that each of them consists of."""

from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from time import perf_counter

from foundry_tui.tui.widgets.markdown_blocks import Block, BlockKind, BlockSplitter
from foundry_tui.tui.widgets.markdown_code import Shades
from foundry_tui.tui.widgets.transcript_rows import Drawing
from foundry_tui.tui.widgets.transcript_sums import Sums

__all__ = ["Flow", "Message", "Part", "Role", "Section"]

# What is fed in one go, in characters: a millisecond or less.
_SLICE = 8_192


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


class Part:
    """A run of rows with one source, drawn together.

    Attributes:
        note: A short text after the source, on the same line.
        continues: It is the rest of what the part before it began, so no gap stands between them.
        is_final: Its source will not change.
        drawing: As drawn last; it may be of another width or of an older source.
        drawn_for: The painter's edition that drew it; None if never, or if the source changed since.
        shades: Of its codes, by language and code; None as long as nobody asked.
    """

    __slots__ = (
        "continues",
        "drawing",
        "drawn_for",
        "drawn_width",
        "index",
        "is_final",
        "kind",
        "note",
        "role",
        "section",
        "shades",
        "source",
    )

    def __init__(self, section: "Section", index: int, role: Role) -> None:
        self.section = section
        self.index = index
        self.role = role
        self.source = ""
        self.note = ""
        self.kind = BlockKind.PLAIN
        self.continues = False
        self.is_final = True
        self.drawing: Drawing | None = None
        self.drawn_for: int | None = None
        self.drawn_width = 0
        self.shades: dict[tuple[str, str], Shades] | None = None

    @property
    def gap(self) -> int:
        """Empty rows above it, where it has rows at all."""
        return int(self.index > 0 and not self.continues)

    @property
    def order(self) -> tuple[int, int, int]:
        """Where it stands among all parts."""
        return self.section.message.index, self.section.number, self.index

    @property
    def is_cut(self) -> bool:
        """Whether its last line goes on in the next part."""
        return not self.source.endswith("\n") and self.next is not None and self.next.continues

    @property
    def next(self) -> "Part | None":
        """The part below it in its section."""
        parts = self.section.parts
        return parts[self.index + 1] if self.index + 1 < len(parts) else None

    @property
    def previous(self) -> "Part | None":
        """The part above it in its section."""
        return self.section.parts[self.index - 1] if self.index else None

    def height(self, width: int) -> int:
        """Rows it takes, with its gap; an estimate while it is not drawn for ``width``."""
        if self.drawing is not None:
            rows = -(-self.drawing.height * self.drawn_width // width)
        else:
            rows = len(self.source) // width + self.source.count("\n") + bool(self.source)
        return self.gap + rows if rows else 0


class Section:
    """Parts that stand below one another.

    Attributes:
        number: Its place in the message.
        heights: Of the parts, as they were measured last.
        changed: Parts that came or changed since they were measured.
    """

    __slots__ = ("changed", "heights", "message", "number", "parts", "role")

    def __init__(self, message: "Message", number: int, role: Role) -> None:
        self.message = message
        self.number = number
        self.role = role
        self.parts: list[Part] = []
        self.heights = Sums()
        self.changed: dict[Part, None] = {}

    @property
    def source(self) -> str:
        """The text of all parts, exactly as it came."""
        return "".join([part.source for part in self.parts])

    def write(self, source: str, *, note: str | None = None, role: Role | None = None) -> None:
        """Show ``source`` as the only part; the note and the role stay where they are left out."""
        part = self.parts[0] if self.parts else self.begin()
        part.source = source
        part.role = role or part.role
        part.note = part.note if note is None else note
        self.touch(part)

    def begin(self) -> Part:
        """Add an empty part at the end."""
        part = Part(self, len(self.parts), self.role)
        self.parts.append(part)
        return part

    def touch(self, part: Part) -> None:
        """``part`` must be drawn anew."""
        part.drawn_for = None
        part.shades = None
        self.changed[part] = None


class Flow(Section):
    """Text that may grow, as parts of which only the last is open."""

    __slots__ = ("_chunks", "_open", "_splitter")

    def __init__(self, message: "Message", number: int, role: Role, kind: BlockKind) -> None:
        super().__init__(message, number, role)
        self._splitter: BlockSplitter | None = BlockSplitter(kind)
        self._open: Part | None = None
        self._chunks: deque[str] = deque()

    @property
    def has_pending(self) -> bool:
        """Whether text came that is not in the parts yet."""
        return bool(self._chunks)

    @property
    def whole(self) -> str:
        """Everything that came, exactly."""
        return self.source + "".join(self._chunks)

    def take(self, chunk: str) -> None:
        """Keep ``chunk`` until it is fed."""
        self._chunks.append(chunk)

    def feed(self, until_s: float | None) -> None:
        """Move what was taken into the parts; stop at ``until_s``, a reading of ``perf_counter``."""
        assert self._splitter is not None
        while self._chunks:
            self._settle(self._splitter.feed(self._next_slice()))
            if until_s is not None and perf_counter() >= until_s:
                break
        if (tail := self._splitter.tail) is not None:
            self._show(tail, is_final=False)

    def close(self) -> None:
        """Nothing follows: the last part is drawn once more, for good."""
        if self._splitter is not None:
            self._settle(self._splitter.close())
            self._splitter = None

    def _next_slice(self) -> str:
        kept: list[str] = []
        length = 0
        while self._chunks and length < _SLICE:
            chunk = self._chunks.popleft()
            if length + len(chunk) > _SLICE:
                self._chunks.appendleft(chunk[_SLICE - length :])
                chunk = chunk[: _SLICE - length]
            kept.append(chunk)
            length += len(chunk)
        return "".join(kept)

    def _settle(self, blocks: list[Block]) -> None:
        for block in blocks:
            self._show(block, is_final=True)
            self._open = None

    def _show(self, block: Block, *, is_final: bool) -> None:
        if self._open is None:
            self._open = self.begin()
        part = self._open
        part.continues = block.continues
        part.kind = block.kind
        part.is_final = is_final
        part.source = block.source
        self.touch(part)


class Message:
    """One message: what stands in it, and how much of that is shown.

    Attributes:
        index: Its place among the messages, from 0.
        role: Of its text.
        is_open: More may come.
        is_ending: Nothing more comes, but what came is not all in the parts yet.
        is_folded: Only its beginning is wanted.
        hides_reasoning: Whether the reasoning is folded; None until somebody decides.
    """

    def __init__(self, key: int, index: int, heading: str, roles: tuple[Role, Role], kind: BlockKind) -> None:
        self.key = key
        self.index = index
        heading_role, self.role = roles
        self.heading = Section(self, 0, heading_role)
        self.reasoning = Flow(self, 1, Role.REASONING, BlockKind.PLAIN)
        self.text = Flow(self, 2, self.role, kind)
        self.footer = Section(self, 3, Role.FOOTER)
        self.is_open = True
        self.is_ending = False
        self.is_folded = False
        self.hides_reasoning: bool | None = None
        self.heading.write(heading)

    @property
    def sections(self) -> tuple[Section, Section, Section, Section]:
        """From top to bottom."""
        return self.heading, self.reasoning, self.text, self.footer

    @property
    def has_pending(self) -> bool:
        """Whether there is something to feed."""
        return self.is_ending or self.reasoning.has_pending or self.text.has_pending

    def parts(self) -> Iterator[Part]:
        """Its parts from top to bottom, hidden ones too."""
        for section in self.sections:
            yield from section.parts

    def feed(self, until_s: float | None) -> bool:
        """Move what came into the parts, until ``until_s`` at most; True if that was its end."""
        for flow in (self.reasoning, self.text):
            if flow.has_pending:
                flow.feed(until_s)
        if not self.is_ending or self.reasoning.has_pending or self.text.has_pending:
            return False
        self.reasoning.close()
        self.text.close()
        self.is_open = self.is_ending = False
        return True
