"""Where the reader is: the message and the code block they went to, and which ones come next."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from foundry_tui.domain.text import clean_text
from foundry_tui.tui.widgets.markdown_blocks import BlockKind
from foundry_tui.tui.widgets.transcript_layout import Layout
from foundry_tui.tui.widgets.transcript_messages import Message, Part

__all__ = ["CodeBlock", "Cursor", "code_source"]


class CodeBlock(NamedTuple):
    """The ``number``-th code block of ``part``.

    A fence that is too long for one part is known by its first.
    """

    part: Part
    number: int

    @property
    def message(self) -> Message:
        """Where it stands."""
        return self.part.section.message


class Cursor:
    """The message that is read, and the code block in it, if the reader went to one.

    Attributes:
        message: None at the end, and wherever the reader scrolled by hand.
        code: Only in ``message``.
    """

    def __init__(self, layout: Layout, draw: Callable[[Part], None]) -> None:
        """``draw`` brings a part's drawing up to date: which code it holds is known from then on."""
        self.message: Message | None = None
        self.code: CodeBlock | None = None
        self._layout = layout
        self._draw = draw

    @property
    def key(self) -> int | None:
        """The key of the message."""
        return None if self.message is None else self.message.key

    def put(self, message: Message | None, code: CodeBlock | None = None) -> None:
        """Go to ``message`` and the code block in it."""
        self.message = message
        self.code = code

    def neighbour(self, direction: int, top: int | None) -> Message | None:
        """The next message, or the one before if ``direction`` is -1; None beyond the ends.

        Args:
            direction: 1 or -1.
            top: Where the view begins, if the reader is not at the end.
        """
        messages = self._layout.messages
        if self.message is not None:
            index = self.message.index + direction
        elif not messages or top is None:
            index = len(messages) - 1 if direction < 0 else len(messages)
        else:
            at = self._layout.spot(top).message
            start = self._layout.start_of(at)
            if direction < 0:
                index = at.index if start < top else at.index - 1
            else:
                index = at.index if start > top else at.index + 1
        return messages[index] if 0 <= index < len(messages) else None

    def neighbour_code(self, direction: int, top: int | None) -> CodeBlock | None:
        """The next code block, or the one before; the first follows the last.  None if there are none.

        Args:
            direction: 1 or -1.
            top: Where the view begins, if the reader is not at the end.
        """
        messages = self._layout.messages
        if not messages:
            return None
        begin = self.code
        if begin is None and self.message is None and top is None:
            index = 0 if direction > 0 else len(messages) - 1
        elif begin is not None:
            index = begin.message.index
        elif self.message is not None:
            index = self.message.index
        else:
            assert top is not None
            index = self._layout.spot(top).message.index
        for step in range(len(messages) + 1):
            message = messages[(index + direction * step) % len(messages)]
            blocks = list(self._blocks(message))
            if step == 0:
                blocks = [block for block in blocks if self._is_beyond(block, direction, top)]
            if blocks:
                return blocks[0] if direction > 0 else blocks[-1]
        return None

    def last_code(self, message: Message) -> CodeBlock | None:
        """The last code block of ``message``; None if it has none."""
        blocks = list(self._blocks(message))
        return blocks[-1] if blocks else None

    def last_within(self, top: int, height: int) -> CodeBlock | None:
        """The last code block of which a row stands in the ``height`` rows from ``top`` on."""
        row = min(top + height, self._layout.height) - 1
        while row >= max(0, top):
            spot = self._layout.spot(row)
            part = spot.part
            if part is not None and part.kind is BlockKind.CODE:
                while part.continues and part.previous is not None and part.previous.kind is BlockKind.CODE:
                    part = part.previous
                return CodeBlock(part, 0)
            codes = () if part is None or part.drawing is None else part.drawing.codes
            for number, (first, count) in enumerate(codes):
                if part is not None and first <= spot.row < first + count:
                    return CodeBlock(part, number)
            row -= 1
        return None

    def rows_of(self, block: CodeBlock) -> tuple[int, int] | None:
        """The first row of ``block`` and how many it has; None while a fold hides its beginning."""
        if block.part.drawing is None:
            self._draw(block.part)
        drawing = block.part.drawing
        if drawing is None or block.number >= len(drawing.codes):
            return None
        first, count = drawing.codes[block.number]
        row = self._layout.row_of(block.part, first)
        if row is None:
            return None
        return row, count + sum(part.height(part.drawn_width or 1) for part in _rest_of(block.part))

    def holds(self, part: Part, row: int) -> bool:
        """Whether a row of ``part`` is one of the code block."""
        if self.code is None:
            return False
        if part is self.code.part:
            codes = () if part.drawing is None else part.drawing.codes
            first, count = codes[self.code.number] if self.code.number < len(codes) else (0, 0)
            return first <= row < first + count
        return (
            part.section is self.code.part.section
            and part.index > self.code.part.index
            and part.kind is BlockKind.CODE
            and any(other is part for other in _rest_of(self.code.part))
        )

    def _is_beyond(self, block: CodeBlock, direction: int, top: int | None) -> bool:
        if self.code is not None:
            at, here = (*block.part.order, block.number), (*self.code.part.order, self.code.number)
            return at > here if direction > 0 else at < here
        if self.message is not None or top is None:
            return True
        rows = self.rows_of(block)
        return rows is None or (rows[0] >= top if direction > 0 else rows[0] < top)

    def _blocks(self, message: Message) -> Iterator[CodeBlock]:
        for part in message.text.parts:
            if part.kind is BlockKind.CODE:
                if not part.continues or part.previous is None or part.previous.kind is not BlockKind.CODE:
                    yield CodeBlock(part, 0)
            elif part.kind is BlockKind.MARKDOWN:
                # Code without a fence is found once it was drawn: too much else has spaces to its left.
                if part.drawing is None and ("```" in part.source or "~~~" in part.source):
                    self._draw(part)
                codes = () if part.drawing is None else part.drawing.codes
                yield from (CodeBlock(part, number) for number in range(len(codes)))


def code_source(block: CodeBlock) -> str:
    """The code of ``block`` without its fence, cleaned, and without the line feed at its end."""
    if block.part.kind is BlockKind.CODE:
        source = "".join([part.source for part in (block.part, *_rest_of(block.part))])
        lines = source.rstrip().split("\n")[1:]
        if lines and not lines[-1].strip().strip("`~"):
            lines.pop()
        return clean_text("\n".join(lines))
    # The parser has no place before the first frame; it is there since the part was drawn.
    from foundry_tui.tui.widgets.markdown_render import code_blocks

    codes = code_blocks(block.part.source)
    return codes[block.number].removesuffix("\n") if block.number < len(codes) else ""


def _rest_of(part: Part) -> Iterator[Part]:
    """The parts that the fence which begins in ``part`` goes on in."""
    other = part.next
    while (
        part.kind is BlockKind.CODE and other is not None and other.continues and other.kind is BlockKind.CODE
    ):
        yield other
        other = other.next
