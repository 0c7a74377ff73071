"""One finished piece of Markdown drawn by Rich, with everything in it that could act taken out.

Importing this imports Pygments: import it when the first Markdown is drawn, not before the first frame.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments.lexers import get_all_lexers  # type: ignore[import-untyped]  # it ships no types
from pygments.token import Comment, Keyword, Name, Number, String  # type: ignore[import-untyped]
from pygments.token import Token as AnyToken
from rich import markdown as rich_markdown
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.text import Text
from rich.theme import Theme

from foundry_tui.domain.text import clean_line
from foundry_tui.tui.widgets.folding import shown

__all__ = ["MarkdownRenderer"]

# Cells that must be left for text inside the innermost list or quote, and in each column of a table.
_TEXT_CELLS = 8
_COLUMN_CELLS = 4
# The parser drops what is nested deeper.
_NESTING_LIMIT = 20

# Rich's name of a style and the name in our palette.
_MARKDOWN_STYLES = {
    "markdown.h1": "h1",
    "markdown.h2": "h2",
    "markdown.h3": "h3",
    "markdown.h4": "h3",
    "markdown.h5": "h3",
    "markdown.h6": "h3",
    "markdown.code": "code",
    "markdown.code_block": "code-block",
    "markdown.block_quote": "quote",
    "markdown.hr": "rule",
    "markdown.item.bullet": "bullet",
    "markdown.item.number": "bullet",
    "markdown.table.border": "rule",
    "markdown.table.header": "table-header",
    "markdown.url": "url",
}


class MarkdownRenderer:
    """Draws Markdown in the styles of ``palette``, whose names are those of the component classes."""

    def __init__(self, palette: Mapping[str, Style]) -> None:
        theme = Theme({rich: palette[ours] for rich, ours in _MARKDOWN_STYLES.items()})
        self._console = Console(
            file=io.StringIO(),
            force_terminal=True,
            color_system="truecolor",
            legacy_windows=False,
            theme=theme,
            markup=False,
            emoji=False,
            highlight=False,
        )
        self._code_theme = ANSISyntaxTheme(
            {
                AnyToken: palette["code-block"],
                Comment: palette["code-comment"],
                Keyword: palette["code-keyword"],
                String: palette["code-string"],
                Number: palette["code-number"],
                Name.Function: palette["code-name"],
                Name.Class: palette["code-name"],
            }
        )
        self._parser = (
            MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING_LIMIT})
            .enable(["strikethrough", "table"])
            # A definition would vanish from the screen, and the link that uses it stands in another block.
            .disable("reference")
        )

    def render(self, text: str, width: int, *, is_final: bool) -> list[list[Segment]] | None:
        """The rows of ``text``, which is clean; without highlighting unless ``is_final``.

        Returns:
            None if ``text`` is better shown as it is: its structure has no room in ``width``, is nested too
            deep, or is all there is, as in an empty list item.
        """
        tokens = self._parser.parse(text)
        deepest = max((token.level for token in tokens), default=0)
        if deepest + 1 >= _NESTING_LIMIT or _indent(tokens) + _TEXT_CELLS > width:
            return None
        theme = self._code_theme if is_final else None
        document = _Document(_harmless(tokens), theme)
        options = self._console.options.update(width=width, height=None)
        lines = self._console.render_lines(document, options, pad=False)
        return _trimmed([list(Segment.simplify(line)) for line in lines]) or None


class _Heading(rich_markdown.Heading):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.text


class _Fence(rich_markdown.TextElement):
    style_name = "markdown.code_block"

    @classmethod
    def create(cls, markdown: rich_markdown.Markdown, token: Token) -> "_Fence":
        assert isinstance(markdown, _Document)
        language = token.info.split()[0].lower() if token.info.strip() else ""
        return cls(language, markdown.code_style)

    def __init__(self, language: str, theme: ANSISyntaxTheme | None) -> None:
        self._language = language
        self._theme = theme

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = self.text.plain.removesuffix("\n")
        body = Text(code, tab_size=4, overflow="fold")
        if self._theme is not None and self._language in _languages():
            body = Syntax(code, self._language, theme=self._theme, tab_size=4).highlight(code)
            body.right_crop(len(body.plain) - len(body.plain.removesuffix("\n")))
            body.overflow = "fold"
            body.no_wrap = False
        yield Padding(body, (0, 1), style=self.style)


class _Cell(rich_markdown.TableDataElement):
    def on_enter(self, context: rich_markdown.MarkdownContext) -> None:
        # Rich cuts a long word in a narrow column and puts an ellipsis in its place.
        self.content.overflow = "fold"


class _Table(rich_markdown.TableElement):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        heads = self.header.row.cells if self.header is not None and self.header.row is not None else []
        if len(heads) * _COLUMN_CELLS <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        yield Text(" | ").join(cell.content for cell in heads)
        for row in self.body.rows if self.body is not None else []:
            yield Text(" | ").join(cell.content for cell in row.cells)


class _Document(rich_markdown.Markdown):
    elements = {  # noqa: RUF012 - Rich declares it
        **rich_markdown.Markdown.elements,
        "heading_open": _Heading,
        "fence": _Fence,
        "code_block": _Fence,
        "table_open": _Table,
        "td_open": _Cell,
        "th_open": _Cell,
    }
    inlines = rich_markdown.Markdown.inlines | {"url"}

    def __init__(self, tokens: Sequence[Token], theme: ANSISyntaxTheme | None) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = list(tokens)
        self.code_style = theme


@cache
def _languages() -> frozenset[str]:
    # Asking Pygments for a name that it lacks would search the plug-ins of every installed package.
    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)


def _harmless(tokens: Iterable[Token]) -> list[Token]:
    """``tokens`` with links and images as plain text, entities that became controls cleaned."""
    kept: list[Token] = []
    targets: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            targets.append(clean_line(shown(str(token.attrs.get("href", "")))))
        elif token.type == "link_close":
            target = targets.pop()
            # An automatic link is its own text.
            if target and not (kept and kept[-1].content == target):
                kept.extend(_url(f" ({target})"))
        elif token.type == "image":
            source = clean_line(shown(str(token.attrs.get("src", ""))))
            kept.append(_text(f"[image: {clean_line(shown(token.content))}]"))
            kept.extend(_url(f" ({source})"))
        elif token.type == "softbreak":
            # Models end lines where they mean to: verses, addresses, one finding a line.
            kept.append(Token("hardbreak", "br", 0))
        else:
            token.content = shown(token.content)
            token.children = _harmless(token.children) if token.children else token.children
            kept.append(token)
    return kept


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _url(content: str) -> list[Token]:
    return [Token("url_open", "url", 1), _text(content), Token("url_close", "url", -1)]


def _indent(tokens: Iterable[Token]) -> int:
    """Cells that the deepest list or quote takes before its text begins."""
    cells = {"blockquote": 4, "bullet_list": 3, "ordered_list": 3}
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


def _trimmed(rows: list[list[Segment]]) -> list[list[Segment]]:
    """``rows`` without the empty ones at both ends; a gap between blocks is the transcript's to draw."""
    filled = [n for n, row in enumerate(rows) if any(segment.text.strip() for segment in row)]
    return rows[filled[0] : filled[-1] + 1] if filled else []
