"""One piece of Markdown as rows, with everything in it that could act taken out.

Importing this imports the Markdown parser: import it when the first Markdown is drawn, not before the first
frame.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.segment import Segment
from rich.style import Style

from foundry_tui.domain.text import clean_text
from foundry_tui.tui.widgets.folding import shown
from foundry_tui.tui.widgets.markdown_code import Shades, code_lines, draw_code, expanded
from foundry_tui.tui.widgets.markdown_inline import inline_lines
from foundry_tui.tui.widgets.markdown_table import Cell, Side, draw_table
from foundry_tui.tui.widgets.transcript_rows import Drawing, Sketch, wrapped

__all__ = ["MarkdownRenderer", "code_blocks"]

# Cells that must be left for text inside the innermost list or quote.
_TEXT_CELLS = 8
# The parser drops what is nested deeper.
_NESTING_LIMIT = 20
_BULLET = " • "
_QUOTE = "│ "

_parser = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING_LIMIT})
    .enable(["strikethrough", "table"])
    # A definition would vanish from the screen, and the link that uses it stands in another block.
    .disable("reference")
)


def code_blocks(source: str) -> list[str]:
    """The text of each code block in ``source``, cleaned but for its tabs, in the order of its drawing."""
    tokens = _parser.parse(clean_text(source))
    return [token.content for token in tokens if token.type in ("fence", "code_block")]


class MarkdownRenderer:
    """Draws Markdown in the styles of ``palette``, whose names are those of the component classes."""

    def __init__(self, palette: Mapping[str, Style]) -> None:
        self._palette = palette

    def draw(self, text: str, width: int, shades: Mapping[tuple[str, str], Shades]) -> Drawing | None:
        """The rows of ``text``, which is clean.

        Args:
            text: The source.
            width: Cells of a row.
            shades: Of the codes in ``text``, by language and code.  What they lack is drawn plain and said to
                be unlit.

        Returns:
            None if ``text`` is better shown as it is: its structure has no room in ``width``, is nested too
            deep, or is all there is, as in an empty list item.
        """
        tokens = _parser.parse(text)
        deepest = max((token.level for token in tokens), default=0)
        if deepest + 1 >= _NESTING_LIMIT or _indent(tokens) + _TEXT_CELLS > width:
            return None
        writer = _Writer(self._palette, width, shades)
        writer.write(tokens)
        drawing = writer.sketch.finished()
        return drawing if drawing.text.strip() else None


class _Indent:
    """What a list item or a quote puts to the left of all its rows."""

    def __init__(self, first: str, rest: str, style: Style) -> None:
        self.width = len(rest)
        self._first: Segment | None = Segment(first, style)
        self._rest = Segment(rest, style)

    @property
    def is_unused(self) -> bool:
        """Whether no row has come yet."""
        return self._first is not None

    def next(self) -> Segment:
        """What stands left of the next row."""
        segment, self._first = self._first or self._rest, None
        return segment


class _Writer:
    def __init__(
        self, palette: Mapping[str, Style], width: int, shades: Mapping[tuple[str, str], Shades]
    ) -> None:
        self.sketch = Sketch()
        self._palette = palette
        self._width = width
        self._shades = shades
        self._indents: list[_Indent] = []
        self._bases = [Style.null()]
        self._lists: list[int | None] = []  # the number of the next item; None in a bullet list
        self._digits: list[int] = []  # of the longest number of each list
        self._is_first = True  # in the innermost quote, or at the top

    def write(self, tokens: Sequence[Token]) -> None:
        at = 0
        while at < len(tokens):
            at += self._take(tokens, at)

    def _take(self, tokens: Sequence[Token], at: int) -> int:
        """Draw what begins at ``at`` and return how many tokens that were."""
        token = tokens[at]
        match token.type:
            case "paragraph_open":
                self._gap()
                self._text(tokens[at + 1], self._bases[-1])
                return 3
            case "heading_open":
                self._gap()
                name = f"h{min(int(token.tag[1:]), 3)}"
                self._text(tokens[at + 1], self._bases[-1] + self._palette[name])
                return 3
            case "fence" | "code_block":
                self._gap()
                self._code(token)
            case "hr":
                self._gap()
                self.sketch.blank([*self._before(), Segment("─" * self._room, self._palette["rule"])])
            case "table_open":
                self._gap()
                end = next(n for n in range(at, len(tokens)) if tokens[n].type == "table_close")
                self._table(tokens[at : end + 1])
                return end + 1 - at
            case "blockquote_open":
                self._gap()
                self._indents.append(_Indent(_QUOTE, _QUOTE, self._palette["rule"]))
                self._bases.append(self._bases[-1] + self._palette["quote"])
                self._is_first = True
            case "blockquote_close":
                self._indents.pop()
                self._bases.pop()
                self._is_first = False
            case "bullet_list_open" | "ordered_list_open":
                self._gap()
                self._begin_list(tokens, at)
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
                self._digits.pop()
            case "list_item_open":
                self._begin_item()
            case "list_item_close":
                self._end_item()
        return 1

    @property
    def _room(self) -> int:
        return self._width - sum(indent.width for indent in self._indents)

    def _before(self) -> list[Segment]:
        return [indent.next() for indent in self._indents]

    def _gap(self) -> None:
        """Leave a row free between two blocks, but not within a list."""
        if not self._is_first and not self._lists:
            self.sketch.blank(self._before())
        self._is_first = False

    def _text(self, inline: Token, style: Style) -> None:
        for line in inline_lines(inline.children or [], style, self._palette):
            for runs, joint in wrapped(line, self._room):
                self.sketch.put(runs, joint, self._before())

    def _code(self, token: Token) -> None:
        code = expanded(shown(token.content))
        language = token.info.split()[0].lower() if token.info.strip() else ""
        shades = self._shades.get((language, code))
        if shades is None and language:
            self.sketch.unlit.append((language, code))
        lines = code_lines(code, shades, self._palette)
        draw_code(self.sketch, lines, self._room, self._palette["code-block"], self._before)

    def _table(self, tokens: Sequence[Token]) -> None:
        rows: list[list[Cell]] = []
        sides: list[Side] = []
        base = self._bases[-1]
        for token, inline in pairwise(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "th_open":
                sides.append(_side(token))
                rows[-1].append(self._cell(inline, base + self._palette["table-header"]))
            elif token.type == "td_open":
                rows[-1].append(self._cell(inline, base))
        head, *body = rows
        draw_table(self.sketch, head, body, sides, self._room, self._palette["rule"], self._before)

    def _cell(self, inline: Token, style: Style) -> Cell:
        lines = inline_lines(inline.children or [], style, self._palette)
        return [run for line in lines for run in line]

    def _begin_list(self, tokens: Sequence[Token], at: int) -> None:
        token = tokens[at]
        number = int(token.attrs.get("start", 1)) if token.type == "ordered_list_open" else None
        items = _items(tokens, at)
        self._lists.append(number)
        self._digits.append(len(str((number or 0) + items - 1)))

    def _begin_item(self) -> None:
        number = self._lists[-1]
        bullet = _BULLET
        if number is not None:
            bullet = f" {number:>{self._digits[-1]}}. "
            self._lists[-1] = number + 1
        self._indents.append(_Indent(bullet, " " * len(bullet), self._palette["bullet"]))

    def _end_item(self) -> None:
        if self._indents[-1].is_unused:
            self.sketch.blank(self._before())
        self._indents.pop()


def _side(token: Token) -> Side:
    style = str(token.attrs.get("style", ""))
    return next((side for side in (Side.RIGHT, Side.CENTER) if side in style), Side.LEFT)


def _items(tokens: Sequence[Token], at: int) -> int:
    """How many items the list that begins at ``at`` has."""
    level = tokens[at].level
    items = 0
    for token in tokens[at + 1 :]:
        if token.level == level:
            break
        items += token.type == "list_item_open" and token.level == level + 1
    return items


def _indent(tokens: Iterable[Token]) -> int:
    """Cells that the deepest list or quote takes before its text begins."""
    cells = {"blockquote": len(_QUOTE), "bullet_list": len(_BULLET), "ordered_list": len(_BULLET) + 1}
    open_cells: list[int] = []
    deepest = 0
    for token in tokens:
        name = token.type.removesuffix("_open").removesuffix("_close")
        if name not in cells:
            continue
        if token.nesting == 1:
            digits = len(str(token.attrs.get("start", ""))) + 1 if name == "ordered_list" else 0
            open_cells.append(cells[name] + digits)
            deepest = max(deepest, sum(open_cells))
        else:
            open_cells.pop()
    return deepest
